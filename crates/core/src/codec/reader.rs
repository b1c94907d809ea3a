//! A borrowing reader that takes fixed-size pieces off the front and refuses what is left over.
//!
//! Does not allocate and does not know what it reads.

use super::Malformed;

/// The part of an input that has not been read yet.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `length` bytes.
    pub fn slice(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| *byte)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A flag: 0 or 1, nothing else.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            2.. => Err(Malformed),
        }
    }

    /// A number of items of at least `size` bytes each: never more than the rest of the input can hold.
    pub fn count_of(&mut self, size: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count.checked_mul(size).is_some_and(|bytes| bytes <= self.0.len()) { Ok(count) } else { Err(Malformed) }
    }

    /// A number of items, at most `limit`.
    pub fn count(&mut self, limit: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count > limit { Err(Malformed) } else { Ok(count) }
    }

    /// The next bytes must be these.
    pub fn expect(&mut self, expected: &[u8]) -> Result<(), Malformed> {
        if self.slice(expected.len())? == expected { Ok(()) } else { Err(Malformed) }
    }

    /// Everything that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left.
    pub const fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_and_the_end_is_checked() {
        let mut reader = Reader::new(&[7, 0, 0, 0, 2, 1, 9]);
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.u32(), Ok(2));
        assert_eq!(reader.flag(), Ok(true));
        assert_eq!(reader.array::<2>(), Err(Malformed));
        assert_eq!(Reader::new(&[9]).finish(), Err(Malformed));
        assert_eq!(Reader::new(&[]).finish(), Ok(()));
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        assert_eq!(Reader::new(&[2]).flag(), Err(Malformed));
        assert_eq!(Reader::new(&[0, 0, 0, 6]).count(5), Err(Malformed));
        assert_eq!(Reader::new(b"bisik").expect(b"bisek"), Err(Malformed));
    }
}
