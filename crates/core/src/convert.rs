//! Conversions between integers that lose nothing.

/// A length as 64 bits, of which no platform's `usize` has more.
#[must_use]
#[expect(clippy::as_conversions, reason = "the assertion shows that nothing is cut off, and `From` is not const")]
pub const fn widened(length: usize) -> u64 {
    const { assert!(usize::BITS <= u64::BITS, "a length fits in 64 bits") }
    length as u64
}
