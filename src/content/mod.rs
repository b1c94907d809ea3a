//! The contents of messages: typed, bounded, padded, and open to later kinds
//! ([section 7](crate::manual::spec::content#7-content)).
//!
//! A [`Content`] is encoded as a body, which the application passes to [`Session::encrypt`](crate::Session::encrypt) as
//! the plaintext. This module encrypts nothing except votes, answers to events, and sealed reactions.
//!
//! Disappearing, showing once and deleting are only requests to the peer's program. Nothing can make a peer forget
//! bytes that it has decrypted.
//!
//! ```
//! # let rng = &mut rand::rng();
//! # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
//! use bisik::content::{Content, ContentMeta, Kind, PersonId, SentAt, Text};
//! # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(1_800_000_000));
//! # let keys = PreKeys::generate(&bob, now, rng);
//! # let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
//! # let mut session = Session::initiate(&alice, &bundle, now, rng)?;
//!
//! let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
//! let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
//! let message = session.encrypt(halo.as_body(), rng)?;
//!
//! # let Accepted { session, plaintext, .. } = Session::accept(&bob, &keys, &message, Trust::OnFirstUse, now)?;
//! let arrived = Content::from_body(&plaintext.show_unconfirmed())?; // the first message, so marked as unconfirmed
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
mod error; //           errors
mod file_name; //  7.3  names of documents
mod group; //      7.9  pins, events, albums, removals, sealed reactions, tallies
mod kind; //            every type of content
mod limits; //     7.3  every bound, with its reason
mod location; //   7.4  places, and live location sharing
mod meta; //            what every content says of itself
mod names; //      7.4  persons, ids, times
mod padding; //    7.1  padded bodies
mod policy; //     7.10 who may change what, and for how long
mod poll; //       7.5  polls and sealed votes
mod private; //         text and bytes that are wiped on drop
mod receipt; //    7.6  receipts, only for contents that are shown
mod sealed; //     7.5  answers that only the holders of a content read
mod shape; //      7.2  the schema as bounds on the encoding
mod text; //       7.4  text, edits, reactions
mod wire; //            the messages of content.proto

use alloc::vec::Vec;
use core::fmt;

use prost::Message;
use prost::bytes::Bytes;
use zeroize::Zeroizing;

pub use attachment::{Blob, Contact, Dimensions, Document, Photo, Sticker, Video, VoiceNote};
pub use business::{
    Action, Availability, Away, Button, Buttons, Cart, CartLine, CatalogueItem, Greeting, ListMenu, OpeningHours,
    Origin, Price, Profile, QuickReplies, Referral, ReplyOption, Row, Section, Selection,
};
pub use error::{BallotError, ContentError};
pub use file_name::FileName;
pub use group::{
    Album, Answered, Attendance, Count, Event, OpenedReaction, Pin, PinWord, Reactions, Remove, Rsvp, RsvpAnswer,
    Rsvps, SealedReaction, Tally, Unpin, album_of, event_shown, pinned, tallied,
};
pub use kind::{Kind, Unknown};
pub use location::{Coordinates, LiveShare, LiveStart, LiveStop, LiveUpdate, Location};
pub use meta::ContentMeta;
pub use names::{ContentId, PersonId, Reference, SentAt};
pub use policy::{DELETE_WINDOW, DELIVERY_WINDOW, EDIT_WINDOW, MOST_PINS, Policy, Times};
pub use poll::{Ballot, Poll, Vote, Votes};
pub use private::{PrivateBytes, PrivateText};
pub use receipt::{Receipt, ReceiptStatus, Visible};
pub use text::{Call, Delete, Edit, Mention, Reaction, Text, Timer};

use bisik_core::codec::{Record, Records, SecretWriter};
use bisik_core::time::Timestamp;

/// A content: metadata and a [`Kind`]. Composed with [`Content::new`], or read from a body with
/// [`Content::from_body`].
///
/// It keeps the bytes that it was read from, so it loses nothing that this version does not know: [`Content::as_body`]
/// returns the same body, and [`Content::forward`] includes the unknown fields. Two contents are equal if their bytes
/// are.
///
/// `Debug` shows lengths and kinds, but no text, name, place or key. All secrets are wiped on drop.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, ContentMeta, Kind, SentAt, Text};
///
/// let meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let sent = Content::new(meta, Kind::Text(Text::new("halo")))?;
///
/// // A session encrypts `sent.as_body()`, and the peer's decrypts it.
/// let read = Content::from_body(sent.as_body())?;
/// match read.kind() {
///     Kind::Text(text) => assert_eq!(&*text.body, "halo"),
///     Kind::Photo(_) => { /* download, decrypt and show it */ }
///     // A newer version may know more kinds. Say that there is something to update for.
///     other => panic!("cannot show {other:?}"),
/// }
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone)]
pub struct Content {
    meta: ContentMeta,
    kind: Kind,
    body: Zeroizing<Vec<u8>>,
}

