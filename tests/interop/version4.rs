//! Version 4: conversations recorded with a deployed implementation replay identically, byte for byte; then properties
//! under any delivery, and adversaries.

use std::fs;

use bisik::StorageKey;
use bisik::interop::signal::v4::{
    Accepted, Addresses, Ciphertext, KyberKeyPair, KyberPreKey, KyberPublicKey, PreKeyBundle, PreKeys, Reinitiated,
    ServiceAddress, ServiceKind, Session,
};
use bisik::interop::signal::{
    AcceptError, BundleError, DecryptError, Distribution, GroupReceiver, GroupSender, Identity, IdentityKey,
    InitiateError, KeyError, KeyPair, MessageKind, OneTimePreKey, PreKeysError, PublicKey, SenderKeyFormat,
    SignedPreKey, Trust,
};
use rand::RngExt;
use serde_json::Value;

use super::known::{Draws, from_hex};
use crate::rng::ConstantRng;

fn key() -> StorageKey {
    StorageKey::from_bytes([1; 32])
}

/// The session sealed with a repeating generator: equal bytes mean equal states.
fn image(session: &mut Session) -> Vec<u8> {
    session.seal(&key(), b"image", &mut ConstantRng(0)).unwrap().into_bytes()
}

fn reload(session: &mut Session) {
    *session = Session::unseal(&key(), b"image", &image(session)).unwrap();
}

mod recorded {
    use super::*;

    fn hex(value: &Value, name: &str) -> Vec<u8> {
        from_hex(value[name].as_str().unwrap_or_else(|| panic!("no {name}")))
    }

    fn array<const N: usize>(value: &Value, name: &str) -> [u8; N] {
        hex(value, name).try_into().unwrap()
    }

    fn number(value: &Value, name: &str) -> u32 {
        value[name].as_u64().unwrap().try_into().unwrap()
    }

    fn public(value: &Value, name: &str) -> PublicKey {
        PublicKey::from_bytes(&hex(value, name)).unwrap()
    }

    fn bundle(value: &Value) -> PreKeyBundle {
        let one_time = || OneTimePreKey { id: number(value, "preKeyId"), key: public(value, "preKeyPublic") };
        PreKeyBundle {
            registration_id: number(value, "registrationId"),
            device_id: number(value, "deviceId"),
            identity: IdentityKey::from(public(value, "identityKey")),
            one_time: (!value["preKeyId"].is_null()).then(one_time),
            signed: SignedPreKey {
                id: number(value, "signedPreKeyId"),
                key: public(value, "signedPreKeyPublic"),
                signature: array(value, "signedPreKeySignature"),
            },
            kyber: KyberPreKey {
                id: number(value, "kyberPreKeyId"),
                key: KyberPublicKey::from_bytes(&hex(value, "kyberPreKeyPublic")).unwrap(),
                signature: array(value, "kyberPreKeySignature"),
            },
        }
    }

    /// This implementation's names come first.
    fn addresses(bytes: &[u8]) -> Addresses {
        let address = |at: usize| ServiceAddress {
            kind: if bytes[at] == 0 { ServiceKind::Account } else { ServiceKind::PhoneNumber },
            uuid: bytes[at + 1..at + 17].try_into().unwrap(),
            device: bytes[at + 17],
        };
        Addresses { ours: address(0), theirs: address(18) }
    }

    /// The pre-keys of a recorded bundle, and its Kyber pre-key as a last-resort one.
    fn pre_keys(identity: &Identity, record: &Value) -> PreKeys {
        let published = &record["bundle"];
        let pair = |name| KeyPair::from_secret_bytes(array(record, name));
        let kyber = KyberKeyPair::from_expanded_bytes(&array(record, "kyber_private")).unwrap();
        assert_eq!(kyber.public().to_bytes(), hex(published, "kyberPreKeyPublic"));
        let (signed, kyber) = (
            (number(published, "signedPreKeyId"), pair("signed_private")),
            (number(published, "kyberPreKeyId"), kyber),
        );
        let mut keys = PreKeys::with_keys(identity, signed, kyber, &mut rand::rng());
        if !published["preKeyId"].is_null() {
            keys.insert_one_time(number(published, "preKeyId"), pair("one_time_private")).unwrap();
        }
        keys
    }

