//! Stolen pre-keys and identities: which first messages a thief can forge, and what they are worth.
//!
//! The forgeries are made from the specification (docs/spec/session.md, sections 3.1, 3.2 and 4). Every one that must fail
//! stands beside one that succeeds with the secret that the thief lacks.

use bisik::{
    AcceptError, Accepted, Ciphertext, DecryptError, Identity, PreKeys, Session, Standing, StorageKey, Timestamp, Trust,
};
use bisik_core::primitives::mlkem768::EncapsulationKey;
use bisik_testkit::fuzz::forge::{self, Header};
use bisik_testkit::fuzz::record::{self, Kind};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

struct Setting {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    /// Of Bob's last-resort bundle, without the signature.
    bundle: Vec<u8>,
    stolen: Stolen,
}

/// Secrets out of opened records.
struct Stolen {
    ika: [u8; 32],
    ikb: [u8; 32],
    spkb: [u8; 32],
}

fn key() -> StorageKey {
    StorageKey::from_bytes(record::STORAGE_KEY)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().unwrap()
}

/// The X25519 half of a public identity.
fn agreement_key(identity: &Identity) -> [u8; 32] {
    array(&identity.public().to_bytes(), 32)
}

/// The agreement secret in the record of an identity.
fn agreement_secret(identity: &Identity) -> [u8; 32] {
    let record = identity.seal(&key(), record::CONTEXT, &mut rand::rng());
    let secret = array(&record::open(Kind::Identity, &record), 32);
    assert_eq!(public(&secret), agreement_key(identity));
    secret
}

fn opened(keys: &PreKeys) -> Vec<u8> {
    record::open(Kind::PreKeys, &keys.seal(&key(), record::CONTEXT, &mut rand::rng()))
}

fn public(secret: &[u8; 32]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
}

fn dh(secret: &[u8; 32], public: &[u8]) -> [u8; 32] {
    MontgomeryPoint(public.try_into().unwrap()).mul_clamped(*secret).to_bytes()
}

fn derive<const N: usize>(salt: &[u8; 32], inputs: &[[u8; 32]], info: &[&[u8]]) -> [u8; N] {
    let mut output = [0; N];
    Hkdf::<Sha256>::new(Some(salt), &inputs.concat()).expand(&info.concat(), &mut output).unwrap();
    output
}

fn setting() -> Setting {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let mut bundle = keys.bundle().to_bytes();
    bundle.truncate(bundle.len() - 64);
    let spkb = array(&opened(&keys), SIGNED_SECRET);
    assert_eq!(public(&spkb), bundle[SIGNED..SIGNED + 32]);
    let stolen = Stolen { ika: agreement_secret(&alice), ikb: agreement_secret(&bob), spkb };
    Setting { alice, bob, keys, bundle, stolen }
}

/// A first flight in Alice's name, and what its maker knows of the session.
struct Flight {
    header: Vec<u8>,
    binding: [u8; 32],
    root: [u8; 32],
    chain: [u8; 32],
    header_key: [u8; 32],
    next_header: [u8; 32],
}

/// The ratchet pairs of the forger: of its first chain, and of the next one.
const FIRST_PAIR: [u8; 32] = [0x31; 32];
const SECOND_PAIR: [u8; 32] = [0x32; 32];
const EPHEMERAL: [u8; 32] = [0x33; 32];

impl Setting {
    /// The forgery with these values for DH0 and DH1, which may be left out.
    fn flight(&self, of_identity: &[[u8; 32]]) -> Flight {
        let identity = self.alice.public().to_bytes();
        let kem = EncapsulationKey::decode(&array(&self.bundle, KEM)).unwrap();
        let (kem, kem_secret) = kem.encapsulate(&mut rand::rng());
        let of_ephemeral = [AGREEMENT, SIGNED].map(|at| dh(&EPHEMERAL, &self.bundle[at..at + 32]));
        let ephemeral = public(&EPHEMERAL);
        let bundle: [u8; 32] = Sha256::digest(&self.bundle).into();
        let label = b"bisik-1 handshake transcript open\0".as_slice();
        let open: [u8; 32] = Sha256::digest([label, &bundle, &ephemeral, &kem[..], &[0; 32]].concat()).into();
        let label = b"bisik-1 handshake transcript full\0".as_slice();
        let binding: [u8; 32] = Sha256::digest([label, &open, &identity].concat()).into();

        let known = [of_ephemeral.as_slice(), &[*kem_secret.expose()]].concat();
        let key: [u8; 32] =
            derive(&[0; 32], &[&[[0xff; 32]], known.as_slice()].concat(), &[b"bisik-1 handshake identity\0", &open]);
        let mut sealed = identity;
        let tag = XChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&[0; 24].into(), &open, sealed.as_mut_slice().into())
            .unwrap();
        let ids = [&self.bundle[SIGNED_ID..SIGNED_ID + 4], &[0; 4]].concat();
        let header = [ephemeral.as_slice(), &ids, &kem[..], &sealed, tag.as_slice()].concat();

