//! Frames between a party and the relay: `length 4 | kind 1 | number 8 | bytes`, the length counting what follows it.
//!
//! Does not know what a bundle or a message is: to the wire they are bytes.

use std::io::{self, ErrorKind, Read};

/// One frame. Mailboxes have the numbers of the parties.
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What a frame says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To the relay: open this mailbox; what waits there is delivered on this connection from now on.
    Open,
    /// To the relay: keep this bundle for whoever wants to write to this mailbox, and hand it out once.
    PublishOnce,
    /// To the relay: keep this bundle, and hand it out as often as asked when no other is left.
    PublishLast,
    /// To the relay: give me a bundle of this mailbox.
    Fetch,
    /// To the relay: put this message into this mailbox.
    Put,
    /// To the relay: I am done with the delivery of this number; forget it.
    Done,
    /// To a party: the bundle, empty if there is none yet.
    Bundle,
    /// To a party: a message, in a delivery of this number, which comes again on the next connection until it is done.
    Deliver,
}

pub(crate) fn encode(kind: Kind, number: u64, bytes: &[u8]) -> Vec<u8> {
    let kind = KINDS.iter().position(|it| *it == kind).and_then(|kind| u8::try_from(kind).ok()).unwrap_or(u8::MAX);
    let length = u32::try_from(1 + 8 + bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &[kind], &number.to_be_bytes(), bytes].concat()
}

/// Reads one frame. Whatever did arrive of it is in `raw` afterwards.
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

/// On the wire a kind is its place here.
const KINDS: [Kind; 8] = {
    use Kind::{Bundle, Deliver, Done, Fetch, Open, PublishLast, PublishOnce, Put};
    [Open, PublishOnce, PublishLast, Fetch, Put, Done, Bundle, Deliver]
};

/// Longer frames are refused unread: a message and everything around it is shorter.
const MAX_FRAME: u32 = 1 << 20;
