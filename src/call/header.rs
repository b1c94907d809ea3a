//! The header of a frame (RFC 9605, section 4.3), and the associated data that it begins.
//!
//! Does not know keys, nor what a key id is made of.
//!
//! ```text
//!    0 1 2 3 4 5 6 7
//!   ┌─┬─────┬─┬─────┬──────────┬──────────┐     X = 0: the key id is K;  X = 1: it has K + 1 bytes
//!   │X│  K  │Y│  C  │  key id  │ counter  │     the same for Y, C and the counter; big-endian, shortest form only
//!   └─┴─────┴─┴─────┴──────────┴──────────┘
//! ```

use crate::codec::{Malformed, Reader};
use crate::internal::InternalError;

/// The longest metadata that can be bound to a frame, in bytes: longer than any RTP header with its extensions, short
/// enough to be copied beside the header without an allocation.
pub(crate) const MAX_METADATA: usize = 256;

/// A decoded header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key_id: u64,
    pub(super) counter: u64,
    /// Bytes of the encoding, 1 to 17.
    pub(super) length: usize,
}

impl Header {
    /// P-9.9. Refuses every encoding but the shortest.
    pub(super) fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame);
        let config = reader.u8()?;
        let key_id = field(config >> 4, &mut reader)?;
        let counter = field(config & 0x0f, &mut reader)?;
        let length = frame.len().checked_sub(reader.rest().len()).ok_or(Malformed)?;
        Ok(Self { key_id, counter, length })
    }
}

/// One of the two numbers: in the four bits, or in the bytes that they announce.
fn field(bits: u8, reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let Some(more) = bits.checked_sub(EXTENDED) else { return Ok(bits.into()) };
    let bytes = reader.slice(usize::from(more).checked_add(1).ok_or(Malformed)?)?;
    let value = bytes.iter().fold(0, |value: u64, byte| (value << 8) | u64::from(*byte));
    let shortest = value >= u64::from(EXTENDED) && bytes.first() != Some(&0);
    if shortest { Ok(value) } else { Err(Malformed) }
}

/// The same the other way: the four bits, and the bytes that follow.
fn shortest(bytes: &[u8; 8]) -> (u8, &[u8]) {
    if let [0, 0, 0, 0, 0, 0, 0, low] = bytes
        && *low < EXTENDED
    {
        return (*low, &[]);
    }
    let mut rest = bytes.as_slice();
    for more in (1..8).rev() {
        match rest {
            [0, shorter @ ..] => rest = shorter,
            _ => return (more | EXTENDED, rest),
        }
    }
    (EXTENDED, rest)
}

/// Header ‖ metadata: what a frame's tag covers beside its ciphertext. On the stack.
pub(super) struct Associated {
    bytes: [u8; LONGEST + MAX_METADATA],
    length: usize,
}

impl Associated {
    /// Begins with the header that key id and counter make.
    pub(super) fn encode(key_id: u64, counter: u64) -> Result<Self, InternalError> {
        let (key_bytes, counter_bytes) = (key_id.to_be_bytes(), counter.to_be_bytes());
        let (key_bits, key) = shortest(&key_bytes);
        let (counter_bits, counter) = shortest(&counter_bytes);
        Self::empty().with(&[(key_bits << 4) | counter_bits])?.with(key)?.with(counter)
    }

    /// Begins with a header that arrived.
    pub(super) fn received(header: &[u8]) -> Result<Self, InternalError> {
        Self::empty().with(header)
    }

    const fn empty() -> Self {
        Self { bytes: [0; LONGEST + MAX_METADATA], length: 0 }
    }

    /// Adds `part`. Callers check the length of metadata first; a header always fits.
    pub(super) fn with(mut self, part: &[u8]) -> Result<Self, InternalError> {
        let end = self.length.checked_add(part.len()).ok_or(InternalError)?;
        self.bytes.get_mut(self.length..end).ok_or(InternalError)?.copy_from_slice(part);
        self.length = end;
        Ok(self)
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        let (used, _) = self.bytes.split_at(self.length);
        used
    }
}

/// The first bit of the four, and the first number that does not fit in the other three.
const EXTENDED: u8 = 8;
/// Bytes of the longest header.
const LONGEST: usize = 1 + 8 + 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::published::{self, bytes, number};

    /// P-9.9: RFC 9605, appendix C.1.
    #[test]
    fn headers_agree_with_every_published_vector_in_both_directions() {
        let vectors = published::of("header");
        assert_eq!(vectors.len(), 289);
        for vector in vectors {
            let (key_id, counter) = (number(&vector, "kid"), number(&vector, "ctr"));
            let encoded = bytes(&vector, "encoded");
            assert_eq!(Associated::encode(key_id, counter).unwrap().as_slice(), encoded);
            assert_eq!(Header::decode(&encoded), Ok(Header { key_id, counter, length: encoded.len() }));
            for length in 0..encoded.len() {
                assert_eq!(Header::decode(&encoded[..length]), Err(Malformed), "cut short");
            }
        }
    }

    /// P-9.9
    #[test]
    fn longer_encodings_of_the_same_numbers_are_refused() {
        for encoded in [&[0x80, 7][..], &[0x08, 7], &[0x90, 0, 9], &[0x09, 0, 0xff], &[0x0f, 0, 1, 1, 1, 1, 1, 1, 1]] {
            assert_eq!(Header::decode(encoded), Err(Malformed), "{encoded:?}");
        }
    }

    /// Every first byte, with bytes behind it that no number begins with a zero.
    #[test]
    fn what_decodes_encodes_to_the_same_bytes() {
        for config in 0..=u8::MAX {
            let mut frame = [0xa5; 18];
            frame[0] = config;
            let header = Header::decode(&frame).unwrap();
            assert_eq!(Associated::encode(header.key_id, header.counter).unwrap().as_slice(), &frame[..header.length]);
        }
    }
}
