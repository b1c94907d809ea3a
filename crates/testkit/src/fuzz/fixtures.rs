//! The fixed parties, conversations and genuine messages from which the targets start, made once per process.

use std::convert::Infallible;
use std::sync::LazyLock;

use bisik::rand_core::{TryCryptoRng, TryRng};
use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{
    Accepted, Ciphertext, EncryptError, Identity, Plaintext, PreKeyBundle, PreKeys, Rotation, Session, StorageKey,
    Timestamp, Trust,
};

use crate::blocks::{block, head};

use super::record::{CONTEXT, STORAGE_KEY};

/// SplitMix64: the same bytes on every machine and in every version. Not for secrets.
pub struct Repeatable(pub u64);

impl TryRng for Repeatable {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeatable {}

/// A message as its sender made it.
#[derive(Clone)]
pub struct Genuine {
    pub bytes: Vec<u8>,
    pub plaintext: Vec<u8>,
}

impl AsRef<[u8]> for Genuine {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Two devices, the pre-keys of one, and all the bundles that it has published.
pub struct Parties {
    pub alice: Identity,
    pub bob: Identity,
    pub keys: PreKeys,
    pub bundles: Vec<PreKeyBundle>,
    pub now: Timestamp,
}

pub static PARTIES: LazyLock<Parties> = LazyLock::new(|| {
    let rng = &mut Repeatable(1);
    let start = Timestamp::from_unix_seconds(1_800_000_000);
    // Of the older generation, whose secrets are kept for three days, and of the current one.
    let now = start.plus_seconds(4 * 24 * 60 * 60);
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, start, rng);
    let mut bundles = vec![keys.bundle()];
    bundles.extend(keys.replenish(&bob, 2, rng).unwrap());
    assert_eq!(keys.rotate(&bob, now, rng), Ok(Rotation::Everything), "an older generation is there as well");
    bundles.push(keys.bundle());
    bundles.extend(keys.replenish(&bob, 1, rng).unwrap());
    Parties { alice, bob, keys, bundles, now }
});

/// For each bundle, two pre-key messages of one session.
pub static PRE_KEY_MESSAGES: LazyLock<Vec<Genuine>> = LazyLock::new(|| {
    let rng = &mut Repeatable(2);
    let sessions = PARTIES.bundles.iter().map(|bundle| initiate(bundle, rng)).collect::<Vec<_>>();
    sessions.into_iter().flat_map(|mut session| written(&mut session, 2, rng)).collect()
});

fn initiate(bundle: &PreKeyBundle, rng: &mut Repeatable) -> Session {
    let bundle = bundle.clone().verify(Trust::Pinned(PARTIES.bob.public()), PARTIES.now).unwrap();
    Session::initiate(&PARTIES.alice, &bundle, PARTIES.now, rng).unwrap()
}

/// One side of a conversation: its sealed state, and the messages that its peer has sent.
pub struct Scene {
    pub record: Vec<u8>,
    pub messages: Vec<Genuine>,
    pub arrived: Vec<bool>,
}

/// Bob, with three of Alice's chains, skipped message keys in each, and a fourth chain to come; and Alice before the
/// first reply.
pub static SESSIONS: LazyLock<[Scene; 2]> = LazyLock::new(|| {
    let rng = &mut Repeatable(3);
    let mut alice = initiate(&PARTIES.bundles[1], rng);
    let mut messages = written(&mut alice, 4, rng);
    let unanswered = alice.record();
    let first = Ciphertext::from_bytes(&messages[1].bytes).unwrap();
    let Accepted { session: mut bob, .. } =
        Session::accept(&PARTIES.bob, &PARTIES.keys, &first, Trust::OnFirstUse, PARTIES.now).unwrap();
    let answers = written(&mut bob, 3, rng);
    let mut arrived = vec![false, true, false, false];
    alice.receive(&answers[1].bytes).unwrap();
    converse(&mut alice, &mut bob, &mut messages, &mut arrived, rng);
    let none = vec![false; answers.len()];
    [Scene { record: bob.record(), messages, arrived }, Scene { record: unanswered, messages: answers, arrived: none }]
});

/// A session that waits for 30 messages: the oldest 24 keys are in a block.
pub struct Blocks {
    pub head: Vec<u8>,
    pub block: Vec<u8>,
    /// The first half of the block's id.
    pub prefix: [u8; 8],
    pub messages: Vec<Genuine>,
}

pub static BLOCKS: LazyLock<Blocks> = LazyLock::new(|| {
    let rng = &mut Repeatable(5);
    let mut alice = initiate(&PARTIES.bundles[1], rng);
    let first = Ciphertext::from_bytes(&written(&mut alice, 1, rng)[0].bytes).unwrap();
    let Accepted { session: mut bob, .. } =
        Session::accept(&PARTIES.bob, &PARTIES.keys, &first, Trust::OnFirstUse, PARTIES.now).unwrap();
    let messages = written(&mut alice, 31, rng);
    bob.receive(&messages[30].bytes).unwrap();
    let sealed = bob.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).unwrap();
    let [block] = sealed.blocks() else { panic!("one block") };
    let prefix = *block.id().as_bytes().first_chunk().unwrap();
    Blocks { head: sealed.head().to_vec(), block: block.as_bytes().to_vec(), prefix, messages }
});

