//! A session as a sealed head and its blocks ([section 6.5](crate::manual::formats#65-session);
//! [persistence](crate::manual::persistence)).
//!
//! Performs no I/O: the caller's database is the store.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{Opening, SealError, Session, Share, Waiting};
use crate::handshake::PreKeyHeader;
use crate::keys::IdentityKey;
use crate::labels::kind;
use crate::ratchet::{self, Blocks, DoubleRatchet, KeysIn, MAX_BLOCKS, MAX_PLACES};
use bisik_core::blocks::{self, BlockId, BlockWriter, SealedParts};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert::first;
use bisik_core::disclosure::{self, OptionalHash};
use bisik_core::held::{Lineage, Sealing};
use bisik_core::primitives::secret::Secret;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Session {
    /// Seals the session: a record, the *head*, of at most 2.5 KiB for a session that waits for no message, and blocks of
    /// about 800 bytes for each 24 messages that it waits for. [`SealedParts::writes`] is everything to store, in order; a
    /// session that waits for fewer than 24 messages has only its head. `context` names the head in the caller's store and
    /// is authenticated, so that records cannot be swapped; [`Session::unseal`] must get the same. Take the
    /// [id](Session::id), because there can be several sessions with one peer. Uses 24 bytes of `rng`, and 24 for each new
    /// block.
    ///
    /// A block is given until [`SealedParts::stored`] says that it is stored, and not again.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](Session::move_to_key). A record under a key that nobody keeps would otherwise release what is held.
    ///
    /// # Errors
    ///
    /// [`SealError`]. On error the session is unchanged.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedParts, SealError> {
        let sealing = self.lineage.seal(key)?;
        Ok(self.seal_as(sealing, key, context, &mut rng))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change of the session. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Seals the present state, as `sealing` says.
    pub(super) fn seal_as(
        &mut self,
        sealing: Sealing,
        key: &StorageKey,
        context: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> SealedParts {
        let mut blocks = BlockWriter::new(key, sealing, first(&self.id), rng);
        self.ratchet.write_blocks(&mut blocks);
        let mut state = SecretWriter::with_capacity(TYPICAL);
        self.encode(blocks.revision(), KeysIn::Blocks, &mut state);
        blocks.write_names(&mut state);
        blocks.finish(kind::SESSION, context, &state.finish(), self.ratchet.ended_blocks())
    }

    /// The encoding of section 6.5 with all skipped message keys in it, for records that hold several sessions.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        self.encode(self.lineage.revision(), KeysIn::State, writer);
    }

    fn encode(&self, revision: u64, keys: KeysIn, writer: &mut SecretWriter) {
        let Self { ratchet, id, peer, disclosure, bound_by, opening, lineage: _ } = self;
        writer.u64(revision).bytes(id).bytes(&peer.to_bytes()).bytes(disclosure.as_bytes());
        writer.bytes(bound_by.as_ref().unwrap_or(&UNBOUND));
        match opening {
            Opening::Waiting(waiting) => {
                let Waiting { header, own, labels, shares } = waiting.as_ref();
                writer.u8(WAITING).bytes(header).bytes(&own.to_bytes()).bytes(labels.as_flattened());
                writer.count(shares.len());
                for share in shares {
                    let Share { place, name, input } = share;
                    writer.u8(*place).bytes(name).bytes(input.expose());
                }
            }
            Opening::Answered => {
                writer.u8(ANSWERED);
            }
            Opening::Accepted { flight, resumption: None } => {
                writer.u8(ACCEPTED).bytes(flight.as_slice());
            }
            Opening::Accepted { flight, resumption: Some(input) } => {
                writer.u8(ACCEPTED_AND_BOUND).bytes(flight.as_slice()).bytes(input.expose());
            }
        }
        ratchet.write(keys, writer);
    }

    /// Opens what [`Session::seal`] made: `head`, and the blocks that it names, which `blocks` looks up in the caller's
    /// store. It is asked only for what the head names, and for each block once; a session that waits for fewer than 24
    /// messages has none. Where a lookup has to be awaited, get the ids from [`Session::named_blocks`] first.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::*;
    /// # use std::collections::BTreeMap;
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    /// # let keys = PreKeys::generate(&bob, now, rng);
    /// # let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
    /// # let mut session = Session::initiate(&alice, &bundle, now, rng)?;
    /// # let key = StorageKey::generate(rng);
    /// # let (mut head, mut blocks) = (Vec::new(), BTreeMap::new());
    /// let id = *session.id(); // names the record: there may be other sessions with bob
    /// let sealed = session.seal(&key, &id, rng)?;
    /// for write in sealed.writes() {
    ///     match write {
    ///         Write::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
    ///         Write::Head(bytes) => head = bytes.to_vec(),
    ///         Write::Delete(id) => drop(blocks.remove(&id)),
    ///     }
    /// }
    /// sealed.stored();
    /// // After a restart:
    /// let session = Session::unseal(&key, &id, &head, |id| blocks.get(&id).cloned())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Restoring an old record is safe for sending, but loses what has happened since: messages received after it was
    /// sealed cannot be read again, and the peer may see this session diverge
    /// ([persistence](crate::manual::persistence)).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if head or block was sealed with another key, or the head with another context, or if one
    /// was changed; [`UnsealError::MissingBlock`] if `blocks` did not give one;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed them.
    pub fn unseal(
        key: &StorageKey,
        context: &[u8],
        head: &[u8],
        mut blocks: impl FnMut(BlockId) -> Option<Vec<u8>>,
    ) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::SESSION, context, head)?;
        let (encoded, names) = Encoded::read_head(&state)?;
        let mut opened = Blocks::default();
        for id in names {
            opened.add(id, key, blocks(id).as_deref())?;
        }
        let session = encoded.with(opened, KeysIn::Blocks).map_err(|Malformed| UnsealError::Rejected)?;
        Ok(Self { lineage: session.lineage.under(key), ..session })
    }

    /// Returns the ids of the blocks that a head names, in the order in which [`Session::unseal`] asks for them: for
    /// stores from which they are fetched before, and to find blocks that no head names any more.
    ///
    /// # Errors
    ///
    /// As for [`Session::unseal`], as far as the head alone shows them.
    pub fn named_blocks(key: &StorageKey, context: &[u8], head: &[u8]) -> Result<Vec<BlockId>, UnsealError> {
        let state = storage::unseal(key, kind::SESSION, context, head)?;
        Encoded::read_head(&state).map(|(_, names)| names)
    }

    /// Reads the encoding of [`Session::write`].
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Encoded::read(reader)?.with(Blocks::default(), KeysIn::State)
    }

    /// Whether opening and ratchet fit each other as they do in every session.
    fn is_possible(&self) -> bool {
        let Self { ratchet, bound_by, opening, .. } = self;
        let fits = match opening {
            Opening::Waiting(_) => ratchet.is_initiator() && ratchet.step() == 0 && ratchet.bound() == 0,
            Opening::Answered => ratchet.is_initiator() && ratchet.step() > 0,
            Opening::Accepted { resumption, .. } => {
                let to_be_bound = ratchet.step() == 0 && ratchet.bound() != 0;
                !ratchet.is_initiator() && ratchet.newest_received().is_some() && resumption.is_some() == to_be_bound
            }
        };
        fits && bound_by.is_some() == (ratchet.bound() != 0)
    }
}

