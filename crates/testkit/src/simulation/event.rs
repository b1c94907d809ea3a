//! [`Event`]: everything that can happen to two devices and the network between them.

/// Which of the two devices of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    pub fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }
}

/// The moment of a crash: before the database has the new state, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    BeforeStore,
    AfterStore,
}

/// One thing that happens to one pair. `nth` picks an envelope in flight, modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Encrypt, store, send. Sets up a session first if there is none.
    Send { from: Side, length: u8 },
    /// Like `Send`, with a crash before the message is sent: it never leaves.
    SendThenCrash { from: Side, at: Crash },
    /// The envelope arrives: stage, store, commit. It has left the network.
    Deliver { nth: u8 },
    /// The envelope arrives, and the receiver crashes. If it was not delivered, it stays in flight.
    DeliverThenCrash { nth: u8, at: Crash },
    /// The network makes a second copy of the envelope.
    Duplicate { nth: u8 },
    /// The network loses the envelope.
    Drop { nth: u8 },
    /// A copy with one changed byte arrives.
    Corrupt { nth: u8, at: u16, mask: u8 },
    /// A copy cut off after some bytes arrives.
    Cut { nth: u8, keep: u16 },
    /// A copy with bytes appended arrives.
    Extend { nth: u8, by: u8 },
    /// A copy is played back to its sender.
    Reflect { nth: u8 },
    /// A partition: nothing is delivered ..
    Partition,
    /// .. until it heals.
    Heal,
    /// The device restarts from its last stored state.
    Restart { side: Side },
    /// The device restarts from an old backup. With `rewind` its generator is set back too, and repeats its output.
    Restore { side: Side, age: u8, rewind: bool },
    /// Time passes; both devices rotate and replenish their pre-keys.
    Advance { days: u8 },
    /// The device abandons its session and sets up a new one with the next message.
    Renew { side: Side },
    /// An attacker copies the device's sessions and leaves.
    Copy { side: Side },
    /// The attacker sends to the peer from its copy.
    Forge { side: Side },
}

impl Event {
    /// Reads one event from the front. Total: returns `None` only at the end. Missing parameters are zero, so that
    /// every prefix of a script is a script, and shrinking towards zeros shrinks towards [`Event::Send`].
    pub fn read(script: &mut &[u8]) -> Option<Self> {
        let kind = take(script)?;
        let mut byte = || take(script).unwrap_or(0);
        Some(match kind % 64 {
            0..=17 => Self::Send { from: side(kind), length: byte() },
            18..=36 => Self::Deliver { nth: byte() },
            37 | 38 => Self::SendThenCrash { from: side(kind), at: crash(byte()) },
            39 | 40 => Self::DeliverThenCrash { nth: byte(), at: crash(kind) },
            41..=43 => Self::Duplicate { nth: byte() },
            44 => Self::Drop { nth: byte() },
            45..=47 => Self::Corrupt { nth: byte(), at: u16::from_be_bytes([byte(), byte()]), mask: byte() },
            48 => Self::Cut { nth: byte(), keep: u16::from_be_bytes([byte(), byte()]) },
            49 => Self::Extend { nth: byte(), by: byte() },
            50 => Self::Reflect { nth: byte() },
            51 => Self::Partition,
            52 | 53 => Self::Heal,
            54 | 55 => Self::Restart { side: side(kind) },
            56 | 57 => Self::Restore { side: side(kind), age: byte(), rewind: side(byte()) == Side::Right },
            58 => Self::Advance { days: byte() },
            59 => Self::Renew { side: side(byte()) },
            60 | 61 => Self::Copy { side: side(kind) },
            _ => Self::Forge { side: side(kind) },
        })
    }

    /// Whether delivery and secrecy still hold after this event: messages that are not lost arrive, and only the peer
    /// reads them.
    pub fn is_honest(&self) -> bool {
        !matches!(self, Self::Restore { .. } | Self::Renew { .. } | Self::Forge { .. } | Self::Drop { .. })
    }
}

fn take(script: &mut &[u8]) -> Option<u8> {
    let (first, rest) = script.split_first()?;
    *script = rest;
    Some(*first)
}

fn side(byte: u8) -> Side {
    if byte & 1 == 0 { Side::Left } else { Side::Right }
}

fn crash(byte: u8) -> Crash {
    if byte & 1 == 0 { Crash::BeforeStore } else { Crash::AfterStore }
}
