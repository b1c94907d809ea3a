//! A ratchet as bytes inside a session's record (docs/formats.md, "Session of the Signal protocol").
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use super::ended::{EndedChain, are_worth_keeping};
use super::receiving::ReceivingChain;
use super::sending::SendingChain;
use super::{PeerRatchetKey, Ratchet};
use crate::signal::chain::{ChainKey, Seed};
use crate::signal::key::PublicKey;
use crate::signal::limits::{MAX_CHAINS, MAX_ENDED, MAX_SKIPPED, MAX_SKIPPED_TOTAL};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, KeyPair};

impl Ratchet {
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        let Self { root, pair, theirs, sending, previous, receiving, ended } = self;
        writer.bytes(root.expose());
        writer.flag(pair.is_some());
        if let Some(pair) = pair {
            write_pair(writer, pair);
        }
        writer.flag(theirs.is_some());
        if let Some(theirs) = theirs {
            writer.bytes(theirs.public.as_raw());
        }
        writer.flag(sending.is_some());
        if let Some(chain) = sending {
            let SendingChain { key, next } = chain.as_ref();
            writer.bytes(key.secret().expose()).u32(*next);
        }
        writer.u32(*previous).count(receiving.len());
        for chain in receiving {
            chain.write(writer);
        }
        writer.count(ended.len());
        for EndedChain { name, skipped } in ended {
            writer.bytes(name);
            write_skipped(writer, skipped);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let root = Box::new(secret(reader)?);
        let pair = if reader.flag()? { Some(read_pair(reader)?) } else { None };
        let theirs =
            if reader.flag()? { Some(PeerRatchetKey::encoded(PublicKey::decode_raw(reader.array()?)?)) } else { None };
        let sending = if reader.flag()? {
            let key = ChainKey::new(secret(reader)?);
            Some(Box::new(SendingChain { key, next: reader.u32()? }))
        } else {
            None
        };
        let previous = reader.u32()?;
        let mut receiving = VecDeque::new();
        for _ in 0..reader.count(MAX_CHAINS)? {
            receiving.push_back(ReceivingChain::read(reader)?);
        }
        let mut ended = VecDeque::new();
        for _ in 0..reader.count(MAX_SKIPPED_TOTAL + MAX_ENDED)? {
            let name = *reader.array()?;
            ended.push_back(EndedChain { name, skipped: read_skipped(reader, u32::MAX)? });
        }
        if !are_worth_keeping(&ended) {
            return Err(Malformed);
        }
        Ok(Self { root, pair, theirs, sending, previous, receiving, ended })
    }
}

impl ReceivingChain {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { ratchet_key, key, next, skipped } = self;
        writer.bytes(ratchet_key.as_raw()).bytes(key.secret().expose()).u32(*next);
        write_skipped(writer, skipped);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let ratchet_key = PublicKey::decode_raw(reader.array()?)?;
        let key = ChainKey::new(secret(reader)?);
        let next = reader.u32()?;
        Ok(Box::new(Self { ratchet_key, key, next, skipped: read_skipped(reader, next)? }))
    }
}

fn write_skipped(writer: &mut SecretWriter, skipped: &BTreeMap<u32, Box<Seed>>) {
    writer.count(skipped.len());
    for (number, key) in skipped {
        writer.u32(*number).bytes(key.secret().expose());
    }
}

/// Reads skipped message keys of messages before `next`.
fn read_skipped(reader: &mut Reader<'_>, next: u32) -> Result<BTreeMap<u32, Box<Seed>>, Malformed> {
    let mut skipped = BTreeMap::new();
    for _ in 0..reader.count(MAX_SKIPPED)? {
        let number = reader.u32()?;
        // Ascending, and of messages before the next one: each state has exactly one encoding.
        if number >= next || skipped.last_key_value().is_some_and(|(last, _)| *last >= number) {
            return Err(Malformed);
        }
        skipped.insert(number, Box::new(Seed::new(secret(reader)?)));
    }
    Ok(skipped)
}

/// The public half is stored too: computing it costs more than reading the whole record.
pub(crate) fn write_pair(writer: &mut SecretWriter, pair: &KeyPair) {
    writer.bytes(pair.expose_secret_bytes()).bytes(pair.public().as_bytes());
}

pub(crate) fn read_pair(reader: &mut Reader<'_>) -> Result<KeyPair, Malformed> {
    let secret = secret(reader)?;
    let public = PublicKey::decode_raw(reader.array()?)?;
    Ok(x25519::pair_from_parts(secret, public.into_dh()))
}

fn secret(reader: &mut Reader<'_>) -> Result<Secret<32>, Malformed> {
    Ok(Secret::copy_of(reader.array()?))
}
