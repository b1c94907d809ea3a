//! One generation of pre-keys, and one one-time pair: the secrets behind bundles. `prekeys` manages their lifetimes.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;

use super::{Identity, IdentityKey, PreKeyBundle};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::{DecapsulationKey, EncapsulationKey, SEED};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{KeyPair, PublicKey};
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
    /// Ids of the sessions set up with the last-resort key: the replay cache.
    pub(super) seen: BTreeSet<[u8; 16]>,
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
        let (id, signed) = named_pair(rng, |id| taken.contains(&id));
        let mut generation = Box::new(Self {
            id,
            created,
            expires,
            signed,
            last_resort: Secret::random(rng),
            signature: [0; SIGNATURE],
            seen: BTreeSet::new(),
        });
        generation.signature = *PreKeyBundle::sign(identity, generation.unsigned(*identity.public())).signature();
        generation
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
        let (id, agreement) = named_pair(rng, |id| taken.contains_key(&id));
        let mut pair =
            Box::new(Self { signed_id: generation.id, agreement, kem: Secret::random(rng), signature: [0; SIGNATURE] });
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

/// Generates a key pair and its id. P-2.3: the id is derived from the key. After a reinstallation or a restored backup,
/// new keys then have new ids, and a message for the lost keys can be told from a forged one.
fn named_pair(rng: &mut dyn CryptoRng, taken: impl Fn(u32) -> bool) -> (u32, KeyPair) {
    let pair = KeyPair::generate(rng);
    let [a, b, c, d, ..] = digest(&[pair.public().as_bytes()]);
    let mut id = u32::from_be_bytes([a, b, c, d]);
    while id == 0 || taken(id) {
        id = id.wrapping_add(1);
    }
    (id, pair)
}
