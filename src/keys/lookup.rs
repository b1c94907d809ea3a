//! What the pre-keys lend to the handshake that answers a pre-key message, and what that uses up (docs/spec/session.md,
//! section 3.3).

use super::Refusal;
use super::prekey::Generation;
use super::replay::{Entry, ReplayMemory};
use super::{IdentityKey, PreKeys};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::DecapsulationKey;
use bisik_core::primitives::x25519::KeyPair;
use bisik_core::time::Timestamp;

/// The pre-keys that a newly accepted session has used.
///
/// Pass it to [`PreKeys::remove`], and store the pre-keys in the same transaction as the session. Until then the same
/// pre-key message could set up a second session.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
///
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let mut keys = PreKeys::generate(&bob, now, rng);
/// let one_time = keys.replenish(&bob, 1, rng)?.pop().ok_or("one bundle")?; // the server gives it to Alice
/// # let mut a = Session::initiate(&alice, &one_time.verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// let Accepted { used, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// assert!(used.one_time());
/// keys.remove(used); // in one transaction with the session
/// assert!(Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now).is_err()); // not twice
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to PreKeys::remove, and store both records together"]
pub struct UsedPreKeys(pub(crate) UsedKey);

impl UsedPreKeys {
    /// Returns whether one-time keys were used. If not, the sender had only the last-resort bundle: the server has run
    /// out of one-time bundles, or an attacker withholds them.
    #[must_use]
    pub const fn one_time(&self) -> bool {
        matches!(self.0, UsedKey::OneTime(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsedKey {
    OneTime(u32),
    LastResort { generation: u32, entry: Entry },
}

impl PreKeys {
    /// Finds the secrets that a pre-key message names. P-3.7: the generation is held, and the one-time pair is its own.
    /// P-2.8: a generation is too old 33 days after it was made, even if nobody has called [`PreKeys::rotate`].
    pub(crate) fn find(&self, signed_id: u32, one_time_id: u32, now: Timestamp) -> Result<Lookup<'_>, UnknownPreKey> {
        let generation = self.generation(signed_id).filter(|generation| !generation.is_too_old(now));
        let generation = generation.ok_or(UnknownPreKey)?;
        if one_time_id == 0 {
            let kem = DecapsulationKey::from_seed(&generation.last_resort);
            let unsigned = generation.unsigned_with(self.owner, kem.public().clone(), None);
            return Ok(Lookup { generation, one_time: None, kem, digest: digest(&[&unsigned.encode()]) });
        }
        let pair = self.one_time.get(&one_time_id).filter(|pair| pair.signed_id == signed_id);
        let pair = pair.ok_or(UnknownPreKey)?;
        let kem = DecapsulationKey::from_seed(&pair.kem);
        let one_time = Some((one_time_id, *pair.agreement.public()));
        let unsigned = generation.unsigned_with(self.owner, kem.public().clone(), one_time);
        Ok(Lookup {
            generation,
            one_time: Some((one_time_id, &pair.agreement)),
            kem,
            digest: digest(&[&unsigned.encode()]),
        })
    }
}

/// The secrets that the handshake borrows to answer one pre-key message.
pub(crate) struct Lookup<'a> {
    generation: &'a Generation,
    pub(crate) one_time: Option<(u32, &'a KeyPair)>,
    pub(crate) kem: DecapsulationKey,
    /// SHA-256 of the bundle without its signature.
    pub(crate) digest: [u8; 32],
}

/// The pre-keys that a message names are not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownPreKey;

/// What accepting a session would use up, or why it must not be accepted.
pub(crate) type Claim = Result<UsedPreKeys, Refusal>;

impl Lookup<'_> {
    pub(crate) const fn signed(&self) -> &KeyPair {
        &self.generation.signed
    }

    /// P-3.8: what accepting the session uses up. Refuses a session that the replay memory has, and one that it has no
    /// room for. `known` says that the caller expected this initiator.
    pub(crate) fn claim(&self, initiator: &IdentityKey, session: &[u8; 16], known: bool) -> Claim {
        if let Some((id, _)) = self.one_time {
            return Ok(UsedPreKeys(UsedKey::OneTime(id)));
        }
        let entry = ReplayMemory::entry(initiator, session);
        self.generation.seen.check(entry, known)?;
        Ok(UsedPreKeys(UsedKey::LastResort { generation: self.generation.id, entry }))
    }
}
