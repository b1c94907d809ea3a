//! Add-ons: payloads encrypted under the secret of another message, such as votes, reactions, comments, event responses
//! and edits (docs/interop.md, section 10).
//!
//! Names are strings and payloads are bytes. Every holder of the secret can encrypt in any name, so that a receiver
//! must take the names from the authenticated session, never from the message itself.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::fields::{bytes_length, put_bytes};
use bisik_core::codec::{Malformed, Record, Records, Value};
use bisik_core::primitives::aes_gcm::{self, GCM_NONCE};
use bisik_core::primitives::kdf::{Prk, digest};
use bisik_core::primitives::secret::Secret;

/// The kind of a payload. Each has its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UseCase {
    /// A vote in a poll.
    PollVote,
    /// An encrypted reaction.
    Reaction,
    /// A comment under an announcement.
    Comment,
    /// A token that lets the server check a report.
    ReportToken,
    /// A response to an event's invitation.
    EventResponse,
    /// An edit of an event.
    EventEdit,
    /// An edit of a message.
    MessageEdit,
    /// An edit of a poll.
    PollEdit,
    /// A further option of a poll.
    PollAddOption,
}

impl UseCase {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::PollVote,
        Self::Reaction,
        Self::Comment,
        Self::ReportToken,
        Self::EventResponse,
        Self::EventEdit,
        Self::MessageEdit,
        Self::PollEdit,
        Self::PollAddOption,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::PollVote => "Poll Vote",
            Self::Reaction => "Enc Reaction",
            Self::Comment => "Enc Comment",
            Self::ReportToken => "Report Token",
            Self::EventResponse => "Event Response",
            Self::EventEdit => "Event Edit",
            Self::MessageEdit => "Message Edit",
            Self::PollEdit => "Poll Edit",
            Self::PollAddOption => "Poll Add Option",
        }
    }

    /// Whether associated data binds the payload to its message and author, in addition to the key. S-10.3.
    const fn has_associated_data(self) -> bool {
        match self {
            Self::PollVote | Self::EventResponse => true,
            Self::Reaction
            | Self::Comment
            | Self::ReportToken
            | Self::EventEdit
            | Self::MessageEdit
            | Self::PollEdit
            | Self::PollAddOption => false,
        }
    }
}

/// The context of a payload. Names are those of people, without device numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddOn<'a> {
    /// The kind of the payload.
    pub use_case: UseCase,
    /// The id of the message that carries the secret.
    pub parent: &'a str,
    /// The sender of that message.
    pub parent_sender: &'a str,
    /// The author of the payload: the authenticated sender of the message that carries it.
    pub author: &'a str,
}

/// An encrypted payload, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPayload {
    /// The initialisation vector.
    pub iv: [u8; 12],
    /// Ciphertext and tag.
    pub payload: Vec<u8>,
}

bisik_core::boxed_secret! {
    /// The 32-byte secret that a message carries for add-ons by others. Zeroized on drop, absent from `Debug`.
    ///
    /// ```
    /// # mod bisik { pub use bisik_interop as interop; }
    /// # let rng = &mut rand::rng();
    /// use bisik::interop::whatsapp::{AddOn, MessageSecret, PollVote, UseCase};
    ///
    /// let secret = MessageSecret::generate(rng); // sent in the poll
    /// let context = AddOn {
    ///     use_case: UseCase::PollVote,
    ///     parent: "3EB0ABCD",
    ///     parent_sender: "111@s.whatsapp.net",
    ///     author: "222@s.whatsapp.net",
    /// };
    /// let vote = PollVote::of(&["Bakso"]);
    /// let sealed = secret.seal_vote(&context, &vote, rng)?;
    /// assert_eq!(secret.open_vote(&context, &sealed)?, vote);
    ///
    /// let other = AddOn { author: "333@s.whatsapp.net", ..context };
    /// assert!(secret.open_vote(&other, &sealed).is_err());
    /// # Ok::<(), bisik::interop::whatsapp::AddOnError>(())
    /// ```
    pub struct MessageSecret([u8; 32]);
    /// The secret from a received message.
    pub fn from_bytes(bytes);
    /// The 32 secret bytes, for the message. The caller zeroizes any copies.
    pub fn expose_bytes();
    /// A new secret from 32 bytes of `rng`.
    pub fn generate(rng);
}

