//! The primary device's side of linking: [`Invitation`], [`Answered`], [`PrimaryComparing`], and then a certificate.
//!
//! Does not know the account's secret: nothing is signed before the user has confirmed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Sas;
use super::message::{Answer, Channel, Hello, Reveal};
use crate::device::{DeviceCertificate, LinkError, Primary, Terms};
use crate::keys::IdentityKey;
use crate::primitives::secret::Secret;

/// A companion's hello, as the camera or the server gave it. See the [module](super).
#[derive(Debug)]
pub struct Invitation {
    channel: Channel,
    hello: Hello,
}

impl Invitation {
    /// Reads a QR code.
    ///
    /// # Errors
    ///
    /// [`LinkError::Malformed`] where it is none of a companion.
    pub fn scan(qr_code: &[u8]) -> Result<Self, LinkError> {
        let (hello, secret) = qr_code.split_last_chunk().ok_or(LinkError::Malformed)?;
        let channel = Channel::QrCode(Box::new(Secret::copy_of(secret)));
        Ok(Self { hello: Hello::read(&channel, hello)?, channel })
    }

    /// Reads what the server has under a typed code.
    ///
    /// # Errors
    ///
    /// [`LinkError::Malformed`] where it is not the hello of a companion that shows a typed code; [`LinkError::WrongStep`].
    pub fn fetch(hello: &[u8]) -> Result<Self, LinkError> {
        let channel = Channel::TypedCode;
        Ok(Self { hello: Hello::read(&channel, hello)?, channel })
    }

    /// Who wants to join: for the disclosure, where others will hold the device.
    #[must_use]
    pub const fn companion(&self) -> &IdentityKey {
        self.hello.companion()
    }

    /// Offers the account's next index under `terms`, from 32 bytes of `rng`; gives what to send to the companion.
    ///
    /// If another device is added meanwhile, the index is taken, and linking starts again.
    #[must_use]
    pub fn answer(self, primary: &Primary, terms: Terms, rng: &mut (impl CryptoRng + ?Sized)) -> (Answered, Vec<u8>) {
        let Self { channel, hello } = self;
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let answer = Answer::new(&hello, *primary.account(), primary.next_index(), terms, &nonce);
        let message = answer.to_message(&channel);
        (Answered { channel, hello, answer }, message)
    }
}

/// A primary device that has answered, and waits for the companion to open its commitment.
pub struct Answered {
    channel: Channel,
    hello: Hello,
    answer: Answer,
}

impl Answered {
    /// Takes what the companion sent back; gives what to show.
    ///
    /// # Errors
    ///
    /// [`LinkError`]; linking is over then.
    pub fn reveal(self, message: &[u8]) -> Result<PrimaryComparing, LinkError> {
        let Self { channel, hello, answer } = self;
        let Reveal { possession, transcript } = Reveal::read(&channel, &hello, &answer, message)?;
        let certificate = DeviceCertificate::join(answer.index, *hello.companion(), answer.terms, possession);
        certificate.verify(&answer.account).map_err(|_| LinkError::Rejected)?;
        Ok(PrimaryComparing { certificate, sas: Sas::derive(&channel, &transcript) })
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, hello, answer: _ } = self;
        f.debug_struct("Answered").field("channel", channel).field("hello", hello).finish_non_exhaustive()
    }
}

/// A primary device that shows a short authentication string, and waits for its user.
pub struct PrimaryComparing {
    certificate: DeviceCertificate,
    sas: Sas,
}

impl PrimaryComparing {
    /// What to show.
    #[must_use]
    pub const fn sas(&self) -> &Sas {
        &self.sas
    }

    /// P-10.19. The user has compared and agrees: here is what [`Primary::add`] takes. Always asked for, after a QR
    /// code
    /// too: somebody may have shown the user a code of their own.
    #[must_use]
    pub fn confirm(self) -> DeviceCertificate {
        self.certificate
    }
}

impl fmt::Debug for PrimaryComparing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, sas: _ } = self;
        f.debug_struct("PrimaryComparing").field("certificate", certificate).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hello").field(self.companion()).finish()
    }
}