/// A session as its encoding says, of which nothing is checked that depends on blocks.
struct Encoded {
    ratchet: ratchet::Encoded,
    id: [u8; 16],
    peer: IdentityKey,
    disclosure: OptionalHash,
    bound_by: Option<[u8; 8]>,
    opening: Opening,
    lineage: Lineage,
}

impl Encoded {
    /// Reads the state in a head: the session, and the names of its blocks.
    fn read_head(state: &[u8]) -> Result<(Self, Vec<BlockId>), UnsealError> {
        let read = |mut reader: Reader<'_>| {
            let encoded = Self::read(&mut reader)?;
            let names = blocks::read_names(reader, first(&encoded.id), MAX_BLOCKS)?;
            Ok((encoded, names))
        };
        read(Reader::new(state)).map_err(|Malformed| UnsealError::Rejected)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let id = *reader.array()?;
        let peer = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let disclosure = disclosure::read_optional(reader)?.into();
        let bound_by = Some(*reader.array()?).filter(|name| *name != UNBOUND);
        let opening = match reader.u8()? {
            WAITING => Opening::Waiting(Box::new(Waiting::read(reader)?)),
            ANSWERED => Opening::Answered,
            ACCEPTED => Opening::Accepted { flight: Box::new(*reader.array()?), resumption: None },
            ACCEPTED_AND_BOUND => {
                let flight = Box::new(*reader.array()?);
                Opening::Accepted { flight, resumption: Some(Secret::copy_of(reader.array()?).into()) }
            }
            _ => return Err(Malformed),
        };
        let ratchet = DoubleRatchet::read(reader)?;
        Ok(Self { ratchet, id, peer, disclosure, bound_by, opening, lineage })
    }

    /// The session, with the keys that the encoding has itself and those in `blocks`.
    fn with(self, blocks: Blocks, keys: KeysIn) -> Result<Session, Malformed> {
        let Self { ratchet, id, peer, disclosure, bound_by, opening, lineage } = self;
        let session =
            Session { ratchet: ratchet.with(blocks, keys)?, id, peer, disclosure, bound_by, opening, lineage };
        if session.is_possible() { Ok(session) } else { Err(Malformed) }
    }
}

impl Waiting {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let header = Box::from(reader.slice(PreKeyHeader::LENGTH)?);
        let own = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let mut labels = [[0; 8]; 4];
        for label in &mut labels {
            *label = *reader.array()?;
        }
        let mut shares = Vec::new();
        for place in 1..=u8::try_from(reader.count(usize::from(MAX_PLACES))?).map_err(|_| Malformed)? {
            // Offers take the places from the first.
            if reader.u8()? != place {
                return Err(Malformed);
            }
            shares.push(Share { place, name: *reader.array()?, input: Secret::copy_of(reader.array()?).into() });
        }
        Ok(Self { header, own, labels, shares })
    }
}

/// Byte before the opening: initiated, without a reply.
const WAITING: u8 = 0;
/// Initiated, with a reply.
const ANSWERED: u8 = 1;
/// Accepted.
const ACCEPTED: u8 = 2;
/// Accepted, and to be bound to an older session with the first answer.
const ACCEPTED_AND_BOUND: u8 = 3;
/// In place of a name: not bound.
const UNBOUND: [u8; 8] = [0; 8];

/// Capacity in bytes, so that the buffer rarely grows: of a session without blocks, and of names and keys beside them.
const TYPICAL: usize = 2_560 + 2_048;
