//! What people send each other: typed, bounded, padded, and open to kinds that come later (docs/spec/content.md,
//! section 7).
//!
//! Does not encrypt, except the votes of a poll, and does not know sessions: a body is what a session encrypts. Does not know
//! what is shown or stored, and cannot make a peer forget: what says that it disappears, is shown once or is deleted is a
//! request to the peer's program, and no more.
//!
//! ```
//! # let rng = &mut rand::rng();
//! # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
//! use bisik::content::{Content, Envelope, Kind, PersonId, SentAt, Text};
//! # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(1_800_000_000));
//! # let keys = PreKeys::generate(&bob, now, rng);
//! # let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
//! # let mut session = Session::initiate(&alice, &bundle, rng)?;
//!
//! let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
//! let halo = Content::new(Envelope::new(sent, rng), Kind::Text(Text::new("halo")))?;
//! let message = session.encrypt(halo.as_body(), rng)?;
//!
//! # let Accepted { session, plaintext, .. } = Session::accept(&bob, &keys, &message, Trust::OnFirstUse)?;
//! let arrived = Content::from_body(&plaintext)?;
//! let author = PersonId::from(session.peer());
//! match arrived.kind() {
//!     Kind::Text(text) => println!("{author:?} writes {}", &*text.body),
//!     Kind::Unknown(_) => println!("update to see this"),
//!     other => println!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attachment; // 7.3  photo, video, voice note, document, sticker, contact
mod business; //   7.8  greetings, catalogues, carts, answers to choose from
mod error; //           why not
mod kind; //            what a content can be
mod limits; //     7.3  every bound, with its reason
mod location; //   7.4  places, and shared positions
mod names; //      7.4  who, which, when
mod padding; //    7.1  bodies
mod poll; //       7.5  polls and sealed votes
mod private; //         texts and bytes that wipe themselves
mod receipt; //    7.6  only for what is shown
mod shape; //      7.2  the schema as bounds
mod text; //       7.4  text, edits, reactions
mod wire; //            the messages of content.proto

use alloc::vec::Vec;
use core::fmt;

use prost::Message;
use prost::bytes::Bytes;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

pub use attachment::{Blob, Contact, Dimensions, Document, Photo, Sticker, Video, VoiceNote};
pub use business::{
    Action, Availability, Away, Button, Buttons, Cart, CartLine, CatalogueItem, Choice, Greeting, List, Opening,
    Origin, Price, Profile, QuickReplies, Referral, Row, Section, Selection,
};
pub use error::{BallotError, ContentError};
pub use kind::{Kind, Unknown};
pub use location::{Coordinates, LiveShare, LiveStart, LiveStop, LiveUpdate, Location};
pub use names::{ContentId, PersonId, Reference, SentAt};
pub use poll::{Ballot, Poll, Vote, Votes};
pub use private::{PrivateBytes, PrivateText};
pub use receipt::{Receipt, ReceiptStatus, Visible};
pub use text::{Call, Delete, Edit, Mention, Reaction, Text, Timer};

use crate::codec::{Record, Records, SecretWriter};
use crate::time::Timestamp;

/// What is around the thing that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Which content of its author's this is.
    pub id: ContentId,
    /// When it was sent, by the sender's clock.
    pub sent: SentAt,
    /// What it answers.
    pub reply_to: Option<Reference>,
    /// Gone this many seconds after it was read: at most a year, 0 for never. Advisory: a peer's program can ignore it, and its
    /// user can keep a picture of the screen.
    pub disappears_after: u32,
    /// A photo, video or voice note that is shown once. Advisory in the same way: the bytes are with the peer.
    pub view_once: bool,
    /// Somebody else wrote it, or the sender at another time; [`Content::forward`] sets it.
    pub forwarded: bool,
    /// P-7.17. A machine wrote it, and nobody has read it before it was sent. [`Content::new`] sets it for greetings and away
    /// messages; a program that answers by itself sets it for whatever else it sends.
    pub automated: bool,
}

impl Envelope {
    /// An envelope with an id of its own, from 16 bytes of `rng`, and nothing else.
    #[must_use]
    pub fn new(sent: SentAt, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let id = ContentId::generate(rng);
        Self { id, sent, reply_to: None, disappears_after: 0, view_once: false, forwarded: false, automated: false }
    }

    fn to_wire(&self) -> wire::Content {
        let Self { id, sent, reply_to, disappears_after, view_once, forwarded, automated } = self;
        wire::Content {
            id: id.to_wire(),
            sent_ms: sent.as_unix_milliseconds(),
            reply_to: reply_to.as_ref().map(Reference::to_wire),
            disappears_after_s: *disappears_after,
            view_once: *view_once,
            forwarded: *forwarded,
            automated: *automated,
            kind: None,
        }
    }

    fn from_wire(wire: &wire::Content) -> Result<Self, ContentError> {
        let wire::Content { id, sent_ms, reply_to, disappears_after_s, view_once, forwarded, automated, kind: _ } =
            wire;
        Ok(Self {
            id: ContentId::from_wire(id)?,
            sent: SentAt::from_unix_milliseconds(*sent_ms)?,
            reply_to: reply_to.as_ref().map(Reference::from_wire).transpose()?,
            disappears_after: *disappears_after_s,
            view_once: *view_once,
            forwarded: *forwarded,
            automated: *automated,
        })
    }
}

/// One thing that somebody sends: an envelope, and the thing itself. Composed with [`Content::new`], or read from a body.
///
/// It keeps the bytes that it was read from. So nothing is lost that this version does not know: [`Content::as_body`] is
/// the very same body, and [`Content::forward`] takes the unknown along. Contents are equal when their bytes are.
///
/// `Debug` shows lengths and kinds, no text, no name, no place and no key; everything secret is wiped on drop.
#[derive(Clone)]
pub struct Content {
    envelope: Envelope,
    kind: Kind,
    body: Zeroizing<Vec<u8>>,
}

