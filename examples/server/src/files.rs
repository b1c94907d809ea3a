//! Records in a folder, by the rules of docs/persistence.md for stores without transactions: the order of the writes,
//! each of them durable before the next.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bisik::{SealedParts, Session, StorageKey, Write};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use crate::Outcome;

/// The id of a session, which names its record.
pub(crate) type Id = [u8; 16];

pub(crate) struct Folder {
    path: PathBuf,
    pub(crate) key: StorageKey,
    /// Keeps other processes out: here the lock of a session takes the place of compare-and-swap.
    _lock: std::fs::File,
}

impl Folder {
    pub(crate) async fn open(path: &Path) -> Outcome<Self> {
        fs::create_dir_all(path).await?;
        let lock = std::fs::File::create(path.join("lock"))?;
        lock.try_lock().map_err(|_| "another process has this folder")?;
        let folder = Self { path: path.to_owned(), key: StorageKey::from_bytes([0; 32]), _lock: lock };
        // The key belongs into the key store of the operating system: beside the records it protects nothing.
        let key = match folder.read("key").await? {
            Some(bytes) => StorageKey::from_bytes(bytes.try_into().map_err(|_| "not a storage key")?),
            None => {
                let key = StorageKey::generate(&mut rand::rng());
                folder.put("key", key.expose_bytes()).await?;
                key
            }
        };
        Ok(Self { key, ..folder })
    }

    pub(crate) async fn read(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a file in place of the one before it, in one step, and comes back when it is on the disk.
    pub(crate) async fn put(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let mut file = File::create(&new).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        fs::rename(&new, &path).await?;
        Ok(File::open(&self.path).await?.sync_all().await?)
    }

    /// Loads a session. Its blocks are fetched before it is opened, because `unseal` does not wait.
    pub(crate) async fn session(&self, id: &Id) -> Outcome<Option<Session>> {
        let Some(head) = self.read(&hex(id)).await? else { return Ok(None) };
        let mut blocks = HashMap::new();
        for block in Session::named_blocks(&self.key, id, &head)? {
            blocks.insert(block, self.read(&hex(block.as_bytes())).await?);
        }
        let session = Session::unseal(&self.key, id, &head, |block| blocks.remove(&block).flatten())?;
        Ok(Some(session))
    }

    pub(crate) async fn put_session(&self, id: &Id, sealed: &SealedParts) -> Outcome<()> {
        for write in sealed.writes() {
            match write {
                Write::Put(block) => self.put(&hex(block.id().as_bytes()), block.as_bytes()).await?,
                Write::Head(head) => self.put(&hex(id), head).await?,
                Write::Delete(block) => match fs::remove_file(self.path.join(hex(block.as_bytes()))).await {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                },
            }
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
