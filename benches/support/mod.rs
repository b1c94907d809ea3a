//! What the benchmarks share: how one piece of work is measured, in time, in instructions and in allocations.
//!
//! Does not know what is measured.

pub(crate) mod callgrind;
pub(crate) mod interleaved;
pub(crate) mod meter;
