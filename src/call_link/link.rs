//! [`CallLink`], [`CallDoor`] and what goes between them (docs/spec/calls.md, section 9.8).

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::error::CallLinkError;
use crate::account::Account;
use crate::call::CallId;
use crate::conversation::MemberDevice;
use crate::device::{AccountKey, DeviceDirectory, DeviceTerms, ListId};
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::aead::{self, NONCE, TAG};
use bisik_core::primitives::ed25519::{SIGNATURE, SignatureKeyPair, SignaturePublicKey};
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::{BoxedSecret, Secret};
use bisik_core::text::base64url;
use bisik_core::time::Timestamp;

/// The secret of a call link, of 32 bytes. Whoever has it can knock, and can pass it on. To take it back, use another one.
pub struct CallLink(BoxedSecret<32>);

bisik_core::id! {
    /// Where a link leads on a server: 16 bytes that say nothing of the secret.
    pub struct CallLocator: 16;
    /// Takes the 16 bytes.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes.
    pub fn as_bytes();
}

bisik_core::id! {
    /// The Ed25519 key with which a server may check that who knocks has the link: 32 bytes.
    pub struct CallAdmission: 32;
    /// Takes the 32 bytes.
    pub fn from_bytes(bytes);
    /// Returns the 32 bytes.
    pub fn as_bytes();
}

/// The link of a call, at a device that is in it.
pub struct CallDoor {
    link: CallLink,
    call: CallId,
    /// Random bytes of what was heard, oldest first.
    heard: VecDeque<[u8; 24]>,
}

/// Somebody asks to be let in, who has the link. That it is the device that it names is signed; whose device that is, its
/// account's list has to show.
#[derive(Clone, Debug)]
#[must_use = "verify it with the list of the account"]
pub struct Knock {
    device: MemberDevice,
    list: ListId,
}

/// Who asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The device. Show its account; one that the user does not know has introduced itself, and no more.
    pub device: MemberDevice,
    /// Who holds the device's keys, by the account's list: show it where somebody else does.
    pub terms: DeviceTerms,
}

/// Who is let in by whoever opened the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPolicy {
    /// Everybody who has the link.
    Anybody,
    /// Accounts that the user knows; he is asked about the others.
    Ask,
    /// Accounts that the user knows, and nobody else.
    Known,
}

impl CallLink {
    /// Draws a link: 32 bytes of `rng`.
    #[must_use]
    pub fn generate(mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(Secret::random(&mut rng).into())
    }

    /// Reads the 44 characters of a link.
    ///
    /// # Errors
    ///
    /// [`CallLinkError::Malformed`] or [`CallLinkError::NewerVersion`].
    pub fn from_text(text: &str) -> Result<Self, CallLinkError> {
        let bytes = Zeroizing::new(base64url::decode(text, LINK).map_err(|_| CallLinkError::Malformed)?);
        match bytes.split_first() {
            Some((&VERSION, secret)) => {
                let secret = secret.try_into().map_err(|_| CallLinkError::Malformed)?;
                Ok(Self(Secret::copy_of(secret).into()))
            }
            Some(_) if bytes.len() == LINK => Err(CallLinkError::NewerVersion),
            Some(_) | None => Err(CallLinkError::Malformed),
        }
    }

    /// Reads a web address that [`expose_address`](Self::expose_address) made: what stands behind its `#`.
    ///
    /// # Errors
    ///
    /// [`CallLinkError::Malformed`] or [`CallLinkError::NewerVersion`].
    pub fn from_address(address: &str) -> Result<Self, CallLinkError> {
        let (_, text) = address.rsplit_once('#').ok_or(CallLinkError::Malformed)?;
        Self::from_text(text)
    }

