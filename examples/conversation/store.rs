//! A party's records on disk: everything that must change together, in one file that is replaced as a whole.
//!
//! Does not know what is in the records. A program with a database has one transaction where this has one rename.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bisik::StorageKey;

use crate::Outcome;
use crate::fields::{Fields, push_part};

/// Where one party keeps its records, and the key that seals them.
pub(crate) struct Store {
    directory: PathBuf,
    key: StorageKey,
}

/// What a party must not lose. The first three are sealed by the crate.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) identity: Vec<u8>,
    pub(crate) pre_keys: Vec<u8>,
    /// Empty while there is no session.
    pub(crate) session: Vec<u8>,
    /// Only numbers here; what an application knows about its conversations deserves encryption too.
    pub(crate) ledger: Vec<u8>,
}

impl Store {
    /// Opens the store, with the storage key that an earlier process has left in the platform's key store.
    pub(crate) fn open(directory: &Path) -> Outcome<Self> {
        // The file stands for the platform's key store (Keychain, Android Keystore, DPAPI, the kernel's keyring): a key
        // that lies beside the records it seals protects nothing.
        let key_store = directory.join("key-store");
        let key = match fs::read(&key_store) {
            Ok(bytes) => StorageKey::from_bytes(bytes.try_into().map_err(|_| "the key store is damaged")?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = StorageKey::generate(&mut rand::rng());
                replace(&key_store, key.expose_bytes())?;
                key
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { directory: directory.to_owned(), key })
    }

    pub(crate) const fn key(&self) -> &StorageKey {
        &self.key
    }

    /// The records as they were last replaced, if ever.
    pub(crate) fn load(&self) -> Outcome<Option<Record>> {
        match fs::read(self.directory.join("records")) {
            Ok(bytes) => Record::decode(&bytes).map(Some).ok_or_else(|| "the records are damaged".into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces all records at once: a crash at any point leaves either the old ones or the new ones.
    pub(crate) fn replace(&self, record: &Record) -> Outcome<()> {
        replace(&self.directory.join("records"), &record.encode())
    }
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let Self { identity, pre_keys, session, ledger } = self;
        let mut bytes = Vec::new();
        for part in [identity, pre_keys, session, ledger] {
            push_part(&mut bytes, part);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let mut part = || fields.part().map(<[u8]>::to_vec);
        let record = Self { identity: part()?, pre_keys: part()?, session: part()?, ledger: part()? };
        fields.finish().map(|()| record)
    }
}

/// Writes beside, waits for the disk, and renames over.
fn replace(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    // A killed process loses nothing that it has written; a power cut does, unless the disk has it. A database takes more
    // care still: on most systems the directory must reach the disk too.
    file.sync_all()?;
    Ok(fs::rename(&new, path)?)
}