        let label = b"bisik-1_CURVE25519_SHA-256_ML-KEM-768\0bisik-1 handshake ratchet\0".as_slice();
        let inputs = [&[[0xff; 32]], of_identity, &known].concat();
        let output: [u8; 176] = derive(&[0; 32], &inputs, &[label, &binding]);
        let [root, chain, header_key, next_header] = [0, 32, 64, 96].map(|at| array(&output, at));
        Flight { header, binding, root, chain, header_key, next_header }
    }

    /// The forgery of who has both of Bob's secrets.
    fn with_both(&self) -> Flight {
        let ika = &agreement_key(&self.alice);
        self.flight(&[dh(&self.stolen.ikb, ika), dh(&self.stolen.spkb, ika)])
    }

    fn accept(&self, message: &Ciphertext, trust: Trust<'_>) -> Result<Accepted, AcceptError> {
        Session::accept(&self.bob, &self.keys, message, trust, NOW)
    }

    /// Bob's session by the forgery of who has both of his secrets.
    fn taken_in(&mut self) -> (Flight, Session) {
        let flight = self.with_both();
        let accepted = self.accept(&flight.message(0, b"palsu"), Trust::Pinned(self.alice.public())).unwrap();
        self.keys.remove(accepted.used);
        (flight, accepted.session)
    }
}

impl Flight {
    fn message(&self, number: u32, text: &[u8]) -> Ciphertext {
        let key = forge::message_key(&self.chain, number);
        let header = plain_header(public(&FIRST_PAIR), 0, number);
        let message = forge::message(&self.binding, &self.header_key, &key, &header, text).message;
        Ciphertext::from_bytes(&[[0x21].as_slice(), &self.header, &message].concat()).unwrap()
    }

    /// Opens the header of Bob's first answer, and its body with the identity agreement `identity` in step 1. Returns
    /// the root, the next header key and Bob's ratchet key too.
    fn open_answer(&self, answer: &Ciphertext, identity: impl Fn(&[u8]) -> [u8; 32]) -> Answer {
        let message = &answer.as_bytes()[1..];
        let (salt, rest) = message.split_at(16);
        let (sealed, rest) = rest.split_at(84);
        let (body, body_tag) = rest[16..].split_at(rest.len() - 32);
        let nonce = |purpose: u64| -> [u8; 24] { array(&[salt, &purpose.to_be_bytes()].concat(), 0) };
        let mut header = sealed.to_vec();
        record::apply_stream(&self.next_header, &nonce(0), &mut header);
        let ratchet_key = array(&header, 0);
        let output = step(&self.root, 1, &FIRST_PAIR, &ratchet_key, identity(&ratchet_key), false);
        let key = forge::message_key(&array(&output, 32), 0);
        let label = b"bisik-1 message\0".as_slice();
        let digest: [u8; 32] = Sha256::digest([label, &self.binding, salt, sealed, body].concat()).into();
        let mut text = body.to_vec();
        record::apply_stream(&key, &nonce(1), &mut text);
        let text = (record::tag(&key, &[&digest]) == body_tag).then_some(text);
        Answer { text, version: header[40], ratchet_key, root: array(&output, 0), header_key: array(&output, 64) }
    }
}

struct Answer {
    /// If the tag verifies.
    text: Option<Vec<u8>>,
    version: u8,
    ratchet_key: [u8; 32],
    root: [u8; 32],
    header_key: [u8; 32],
}

impl Answer {
    /// The message that begins chain 2, after three in chain 0, and would confirm the session.
    fn reply(&self, flight: &Flight, text: &[u8]) -> Ciphertext {
        let output = step(&self.root, 2, &SECOND_PAIR, &self.ratchet_key, [0; 32], true);
        let key = forge::message_key(&array(&output, 32), 0);
        let header = plain_header(public(&SECOND_PAIR), 3, 0);
        let message = forge::message(&flight.binding, &self.header_key, &key, &header, text).message;
        Ciphertext::from_bytes(&[[0x22].as_slice(), &message].concat()).unwrap()
    }
}

/// One step of the root, made by the owner of `own` or by the other side.
fn step(root: &[u8; 32], step: u32, own: &[u8; 32], other: &[u8; 32], identity: [u8; 32], ours: bool) -> [u8; 128] {
    let keys = if ours { [public(own), *other] } else { [*other, public(own)] };
    let inputs = [dh(own, other), identity, [0; 32], [0; 32]];
    derive(root, &inputs, &[b"bisik-1 ratchet root step\0", &step.to_be_bytes(), &[0; 5], &keys.concat()])
}

