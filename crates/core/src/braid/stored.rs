//! The stored form. Every state has one encoding:
//!
//! ```text
//! u8(state) ‖ u32(epoch) ‖ authenticator root, mac key (64) ‖ what the state has
//!
//! 0 KeysUnsampled         -
//! 1 KeysSampled           seed (64) ‖ short text (header ‖ tag)
//! 2 HeaderSent            seed ‖ long text (vector) ‖ decoder (ct1)
//! 3 Ct1Received           seed ‖ long text ‖ ct1 (960)
//! 4 EkSentCt1Received     seed ‖ ct1 ‖ decoder (ct2 ‖ tag)
//! 5 NoHeaderReceived      decoder (header ‖ tag)
//! 6 HeaderReceived        header (64)
//! 7 Ct1Sampled            header ‖ m (32) ‖ long text (ct1) ‖ decoder (vector)
//! 8 EkReceivedCt1Sampled  header ‖ m ‖ long text ‖ short text (ct2 ‖ tag)
//! 9 Ct1Acknowledged       header ‖ m ‖ decoder (vector)
//! 10 Ct2Sampled           short text (ct2 ‖ tag)
//!
//! short text: u16(next chunk) ‖ the text        long text: u16(next chunk) ‖ u8(count) ‖ chunks ahead
//! decoder: bitmap of the blocks that are there, first block in the highest bit ‖ u8(count) ‖ u16 numbers of other chunks, ascending ‖ chunks by ascending number
//! ```
//!
//! The count of chunks ahead is -next mod 8: a long text is encoded eight chunks at a time.

use alloc::boxed::Box;

use super::authenticator::Authenticator;
use super::erasure::{CHUNK, Decoder};
use super::sender::{Long, Short};
use super::state::{
    Ct1Acknowledged, Ct1Received, Ct1Sampled, Ct2Sampled, EkReceivedCt1Sampled, EkSentCt1Received, HeaderReceived,
    HeaderSent, KeysSampled, NoHeaderReceived, Phase, State,
};
use super::{Kem, Labels, Machine, kem};
use crate::codec::{Malformed, Reader, SecretWriter};
use crate::primitives::secret::{BoxedSecret, Secret};

/// The most bytes that [`Machine::write`] writes, over ML-KEM-768.
pub const MAX_STORED: usize = 1588;

/// The states by their numbers.
const PHASES: [Phase; 11] = [
    Phase::KeysUnsampled,
    Phase::KeysSampled,
    Phase::HeaderSent,
    Phase::Ct1Received,
    Phase::EkSentCt1Received,
    Phase::NoHeaderReceived,
    Phase::HeaderReceived,
    Phase::Ct1Sampled,
    Phase::EkReceivedCt1Sampled,
    Phase::Ct1Acknowledged,
    Phase::Ct2Sampled,
];

impl<K: Kem> Machine<K> {
    /// Writes the state: at most [`MAX_STORED`] bytes. The bytes are secret.
    pub fn write(&self, writer: &mut SecretWriter) {
        writer.u8(self.phase().number()).u32(self.epoch);
        self.authenticator.write(writer);
        match &self.state {
            State::KeysUnsampled => {}
            State::KeysSampled(of) => {
                writer.bytes(of.seed.expose());
                of.header.write(writer);
            }
            State::HeaderSent(of) => {
                writer.bytes(of.seed.expose());
                of.vector.write(writer);
                of.ct1.write(writer);
            }
            State::Ct1Received(of) => {
                writer.bytes(of.seed.expose());
                of.vector.write(writer);
                writer.bytes(&of.ct1);
            }
            State::EkSentCt1Received(of) => {
                writer.bytes(of.seed.expose()).bytes(&of.ct1);
                of.ct2.write(writer);
            }
            State::NoHeaderReceived(of) => of.header.write(writer),
            State::HeaderReceived(of) => {
                writer.bytes(&of.header);
            }
            State::Ct1Sampled(of) => {
                writer.bytes(&of.header).bytes(of.m.expose());
                of.ct1.write(writer);
                of.vector.write(writer);
            }
            State::EkReceivedCt1Sampled(of) => {
                writer.bytes(&of.header).bytes(of.m.expose());
                of.ct1.write(writer);
                of.ct2.write(writer);
            }
            State::Ct1Acknowledged(of) => {
                writer.bytes(&of.header).bytes(of.m.expose());
                of.vector.write(writer);
            }
            State::Ct2Sampled(of) => of.ct2.write(writer),
        }
    }

