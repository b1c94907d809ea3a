//! A session that is as full as possible, and the forgeries that are tried on it.

use std::collections::BTreeMap;

use bisik::{Accepted, BlockId, Ciphertext, Identity, PreKeys, Session, StorageKey, Timestamp, Trust};
use rand::Rng;

/// Sealed states: a reader with five receiving chains and 2,000 skipped message keys, and its writer at several points.
pub(crate) struct Full {
    key: StorageKey,
    /// The reader's identity, sealed.
    identity: Vec<u8>,
    reader: Vec<u8>,
    /// The blocks that belong to it.
    blocks: BTreeMap<BlockId, Vec<u8>>,
    /// In the middle of the first chain, whose skipped message keys the reader stores.
    early: Vec<u8>,
    /// Where the reader expects the next message.
    now: Vec<u8>,
    /// So many messages later that the reader needs 20,000 steps to follow.
    far: Vec<u8>,
}

impl Full {
    pub(crate) fn new() -> Self {
        let rng = &mut rand::rng();
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let keys = PreKeys::generate(&bob, NOW, rng);
        let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
        let mut writer = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
        let hello = writer.encrypt(b"halo", rng).unwrap();
        let Accepted { session: mut reader, .. } =
            Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();

        let key = StorageKey::generate(rng);
        let mut blocks = BTreeMap::new();
        let mut seal = |session: &mut Session| {
            let sealed = session.seal(&key, CONTEXT, &mut rand::rng()).unwrap();
            blocks.extend(sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())));
            sealed.head().to_vec()
        };
        let mut early = None;
        for chain in 0..CHAINS {
            skip(&mut writer, STORED / CHAINS / 2);
            early.get_or_insert_with(|| seal(&mut writer));
            skip(&mut writer, STORED / CHAINS / 2);
            _ = reader.decrypt(&bob, &writer.encrypt(b"", rng).unwrap()).unwrap();
            if chain + 1 < CHAINS {
                _ = writer.decrypt(&alice, &reader.encrypt(b"", rng).unwrap()).unwrap();
            }
        }
        assert_eq!(reader.skipped_keys(), STORED);
        let (reader, now) = (seal(&mut reader), seal(&mut writer));
        skip(&mut writer, FAR);
        let far = seal(&mut writer);
        Self { reader, blocks, early: early.unwrap(), now, far, identity: bob.seal(&key, CONTEXT, rng), key }
    }

    /// The reader's identity.
    pub(crate) fn identity(&self) -> Identity {
        Identity::unseal(&self.key, CONTEXT, &self.identity).unwrap()
    }

    pub(crate) fn reader(&self) -> Session {
        Session::unseal(&self.key, CONTEXT, &self.reader, |id| self.blocks.get(&id).cloned()).unwrap()
    }

    pub(crate) fn writer(&self) -> Session {
        Session::unseal(&self.key, CONTEXT, &self.now, |_| None).unwrap()
    }

    /// Returns a genuine message that requires [`FAR`] steps of the reader. Only the peer can create one.
    pub(crate) fn far_ahead(&self, length: usize) -> Vec<u8> {
        self.message(&self.far, length)
    }

    fn message(&self, writer: &[u8], length: usize) -> Vec<u8> {
        let mut writer = Session::unseal(&self.key, CONTEXT, writer, |_| None).unwrap();
        writer.encrypt(&vec![7; length], &mut rand::rng()).unwrap().into_bytes()
    }

    /// Returns forgeries, each with a description, that an attacker can create who sees everything and holds no key.
    pub(crate) fn forgeries(&self, length: usize) -> [(&'static str, Vec<u8>); 7] {
        let expected = self.message(&self.now, length);
        let mut random = expected.clone();
        rand::rng().fill_bytes(&mut random[1..]);
        let mut body_changed = expected.clone();
        body_changed[BODY] ^= 1;
        let another = self.message(&self.now, length);
        let joined = [&expected[..BODY], &another[BODY..]].concat();
        let early = self.message(&self.early, length);
        let mut header_changed = early.clone();
        header_changed[40] ^= 1;
        [
            ("random bytes", random),
            ("genuine, body changed", body_changed),
            ("genuine, last byte changed", last_changed(expected)),
            ("header of one, body of another", joined),
            ("20,000 ahead, last byte changed", last_changed(self.far_ahead(length))),
            ("late, with its first header, last byte changed", last_changed(early)),
            ("late, its first header changed", header_changed),
        ]
    }
}

fn last_changed(mut message: Vec<u8>) -> Vec<u8> {
    *message.last_mut().unwrap() ^= 1;
    message
}

/// Encrypts messages that never arrive.
fn skip(writer: &mut Session, count: usize) {
    for _ in 0..count {
        let lost: Ciphertext = writer.encrypt(b"", &mut rand::rng()).unwrap();
        drop(lost);
    }
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const CONTEXT: &[u8] = b"session";
/// The bounds of docs/spec/session.md, section 4.7.
const CHAINS: usize = 5;
const STORED: usize = 2_000;
/// Below the bound of 25,000, so that the message is not refused by its number.
const FAR: usize = 20_000;
/// Offset of the body in an ordinary message: after kind, salt, header and the header's tag.
const BODY: usize = 1 + 16 + 84 + 16;
