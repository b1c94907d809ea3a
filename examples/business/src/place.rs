//! Where an engine is: what every process of the example is told.
//!
//! Does not know what is kept there.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::engine::{Books, Engine, Post};
use crate::sqlite::Sqlite;

/// An engine, for whatever one of the processes needs of it.
pub trait All: Engine + Post + Books {}

impl<T: Engine + Post + Books> All for T {}

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
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
            _ => Err(format!("not a place: {text}").into()),
        }
    }

    /// For the command line of another process.
    #[must_use]
    pub fn to_argument(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
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
        }
    }
}

/// How long a worker has what it claims, before another one is given it.
pub const LEASE: Duration = Duration::from_secs(2);
