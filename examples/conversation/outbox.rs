//! What a party still has to send. Each item is composed once, waits for its receipt, and is kept after that.
//!
//! Files stand for the tables of a database: `waiting/N` is the content of item `N`, `sent/N` the same after its
//! receipt, and `uploading/N` records where to resume the upload of its file. A real application also encrypts the
//! contents on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bisik::StorageKey;
use bisik::content::{Blob, Content, ContentId, ContentMeta, Document, Kind, Receipt, SentAt, Text};

use crate::agenda::{Item, Source};
use crate::blobs::Blobs;
use crate::store::{read, replace};
use crate::upload::Upload;
use crate::{Outcome, now};

/// The items of one party.
pub(crate) struct Outbox {
    directory: PathBuf,
    agenda: Vec<Item>,
    /// Every item before this one is sent or in transit.
    next: usize,
    upload: Option<Upload>,
    /// Sent by this process, without a receipt so far.
    under_way: BTreeMap<ContentId, usize>,
}

impl Outbox {
    pub(crate) fn open(directory: &Path, agenda: Vec<Item>) -> Outcome<Self> {
        for table in [UPLOADING, WAITING, SENT] {
            fs::create_dir_all(directory.join(table))?;
        }
        Ok(Self { directory: directory.to_owned(), agenda, next: 0, upload: None, under_way: BTreeMap::new() })
    }

    /// Returns the next item to encrypt, if the window has room. If its file must be uploaded first, uploads a piece
    /// instead.
    pub(crate) fn next(&mut self, key: &StorageKey, blobs: &Blobs) -> Outcome<Option<Content>> {
        while self.under_way.len() < WINDOW && self.next < self.agenda.len() {
            if !self.row(SENT, self.next).exists() {
                let Some(content) = self.compose(key, blobs)? else { return Ok(None) };
                self.under_way.insert(content.id(), self.next);
                self.next += 1;
                return Ok(Some(content));
            }
            self.next += 1;
        }
        Ok(None)
    }

    /// Returns the item as composed earlier, or composes it now. Returns `None` during its upload.
    fn compose(&mut self, key: &StorageKey, blobs: &Blobs) -> Outcome<Option<Content>> {
        let (uploading, waiting) = (self.row(UPLOADING, self.next), self.row(WAITING, self.next));
        if let Some(body) = read(&waiting)? {
            return Ok(Some(Content::from_body(&body)?));
        }
        let kind = match &self.agenda[self.next] {
            Item::Text(text) => Kind::Text(Text::new(*text)),
            Item::File(Source { path, name, .. }) => {
                let upload = match &mut self.upload {
                    Some(upload) => upload,
                    None => self.upload.insert(Upload::begin(path, &self.directory, uploading.clone(), key, blobs)?),
                };
                let Some(pointer) = upload.step(key)? else { return Ok(None) };
                let location = upload.name().into();
                Kind::Document(Document::new(Blob { pointer, location }, name.clone()))
            }
        };
        let content = compose(kind)?;
        replace(&self.directory, &waiting, content.as_body())?;
        if self.upload.take().is_some() {
            fs::remove_file(uploading)?;
        }
        Ok(Some(content))
    }

    /// Returns whether there is work that does not wait for anyone.
    pub(crate) const fn is_busy(&self) -> bool {
        self.upload.is_some()
    }

    /// Returns everything in transit, to be sent again.
    pub(crate) fn again(&self) -> Outcome<Vec<Content>> {
        let bodies = self.under_way.values().map(|number| Ok(fs::read(self.row(WAITING, *number))?));
        bodies.map(|body: Outcome<_>| Ok(Content::from_body(&body?)?)).collect()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Notes which contents the peer has. A receipt may be wrong or old; ids that are not in transit are ignored.
    pub(crate) fn note(&mut self, receipt: &Receipt) -> Outcome<()> {
        for id in receipt.messages() {
            if let Some(number) = self.under_way.remove(id) {
                fs::rename(self.row(WAITING, number), self.row(SENT, number))?;
            }
        }
        Ok(())
    }

    /// Returns whether the peer has everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.agenda.len() && self.under_way.is_empty()
    }

    fn row(&self, table: &str, number: usize) -> PathBuf {
        self.directory.join(table).join(number.to_string())
    }
}

/// Composes a content with the current time.
pub(crate) fn compose(kind: Kind) -> Outcome<Content> {
    let sent = SentAt::from_unix_milliseconds(now()?.as_millis().try_into()?)?;
    Ok(Content::new(ContentMeta::new(sent, &mut rand::rng()), kind)?)
}

/// Returns the directory of contents that have receipts.
pub(crate) fn sent(directory: &Path) -> PathBuf {
    directory.join(SENT)
}

/// Returns whether a process has left an upload unfinished.
pub(crate) fn is_interrupted(directory: &Path) -> Outcome<bool> {
    let uploads = fs::read_dir(directory.join(UPLOADING))?.collect::<Result<Vec<_>, _>>()?;
    let done = |name| [WAITING, SENT].iter().any(|table| directory.join(table).join(&name).exists());
    Ok(uploads.iter().any(|upload| !done(upload.file_name())))
}

const UPLOADING: &str = "uploading";
const WAITING: &str = "waiting";
const SENT: &str = "sent";

/// The most items in transit: bounds what the relay must store, and what is sent again after a crash.
const WINDOW: usize = 8;
