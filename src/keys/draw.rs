//! Hedged draws: secrets that depend on the generator and on a secret of the identity (docs/spec/session.md, section
//! 2.5).

use rand_core::CryptoRng;

use super::Identity;
use crate::labels;
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::primitives::kdf::{HmacSha256, Prk, extract};
use bisik_core::primitives::mlkem768::SEED;
use bisik_core::primitives::secret::{BoxedSecret, Secret};
use bisik_core::primitives::x25519::{self, KeyPair};

/// The key that hedges an identity's draws. Who predicts or repeats the generator, but does not have the identity,
/// learns nothing of what is drawn. Two identities never draw the same, even from one cloned generator.
pub(super) struct Hedge(BoxedSecret<32>);

/// What pre-keys are drawn for.
#[derive(Clone, Copy)]
pub(super) enum PreKeyKind {
    /// A generation: the signed pre-key and the last-resort key.
    Generation,
    /// A one-time pair.
    OneTime,
}

/// One draw, from which the secrets of one operation are derived.
pub(crate) struct Draw(Prk);

impl Hedge {
    /// `HKDF-Extract(L_HEDGE, X25519 identity secret)`.
    pub(super) fn of(agreement: &KeyPair) -> Self {
        Self(extract(labels::HEDGE, &[x25519::secret(agreement).expose()]).into())
    }

    /// `HMAC(hedge, L_DRAW ‖ purpose ‖ 32 random bytes ‖ context)`.
    fn draw(&self, purpose: &[u8], context: [&[u8]; 2], rng: &mut dyn CryptoRng) -> Draw {
        let random = Secret::<32>::random(rng);
        let [first, second] = context;
        let mixed = HmacSha256::new(&self.0).hash(&[labels::DRAW, purpose, random.expose(), first, second]);
        Draw(Prk::from_uniform_key(&mixed))
    }
}

impl Identity {
    /// Draws for one set-up. Uses 32 bytes of `rng`. `bundle` is the digest of the bundle without its signature.
    /// Requirement P-3.3.
    pub(crate) fn draw_set_up(
        &self,
        bundle: &[u8; 32],
        disclosure: Option<DisclosureHash>,
        rng: &mut dyn CryptoRng,
    ) -> Draw {
        self.hedge().draw(labels::DRAW_SET_UP, [bundle, &disclosure::to_bytes(disclosure)], rng)
    }

    /// Draws for pre-keys. Uses 32 bytes of `rng`. Requirement P-2.12.
    pub(super) fn draw_pre_key(&self, kind: PreKeyKind, rng: &mut dyn CryptoRng) -> Draw {
        let kind = match kind {
            PreKeyKind::Generation => [0x01],
            PreKeyKind::OneTime => [0x02],
        };
        self.hedge().draw(labels::DRAW_PRE_KEY, [&kind, &[]], rng)
    }
}

impl Draw {
    /// An X25519 secret: of a set-up's ephemeral key, or of a pre-key.
    pub(crate) fn agreement(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_AGREEMENT])
    }

    /// The randomness of an encapsulation.
    pub(crate) fn encapsulation(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_ENCAPSULATION])
    }

    /// The seed `d ‖ z` of an ML-KEM-768 key.
    pub(super) fn kem_seed(&self) -> Secret<SEED> {
        self.0.expand(&[labels::DRAW, labels::DRAW_KEM_SEED])
    }

    /// The X25519 secret of an initiator's first ratchet pair.
    pub(crate) fn first_ratchet(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_FIRST_RATCHET])
    }

    /// Labels for the four places at which a session could offer to resume another one, to hide whether it does.
    pub(crate) fn labels(&self) -> [[u8; 8]; 4] {
        let drawn = self.0.expand::<32>(&[labels::DRAW, labels::DRAW_LABELS]);
        let mut labels = [[0; 8]; 4];
        labels.iter_mut().flatten().zip(drawn.expose()).for_each(|(to, from)| *to = *from);
        labels
    }
}
