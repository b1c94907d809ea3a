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
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// use bisik::Plaintext;
///
/// let answer = b.encrypt(b"hai", rng)?;
/// let decrypted = a.decrypt(&alice, &answer)?;
/// assert_eq!(decrypted.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
/// assert!(decrypted.confirms); // Bob has proved himself with his first answer
/// assert_eq!(decrypted.given_up, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Accepted, Identity, Plaintext, PreKeys, Session, Timestamp, Trust};
///
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let mut keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// let message = b.encrypt(b"hai", rng)?;
/// match a.decrypt(&alice, &message)?.plaintext {
///     Plaintext::Confirmed(text) => assert_eq!(text, b"hai"),
///     // Somebody who has the device's keys could have written it: mark it.
///     Plaintext::Unconfirmed(text) => panic!("Bob has answered: {text:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
