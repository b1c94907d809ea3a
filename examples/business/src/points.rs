//! The points at which a worker can die, and at which tests stop it.

use crate::Outcome;
use crate::engine::Step;

/// A moment between two effects that others can see, or between loading and storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Messages are claimed; nothing is loaded.
    Claimed,
    /// Records are loaded.
    Loaded,
    /// A part is computed; nothing of it is stored.
    Computed,
    /// The application has its rows, in the transaction that is not committed.
    RowsWritten,
    /// The next envelope is about to be handed to the relay; earlier ones were.
    Sending,
    /// All envelopes of a part are handed to the relay.
    Sent,
    /// The conversation is written, in the transaction that is not committed.
    ConversationWritten,
    /// So is the account.
    AccountWritten,
    /// Blocks that are too many for the transaction are written, and nothing names them yet.
    BlocksWritten,
    /// Everything is done.
    Settled,
}

impl Point {
    /// All points, in order.
    pub const ALL: [Self; 10] = [
        Self::Claimed,
        Self::Loaded,
        Self::Computed,
        Self::RowsWritten,
        Self::Sending,
        Self::Sent,
        Self::ConversationWritten,
        Self::AccountWritten,
        Self::BlocksWritten,
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

impl Points {
    /// Visits the points of a step in a transaction, for an engine that sends the whole transaction at once.
    ///
    /// # Errors
    ///
    /// [`Stopped`] if a test wants the worker to die at one of them.
    pub fn pass_step(&mut self, step: &Step) -> Outcome<()> {
        self.pass(Point::RowsWritten)?;
        step.mail.iter().try_for_each(|_| self.pass(Point::Sending))?;
        self.pass(Point::Sent)?;
        self.pass(Point::ConversationWritten)
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
