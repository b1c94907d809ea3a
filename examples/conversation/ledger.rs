//! What a party has received, and what the other side has: the application's own state, stored beside the session.
//!
//! Does not know contents, only the numbers of items.

use crate::content::Item;
use crate::fields::{Fields, push_part};

/// Which items have gone which way, for good.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The peer's items that were shown here.
    received: Numbers,
    /// How many the peer has, once it has said so.
    expected: Option<u32>,
    /// Our items that the peer has shown.
    receipted: Numbers,
}

impl Ledger {
    /// Notes that an item was shown; `false` if it was noted before.
    pub(crate) fn receive(&mut self, item: Item) -> bool {
        self.expected = Some(item.of);
        self.received.insert(item.number)
    }

    pub(crate) fn has_received(&self, item: Item) -> bool {
        self.received.contains(item.number)
    }

    /// Notes that the peer has an item of ours.
    pub(crate) fn receipt(&mut self, number: u32) -> bool {
        self.receipted.insert(number)
    }

    pub(crate) fn has_receipt(&self, number: u32) -> bool {
        self.receipted.contains(number)
    }

    /// Whether everything has arrived on both sides, where we have `ours` items.
    pub(crate) fn is_complete(&self, ours: u32) -> bool {
        self.receipted.count == ours && self.expected == Some(self.received.count)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { received, expected, receipted } = self;
        let mut bytes = expected.unwrap_or(0).to_be_bytes().to_vec();
        push_part(&mut bytes, &received.bits);
        push_part(&mut bytes, &receipted.bits);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let expected = Some(fields.u32()?).filter(|&expected| expected != 0);
        let ledger = Self {
            expected,
            received: Numbers::from_bits(fields.part()?),
            receipted: Numbers::from_bits(fields.part()?),
        };
        fields.finish().map(|()| ledger)
    }
}

/// A set of small numbers, one bit for each.
#[derive(Default)]
struct Numbers {
    bits: Vec<u8>,
    count: u32,
}

impl Numbers {
    fn from_bits(bits: &[u8]) -> Self {
        Self { bits: bits.to_vec(), count: bits.iter().map(|byte| byte.count_ones()).sum() }
    }

    fn contains(&self, number: u32) -> bool {
        let (byte, bit) = place(number);
        self.bits.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    fn insert(&mut self, number: u32) -> bool {
        let (byte, bit) = place(number);
        if self.contains(number) {
            return false;
        }
        self.bits.resize(self.bits.len().max(byte + 1), 0);
        self.bits[byte] |= bit;
        self.count += 1;
        true
    }
}

/// Which byte, and which bit in it.
fn place(number: u32) -> (usize, u8) {
    // Never saturates: a usize has 32 bits or more wherever there are processes and sockets.
    (usize::try_from(number / 8).unwrap_or(usize::MAX), 1 << (number % 8))
}