impl MessageSecret {
    /// Encrypts `payload`. Uses 12 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`AddOnError::TooLong`] if the payload is longer than 64 KiB.
    pub fn seal(
        &self,
        context: &AddOn<'_>,
        payload: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedPayload, AddOnError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(AddOnError::TooLong);
        }
        let mut iv = [0; GCM_NONCE];
        rng.fill_bytes(&mut iv);
        let sealed = aes_gcm::seal(&self.key(context), &iv, &associated(context), payload);
        Ok(SealedPayload { iv, payload: sealed? })
    }

    /// Decrypts a payload.
    ///
    /// # Errors
    ///
    /// [`AddOnError::Rejected`] if secret, message, author or use case are not the payload's, or it was changed;
    /// [`AddOnError::TooLong`] if it is longer than 64 KiB.
    pub fn open(&self, context: &AddOn<'_>, sealed: &SealedPayload) -> Result<Vec<u8>, AddOnError> {
        if sealed.payload.len() > MAX_PAYLOAD + TAG {
            return Err(AddOnError::TooLong);
        }
        let opened = aes_gcm::open(&self.key(context), &sealed.iv, &associated(context), &sealed.payload);
        opened.map_err(|_| AddOnError::Rejected)
    }

    /// Encrypts a vote. Uses 12 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// As for [`seal`](Self::seal).
    pub fn seal_vote(
        &self,
        context: &AddOn<'_>,
        vote: &PollVote,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedPayload, AddOnError> {
        let mut payload = vote.to_bytes();
        let sealed = self.seal(context, &payload, rng);
        payload.zeroize();
        sealed
    }

    /// Decrypts a vote.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); [`AddOnError::Rejected`] also if the payload is not a vote.
    pub fn open_vote(&self, context: &AddOn<'_>, sealed: &SealedPayload) -> Result<PollVote, AddOnError> {
        let mut payload = self.open(context, sealed)?;
        let vote = PollVote::from_bytes(&payload);
        payload.zeroize();
        vote
    }

    /// The secret for messages to and from bots, which are parties of their own. S-10.5.
    #[must_use]
    pub fn for_bots(&self) -> Self {
        Self(Box::new(Prk::extract(&[], &[self.0.expose()]).expand(&[b"Bot Message"])))
    }

    /// The names are concatenated without lengths, as the format requires. S-10.1.
    pub(super) fn key(&self, context: &AddOn<'_>) -> Secret<32> {
        let AddOn { use_case, parent, parent_sender, author } = context;
        let info = [parent.as_bytes(), parent_sender.as_bytes(), author.as_bytes(), use_case.label().as_bytes()];
        Prk::extract(&[], &[self.0.expose()]).expand(&info)
    }
}

/// The associated data: `parent ‖ 00 ‖ author`, or empty. S-10.3.
fn associated(context: &AddOn<'_>) -> Vec<u8> {
    let AddOn { use_case, parent, parent_sender: _, author } = context;
    if use_case.has_associated_data() { [parent.as_bytes(), &[0], author.as_bytes()].concat() } else { Vec::new() }
}

/// A vote: the chosen options, each as SHA-256 of its name. An empty vote withdraws an earlier one.
#[derive(Clone, PartialEq, Eq)]
pub struct PollVote {
    chosen: Zeroizing<Vec<[u8; 32]>>,
}

impl PollVote {
    /// The most options in one vote.
    pub const MAX_CHOSEN: usize = 64;

