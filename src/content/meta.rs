//! [`ContentMeta`]: what every content says of itself, whatever its kind.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use rand_core::CryptoRng;

use super::sealed::AnswerSecret;
use super::{ContentError, ContentId, Reference, SentAt, wire};

/// The metadata of a content.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use core::num::NonZeroU32;
/// use bisik::content::{ContentId, ContentMeta, PersonId, Reference, SentAt};
///
/// let mut meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// meta.reply_to = Some(Reference { author: PersonId::new(b"budi")?, id: ContentId::from_bytes([7; 16]) });
/// meta.disappears_after = NonZeroU32::new(86_400); // a day after it was read
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentMeta {
    /// The id of the content, unique for its author.
    pub id: ContentId,
    /// When it was sent, by the sender's clock.
    pub sent: SentAt,
    /// The content that this one replies to, if any.
    pub reply_to: Option<Reference>,
    /// Disappears this many seconds after it was read: at most a year, or `None` for never. Advisory: a peer's program
    /// can ignore it, and its user can take a screenshot.
    pub disappears_after: Option<NonZeroU32>,
    /// Whether to show it only once; for photos, videos and voice notes. Advisory in the same way: the peer has the
    /// bytes.
    pub view_once: bool,
    /// Whether another person wrote it, or the sender wrote it earlier.
    /// [`Content::forward`](super::Content::forward) sets it.
    pub forwarded: bool,
    /// Whether a program wrote it and no person read it before it was sent. [`Content::new`](super::Content::new) sets
    /// it for greetings and away messages. A program that replies automatically sets it for everything else it sends.
    /// Requirement P-7.17.
    pub automated: bool,
    /// The secret of [`ContentMeta::with_secret`], boxed.
    pub(super) secret: Option<AnswerSecret>,
}

impl ContentMeta {
    /// Returns metadata with a fresh id, from 16 bytes of `rng`, and all else unset.
    #[must_use]
    pub fn new(sent: SentAt, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let id = ContentId::generate(rng);
        Self {
            id,
            sent,
            reply_to: None,
            disappears_after: None,
            view_once: false,
            forwarded: false,
            automated: false,
            secret: None,
        }
    }

    /// Gives the content a secret, from 32 bytes of `rng`, under which its readers can seal
    /// [reactions](super::Reactions). For content that is shown, in groups where not everybody may write to all.
    ///
    /// It is for one content: a clone of this metadata has the same secret, and belongs to the same content.
    /// [`Content::forward`](super::Content::forward) refuses it. Requirement P-7.26.
    #[must_use]
    pub fn with_secret(mut self, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        self.secret = Some(AnswerSecret::generate(rng));
        self
    }

    pub(super) fn to_wire(&self) -> wire::Content {
        let Self { id, sent, reply_to, disappears_after, view_once, forwarded, automated, secret } = self;
        wire::Content {
            id: id.to_wire(),
            sent_ms: sent.as_unix_milliseconds(),
            reply_to: reply_to.as_ref().map(Reference::to_wire),
            disappears_after_s: wire::zero_for_none(*disappears_after),
            view_once: *view_once,
            forwarded: *forwarded,
            automated: *automated,
            secret: secret.as_ref().map_or_else(Vec::new, |secret| secret.expose_bytes().to_vec()),
            kind: None,
        }
    }

    pub(super) fn from_wire(wire: &wire::Content) -> Result<Self, ContentError> {
        let wire::Content {
            id,
            sent_ms,
            reply_to,
            disappears_after_s,
            view_once,
            forwarded,
            automated,
            secret,
            kind: _,
        } = wire;
        let secret = if secret.is_empty() { None } else { Some(AnswerSecret::from_wire(secret)?) };
        Ok(Self {
            id: ContentId::from_wire(id)?,
            sent: SentAt::from_unix_milliseconds(*sent_ms)?,
            reply_to: reply_to.as_ref().map(Reference::from_wire).transpose()?,
            disappears_after: NonZeroU32::new(*disappears_after_s),
            view_once: *view_once,
            forwarded: *forwarded,
            automated: *automated,
            secret,
        })
    }
}
