//! The step: agreements and other secrets advance the root key (docs/spec/session.md, section 4.2).

use super::chain::ChainKey;
use super::header::HeaderKey;
use super::start::split;
use crate::labels;
use bisik_core::primitives::kdf::{HmacSha256, Prk};
use bisik_core::primitives::secret::{BoxedSecret, Secret};
use bisik_core::primitives::x25519::PublicKey;
use rand_core::CryptoRng;

/// `RK`: the root key, which mixes everything that the two sides have agreed on so far.
pub(super) struct RootKey(BoxedSecret<32>);

/// What enters one step, the same on both sides.
pub(super) struct StepInputs<'a> {
    /// Number of the step.
    pub(super) step: u32,
    /// The agreement of the two ratchet keys.
    pub(super) agreed: &'a Secret<32>,
    /// In step 1, the agreement of the responder's ratchet key with the initiator's identity.
    pub(super) identity: Option<&'a Secret<32>>,
    /// In step 1 of a bound session, the secret of the older session, and the place at which it was offered.
    pub(super) resumption: Option<&'a Secret<32>>,
    pub(super) bound: u8,
    /// The secret of a braid epoch, if this step is the first with it.
    pub(super) post_quantum: Option<&'a Secret<32>>,
    /// The newest braid epoch whose secret is in the root after this step.
    pub(super) mixed: u32,
    /// The fresh ratchet key of the side that steps.
    pub(super) stepping: &'a PublicKey,
    /// The ratchet key of the other side.
    pub(super) other: &'a PublicKey,
}

/// What one step gives.
pub(super) struct StepOutput {
    pub(super) root: RootKey,
    /// Key of the chain that the step begins.
    pub(super) chain: ChainKey,
    /// P-4.3: header key of the chain after that one, which the other side will begin.
    pub(super) next_header: HeaderKey,
    /// `RS`: can bind a later session to this one.
    pub(super) resumption: BoxedSecret<32>,
}

impl RootKey {
    pub(super) fn new(secret: &Secret<32>) -> Self {
        Self(secret.duplicate().into())
    }

    /// `RK' ‖ CK ‖ HK ‖ RS = HKDF(salt = RK, ikm = DH ‖ ID ‖ R ‖ K, info, 128)`. What is absent enters as zeros.
    pub(super) fn step(&self, inputs: &StepInputs<'_>) -> StepOutput {
        let StepInputs { step, agreed, identity, resumption, bound, post_quantum, mixed, stepping, other } = inputs;
        let absent = Secret::zero();
        let or_zeros = |input: &Option<&Secret<32>>| match input {
            Some(secret) => secret.duplicate(),
            None => absent.duplicate(),
        };
        let (identity, resumption, post_quantum) = (or_zeros(identity), or_zeros(resumption), or_zeros(post_quantum));
        let secrets: [&[u8]; 4] = [agreed.expose(), identity.expose(), resumption.expose(), post_quantum.expose()];
        let output = Prk::extract(self.0.expose(), &secrets).expand::<128>(&[
            labels::ROOT_STEP,
            &step.to_be_bytes(),
            &mixed.to_be_bytes(),
            &[*bound],
            stepping.as_bytes(),
            other.as_bytes(),
        ]);
        let [root, chain, header, resumption] = split(output.expose());
        StepOutput {
            root: Self(root),
            chain: ChainKey::new(chain.duplicate()),
            next_header: HeaderKey::new(&header),
            resumption,
        }
    }

    /// P-4.2: the secret draws of a step, hedged with the root: a generator that repeats or that somebody else
    /// predicts gives nothing to who does not have the root.
    pub(super) fn draw(&self, step: u32, rng: &mut dyn CryptoRng) -> StepDraw {
        let fresh = Secret::<32>::random(rng);
        let mac = HmacSha256::new(&self.0);
        let hedged = mac.hash(&[labels::DRAW, labels::DRAW_STEP, fresh.expose(), &step.to_be_bytes()]);
        StepDraw(Prk::from_uniform_key(&hedged))
    }

    pub(super) fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate().into())
    }
}

/// The draws of one step.
pub(super) struct StepDraw(Prk);

impl StepDraw {
    /// The X25519 secret of the step's ratchet pair.
    pub(super) fn pair(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_AGREEMENT])
    }

    /// The randomness of an encapsulation, if the braid makes one with this step.
    pub(super) fn encapsulation(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_ENCAPSULATION])
    }

    /// The seed of an ML-KEM key, if the braid makes one with this step.
    pub(super) fn kem_seed(&self) -> Secret<64> {
        self.0.expand(&[labels::DRAW, labels::DRAW_KEM_SEED])
    }

    /// The X25519 secret of an initiator's first ratchet pair, which no step makes.
    pub(super) fn first_pair(&self) -> Secret<32> {
        self.0.expand(&[labels::DRAW, labels::DRAW_FIRST_RATCHET])
    }
}
