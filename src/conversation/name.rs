//! Names of messages: a number and eight random bytes (docs/spec/conversations.md, section 12.2).

use core::fmt;

use rand_core::CryptoRng;

use super::limits::{GREATEST_CLAIM, GREATEST_MOMENT};
use bisik_core::codec::{Malformed, Reader};
use bisik_core::id::IdError;
use bisik_core::time::Timestamp;

/// Eight random bytes, by which a message is acknowledged. Unlike its number, they are never used twice, not even by a
/// device that was restored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) [u8; 8]);

impl Tag {
    /// Returns the eight bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Tag({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// The id of a message: with the device that wrote it, its name. It is the same for all devices that the message goes
/// to, and is never seen by a relay.
///
/// An author's numbers ascend, with gaps, so that a peer does not learn how many messages went elsewhere.
///
/// ```
/// use bisik::conversation::MessageId;
///
/// let id = MessageId::from_bytes(*b"bisik-1 message!");
/// assert_eq!(id.to_string(), "626973696b2d31206d65737361676521");
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert_eq!(MessageId::try_from(id.as_ref()), Ok(id)); // for a column of bytes
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId([u8; Self::LENGTH]);

impl MessageId {
    /// Length of an encoded id in bytes.
    pub const LENGTH: usize = 16;

    /// Reads an id that content refers to, or that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) const fn new(number: u64, tag: Tag) -> Self {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        let Tag([i, j, k, l, m, n, o, p]) = tag;
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    /// Returns the number, big-endian, and the tag.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    /// Returns the number: of two messages of one device the later one has the greater.
    #[must_use]
    pub const fn number(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns the tag.
    #[must_use]
    pub const fn tag(self) -> Tag {
        let [_, _, _, _, _, _, _, _, tag @ ..] = self.0;
        Tag(tag)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_bytes(*reader.array()?))
    }
}

/// The number, big-endian, and the tag.
impl AsRef<[u8]> for MessageId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    MessageId: MessageId::LENGTH, or IdError = IdError;
    from |bytes| Ok(MessageId::from_bytes(bytes));
    to |id| id.0;
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, Tag([a, b, c, d, ..])) = (self.number(), self.tag());
        write!(f, "MessageId({number}, {a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// P-12.24. The numbers that this device gives. The clock is not believed: a wrong one costs only that a restored
/// device's new numbers may be below its forgotten ones, and nothing depends on that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// The greatest number so far.
    pub(super) last: u64,
}

impl Numbers {
    pub(super) fn next(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> MessageId {
        let clock = now.as_unix_seconds().min(GREATEST_MOMENT).saturating_mul(1 << 10);
        self.last = self.after().max(clock);
        let mut tag = [0; 8];
        rng.fill_bytes(&mut tag);
        MessageId::new(self.last, Tag(tag))
    }

    /// The number after the last one.
    pub(super) const fn after(self) -> u64 {
        self.last.saturating_add(1)
    }

    /// P-12.52: a device knows a greater number.
    pub(super) fn follow(&mut self, claim: u64) {
        self.last = self.last.max(claim.min(GREATEST_CLAIM));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// P-12.24
    #[test]
    fn numbers_ascend_whatever_the_clock_does() {
        let mut numbers = Numbers::default();
        let rng = &mut rand::rng();
        let mut last = 0;
        for now in [100, 100, 5, 0, 1_000, u64::MAX, 1, u64::MAX] {
            let id = numbers.next(at(now), rng);
            assert!(id.number() > last && id.number() < 1 << 60, "{id:?}");
            last = id.number();
        }
        assert_eq!(Numbers::default().next(at(100), rng).number(), 102_400);
        assert_ne!(Numbers::default().next(at(1), rng).tag(), Numbers::default().next(at(1), rng).tag());
    }

    /// P-12.52
    #[test]
    fn a_claim_moves_the_numbers_on_and_never_too_far() {
        let mut numbers = Numbers { last: 10 };
        [10, 3, 12].into_iter().for_each(|claim| numbers.follow(claim));
        assert_eq!(numbers.last, 12);
        numbers.follow(u64::MAX);
        assert_eq!(numbers.last, GREATEST_CLAIM);
    }

    #[test]
    fn an_id_is_its_sixteen_bytes() {
        let id = MessageId::new(0x0102_0304_0506_0708, Tag([9; 8]));
        assert_eq!(id.to_bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9]);
        assert_eq!((MessageId::from_bytes(id.to_bytes()), id.as_ref()), (id, id.to_bytes().as_slice()));
        assert_eq!((id.number(), id.tag()), (0x0102_0304_0506_0708, Tag([9; 8])));
    }

    #[test]
    fn ids_are_ordered_by_their_numbers_and_then_by_their_tags() {
        let id = |number, tag| MessageId::new(number, Tag([tag; 8]));
        let ascending = [id(0, 0xff), id(1, 0), id(1, 1), id(0xff, 0), id(0x100, 0), id(u64::MAX, 0)];
        assert!(ascending.is_sorted());
        assert!(ascending.windows(2).all(|two| two[0] != two[1]));
    }
}
