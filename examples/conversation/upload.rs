//! An upload of a file into the blob store: encrypted piece by piece, and resumed after a crash.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bisik::StorageKey;
use bisik::media::{Encryptor, MediaType, Pointer};

use crate::blobs::{Blobs, NAME};
use crate::said::Said;
use crate::store::{read, replace};
use crate::{Outcome, PIECE};

/// An upload.
pub(crate) struct Upload {
    source: File,
    blob: File,
    /// The name of the blob in the store.
    name: String,
    encryptor: Encryptor,
    /// The directory of the party's records.
    directory: PathBuf,
    record: PathBuf,
    context: Vec<u8>,
    pieces: u32,
}

impl Upload {
    /// Starts an upload, or resumes it if `record` exists.
    pub(crate) fn begin(
        path: &Path,
        directory: &Path,
        record: PathBuf,
        key: &StorageKey,
        blobs: &Blobs,
    ) -> Outcome<Self> {
        let mut source = File::open(path)?;
        let (size, changed) = (source.metadata()?.len(), source.metadata()?.modified()?);
        // The record opens only under this name. Another file, or one that has changed, gets another key. Encrypting it
        // under the old key would reveal both.
        let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        let context = format!("upload of {size} bytes of {changed:?}, {}", path.display()).into_bytes();
        let kept = read(&record)?.and_then(|record| {
            let (name, sealed) = record.split_at_checked(NAME)?;
            Some((String::from_utf8(name.to_vec()).ok()?, Encryptor::unseal(key, &context, sealed).ok()?))
        });
        let (name, encryptor) = match kept {
            Some(kept) => {
                Said::TakenUp.say(kept.1.blob_position(), "");
                kept
            }
            None => (Blobs::new_name(), Encryptor::new(media_type(path)?, size, &mut rand::rng())?),
        };
        source.seek(SeekFrom::Start(encryptor.file_position()))?;
        let blob = blobs.write(&name, encryptor.blob_position())?;
        let upload =
            Self { source, blob, name, encryptor, directory: directory.to_owned(), record, context, pieces: 0 };
        upload.keep(key)?;
        Ok(upload)
    }

    /// Encrypts a piece and writes it to the store. Returns the pointer after the last piece.
    pub(crate) fn step(&mut self, key: &StorageKey) -> Outcome<Option<Pointer>> {
        let (mut piece, mut output, mut pointer) = (Vec::new(), Vec::new(), None);
        Read::take(&mut self.source, PIECE).read_to_end(&mut piece)?;
        if piece.is_empty() {
            pointer = self.encryptor.finish(&mut output)?;
        } else {
            self.encryptor.push(&piece, &mut output)?;
            Said::Uploaded.say(piece.len().try_into()?, "");
        }
        self.blob.write_all(&output)?;
        self.pieces += 1;
        if self.pieces.is_multiple_of(PIECES) {
            self.keep(key)?;
        }
        Ok(pointer)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Records where to resume. The store has everything before that; a store behind a network would have to confirm it
    /// first.
    fn keep(&self, key: &StorageKey) -> Outcome<()> {
        let sealed = self.encryptor.seal(key, &self.context, &mut rand::rng());
        replace(&self.directory, &self.record, &[self.name.as_bytes(), &sealed].concat())
    }
}

/// Returns the media type that the file name implies. The file itself is not examined.
fn media_type(path: &Path) -> Outcome<MediaType> {
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("md") => MediaType::new("text/markdown")?,
        Some("png") => MediaType::new("image/png")?,
        Some("svg") => MediaType::new("image/svg+xml")?,
        Some("jpg" | "jpeg") => MediaType::new("image/jpeg")?,
        _ => MediaType::unknown(),
    })
}

/// Pieces after which the position is recorded.
const PIECES: u32 = 16;
