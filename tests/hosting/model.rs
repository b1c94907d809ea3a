//! A second implementation of the label's state machine, as plain as possible: small numbers instead of keys, maps
//! without limits.
//!
//! It checks no signatures: a [`Fact`] stands for a statement that an account, an operator and a hosted device have all
//! signed.

use std::collections::{BTreeMap, BTreeSet};

use bisik::hosting::{DisclosureError, Unverified};

/// A disclosure, identified by its index in the list of all facts.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    pub name: usize,
    pub hosted: u8,
    pub operator: u8,
    pub custody: u8,
    pub roles: u8,
    pub purposes: u8,
    pub days: u64,
    pub number: u64,
    pub previous: Option<usize>,
    pub expires: u64,
    /// Breaks ties between equal terms.
    pub hash: [u8; 32],
}

impl Fact {
    fn covered_by(&self, agreed: &Self) -> bool {
        self.operator == agreed.operator
            && self.custody <= agreed.custody
            && self.roles & !agreed.roles == 0
            && self.purposes & !agreed.purposes == 0
            && self.days <= agreed.days
    }

    /// What counts after a refusal: allowing less, in whole classes. Whose terms they are does not count.
    fn better_in_kind(&self, refused: &Self) -> bool {
        let class = |fact: &Self| match fact.days {
            0 => 0,
            7 => 2,
            30 => 3,
            60 => 4,
            days => panic!("{days} days are not used here"),
        };
        let no_more = self.custody <= refused.custody
            && self.roles | refused.roles == refused.roles
            && self.purposes | refused.purposes == refused.purposes
            && class(self) <= class(refused);
        let same = (self.roles, self.purposes, class(self)) == (refused.roles, refused.purposes, class(refused));
        no_more && !same
    }

    fn badness(&self) -> impl Ord + use<> {
        (self.custody, self.purposes, self.roles, self.days, self.hash)
    }
}

