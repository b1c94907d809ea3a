//! [`Instance`]: one value in memory, and which of its records the caller has affirmed.

// Targets without atomic operations have no `Arc`: there, the values are not `Send`.
#[cfg(not(target_has_atomic = "ptr"))]
use alloc::rc::Rc as Arc;
#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;
#[cfg(not(target_has_atomic = "ptr"))]
use core::cell::Cell;
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::{AtomicUsize, Ordering};

/// Identifies one value in memory: a session, a conversation, or one side of a sender key.
///
/// Two values never have the same identity, even if their bytes are equal. Bytes of the state would not identify it: a
/// peer knows or chooses some of them, and two values that were opened from one record have all of them in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Instance(Arc<Confirmed>);

impl Instance {
    /// Whether both are of one value.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The greatest number of a record that the caller has affirmed.
    pub(super) fn confirmed(&self) -> usize {
        #[cfg(target_has_atomic = "ptr")]
        return self.0.0.load(Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "ptr"))]
        return self.0.0.get();
    }

    pub(super) fn confirm(&self, seal: usize) {
        if seal == UNCONFIRMED {
            return;
        }
        #[cfg(target_has_atomic = "ptr")]
        self.0.0.fetch_max(seal, Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "ptr"))]
        self.0.0.set(self.confirmed().max(seal));
    }
}

/// The greatest number of a record with blocks that was affirmed; 0 at first.
#[derive(Debug, Default)]
#[cfg(target_has_atomic = "ptr")]
struct Confirmed(AtomicUsize);

/// The same, where nothing is shared between threads.
#[derive(Debug, Default)]
#[cfg(not(target_has_atomic = "ptr"))]
struct Confirmed(Cell<usize>);

/// No record that is affirmed has this number.
pub(super) const UNCONFIRMED: usize = usize::MAX;
