//! [`Album`]: photos and videos that are shown together.

use alloc::vec::Vec;

use crate::content::names::bounded;
use crate::content::{ContentError, ContentId, PersonId, Reference, limits, wire};

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
    /// videos are items. Requirement P-7.32.
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
