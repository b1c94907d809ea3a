//! Shared by the benchmarks: measuring one piece of work in time, in instructions and in allocations.

pub(crate) mod callgrind;
pub(crate) mod interleaved;
pub(crate) mod meter;
