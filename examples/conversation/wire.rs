//! Frames between a party and the relay: `length 4 | kind 1 | fields`, the length counting kind and fields.
//!
//! Does not know what a bundle or a message is: to the wire they are bytes.

use std::io::{self, ErrorKind, Read};

use crate::Who;
use crate::fields::Fields;

/// What a party tells the relay.
pub(crate) enum ToRelay {
    /// Open my mailbox: what waits there is delivered on this connection from now on.
    Open(Who),
    /// Keep this bundle of mine for whoever wants to write to me; hand it out once, or as often as asked when no other is left.
    Publish { of: Who, once: bool, bundle: Vec<u8> },
    /// Give me a bundle of this party's.
    Fetch(Who),
    /// Put this message into this party's mailbox.
    Put { to: Who, message: Vec<u8> },
    /// I am done with this delivery: forget it.
    Done(u64),
}

/// What the relay tells a party.
pub(crate) enum FromRelay {
    /// There is none yet.
    NoBundle,
    Bundle(Vec<u8>),
    /// A message from the mailbox. It comes again on the next connection unless [`ToRelay::Done`] says otherwise.
    Deliver {
        delivery: u64,
        message: Vec<u8>,
    },
}

impl ToRelay {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Open(who) => frame(OPEN, &[&[mailbox(*who)]]),
            Self::Publish { of, once, bundle } => frame(PUBLISH, &[&[mailbox(*of), u8::from(*once)], bundle]),
            Self::Fetch(of) => frame(FETCH, &[&[mailbox(*of)]]),
            Self::Put { to, message } => frame(PUT, &[&[mailbox(*to)], message]),
            Self::Done(delivery) => frame(DONE, &[&delivery.to_be_bytes()]),
        }
    }

    pub(crate) fn decode(frame: &[u8]) -> Option<Self> {
        let mut fields = Fields(frame.get(LENGTH..)?);
        Some(match fields.u8()? {
            OPEN => Self::Open(who(fields.u8()?)?),
            PUBLISH => {
                Self::Publish { of: who(fields.u8()?)?, once: fields.u8()? != 0, bundle: fields.rest().to_vec() }
            }
            FETCH => Self::Fetch(who(fields.u8()?)?),
            PUT => Self::Put { to: who(fields.u8()?)?, message: fields.rest().to_vec() },
            DONE => Self::Done(fields.u64()?),
            _ => return None,
        })
    }
}

impl FromRelay {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::NoBundle => frame(NO_BUNDLE, &[]),
            Self::Bundle(bundle) => frame(BUNDLE, &[bundle]),
            Self::Deliver { delivery, message } => Self::encode_delivery(*delivery, message),
        }
    }

    /// The same for a message that stays in the mailbox.
    pub(crate) fn encode_delivery(delivery: u64, message: &[u8]) -> Vec<u8> {
        frame(DELIVER, &[&delivery.to_be_bytes(), message])
    }

    pub(crate) fn decode(frame: &[u8]) -> Option<Self> {
        let mut fields = Fields(frame.get(LENGTH..)?);
        Some(match fields.u8()? {
            NO_BUNDLE => Self::NoBundle,
            BUNDLE => Self::Bundle(fields.rest().to_vec()),
            DELIVER => Self::Deliver { delivery: fields.u64()?, message: fields.rest().to_vec() },
            _ => return None,
        })
    }
}

/// Reads one frame into `frame`, its length included. After an error `frame` holds what did arrive of it.
pub(crate) fn read_frame(from: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<()> {
    frame.clear();
    Read::take(&mut *from, 4).read_to_end(frame)?;
    let length = *frame.first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_FRAME {
        return Err(ErrorKind::InvalidData.into());
    }
    Read::take(&mut *from, length.into()).read_to_end(frame)?;
    if frame.len() - LENGTH < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn frame(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(LENGTH + length);
    frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    frame.push(kind);
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame
}

const fn mailbox(who: Who) -> u8 {
    match who {
        Who::Alice => 0,
        Who::Bob => 1,
    }
}

fn who(mailbox: u8) -> Option<Who> {
    Who::BOTH.get(usize::from(mailbox)).copied()
}

/// Bytes of the length of a frame.
const LENGTH: usize = 4;

/// Longer frames are refused unread: a piece of a file and everything around it is much shorter.
const MAX_FRAME: u32 = 1 << 20;

const OPEN: u8 = 1;
const PUBLISH: u8 = 2;
const FETCH: u8 = 3;
const PUT: u8 = 4;
const DONE: u8 = 5;
const NO_BUNDLE: u8 = 11;
const BUNDLE: u8 = 12;
const DELIVER: u8 = 13;
