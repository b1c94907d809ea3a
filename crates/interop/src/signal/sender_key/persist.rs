//! Both sides of a sender key as sealed records (docs/interop.md, section 11; docs/formats.md, "Sender keys of the Signal
//! protocol").
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use rand_core::CryptoRng;

use super::format::SenderKeyFormat;
use super::receiving::GroupReceiver;
use super::sending::GroupSender;
use super::state::State;
use super::{MAX_STATES, Secret};
use crate::labels::kind;
use crate::signal::chain::{ChainKey, Seed};
use crate::signal::key::PublicKey;
use crate::signal::limits::MAX_SKIPPED;
use crate::signal::xeddsa::SigningKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::storage::{self, StorageKey, UnsealError};

impl GroupSender {
    /// Seals the sender key into one record of at most 202 bytes. `context` names the record in the caller's store; the
    /// same must be given to [`GroupSender::unseal`]. Store it before a message is sent:
    /// [`encrypt_held`](GroupSender::encrypt_held) enforces that. Uses 24 bytes of `rng`.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](GroupSender::move_to_key).
    ///
    /// # Errors
    ///
    /// [`SealError`]. Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let Self { format, id, iteration, chain, signing, public, lineage } = self;
        let mut writer = SecretWriter::with_capacity(SENDER);
        let (secret, edwards) = signing.halves();
        writer.u64(lineage.revision());
        write_format(&mut writer, *format);
        writer.u32(*id).u32(*iteration).bytes(chain.secret().expose());
        writer.bytes(secret.expose()).bytes(public.as_raw()).bytes(edwards);
        let bytes = storage::seal(key, kind::GROUP_SENDER, context, &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change of the sender key. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens what [`GroupSender::seal`] made. Never encrypt with a sender key restored from an old record: a message
    /// key would encrypt two messages under one initialisation vector, and members reject the second. Make a new sender
    /// key instead.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let sender = storage::open(key, kind::GROUP_SENDER, context, record, Self::read)?;
        Ok(Self { lineage: sender.lineage.under(key), ..sender })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let format = read_format(reader)?;
        let (id, iteration) = (reader.u32()?, reader.u32()?);
        let chain = Box::new(ChainKey::new(Secret::copy_of(reader.array()?)));
        let secret = Secret::copy_of(reader.array()?);
        let public = PublicKey::decode_raw(reader.array()?).map_err(|_| Malformed)?;
        let signing = SigningKey::of_halves(&secret, *reader.array()?);
        Ok(Self { format, id, iteration, chain, signing, public, lineage })
    }
}

impl GroupReceiver {
    /// Seals the receiver into one record: 53 bytes, 85 more for each sender key in WhatsApp's format, 101 for each in
    /// Signal's, and 36 for each skipped message key. `context` names the record in the caller's store; the same must
    /// be given to [`GroupReceiver::unseal`]. Uses 24 bytes of `rng`.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](GroupReceiver::move_to_key).
    ///
    /// # Errors
    ///
    /// [`SealError`]. Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let room = self.skipped_keys().saturating_mul(SKIPPED_KEY);
        let Self { states, lineage } = self;
        let room = room.saturating_add(states.len().saturating_mul(STATE));
        let mut writer = SecretWriter::with_capacity(room.saturating_add(BEFORE));
        writer.u64(lineage.revision()).count(states.len());
        for state in states {
            state.write(&mut writer);
        }
        let bytes = storage::seal(key, kind::GROUP_RECEIVER, context, &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change of the receiver. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens what [`GroupReceiver::seal`] made. A receiver restored from an old record decrypts messages again that it
    /// had decrypted since.
    ///
    /// # Errors
    ///
    /// As for [`GroupSender::unseal`].
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let receiver = storage::open(key, kind::GROUP_RECEIVER, context, record, Self::read)?;
        Ok(Self { lineage: receiver.lineage.under(key), ..receiver })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let count = reader.count(MAX_STATES)?;
        let mut states = VecDeque::with_capacity(count);
        for _ in 0..count {
            let state = State::read(reader)?;
            // A message names its sender key by format and id, so that a second one would never be found.
            if states.iter().any(|known: &State| known.is(state.format, state.id)) {
                return Err(Malformed);
            }
            states.push_back(state);
        }
        Ok(Self { states, lineage })
    }
}