/// The same for a bare ratchet.
pub static RATCHETS: LazyLock<[Scene; 2]> = LazyLock::new(|| {
    let rng = &mut Repeatable(4);
    let secret = || SharedSecret::from_bytes([0x53; 32]);
    let mut alice = DoubleRatchet::initiator(&secret(), &[0x42; 32], rng);
    let mut bob = DoubleRatchet::responder(&secret(), &[0x42; 32]);
    let fresh = bob.record();
    let mut messages = written(&mut alice, 4, rng);
    let before = Scene { record: fresh, messages: messages.clone(), arrived: vec![false; 4] };
    bob.receive(&messages[1].bytes).unwrap();
    let answer = written(&mut bob, 1, rng);
    let mut arrived = vec![false, true, false, false];
    alice.receive(&answer[0].bytes).unwrap();
    converse(&mut alice, &mut bob, &mut messages, &mut arrived, rng);
    [Scene { record: bob.record(), messages, arrived }, before]
});

/// Two more rounds in which one message of three arrives, and one round of which none has arrived yet.
fn converse<E: Endpoint>(
    alice: &mut E,
    bob: &mut E,
    messages: &mut Vec<Genuine>,
    arrived: &mut Vec<bool>,
    rng: &mut Repeatable,
) {
    for _ in 0..2 {
        let round = written(alice, 3, rng);
        bob.receive(&round[1].bytes).unwrap();
        alice.receive(&written(bob, 1, rng)[0].bytes).unwrap();
        messages.extend(round);
        arrived.extend([false, true, false]);
    }
    messages.extend(written(alice, 2, rng));
    arrived.extend([false, false]);
}

fn written<E: Endpoint>(sender: &mut E, count: u8, rng: &mut Repeatable) -> Vec<Genuine> {
    let plaintexts = (0..count).map(|number| vec![number; usize::from(number)]);
    plaintexts.map(|plaintext| Genuine { bytes: sender.write(&plaintext, rng).unwrap(), plaintext }).collect()
}

/// The operations that [`Session`] and [`DoubleRatchet`] have in common.
pub trait Endpoint: Sized {
    /// Opens a record, which must be valid.
    fn reopen(record: &[u8]) -> Self;

    /// Always under the same nonce: equal records mean equal states.
    fn record(&mut self) -> Vec<u8>;

    fn write(&mut self, plaintext: &[u8], rng: &mut Repeatable) -> Result<Vec<u8>, EncryptError>;

    /// The plaintext, and the sealed record of the state after it.
    fn receive(&mut self, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)>;

    /// The part of a message that its tags cover.
    fn authenticated(message: &[u8]) -> &[u8];
}

impl Endpoint for Session {
    fn reopen(record: &[u8]) -> Self {
        Self::unseal(&storage_key(), CONTEXT, record, block).expect("a sealed record opens")
    }

    fn record(&mut self) -> Vec<u8> {
        head(&self.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).unwrap())
    }

    fn write(&mut self, plaintext: &[u8], rng: &mut Repeatable) -> Result<Vec<u8>, EncryptError> {
        self.encrypt(plaintext, rng).map(Ciphertext::into_bytes)
    }

    fn receive(&mut self, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        // Alice initiated every session here; Bob needs no identity.
        let mut staged = self.stage(&PARTIES.alice, &Ciphertext::from_bytes(message).ok()?).ok()?;
        let promised = head(&staged.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).unwrap());
        let plaintext = match staged.commit().plaintext {
            Plaintext::Confirmed(plaintext) => plaintext,
            Plaintext::Unconfirmed(unconfirmed) => unconfirmed.show_unconfirmed(),
        };
        Some((plaintext, promised))
    }

    fn authenticated(message: &[u8]) -> &[u8] {
        let is_first = Ciphertext::from_bytes(message).is_ok_and(|message| message.is_pre_key_message());
        let envelope = if is_first { 1 + bisik::handshake::PreKeyHeader::LENGTH } else { 1 };
        message.get(envelope..).unwrap_or_default()
    }
}

impl Endpoint for DoubleRatchet {
    fn reopen(record: &[u8]) -> Self {
        Self::unseal(&storage_key(), CONTEXT, record).expect("a sealed record opens")
    }

    fn record(&mut self) -> Vec<u8> {
        self.seal(&storage_key(), CONTEXT, &mut Repeatable(0))
    }

    fn write(&mut self, plaintext: &[u8], rng: &mut Repeatable) -> Result<Vec<u8>, EncryptError> {
        self.encrypt(plaintext, rng)
    }

    fn receive(&mut self, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let staged = self.stage(message).ok()?;
        let promised = staged.seal(&storage_key(), CONTEXT, &mut Repeatable(0));
        Some((staged.commit(), promised))
    }

    fn authenticated(message: &[u8]) -> &[u8] {
        message
    }
}

pub fn storage_key() -> StorageKey {
    StorageKey::from_bytes(STORAGE_KEY)
}