impl Content {
    /// Composes a content.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentError, ContentMeta, Kind, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// let meta = ContentMeta::new(sent, rng);
    /// assert!(Content::new(meta.clone(), Kind::Text(Text::new("halo"))).is_ok());
    /// assert_eq!(Content::new(meta.clone(), Kind::Text(Text::new(""))), Err(ContentError::OutOfRange));
    /// assert_eq!(Content::new(meta, Kind::Text(Text::new("a".repeat(65_537)))), Err(ContentError::TooLong));
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// * [`ContentError::TooLong`] and [`ContentError::OutOfRange`] for values outside the bounds of
    ///   [section 7.3](crate::manual::spec::content#73-bounds).
    /// * [`ContentError::NotAllowed`] for `view_once` on a kind that does not allow it, for a
    ///   [secret](ContentMeta::with_secret) on content that is not shown, and for [`Kind::Unknown`], which only
    ///   [`Content::forward`] can send.
    pub fn new(mut meta: ContentMeta, kind: Kind) -> Result<Self, ContentError> {
        meta.automated |= kind.is_automated();
        let mut wire = Zeroizing::new(meta.to_wire());
        wire.kind = Some(kind.to_wire().ok_or(ContentError::NotAllowed)?);
        let body = padding::pad(&Zeroizing::new(wire.encode_to_vec()))?;
        Self { meta, kind, body }.checked()
    }

