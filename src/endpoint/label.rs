//! The label of a conversation, and the state machine that it follows from (docs/protocol.md, section 11.4).
//!
//! Does not know messages, sessions or clocks. Every operation is a pure function: it gives the state after it, and keeps its own.

use alloc::vec::Vec;

use super::consent::Choice;
use super::disclosure::{KnownDisclosure, VerifiedDisclosure};
use super::error::DisclosureError;
use super::event::LabelEvent;
use super::evidence::{EndpointDevice, Evidence, Presented};
use super::standing::{Ruling, Standing, Verdict};
use super::terms::HostingTerms;
use crate::device::AccountKey;
use crate::disclosure::DisclosureHash;
use crate::keys::IdentityKey;
use crate::time::Timestamp;

/// What a conversation's header says about who can read it. It follows from signatures, never from a server's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing was seen yet.
    Unknown,
    /// Only people and machines of the two accounts can read.
    EndToEnd,
    /// Somebody else would read, and the user was not asked yet, or has not answered. Nothing is sent.
    Disclosed {
        /// What the user has to decide about.
        disclosure: DisclosureHash,
    },
    /// Somebody else reads, and the user agreed. Encrypted all the way to that endpoint; not end-to-end encrypted.
    Hosted {
        /// The worst disclosure that is in force.
        disclosure: DisclosureHash,
        /// The one that the user agreed to, which covers it.
        consent: DisclosureHash,
    },
    /// The user does not want that. Nothing is sent.
    Refused {
        /// What was refused.
        disclosure: DisclosureHash,
    },
    /// It cannot be told who reads. Nothing is sent.
    Unverified {
        /// Why.
        why: Unverified,
    },
}

/// Why it cannot be told who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unverified {
    /// There is no verified device list, or it has expired.
    DeviceList,
    /// Device list or disclosure has expired since it was seen.
    Expired,
    /// A device in somebody else's custody came without a disclosure: a relay strips it, or the account hides it.
    Missing,
    /// A disclosure is not to be believed.
    Disclosure(DisclosureError),
    /// A device that is said to be held by the account has a key that an operator held, and still has.
    KeyWasHosted,
    /// More than 64 hosted devices, or more than 8 operators.
    TooMany,
}

/// The label of the conversation with one account, and what it follows from: one small part of a conversation's record.
///
/// ```
/// use bisik::Timestamp;
/// use bisik::endpoint::{Evidence, Label, LabelEvent, LabelState};
/// # use bisik::device::{AccountKey, Custody};
/// # use bisik::endpoint::{EndpointDevice, Presented};
/// # let peer = bisik::Identity::generate(&mut rand::rng());
/// # let account = AccountKey::of(&peer);
///
/// # let own = EndpointDevice {
/// #     key: *peer.public(),
/// #     custody: Custody::Business,
/// #     disclosure: None,
/// #     presented: Presented::Nothing,
/// # };
/// # let devices = [own];
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let expires = now.plus_seconds(30 * 86_400);
/// let transition = LabelState::new(account).observe(Evidence::Devices { expires, devices: &devices }, now);
///
/// assert!(matches!(transition.event, Some(LabelEvent::Verified(_))));
/// assert_eq!(transition.state.label(), Label::EndToEnd);
/// assert!(transition.state.permit(now).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelState {
    pub(super) account: AccountKey,
    pub(super) label: Label,
    /// When the evidence for the label expires; `None` where there is no evidence that may be relied on.
    pub(super) valid_until: Option<Timestamp>,
    /// When the label last became end-to-end, if it ever did: decisions from before are about something that has ended.
    pub(super) lapsed: Option<Timestamp>,
    /// By endpoint key, ascending.
    pub(super) standings: Vec<Standing>,
    /// By operator key, ascending.
    pub(super) rulings: Vec<Ruling>,
}

/// What an operation on a [`LabelState`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "store the state, show the event to the user, close the sessions"]
pub struct Transition {
    /// The state after it.
    pub state: LabelState,
    /// What to show the user. There is one whenever the label changed, and only then.
    pub event: Option<LabelEvent>,
    /// Sessions that must not be used any more.
    pub closed: Vec<ClosedEndpoint>,
}

