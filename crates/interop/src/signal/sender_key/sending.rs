//! [`GroupSender`]: the local device's sender key in one group (docs/interop.md, section 11).
//!
//! The caller tracks the members, and which of them have received the key.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Secret;
use super::error::GroupEncryptError;
use super::format::SenderKeyFormat;
use super::message_key;
use super::wire::{Distribution, GroupHeader};
use crate::signal::chain::ChainKey;
use crate::signal::key::{KeyPair, PublicKey};
use crate::signal::limits::MAX_PLAINTEXT;
use crate::signal::xeddsa::SigningKey;
use bisik_core::held::Lineage;
use bisik_core::primitives::aes_cbc::padded;

/// The local device's sender key in one group. Not `Clone`: two copies would encrypt two messages under one key and
/// initialisation vector, and so would a restored old record. [`GroupSender::encrypt_held`] enforces that the key is
/// stored before a message is sent.
///
/// Make a new sender key, and distribute it, whenever a member leaves the group or a member's device is removed: a
/// holder of the chain key can decrypt every later message. Unlike a session, a sender key does not heal after a
/// compromise.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::{Distribution, SenderKeyFormat, GroupReceiver, GroupSender};
///
/// let mut alice = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
/// let distribution = alice.distribution().to_bytes(); // to each member, in a pairwise session
///
/// let mut of_alice = GroupReceiver::new(); // at Bob's
/// of_alice.process(&Distribution::from_bytes(&distribution)?);
/// let message = alice.encrypt(b"halo, semua", rng)?; // one message for all
/// assert_eq!(of_alice.decrypt(&message)?, b"halo, semua");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GroupSender {
    pub(super) format: SenderKeyFormat,
    pub(super) id: u32,
    /// The number of the next message.
    pub(super) iteration: u32,
    pub(super) chain: Box<ChainKey>,
    pub(super) signing: SigningKey,
    pub(super) public: PublicKey,
    /// The revision, and what ties the value to its records and to what it holds.
    pub(super) lineage: Lineage,
}

impl GroupSender {
    /// Generates a sender key. Uses 4 bytes of `rng` for its id, 32 for the chain and 32 for the signing pair.
    #[must_use]
    pub fn generate(format: SenderKeyFormat, mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut id = [0; 4];
        rng.fill_bytes(&mut id);
        let chain = Box::new(ChainKey::new(Secret::random(&mut rng)));
        let pair = KeyPair::generate(&mut rng);
        let (signing, public) = (SigningKey::new(&pair), pair.public());
        // S-11.3. Thirty-one bits: some clients read the id as a signed number.
        let id = u32::from_le_bytes(id) >> 1;
        Self { format, id, iteration: 0, chain, signing, public, lineage: Lineage::default() }
    }

    /// What a member needs to decrypt all messages from the next one on. Secret: send it in pairwise sessions only.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        Distribution {
            format: self.format,
            id: self.id,
            iteration: self.iteration,
            chain: Box::new(self.chain.secret().duplicate()),
            signing: self.public,
        }
    }

    /// Encrypts and signs one message for all members. Uses 64 bytes of `rng`; the signature's nonce stays secret and
    /// unrepeated even if these bytes are not random. Store the sender key before the message is sent.
    ///
    /// # Errors
    ///
    /// [`GroupEncryptError`] if the plaintext is too long or the chain has ended; the sender key is then unchanged.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, GroupEncryptError> {
        // S-11.10
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(GroupEncryptError::TooLong);
        }
        // The greatest number is not used, so that the next message always has a number.
        let next = self.iteration.checked_add(1).ok_or(GroupEncryptError::Exhausted)?;
        let header = GroupHeader { format: self.format, id: self.id, iteration: self.iteration };
        let body = padded(plaintext.len());
        let mut message = Vec::with_capacity(header.message_length(body));
        header.write(&mut message, body);
        let (chain, seed) = self.chain.step();
        message_key::encrypt(seed, &mut message, plaintext);
        // S-11.3
        let signature = self.signing.sign(&message, rng);
        message.extend_from_slice(&signature);
        *self.chain = chain;
        self.iteration = next;
        self.lineage.change();
        Ok(message)
    }

    /// The format in which it encodes distributions and messages.
    #[must_use]
    pub const fn format(&self) -> SenderKeyFormat {
        self.format
    }

    /// The id of this sender key, which its messages carry.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The number of the next message.
    #[must_use]
    pub const fn iteration(&self) -> u32 {
        self.iteration
    }

    /// Counts changes: store a record only over one with a lower revision.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }
}

impl fmt::Debug for GroupSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, id, iteration, chain: _, signing: _, public, lineage } = self;
        f.debug_struct("GroupSender")
            .field("format", format)
            .field("id", id)
            .field("iteration", iteration)
            .field("public", public)
            .field("revision", &lineage.revision())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    /// S-11.5.
    #[test]
    fn a_chain_that_has_ended_encrypts_nothing_more() {
        let rng = &mut StdRng::seed_from_u64(1);
        let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
        sender.iteration = u32::MAX - 1;
        assert!(sender.encrypt(b"last", rng).is_ok());
        assert_eq!(sender.encrypt(b"beyond", rng), Err(GroupEncryptError::Exhausted));
        assert_eq!((sender.iteration, sender.revision()), (u32::MAX, 1));
    }
}
