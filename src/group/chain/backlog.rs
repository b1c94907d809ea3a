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
    /// 1,024 messages, which takes about a third of the time for each. If one of them is wrong, each is verified by itself;
    /// so somebody who puts one forged message into each backlog makes it cost a third more than one by one.
    pub fn open_backlog(&mut self, messages: &[GroupMessage]) -> Vec<Result<HeldOpened, OpenError>> {
        Self::open_backlogs(&mut [(self, messages)]).pop().unwrap_or_default()
    }

    /// Opens the messages of several devices, as [`open_backlog`](Self::open_backlog) does, with the signatures of all of
    /// them verified together: for a group in which many have written. The results are in the order of the devices.
    pub fn open_backlogs<'a>(
        backlogs: &mut [(&mut Self, &'a [GroupMessage])],
    ) -> Vec<Vec<Result<HeldOpened, OpenError>>> {
        let mut results: Vec<_> = backlogs.iter().map(|(_, messages)| Vec::with_capacity(messages.len())).collect();
        let each = |(of, (_, messages)): (usize, &(&mut Self, &'a [GroupMessage]))| messages_of(of, messages);
        let all: Vec<(usize, &'a GroupMessage)> = backlogs.iter().enumerate().flat_map(each).collect();
        for batch in all.chunks(BATCH) {
            let mut signatures = Vec::with_capacity(batch.len());
            let read = |(of, message): &(usize, &'a GroupMessage)| {
                let (chains, _) = backlogs.get(*of).ok_or(OpenError::NeedsChain)?;
                let (candidate, signature) = chains.candidate(message)?;
                signatures.push(signature);
                Ok(candidate)
            };
            let candidates: Vec<_> = batch.iter().map(read).collect();
            let together = verify_batch(&signatures);
            let mut signatures = signatures.iter();
            for ((of, _), candidate) in batch.iter().zip(candidates) {
                let (Some((chains, _)), Some(results)) = (backlogs.get_mut(*of), results.get_mut(*of)) else {
                    continue;
                };
                results.push(candidate.and_then(|candidate| {
                    // One for each candidate, in their order.
                    let verified = signatures.next().is_some_and(|signature| together || signature.verify());
                    chains.open_candidate(&candidate, verified)
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

fn messages_of(of: usize, messages: &[GroupMessage]) -> impl Iterator<Item = (usize, &GroupMessage)> {
    messages.iter().map(move |message| (of, message))
}
