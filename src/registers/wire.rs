//! Letters about registers (docs/spec/registers.md, section 17.2).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::key::RegisterKey;
use super::limits::{LETTER, LETTER_BYTES, PARTS, VALUE};
use super::merge::Register;
use crate::conversation::ReceivedLetter;
use crate::labels;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert::first;
use bisik_core::primitives::kdf::digest;

/// Digests of all parts.
pub(super) type Digests = [[u8; 8]; PARTS];

/// What a letter says.
pub(super) enum Note {
    Registers(Vec<(RegisterKey, Register)>),
    Digests(Box<Digests>),
    /// The digests that the receiver has sent are the sender's too.
    Same,
}

impl Note {
    /// P-17.6
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            REGISTERS => {
                let (mut registers, mut rest) = (Vec::new(), reader.rest());
                while !rest.is_empty() && registers.len() < LETTER {
                    let mut reader = Reader::new(rest);
                    registers.push(read(&mut reader)?);
                    rest = reader.rest();
                }
                if rest.is_empty() && !registers.is_empty() { Ok(Self::Registers(registers)) } else { Err(Malformed) }
            }
            DIGESTS => {
                let mut digests = Box::new([[0; 8]; PARTS]);
                for digest in digests.iter_mut() {
                    *digest = *reader.array()?;
                }
                reader.finish()?;
                Ok(Self::Digests(digests))
            }
            SAME => {
                reader.finish()?;
                Ok(Self::Same)
            }
            _ => Err(Malformed),
        }
    }

    /// The letters that carry so many registers.
    pub(super) fn letters<'a>(
        registers: impl Iterator<Item = (&'a RegisterKey, &'a Register)>,
    ) -> Vec<Zeroizing<Vec<u8>>> {
        let (mut letters, mut count, mut bytes) = (Vec::new(), 0_usize, 0_usize);
        let mut writer = SecretWriter::with_capacity(LETTER_ROOM);
        for (key, register) in registers {
            if count == 0 {
                writer.u8(REGISTERS);
            }
            write(key, register, &mut writer);
            (count, bytes) = (count.saturating_add(1), bytes.saturating_add(register.size(key)));
            if count >= LETTER || bytes >= LETTER_BYTES {
                letters.push(core::mem::replace(&mut writer, SecretWriter::with_capacity(LETTER_ROOM)).finish());
                (count, bytes) = (0, 0);
            }
        }
        if count > 0 {
            letters.push(writer.finish());
        }
        letters
    }

    pub(super) fn digests(digests: &Digests) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(1 + 8 * PARTS);
        writer.u8(DIGESTS);
        for digest in digests {
            writer.bytes(digest);
        }
        writer.finish()
    }
}

/// The letter that says that nothing differs.
pub(super) fn same() -> Zeroizing<Vec<u8>> {
    Zeroizing::new([SAME].to_vec())
}

/// The digest of each part.
pub(super) fn digests_of(registers: &BTreeMap<RegisterKey, Register>) -> Digests {
    let mut digests = [[0; 8]; PARTS];
    for (of, part) in digests.iter_mut().zip(super::parts(registers)) {
        let mut writer = SecretWriter::with_capacity(256);
        part.into_iter().for_each(|(key, register)| write(key, register, &mut writer));
        *of = first(&digest(&[labels::REGISTER_PART, &writer.finish()]));
    }
    digests
}

