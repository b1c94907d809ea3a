//! [`Plaintext`]: what a message says, marked by whether its sender has proved who it is (docs/spec/session.md, section
//! 3.5).

use alloc::vec::Vec;
use core::fmt;

/// How far the two devices of a session have proved to each other that they take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Initiated here; the peer has not answered yet.
    Waiting,
    /// Accepted here; whoever wrote the first message knew this device's pre-keys, and has not yet proved that it holds
    /// the identity that it names. What is sent reaches only that identity.
    Unconfirmed,
    /// The peer has proved that it holds its identity and takes part now.
    Confirmed,
}

/// A decrypted message, and what it has changed beside.
#[derive(Debug)]
#[must_use = "the plaintext is in it"]
pub struct Decrypted {
    /// What the message says.
    pub plaintext: Plaintext,
    /// How many missing messages can no longer be read, should they arrive: their keys have ended. 0 in most cases.
    pub given_up: u32,
    /// Whether this message has confirmed the session. `true` once in the life of a session.
    pub confirms: bool,
}

/// The plaintext of a message, marked by the standing of its session. Requirement P-3.15.
#[derive(PartialEq, Eq)]
#[must_use]
pub enum Plaintext<P = Vec<u8>> {
    /// The session is confirmed: only the peer can have written it.
    Confirmed(P),
    /// The session is not confirmed yet.
    Unconfirmed(Unconfirmed<P>),
}

impl<P> Plaintext<P> {
    pub(crate) fn new(plaintext: P, standing: Standing) -> Self {
        match standing {
            Standing::Confirmed => Self::Confirmed(plaintext),
            Standing::Waiting | Standing::Unconfirmed => Self::Unconfirmed(Unconfirmed(plaintext)),
        }
    }

    /// Returns the plaintext if the session is confirmed.
    ///
    /// # Errors
    ///
    /// The unconfirmed plaintext, if it is not.
    pub fn confirmed(self) -> Result<P, Unconfirmed<P>> {
        match self {
            Self::Confirmed(plaintext) => Ok(plaintext),
            Self::Unconfirmed(unconfirmed) => Err(unconfirmed),
        }
    }
}

/// A plaintext from a session that is not confirmed: somebody who knows this device's pre-keys wrote it, and names an
/// identity that may not be its own. Only who holds that identity can read an answer.
///
/// P-3.16: that the session is confirmed later does not prove who wrote this, against an attacker who held the local
/// identity and its pre-keys and sat on the wire.
///
/// Show it marked as such, and only from somebody with whom there is no confirmed session.
#[derive(PartialEq, Eq)]
#[must_use]
pub struct Unconfirmed<P = Vec<u8>>(P);

impl<P> Unconfirmed<P> {
    pub(super) const fn new(plaintext: P) -> Self {
        Self(plaintext)
    }

    /// Lends the plaintext. The caller marks it as unconfirmed wherever it appears.
    #[must_use]
    pub const fn peek_unconfirmed(&self) -> &P {
        &self.0
    }

    /// Returns the plaintext. The caller marks it as unconfirmed wherever it appears.
    #[must_use]
    pub fn show_unconfirmed(self) -> P {
        self.0
    }
}

/// Does not show the plaintext.
impl<P> fmt::Debug for Plaintext<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed(_) => "Confirmed(..)",
            Self::Unconfirmed(_) => "Unconfirmed(..)",
        })
    }
}

/// Does not show the plaintext.
impl<P> fmt::Debug for Unconfirmed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unconfirmed(..)")
    }
}