    /// Reads what [`Self::write`] wrote at the end of the session that `initiator` says: `true` for the one that set it
    /// up.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the input ends early, or for a state that no braid is in: an unknown number, epoch 0, an owner's
    /// state in an epoch of the peer's or the reverse, a decoder that is full or not in order, another count of chunks
    /// ahead.
    pub fn read(labels: &'static Labels, initiator: bool, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let phase = *PHASES.get(usize::from(reader.u8()?)).ok_or(Malformed)?;
        let epoch = reader.u32()?;
        // The initiator owns the keys of odd epochs.
        if epoch == 0 || phase.is_owner() != ((epoch & 1 == 1) == initiator) {
            return Err(Malformed);
        }
        let authenticator = Authenticator::read(reader)?;
        Ok(Self { labels, epoch, authenticator, state: read_state::<K>(phase, reader)?, cache: None })
    }
}

fn read_state<K: Kem>(phase: Phase, reader: &mut Reader<'_>) -> Result<State, Malformed> {
    Ok(match phase {
        Phase::KeysUnsampled => State::KeysUnsampled,
        Phase::KeysSampled => {
            KeysSampled { seed: secret(reader)?, header: Short::read(kem::header_blocks::<K>(), reader)? }.into()
        }
        Phase::HeaderSent => HeaderSent {
            seed: secret(reader)?,
            vector: Long::read(reader)?,
            ct1: Decoder::read(K::CT1 / CHUNK, reader)?,
        }
        .into(),
        Phase::Ct1Received => {
            Ct1Received { seed: secret(reader)?, vector: Long::read(reader)?, ct1: reader.slice(K::CT1)?.into() }.into()
        }
        Phase::EkSentCt1Received => EkSentCt1Received {
            seed: secret(reader)?,
            ct1: reader.slice(K::CT1)?.into(),
            ct2: Decoder::read(kem::ct2_blocks::<K>(), reader)?,
        }
        .into(),
        Phase::NoHeaderReceived => {
            NoHeaderReceived { header: Decoder::read(kem::header_blocks::<K>(), reader)? }.into()
        }
        Phase::HeaderReceived => HeaderReceived { header: reader.slice(K::HEADER)?.into() }.into(),
        Phase::Ct1Sampled => Ct1Sampled {
            header: reader.slice(K::HEADER)?.into(),
            m: secret(reader)?,
            ct1: Long::read(reader)?,
            vector: Decoder::read(K::VECTOR / CHUNK, reader)?,
        }
        .into(),
        Phase::EkReceivedCt1Sampled => EkReceivedCt1Sampled {
            header: reader.slice(K::HEADER)?.into(),
            m: secret(reader)?,
            ct1: Long::read(reader)?,
            ct2: Short::read(kem::ct2_blocks::<K>(), reader)?,
        }
        .into(),
        Phase::Ct1Acknowledged => Ct1Acknowledged {
            header: reader.slice(K::HEADER)?.into(),
            m: secret(reader)?,
            vector: Decoder::read(K::VECTOR / CHUNK, reader)?,
        }
        .into(),
        Phase::Ct2Sampled => Ct2Sampled { ct2: Short::read(kem::ct2_blocks::<K>(), reader)? }.into(),
    })
}

fn secret<const N: usize>(reader: &mut Reader<'_>) -> Result<BoxedSecret<N>, Malformed> {
    Ok(Box::new(Secret::copy_of(reader.array()?)))
}