pub(super) fn write(RegisterKey { kind, id }: &RegisterKey, register: &Register, writer: &mut SecretWriter) {
    let Register { counter, device, value } = register;
    // A name has 80 bytes at most, and a value 4,096.
    writer.u8(*kind).u8(u8::try_from(id.len()).unwrap_or(0)).bytes(id).u64(*counter).u32(*device);
    writer.flag(value.is_some());
    if let Some(value) = value {
        writer.count(value.len()).bytes(value);
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<(RegisterKey, Register), Malformed> {
    let (kind, length) = (reader.u8()?, usize::from(reader.u8()?));
    let key = RegisterKey::new(kind, reader.slice(length)?).map_err(|_| Malformed)?;
    let (counter, device) = (reader.u64()?, reader.u32()?);
    let value = if reader.flag()? {
        let length = reader.count(VALUE)?;
        Some(Zeroizing::new(reader.slice(length)?.to_vec()))
    } else {
        None
    };
    let allowed = key.allows(value.as_ref().map(|value| value.as_slice()));
    if allowed { Ok((key, Register { counter, device, value })) } else { Err(Malformed) }
}

impl ReceivedLetter {
    /// Returns whether it is about what own devices share: give it to [`Registers::receive_letter`](super::Registers::receive_letter).
    #[must_use]
    pub fn is_of_registers(&self) -> bool {
        matches!(self.body().first(), Some(&(REGISTERS | DIGESTS | SAME)))
    }
}

/// First bytes of letters.
const REGISTERS: u8 = 16;
const DIGESTS: u8 = 17;
const SAME: u8 = 18;
/// Bytes of most letters.
const LETTER_ROOM: usize = 512;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::device::AccountKey;
    use crate::keys::IdentityKey;

    /// P-17.4, P-17.6
    #[test]
    fn a_letter_about_registers_has_one_form() {
        let account = AccountKey::from_identity(IdentityKey::from_bytes_without_points(&[9; 64]).unwrap());
        let value = |bytes: &[u8]| Some(Zeroizing::new(bytes.to_vec()));
        let registers = [
            (RegisterKey::setting("theme").unwrap(), Register { counter: 7, device: 1, value: value(b"dark") }),
            (RegisterKey::setting("theme2").unwrap(), Register { counter: 7, device: 1, value: None }),
            (RegisterKey::blocked(&account), Register { counter: 1 << 40, device: 0, value: value(&[1]) }),
        ];
        let [letter] = &Note::letters(registers.iter().map(|(key, register)| (key, register)))[..] else {
            panic!("one letter")
        };
        let Ok(Note::Registers(read)) = Note::decode(letter) else { panic!("registers") };
        assert!(read == registers);
        let ends: Vec<_> = (1..=registers.len())
            .map(|count| Note::letters(registers[..count].iter().map(|(key, register)| (key, register)))[0].len())
            .collect();
        for short in 0..letter.len() {
            assert_eq!(Note::decode(&letter[..short]).is_ok(), ends.contains(&short), "{short}");
        }
        let digests = Note::digests(&[[3; 8]; PARTS]);
        assert_eq!(digests.len(), 257);
        assert!(matches!(Note::decode(&digests), Ok(Note::Digests(read)) if *read == [[3; 8]; PARTS]));
        assert!(Note::decode(&digests[1..]).is_err() && Note::decode(&digests[..256]).is_err());
        assert!(matches!(Note::decode(&same()), Ok(Note::Same)) && Note::decode(&[18, 0]).is_err());
        assert!(Note::decode(&[15]).is_err() && Note::decode(&[19]).is_err() && Note::decode(&[]).is_err());
        // A kind that has no such value, kind 0, no name, a flag that is none.
        for wrong in [&[5, 1, 7][..], &[2, 1, 7], &[0, 1, 7], &[1, 0], &[1, 81]] {
            let bytes = [&[16], wrong, &[0; 12], &[1, 0, 0, 0, 1, 7]].concat();
            assert!(Note::decode(&bytes).is_err(), "{wrong:?}");
        }
        assert!(Note::decode(&[&[16, 1, 1, 7][..], &[0; 12], &[2, 0, 0, 0, 0]].concat()).is_err());
        let many = |count: usize| vec![registers[0].clone(); count];
        let count = |many: &[(RegisterKey, Register)]| Note::letters(many.iter().map(|(k, r)| (k, r))).len();
        assert_eq!((count(&many(LETTER)), count(&many(LETTER + 1)), count(&[])), (1, 2, 0));
    }
}
