//! Where an engine is: what every process of the example is told.
//!
//! Does not know what is kept there.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::engine::{Books, Engine, Post};
use crate::nats::Nats;
use crate::sqlite::Sqlite;

/// An engine, for whatever one of the processes needs of it.
pub trait All: Engine + Post + Books {}

impl<T: Engine + Post + Books> All for T {}

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// Servers, and what the names of a business begin with there.
    Nats {
        /// `nats://host:port`, several with commas.
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
    /// Where it did not.
    pub fn from_argument(text: &str) -> Outcome<Self> {
        match text.split_once(':') {
            Some(("sqlite", file)) => Ok(Self::Sqlite(file.into())),
            Some(("nats", rest)) => {
                let (prefix, url) = rest.split_once('@').ok_or("not a place")?;
                Ok(Self::Nats { url: url.into(), prefix: prefix.into() })
            }
            _ => Err(format!("not a place: {text}").into()),
        }
    }

    /// For the command line of another process.
    #[must_use]
    pub fn to_argument(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Nats { url, prefix } => format!("nats:{prefix}@{url}"),
        }
    }

    /// How long a worker has what it claims, before another one is given it: longer than a batch takes, and on servers longer
    /// than it takes them to choose another leader.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        match self {
            Self::Sqlite(_) => Duration::from_secs(2),
            Self::Nats { .. } => Duration::from_secs(5),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// Where nobody is there.
    pub fn open(&self, lease: Duration) -> Outcome<Box<dyn All>> {
        match self {
            Self::Sqlite(file) => Ok(Box::new(Sqlite::open(file, lease)?)),
            Self::Nats { url, prefix } => Ok(Box::new(Nats::open(url, prefix, lease)?)),
        }
    }

    /// Removes what is there, where it is not in the scene's directory anyway.
    ///
    /// # Errors
    ///
    /// Where nobody is there.
    pub fn clear(&self) -> Outcome<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Nats { url, prefix } => Nats::clear(url, prefix),
        }
    }
}