impl Content {
    /// Composes a content.
    ///
    /// # Errors
    ///
    /// [`ContentError::TooLong`] and [`ContentError::OutOfRange`] as docs/spec/content.md, section 7.3, says;
    /// [`ContentError::Unfit`] for `view_once` on what cannot be shown once, and for a kind that is not known here, which
    /// only [`Content::forward`] can send.
    pub fn new(mut envelope: Envelope, kind: Kind) -> Result<Self, ContentError> {
        envelope.automated |= kind.is_automated();
        let mut wire = Zeroizing::new(envelope.to_wire());
        wire.kind = Some(kind.to_wire().ok_or(ContentError::Unfit)?);
        let body = padding::pad(&Zeroizing::new(wire.encode_to_vec()))?;
        Self { envelope, kind, body }.checked()
    }

    /// Reads a body: the plaintext of a message, from an authenticated peer.
    ///
    /// # Errors
    ///
    /// [`ContentError`]; whichever it is, the body is dropped. A kind that is not known here is no error.
    pub fn from_body(body: &[u8]) -> Result<Self, ContentError> {
        let protobuf = padding::unpad(body)?;
        shape::check(shape::CONTENT, protobuf).map_err(|_| ContentError::Malformed)?;
        let number = shape::kind(protobuf).map_err(|_| ContentError::Malformed)?;
        // Into a value that is wiped, whatever becomes of the rest; and from shared bytes, which are wiped too: out of a slice prost
        // would copy every byte string twice, and leave the first copy behind.
        let mut wire = Zeroizing::new(wire::Content::default());
        let shared = Bytes::from_owner(Zeroizing::new(protobuf.to_vec()));
        wire.merge(shared).map_err(|_| ContentError::Malformed)?;
        let kind = Kind::from_wire(wire.kind.as_mut(), number)?;
        let envelope = Envelope::from_wire(&wire)?;
        Self { envelope, kind, body: Zeroizing::new(body.to_vec()) }.checked()
    }

    /// The body: what to encrypt. Padded to at least 32 bytes, and by less than an eighth; at most 256 KiB. Of a content that was
    /// read, the body that it was read from.
    #[must_use]
    pub fn as_body(&self) -> &[u8] {
        &self.body
    }

    /// P-7.6. The same thing in an envelope of its own, marked as forwarded: with everything that this version does not
    /// know of it,
    /// and without what tied it to its place (id, time, answer, timer).
    ///
    /// # Errors
    ///
    /// [`ContentError::Unfit`] for what is shown once, and for kinds that mean something in their conversation only;
    /// else as [`Content::new`].
    pub fn forward(&self, mut envelope: Envelope) -> Result<Self, ContentError> {
        if self.view_once() || !self.kind.can_be_forwarded() {
            return Err(ContentError::Unfit);
        }
        envelope.forwarded = true;
        let mut protobuf = SecretWriter::with_capacity(self.body.len());
        protobuf.bytes(&envelope.to_wire().encode_to_vec());
        for Record { number, bytes, .. } in Records::of(padding::unpad(&self.body)?).flatten() {
            // What this version writes into the envelope is the new one's; all else is kept as it came.
            if number > LAST_OF_ENVELOPE {
                protobuf.bytes(bytes);
            }
        }
        let body = padding::pad(&protobuf.finish())?;
        Self { envelope, kind: self.kind.clone(), body }.checked()
    }

    /// P-7.7. What holds for every content, composed, read or forwarded.
    fn checked(self) -> Result<Self, ContentError> {
        let Self { envelope, kind, body: _ } = &self;
        let Envelope { id: _, sent: _, reply_to: _, disappears_after, view_once, forwarded: _, automated } = envelope;
        names::within(*disappears_after, 0, limits::TIMER_S)?;
        if *view_once && !kind.takes_view_once() {
            return Err(ContentError::Unfit);
        }
        // P-7.17. What only a machine sends says so, to readers that do not know the kind as well.
        if kind.is_automated() && !automated {
            return Err(ContentError::OutOfRange);
        }
        kind.check()?;
        Ok(self)
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What is around it.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Which content of its author's this is.
    #[must_use]
    pub const fn id(&self) -> ContentId {
        self.envelope.id
    }

    /// When it was sent, by the sender's clock.
    #[must_use]
    pub const fn sent(&self) -> SentAt {
        self.envelope.sent
    }

    /// P-7.9. Its name, given who wrote it: the authenticated peer.
    #[must_use]
    pub fn reference(&self, author: &PersonId) -> Reference {
        Reference { author: author.clone(), id: self.id() }
    }

    /// P-7.16. The proof that a [`Receipt`] needs; `None` for what is not shown by itself.
    #[must_use]
    pub fn visible(&self) -> Option<Visible<'_>> {
        Visible::of(self)
    }

    /// Whether it should be shown once. Advisory.
    #[must_use]
    pub const fn view_once(&self) -> bool {
        self.envelope.view_once
    }

    /// When it should be gone, if it was read at `read`; `None` for never. Advisory.
    #[must_use]
    pub fn disappears(&self, read: Timestamp) -> Option<Timestamp> {
        let seconds = self.envelope.disappears_after;
        (seconds > 0).then(|| read.plus_seconds(u64::from(seconds)))
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { envelope, kind, body: _ } = self;
        f.debug_struct("Content").field("envelope", envelope).field("kind", kind).finish_non_exhaustive()
    }
}

/// The last field of the envelope that this version knows.
const LAST_OF_ENVELOPE: u32 = 7;
