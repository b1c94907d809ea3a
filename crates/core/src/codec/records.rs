//! Protobuf without a schema: a sequence of records, each with number, value and bytes.
//!
//! Reading allocates nothing. Groups are refused; proto3 has none.

use core::fmt;

use super::{Malformed, Reader};

/// One encoded field of a message.
pub struct Record<'a> {
    /// The field number, never 0.
    pub number: u32,
    /// The value.
    pub value: Value<'a>,
    /// The bytes of tag and value.
    pub bytes: &'a [u8],
}

/// The value of a field, as far as a reader without the schema can tell.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A number, encoded in at most ten bytes.
    Varint(u64),
    /// Eight bytes.
    Fixed64,
    /// Length-delimited bytes: a string, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32,
}

/// The records of a message, in order. The iterator ends after the first malformed one.
pub struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    /// Iterates over the records of `message`.
    #[must_use]
    pub const fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn read(message: &'a [u8]) -> Result<(Record<'a>, &'a [u8]), Malformed> {
        let mut reader = Reader::new(message);
        let tag = u32::try_from(varint(&mut reader)?).map_err(|_| Malformed)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut reader)?),
            1 => reader.array::<8>().map(|_| Value::Fixed64)?,
            2 => {
                let length = usize::try_from(varint(&mut reader)?).map_err(|_| Malformed)?;
                Value::Bytes(reader.slice(length)?)
            }
            5 => reader.array::<4>().map(|_| Value::Fixed32)?,
            _ => return Err(Malformed),
        };
        let rest = reader.rest();
        let bytes = message.len().checked_sub(rest.len()).and_then(|end| message.get(..end)).ok_or(Malformed)?;
        let number = tag >> 3;
        if number == 0 { Err(Malformed) } else { Ok((Record { number, value, bytes }, rest)) }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = Self::read(self.0);
        self.0 = match &read {
            Ok((_, rest)) => rest,
            Err(Malformed) => &[],
        };
        Some(read.map(|(record, _)| record))
    }
}

/// Reads at most ten bytes of seven bits each, the lowest first.
fn varint(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = u64::from(reader.u8()?);
        let bits = byte & 0x7f;
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return Err(Malformed);
        }
        value |= shifted;
        if byte == bits {
            return Ok(value);
        }
    }
    Err(Malformed)
}

/// Shows numbers and lengths but not values, which may be secret.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, value, bytes: _ } = self;
        f.debug_struct("Record").field("number", number).field("value", value).finish_non_exhaustive()
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Varint(_) => f.write_str("Varint(..)"),
            Self::Fixed64 => f.write_str("Fixed64"),
            Self::Bytes(bytes) => f.debug_struct("Bytes").field("length", &bytes.len()).finish(),
            Self::Fixed32 => f.write_str("Fixed32"),
        }
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("left", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn numbers(message: &[u8]) -> Result<Vec<u32>, Malformed> {
        Records::of(message).map(|record| record.map(|record| record.number)).collect()
    }

    #[test]
    fn records_are_the_message_cut_in_pieces() {
        let message = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, 9, 9, 0x25, 1, 2, 3, 4];
        assert_eq!(numbers(&message), Ok(vec![1, 2, 3, 4]));
        let whole: Vec<u8> = Records::of(&message).flat_map(|record| record.unwrap().bytes.to_vec()).collect();
        assert_eq!(whole, message);
        let Some(Ok(Record { value: Value::Varint(value), .. })) = Records::of(&message).next() else { panic!() };
        assert_eq!(value, 150);
    }

    #[test]
    fn what_is_no_protobuf_is_refused() {
        for message in [
            [0x08].as_slice(),                                                   // no value
            &[0x00, 0],                                                          // field 0
            &[0x0b, 0x0c],                                                       // a group
            &[0x0e, 0],                                                          // an unknown wire type
            &[0x1a, 2, 9],                                                       // shorter than its length says
            &[0x11, 1, 2, 3, 4, 5, 6, 7],                                        // seven of eight bytes
            &[0x25, 1, 2, 3],                                                    // three of four bytes
            &[0x80, 0x80, 0x80, 0x80, 0x10, 0],                                  // a number above 2^29
            &[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],       // above 2^64
            &[8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], // eleven bytes
        ] {
            assert_eq!(numbers(message), Err(Malformed), "{message:x?}");
        }
        assert_eq!(Records::of(&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).count(), 1);
    }
}
