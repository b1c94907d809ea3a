//! The Double Ratchet of Signal's versions 3 and 4: unencrypted headers, AES-256-CBC, and a tag of eight bytes of
//! HMAC-SHA256 (docs/interop.md, section 3).

mod duplicate; //   copies, for a record that is sealed before the commit
mod ended; //       chains that give no new keys
mod message_key; // the keys of one message
mod persist; //     the state as bytes
mod receiving; //   find the chain, take the step, verify, and only then commit
mod sending; //     the lazy DH step and the bytes of a message

use alloc::boxed::Box;
use alloc::collections::VecDeque;

pub(super) use persist::{read_pair, write_pair};
pub(super) use receiving::{Decrypted, OpenError, StateChange};
pub use sending::EncryptError;

use self::ended::EndedChain;
use self::receiving::ReceivingChain;
use self::sending::SendingChain;
use super::chain::ChainKey;
use super::key::{IdentityKey, PublicKey};
use crate::labels;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{KeyPair, Point};

/// The state of one ratchet. Optional secrets are boxed: an inline `None` leaves its payload bytes uninitialised, so
/// that a move may copy stale stack contents that are never zeroized.
pub(super) struct Ratchet {
    root: Box<Secret<32>>,
    /// The local ratchet pair; `None` before an initiator's first message.
    pair: Option<KeyPair>,
    /// The peer's current ratchet key; `None` on the responder's side before its first received message.
    theirs: Option<PeerRatchetKey>,
    /// The current sending chain; `None` if a DH step is due before the next message.
    sending: Option<Box<SendingChain>>,
    /// The number of messages in the previous sending chain.
    previous: u32,
    /// Newest first.
    receiving: VecDeque<Box<ReceivingChain>>,
    /// Chains that give no new keys, newest first.
    ended: VecDeque<EndedChain>,
}

/// The peer's ratchet key, with its decoded point if that was computed already.
struct PeerRatchetKey {
    public: PublicKey,
    point: Option<Box<Point>>,
}

impl PeerRatchetKey {
    fn decoded(point: Box<Point>) -> Self {
        Self { public: PublicKey::from_dh(*point.public()), point: Some(point) }
    }

    const fn encoded(public: PublicKey) -> Self {
        Self { public, point: None }
    }
}

/// The sender and the receiver of a message, whose identities every tag covers, and what its keys are salted with.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    pub(super) sender: &'a IdentityKey,
    pub(super) receiver: &'a IdentityKey,
    /// Zeros in version 3; in version 4 the key that the post-quantum ratchet gives for the message.
    pub(super) salt: &'a [u8; 32],
}

/// What surrounds the ratchet's own fields in a message that is sent.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    /// The first byte.
    pub(super) version: u8,
    /// The fields after the body, under the tag.
    pub(super) after: &'a [u8],
}

impl Ratchet {
    /// The initiator's ratchet: it makes a DH step with its first message, against the peer's signed pre-key. S-3.1.
    pub(super) fn initiator(root: Secret<32>, signed_pre_key: Point) -> Self {
        Self::start(root, None, Some(PeerRatchetKey::decoded(Box::new(signed_pre_key))))
    }

    /// The responder's ratchet: its first ratchet pair is its signed pre-key. S-3.1.
    pub(super) fn responder(root: Secret<32>, signed_pre_key: KeyPair) -> Self {
        Self::start(root, Some(signed_pre_key), None)
    }

    fn start(root: Secret<32>, pair: Option<KeyPair>, theirs: Option<PeerRatchetKey>) -> Self {
        let (receiving, ended) = (VecDeque::new(), VecDeque::new());
        Self { root: Box::new(root), pair, theirs, sending: None, previous: 0, receiving, ended }
    }
}

/// `RK', CK = HKDF(salt = RK, ikm = DH, "WhisperRatchet", 64)`. S-3.2.
fn root_step(root: &Secret<32>, agreed: &Secret<32>) -> (Secret<32>, ChainKey) {
    let output = Prk::extract(root.expose(), &[agreed.expose()]).expand::<64>(&[labels::RATCHET]);
    let (mut next, mut chain) = (Secret::zero(), Secret::zero());
    for (part, bytes) in [&mut next, &mut chain].into_iter().zip(output.expose().chunks_exact(32)) {
        part.expose_mut().copy_from_slice(bytes);
    }
    (next, ChainKey::new(chain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use bisik_core::primitives::x25519;

    /// S-3.2. The conversations in tests/interop come from an independent implementation of docs/interop.md. These
    /// values come from a deployed one.
    #[test]
    fn a_root_step_is_that_of_a_deployed_implementation() {
        let text = include_str!("../../../vectors/root.txt");
        let values: Vec<(&str, [u8; 32])> = text.lines().filter_map(|line| line.split_once(" = ")).map(parse).collect();
        assert_eq!(values.len(), 10);
        for block in values.chunks_exact(5) {
            let value = |name| block.iter().find(|(known, _)| *known == name).unwrap().1;
            let pair = x25519::pair_from_secret(Secret::new(value("private")));
            let theirs = x25519::pair_from_secret(Secret::new(value("theirs_private")));
            let agreed = x25519::agree(&pair, &Point::decode(*theirs.public()).unwrap()).unwrap();
            let (root, chain) = root_step(&Secret::new(value("root")), &agreed);
            assert_eq!((*root.expose(), *chain.secret().expose()), (value("next_root"), value("chain")));
        }
    }

    fn parse<'a>((name, value): (&'a str, &str)) -> (&'a str, [u8; 32]) {
        (name, core::array::from_fn(|at| u8::from_str_radix(&value[at.saturating_mul(2)..][..2], 16).unwrap()))
    }
}