    /// A vote for the options with these names. Options beyond the first 64 are ignored.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self::from_chosen(names.iter().take(Self::MAX_CHOSEN).map(|name| Self::option(name)).collect())
    }

    /// A vote for the options with these hashes. Options beyond the first 64 are ignored.
    #[must_use]
    pub fn of_hashes(hashes: &[[u8; 32]]) -> Self {
        Self::from_chosen(hashes.iter().take(Self::MAX_CHOSEN).copied().collect())
    }

    /// The hash by which a vote names an option: SHA-256 of its name. S-10.2.
    #[must_use]
    pub fn option(name: &str) -> [u8; 32] {
        digest(&[name.as_bytes()])
    }

    /// The hashes of the chosen options. Ignore a hash that belongs to no option of the poll.
    #[must_use]
    pub fn chosen(&self) -> &[[u8; 32]] {
        &self.chosen
    }

    fn from_chosen(chosen: Vec<[u8; 32]>) -> Self {
        Self { chosen: Zeroizing::new(chosen) }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.chosen.len().saturating_mul(bytes_length(HASH)));
        for hash in self.chosen.iter() {
            put_bytes(&mut bytes, CHOSEN, hash);
        }
        bytes
    }

    /// Parsed without prost, which copies byte strings into memory that is not zeroized.
    fn from_bytes(bytes: &[u8]) -> Result<Self, AddOnError> {
        let mut vote = Self::from_chosen(Vec::with_capacity(Self::MAX_CHOSEN));
        for record in Records::of(bytes) {
            let Record { number, value, bytes: _ } = record.map_err(|Malformed| AddOnError::Rejected)?;
            if number != u32::from(CHOSEN) {
                continue;
            }
            let Value::Bytes(hash) = value else { return Err(AddOnError::Rejected) };
            if vote.chosen.len() == Self::MAX_CHOSEN {
                return Err(AddOnError::Rejected);
            }
            vote.chosen.push(hash.try_into().map_err(|_| AddOnError::Rejected)?);
        }
        Ok(vote)
    }
}

impl fmt::Debug for PollVote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chosen } = self;
        f.debug_struct("PollVote").field("chosen", &chosen.len()).finish_non_exhaustive()
    }
}

/// Why a payload was not encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddOnError {
    /// The payload is longer than 64 KiB.
    TooLong,
    /// Not encrypted with this secret for this message, author and use case, or changed: drop it.
    Rejected,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    AddOnError {
        TooLong => "interop.whatsapp.add_on.too_long", "the payload is longer than 64 KiB";
        Rejected => "interop.whatsapp.add_on.rejected",
            "the payload was made with another secret or for another message, author or use, or was changed";
        @Internal => "interop.whatsapp.add_on.internal";
    }
}

/// Number of the repeated field of a vote.
const CHOSEN: u8 = 1;
/// Bytes of an option's hash.
const HASH: usize = 32;

/// Bytes of the longest payload: comments, the longest add-ons, are messages.
const MAX_PAYLOAD: usize = 64 << 10;
/// Bytes of a tag.
const TAG: usize = bisik_core::primitives::aead::TAG;

#[cfg(test)]
mod tests {
    use super::*;

    /// S-10.1. Computed independently in Python.
    #[test]
    fn a_key_agrees_with_an_independent_computation() {
        let context = AddOn {
            use_case: UseCase::PollVote,
            parent: "3EB0ABCD",
            parent_sender: "111@s.whatsapp.net",
            author: "222@s.whatsapp.net",
        };
        let expected = [
            0xf7, 0x1d, 0xcf, 0xa4, 0x27, 0x51, 0xd7, 0x2c, 0xdd, 0x77, 0xf8, 0xa9, 0x3c, 0x0f, 0x0c, 0xf6, 0xa4, 0x5f,
            0x9d, 0x95, 0x91, 0xda, 0x8e, 0xaf, 0x5e, 0x17, 0x5b, 0xb8, 0x93, 0x00, 0x35, 0x05,
        ];
        assert_eq!(MessageSecret::from_bytes([7; 32]).key(&context).expose(), &expected);
    }
}