impl State {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { format, id, signing, verifying: _, complete_from, missing_from, next, chain, skipped } = self;
        write_format(writer, *format);
        writer.u32(*id).u32(*missing_from).u32(*complete_from).u32(*next);
        writer.bytes(chain.secret().expose()).bytes(signing.as_raw()).count(skipped.len());
        for (number, seed) in skipped {
            writer.u32(*number).bytes(seed.secret().expose());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let format = read_format(reader)?;
        let id = reader.u32()?;
        let (missing_from, complete_from, next) = (reader.u32()?, reader.u32()?, reader.u32()?);
        if missing_from > complete_from || complete_from > next {
            return Err(Malformed);
        }
        let chain = Box::new(ChainKey::new(Secret::copy_of(reader.array()?)));
        let signing = PublicKey::decode_raw(reader.array()?).map_err(|_| Malformed)?;
        let mut skipped = BTreeMap::new();
        for _ in 0..reader.count(MAX_SKIPPED)? {
            let number = reader.u32()?;
            // Ascending, none that the chain will still give, and none that was never held: each state has exactly one
            // encoding.
            let last = skipped.last_key_value().map(|(number, _)| *number);
            let held = number < missing_from || number >= complete_from;
            if number >= next || !held || last.is_some_and(|last| last >= number) {
                return Err(Malformed);
            }
            skipped.insert(number, Box::new(Seed::new(Secret::copy_of(reader.array()?))));
        }
        Ok(Self { format, id, signing, verifying: None, complete_from, missing_from, next, chain, skipped })
    }
}

fn write_format(writer: &mut SecretWriter, format: SenderKeyFormat) {
    match format {
        SenderKeyFormat::WhatsApp => writer.u8(WHATSAPP),
        SenderKeyFormat::Signal { distribution } => writer.u8(SIGNAL).bytes(&distribution),
    };
}

fn read_format(reader: &mut Reader<'_>) -> Result<SenderKeyFormat, Malformed> {
    match reader.u8()? {
        WHATSAPP => Ok(SenderKeyFormat::WhatsApp),
        SIGNAL => Ok(SenderKeyFormat::Signal { distribution: *reader.array()? }),
        _ => Err(Malformed),
    }
}

/// Tag byte of WhatsApp's format.
const WHATSAPP: u8 = 0;
/// Tag byte of Signal's format.
const SIGNAL: u8 = 1;

/// Bytes of a sender key, at most.
const SENDER: usize = 8 + 17 + 8 + 4 * 32;
/// Bytes before the sender keys of a receiver.
const BEFORE: usize = 8 + 4;
/// Bytes of one sender key, at most.
const STATE: usize = 17 + 16 + 32 + 32 + 4;
/// Bytes of a skipped message key.
const SKIPPED_KEY: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::sender_key::sending::GroupSender;

    /// The second would never be found, because a message names its sender key by format and id.
    #[test]
    fn two_sender_keys_of_one_format_and_id_are_not_a_receiver() {
        let rng = &mut rand::rng();
        let mut senders = [(); 2].map(|()| GroupSender::generate(SenderKeyFormat::WhatsApp, rng));
        for (same, accepted) in [(false, true), (true, false)] {
            if same {
                senders[1].id = senders[0].id;
            }
            let mut writer = SecretWriter::with_capacity(0);
            writer.u64(0).count(senders.len());
            for sender in &senders {
                let mut receiver = GroupReceiver::new();
                receiver.process(&sender.distribution());
                receiver.states[0].write(&mut writer);
            }
            assert_eq!(GroupReceiver::read(&mut Reader::new(&writer.finish())).is_ok(), accepted);
        }
    }
}
