//! Session setup: PQXDH with a full transcript and an encrypted initiator identity
//! ([section 3](crate::manual::spec::session#3-session-setup)).
//!
//! The handshake sends no messages of its own. It yields [`StartingSecrets`] that only the two devices know:
//!
//! ```text
//!   initiator (IKa)                                     responder (IKb, SPKb, [OPKb], KEMb)
//!        │   bundle: IKb, SPKb, KEMb, [OPKb], signature          │   published before
//!        │◀──────────────────────────────────────────────────────│
//!   EK ← fresh;  (CT, SS) ← Encaps(KEMb)                         │
//!   DH2 = EK·IKb   DH3 = EK·SPKb   DH4 = EK·OPKb                 │
//!   box = identity IKa under KDF(DH2, DH3, [DH4], SS; open transcript)
//!   DH0 = IKa·IKb  DH1 = IKa·SPKb                                │
//!   secrets = KDF(DH0, DH1, DH2, DH3, [DH4], SS; full transcript)│
//!        │   pre-key header: EK, ids, CT, box                    │
//!        │──────────────────────────────────────────────────────▶│   SS ← Decaps(CT), the same DHs, opens box,
//!        │                                                       │   then DH0, DH1, then the same secrets
//! ```
//!
//! A relay cannot see who the initiator is, nor tell two initiators apart.
//!
//! These functions are for custom protocols. Most applications use [`Session`](crate::Session), which calls them.

mod initiator; //  3.2
mod responder; //  3.3
mod transcript; // 3.1  the exact bytes that both sides authenticate

use core::fmt;

pub use initiator::{InitiateError, Initiated, initiate};
pub use responder::{RespondError, Responded, respond};

pub use bisik_core::disclosure::DisclosureHash;
pub use bisik_core::shared_secret::SharedSecret;

pub use crate::ratchet::StartingSecrets;

use crate::keys::IdentityKey;
use alloc::boxed::Box;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::mlkem768::CIPHERTEXT;
use bisik_core::primitives::x25519::{self, PublicKey};

/// The result of a handshake, the same on both sides except for the peer.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::handshake::{self, PreKeyHeader, RespondError};
/// # use bisik::{Identity, PreKeys, Timestamp, Trust};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
/// # let initiated = handshake::initiate(&alice, &bundle, None, now, rng)?;
/// # let header = initiated.pre_key_header.clone();
/// let at_alice = initiated.established;
/// let at_bob = handshake::respond(&bob, &keys, &header, None, Trust::OnFirstUse, now)?.established;
/// assert_eq!(at_alice.session_id, at_bob.session_id);
/// assert_eq!(at_alice.binding, at_bob.binding);
/// assert_eq!((&at_alice.peer, &at_bob.peer), (bob.public(), alice.public()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Established {
    /// The secrets from which the ratchet starts.
    pub secrets: StartingSecrets,
    /// The hash of the full transcript. It is associated data of every message of the session.
    pub binding: [u8; 32],
    /// The public id of the session, 16 bytes, the same on both sides.
    pub session_id: [u8; 16],
    /// The identity key of the peer.
    pub peer: IdentityKey,
}

/// The header of a pre-key message: the initiator's ephemeral key, the ids of the responder's pre-keys, the KEM
/// ciphertext and the initiator's encrypted identity, in 1,208 bytes
/// ([section 3.2](crate::manual::spec::session#32-initiator)).
#[derive(Clone, PartialEq, Eq)]
pub struct PreKeyHeader {
    pub(crate) ephemeral: PublicKey,
    pub(crate) signed_id: u32,
    pub(crate) one_time_id: u32,
    pub(crate) kem: Box<[u8; CIPHERTEXT]>,
    pub(crate) sealed_identity: [u8; SEALED_IDENTITY],
}

impl PreKeyHeader {
    /// Length in bytes: 1,208.
    pub const LENGTH: usize = 32 + 4 + 4 + CIPHERTEXT + SEALED_IDENTITY;

    /// Decodes a pre-key header. Its contents are not authenticated until [`respond`] has succeeded and a message has
    /// verified.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::handshake::{self, PreKeyHeader, RespondError};
    /// # use bisik::{Identity, PreKeys, Timestamp, Trust};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    /// # let keys = PreKeys::generate(&bob, now, rng);
    /// # let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
    /// # let initiated = handshake::initiate(&alice, &bundle, None, now, rng)?;
    /// let sent = initiated.pre_key_header.to_bytes();
    /// assert_eq!(sent.len(), PreKeyHeader::LENGTH);
    /// assert_eq!(PreKeyHeader::from_bytes(&sent)?, initiated.pre_key_header);
    /// assert_eq!(PreKeyHeader::from_bytes(b"short"), Err(RespondError::Malformed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RespondError::Malformed`] if the length is wrong, or the ephemeral key is not canonical or is of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RespondError> {
        let mut reader = Reader::new(bytes);
        let header = Self::read(&mut reader).map_err(|Malformed| RespondError::Malformed)?;
        reader.finish().map_err(|Malformed| RespondError::Malformed)?;
        Ok(header)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let ephemeral = x25519::decode_public(reader.array()?).map_err(|_| Malformed)?;
        let signed_id = reader.u32()?;
        let one_time_id = reader.u32()?;
        let kem = Box::new(*reader.array()?);
        let sealed_identity = *reader.array()?;
        Ok(Self { ephemeral, signed_id, one_time_id, kem, sealed_identity })
    }

    /// Encodes the pre-key header.
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        let Self { ephemeral, signed_id, one_time_id, kem, sealed_identity } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(ephemeral.as_bytes()).u32(*signed_id).u32(*one_time_id);
        writer.bytes(kem.as_slice()).bytes(sealed_identity);
        writer.finish()
    }
}

impl fmt::Debug for PreKeyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreKeyHeader").field("ephemeral", &self.ephemeral).finish_non_exhaustive()
    }
}

/// Length in bytes of an encrypted identity key and its tag.
const SEALED_IDENTITY: usize = IdentityKey::LENGTH + TAG;

#[cfg(test)]
mod tests;
