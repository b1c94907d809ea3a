//! A borrowing reader that takes fixed-size pieces from the front and refuses trailing bytes. It does not allocate.

use core::fmt;

use super::Malformed;

/// The part of an input that has not been read yet.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front of `input`.
    #[must_use]
    pub const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// Takes the next `N` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// Takes the next `length` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn slice(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// Takes the next byte.
    ///
    /// # Errors
    ///
    /// [`Malformed`] at the end.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| *byte)
    }

    /// Takes the next two bytes as a big-endian number.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Takes the next four bytes as a big-endian number.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Takes the next eight bytes as a big-endian number.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// Takes a flag of one byte, 0 or 1.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for any other byte, or at the end.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            2.. => Err(Malformed),
        }
    }

    /// Takes the number of items that follow, each of at least `size` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the rest of the input cannot hold that many.
    pub fn count_of(&mut self, size: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count.checked_mul(size).is_some_and(|bytes| bytes <= self.0.len()) { Ok(count) } else { Err(Malformed) }
    }

    /// Takes the number of items that follow, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if there are more.
    pub fn count(&mut self, limit: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count > limit { Err(Malformed) } else { Ok(count) }
    }

    /// Takes the next bytes, which must be `expected`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if they differ.
    pub fn expect(&mut self, expected: &[u8]) -> Result<(), Malformed> {
        if self.slice(expected.len())? == expected { Ok(()) } else { Err(Malformed) }
    }

    /// Returns everything that is left.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Ends reading. Nothing may be left.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if bytes are left.
    pub const fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Shows how many bytes are left but not the bytes, which may be secret.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("left", &self.0.len()).finish()
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
