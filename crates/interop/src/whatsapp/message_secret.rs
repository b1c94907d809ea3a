//! What is encrypted under the secret of another message: votes, reactions, comments, answers to events, edits
//! (docs/interop.md, section 10).
//!
//! Does not know the messages: names are strings, payloads bytes. Whoever has the secret can write in anybody's name, so a
//! receiver takes the names from the session that the message came by, never from the message itself.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::fields::{bytes_length, put_bytes};
use bisik_core::codec::{Malformed, Record, Records, Value};
use bisik_core::internal::InternalError;
use bisik_core::primitives::aes_gcm::{self, GCM_NONCE};
use bisik_core::primitives::kdf::{HmacSha256, Prk, digest};
use bisik_core::primitives::secret::Secret;

/// What a payload is; each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UseCase {
    /// A vote in a poll.
    PollVote,
    /// A reaction, where the plain one would say too much.
    Reaction,
    /// A comment under an announcement.
    Comment,
    /// A token by which a report can be checked.
    ReportToken,
    /// An answer to an invitation.
    EventResponse,
    /// A change of an event.
    EventEdit,
    /// A change of a message.
    MessageEdit,
    /// A change of a poll.
    PollEdit,
    /// One more option in a poll.
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

    /// S-10.3. Whether the payload is bound to its message and author once more, as associated data.
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

/// What a payload belongs to. Names of people are without their devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddOn<'a> {
    /// What the payload is.
    pub use_case: UseCase,
    /// The identifier of the message with the secret.
    pub parent: &'a str,
    /// Who sent that message.
    pub parent_sender: &'a str,
    /// Who writes the payload: the authenticated sender of what carries it.
    pub author: &'a str,
}

/// A payload, as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPayload {
    /// The initialisation vector.
    pub iv: [u8; 12],
    /// Ciphertext and tag.
    pub payload: Vec<u8>,
}

bisik_core::boxed_secret! {
    /// The 32-byte secret that a message carries for what others will add to it. Wiped on drop, absent from `Debug`.
    ///
    /// ```
    /// # mod bisik { pub use bisik_interop as interop; }
    /// # let rng = &mut rand::rng();
    /// use bisik::interop::whatsapp::{AddOn, MessageSecret, PollVote, UseCase};
    ///
    /// let secret = MessageSecret::generate(rng); // in the poll
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
    /// The secret that a message carried.
    pub fn from_bytes(bytes);
    /// The 32 secret bytes, for the message. Copies of them are the caller's to wipe.
    pub fn expose_bytes();
    /// A new secret from 32 bytes of `rng`.
    pub fn generate(rng);
}

impl MessageSecret {
    /// Encrypts `payload`. Uses 12 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`AddOnError::TooLong`] past 64 KiB.
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
    /// [`AddOnError::Rejected`] where secret, message, author or use are not the ones it was made for, or it was changed;
    /// [`AddOnError::TooLong`] past 64 KiB.
    pub fn open(&self, context: &AddOn<'_>, sealed: &SealedPayload) -> Result<Vec<u8>, AddOnError> {
        if sealed.payload.len() > MAX_PAYLOAD + TAG {
            return Err(AddOnError::TooLong);
        }
        let opened = aes_gcm::open(&self.key(context), &sealed.iv, &associated(context), &sealed.payload);
        opened.map_err(|_| AddOnError::Rejected)
    }

    /// [`seal`](Self::seal) of a vote.
    ///
    /// # Errors
    ///
    /// As [`seal`](Self::seal).
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

    /// [`open`](Self::open) of a vote.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`AddOnError::Rejected`] also where the payload is no vote.
    pub fn open_vote(&self, context: &AddOn<'_>, sealed: &SealedPayload) -> Result<PollVote, AddOnError> {
        let mut payload = self.open(context, sealed)?;
        let vote = PollVote::from_bytes(&payload);
        payload.zeroize();
        vote
    }

    /// S-10.4. A token over the fields of a message that a report would show: the reporter can prove them to the server, which
    /// reads nothing else. Which fields those are, in which encoding, is the application's protocol. The use is always
    /// [`UseCase::ReportToken`].
    #[must_use]
    pub fn reporting_token(&self, context: &AddOn<'_>, fields: &[u8]) -> [u8; 16] {
        let context = AddOn { use_case: UseCase::ReportToken, ..*context };
        let mac = HmacSha256::new(&self.key(&context)).hash(&[fields]);
        mac.truncate()
    }

    /// S-10.5. The secret of messages to and from bots, which are parties of their own and no ends of a conversation.
    #[must_use]
    pub fn for_bots(&self) -> Self {
        Self(Box::new(Prk::extract(&[], &[self.0.expose()]).expand(&[b"Bot Message"])))
    }

    /// S-10.1. The names are joined without lengths, as the wire has it.
    fn key(&self, context: &AddOn<'_>) -> Secret<32> {
        let AddOn { use_case, parent, parent_sender, author } = context;
        let info = [parent.as_bytes(), parent_sender.as_bytes(), author.as_bytes(), use_case.label().as_bytes()];
        Prk::extract(&[], &[self.0.expose()]).expand(&info)
    }
}

/// S-10.3. `parent ‖ 00 ‖ author`, or nothing.
fn associated(context: &AddOn<'_>) -> Vec<u8> {
    let AddOn { use_case, parent, parent_sender: _, author } = context;
    if use_case.has_associated_data() { [parent.as_bytes(), &[0], author.as_bytes()].concat() } else { Vec::new() }
}

/// A vote: the options that were chosen, as SHA-256 of their names. None takes an earlier vote back.
#[derive(Clone, PartialEq, Eq)]
pub struct PollVote {
    chosen: Zeroizing<Vec<[u8; 32]>>,
}

impl PollVote {
    /// The most options in one vote.
    pub const MAX_CHOSEN: usize = 64;

    /// A vote for the options with these names, of which the first 64 count.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self::from_chosen(names.iter().take(Self::MAX_CHOSEN).map(|name| Self::option(name)).collect())
    }

    /// A vote for the options with these hashes, of which the first 64 count.
    #[must_use]
    pub fn of_hashes(hashes: &[[u8; 32]]) -> Self {
        Self::from_chosen(hashes.iter().take(Self::MAX_CHOSEN).copied().collect())
    }

    /// S-10.2. What a vote calls the option with this name: SHA-256.
    #[must_use]
    pub fn option(name: &str) -> [u8; 32] {
        digest(&[name.as_bytes()])
    }

    /// The hashes of the chosen options. One that no option of the poll has means nothing.
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

    /// By hand, because prost copies byte strings on the way into memory that nobody wipes.
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
    /// More than 64 KiB.
    TooLong,
    /// Not made with this secret for this message, author and use, or changed since: drop it.
    Rejected,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    AddOnError {
        TooLong => "interop.whatsapp.add_on.too_long", "the payload is longer than 64 KiB";
        Rejected => "interop.whatsapp.add_on.rejected",
            "the payload was made with another secret or for another message, author or use, or was changed";
        Internal => "interop.whatsapp.add_on.internal", InternalError::TEXT;
    }
}

impl From<InternalError> for AddOnError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
    }
}

/// Number of the field that is repeated in a vote.
const CHOSEN: u8 = 1;
/// Bytes of the hash of an option.
const HASH: usize = 32;

/// Bytes of the longest payload: comments are messages, and no add-on is longer than one.
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
