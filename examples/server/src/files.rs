//! Records in a folder, by the rules of docs/persistence.md for stores without transactions: the order of the writes,
//! each of them durable before the next.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bisik::{SealedParts, Session, StorageKey, UnsealError, Write};
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
        fs::create_dir_all(path).await.map_err(about(path))?;
        let lock = std::fs::File::create(path.join("lock")).map_err(about(&path.join("lock")))?;
        lock.try_lock().map_err(|_| format!("{}: another process has this folder", path.display()))?;
        let folder = Self { path: path.to_owned(), key: StorageKey::from_bytes([0; 32]), _lock: lock };
        // The key belongs into the key store of the operating system: beside the records it protects nothing.
        let key = match folder.read("key").await? {
            Some(bytes) => StorageKey::from_bytes(
                bytes.try_into().map_err(|_| format!("{}: it has not 32 bytes", path.join("key").display()))?,
            ),
            None => {
                let key = StorageKey::generate(&mut rand::rng());
                folder.put("key", key.expose_bytes()).await?;
                key
            }
        };
        Ok(Self { key, ..folder })
    }

    pub(crate) async fn read(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(about(&path)(error).into()),
        }
    }

    /// A message that names the record, and the program that tells more.
    pub(crate) fn does_not_open(&self, file: &str) -> impl Fn(UnsealError) -> String {
        let (key, path) = (self.path.join("key"), self.path.join(file));
        // Names are text, except those of sessions: ids.
        let id = if file.len() == 32 { "0x" } else { "" };
        let explain = format!("cargo run --example explain -- {} {id}{file}={}", key.display(), path.display());
        move |error| format!("{} does not open: {error}. `{explain}` tells more", path.display())
    }

    /// Puts a file in place of the one before it, in one step, and comes back when it is on the disk.
    pub(crate) async fn put(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let mut file = File::create(&new).await.map_err(about(&new))?;
        file.write_all(bytes).await.map_err(about(&new))?;
        file.sync_all().await.map_err(about(&new))?;
        fs::rename(&new, &path).await.map_err(about(&path))?;
        let folder = File::open(&self.path).await.map_err(about(&self.path))?;
        Ok(folder.sync_all().await.map_err(about(&self.path))?)
    }

    /// Loads a session. Its blocks are fetched before it is opened, because `unseal` does not wait.
    pub(crate) async fn session(&self, id: &Id) -> Outcome<Option<Session>> {
        let name = hex(id);
        let Some(head) = self.read(&name).await? else { return Ok(None) };
        let mut blocks = HashMap::new();
        for block in Session::named_blocks(&self.key, id, &head).map_err(self.does_not_open(&name))? {
            blocks.insert(block, self.read(&hex(block.as_bytes())).await?);
        }
        let session = Session::unseal(&self.key, id, &head, |block| blocks.remove(&block).flatten());
        Ok(Some(session.map_err(self.does_not_open(&name))?))
    }

    pub(crate) async fn put_session(&self, id: &Id, sealed: &SealedParts) -> Outcome<()> {
        for write in sealed.writes() {
            match write {
                Write::Put(block) => self.put(&hex(block.id().as_bytes()), block.as_bytes()).await?,
                Write::Head(head) => self.put(&hex(id), head).await?,
                Write::Delete(block) => match fs::remove_file(self.path.join(hex(block.as_bytes()))).await {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(about(&self.path)(error).into()),
                    _ => {}
                },
            }
        }
        Ok(())
    }
}

fn about(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