fn plain_header(ratchet_key: [u8; 32], previous: u32, number: u32) -> Header {
    let (version, chunk) = (0x11, [0; 32]);
    Header { ratchet_key, previous, number, version, kinds: 0, epoch: 1, mixed: 0, chunk_number: 0, chunk }
}

/// P-3.2: the signed pre-key gives DH1 but not DH0, and the identity DH0 but not DH1. What is missing cannot be left
/// out, nor replaced by what the thief can compute.
#[test]
fn who_has_stolen_one_of_two_secrets_forges_no_first_message() {
    let setting = setting();
    let ika = &agreement_key(&setting.alice);
    let (dh0, dh1) = (dh(&setting.stolen.ikb, ika), dh(&setting.stolen.spkb, ika));
    let of_ephemeral = [AGREEMENT, SIGNED].map(|at| dh(&EPHEMERAL, &setting.bundle[at..at + 32]));
    let guesses = [[0; 32], of_ephemeral[0], of_ephemeral[1]];
    let mut forgeries = vec![vec![], vec![dh0], vec![dh1], vec![dh0, dh0], vec![dh1, dh1], vec![dh1, dh0]];
    for guess in guesses {
        forgeries.extend([vec![guess, dh1], vec![dh0, guess], vec![guess, guess]]);
    }
    for trust in [Trust::OnFirstUse, Trust::Pinned(setting.alice.public())] {
        for forgery in &forgeries {
            let message = setting.flight(forgery).message(0, b"palsu");
            assert_eq!(setting.accept(&message, trust).unwrap_err(), AcceptError::Rejected, "{forgery:?}");
        }
        // Who has both can: the formulas above are the library's.
        let accepted = setting.accept(&setting.with_both().message(0, b"palsu"), trust).unwrap();
        assert_eq!(accepted.session.peer(), setting.alice.public());
    }
}

/// P-3.13, P-3.14, P-3.15: who has stolen the identity and the signed pre-key of Bob writes to him in Alice's name, and
/// gains nothing else: no message is confirmed, and no answer is read.
#[test]
fn who_has_stolen_both_secrets_is_never_confirmed_and_reads_no_answer() {
    let mut setting = setting();
    let flight = setting.with_both();
    let message = flight.message(0, b"palsu");
    let Accepted { session: mut bob, plaintext, used } =
        setting.accept(&message, Trust::Pinned(setting.alice.public())).unwrap();
    setting.keys.remove(used);
    assert_eq!(plaintext.show_unconfirmed(), b"palsu");
    let unconfirmed = |bob: &mut Session, number: u32| {
        assert_eq!(bob.standing(), Standing::Unconfirmed);
        let decrypted = bob.decrypt(&setting.bob, &flight.message(number, b"lagi")).unwrap();
        assert!(!decrypted.confirms);
        assert_eq!(decrypted.plaintext.confirmed().unwrap_err().show_unconfirmed(), b"lagi");
        assert_eq!(bob.standing(), Standing::Unconfirmed);
    };
    unconfirmed(&mut bob, 1);
    let answer = bob.encrypt(b"rahasia", &mut rand::rng()).unwrap();
    unconfirmed(&mut bob, 2);

    // The forger opens the header, because it knows the first keys. The step to the body takes Alice's secret.
    let ikas = |ratchet_key: &[u8]| dh(&setting.stolen.ika, ratchet_key);
    let ika = agreement_key(&setting.alice);
    let ikbs = |_: &[u8]| dh(&setting.stolen.ikb, &ika);
    let spkbs = |_: &[u8]| dh(&setting.stolen.spkb, &ika);
    let firsts = |ratchet_key: &[u8]| dh(&FIRST_PAIR, ratchet_key);
    let of_forger = [
        flight.open_answer(&answer, |_| [0; 32]),
        flight.open_answer(&answer, ikbs),
        flight.open_answer(&answer, spkbs),
        flight.open_answer(&answer, firsts),
    ];
    let of_alice = flight.open_answer(&answer, ikas);
    let before = state(&mut bob);
    for attempt in &of_forger {
        assert_eq!((attempt.version, attempt.ratchet_key), (0x11, of_alice.ratchet_key), "the header opens");
        assert_eq!(attempt.text, None, "the answer does not");
        let refused = bob.decrypt(&setting.bob, &attempt.reply(&flight, b"palsu")).unwrap_err();
        assert_eq!(refused, DecryptError::Rejected);
        assert_eq!((state(&mut bob), bob.standing()), (before.clone(), Standing::Unconfirmed));
    }
    assert_eq!(of_alice.text.as_deref(), Some(b"rahasia".as_slice()));
    let confirming = bob.decrypt(&setting.bob, &of_alice.reply(&flight, b"asli")).unwrap();
    assert!(confirming.confirms && bob.is_confirmed());
}