    /// Returns the link as 44 characters (Base64url), which are secret.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&[VERSION], self.0.expose().as_slice()].concat());
        // A string that grows would leave parts of it behind.
        let mut text = Zeroizing::new(String::with_capacity(TEXT));
        let written = write!(text, "{}", Base64url(&bytes));
        debug_assert!(written.is_ok() && text.len() == TEXT);
        text
    }

    /// Returns `page#link`, which is secret. Browsers do not send to the server what stands behind a `#`.
    #[must_use]
    pub fn expose_address(&self, page: &str) -> Zeroizing<String> {
        Zeroizing::new([page, "#", &self.expose_text()].concat())
    }

    /// Returns under what the server keeps what belongs to the link.
    #[must_use]
    pub fn locator(&self) -> CallLocator {
        CallLocator(*self.derive::<16>(LOCATOR, &[]).expose())
    }

    /// Returns the key that a server may be given, to drop what was sent by somebody without the link
    /// ([`is_by_who_has_the_link`]).
    #[must_use]
    pub fn admission(&self) -> CallAdmission {
        CallAdmission(*self.pair().public().as_bytes())
    }

    /// Asks to be let into the call whose `notice` the server has. The server learns nothing of who asks: a knock has 357 bytes,
    /// whoever makes it. Draws 24 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`CallLinkError::Rejected`] if the notice was made without the link, [`CallLinkError::NotListed`] if this device is in no
    /// list of its account, [`CallLinkError::Malformed`] or [`CallLinkError::NewerVersion`].
    pub fn knock(
        &self,
        account: &Account,
        notice: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, CallLinkError> {
        let call = self.open::<CALL>(NOTICE, notice)?.0;
        let device = account.index().ok_or(CallLinkError::NotListed)?;
        let mut random = [0; 24];
        rng.fill_bytes(&mut random);
        let mut text = Writer::with_capacity(KNOCK);
        text.bytes(&call).bytes(&account.key().to_bytes()).u32(device);
        text.bytes(&account.identity().public().to_bytes()).bytes(&account.devices().id().to_bytes());
        let mut text = text.finish();
        let signature = account.identity().sign_labelled(labels::CALL_KNOCK, &[&random[..], &text].concat());
        text.extend_from_slice(&signature);
        self.seal(KNOCKS, &random, &text)
    }

    fn derive<const N: usize>(&self, purpose: u8, more: &[u8]) -> Secret<N> {
        Prk::extract(&[0; 32], &[self.0.expose()]).expand(&[labels::CALL_LINK, &[purpose], more])
    }

    fn pair(&self) -> SignatureKeyPair {
        SignatureKeyPair::from_secret(&self.derive(ADMISSION, &[]))
    }

    /// `version ‖ random (24) ‖ ciphertext ‖ tag ‖ signature`. The key belongs to the random bytes, so the nonce is fixed.
    fn seal(&self, purpose: u8, random: &[u8; 24], text: &[u8]) -> Result<Vec<u8>, CallLinkError> {
        let mut body = Zeroizing::new(text.to_vec());
        let tag = aead::seal_once(&self.derive(purpose, random), &[0; NONCE], &[], &mut body)?;
        let mut sealed = [&[VERSION], &random[..], &body, &tag].concat();
        let signature = self.pair().sign(&admission_text(&self.locator(), purpose, &sealed));
        sealed.extend_from_slice(&signature);
        Ok(sealed)
    }

    /// P-9.22: opens what was sealed with the link.
    fn open<const N: usize>(&self, purpose: u8, bytes: &[u8]) -> Result<([u8; N], [u8; 24]), CallLinkError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            VERSION => {}
            _ => return Err(CallLinkError::NewerVersion),
        }
        let random = *reader.array::<24>()?;
        let mut body = *reader.array::<N>()?;
        let (tag, signature) = (*reader.array::<TAG>()?, *reader.array::<SIGNATURE>()?);
        reader.finish()?;
        let (sealed, _) = bytes.split_at_checked(bytes.len().saturating_sub(SIGNATURE)).ok_or(Malformed)?;
        if !self.pair().public().verify(&admission_text(&self.locator(), purpose, sealed), &signature) {
            return Err(CallLinkError::Rejected);
        }
        aead::open_once(&self.derive(purpose, &random), &[0; NONCE], &[], &mut body, &tag)
            .map_err(|_| CallLinkError::Rejected)?;
        Ok((body, random))
    }
}

/// Whether a knock, or a notice, was made with the link of this locator and admission key: for a server, which learns no more
/// than that.
#[must_use]
pub fn is_by_who_has_the_link(locator: &CallLocator, admission: &CallAdmission, bytes: &[u8]) -> bool {
    let Some((sealed, signature)) = bytes.split_last_chunk::<SIGNATURE>() else { return false };
    let Ok(key) = SignaturePublicKey::decode(admission.as_bytes()) else { return false };
    [NOTICE, KNOCKS].into_iter().any(|purpose| key.verify(&admission_text(locator, purpose, sealed), signature))
}

impl CallDoor {
    /// The link of a call at a device that is in it.
    #[must_use]
    pub const fn new(link: CallLink, call: CallId) -> Self {
        Self { link, call, heard: VecDeque::new() }
    }

    /// Returns the link.
    #[must_use]
    pub const fn link(&self) -> &CallLink {
        &self.link
    }

