//! The address of an engine, which every process of the example receives.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::engine::{Books, Engine, Post};
use crate::etcd::Etcd;
use crate::sqlite::Sqlite;

/// An engine for all processes of the example.
pub trait All: Engine + Post + Books {}

impl<T: Engine + Post + Books> All for T {}

/// The address of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// Servers, and the prefix of the business's keys on them.
    Etcd {
        /// `http://host:port`, several separated by commas.
        url: String,
        /// Letters and digits.
        prefix: String,
    },
}

impl Place {
    /// Reads what [`Place::to_argument`] wrote.
    ///
    /// # Errors
    ///
    /// If the text has another form.
    pub fn from_argument(text: &str) -> Outcome<Self> {
        match text.split_once(':') {
            Some(("sqlite", file)) => Ok(Self::Sqlite(file.into())),
            Some(("etcd", rest)) => {
                let (prefix, url) = rest.split_once('@').ok_or("not an engine's address")?;
                Ok(Self::Etcd { url: url.into(), prefix: prefix.into() })
            }
            _ => Err(format!("not an engine's address: {text}").into()),
        }
    }

    /// Returns the address as a command-line argument.
    #[must_use]
    pub fn to_argument(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Etcd { url, prefix } => format!("etcd:{prefix}@{url}"),
        }
    }

    /// Returns how long a claim is leased to a worker: longer than a batch takes and, on servers, longer than an
    /// election of a leader.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        match self {
            Self::Sqlite(_) => Duration::from_secs(2),
            Self::Etcd { .. } => Duration::from_secs(3),
        }
    }

    /// Opens the engine.
    ///
    /// # Errors
    ///
    /// If it cannot be reached.
    pub fn open(&self, lease: Duration) -> Outcome<Box<dyn All>> {
        match self {
            Self::Sqlite(file) => Ok(Box::new(Sqlite::open(file, lease)?)),
            Self::Etcd { url, prefix } => Ok(Box::new(Etcd::open(url, prefix, lease)?)),
        }
    }

    /// Removes the engine's data, unless it is in the scene's directory, which is removed at the end.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub fn clear(&self) -> Outcome<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Etcd { url, prefix } => Etcd::clear(url, prefix),
        }
    }
}
