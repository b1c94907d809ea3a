//! One generation of pre-keys, and one one-time pair: the secrets behind bundles. `prekeys` manages their lifetimes.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use rand_core::CryptoRng;

use super::draw::{Draw, PreKeyKind};
use super::replay::ReplayMemory;
use super::{Identity, IdentityKey, PreKeyBundle};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::{DecapsulationKey, EncapsulationKey, SEED};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, KeyPair, PublicKey};
use bisik_core::time::Timestamp;

/// A bundle without its signature.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UnsignedBundle {
    pub(crate) identity: IdentityKey,
    pub(crate) signed_id: u32,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) signed: PublicKey,
    pub(crate) kem: EncapsulationKey,
    pub(crate) one_time: Option<(u32, PublicKey)>,
}

/// A signed pre-key, and the last-resort key with the same lifetime.
pub(crate) struct Generation {
    pub(super) id: u32,
    pub(super) created: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) signed: KeyPair,
    pub(super) last_resort: Secret<SEED>,
    pub(super) signature: [u8; SIGNATURE],
    /// When its last bundles are replaced on the server; `None` for the current generation.
    pub(super) replaced: Option<Timestamp>,
    /// The sessions that the last-resort key has set up.
    pub(super) seen: ReplayMemory,
}

impl Generation {
    /// Generates and signs a new generation. `taken` are the ids in use.
    pub(super) fn generate(
        identity: &Identity,
        created: Timestamp,
        expires: Timestamp,
        taken: &[u32],
        rng: &mut dyn CryptoRng,
    ) -> Box<Self> {
        let draw = identity.draw_pre_key(PreKeyKind::Generation, rng);
        let (id, signed) = named_pair(&draw, |id| taken.contains(&id));
        let mut generation = Box::new(Self {
            id,
            created,
            expires,
            signed,
            last_resort: draw.kem_seed(),
            signature: [0; SIGNATURE],
            replaced: None,
            seen: ReplayMemory::default(),
        });
        generation.signature = *PreKeyBundle::sign(identity, generation.unsigned(*identity.public())).signature();
        generation
    }

    /// Whether its bundles may still be handed out: neither replaced nor expired.
    pub(super) fn is_published(&self, now: Timestamp) -> bool {
        now < self.expires && self.replaced.is_none_or(|replaced| now < replaced)
    }

    /// P-2.8: whether it was made so long ago that its secrets are not used any more.
    pub(super) fn is_too_old(&self, now: Timestamp) -> bool {
        now >= self.created.plus_seconds(LONGEST)
    }

    /// P-2.8: whether no message in transit can need its secrets.
    pub(super) fn is_spent(&self, now: Timestamp) -> bool {
        self.is_too_old(now) || self.replaced.is_some_and(|replaced| now >= replaced.plus_seconds(DELIVERY))
    }

    /// The last-resort bundle without its signature.
    pub(super) fn unsigned(&self, identity: IdentityKey) -> UnsignedBundle {
        self.unsigned_with(identity, DecapsulationKey::from_seed(&self.last_resort).public().clone(), None)
    }

    /// A bundle of this generation without its signature.
    pub(super) fn unsigned_with(
        &self,
        identity: IdentityKey,
        kem: EncapsulationKey,
        one_time: Option<(u32, PublicKey)>,
    ) -> UnsignedBundle {
        UnsignedBundle {
            identity,
            signed_id: self.id,
            created: self.created,
            expires: self.expires,
            signed: *self.signed.public(),
            kem,
            one_time,
        }
    }
}

/// How long after its bundles were replaced the secrets of a generation are kept, in seconds: a day for senders that had
/// fetched one, and two for messages in transit.
const DELIVERY: u64 = 3 * 24 * 60 * 60;

/// How long after it was made a generation is used, in seconds: 33 days, the validity of its bundles and `DELIVERY`.
const LONGEST: u64 = 33 * 24 * 60 * 60;

/// A one-time X25519 key and a one-time ML-KEM-768 key. They are published together, and used together and once.
pub(crate) struct OneTime {
    /// Id of the generation under whose signed pre-key the pair was published. The pair is deleted with it.
    pub(super) signed_id: u32,
    pub(super) agreement: KeyPair,
    pub(super) kem: Secret<SEED>,
    pub(super) signature: [u8; SIGNATURE],
}

impl OneTime {
    /// Generates a new pair, and signs its bundle.
    pub(super) fn generate(
        identity: &Identity,
        generation: &Generation,
        taken: &BTreeMap<u32, Box<Self>>,
        rng: &mut dyn CryptoRng,
    ) -> (u32, Box<Self>, PreKeyBundle) {
        let draw = identity.draw_pre_key(PreKeyKind::OneTime, rng);
        let (id, agreement) = named_pair(&draw, |id| taken.contains_key(&id));
        let mut pair =
            Box::new(Self { signed_id: generation.id, agreement, kem: draw.kem_seed(), signature: [0; SIGNATURE] });
        let bundle = PreKeyBundle::sign(identity, pair.unsigned(*identity.public(), generation, id));
        pair.signature = *bundle.signature();
        (id, pair, bundle)
    }

    /// The bundle of this pair without its signature.
    pub(super) fn unsigned(&self, identity: IdentityKey, generation: &Generation, id: u32) -> UnsignedBundle {
        let kem = DecapsulationKey::from_seed(&self.kem).public().clone();
        generation.unsigned_with(identity, kem, Some((id, *self.agreement.public())))
    }
}

/// Creates a drawn key pair and its id. P-2.4: the id is derived from the key. After a reinstallation or a restored backup,
/// new keys then have new ids, and a message for the lost keys can be told from a forged one.
fn named_pair(draw: &Draw, taken: impl Fn(u32) -> bool) -> (u32, KeyPair) {
    let pair = x25519::pair_from_secret(draw.agreement());
    let [a, b, c, d, ..] = digest(&[pair.public().as_bytes()]);
    let mut id = u32::from_be_bytes([a, b, c, d]);
    while id == 0 || taken(id) {
        id = id.wrapping_add(1);
    }
    (id, pair)
}
