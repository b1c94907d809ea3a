//! Conversions between integers that lose nothing.

/// Converts a length to 64 bits. No platform's `usize` is wider.
#[must_use]
#[expect(clippy::as_conversions, reason = "the assertion shows that nothing is cut off, and `From` is not const")]
pub const fn widened(length: usize) -> u64 {
    const { assert!(usize::BITS <= u64::BITS, "a length fits in 64 bits") }
    length as u64
}