    /// Reads a body: the plaintext of a message from an authenticated peer. An unknown kind is not an error.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentError, ContentMeta, Kind, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// # let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
    /// let body = halo.as_body();
    /// assert_eq!(Content::from_body(body)?.id(), halo.id());
    /// let end = body.len() - 1;
    /// assert_eq!(Content::from_body(&body[..end]), Err(ContentError::Malformed));
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContentError`]; drop the body, whichever variant it is.
    pub fn from_body(body: &[u8]) -> Result<Self, ContentError> {
        let protobuf = padding::unpad(body)?;
        shape::check(shape::CONTENT, protobuf).map_err(|_| ContentError::Malformed)?;
        let number = shape::kind(protobuf).map_err(|_| ContentError::Malformed)?;
        // Decode into a value that is wiped even if a later step fails, and from a shared buffer that is wiped too.
        // From a slice, prost would copy every byte string twice and leave the first copy in memory.
        let mut wire = Zeroizing::new(wire::Content::default());
        let shared = Bytes::from_owner(Zeroizing::new(protobuf.to_vec()));
        wire.merge(shared).map_err(|_| ContentError::Malformed)?;
        let kind = Kind::from_wire(wire.kind.as_mut(), number)?;
        let meta = ContentMeta::from_wire(&wire)?;
        Self { meta, kind, body: Zeroizing::new(body.to_vec()) }.checked()
    }

    /// Returns the body, which is the plaintext to encrypt. It has at least 32 bytes and at most 256 KiB; padding adds
    /// less than an eighth. For a content that was read, this is the body it was read from.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentMeta, Kind, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// let text = |length| Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("a".repeat(length))));
    /// let [one, other] = [1_000, 1_010].map(text);
    /// assert_eq!(one?.as_body().len(), other?.as_body().len()); // whoever sees the lengths cannot tell them apart
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    #[must_use]
    pub fn as_body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the same content under new metadata, marked as forwarded. Unknown fields are included. The id, time,
    /// reply and timer of the original are not. Requirement P-7.6.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentMeta, Kind, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// # let read = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
    /// let forwarded = read.forward(ContentMeta::new(sent, rng))?;
    /// assert!(forwarded.meta().forwarded);
    /// assert_eq!(forwarded.kind(), read.kind());
    /// assert_ne!(forwarded.id(), read.id());
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContentError::NotAllowed`] if the content is shown once, if its kind has a meaning only in its conversation,
    /// or if `meta` has the [secret](ContentMeta::with_secret) of this content, which would be passed on; otherwise the
    /// errors of [`Content::new`].
    pub fn forward(&self, mut meta: ContentMeta) -> Result<Self, ContentError> {
        // P-7.26: metadata that was copied from this content would pass its secret on.
        let passes_on = meta.secret.is_some() && meta.secret == self.meta.secret;
        if passes_on || self.view_once() || !self.kind.can_be_forwarded() {
            return Err(ContentError::NotAllowed);
        }
        meta.forwarded = true;
        let mut protobuf = SecretWriter::with_capacity(self.body.len());
        protobuf.bytes(&Zeroizing::new(Zeroizing::new(meta.to_wire()).encode_to_vec()));
        for Record { number, bytes, .. } in Records::of(padding::unpad(&self.body)?).flatten() {
            // The metadata fields that this version knows come from the new metadata. All others are preserved.
            if !META.contains(&number) {
                protobuf.bytes(bytes);
            }
        }
        let body = padding::pad(&protobuf.finish())?;
        Self { meta, kind: self.kind.clone(), body }.checked()
    }

    /// Checks what holds for every content, whether composed, read or forwarded. Requirement P-7.7.
    fn checked(self) -> Result<Self, ContentError> {
        let Self { meta, kind, body: _ } = &self;
        let ContentMeta { id: _, sent: _, reply_to: _, disappears_after, view_once, forwarded: _, automated, secret } =
            meta;
        names::within(wire::zero_for_none(*disappears_after), 0, limits::TIMER_S)?;
        if (*view_once && !kind.takes_view_once()) || (secret.is_some() && !kind.takes_secret()) {
            return Err(ContentError::NotAllowed);
        }
        // P-7.17: kinds that only programs send must set `automated`, so that clients that do not know the kind can
        // still show it.
        if kind.is_automated() && !automated {
            return Err(ContentError::OutOfRange);
        }
        kind.check()?;
        Ok(self)
    }

    /// Returns the kind with its data.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Returns the metadata.
    #[must_use]
    pub const fn meta(&self) -> &ContentMeta {
        &self.meta
    }

    /// Returns the id, unique for its author.
    #[must_use]
    pub const fn id(&self) -> ContentId {
        self.meta.id
    }

    /// Returns when it was sent, by the sender's clock.
    #[must_use]
    pub const fn sent(&self) -> SentAt {
        self.meta.sent
    }

    /// Returns the full name of this content. `author` is the authenticated peer that sent it. Requirement P-7.9.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentMeta, Kind, PersonId, Reaction, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// # let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
    /// let ana = PersonId::new(b"ana")?; // whom the session has authenticated
    /// let heart = Kind::Reaction(Reaction { target: halo.reference(&ana), emoji: "\u{2764}".into() });
    /// assert!(Content::new(ContentMeta::new(sent, rng), heart).is_ok());
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    #[must_use]
    pub fn reference(&self, author: &PersonId) -> Reference {
        Reference { author: author.clone(), id: self.id() }
    }

    /// Returns the proof that a [`Receipt`] requires, or `None` if the content is not shown by itself.
    /// Requirement P-7.16.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentMeta, Kind, Receipt, SentAt, Text};
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// # let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
    /// if let Some(shown) = halo.visible() {
    ///     assert_eq!(Receipt::delivered(&shown).messages(), [halo.id()]);
    /// }
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    #[must_use]
    pub fn visible(&self) -> Option<Visible<'_>> {
        Visible::of(self)
    }

    /// Returns whether it should be shown only once. Advisory.
    #[must_use]
    pub const fn view_once(&self) -> bool {
        self.meta.view_once
    }

    /// Returns when it should disappear if it was read at `read`, or `None` for never. Advisory.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::content::{Content, ContentMeta, Kind, SentAt, Text};
    /// # use bisik::Timestamp;
    /// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
    /// let mut meta = ContentMeta::new(sent, rng);
    /// meta.disappears_after = core::num::NonZeroU32::new(60);
    /// let halo = Content::new(meta, Kind::Text(Text::new("halo")))?;
    /// let read = Timestamp::from_unix_seconds(1_800_000_005);
    /// assert_eq!(halo.disappears(read), Some(read.plus_seconds(60)));
    /// # Ok::<(), bisik::content::ContentError>(())
    /// ```
    #[must_use]
    pub fn disappears(&self, read: Timestamp) -> Option<Timestamp> {
        self.meta.disappears_after.map(|seconds| read.plus_seconds(u64::from(seconds.get())))
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
        let Self { meta, kind, body: _ } = self;
        f.debug_struct("Content").field("meta", meta).field("kind", kind).finish_non_exhaustive()
    }
}

/// The fields of the metadata that this version knows.
const META: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 9];