/// P-3.10: a copy of a flight, and every further message of it, belongs to the session that it set up.
#[test]
fn a_second_copy_of_a_flight_is_recognized_and_not_accepted_anew() {
    let mut setting = setting();
    let (flight, mut forged) = setting.taken_in();
    let bundle = setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut alice = Session::initiate(&setting.alice, &bundle, NOW, &mut rand::rng()).unwrap();
    let [first, second] = [b"1", b"2"].map(|text| alice.encrypt(text, &mut rand::rng()).unwrap());
    let trust = Trust::Pinned(setting.alice.public());
    let Accepted { session: mut genuine, used, .. } = setting.accept(&first, trust).unwrap();
    setting.keys.remove(used);
    let flights =
        [(&mut forged, flight.message(0, b"palsu"), flight.message(1, b"lagi")), (&mut genuine, first, second)];
    for (session, copy, other) in flights {
        let copy = Ciphertext::from_bytes(copy.as_bytes()).unwrap();
        for message in [&copy, &other] {
            assert!(session.recognizes(message));
            assert_eq!(setting.accept(message, trust).unwrap_err(), AcceptError::Replayed);
        }
        assert_eq!(session.decrypt(&setting.bob, &copy).unwrap_err(), DecryptError::Duplicate);
        assert!(session.decrypt(&setting.bob, &other).is_ok());
        assert_eq!(session.standing(), Standing::Unconfirmed);
    }
    assert!(!forged.recognizes(&alice.encrypt(b"3", &mut rand::rng()).unwrap()));
}

/// A stolen record of a session gives no pre-key and no identity.
#[test]
fn the_record_of_a_session_holds_no_secret_of_a_pre_key_or_identity() {
    let Setting { alice, bob, mut keys, stolen, .. } = setting();
    let rng = &mut rand::rng();
    for one_time in [true, false] {
        let bundle = if one_time { keys.replenish(&bob, 1, rng).unwrap().remove(0) } else { keys.bundle() };
        let of_keys = opened(&keys);
        let mut secrets = vec![stolen.ika, stolen.ikb, stolen.spkb];
        secrets.extend([0, 32].map(|half| array(&of_keys, KEM_SEED + half)));
        if one_time {
            assert_eq!(public(&array(&of_keys, ONE_TIME_SECRET)), bundle.to_bytes()[ONE_TIME..ONE_TIME + 32]);
            secrets.extend([0, 64, 96].map(|at| array::<32>(&of_keys, ONE_TIME_SECRET + at)));
        }
        let holds = |state: &[u8]| {
            let pieces = secrets.iter().flat_map(|secret| secret.chunks(8));
            pieces.filter(|piece| state.windows(8).any(|window| window == *piece)).count()
        };
        assert_eq!(holds(&of_keys), (secrets.len() - 2) * 4, "those of pre-keys are in the record of the pre-keys");

        let bundle = bundle.verify(Trust::OnFirstUse, NOW).unwrap();
        let mut a = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
        assert_eq!(holds(&state(&mut a)), 0, "initiated");
        let hello = a.encrypt(b"halo", rng).unwrap();
        let Accepted { session: mut b, used, .. } =
            Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        assert_eq!((used.one_time(), holds(&state(&mut b))), (one_time, 0), "accepted");
        for _ in 0..3 {
            let answer = b.encrypt(b"hai", rng).unwrap();
            assert!(a.decrypt(&alice, &answer).is_ok());
            assert_eq!((holds(&state(&mut a)), holds(&state(&mut b))), (0, 0), "answered");
            let message = a.encrypt(b"lagi", rng).unwrap();
            assert!(b.decrypt(&bob, &message).is_ok());
            assert_eq!((holds(&state(&mut a)), holds(&state(&mut b))), (0, 0), "confirmed");
        }
        keys.remove(used);
    }
}

/// The state of a session, decrypted.
fn state(session: &mut Session) -> Vec<u8> {
    let record = session.seal(&key(), record::CONTEXT, &mut rand::rng()).unwrap();
    record::open(Kind::Session, record.head())
}

/// Offsets in a bundle (docs/spec/session.md, section 2.3).
const AGREEMENT: usize = 35;
const SIGNED_ID: usize = 67;
const SIGNED: usize = 88;
const KEM: usize = 125;
const ONE_TIME: usize = 1_310;
/// Offsets in the record of pre-keys (docs/formats.md, section 6.3).
const SIGNED_SECRET: usize = 96;
const KEM_SEED: usize = 160;
const ONE_TIME_SECRET: usize = 312;