/// P-11.19. An endpoint that has left, or whose disclosure was replaced: sessions with this key under this disclosure close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedEndpoint {
    /// The endpoint's key.
    pub endpoint: IdentityKey,
    /// Under which the sessions were set up.
    pub disclosure: DisclosureHash,
}

impl LabelState {
    /// Most hosted endpoints that are remembered, those that have left included.
    pub const MOST_ENDPOINTS: usize = 64;
    /// Most operators about which decisions are remembered.
    pub const MOST_OPERATORS: usize = 8;

    /// A conversation with `account` of which nothing was seen.
    #[must_use]
    pub const fn new(account: AccountKey) -> Self {
        Self {
            account,
            label: Label::Unknown,
            valid_until: None,
            lapsed: None,
            standings: Vec::new(),
            rulings: Vec::new(),
        }
    }

    /// The label.
    #[must_use]
    pub const fn label(&self) -> Label {
        self.label
    }

    /// Whose endpoints these are.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The newest disclosure that was seen of an endpoint: what the next one is verified against.
    #[must_use]
    pub fn known(&self, endpoint: &IdentityKey) -> Option<KnownDisclosure> {
        self.standings.iter().find(|standing| standing.endpoint == *endpoint).map(Standing::known)
    }

    /// What the user is asked, or could think about again after a refusal: the worst terms that are in force and not agreed to.
    #[must_use]
    pub fn question(&self) -> Option<(DisclosureHash, &HostingTerms)> {
        let wanted = match self.label {
            Label::Disclosed { .. } => Verdict::Ask,
            Label::Refused { .. } => Verdict::Refused,
            Label::Unknown | Label::EndToEnd | Label::Hosted { .. } | Label::Unverified { .. } => return None,
        };
        let asked = self.in_force().find(|standing| self.verdict(&standing.terms) == wanted)?;
        Some((asked.hash, &asked.terms))
    }

    /// P-11.11. What the evidence comes to. Expired, missing or contradicting evidence makes the label
    /// [`Label::Unverified`] and changes nothing else.
    pub fn observe(&self, evidence: Evidence<'_>, now: Timestamp) -> Transition {
        let mut next = self.clone();
        let mut closed = Vec::new();
        match self.examine(evidence, now) {
            Err(why) => next.label = Label::Unverified { why },
            Ok((valid_until, seen)) => {
                closed = self.closed_by(&seen);
                next.valid_until = Some(valid_until);
                next.take(seen, now);
            }
        }
        self.transition(next, closed, now)
    }

    /// The same when only time has passed: what has expired while nobody looked is not verified any more.
    pub fn tick(&self, now: Timestamp) -> Transition {
        let mut next = self.clone();
        if self.has_expired(now) {
            next.label = Label::Unverified { why: Unverified::Expired };
        }
        self.transition(next, Vec::new(), now)
    }

    /// Whether the label follows from evidence.
    pub(super) const fn is_settled(&self) -> bool {
        !matches!(self.label, Label::Unknown | Label::Unverified { .. })
    }

