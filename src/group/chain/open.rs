//! Verifies a message, and computes what it changes (docs/spec/chains.md, section 14.4).
//!
//! All of this borrows the state. The signature comes first, so that what the sender did not write costs one digest and one
//! verification, and takes no chain step.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::apply::Change;
use super::context::{Context, signed};
use super::error::OpenError;
use super::kept::skip;
use super::message::{GroupMessage, Parts};
use super::names::{ChainId, Place};
use super::receiving::{Chain, ReceivingChains};
use super::used::{Entry, Seen};
use super::view::View;
use crate::conversation::MemberDevice;
use crate::ratchet::MessageKey;
use bisik_core::codec::Malformed;
use bisik_core::primitives::ed25519::Unverified;

/// A message that verified.
pub(super) struct Verified {
    pub(super) chain: ChainId,
    pub(super) index: u32,
    pub(super) place: Place,
    pub(super) history: bool,
    pub(super) view: View,
    pub(super) body: Zeroizing<Vec<u8>>,
    pub(super) change: Change,
}

/// A message of a chain that is known, whose signature is not verified yet.
pub(super) struct Candidate<'a> {
    parts: Parts<'a>,
    digest: [u8; 32],
}

impl ReceivingChains {
    /// Finds the chain of a message, and reads its signature.
    pub(super) fn candidate<'a>(&self, message: &'a GroupMessage) -> Result<(Candidate<'a>, Unverified), OpenError> {
        self.lineage.check()?;
        let parts = message.parts().map_err(|Malformed| OpenError::Rejected)?;
        let chain = self.chain(parts.chain)?;
        let digest = chain.digest(&self.sender, &parts);
        let text = signed(&digest, parts.tag);
        let signature = chain.constants.signing.unverified(&[&text], parts.signature).ok_or(OpenError::Rejected)?;
        Ok((Candidate { parts, digest }, signature))
    }

    /// Opens a message whose signature verified: no step is taken before (P-14.17).
    pub(super) fn verified(&self, candidate: &Candidate<'_>) -> Result<Verified, OpenError> {
        let Candidate { parts, digest } = candidate;
        // Another message may have ended it meanwhile.
        self.chain(parts.chain)?.verified(parts, digest)
    }

    fn chain(&self, id: ChainId) -> Result<&Chain, OpenError> {
        match self.chains.iter().find(|chain| chain.id == id) {
            Some(chain) => Ok(chain),
            None if self.is_gone(id) => Err(OpenError::Closed),
            None => Err(OpenError::NeedsChain),
        }
    }
}

impl Chain {
    fn digest(&self, sender: &MemberDevice, parts: &Parts<'_>) -> [u8; 32] {
        let place = &self.constants.place;
        let context =
            Context { group: place.id(), origin: place.origin(), sender, signing: self.constants.signing.as_bytes() };
        context.digest(parts.index, parts.salt, parts.ciphertext)
    }

    fn verified(&self, parts: &Parts<'_>, digest: &[u8; 32]) -> Result<Verified, OpenError> {
        let number = parts.index;
        let entry = Entry::new(number, parts.salt);
        // A number is below 1,000.
        let after = number.checked_add(1).ok_or(OpenError::Rejected)?;
        let (plaintext, advance) = if number >= self.next {
            let chain = self.chain.as_ref().ok_or(OpenError::Closed)?;
            let mut skipped = skip(chain, self.next, number);
            let (behind, key) = skipped.chain.step();
            *skipped.chain = behind;
            (decrypt(&key, parts, digest)?, Some(skipped))
        } else {
            let key = self.kept.get(number).ok_or_else(|| self.why_not(&entry))?;
            (decrypt(key, parts, digest)?, None)
        };
        let (view, body) = plaintext.split_first_chunk().ok_or(OpenError::Rejected)?;
        let view = View::from_bytes(*view);
        // P-14.6: what an audience is told is no account's knowledge of another.
        if self.constants.place.is_audience() && view != View::NONE {
            return Err(OpenError::Rejected);
        }
        Ok(Verified {
            chain: self.id,
            index: number,
            place: self.constants.place,
            history: self.constants.history,
            view,
            body: Zeroizing::new(body.to_vec()),
            change: Change { chain: self.id, entry, after, advance },
        })
    }

    /// P-14.18: why a message below the next one has no key.
    fn why_not(&self, entry: &Entry) -> OpenError {
        match self.used.compare(entry) {
            Seen::Same => OpenError::Replayed,
            Seen::Other => OpenError::WentBack { index: entry.number },
            Seen::Unknown if entry.number < self.first => OpenError::NotGiven,
            Seen::Unknown if self.chain.is_none() && entry.number >= self.heard => OpenError::Closed,
            Seen::Unknown => OpenError::Spent,
        }
    }
}

/// Verifies the tag, and then decrypts view and body.
fn decrypt(key: &MessageKey, parts: &Parts<'_>, digest: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    key.open(parts.salt, digest, parts.ciphertext, parts.tag).ok_or(OpenError::Rejected)
}