    struct Replay {
        identity: Identity,
        addresses: Addresses,
        keys: Option<PreKeys>,
        session: Option<Session>,
    }

    impl Replay {
        fn of(record: &Value) -> Self {
            let identity =
                Identity::from_secret_bytes(array(record, "identity_private"), number(record, "registration_id"));
            let addresses = addresses(&hex(record, "addresses"));
            let published = bundle(&record["bundle"]);
            let verified = published.verify(Trust::OnFirstUse).unwrap();
            if record["initiates"] == false {
                let keys = Some(pre_keys(&identity, record));
                return Self { identity, addresses, keys, session: None };
            }
            let mut draws = Draws::listed(&hex(record, "random"));
            let session = Session::initiate(&identity, &verified, Some(addresses), &mut draws).unwrap();
            assert!(draws.is_used_up());
            Self { identity, addresses, keys: None, session: Some(session) }
        }

        fn read(&mut self, event: &Value) -> Result<Vec<u8>, DecryptError> {
            let kind = if event["type"] == 3 { MessageKind::PreKey } else { MessageKind::Whisper };
            let message = Ciphertext::from_parts(kind, &hex(event, "body")).unwrap();
            let Some(session) = &mut self.session else {
                let keys = self.keys.as_mut().unwrap();
                let accepted =
                    Session::accept(&self.identity, keys, &message, Trust::OnFirstUse, Some(self.addresses)).unwrap();
                keys.remove(accepted.used);
                self.session = Some(accepted.session);
                return Ok(accepted.plaintext);
            };
            session.decrypt(&message)
        }
    }

    /// S-13.4, S-13.6 to S-13.12: 305 messages written, 288 read and 45 refused, over several epochs.
    #[test]
    fn recorded_live_sessions_of_version_4_replay_identically() {
        let text = fs::read_to_string("tests/vectors/interop/live-v4.json").unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let (mut written, mut read, mut refused) = (0, 0, 0);
        for record in all["sessions"].as_array().unwrap() {
            let mut replay = Replay::of(record);
            for event in record["events"].as_array().unwrap() {
                if let Some(session) = &mut replay.session {
                    reload(session);
                }
                match event["do"].as_str().unwrap() {
                    "write" => {
                        let mut draws = Draws::listed(&hex(event, "random"));
                        let session = replay.session.as_mut().unwrap();
                        let message = session.encrypt(&hex(event, "plaintext"), &mut draws).unwrap();
                        assert!(draws.is_used_up());
                        assert_eq!(message.as_bytes(), hex(event, "body"));
                        assert_eq!(message.kind() == MessageKind::PreKey, event["type"] == 3);
                        written += 1;
                    }
                    "read" => {
                        assert_eq!(replay.read(event), Ok(hex(event, "plaintext")));
                        read += 1;
                    }
                    "refuse" => {
                        let before = image(replay.session.as_mut().unwrap());
                        let expected =
                            if event["why"] == "tag" { DecryptError::Rejected } else { DecryptError::Replayed };
                        assert_eq!(replay.read(event), Err(expected));
                        assert_eq!(image(replay.session.as_mut().unwrap()), before);
                        refused += 1;
                    }
                    other => panic!("{other}"),
                }
            }
            let epochs = record["epochs"].as_u64().unwrap();
            assert!(u64::from(replay.session.as_ref().unwrap().epoch()) >= epochs);
        }
        assert_eq!((written, read, refused), (305, 288, 45));
    }
}

/// One device: its identity, its published pre-keys, and its session with the other device, if any.
struct Device {
    identity: Identity,
    keys: PreKeys,
    addresses: Option<Addresses>,
    session: Option<Session>,
}