    /// Whether what the label follows from has expired since.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.is_settled() && self.is_stale(now)
    }

    /// Whether there is no evidence that counts now.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now >= until)
    }

    /// What the devices prove: until when, and which hosted endpoints there are. All of it, or nothing.
    fn examine(&self, evidence: Evidence<'_>, now: Timestamp) -> Result<(Timestamp, Vec<Standing>), Unverified> {
        let Evidence::Devices { expires, devices } = evidence else { return Err(Unverified::DeviceList) };
        if expires <= now || devices.is_empty() {
            return Err(Unverified::DeviceList);
        }
        let (mut valid_until, mut seen) = (expires, Vec::<Standing>::new());
        for device in devices {
            let Some(verified) = self.examine_device(device, now)? else { continue };
            if seen.len() >= Self::MOST_ENDPOINTS {
                return Err(Unverified::TooMany);
            }
            valid_until = valid_until.min(verified.disclosure().expires());
            seen.push(Standing::new(verified));
        }
        let mut operators: Vec<_> = seen.iter().map(|standing| standing.terms.operator.key).collect();
        operators.sort_unstable();
        operators.dedup();
        if operators.len() > Self::MOST_OPERATORS { Err(Unverified::TooMany) } else { Ok((valid_until, seen)) }
    }

    /// P-11.13. One device: nothing for one that the account holds, its disclosure for another.
    fn examine_device<'a>(
        &self,
        device: &EndpointDevice<'a>,
        now: Timestamp,
    ) -> Result<Option<&'a VerifiedDisclosure>, Unverified> {
        let known = self.known(&device.key);
        if device.custody.is_own_held() {
            return match (known, device.disclosure.is_none()) {
                (Some(_), _) => Err(Unverified::KeyWasHosted),
                (None, false) => Err(Unverified::Disclosure(DisclosureError::OtherDevice)),
                (None, true) => Ok(None),
            };
        }
        let verified = match device.presented {
            Presented::Nothing => return Err(Unverified::Missing),
            Presented::Rejected(error) => return Err(Unverified::Disclosure(error)),
            Presented::Verified(verified) => verified,
        };
        let disclosure = verified.disclosure();
        if *disclosure.account() != self.account {
            return Err(Unverified::Disclosure(DisclosureError::OtherAccount));
        }
        let named = *disclosure.endpoint() == device.key
            && disclosure.terms().custody == device.custody
            && Some(verified.hash()) == device.disclosure;
        if !named {
            return Err(Unverified::Disclosure(DisclosureError::OtherDevice));
        }
        verified.check_dates(now).map_err(Unverified::Disclosure)?;
        known.map_or(Ok(()), |known| known.allows(verified)).map_err(Unverified::Disclosure)?;
        Ok(Some(verified))
    }

    /// What is in force now and will not be when `seen` is.
    fn closed_by(&self, seen: &[Standing]) -> Vec<ClosedEndpoint> {
        let stays = |old: &Standing| seen.iter().any(|new| new.endpoint == old.endpoint && new.hash == old.hash);
        let gone = self.standings.iter().filter(|old| old.in_force && !stays(old));
        gone.map(|old| ClosedEndpoint { endpoint: old.endpoint, disclosure: old.hash }).collect()
    }

    /// Puts what was seen in the place of what was in force.
    fn take(&mut self, seen: Vec<Standing>, now: Timestamp) {
        let before: Vec<_> = self.in_force().map(|standing| standing.terms.operator.key).collect();
        for standing in self.standings.iter_mut().filter(|standing| standing.in_force) {
            *standing = standing.clone().absent(now);
        }
        for standing in seen {
            self.remember(standing);
        }
        let after: Vec<_> = self.in_force().map(|standing| standing.terms.operator.key).collect();
        let left = |key: &IdentityKey| before.contains(key) && !after.contains(key);
        // An operator that left and comes back is another one than the last: consent does not wait for it. A refusal does.
        self.rulings.retain(|ruling| ruling.choice.is_strict() || !left(&ruling.terms.operator.key));
        self.settle(now);
    }

    /// P-11.9. Keeps what was seen of an endpoint; of those that have left the one that left first makes room.
    pub(super) fn remember(&mut self, standing: Standing) {
        self.standings.retain(|known| known.endpoint != standing.endpoint);
        if self.standings.len() >= Self::MOST_ENDPOINTS {
            let absent = self.standings.iter().filter(|known| !known.in_force);
            let Some(oldest) = absent.min_by_key(|known| known.left).map(|known| known.endpoint) else { return };
            self.standings.retain(|known| known.endpoint != oldest);
        }
        self.standings.push(standing);
        self.standings.sort_unstable_by_key(|standing| standing.endpoint);
    }

    /// P-11.16. Keeps a ruling where no other of the same operator takes precedence; of absent operators the oldest makes room.
    pub(super) fn rule(&mut self, ruling: Ruling) {
        let operator = ruling.terms.operator.key;
        if let Some(known) = self.ruling(&operator) {
            if known.precedence() >= ruling.precedence() {
                return;
            }
            self.rulings.retain(|known| known.terms.operator.key != operator);
        } else if self.rulings.len() >= Self::MOST_OPERATORS {
            let present: Vec<_> = self.in_force().map(|standing| standing.terms.operator.key).collect();
            let absent = self.rulings.iter().filter(|known| !present.contains(&known.terms.operator.key));
            let oldest = absent.min_by_key(|known| known.decided).map(|known| known.terms.operator.key);
            let Some(oldest) = oldest else { return };
            self.rulings.retain(|known| known.terms.operator.key != oldest);
        }
        self.rulings.push(ruling);
        self.rulings.sort_unstable_by_key(|ruling| ruling.terms.operator.key);
    }

    pub(super) fn ruling(&self, operator: &IdentityKey) -> Option<&Ruling> {
        self.rulings.iter().find(|ruling| ruling.terms.operator.key == *operator)
    }

    /// The endpoints that somebody else holds now, the worst first.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Standing> {
        let mut found: Vec<_> = self.standings.iter().filter(|standing| standing.in_force).collect();
        found.sort_unstable_by_key(|standing| standing.order());
        found.into_iter()
    }

    fn verdict(&self, terms: &HostingTerms) -> Verdict {
        self.ruling(&terms.operator.key).map_or(Verdict::Ask, |ruling| ruling.on(terms))
    }

    /// P-11.14. What the endpoints in force and the rulings come to: the weakest endpoint decides, and refusal outweighs a question.
    pub(super) fn judge(&self) -> Label {
        let Some(worst) = self.in_force().next() else { return Label::EndToEnd };
        let weakest = self.in_force().map(|standing| self.verdict(&standing.terms)).max().unwrap_or(Verdict::Ask);
        let decisive = self.in_force().find(|standing| self.verdict(&standing.terms) == weakest).unwrap_or(worst);
        let ruled = |on: &Standing| self.ruling(&on.terms.operator.key).map_or(on.hash, |ruling| ruling.disclosure);
        match weakest {
            Verdict::Ask => Label::Disclosed { disclosure: decisive.hash },
            Verdict::Refused => Label::Refused { disclosure: ruled(decisive) },
            Verdict::Agreed => Label::Hosted { disclosure: decisive.hash, consent: ruled(decisive) },
        }
    }

    /// Sets the label by what is in force and ruled. Where nothing hosted is left, all decisions have ended.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let label = self.judge();
        if label == Label::EndToEnd && self.label != Label::EndToEnd {
            self.lapsed = Some(now);
            self.rulings.clear();
        }
        self.label = label;
    }

    /// The terms that a label is about.
    pub(super) fn subject(&self) -> Option<(&HostingTerms, DisclosureHash)> {
        match self.label {
            Label::Unknown | Label::EndToEnd | Label::Unverified { .. } => None,
            Label::Disclosed { disclosure } | Label::Hosted { disclosure, .. } => {
                self.in_force().find(|standing| standing.hash == disclosure).map(|found| (&found.terms, disclosure))
            }
            Label::Refused { disclosure } => {
                let ruling = self.rulings.iter().find(|ruling| ruling.disclosure == disclosure)?;
                Some((&ruling.terms, disclosure))
            }
        }
    }

    /// P-11.15. Exactly one event where the label changed.
    pub(super) fn transition(&self, next: Self, closed: Vec<ClosedEndpoint>, now: Timestamp) -> Transition {
        let event = LabelEvent::between(self, &next, now);
        Transition { state: next, event, closed }
    }

    /// Whether the user withdrew what a refused label is about.
    pub(super) fn was_withdrawn(&self, disclosure: DisclosureHash) -> bool {
        let mut rulings = self.rulings.iter();
        rulings.any(|ruling| ruling.disclosure == disclosure && ruling.choice == Choice::Withdrawal)
    }
}
