//! A party's records on disk: everything that must change together, in one file that is replaced as a whole, and the
//! session's blocks in files beside it, which are written once.
//!
//! Where this has one rename, a program with a database has one transaction.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use bisik::{BlockId, SealedParts, StorageKey, Write};

use crate::Outcome;
use crate::said::to_hex;

/// The place of one party's records, and the key that seals them.
pub(crate) struct Store {
    directory: PathBuf,
    key: StorageKey,
}

/// The records that a party must not lose, sealed by the crate.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) identity: Vec<u8>,
    pub(crate) pre_keys: Vec<u8>,
    /// The head of the session; empty if there is none.
    pub(crate) session: Vec<u8>,
}

impl Store {
    /// Opens the store, with the storage key that an earlier process has left in the platform's key store.
    pub(crate) fn open(directory: &Path) -> Outcome<Self> {
        // This file stands for the platform's key store (Keychain, Android Keystore, DPAPI, the kernel's keyring). A
        // key that is stored beside the records it seals protects nothing.
        let key_store = key_store(directory);
        let key = match read(&key_store)? {
            Some(bytes) => StorageKey::from_bytes(bytes.try_into().map_err(|_| "the key store is damaged")?),
            None => {
                let key = StorageKey::generate(&mut rand::rng());
                replace(directory, &key_store, key.expose_bytes())?;
                key
            }
        };
        Ok(Self { directory: directory.to_owned(), key })
    }

    pub(crate) const fn key(&self) -> &StorageKey {
        &self.key
    }

    /// Returns the records as last replaced, if ever.
    pub(crate) fn load(&self) -> Outcome<Option<Record>> {
        let record = read(&self.directory.join("records"))?;
        record.map(|bytes| Record::decode(&bytes).ok_or_else(|| "the records are damaged".into())).transpose()
    }

    /// Replaces all records at once. A crash at any point leaves either the old ones or the new ones.
    pub(crate) fn replace(&self, record: &Record) -> Outcome<()> {
        replace(&self.directory, &self.directory.join("records"), &record.encode())
    }

    /// Stores a sealed session with the other records: its new blocks, then all records at once, and then it deletes the
    /// blocks that have ended. After a crash at any point, the session in the records finds its blocks.
    pub(crate) fn put(&self, record: &mut Record, session: &SealedParts) -> Outcome<()> {
        for write in session.writes() {
            match write {
                Write::Put(block) => replace(&self.directory, &self.block_file(block.id()), block.as_bytes())?,
                Write::Head(head) => {
                    record.session = head.to_vec();
                    self.replace(record)?;
                }
                Write::Delete(id) => match fs::remove_file(self.block_file(id)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                    Ok(()) | Err(_) => {}
                },
            }
        }
        Ok(())
    }

    /// Returns a block of the session, if it is there.
    pub(crate) fn block(&self, id: BlockId) -> Option<Vec<u8>> {
        read(&self.block_file(id)).ok().flatten()
    }

    fn block_file(&self, id: BlockId) -> PathBuf {
        self.directory.join(format!("block-{}", to_hex(id.as_bytes())))
    }
}

impl Record {
    /// Encodes each part with a length prefix.
    fn encode(&self) -> Vec<u8> {
        let Self { identity, pre_keys, session } = self;
        let mut bytes = Vec::new();
        for part in [identity, pre_keys, session] {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut part = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let (part, rest) = rest.split_at_checked(u64::from_be_bytes(*length).try_into().ok()?)?;
            bytes = rest;
            Some(part.to_vec())
        };
        let record = Self { identity: part()?, pre_keys: part()?, session: part()? };
        bytes.is_empty().then_some(record)
    }
}

/// Returns where one party's storage key is.
pub(crate) fn key_store(directory: &Path) -> PathBuf {
    directory.join("key-store")
}

/// Returns the contents of a file, if it exists.
pub(crate) fn read(path: &Path) -> Outcome<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces a file below `directory`: writes another, waits for the disk, and renames it over the old one.
pub(crate) fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> Outcome<()> {
    let new = directory.join("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    // A killed process loses nothing that it has written. A power failure does, unless the data is on the disk. A
    // database takes even more care: on most systems the directory must reach the disk too.
    file.sync_all()?;
    Ok(fs::rename(new, path)?)
}
