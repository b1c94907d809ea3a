//! [`Input`]: a fuzzer's bytes, read as numbers near interesting values and as edited genuine messages.
//!
//! Past its end an input reads as zeros, so that every input has a meaning.

/// The bytes that have not been read yet.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// At most `length` bytes.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        head
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let bytes = self.bytes(N);
        array[..bytes.len()].copy_from_slice(bytes);
        array
    }

    pub fn byte(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    /// An offset in a value of `length` bytes, including its end.
    fn place(&mut self, length: usize) -> usize {
        usize::from(u16::from_be_bytes(self.array())) % (length + 1)
    }

    /// A number within 31 of one of `bases`, rarely any number.
    pub fn number_near(&mut self, bases: &[u32]) -> u32 {
        let [choice, offset] = self.array();
        let offset = u32::from(offset);
        match usize::from(choice).checked_rem(bases.len() + 1).and_then(|index| bases.get(index)) {
            Some(base) if offset < 128 => base.saturating_add(offset % 32),
            Some(base) => base.saturating_sub(offset % 32),
            None => u32::from_be_bytes(self.array()),
        }
    }

    /// One of `genuine` with up to three edits, or raw bytes.
    pub fn edited(&mut self, genuine: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let choice = self.byte();
        if choice == RAW {
            let length = usize::from(u16::from_be_bytes(self.array()));
            return self.bytes(length).to_vec();
        }
        let mut bytes = genuine[usize::from(choice) % genuine.len()].as_ref().to_vec();
        for _ in 0..self.byte() % 4 {
            self.edit(&mut bytes, genuine);
        }
        bytes
    }

    fn edit(&mut self, bytes: &mut Vec<u8>, genuine: &[impl AsRef<[u8]>]) {
        let [kind, operand] = self.array();
        let at = self.place(bytes.len());
        let other = genuine[usize::from(operand) % genuine.len()].as_ref();
        match kind % 6 {
            0 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= operand),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, operand),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            // The rest of another message, and a piece of it as long as a tag.
            4 => bytes.splice(at.., other.iter().skip(at).copied()).for_each(drop),
            _ => bytes.iter_mut().zip(other).skip(at).take(16).for_each(|(to, from)| *to = *from),
        }
    }
}

/// The choice that selects raw bytes.
pub const RAW: u8 = 0xff;
