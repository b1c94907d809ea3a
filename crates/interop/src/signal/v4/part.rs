//! [`PqPart`]: what one message says for the post-quantum ratchet (docs/interop.md, section 13).

use alloc::vec::Vec;

use bisik_core::braid::{Kind, Part};
use bisik_core::codec::{Malformed, Reader};

/// The field of a message: `version ‖ varint(epoch) ‖ varint(index) ‖ type [‖ varint(chunk number) ‖ chunk (32)]`.
#[derive(Clone, Copy)]
pub(super) struct PqPart {
    /// 1, or a later one, whose layout is the same as far as it is read.
    pub(super) version: u8,
    /// The message's number in its chain, from 1.
    pub(super) index: u32,
    /// The epoch, and what the message says for the braid.
    pub(super) braid: Part,
}

/// The version that is written.
pub(super) const VERSION: u8 = 1;

impl PqPart {
    /// The number of the chain that the message's key is of: the epoch before that of the braid.
    pub(super) const fn chain(&self) -> u32 {
        self.braid.epoch.saturating_sub(1)
    }

    /// The most bytes of the field.
    pub(super) const MOST: usize = 48;

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { version, index, braid: Part { epoch, kind, number, chunk } } = self;
        let mut bytes = Vec::with_capacity(Self::MOST);
        bytes.push(*version);
        put_varint(&mut bytes, *epoch);
        put_varint(&mut bytes, *index);
        bytes.push(u8::from(*kind));
        if kind.has_chunk() {
            put_varint(&mut bytes, u32::from(*number));
            bytes.extend_from_slice(chunk);
        }
        bytes
    }

    /// Version 0 and index 0 mean a message without a key, which no sender of version 4 writes, and are refused. Bytes
    /// after the part are passed over. S-13.8.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        let (epoch, index) = (u32::try_from(varint(&mut reader)?)?, u32::try_from(varint(&mut reader)?)?);
        if version == 0 || epoch == 0 || index == 0 {
            return Err(Malformed);
        }
        let kind = Kind::try_from(reader.u8()?)?;
        let (number, chunk) =
            if kind.has_chunk() { (u16::try_from(varint(&mut reader)?)?, *reader.array()?) } else { (0, [0; 32]) };
        Ok(Self { version, index, braid: Part { epoch, kind, number, chunk } })
    }
}

fn put_varint(output: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            output.push(low & 0x7f);
            return;
        }
        output.push(low | 0x80);
    }
}

/// Reads at most ten bytes of seven bits each, the lowest first. Longer forms than needed are accepted.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// S-13.8. The examples of a deployed implementation: a chunk, and two parts without one.
    #[test]
    fn parts_are_read_and_written_as_a_deployed_implementation_does() {
        let mut header = Vec::from([1, 1, 2, 1, 1]);
        header.extend([0xe3; 32]);
        for bytes in [header.as_slice(), &[1, 2, 1, 0], &[1, 1, 0x33, 4]] {
            assert_eq!(PqPart::parse(bytes).unwrap().encode(), bytes);
        }
        // A longer form of a number, and bytes after the end.
        let part = PqPart::parse(&[1, 2, 0x81, 0, 0, 9, 9]).unwrap();
        assert_eq!((part.chain(), part.index), (1, 1));
    }

    /// S-13.8.
    #[test]
    fn a_part_without_a_key_of_an_unknown_type_or_cut_short_is_refused() {
        let mut chunk = Vec::from([1, 1, 1, 1, 0]);
        chunk.extend([7; 32]);
        assert!(PqPart::parse(&chunk).is_ok());
        for length in 0..chunk.len() {
            assert!(PqPart::parse(&chunk[..length]).is_err(), "{length}");
        }
        let mut far = Vec::from([1, 1, 1, 1, 0x80, 0x80, 4]);
        far.extend([7; 32]);
        for bytes in [&[0, 1, 1, 0][..], &[1, 0, 1, 0], &[1, 1, 0, 0], &[1, 1, 1, 7], &far] {
            assert!(PqPart::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
