//! The points at which a worker can die, and at which tests stop it.

use crate::Outcome;

/// A moment between two effects that others can see, or between loading and storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Messages are claimed; nothing is loaded.
    Claimed,
    /// Records are loaded.
    Loaded,
    /// Everything is computed; nothing is stored.
    Computed,
    /// The conversation is written; if the engine has transactions, in one that is not committed.
    ConversationWritten,
    /// The account is written.
    AccountWritten,
    /// The application has its rows.
    RowsWritten,
    /// The next envelope is about to be handed to the relay; earlier ones were.
    Sending,
    /// All envelopes are handed to the relay; the claims are not settled.
    Sent,
    /// Everything is done.
    Settled,
}

impl Point {
    /// All points, in order.
    pub const ALL: [Self; 9] = [
        Self::Claimed,
        Self::Loaded,
        Self::Computed,
        Self::ConversationWritten,
        Self::AccountWritten,
        Self::RowsWritten,
        Self::Sending,
        Self::Sent,
        Self::Settled,
    ];
}

/// Where to stop, if anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Points {
    stop: Option<(Point, u32)>,
}

impl Points {
    /// Never stops.
    pub const NOWHERE: Self = Self { stop: None };

    /// Returns a value that passes `times` visits of a point and stops at the next.
    #[must_use]
    pub const fn stop_at(point: Point, times: u32) -> Self {
        Self { stop: Some((point, times)) }
    }

    /// Returns whether it should stop but has not stopped yet.
    #[must_use]
    pub const fn is_ahead(&self) -> bool {
        self.stop.is_some()
    }

    /// Visits a point.
    ///
    /// # Errors
    ///
    /// [`Stopped`] if a test wants the worker to die here.
    pub fn pass(&mut self, point: Point) -> Outcome<()> {
        match &mut self.stop {
            Some((at, 0)) if *at == point => {
                self.stop = None;
                Err(Stopped(point).into())
            }
            Some((at, times)) if *at == point => {
                *times -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The error of a worker that a test has stopped.
#[derive(Clone, Copy, Debug)]
pub struct Stopped(pub Point);

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stopped at {:?}", self.0)
    }
}

impl std::error::Error for Stopped {}
