//! How many signatures were verified, for the tests of this module. Nothing outside of tests counts or asks.

/// Counts in a test.
#[cfg(not(test))]
pub(super) const fn count(_more: usize) {}

#[cfg(test)]
pub(super) use counting::{count, counted};

#[cfg(test)]
mod counting {
    use core::cell::Cell;
    use std::thread_local;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    pub(in crate::device) fn count(more: usize) {
        COUNT.with(|count| count.get().checked_add(more).into_iter().for_each(|sum| count.set(sum)));
    }

    /// What `run` returns, and how many signatures it has verified.
    pub(in crate::device) fn counted<T>(run: impl FnOnce() -> T) -> (T, usize) {
        COUNT.with(|count| count.set(0));
        let result = run();
        (result, COUNT.with(Cell::get))
    }
}