const A: ServiceAddress = ServiceAddress { kind: ServiceKind::Account, uuid: [0xa1; 16], device: 1 };
const B: ServiceAddress = ServiceAddress { kind: ServiceKind::PhoneNumber, uuid: [0xb2; 16], device: 127 };

impl Device {
    fn new(addresses: Option<Addresses>) -> Self {
        let rng = &mut rand::rng();
        let identity = Identity::generate(rng);
        let mut keys = PreKeys::generate(&identity, rng);
        keys.replenish(5, rng).unwrap();
        keys.replenish_kyber(&identity, 5, rng).unwrap();
        Self { identity, keys, addresses, session: None }
    }

    fn bundle(&self, one_time: bool, kyber: bool) -> PreKeyBundle {
        let id = (1..=5).find(|id| one_time && self.keys.one_time(*id).is_some());
        let kyber = (2..=6).find(|id| kyber && self.keys.kyber(*id).is_some());
        self.keys.bundle(&self.identity, 3, id, kyber).unwrap()
    }

    fn initiate(&mut self, bundle: &PreKeyBundle) {
        let rng = &mut rand::rng();
        let bundle = bundle.verify(Trust::OnFirstUse).unwrap();
        match &mut self.session {
            Some(session) => session.reinitiate(&self.identity, &bundle, rng).unwrap(),
            None => self.session = Some(Session::initiate(&self.identity, &bundle, self.addresses, rng).unwrap()),
        }
    }

    fn write(&mut self, plaintext: &[u8]) -> Ciphertext {
        self.session().encrypt(plaintext, &mut rand::rng()).unwrap()
    }

    /// Decrypts as an application does: in the session; if the message opens another, as a pre-key message.
    fn read(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        // As over the network.
        let message = Ciphertext::from_parts(message.kind(), message.as_bytes()).unwrap();
        let Some(session) = &mut self.session else {
            let accepted = self.accept(&message).unwrap();
            self.keys.remove(accepted.used);
            self.session = Some(accepted.session);
            return Ok(accepted.plaintext);
        };
        match session.decrypt(&message) {
            Err(DecryptError::OpensNewSession) => {
                let Reinitiated { plaintext, used } =
                    session.accept_reinitiated(&self.identity, &self.keys, &message).unwrap();
                self.keys.remove(used);
                Ok(plaintext)
            }
            other => other,
        }
    }

    fn accept(&self, message: &Ciphertext) -> Result<Accepted, AcceptError> {
        Session::accept(&self.identity, &self.keys, message, Trust::OnFirstUse, self.addresses)
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }
}

fn devices() -> (Device, Device) {
    (Device::new(Some(Addresses { ours: A, theirs: B })), Device::new(Some(Addresses { ours: B, theirs: A })))
}

/// Two devices that have sent messages both ways.
fn pair() -> (Device, Device) {
    let (mut a, mut b) = devices();
    a.initiate(&b.bundle(true, true));
    let hello = a.write(b"hello");
    assert_eq!(b.read(&hello).unwrap(), b"hello");
    let answer = b.write(b"answer");
    assert_eq!(a.read(&answer).unwrap(), b"answer");
    (a, b)
}

