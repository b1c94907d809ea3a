//! The primary device's side of linking: [`Invitation`], [`Answered`], [`PrimaryComparing`], and then a certificate.
//!
//! These states sign nothing: [`Primary::add`] does, after the user has confirmed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Sas;
use super::message::{Answer, Channel, Hello, Reveal};
use crate::device::{DeviceCertificate, DeviceTerms, LinkError, Primary};
use crate::keys::IdentityKey;
use bisik_core::primitives::secret::Secret;

/// A companion's hello, from the camera or from the server. See the [module](super).
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::device::link::Companion;
/// # use bisik::device::DeviceTerms;
/// # use bisik::{Account, Timestamp};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let phone = Account::create(DeviceTerms::person(), now, rng);
/// use bisik::device::link::Invitation;
///
/// # let (companion, qr_code) = Companion::with_qr_code(rng);
/// let invitation = Invitation::scan(qr_code.as_bytes())?; // what the camera gives
/// assert_eq!(invitation.companion(), companion.identity().public());
/// let primary = phone.primary().ok_or("only the primary device links others")?;
/// let (answered, message) = invitation.answer(primary, DeviceTerms::person(), rng);
/// // Send `message` to the companion; its reveal goes to `answered`.
/// let (_companion, reveal) = companion.answer(&message)?;
/// let comparing = answered.reveal(&reveal)?;
/// println!("Does the other screen show {}?", comparing.sas().digits());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// [`LinkError::Malformed`] if it is not a companion's; [`LinkError::WrongStep`].
    pub fn scan(qr_code: &[u8]) -> Result<Self, LinkError> {
        let (hello, secret) = qr_code.split_last_chunk().ok_or(LinkError::Malformed)?;
        let channel = Channel::QrCode(Box::new(Secret::copy_of(secret)));
        Ok(Self { hello: Hello::read(&channel, hello)?, channel })
    }

    /// Reads the hello that the server stores under a typed code.
    ///
    /// # Errors
    ///
    /// [`LinkError::Malformed`] if it is not the hello of a companion that shows a typed code;
    /// [`LinkError::WrongStep`].
    pub fn fetch(hello: &[u8]) -> Result<Self, LinkError> {
        let channel = Channel::TypedCode;
        Ok(Self { hello: Hello::read(&channel, hello)?, channel })
    }

    /// Returns the identity of the device that asks to join. The disclosure of a hosted device names it.
    #[must_use]
    pub const fn companion(&self) -> &IdentityKey {
        self.hello.companion()
    }

    /// Offers the account's next index under `terms`. Uses 32 bytes of `rng`. Returns the next state and the answer to
    /// send to the companion.
    ///
    /// If another device is added in the meantime, the index is taken and linking must start again.
    #[must_use]
    pub fn answer(
        self,
        primary: &Primary,
        terms: DeviceTerms,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Answered, Vec<u8>) {
        let Self { channel, hello } = self;
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let answer = Answer::new(&hello, *primary.account(), primary.next_index(), terms, &nonce);
        let message = answer.to_message(&channel);
        (Answered { channel, hello, answer }, message)
    }
}

/// A primary device that has answered and waits for the companion to open its commitment.
pub struct Answered {
    channel: Channel,
    hello: Hello,
    answer: Answer,
}

impl Answered {
    /// Processes the companion's reveal. Returns the next state, with the string to show.
    ///
    /// # Errors
    ///
    /// [`LinkError`]; the linking has ended.
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

/// A primary device that shows a short authentication string and waits for its user.
pub struct PrimaryComparing {
    certificate: DeviceCertificate,
    sas: Sas,
}

impl PrimaryComparing {
    /// Returns the string to show.
    #[must_use]
    pub const fn sas(&self) -> &Sas {
        &self.sas
    }

    /// Returns the certificate for [`Primary::add`], after the user has compared the strings and agreed.
    ///
    /// Always ask the user, after a QR code too: an attacker may have shown the user a QR code of their own.
    /// Requirement P-10.19.
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
