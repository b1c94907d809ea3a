//! [`ReceivingChains::open_backlog`]: many messages, whose signatures are verified together (docs/spec/chains.md, section
//! 14.4).

use alloc::vec::Vec;

use super::error::OpenError;
use super::held::HeldOpened;
use super::limits::BATCH;
use super::message::GroupMessage;
use super::open::Candidate;
use super::receiving::ReceivingChains;
use bisik_core::primitives::ed25519::verify_batch;

impl ReceivingChains {
    /// Opens many messages of this device, in their order, with one result for each, as
    /// [`open_held`](Self::open_held) would one after the other. Their signatures are verified by one equation for each
    /// 1,024 messages, which takes about half as long for each. If one of them is wrong, each is verified by itself; so
    /// somebody who puts one forged message into each backlog makes it cost half as much again.
    pub fn open_backlog(&mut self, messages: &[GroupMessage]) -> Vec<Result<HeldOpened, OpenError>> {
        let mut results = Vec::with_capacity(messages.len());
        for messages in messages.chunks(BATCH) {
            let mut signatures = Vec::with_capacity(messages.len());
            let read = |message| {
                let (candidate, signature) = self.candidate(message)?;
                signatures.push(signature);
                Ok(candidate)
            };
            let candidates: Vec<_> = messages.iter().map(read).collect();
            let all = verify_batch(&signatures);
            let mut signatures = signatures.iter();
            for candidate in candidates {
                results.push(candidate.and_then(|candidate| {
                    // One for each candidate, in their order.
                    let verified = signatures.next().is_some_and(|signature| all || signature.verify());
                    self.open_candidate(&candidate, verified)
                }));
            }
        }
        results
    }

    fn open_candidate(&mut self, candidate: &Candidate<'_>, verified: bool) -> Result<HeldOpened, OpenError> {
        if !verified {
            return Err(OpenError::Rejected);
        }
        let verified = self.verified(candidate)?;
        let opened = self.staged(verified).commit();
        Ok(HeldOpened::new(opened, self.lineage.origin()))
    }
}