/// The network changes the order within a window, loses, doubles; devices restart. Everything that arrives within the
/// window is read once, and the post-quantum ratchet goes on. S-13.11.
#[test]
fn two_thousand_messages_under_loss_doubles_reordering_and_restarts() {
    let rng = &mut rand::rng();
    let (a, b) = pair();
    let mut sides = [a, b];
    let mut ways: [Vec<(Vec<u8>, Ciphertext)>; 2] = [Vec::new(), Vec::new()];
    let (mut read, mut doubles) = (0, 0);
    for number in 0..2_000_u32 {
        let from = usize::from(rng.random_bool(0.5));
        let plaintext = number.to_be_bytes().to_vec();
        let message = sides[from].write(&plaintext);
        if rng.random_range(0..10) > 0 {
            ways[from].push((plaintext, message));
        }
        if rng.random_bool(0.1) {
            let side = usize::from(rng.random_bool(0.5));
            reload(sides[side].session());
        }
        for from in 0..2 {
            while ways[from].len() > 4 {
                let (plaintext, message) = ways[from].swap_remove(rng.random_range(0..5));
                let reader = &mut sides[1 - from];
                match reader.read(&message) {
                    Ok(text) => {
                        assert_eq!(text, plaintext);
                        read += 1;
                    }
                    // Its sender took five turns since, or more than one epoch ended.
                    Err(error) => assert!(
                        matches!(error, DecryptError::Replayed | DecryptError::Rejected | DecryptError::TooLate),
                        "{error:?}"
                    ),
                }
                if rng.random_range(0..20) == 0 {
                    let before = image(reader.session());
                    assert!(reader.read(&message).is_err());
                    assert_eq!(image(reader.session()), before);
                    doubles += 1;
                }
            }
        }
    }
    assert!(read > 1_700 && doubles > 50, "{read}, {doubles}");
    let [mut a, mut b] = sides;
    let (ours, theirs) = (a.session().epoch(), b.session().epoch());
    assert!(ours >= 5 && ours.abs_diff(theirs) <= 1, "{ours}, {theirs}");
}

/// S-13.14. No change of any byte is read, and none changes anything: in a session, and in a first message.
#[test]
fn every_changed_byte_of_a_message_is_refused_and_changes_nothing() {
    let (mut a, mut b) = pair();
    let message = a.write(b"text");
    let before = image(b.session());
    for at in 0..message.as_bytes().len() {
        let mut bytes = message.as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(changed) = Ciphertext::from_parts(MessageKind::Whisper, &bytes) else { continue };
        assert!(b.session().decrypt(&changed).is_err(), "{at}");
        assert!(image(b.session()) == before, "{at}");
    }
    assert_eq!(b.read(&message).unwrap(), b"text");

    let (mut a, b) = devices();
    a.initiate(&b.bundle(true, true));
    let first = a.write(b"first");
    let (mut refused, mut passed) = (0, 0);
    for at in 0..first.as_bytes().len() {
        let mut bytes = first.as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(changed) = Ciphertext::from_parts(MessageKind::PreKey, &bytes) else { continue };
        match b.accept(&changed) {
            Err(_) => refused += 1,
            // No tag covers the registration id, nor the low half of the outer version, and nothing depends on either.
            Ok(accepted) => {
                assert_eq!(accepted.plaintext, b"first");
                passed += 1;
            }
        }
    }
    assert!(refused > 1_600 && (1..=3).contains(&passed), "{refused}, {passed}");
    assert_eq!(b.accept(&first).unwrap().plaintext, b"first");
}

/// S-13.5.
#[test]
fn a_first_message_opens_one_session_whatever_pre_keys_it_used() {
    for (one_time, kyber) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut a, mut b) = devices();
        a.initiate(&b.bundle(one_time, kyber));
        let first = a.write(b"first");
        assert_eq!(b.read(&first).unwrap(), b"first");
        assert_eq!(b.session().decrypt(&first), Err(DecryptError::Replayed));
        let expected = if one_time || kyber { AcceptError::UnknownPreKey } else { AcceptError::Replayed };
        assert_eq!(b.accept(&first).unwrap_err(), expected);
        let stock = (b.keys.stock(), b.keys.kyber_stock());
        assert_eq!(stock, (5 - usize::from(one_time), 5 - usize::from(kyber)));
        // What the record remembers is stored.
        let record = b.keys.seal(&key(), b"keys", &mut ConstantRng(0));
        b.keys = PreKeys::unseal(&key(), b"keys", &record).unwrap();
        assert_eq!(b.keys.seal(&key(), b"keys", &mut ConstantRng(0)), record);
        assert_eq!(b.accept(&first).unwrap_err(), expected);
    }
}

