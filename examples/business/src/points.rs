//! The points at which a worker can die, and tests that stop it there.
//!
//! Does not know what a worker does between them.

use crate::Outcome;

/// A moment between two effects that others can see, or between loading and storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Messages are claimed, nothing is loaded.
    Claimed,
    /// Records are loaded.
    Loaded,
    /// Everything is computed, nothing is stored.
    Computed,
    /// The conversation is written; in a transaction that is not committed, where the engine has them.
    ConversationWritten,
    /// The account is written.
    AccountWritten,
    /// The application has its rows.
    RowsWritten,
    /// The next envelope is about to be handed to the relay, as those before it were.
    Sending,
    /// What is sent is handed to the relay; the claims are not settled.
    Sent,
    /// All is done.
    Settled,
}

impl Point {
    /// All of them, in order.
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
    /// Never.
    pub const NOWHERE: Self = Self { stop: None };

    /// Goes past `times` visits of a point and stops at the next.
    #[must_use]
    pub const fn stop_at(point: Point, times: u32) -> Self {
        Self { stop: Some((point, times)) }
    }

    /// Whether it has stopped nowhere yet, though it should.
    #[must_use]
    pub const fn is_ahead(&self) -> bool {
        self.stop.is_some()
    }

    /// Visits a point.
    ///
    /// # Errors
    ///
    /// [`Stopped`] where a test wants the worker to die here.
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

/// A test has stopped the worker.
#[derive(Clone, Copy, Debug)]
pub struct Stopped(pub Point);

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stopped at {:?}", self.0)
    }
}

impl std::error::Error for Stopped {}