    /// Returns what the server shows to who has the link: 121 bytes, in which the call's id is encrypted. Draws 24 bytes from
    /// `rng`.
    ///
    /// # Errors
    ///
    /// [`CallLinkError::Internal`]
    pub fn notice(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<u8>, CallLinkError> {
        let mut random = [0; 24];
        rng.fill_bytes(&mut random);
        self.link.seal(NOTICE, &random, self.call.as_bytes())
    }

    /// Hears a knock that the server has handed over. Requirement P-9.23.
    ///
    /// # Errors
    ///
    /// [`CallLinkError`]. Nothing has changed then.
    pub fn hear(&mut self, knock: &[u8]) -> Result<Knock, CallLinkError> {
        let (text, random) = self.link.open::<KNOCK>(KNOCKS, knock)?;
        let mut reader = Reader::new(&text);
        if reader.array::<CALL>()? != self.call.as_bytes() {
            return Err(CallLinkError::OtherCall);
        }
        let identity = |bytes| IdentityKey::from_bytes(bytes).map_err(|_| CallLinkError::Malformed);
        let account = AccountKey::from_identity(identity(reader.array()?)?);
        let device = reader.u32()?;
        let identity = identity(reader.array()?)?;
        let list = ListId::from_bytes(reader.array()?);
        let signature = *reader.array::<SIGNATURE>()?;
        reader.finish()?;
        let (signed, _) = text.split_at(KNOCK - SIGNATURE);
        if !identity.verify_labelled(labels::CALL_KNOCK, &[&random[..], signed].concat(), &signature) {
            return Err(CallLinkError::Rejected);
        }
        if self.heard.contains(&random) {
            return Err(CallLinkError::Duplicate);
        }
        if self.heard.len() >= HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(random);
        Ok(Knock { device: MemberDevice { account, device, identity }, list })
    }
}

impl Knock {
    /// Returns the account that asks, by its own word, and its list: fetch that, or a newer one.
    #[must_use]
    pub const fn needs(&self) -> (&AccountKey, &ListId) {
        (&self.device.account, &self.list)
    }

    /// Verifies that the device is one of the account. P-9.24.
    ///
    /// # Errors
    ///
    /// [`CallLinkError::UnknownDevice`]
    pub fn verify(&self, devices: &DeviceDirectory, now: Timestamp) -> Result<Visitor, CallLinkError> {
        let Self { device, list } = self;
        let is_new = devices.account() == &device.account
            && !devices.is_expired(now)
            && (devices.id() == *list || devices.sequence() > list.sequence());
        let entry = devices.at(device.device).filter(|entry| is_new && *entry.identity() == device.identity);
        let entry = entry.ok_or(CallLinkError::UnknownDevice)?;
        Ok(Visitor { device: *device, terms: *entry.terms() })
    }
}

impl LinkPolicy {
    /// Whether a visitor is let in: `None` where the user has to be asked.
    #[must_use]
    pub const fn admits(self, is_known: bool) -> Option<bool> {
        match (self, is_known) {
            (Self::Anybody, _) | (Self::Ask | Self::Known, true) => Some(true),
            (Self::Ask, false) => None,
            (Self::Known, false) => Some(false),
        }
    }
}

/// What the key of the link signs.
fn admission_text(locator: &CallLocator, purpose: u8, sealed: &[u8]) -> Vec<u8> {
    [labels::CALL_ADMISSION, locator.as_bytes(), &[purpose], sealed].concat()
}

struct Base64url<'a>(&'a [u8]);

impl fmt::Display for Base64url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64url::write(f, self.0)
    }
}

/// Does not show the secret.
impl fmt::Debug for CallLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallLink(..)")
    }
}

impl fmt::Debug for CallDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link: _, call, heard } = self;
        f.debug_struct("CallDoor").field("call", call).field("heard", &heard.len()).finish_non_exhaustive()
    }
}

const VERSION: u8 = 0x01;
/// Bytes of a link.
const LINK: usize = 33;
/// Characters of its text.
const TEXT: usize = 44;
/// Bytes of a call's id.
const CALL: usize = 16;
/// Bytes of what is encrypted in a knock.
const KNOCK: usize = CALL + 64 + 4 + 64 + ListId::LENGTH + SIGNATURE;
/// Knocks that are remembered: what a server repeats.
const HEARD: usize = 256;
/// What is derived from the secret.
const LOCATOR: u8 = 1;
const ADMISSION: u8 = 2;
const NOTICE: u8 = 3;
const KNOCKS: u8 = 4;
