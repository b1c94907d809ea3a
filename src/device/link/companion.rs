//! The new device's side of linking: [`Companion`], [`CompanionComparing`], [`CompanionConfirmed`], [`Linked`].
//!
//! The device is in the account only once the primary's list contains it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::message::{Answer, Channel, Hello, Reveal, Transcript};
use super::{LinkCode, QrCode, Sas};
use crate::device::{AccountKey, DeviceCertificate, DeviceDirectory, DeviceEntry, DeviceList, DeviceTerms, LinkError};
use crate::keys::{Identity, Trust};
use bisik_core::codec::SecretWriter;
use bisik_core::primitives::secret::Secret;
use bisik_core::time::Timestamp;

/// A new device that waits for the answer of an account's primary device. See the [module](super).
///
/// It creates a fresh identity for each linking. So no identity is ever in two accounts, and a signature that was given
/// to the wrong account in a failed linking is worthless. Requirement P-10.17.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::link::{Companion, Invitation};
///
/// // Without a camera: the companion stores its hello on the server under a code, and the user types the code.
/// let (companion, code) = Companion::with_typed_code(rng);
/// let typed = code.to_string(); // such as 7YQ0-K3MV
/// assert_eq!(typed.len(), 9);
/// let invitation = Invitation::fetch(companion.hello())?; // what the server has under the code
/// assert_eq!(invitation.companion(), companion.identity().public());
/// # Ok::<(), bisik::device::LinkError>(())
/// ```
pub struct Companion {
    identity: Identity,
    nonce: Box<Secret<32>>,
    channel: Channel,
    hello: Hello,
}

impl Companion {
    /// Starts linking with a QR code to show. Uses 128 bytes of `rng`. Nothing is sent: the primary's camera reads the
    /// hello.
    #[must_use]
    pub fn with_qr_code(mut rng: &mut (impl CryptoRng + ?Sized)) -> (Self, QrCode) {
        let (identity, nonce) = (Identity::generate(&mut rng), Box::new(Secret::random(&mut rng)));
        let secret = Box::new(Secret::<32>::random(&mut rng));
        let mut shown = SecretWriter::with_capacity(Hello::LENGTH + 32);
        let channel = Channel::QrCode(secret);
        let hello = Hello::new(&channel, identity.public(), &nonce);
        shown.bytes(hello.as_bytes()).bytes(channel.salt());
        (Self { identity, nonce, channel, hello }, QrCode(shown.finish()))
    }

    /// Starts linking with a code to type. Uses 101 bytes of `rng`. Store the [hello](Companion::hello) on the server
    /// under the code.
    #[must_use]
    pub fn with_typed_code(mut rng: &mut (impl CryptoRng + ?Sized)) -> (Self, LinkCode) {
        let (identity, nonce) = (Identity::generate(&mut rng), Box::new(Secret::random(&mut rng)));
        let mut code = [0; 5];
        rng.fill_bytes(&mut code);
        let channel = Channel::TypedCode;
        let hello = Hello::new(&channel, identity.public(), &nonce);
        (Self { identity, nonce, channel, hello }, LinkCode(code))
    }

    /// Returns the 98 bytes to store on the server under the typed code. A QR code already contains them.
    #[must_use]
    pub fn hello(&self) -> &[u8] {
        self.hello.as_bytes()
    }

    /// Returns the identity that the device will have. A hosted device signs its disclosure with it.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Processes the primary's answer. Returns the next state and the reveal to send back.
    ///
    /// # Errors
    ///
    /// [`LinkError`]; the linking has ended.
    pub fn answer(self, message: &[u8]) -> Result<(CompanionComparing, Vec<u8>), LinkError> {
        let Self { identity, nonce, channel, hello } = self;
        let answer = Answer::read(&channel, &hello, message)?;
        let certificate = DeviceCertificate::sign(&identity, &answer.account, answer.index, answer.terms);
        let transcript = Transcript::new(&hello, &answer, &nonce);
        let sas = Sas::derive(&channel, &transcript);
        let reveal = Reveal::message(&channel, &transcript, &nonce, certificate.possession());
        Ok((CompanionComparing { identity, account: answer.account, entry: *certificate.entry(), sas }, reveal))
    }
}

impl fmt::Debug for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, nonce: _, channel, hello: _ } = self;
        f.debug_struct("Companion").field("identity", identity).field("channel", channel).finish_non_exhaustive()
    }
}

/// A new device that shows a short authentication string and waits for its user.
pub struct CompanionComparing {
    identity: Identity,
    account: AccountKey,
    entry: DeviceEntry,
    sas: Sas,
}

impl CompanionComparing {
    /// Returns the string to show.
    #[must_use]
    pub const fn sas(&self) -> &Sas {
        &self.sas
    }

    /// Returns the account that the device would join.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Returns the terms under which it would join.
    #[must_use]
    pub const fn terms(&self) -> &DeviceTerms {
        self.entry.terms()
    }

    /// Continues after the user has compared the strings and agreed.
    ///
    /// After a QR code, this may be called without asking: only a device that read the screen could answer. After a
    /// typed code the user MUST be asked. Otherwise a server could draw the device into another account.
    #[must_use]
    pub fn confirm(self) -> CompanionConfirmed {
        let Self { identity, account, entry, sas: _ } = self;
        CompanionConfirmed { identity, account, entry }
    }
}

impl fmt::Debug for CompanionComparing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity: _, account, entry, sas: _ } = self;
        f.debug_struct("CompanionComparing").field("account", account).field("entry", entry).finish_non_exhaustive()
    }
}

/// A new device that its user has confirmed and that waits for the primary's list.
pub struct CompanionConfirmed {
    identity: Identity,
    account: AccountKey,
    entry: DeviceEntry,
}

impl CompanionConfirmed {
    /// Processes the list that the primary issued. On success the device is in the account.
    ///
    /// The list must be that account's, and contain the device exactly as agreed. Requirement P-10.18.
    ///
    /// # Errors
    ///
    /// [`LinkError::List`], [`LinkError::NotListed`]; the linking has ended.
    pub fn finish(self, list: &DeviceList, now: Timestamp) -> Result<Linked, LinkError> {
        let Self { identity, account, entry } = self;
        let directory = DeviceDirectory::trust(list, Trust::Pinned(account.identity()), now)?;
        if directory.at(entry.index()) == Some(&entry) {
            Ok(Linked { identity, directory, entry })
        } else {
            Err(LinkError::NotListed)
        }
    }
}

impl fmt::Debug for CompanionConfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity: _, account, entry } = self;
        f.debug_struct("CompanionConfirmed").field("account", account).field("entry", entry).finish_non_exhaustive()
    }
}

/// A device that has joined an account, with the values that it starts from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Linked {
    /// Its identity, with the secrets.
    pub identity: Identity,
    /// The devices of its account, including itself.
    pub directory: DeviceDirectory,
    /// Its own entry.
    pub entry: DeviceEntry,
}
