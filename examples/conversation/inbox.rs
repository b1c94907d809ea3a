//! What a party was told: texts are shown at once, files when they have come from the blob store.
//!
//! Does not know sessions. A directory, `received`, stands for the screen. A message with a file waits in `inbox` until the
//! file is whole, whatever happens meanwhile; so its receipt can leave as soon as it is there.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bisik::content::{Content, ContentId, Document, Kind};
use bisik::media::Decryptor;

use crate::blobs::{Blobs, Fetch};
use crate::said::{Said, TAKEN, to_hex};
use crate::store::replace;
use crate::{Outcome, PIECE};

/// What one party was told.
pub(crate) struct Inbox {
    directory: PathBuf,
    download: Option<Download>,
    /// How often the blob that comes next was refused.
    refused: u32,
}

/// A blob on its way into a file.
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

    /// Shows a text, or keeps a message with a file, for good: after that it may be receipted. The same content may come any
    /// number of times: what is there already is how it is recognised. Anything else is no matter here.
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

    /// Fetches a piece of the blob that is due, if one is. `true` if there may be more.
    pub(crate) fn step(&mut self, blobs: &mut Blobs) -> Outcome<bool> {
        if self.download.is_none() {
            let Some(waiting) = fs::read_dir(waiting(&self.directory))?.next() else { return Ok(false) };
            self.download = Some(self.begin(waiting?.path(), blobs)?);
        }
        let Some(download) = &mut self.download else { return Ok(false) };
        let (mut piece, mut plaintext) = (Vec::new(), Vec::new());
        Read::take(&mut download.fetch, PIECE).read_to_end(&mut piece)?;
        let pushed = download.decryptor.push(&piece, &mut plaintext);
        // What came out is the sender's and in its place, and no whole file yet: it is not shown.
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
            // Not the blob that the pointer names. Only the store knows why, so it is asked again.
            Err(error) => {
                Said::Fetched.say(0, &format!("media::DecryptError::{error:?}"));
                self.refused += 1;
                if self.refused == PATIENCE {
                    return Err("the store never gives the right blob".into());
                }
            }
        }
        Ok(true)
    }

    fn begin(&self, waiting: PathBuf, blobs: &mut Blobs) -> Outcome<Download> {
        let content = Content::from_body(&fs::read(&waiting)?)?;
        let Kind::Document(document) = content.kind() else { return Err("no document waits there".into()) };
        let fetch = blobs.fetch(&document.blob.location)?;
        let decryptor = Decryptor::new(&document.blob.pointer);
        let file = File::create(partial(&self.directory))?;
        Ok(Download { waiting, id: content.id(), document: document.clone(), fetch, decryptor, file })
    }

    /// Where a content is shown. Its name is the sender's: it may be `CON`, or longer than this file system allows.
    fn shown(&self, id: ContentId, name: &str) -> PathBuf {
        received(&self.directory).join(format!("{}-{}", to_hex(id.as_bytes()), harmless(name)))
    }
}

/// A name without anything that a file system could take amiss.
pub(crate) fn harmless(name: &str) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(harmless).take(100).chain(['-']).collect()
}

/// Where a party shows what it was told.
pub(crate) fn received(directory: &Path) -> PathBuf {
    directory.join("received")
}

/// Where messages wait for their files.
pub(crate) fn waiting(directory: &Path) -> PathBuf {
    directory.join("inbox")
}

fn partial(directory: &Path) -> PathBuf {
    directory.join("partial")
}

/// How often one blob is refused before the user should know.
const PATIENCE: u32 = 20;