/// S-13.5. An older generation of keys is accepted as long as there are eight.
#[test]
fn rotated_keys_are_accepted_for_eight_generations() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = devices();
    a.initiate(&b.bundle(false, false));
    let first = a.write(b"first");
    for _ in 0..7 {
        b.keys.rotate(&b.identity, rng).unwrap();
    }
    assert_eq!(b.accept(&first).unwrap().plaintext, b"first");
    b.keys.rotate(&b.identity, rng).unwrap();
    assert_eq!(b.accept(&first).unwrap_err(), AcceptError::UnknownPreKey);
}

/// S-13.15.
#[test]
fn one_time_kyber_pre_keys_have_a_bound_and_ids_of_their_own() {
    let rng = &mut rand::rng();
    let mut device = Device::new(None);
    let (identity, keys) = (&device.identity, &mut device.keys);
    assert_eq!(keys.replenish_kyber(identity, PreKeys::MAX_KYBER + 1, rng), Err(PreKeysError::Full));
    assert_eq!(keys.insert_kyber(identity, 1, KyberKeyPair::generate(rng), rng), Err(PreKeysError::IdTaken));
    assert_eq!(keys.insert_kyber(identity, 2, KyberKeyPair::generate(rng), rng), Err(PreKeysError::IdTaken));
    keys.insert_kyber(identity, 0, KyberKeyPair::generate(rng), rng).unwrap();
    let other = Identity::generate(rng);
    assert_eq!(keys.replenish_kyber(&other, 1, rng), Err(PreKeysError::WrongIdentity));
    keys.replenish_kyber(identity, PreKeys::MAX_KYBER, rng).unwrap();
    assert_eq!((keys.kyber_stock(), keys.kyber(2)), (PreKeys::MAX_KYBER, None));
    assert_eq!(keys.insert_kyber(identity, 3, KyberKeyPair::generate(rng), rng), Err(PreKeysError::Full));
}

