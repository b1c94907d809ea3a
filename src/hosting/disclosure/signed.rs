//! [`Disclosure`]: who else can read, with the signatures of the three parties (docs/spec/hosting.md, section 11.2).

use alloc::vec::Vec;
use core::fmt;

use super::body::Body;
use super::error::DisclosureError;
use super::terms::HostingTerms;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

/// An account's statement about a hosted device: who holds its keys, and on what terms. At most 542 bytes.
///
/// The account, the operator and the device sign it, so that each party named in it has agreed. It is made from a
/// [`DisclosureDraft`](super::DisclosureDraft), and trusted only once it is [verified](Self::verify). Its text is Base64
/// with the URL-safe alphabet.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::device::{AccountKey, Custody};
/// # use bisik::hosting::{Disclosure, DisclosureDraft, HostingTerms, Operator, OperatorName};
/// # use bisik::hosting::{Purposes, Retention, Roles};
/// # use bisik::{Identity, Timestamp};
/// # let [business, operator, device] = [(); 3].map(|()| Identity::generate(rng));
/// # let account = AccountKey::of(&business);
/// # let operator_of = Operator { name: OperatorName::new("Awan Pesan")?, key: *operator.public() };
/// # let terms = HostingTerms {
/// #     custody: Custody::Vendor,
/// #     operator: operator_of,
/// #     roles: Roles::STORE.with(Roles::READ),
/// #     retention: Retention::THIRTY_DAYS,
/// #     purposes: Purposes::ANSWERING,
/// # };
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let draft = DisclosureDraft::new(account, *device.public(), terms, now, now.plus_seconds(90 * 86_400))?;
/// # let disclosure = draft.countersign(&operator)?.prove(&device)?.sign(&business)?;
/// let bytes = disclosure.to_bytes(); // the account publishes it
/// let from_server = Disclosure::from_bytes(&bytes)?;
/// let verified = from_server.verify(&account, None, now)?; // all three signatures, and the time
/// println!("{} keeps your messages", verified.disclosure().terms().operator.name.as_str());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub(super) body: Body,
    pub(super) operator: [u8; SIGNATURE],
    pub(super) device: [u8; SIGNATURE],
    pub(super) account: [u8; SIGNATURE],
}

bisik_core::base64_text! {
    Disclosure: at most Disclosure::LONGEST, or DisclosureError = DisclosureError::Malformed;
    from |bytes| Disclosure::from_bytes(bytes);
    to |disclosure| disclosure.to_bytes();
}

impl Disclosure {
    /// Bytes of the longest disclosure.
    pub const LONGEST: usize = 542;

    /// Reads a disclosure without checking its signatures: see [`Disclosure::verify`].
    ///
    /// # Errors
    ///
    /// [`DisclosureError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DisclosureError> {
        let mut reader = Reader::new(bytes);
        let body = Body::read(&mut reader)?;
        let [operator, device, account] = [*reader.array()?, *reader.array()?, *reader.array()?];
        reader.finish()?;
        Ok(Self { body, operator, device, account })
    }

    /// The bytes to publish. Every disclosure has exactly one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { body, operator, device, account } = self;
        [body.encode().as_slice(), operator, device, account].concat()
    }

    /// The hash of the whole disclosure: the name that device lists, session transcripts and decisions refer to it by. P-11.6.
    #[must_use]
    pub fn hash(&self) -> DisclosureHash {
        disclosure::hash(labels::DISCLOSURE_HASH, &[&self.to_bytes()])
    }

    /// The account that the device belongs to.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.body.account
    }

    /// The hosted device's key.
    #[must_use]
    pub const fn device(&self) -> &IdentityKey {
        &self.body.device
    }

    /// Who holds the device's keys, and on what terms.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.body.terms
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued(&self) -> Timestamp {
        self.body.issued
    }

    /// When it expires; at this moment it is no longer valid.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.body.expires
    }

    /// Its number among the disclosures of the same device key, from 1.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.body.sequence
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, operator: _, device: _, account: _ } = self;
        let Body { account, device, terms, issued, expires, sequence, previous: _ } = body;
        f.debug_struct("Disclosure")
            .field("account", account)
            .field("device", device)
            .field("terms", terms)
            .field("issued", issued)
            .field("expires", expires)
            .field("sequence", sequence)
            .finish_non_exhaustive()
    }
}
