//! [`Presence`]: what a person is doing right now, as an ephemeral message (docs/spec/conversations.md, section 12.11).

use super::send::Ephemeral;
use super::{Conversation, Recipients, SendError};
use crate::account::Account;
use bisik_core::time::Timestamp;

/// What a person is doing right now in a conversation.
///
/// It is an ephemeral message, which is neither kept nor acknowledged: [`Conversation::send_presence`] sends it, and
/// [`Received::Ephemeral`](super::Received::Ephemeral) brings it. A relay cannot tell it from a short text by its length.
///
/// ```
/// use bisik::conversation::Presence;
///
/// let body = Presence::Typing.to_body(); // what `Received::Ephemeral` has as its body
/// assert_eq!(Presence::from_body(&body), Some(Presence::Typing));
/// assert_eq!(Presence::from_body(b"something of the application's own"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// The application is closed, or the user does not look at it.
    Offline,
    /// The user looks at the application.
    Online,
    /// The user types.
    Typing,
    /// The user records a voice note.
    Recording,
}

impl Presence {
    /// Seconds after which a receiver forgets what a device said: see [`still`](Self::still). Say it again while it
    /// lasts, somewhat more often. Requirement P-12.62.
    pub const LASTS: u64 = 30;

    /// Returns what a device said that is still to be shown at `now`, where it `arrived` by the same clock, this
    /// device's. `None` once it has to be forgotten: [`LASTS`](Self::LASTS) seconds after its arrival, or when the clock
    /// was set back before it. Requirement P-12.62.
    ///
    /// ```
    /// use bisik::Timestamp;
    /// use bisik::conversation::Presence;
    ///
    /// let arrived = Timestamp::from_unix_seconds(1_800_000_000);
    /// assert_eq!(Presence::Typing.still(arrived, arrived.plus_seconds(29)), Some(Presence::Typing));
    /// assert_eq!(Presence::Typing.still(arrived, arrived.plus_seconds(30)), None);
    /// ```
    #[must_use]
    pub fn still(self, arrived: Timestamp, now: Timestamp) -> Option<Self> {
        let age = now.as_unix_seconds().checked_sub(arrived.as_unix_seconds())?;
        (age < Self::LASTS).then_some(self)
    }

    /// Returns the ephemeral message.
    #[must_use]
    pub const fn to_body(self) -> [u8; LENGTH] {
        let state = match self {
            Self::Offline => 0,
            Self::Online => 1,
            Self::Typing => 2,
            Self::Recording => 3,
        };
        let mut body = [0; LENGTH];
        let [mark, second, ..] = &mut body;
        (*mark, *second) = (MARK, state);
        body
    }

    /// Reads an ephemeral message. `None` if it is not presence, or a state from a later version. Requirement P-12.62.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        [Self::Offline, Self::Online, Self::Typing, Self::Recording].into_iter().find(|state| state.to_body() == *body)
    }
}

impl Conversation {
    /// Sends what the user is doing, with the next [`flush`](Self::flush), as
    /// [`send_ephemeral`](Self::send_ephemeral) does. It takes the place of what waits already for the same devices.
    ///
    /// Nothing goes to a peer that the user has not [accepted](Self::accept). Whether to tell an accepted one is for the
    /// user to decide: presence shows when somebody is awake. Requirement P-12.62.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::conversation::IdentityPolicy;
    /// # use bisik::device::{DeviceDirectory, DeviceTerms};
    /// # use bisik::{Account, Conversation, Timestamp, Trust};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
    /// # let list = bob.primary().ok_or("a primary device")?.list().clone();
    /// # let peer = DeviceDirectory::trust(&list, Trust::Pinned(bob.key().identity()), now)?;
    /// # let (mut talk, _) = Conversation::new(&alice, peer, &[], IdentityPolicy::Block, now);
    /// use bisik::conversation::{Presence, Recipients};
    ///
    /// talk.send_presence(&alice, Presence::Typing, Recipients::All, now)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged.
    pub fn send_presence(
        &mut self,
        account: &Account,
        presence: Presence,
        to: Recipients,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let older = |Ephemeral { to: other, body }: &Ephemeral| *other == to && Presence::from_body(body).is_some();
        self.send_once(account, &presence.to_body(), to, now, older)
    }
}

/// The first byte. A content begins with a length, of which the first byte is 0.
const MARK: u8 = 0x01;
/// Bytes of presence: those that the shortest content takes as a named message, with its kind and its id.
const LENGTH: usize = 1 + 16 + 32;