/// S-13.3.
#[test]
fn a_bundle_needs_both_signatures_of_the_expected_identity() {
    let b = Device::new(None);
    let bundle = b.bundle(true, true);
    assert!(bundle.verify(Trust::Pinned(&b.identity.public())).is_ok());
    let stranger = Device::new(None);
    let wrong = bundle.verify(Trust::Pinned(&stranger.identity.public()));
    assert_eq!(wrong.unwrap_err(), BundleError::IdentityMismatch);
    let mut other = bundle.clone();
    other.kyber.key = stranger.keys.last_resort().unwrap().key;
    assert_eq!(other.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    let mut other = bundle.clone();
    other.signed.signature[3] ^= 1;
    assert_eq!(other.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    let own = bundle.verify(Trust::OnFirstUse).unwrap();
    let refused = Session::initiate(&b.identity, &own, None, &mut rand::rng());
    assert_eq!(refused.unwrap_err(), InitiateError::OwnBundle);
}

/// S-13.1, S-13.2.
#[test]
fn a_kyber_key_of_another_type_length_or_range_is_refused() {
    let bytes = Device::new(None).keys.last_resort().unwrap().key.to_bytes();
    assert_eq!(KyberPublicKey::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    assert_eq!(KyberPublicKey::from_bytes(&bytes[..1_568]), Err(KeyError::Malformed));
    for other in [0x05, 0x07, 0x0a] {
        let mut typed = bytes.clone();
        typed[0] = other;
        assert_eq!(KyberPublicKey::from_bytes(&typed), Err(KeyError::Malformed));
    }
    let mut out_of_range = bytes;
    out_of_range[1..3].copy_from_slice(&[0xff, 0x0f]);
    assert_eq!(KyberPublicKey::from_bytes(&out_of_range), Err(KeyError::NonCanonical));
}

/// S-13.7. Names are written in first messages alone, and compared wherever both sides have any.
#[test]
fn a_message_for_other_names_is_refused() {
    for theirs in [ServiceAddress { device: 2, ..A }, ServiceAddress { uuid: [0; 16], ..A }, B] {
        let (mut a, mut b) = devices();
        b.addresses = Some(Addresses { ours: B, theirs });
        a.initiate(&b.bundle(true, true));
        let first = a.write(b"first");
        assert_eq!(b.accept(&first).unwrap_err(), AcceptError::Rejected);
        b.addresses = None;
        assert_eq!(b.read(&first).unwrap(), b"first");
    }
    let (mut named, mut nameless) = devices();
    nameless.addresses = None;
    let bundle = named.bundle(true, true);
    nameless.initiate(&bundle);
    let first = nameless.write(b"first");
    assert_eq!(named.read(&first).unwrap(), b"first");
}

/// S-13.17. Section 5 holds otherwise: both write in the session that they were written to, and then in one.
#[test]
fn two_devices_that_begin_at_once_end_up_in_one_session() {
    let (mut a, mut b) = devices();
    a.initiate(&b.bundle(true, true));
    b.initiate(&a.bundle(true, false));
    let (from_a, from_b) = (a.write(b"a"), b.write(b"b"));
    assert_eq!(a.read(&from_b).unwrap(), b"b");
    assert_eq!(b.read(&from_a).unwrap(), b"a");
    for _ in 0..3 {
        let (from_a, from_b) = (a.write(b"a"), b.write(b"b"));
        assert_eq!(b.read(&from_a).unwrap(), b"a");
        assert_eq!(a.read(&from_b).unwrap(), b"b");
        reload(a.session());
        reload(b.session());
    }
    let answer = a.write(b"a");
    assert_eq!(b.read(&answer).unwrap(), b"a");
    let answer = b.write(b"b");
    assert_eq!(a.read(&answer).unwrap(), b"b");
    assert_eq!(a.session().base_key().copied(), b.session().base_key().copied());
    assert_eq!((a.session().archived(), b.session().archived()), (1, 1));
}

/// S-13.11, S-13.13. Of both ratchets a gap of 25,000 is the limit; the newest 2,000 keys of it are kept.
#[test]
fn a_gap_has_a_bound_and_so_has_what_is_kept_of_it() {
    let (mut a, mut b) = pair();
    let early = a.write(b"early");
    for _ in 0..22_998 {
        let _ = a.write(b"");
    }
    let kept: Vec<_> = (0..2_000).map(|_| a.write(b"kept")).collect();
    let last = a.write(b"last");
    let beyond = a.write(b"beyond");
    let further = a.write(b"further");
    let before = image(b.session());
    assert_eq!(b.session().decrypt(&further), Err(DecryptError::TooFarAhead));
    assert_eq!(b.session().decrypt(&beyond), Err(DecryptError::TooFarAhead));
    assert_eq!(image(b.session()), before);
    assert_eq!(b.read(&last).unwrap(), b"last");
    assert_eq!(b.session().skipped_keys(), 2_000);
    assert_eq!(b.session().decrypt(&early), Err(DecryptError::Replayed));
    reload(b.session());
    assert_eq!(b.read(&kept[0]).unwrap(), b"kept");
    assert_eq!(b.read(&kept[1_999]).unwrap(), b"kept");
    assert_eq!(b.read(&beyond).unwrap(), b"beyond");
}

/// A peer that never answers keeps the braid where it is: the application can see it.
#[test]
fn a_silent_peer_shows_in_the_number_of_messages_since_the_epoch() {
    let (mut a, b) = devices();
    a.initiate(&b.bundle(false, false));
    for number in 1..=300 {
        let message = a.write(b"hello?");
        let header = message.header().unwrap();
        assert_eq!((message.kind(), header.epoch, header.index), (MessageKind::PreKey, 1, number));
        assert_eq!((a.session().epoch(), a.session().messages_in_epoch()), (1, number));
    }
    assert!(!a.session().is_confirmed());
}

/// S-13.16. Neither version reads the other's messages.
#[test]
fn no_message_of_one_version_is_one_of_the_other() {
    let (mut a, _) = pair();
    let message = a.write(b"text");
    let refused = bisik::interop::signal::Ciphertext::from_parts(message.kind(), message.as_bytes());
    assert!(refused.is_err());
    let (mut old, _) = super::pair::pair();
    let message = old.write(b"text");
    assert!(Ciphertext::from_parts(message.kind(), message.as_bytes()).is_err());
    // Nor with another version byte: the post-quantum part is missing.
    let mut bytes = message.into_bytes();
    bytes[0] = 0x44;
    assert!(Ciphertext::from_parts(MessageKind::Whisper, &bytes).is_err());
}

/// Groups do not change: a distribution travels in a session of version 4.
#[test]
fn a_sender_key_travels_in_a_session() {
    let (mut a, mut b) = pair();
    let rng = &mut rand::rng();
    let mut sender = GroupSender::generate(SenderKeyFormat::Signal { distribution: [7; 16] }, rng);
    let message = a.write(&sender.distribution().to_bytes());
    let mut member = GroupReceiver::new();
    member.process(&Distribution::from_bytes(&b.read(&message).unwrap()).unwrap());
    let message = sender.encrypt(b"to all", rng).unwrap();
    assert_eq!(member.decrypt(&message).unwrap(), b"to all");
}

/// What is sealed before the commit is what the commit leaves, whatever the message does to the braid.
#[test]
fn a_staged_message_is_sealed_as_it_will_be_committed() {
    let (mut a, mut b) = pair();
    for _ in 0..120 {
        for way in 0..2 {
            let (writer, reader) = if way == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
            let message = writer.write(b"text");
            let before = image(reader.session());
            let _ = reader.session().stage(&message).unwrap();
            assert_eq!(image(reader.session()), before);
            let mut staged = reader.session().stage(&message).unwrap();
            let record = staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap().into_bytes();
            assert_eq!(staged.plaintext(), b"text");
            assert_eq!(staged.commit(), b"text");
            assert_eq!(image(reader.session()), record);
        }
    }
    assert!(a.session().epoch() > 1);
    let message = a.write(b"text");
    let mut staged = b.session().stage(&message).unwrap();
    drop(staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap());
    drop(staged);
    assert_eq!(b.session().decrypt(&message), Err(DecryptError::Poisoned));
}

#[test]
fn a_message_is_held_until_its_session_is_stored() {
    let (mut a, mut b) = pair();
    let rng = &mut rand::rng();
    let older = a.session().seal(&key(), b"a", rng).unwrap().stored();
    let held = a.session().encrypt_held(b"text", rng).unwrap();
    let held = held.release(&older).unwrap_err();
    let stored = a.session().seal(&key(), b"a", rng).unwrap().stored();
    let message = held.release(&stored).unwrap();
    let held = b.session().decrypt_held(&message).unwrap();
    let stored = b.session().seal(&key(), b"b", rng).unwrap().stored();
    assert_eq!(held.release(&stored).unwrap(), b"text");
}

#[test]
fn a_session_keeps_40_archived_states_and_reads_in_each() {
    let (mut a, mut b) = pair();
    let waits = b.write(b"waits");
    for _ in 0..40 {
        a.initiate(&b.bundle(false, false));
    }
    assert_eq!(a.session().archived(), 40);
    reload(a.session());
    assert_eq!(a.read(&waits).unwrap(), b"waits");
    assert!(!a.session().is_confirmed());
    // It was used, and is not the next to go.
    let late = [b.write(b"late"), b.write(b"too late")];
    for _ in 0..39 {
        a.initiate(&b.bundle(false, false));
    }
    assert_eq!((a.session().archived(), a.read(&late[0])), (40, Ok(b"late".to_vec())));
    for _ in 0..40 {
        a.initiate(&b.bundle(false, false));
    }
    assert_eq!(a.read(&late[1]), Err(DecryptError::Rejected));
}
