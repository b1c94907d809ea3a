//! Writing in the own chain: its key to those who lack it, and the message (docs/spec/chains.md, section 14.3).

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use rand_core::CryptoRng;

use super::GroupMessageId;
use super::chain::{Distribution, ListsDigest, Place, SendPlan, SendingChain, View};
use super::outbox::{Outbox, What};
use crate::conversation::MemberDevice;
use crate::keys::IdentityKey;
use bisik_core::codec::SecretWriter;
use bisik_core::internal::InternalError;
use bisik_core::time::Timestamp;

/// The devices that read what is written now.
pub(super) type Targets = BTreeMap<IdentityKey, MemberDevice>;

/// What a message is written under.
pub(super) struct Writing<'a> {
    pub(super) place: Place,
    pub(super) sender: MemberDevice,
    /// Members may pass it on to newcomers.
    pub(super) history: bool,
    /// What the writer goes by. An audience is told neither.
    pub(super) view: View,
    pub(super) lists: ListsDigest,
    pub(super) targets: &'a Targets,
    pub(super) now: Timestamp,
}

/// What was written.
pub(super) struct Written<'a> {
    pub(super) id: GroupMessageId,
    /// Who reads it: of the targets those that have the chain, or are owed it.
    pub(super) targets: Cow<'a, Targets>,
    /// It is the first message of a new chain.
    pub(super) is_new: bool,
}

impl<'a> Writing<'a> {
    /// Encrypts `body` for the targets, and puts it into the outbox behind the letters that give the chain to those who lack
    /// it. Where a new chain begins, those whose list has expired are no targets any more (`is_current`): what they were given
    /// before has ended. P-15.4, P-16.2.
    pub(super) fn write(
        &self,
        chain: &mut Option<SendingChain>,
        outbox: &mut Outbox,
        is_current: impl Fn(&MemberDevice) -> bool,
        body: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Written<'a>, InternalError> {
        let Self { place, sender, history, view, lists, targets, now } = *self;
        let chain = match chain {
            Some(chain) => chain,
            None => chain.insert(SendingChain::begin(place, sender, history, now, rng).map_err(|_| InternalError)?),
        };
        let mut targets = Cow::Borrowed(targets);
        let mut keys: BTreeSet<_> = targets.keys().copied().collect();
        let is_new = matches!(chain.plan(&keys, now), SendPlan::Renew(_));
        if is_new {
            chain.renew(place, history, now, rng).map_err(|_| InternalError)?;
            targets.to_mut().retain(|_, device| is_current(device));
            keys = targets.keys().copied().collect();
        }
        let SendPlan::Ready(mut ready) = chain.plan(&keys, now) else { return Err(InternalError) };
        let owed: Vec<_> = ready.owed().copied().collect();
        for device in owed {
            let Some(to) = targets.get(&device) else { continue };
            let distribution = ready.distribution_for(&device, view, &lists).map_err(|_| InternalError)?;
            outbox.make(What::Letter(*to, chain_letter(&distribution)));
        }
        let message = ready.encrypt(view, body, rng).map_err(|_| InternalError)?;
        let id = GroupMessageId { chain: message.chain(), index: message.index() };
        outbox.make(What::Message(message.into_bytes()));
        Ok(Written { id, targets, is_new })
    }
}

/// The letter that gives a chain, of a group or of an audience.
pub(super) fn chain_letter(distribution: &Distribution) -> Zeroizing<Vec<u8>> {
    let mut writer = SecretWriter::with_capacity(1 + Distribution::LENGTH);
    writer.u8(CHAIN).bytes(&distribution.to_bytes());
    writer.finish()
}

/// First byte of that letter.
pub(super) const CHAIN: u8 = 1;
