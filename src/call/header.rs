//! The header of a frame (RFC 9605, section 4.3), and the associated data that begins with it.
//!
//! ```text
//!    0 1 2 3 4 5 6 7
//!   ┌─┬─────┬─┬─────┬──────────┬──────────┐     X = 0: the key id is K;  X = 1: the key id has K + 1 bytes
//!   │X│  K  │Y│  C  │  key id  │ counter  │     the same for Y, C and the counter; big-endian, shortest form only
//!   └─┴─────┴─┴─────┴──────────┴──────────┘
//! ```

use bisik_core::codec::{Malformed, Reader};
use bisik_core::internal::InternalError;

/// Maximum length in bytes of the metadata bound to a frame. Longer than any RTP header with its extensions, and short
/// enough to copy beside the frame's header without an allocation.
pub(crate) const MAX_METADATA: usize = 256;

/// A decoded frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key_id: u64,
    pub(super) counter: u64,
    /// Length of the encoding in bytes, 1 to 17.
    pub(super) length: usize,
}

impl Header {
    /// Decodes the header at the beginning of a frame. P-9.9: any encoding but the shortest is refused.
    pub(super) fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame);
        let config = reader.u8()?;
        let key_id = field(config >> 4, &mut reader)?;
        let counter = field(config & 0x0f, &mut reader)?;
        let length = frame.len().checked_sub(reader.rest().len()).ok_or(Malformed)?;
        Ok(Self { key_id, counter, length })
    }
}

/// Decodes one of the two numbers, from its four bits or from the bytes whose count they give.
fn field(bits: u8, reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let Some(more) = bits.checked_sub(EXTENDED) else { return Ok(bits.into()) };
    let bytes = reader.slice(usize::from(more).checked_add(1).ok_or(Malformed)?)?;
    let value = bytes.iter().fold(0, |value: u64, byte| (value << 8) | u64::from(*byte));
    let shortest = value >= u64::from(EXTENDED) && bytes.first() != Some(&0);
    if shortest { Ok(value) } else { Err(Malformed) }
}

/// Encodes a number of eight big-endian bytes: its four bits, and the bytes that follow.
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

/// Associated data of a frame, `header ‖ metadata`. Kept on the stack.
pub(super) struct Associated {
    bytes: [u8; LONGEST + MAX_METADATA],
    length: usize,
}

impl Associated {
    /// Begins with the header that encodes `key_id` and `counter`.
    pub(super) fn encode(key_id: u64, counter: u64) -> Result<Self, InternalError> {
        let (key_bytes, counter_bytes) = (key_id.to_be_bytes(), counter.to_be_bytes());
        let (key_bits, key) = shortest(&key_bytes);
        let (counter_bits, counter) = shortest(&counter_bytes);
        Self::empty().with(&[(key_bits << 4) | counter_bits])?.with(key)?.with(counter)
    }

    /// Begins with a received header.
    pub(super) fn received(header: &[u8]) -> Result<Self, InternalError> {
        Self::empty().with(header)
    }

    const fn empty() -> Self {
        Self { bytes: [0; LONGEST + MAX_METADATA], length: 0 }
    }

    /// Appends `part`. Callers check the length of metadata first; a header always fits.
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

/// The first bit of the four; also the smallest number that does not fit in the other three.
const EXTENDED: u8 = 8;
/// Length of the longest header in bytes.
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

    /// P-9.9: only the shortest encoding decodes.
    #[test]
    fn longer_encodings_of_the_same_numbers_are_refused() {
        for encoded in [&[0x80, 7][..], &[0x08, 7], &[0x90, 0, 9], &[0x09, 0, 0xff], &[0x0f, 0, 1, 1, 1, 1, 1, 1, 1]] {
            assert_eq!(Header::decode(encoded), Err(Malformed), "{encoded:?}");
        }
    }

    /// Every first byte, followed by bytes in which no number begins with a zero.
    #[test]
    fn decoded_headers_encode_to_the_same_bytes() {
        for config in 0..=u8::MAX {
            let mut frame = [0xa5; 18];
            frame[0] = config;
            let header = Header::decode(&frame).unwrap();
            assert_eq!(Associated::encode(header.key_id, header.counter).unwrap().as_slice(), &frame[..header.length]);
        }
    }
}
