//! Frames between a party and the relay: `length 4 | kind 1 | number 8 | bytes`. The length counts what follows it.
//!
//! Bundles and messages are just bytes here.

use std::io::{self, ErrorKind, Read};

/// A frame. Mailboxes have the numbers of the parties.
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The kind of a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To the relay: open this mailbox. From now on its mail is delivered on this connection.
    Open,
    /// To the relay: store this bundle for those who want to write to this mailbox, and hand it out once.
    PublishOnce,
    /// To the relay: store this bundle, and hand it out repeatedly when no other is left.
    PublishLast,
    /// To the relay: return a bundle of this mailbox.
    Fetch,
    /// To the relay: put this message into this mailbox.
    Put,
    /// To the relay: the delivery of this number has been processed; delete it.
    Done,
    /// To a party: the bundle, or empty if there is none yet.
    Bundle,
    /// To a party: a message in a delivery of this number. It is delivered again on the next connection until it is
    /// acknowledged.
    Deliver,
}

pub(crate) fn encode(kind: Kind, number: u64, bytes: &[u8]) -> Vec<u8> {
    let kind = KINDS.iter().position(|it| *it == kind).and_then(|kind| u8::try_from(kind).ok()).unwrap_or(u8::MAX);
    let length = u32::try_from(1 + 8 + bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &[kind], &number.to_be_bytes(), bytes].concat()
}

/// Reads one frame. Afterwards `raw` holds every byte that arrived, even on error.
pub(crate) fn read(from: &mut impl Read, raw: &mut Vec<u8>) -> io::Result<Frame> {
    raw.clear();
    Read::take(&mut *from, 4).read_to_end(raw)?;
    let length = u32::from_be_bytes(*raw.first_chunk().ok_or(ErrorKind::UnexpectedEof)?);
    if length > MAX_FRAME {
        return Err(ErrorKind::InvalidData.into());
    }
    Read::take(&mut *from, length.into()).read_to_end(raw)?;
    let ([kind], rest) = raw[4..].split_first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
    let (number, bytes) = rest.split_first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
    if u32::try_from(1 + 8 + bytes.len()) != Ok(length) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let kind = *KINDS.get(usize::from(*kind)).ok_or(ErrorKind::InvalidData)?;
    Ok(Frame { kind, number: u64::from_be_bytes(*number), bytes: bytes.to_vec() })
}

/// A kind's index here is its value on the wire.
const KINDS: [Kind; 8] = {
    use Kind::{Bundle, Deliver, Done, Fetch, Open, PublishLast, PublishOnce, Put};
    [Open, PublishOnce, PublishLast, Fetch, Put, Done, Bundle, Deliver]
};

/// Longer frames are refused unread: a message with everything around it is shorter.
const MAX_FRAME: u32 = 1 << 20;
