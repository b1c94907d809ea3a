//! What a party receives: texts are shown at once, files when they have been fetched from the blob store.
//!
//! A directory, `received`, stands for the screen. A message with a file stays in `inbox` until the whole file has been
//! fetched, even across crashes. So its receipt can be sent as soon as the message is there.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bisik::content::{Content, ContentId, Document, Kind};
use bisik::media::Decryptor;

use crate::blobs::{Blobs, Fetch};
use crate::said::{Said, TAKEN, to_hex};
use crate::store::replace;
use crate::{Outcome, PIECE};

/// The received contents of one party.
pub(crate) struct Inbox {
    directory: PathBuf,
    download: Option<Download>,
    /// How often the next blob was refused.
    refused: u32,
}

/// A download of a blob into a file.
struct Download {
    waiting: PathBuf,
    id: ContentId,
    document: Document,
    fetch: Fetch,
    decryptor: Decryptor,
    file: File,
}

impl Inbox {
    pub(crate) fn open(directory: &Path) -> Outcome<Self> {
        fs::create_dir_all(waiting(directory))?;
        fs::create_dir_all(received(directory))?;
        Ok(Self { directory: directory.to_owned(), download: None, refused: 0 })
    }

    /// Shows a text, or stores a message with a file. After that a receipt may be sent.
    ///
    /// The same content may arrive any number of times; it is recognised because it is there already. Other kinds are
    /// ignored.
    pub(crate) fn take(&self, content: &Content) -> Outcome<()> {
        let waiting = waiting(&self.directory).join(to_hex(content.id().as_bytes()));
        let (shown, put, bytes) = match content.kind() {
            Kind::Text(text) => {
                let shown = self.shown(content.id(), "text");
                (shown.clone(), shown, text.body.as_bytes())
            }
            Kind::Document(document) => (self.shown(content.id(), &document.file_name), waiting, content.as_body()),
            _ => return Ok(()),
        };
        if shown.exists() || put.exists() {
            Said::Recognised.say(0, "");
            return Ok(());
        }
        Said::Taken.say(0, "");
        replace(&self.directory, &put, bytes)
    }

    /// Fetches a piece of the next blob, if there is one. Returns `true` if there may be more.
    pub(crate) fn step(&mut self, blobs: &mut Blobs) -> Outcome<bool> {
        if self.download.is_none() {
            let Some(waiting) = fs::read_dir(waiting(&self.directory))?.next() else { return Ok(false) };
            self.download = Some(self.begin(waiting?.path(), blobs)?);
        }
        let Some(download) = &mut self.download else { return Ok(false) };
        let (mut piece, mut plaintext) = (Vec::new(), Vec::new());
        Read::take(&mut download.fetch, PIECE).read_to_end(&mut piece)?;
        let pushed = download.decryptor.push(&piece, &mut plaintext);
        // The plaintext so far is the sender's and in order, but not yet a whole file, so it is not shown.
        download.file.write_all(&plaintext)?;
        Said::Downloaded.say(plaintext.len().try_into()?, "");
        if !piece.is_empty() && pushed.is_ok() {
            return Ok(true);
        }
        let Some(Download { waiting, id, document, decryptor, .. }) = self.download.take() else { return Ok(false) };
        match pushed.and_then(|()| decryptor.finish()) {
            Ok(()) => {
                fs::rename(partial(&self.directory), self.shown(id, &document.file_name))?;
                fs::remove_file(waiting)?;
                Said::Fetched.say(0, TAKEN);
                self.refused = 0;
            }
            // This is not the blob that the pointer names. The store may return the right one next time.
            Err(error) => {
                Said::Fetched.say(0, &format!("media::DecryptError::{error:?}"));
                self.refused += 1;
                if self.refused == PATIENCE {
                    return Err("the store never returned the right blob".into());
                }
            }
        }
        Ok(true)
    }

    fn begin(&self, waiting: PathBuf, blobs: &mut Blobs) -> Outcome<Download> {
        let content = Content::from_body(&fs::read(&waiting)?)?;
        let Kind::Document(document) = content.kind() else { return Err("the waiting message has no document".into()) };
        let fetch = blobs.fetch(&document.blob.location)?;
        let decryptor = Decryptor::new(&document.blob.pointer);
        let file = File::create(partial(&self.directory))?;
        Ok(Download { waiting, id: content.id(), document: document.clone(), fetch, decryptor, file })
    }

    /// Returns where a content is shown. The sender chose the name: it may be there already, or too long beside the id.
    fn shown(&self, id: ContentId, name: &str) -> PathBuf {
        received(&self.directory).join(format!("{}-{}", to_hex(id.as_bytes()), harmless(name)))
    }
}

/// Returns the name without characters that a file system could interpret.
pub(crate) fn harmless(name: &str) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(harmless).take(100).chain(['-']).collect()
}

/// Returns the directory in which a party shows what it received.
pub(crate) fn received(directory: &Path) -> PathBuf {
    directory.join("received")
}

/// Returns the directory in which messages wait for their files.
pub(crate) fn waiting(directory: &Path) -> PathBuf {
    directory.join("inbox")
}

fn partial(directory: &Path) -> PathBuf {
    directory.join("partial")
}

/// How often one blob is refused before the user should be told.
const PATIENCE: u32 = 20;
