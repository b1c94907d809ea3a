//! [`Policy`]: for how long an author may edit and delete, and who may pin (docs/spec/content.md, section 7.10).
//!
//! Pure functions: they read no clock and know no members. What they decide is for the user's own program and for those
//! it shows; no check of the protocol depends on them.

use super::{Content, SentAt};
use bisik_core::time::Timestamp;

/// Seconds in which an author may edit a content, unless the application decides otherwise: 15 minutes.
pub const EDIT_WINDOW: u64 = 900;
/// Seconds in which an author may delete a content for everyone, unless the application decides otherwise: two days.
pub const DELETE_WINDOW: u64 = 172_800;
/// Seconds for which an edit or deletion may be on its way, unless the application decides otherwise: 14 days, for
/// which an author keeps a message of a [`Conversation`](crate::Conversation) for devices that do not have it.
pub const DELIVERY_WINDOW: u64 = 1_209_600;
/// How many contents are shown at the top of a conversation, unless the application decides otherwise.
pub const MOST_PINS: usize = 3;

/// What people may do to contents. The default has the windows of the constants, and lets everybody pin.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Kind, Text};
/// use bisik::Timestamp;
/// use bisik::content::{Policy, SentAt, Times};
///
/// let policy = Policy { edit_window: 3_600, ..Policy::default() };
/// # let halo = Content::new(ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng), Kind::Text(Text::new("hallo")))?;
/// // The author's own program asks whether to offer an edit.
/// let at = |seconds: u64| SentAt::from_unix_milliseconds(seconds * 1_000);
/// assert!(policy.may_edit(Times::own(halo.sent()), Times::own(at(1_800_003_600)?)));
/// assert!(!policy.may_edit(Times::own(halo.sent()), Times::own(at(1_800_003_601)?)));
///
/// // The receiver was offline, and gets the content and its edit two days later.
/// let arrived = Timestamp::from_unix_seconds(1_800_172_800);
/// # let edit = Content::new(ContentMeta::new(at(1_800_000_060)?, rng), Kind::Text(Text::new("halo")))?;
/// assert!(policy.may_edit(Times::of(&halo, arrived), Times::of(&edit, arrived)));
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Seconds in which an author may edit a content; `u64::MAX` for ever.
    pub edit_window: u64,
    /// Seconds in which an author may delete a content for everyone; `u64::MAX` for ever.
    pub delete_window: u64,
    /// Seconds for which an edit or deletion may be on its way: one that arrives later than its window and this after
    /// its content is refused for good, although it may have been made in time. A relay may keep messages for longer
    /// than the default. For as long as this an author can pretend to have edited in time. `u64::MAX` to believe the
    /// author's times for ever.
    pub delivery_window: u64,
    /// Whether only administrators pin and unpin.
    pub only_admins_pin: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            edit_window: EDIT_WINDOW,
            delete_window: DELETE_WINDOW,
            delivery_window: DELIVERY_WINDOW,
            only_admins_pin: false,
        }
    }
}

/// When a content was sent by its sender's clock, and when it arrived by this device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was sent, as its sender claims.
    pub sent: SentAt,
    /// When this device first had it, by this device's clock. If that clock was ahead, the author can pretend for as
    /// much longer; a program that finds out can correct the moment that it has stored. What comes from another device
    /// of the user keeps the moment of its arrival there.
    pub arrived: Timestamp,
}

impl Times {
    /// Returns the times of a content that arrived at `arrived`.
    #[must_use]
    pub const fn of(content: &Content, arrived: Timestamp) -> Self {
        Self { sent: content.sent(), arrived }
    }

    /// Returns the times of a content that this device wrote.
    #[must_use]
    pub const fn own(sent: SentAt) -> Self {
        Self { sent, arrived: sent.timestamp() }
    }
}

impl Policy {
    /// Returns whether the author of `original` may change it by an edit with the times `edit`.
    ///
    /// Both times of sending are by one clock, the author's, so it does not matter whether that is right. It is believed
    /// for the [`delivery_window`](Self::delivery_window) and no longer: an edit that arrives later than that and the
    /// window after the original, by this device's clock, comes too late whatever it claims. Whoever had the original
    /// and was offline for as long keeps it unedited. Requirement P-7.33.
    #[must_use]
    pub fn may_edit(&self, original: Times, edit: Times) -> bool {
        self.in_time(self.edit_window, original, edit)
    }

    /// Returns whether the author of `original` may delete it by a deletion with the times `deletion`. As
    /// [`may_edit`](Self::may_edit).
    #[must_use]
    pub fn may_delete(&self, original: Times, deletion: Times) -> bool {
        self.in_time(self.delete_window, original, deletion)
    }

    /// Returns whether a person may pin and unpin.
    ///
    /// ```
    /// use bisik::content::Policy;
    ///
    /// let policy = Policy { only_admins_pin: true, ..Policy::default() };
    /// assert!(policy.may_pin(true) && !policy.may_pin(false));
    /// ```
    #[must_use]
    pub const fn may_pin(&self, sender_is_admin: bool) -> bool {
        sender_is_admin || !self.only_admins_pin
    }

    /// P-7.33. There is a last moment by each clock, and nothing is too early: an edit can overtake its original, and
    /// the author's clock can be set back.
    fn in_time(&self, window: u64, original: Times, change: Times) -> bool {
        let last_sent = original.sent.as_unix_milliseconds().saturating_add(window.saturating_mul(1_000));
        let last_arrived = original.arrived.plus_seconds(window).plus_seconds(self.delivery_window);
        change.sent.as_unix_milliseconds() <= last_sent && change.arrived <= last_arrived
    }
}

/// Seconds by which a clock may be ahead of another and is still taken for right.
pub(super) const CLOCK_TOLERANCE: u64 = 300;
