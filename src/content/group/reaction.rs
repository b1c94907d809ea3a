//! [`SealedReaction`]: a reaction that only those can read who have the content it belongs to (docs/spec/content.md,
//! section 7.9).
//!
//! For announcement groups: who may only read sends it to the author alone, who publishes a [`Tally`](super::Tally).

use core::cmp::Ordering;

use rand_core::CryptoRng;

use super::required;
use crate::content::names::bounded;
use crate::content::sealed::{Sealing, Turn, frame, sealed_length};
use crate::content::{BallotError, Content, ContentError, PersonId, PrivateText, Reference, SentAt, limits, wire};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;

/// Seals and opens the reactions to one content that has a secret.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, ContentMeta, Kind, PersonId, Reactions, SentAt, Text};
///
/// let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let meta = ContentMeta::new(now, rng).with_secret(rng);
/// let news = Content::new(meta, Kind::Text(Text::new("we open at nine")))?;
/// let (ana, budi) = (PersonId::new(b"ana")?, PersonId::new(b"budi")?);
///
/// // Budi has received Ana's text and reacts, for nobody but those who have it too.
/// let reactions = Reactions::to(&news, &ana).expect("it has a secret");
/// let sealed = reactions.seal("\u{2764}", &budi, now, None, rng)?;
/// // Ana has received it; the session authenticates Budi as its sender.
/// assert_eq!(&**reactions.open(&sealed, &budi).unwrap().emoji(), "\u{2764}");
/// assert!(reactions.open(&sealed, &ana).is_err(), "it is nobody else's");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Debug)]
pub struct Reactions<'a> {
    reference: Reference,
    sealing: Sealing<'a>,
}

impl<'a> Reactions<'a> {
    /// Returns the reactions to `content`, written by `author`. Returns `None` if its author gave it no
    /// [secret](crate::content::ContentMeta::with_secret).
    #[must_use]
    pub fn to(content: &'a Content, author: &PersonId) -> Option<Self> {
        let secret = content.meta().secret.as_ref()?;
        let reference = content.reference(author);
        let (author, body) = (reference.author.as_bytes(), content.as_body());
        // Bound to the whole body: who reacted to one text is not counted at another under the same name.
        let definition =
            digest(&[labels::REACTED, reference.id.as_bytes(), &frame(author.len()), author, &frame(body.len()), body]);
        Some(Self { reference, sealing: Sealing { secret, label: labels::REACTION, definition } })
    }

    /// Encrypts a reaction. Uses 24 bytes of `rng`; the result has 121 bytes whatever it says.
    ///
    /// `emoji` has at most 64 bytes; an empty one takes the reaction back. `earlier` is the person's reaction that this
    /// one replaces.
    ///
    /// # Errors
    ///
    /// [`ContentError::TooLong`] for a longer emoji.
    pub fn seal(
        &self,
        emoji: &str,
        person: &PersonId,
        sent: SentAt,
        earlier: Option<&OpenedReaction>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedReaction, ContentError> {
        bounded(emoji.len(), 0, limits::EMOJI)?;
        let length = u8::try_from(emoji.len()).map_err(|_| ContentError::TooLong)?;
        let turn = Turn::after(earlier.map(|earlier| earlier.turn), sent)?;
        let said: Secret<SAID> = turn.encode(&[&[length], emoji.as_bytes()]);
        Ok(SealedReaction { target: self.reference.clone(), sealed: self.sealing.seal(said, person, &mut rng) })
    }

    /// Decrypts a reaction of `person`.
    ///
    /// `person` must be the authenticated sender of the message that carried it. Requirement P-7.23.
    ///
    /// # Errors
    ///
    /// [`BallotError`]
    pub fn open(&self, reaction: &SealedReaction, person: &PersonId) -> Result<OpenedReaction, BallotError> {
        let SealedReaction { target, sealed } = reaction;
        if *target != self.reference {
            return Err(BallotError::Rejected);
        }
        OpenedReaction::decode(&self.sealing.open(sealed, person)?)
    }
}

/// An encrypted reaction, with the content that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedReaction {
    target: Reference,
    sealed: [u8; SEALED],
}

impl SealedReaction {
    /// Returns the content to open it with.
    #[must_use]
    pub const fn target(&self) -> &Reference {
        &self.target
    }

    pub(in crate::content) fn to_wire(&self) -> wire::SealedReaction {
        let Self { target, sealed } = self;
        wire::SealedReaction { target: Some(target.to_wire()), sealed: sealed.to_vec() }
    }

    pub(in crate::content) fn from_wire(wire: &wire::SealedReaction) -> Result<Self, ContentError> {
        let wire::SealedReaction { target, sealed } = wire;
        let sealed = sealed.as_slice().try_into().map_err(|_| ContentError::Malformed)?;
        Ok(Self { target: required(target.as_ref())?, sealed })
    }
}

/// A person's reaction, and its place in the sequence of that person's reactions to one content.
///
/// Of several the greatest counts, in the order of this type: sequence, then time, then the emoji's bytes. Requirement
/// P-7.25.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedReaction {
    turn: Turn,
    emoji: PrivateText,
}

impl OpenedReaction {
    /// Returns the emoji. Empty if the reaction was taken back.
    #[must_use]
    pub const fn emoji(&self) -> &PrivateText {
        &self.emoji
    }

    /// Returns when the person reacted, by the person's clock.
    #[must_use]
    pub const fn sent(&self) -> SentAt {
        self.turn.sent()
    }

    /// Requirement P-7.24.
    fn decode(bytes: &Secret<SAID>) -> Result<Self, BallotError> {
        let mut reader = Reader::new(bytes.expose());
        let turn = Turn::decode(&mut reader)?;
        let length = reader.u8().map_err(|_| BallotError::Invalid)?;
        let emoji = reader.slice(length.into()).map_err(|_| BallotError::Invalid)?;
        let emoji = core::str::from_utf8(emoji).map_err(|_| BallotError::Invalid)?;
        let is_zero = reader.rest().iter().all(|byte| *byte == 0);
        if is_zero { Ok(Self { turn, emoji: emoji.into() }) } else { Err(BallotError::Invalid) }
    }
}

impl Ord for OpenedReaction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.turn, &*self.emoji).cmp(&(other.turn, &*other.emoji))
    }
}

impl PartialOrd for OpenedReaction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Bytes of a reaction: sequence, milliseconds, the emoji's length, and the emoji with zeros after it.
const SAID: usize = 8 + 8 + 1 + limits::EMOJI;
/// Bytes of an encrypted reaction.
const SEALED: usize = sealed_length(SAID);
