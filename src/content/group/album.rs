//! [`Album`]: photos and videos that are shown together.

use alloc::vec::Vec;

use super::order;
use crate::content::names::bounded;
use crate::content::{Content, ContentError, ContentId, Kind, PersonId, Reference, limits, wire};

/// Photos and videos that belong together, in the order in which they are shown: 2 to 100.
///
/// The ids are drawn first, so the album can be sent before its items, and its reader knows how many to expect. Each
/// item is a content of its own with its own caption, receipts and deletion; a program that does not know albums shows
/// the items one by one.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Album, Content, ContentMeta, Kind, PersonId, SentAt};
///
/// let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let metas = [(); 3].map(|()| ContentMeta::new(now, rng)); // of the photos that follow
/// let album = Album { items: metas.iter().map(|meta| meta.id).collect() };
/// let content = Content::new(ContentMeta::new(now, rng), Kind::Album(album.clone()))?;
///
/// // The receiver looks for the items in what the sender of the album has written, and nowhere else.
/// let ana = PersonId::new(b"ana")?;
/// let items: Vec<_> = album.items_of(&ana).collect();
/// assert!(items.len() == 3 && items[0].id == metas[0].id && items[0].author == ana);
/// # let _ = content;
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Album {
    /// The ids of the items, all different: contents of the album's author. See [`Album::items_of`].
    pub items: Vec<ContentId>,
}

impl Album {
    /// Returns the names of the items, given the sender of the album. Look up these and no others. Only photos and
    /// videos are items, and each is one of one album: see [`album_of`]. Requirement P-7.32.
    pub fn items_of(&self, sender: &PersonId) -> impl Iterator<Item = Reference> {
        self.items.iter().map(|id| Reference { author: sender.clone(), id: *id })
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { items } = self;
        bounded(items.len(), 2, limits::ALBUM)?;
        let mut sorted = items.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() == items.len() { Ok(()) } else { Err(ContentError::OutOfRange) }
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Album {
        wire::Album { items: self.items.iter().map(|id| id.to_wire()).collect() }
    }

    pub(in crate::content) fn from_wire(wire: &wire::Album) -> Result<Self, ContentError> {
        let wire::Album { items } = wire;
        Ok(Self { items: items.iter().map(|id| ContentId::from_wire(id)).collect::<Result<_, _>>()? })
    }
}

/// Returns the album in which `item`, written by `author`, is shown: of those by its author that name it the smallest,
/// by time, then id. `None` if it is shown by itself, and for anything but photos and videos.
///
/// `albums` are contents with their authenticated senders, in any order; other kinds do no harm. Requirement P-7.32.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Blob, Dimensions, Photo, SentAt};
/// # use bisik::media::{self, MediaType};
/// use bisik::content::{Album, Content, ContentMeta, Kind, PersonId, album_of};
///
/// # let (_, pointer) = media::encrypt(MediaType::new("image/jpeg")?, &[0xFF, 0xD8], rng)?;
/// # let blob = Blob { pointer, location: "https://blobs.example/1".into() };
/// # let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let size = Dimensions { width: 800, height: 600 };
/// let photo = Content::new(ContentMeta::new(now, rng), Kind::Photo(Photo::new(blob, size)))?;
/// let other = ContentMeta::new(now, rng); // of a video that has not arrived
/// let album = Album { items: vec![photo.id(), other.id] };
/// let album = Content::new(ContentMeta::new(now, rng), Kind::Album(album))?;
///
/// let (ana, budi) = (PersonId::new(b"ana")?, PersonId::new(b"budi")?);
/// assert_eq!(album_of(&photo, &ana, [(&album, &ana)]), Some(&album));
/// assert_eq!(album_of(&photo, &ana, [(&album, &budi)]), None, "nobody puts another's photo into an album");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn album_of<'a>(
    item: &Content,
    author: &PersonId,
    albums: impl IntoIterator<Item = (&'a Content, &'a PersonId)>,
) -> Option<&'a Content> {
    let is_item = matches!(item.kind(), Kind::Photo(_) | Kind::Video(_));
    let names_it = |content: &Content| matches!(content.kind(), Kind::Album(album) if album.items.contains(&item.id()));
    let albums = albums.into_iter().filter(|(content, sender)| is_item && *sender == author && names_it(content));
    albums.map(|(content, _)| content).min_by(|one, other| order(one).cmp(&order(other)))
}
