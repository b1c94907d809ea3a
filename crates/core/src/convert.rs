//! Conversions whose bounds the compiler checks: lengths to 64 bits, and arrays to shorter ones.

/// Converts a length to 64 bits. No platform's `usize` is wider.
#[must_use]
#[expect(clippy::as_conversions, reason = "the assertion shows that nothing is cut off, and `From` is not const")]
pub const fn widened(length: usize) -> u64 {
    const { assert!(usize::BITS <= u64::BITS, "a length fits in 64 bits") }
    length as u64
}

/// Returns the first `M` bytes, for ids and digests that are truncated hashes. More than `N` bytes do not compile.
#[must_use]
pub fn first<const M: usize, const N: usize>(bytes: &[u8; N]) -> [u8; M] {
    const { assert!(M <= N, "more bytes than there are") }
    let mut first = [0; M];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}