/// A device, as a list and a relay show it.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    Own {
        device: u8,
    },
    /// The list names `fact`; the relay presents it, or another one, or nothing.
    Hosted {
        fact: Fact,
        presented: Relay,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Relay {
    Honest,
    Strips,
    Swaps(Fact),
    Damages,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Unknown,
    EndToEnd,
    Disclosed(usize),
    Hosted { worst: usize, agreed: usize },
    Refused(usize),
    Unverified(Unverified),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    Consent,
    Refusal,
    Withdrawal,
}

/// The user's decision, ordered by precedence: made with more knowledge, stricter, later.
#[derive(Clone, Copy, Debug)]
pub struct Ruled {
    pub choice: Choice,
    pub about: Fact,
    pub round: u32,
    pub at: u64,
}

impl Ruled {
    fn counts(&self) -> impl Ord + use<> {
        (self.round, self.choice != Choice::Consent, self.at, self.choice, self.about.hash)
    }

    fn agrees_to(&self, fact: &Fact) -> bool {
        self.choice == Choice::Consent && fact.covered_by(&self.about)
    }

    fn is_refusal(&self) -> bool {
        self.choice != Choice::Consent
    }
}

#[derive(Clone, Debug)]
pub struct Model {
    pub said: Said,
    /// The newest fact of every hosted device ever seen, and whether it was contradicted.
    newest: BTreeMap<u8, (Fact, bool)>,
    /// The hosted devices of the list seen last.
    pub present: Vec<Fact>,
    rulings: BTreeMap<u8, Ruled>,
    lapsed: u64,
    valid_until: u64,
    /// What the user is asked about after a refusal, and since when.
    asked: BTreeSet<usize>,
    asked_at: u64,
}

const THIRTY_DAYS: u64 = 30 * 86_400;

impl Model {
    pub fn new() -> Self {
        let (newest, present, rulings) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self {
            said: Said::Unknown,
            newest,
            present,
            rulings,
            lapsed: 0,
            valid_until: 0,
            asked: BTreeSet::new(),
            asked_at: 0,
        }
    }

    pub fn see(&mut self, list_expires: u64, devices: &[Shown], now: u64) {
        let why = devices.iter().find_map(|device| self.objection(device, now));
        let why = if devices.is_empty() || list_expires <= now { Some(Unverified::DeviceList) } else { why };
        if let Some(why) = why {
            self.said = Said::Unverified(why);
            return;
        }
        let present: Vec<_> = devices
            .iter()
            .filter_map(|device| match device {
                Shown::Own { .. } => None,
                Shown::Hosted { fact, .. } => Some(*fact),
            })
            .collect();
        for left in &self.present {
            let stays = present.iter().any(|fact| fact.operator == left.operator);
            if !stays && self.rulings.get(&left.operator).is_some_and(|ruled| ruled.choice == Choice::Consent) {
                self.rulings.remove(&left.operator);
            }
        }
        self.newest.extend(present.iter().map(|fact| (fact.hosted, (*fact, false))));
        self.valid_until = present.iter().map(|fact| fact.expires).chain([list_expires]).min().unwrap();
        self.asked.retain(|name| present.iter().any(|fact| fact.name == *name));
        self.present = present;
        self.say(now);
    }

    fn objection(&self, device: &Shown, now: u64) -> Option<Unverified> {
        let (fact, presented) = match device {
            Shown::Own { device } => {
                return self.newest.contains_key(device).then_some(Unverified::KeyWasHosted);
            }
            Shown::Hosted { fact, presented } => (fact, presented),
        };
        let error = match presented {
            Relay::Strips => return Some(Unverified::Missing),
            Relay::Damages => DisclosureError::BadSignature,
            Relay::Swaps(other) if other.name != fact.name => DisclosureError::OtherDevice,
            Relay::Swaps(_) | Relay::Honest if fact.expires <= now => DisclosureError::Expired,
            Relay::Swaps(_) | Relay::Honest => self.contradiction(fact)?,
        };
        Some(Unverified::Disclosure(error))
    }

    fn contradiction(&self, fact: &Fact) -> Option<DisclosureError> {
        let (newest, contradicted) = self.newest.get(&fact.hosted)?;
        let forked = if fact.number == newest.number {
            fact.name != newest.name || *contradicted
        } else {
            fact.number == newest.number + 1 && fact.previous != Some(newest.name) && !contradicted
        };
        if fact.operator != newest.operator {
            Some(DisclosureError::KeyReused)
        } else if fact.number < newest.number {
            Some(DisclosureError::RolledBack)
        } else {
            forked.then_some(DisclosureError::Forked)
        }
    }

    fn say(&mut self, now: u64) {
        let was = self.said;
        self.ask_again(now);
        self.said = self.verdict();
        if self.said == Said::EndToEnd && was != Said::EndToEnd {
            self.rulings.retain(|_, ruled| ruled.is_refusal());
            self.lapsed = now;
        }
    }

    fn refusals(&self) -> Vec<Ruled> {
        self.rulings.values().filter(|ruled| ruled.is_refusal()).copied().collect()
    }

    fn ask_again(&mut self, now: u64) {
        let refusals = self.refusals();
        let Some(last) = refusals.iter().map(|ruled| ruled.at).max() else { return };
        if now < last.max(self.asked_at) + THIRTY_DAYS {
            return;
        }
        for fact in &self.present {
            let less = refusals.iter().all(|ruled| fact.better_in_kind(&ruled.about));
            if less && self.asked.insert(fact.name) {
                self.asked_at = now;
            }
        }
    }

    fn agreed_to(&self, fact: &Fact) -> bool {
        self.rulings.get(&fact.operator).is_some_and(|ruled| ruled.agrees_to(fact))
    }

    fn refused(&self, fact: &Fact) -> bool {
        let refusals = self.refusals();
        let may_ask = self.asked.contains(&fact.name) && refusals.iter().all(|ruled| fact.better_in_kind(&ruled.about));
        !self.agreed_to(fact) && !refusals.is_empty() && !may_ask
    }

    fn refusal_of(&self, fact: &Fact) -> Fact {
        let own = self.rulings.get(&fact.operator).filter(|ruled| ruled.is_refusal()).copied();
        let latest = || self.refusals().into_iter().max_by_key(|ruled| (ruled.at, ruled.about.hash)).unwrap();
        own.unwrap_or_else(latest).about
    }

    fn verdict(&self) -> Said {
        let mut present = self.present.clone();
        present.sort_by_key(|fact| std::cmp::Reverse(fact.badness()));
        let Some(worst) = present.first() else { return Said::EndToEnd };
        if let Some(refused) = present.iter().find(|fact| self.refused(fact)) {
            return Said::Refused(self.refusal_of(refused).name);
        }
        match present.iter().find(|fact| !self.agreed_to(fact)) {
            Some(asked) => Said::Disclosed(asked.name),
            None => Said::Hosted { worst: worst.name, agreed: self.rulings[&worst.operator].about.name },
        }
    }

    /// The question that the user is asked, or could be.
    pub fn question(&self) -> Option<Fact> {
        let mut present = self.present.clone();
        present.sort_by_key(|fact| std::cmp::Reverse(fact.badness()));
        match self.said {
            Said::Disclosed(name) => present.into_iter().find(|fact| fact.name == name),
            Said::Refused(_) => present.into_iter().find(|fact| self.refused(fact)),
            Said::Unknown | Said::EndToEnd | Said::Hosted { .. } | Said::Unverified(_) => None,
        }
    }

    pub fn tick(&mut self, now: u64) {
        let verified = !matches!(self.said, Said::Unknown | Said::Unverified(_));
        if verified && now >= self.valid_until {
            self.said = Said::Unverified(Unverified::Expired);
        }
    }

    /// What is said at some time, whether anybody has looked or not.
    pub fn said_at(&self, now: u64) -> Said {
        // A withdrawal without evidence is one in any case.
        let mut later = self.clone();
        if self.valid_until > 0 {
            later.tick(now);
        }
        later.said
    }

    pub fn can_send(&self, now: u64) -> bool {
        matches!(self.said, Said::EndToEnd | Said::Hosted { .. }) && now < self.valid_until
    }

    /// Consent to or refusal of the pending question, or withdrawal of consent. `None` if there is nothing to decide.
    pub fn decide(&mut self, choice: Choice, agreed: Option<Fact>, now: u64) -> Option<Ruled> {
        let about = match choice {
            Choice::Consent if now >= self.valid_until => None,
            Choice::Consent | Choice::Refusal => self.question(),
            Choice::Withdrawal => agreed.filter(|fact| {
                let ruled = self.rulings.get(&fact.operator);
                ruled.is_some_and(|ruled| ruled.choice == Choice::Consent && ruled.about.name == fact.name)
            }),
        }?;
        let before = self.rulings.get(&about.operator).copied();
        let overrules = choice == Choice::Consent && before.is_some_and(|before| before.choice != Choice::Consent);
        let round = before.map_or(0, |before| before.round) + u32::from(overrules);
        let at = now.max(before.map_or(self.lapsed, |before| before.at.max(self.lapsed)) + 1);
        let ruled = Ruled { choice, about, round, at };
        self.rulings.insert(about.operator, ruled);
        match self.said {
            Said::Unknown => {}
            Said::Unverified(_) => {
                self.said = Said::Refused(about.name);
                self.valid_until = 0;
            }
            _ => self.say(now),
        }
        Some(ruled)
    }

    /// A decision made on another device of the user.
    pub fn adopt(&mut self, ruled: Ruled, now: u64) {
        let counts = self.rulings.get(&ruled.about.operator).is_none_or(|known| ruled.counts() > known.counts());
        if ruled.is_refusal() && counts {
            self.rulings.insert(ruled.about.operator, ruled);
        }
        match self.contradiction(&ruled.about) {
            Some(error @ (DisclosureError::Forked | DisclosureError::KeyReused)) => {
                self.newest.get_mut(&ruled.about.hosted).unwrap().1 = true;
                self.said = Said::Unverified(Unverified::Disclosure(error));
                return;
            }
            _ => {
                self.newest.entry(ruled.about.hosted).or_insert((ruled.about, false));
            }
        }
        if !ruled.is_refusal() && ruled.at > self.lapsed && counts {
            self.rulings.insert(ruled.about.operator, ruled);
        }
        self.tick(now);
        if !matches!(self.said, Said::Unknown | Said::Unverified(_)) {
            self.say(now);
        }
    }

    /// Everything that the user agreed to, as far as this device knows.
    pub fn agreed(&self) -> Vec<Fact> {
        let agreed = self.rulings.values().filter(|ruled| ruled.choice == Choice::Consent);
        agreed.map(|ruled| ruled.about).collect()
    }
}
