//! Random walks by honest and dishonest relays, operators and businesses, and a user with two devices: the rules hold,
//! and the library agrees with the model.

use std::collections::BTreeSet;

use bisik::Timestamp;
use bisik::device::Custody;
use bisik::hosting::{
    Decision, DisclosureError, Evidence, HostedDevice, HostedMember, HostingTerms, Label, Presented, Purposes,
    Retention, Roles, VerifiedDisclosure, may_receive_in_group,
};
use proptest::prelude::*;

use crate::model::{Choice, Fact, Model, Relay, Ruled, Said, Shown};
use crate::parties::*;

/// An event. Numbers are taken modulo the number of choices.
#[derive(Clone, Debug)]
enum Event {
    /// Business, operator and hosted device sign a disclosure: following the newest one, or another one (a fork).
    Sign {
        hosted: u8,
        operator: u8,
        terms: [u8; 4],
        follows: u8,
    },
    /// A list with some own-held devices (one of them under a hosted key if `stolen`), and the newest disclosures of
    /// some hosted devices, or `old` ones. The relay tampers with the first of them.
    Show {
        customer: u8,
        hosted_devices: u8,
        own: u8,
        stolen: bool,
        old: u8,
        relay: u8,
    },
    NoList {
        customer: u8,
    },
    Decide {
        customer: u8,
        choice: u8,
        stale: bool,
    },
    Hear {
        customer: u8,
        decision: u8,
    },
    Wait {
        days: u8,
    },
    Tick {
        customer: u8,
    },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let sign = (0..4_u8, 0..3_u8, any::<[u8; 4]>(), any::<u8>())
        .prop_map(|(hosted, operator, terms, follows)| Event::Sign { hosted, operator, terms, follows });
    let show = (0..2_u8, 0..16_u8, 0..4_u8, prop::bool::weighted(0.05), any::<u8>(), any::<u8>()).prop_map(
        |(customer, hosted_devices, own, stolen, old, relay)| Event::Show {
            customer,
            hosted_devices,
            own,
            stolen,
            old,
            relay,
        },
    );
    let decide = (0..2_u8, 0..4_u8, prop::bool::weighted(0.1));
    let decide = decide.prop_map(|(customer, choice, stale)| Event::Decide { customer, choice, stale });
    let event = prop_oneof![
        3 => sign,
        5 => show,
        5 => decide,
        3 => (0..2_u8, any::<u8>()).prop_map(|(customer, decision)| Event::Hear { customer, decision }),
        1 => (0..25_u8).prop_map(|days| Event::Wait { days }),
        1 => (0..2_u8).prop_map(|customer| Event::Tick { customer }),
        1 => (0..2_u8).prop_map(|customer| Event::NoList { customer }),
    ];
    prop::collection::vec(event, 1..60)
}

/// A device of the customer, with the model's expectation.
struct Watched {
    customer: CustomerDevice,
    model: Model,
    /// Whether the list that was accepted last had a hosted device.
    hosted: bool,
    /// Operators to which the user has consented, as far as this device knows.
    agreed: BTreeSet<u8>,
}

struct Walk {
    now: Timestamp,
    facts: Vec<(Fact, VerifiedDisclosure)>,
    customers: [Watched; 2],
    decisions: Vec<(Decision, Ruled)>,
    wire: Wire,
}

impl Walk {
    fn new() -> Self {
        let watched = |device| Watched {
            customer: CustomerDevice { now: NOW, ..CustomerDevice::of(device) },
            model: Model::new(),
            hosted: false,
            agreed: BTreeSet::new(),
        };
        Self {
            now: NOW,
            facts: Vec::new(),
            customers: [watched(CUSTOMER), watched(TABLET)],
            decisions: Vec::new(),
            wire: Wire::new(),
        }
    }

    fn run(&mut self, event: &Event) {
        match *event {
            Event::Sign { hosted, operator, terms, follows } => self.sign(hosted, operator, terms, follows),
            Event::Show { customer, hosted_devices, own, stolen, old, relay } => {
                let shown = self.shown(hosted_devices, own, stolen, old, relay);
                self.show(usize::from(customer), &shown);
            }
            Event::NoList { customer } => self.show(usize::from(customer), &[]),
            Event::Decide { customer, choice, stale } => self.decide(usize::from(customer), choice, stale),
            Event::Hear { customer, decision } => self.hear(usize::from(customer), usize::from(decision)),
            Event::Wait { days } => {
                self.now = self.now.plus_seconds(u64::from(days) * DAY + 1);
                self.customers.iter_mut().for_each(|watched| watched.customer.now = self.now);
            }
            Event::Tick { customer } => {
                let Watched { customer, model, .. } = &mut self.customers[usize::from(customer)];
                let _ = customer.tick();
                model.tick(self.now.as_unix_seconds());
            }
        }
        (0..2).for_each(|customer| self.check(customer));
    }

    fn sign(&mut self, hosted: u8, operator_number: u8, [custody, roles, purposes, days]: [u8; 4], follows: u8) {
        let fact = self.facts.len();
        let days = [0, 7, 30, 60][usize::from(days % 4)];
        let custodies = [Custody::Vendor, Custody::Platform, Custody::ForeignClient];
        let terms = HostingTerms {
            custody: custodies[usize::from(custody % 3)],
            operator: operator(AWAN + operator_number),
            roles: [Roles::READ, Roles::READ.with(Roles::STORE)][usize::from(roles % 2)],
            retention: Retention { at_rest: days * DAY, in_use: 0, region: None },
            purposes: [Purposes::ANSWERING, Purposes::ANSWERING.with(Purposes::MARKETING)][usize::from(purposes % 2)],
        };
        let of_device = |(_, (known, _)): &(usize, &(Fact, VerifiedDisclosure))| {
            known.hosted == hosted && known.operator == operator_number
        };
        let known: Vec<_> = self.facts.iter().enumerate().filter(of_device).map(|(at, _)| at).collect();
        // An honest business continues the newest disclosure; others continue one that they have already continued.
        let place = if follows.is_multiple_of(8) { usize::from(follows / 8) } else { known.len().saturating_sub(1) };
        let previous = known.get(place).copied();
        let (issued, expires) = (self.now, self.now.plus_seconds(90 * DAY));
        let number = HOSTED + hosted;
        let draft = match previous {
            None => {
                bisik::hosting::DisclosureDraft::new(account(BUSINESS), key(number), terms, issued, expires).unwrap()
            }
            Some(at) => {
                let previous = self.facts[at].1.disclosure();
                bisik::hosting::DisclosureDraft::following(previous, terms, issued, expires).unwrap()
            }
        };
        let disclosure = verified(&assemble(draft, BUSINESS, number));
        if self.facts.iter().any(|(_, known)| *known == disclosure) {
            return;
        }
        let fact = Fact {
            name: fact,
            hosted,
            operator: operator_number,
            custody: custody % 3,
            roles: [1, 3][usize::from(roles % 2)],
            purposes: [1, 3][usize::from(purposes % 2)],
            days,
            number: disclosure.disclosure().sequence(),
            previous,
            expires: expires.as_unix_seconds(),
            hash: *disclosure.hash().as_bytes(),
        };
        self.facts.push((fact, disclosure));
    }

    fn shown(&self, hosted_devices: u8, own: u8, stolen: bool, old: u8, relay: u8) -> Vec<Shown> {
        let mut shown: Vec<_> = (0..own).map(|number| Shown::Own { device: 100 + number }).collect();
        for hosted in (0..4).filter(|hosted| hosted_devices & (1 << hosted) != 0) {
            let known: Vec<_> = self.facts.iter().map(|(fact, _)| *fact).filter(|fact| fact.hosted == hosted).collect();
            if stolen {
                shown.push(Shown::Own { device: hosted });
                continue;
            }
            let place = if old.is_multiple_of(8) {
                usize::from(old / 8) % known.len().max(1)
            } else {
                known.len().saturating_sub(1)
            };
            let Some(fact) = known.get(place) else { continue };
            let presented = match (relay, shown.iter().any(|device| matches!(device, Shown::Hosted { .. }))) {
                (0..10, false) => Relay::Strips,
                (10..20, false) => Relay::Damages,
                (20..30, false) => Relay::Swaps(self.facts[usize::from(relay) % self.facts.len()].0),
                _ => Relay::Honest,
            };
            shown.push(Shown::Hosted { fact: *fact, presented });
        }
        shown
    }

    fn show(&mut self, customer: usize, shown: &[Shown]) {
        let facts = &self.facts;
        let devices: Vec<_> = shown.iter().map(|shown| device(facts, shown)).collect();
        let Watched { customer, model, hosted, .. } = &mut self.customers[customer];
        let before: Vec<_> = model.present.iter().map(|fact| (fact.hosted, fact.name)).collect();
        let expires = self.now.plus_seconds(30 * DAY);
        let transition = customer.state.observe(Evidence::Devices { expires, devices: &devices, own: &[] }, self.now);
        let (_, closed) = customer.take(transition);
        model.see(expires.as_unix_seconds(), shown, self.now.as_unix_seconds());
        if !matches!(model.said, Said::Unverified(_)) {
            *hosted = devices.iter().any(|device| !device.custody.is_own_held());
        }
        // Rule 5: exactly the sessions that are no longer in force are closed.
        let after: Vec<_> = model.present.iter().map(|fact| (fact.hosted, fact.name)).collect();
        let gone: BTreeSet<_> = before.iter().filter(|known| !after.contains(known)).map(|(_, name)| *name).collect();
        let name = |hash| facts.iter().find(|(_, disclosure)| disclosure.hash() == hash).unwrap().0.name;
        let closed: BTreeSet<_> = closed.iter().map(|closed| name(closed.disclosure)).collect();
        assert_eq!(closed, gone);
        // Rule 4: a hosted device gets no group message unless it was announced.
        for device in &devices {
            let announced: Vec<_> = match device.presented {
                Presented::Verified(verified) => vec![HostedMember::new(verified)],
                _ => Vec::new(),
            };
            let own_held = device.custody.is_own_held();
            assert_eq!(may_receive_in_group(&account(BUSINESS), device, &[]), own_held);
            let named = announced.first().is_some_and(|_| {
                matches!(device.presented, Presented::Verified(verified)
                if Some(verified.hash()) == device.disclosure)
            });
            assert_eq!(may_receive_in_group(&account(BUSINESS), device, &announced), own_held || named);
        }
    }

    fn decide(&mut self, customer: usize, choice: u8, stale: bool) {
        let choice = [Choice::Consent, Choice::Consent, Choice::Refusal, Choice::Withdrawal][usize::from(choice)];
        let Watched { customer, model, agreed, .. } = &mut self.customers[customer];
        let agreed_now = model.agreed().first().copied();
        let about = if choice == Choice::Withdrawal { agreed_now } else { model.question() };
        let about = if stale { self.facts.first().map(|(fact, _)| *fact) } else { about };
        let Some(about) = about else { return };
        let (own, device, hash) = (account(CUSTOMER), identity(customer.device), self.facts[about.name].1.hash());
        let decided = match choice {
            Choice::Consent => customer.state.consent(hash, &own, &device, self.now),
            Choice::Refusal => customer.state.refuse(hash, &own, &device, self.now),
            Choice::Withdrawal => customer.state.withdraw(hash, &own, &device, self.now),
        };
        let right = match choice {
            Choice::Consent | Choice::Refusal => model.question().is_some_and(|asked| asked.name == about.name),
            Choice::Withdrawal => true,
        };
        let ruled = if right { model.decide(choice, Some(about), self.now.as_unix_seconds()) } else { None };
        assert_eq!(decided.is_ok(), ruled.is_some(), "{choice:?} {about:?}");
        let (Ok((transition, decision)), Some(ruled)) = (decided, ruled) else { return };
        assert_eq!(decision.decided().as_unix_seconds(), ruled.at);
        let _ = customer.take(transition);
        if choice == Choice::Consent {
            agreed.insert(about.operator);
        }
        self.decisions.push((decision, ruled));
    }

    fn hear(&mut self, customer: usize, decision: usize) {
        let Some(at) = decision.checked_rem(self.decisions.len()) else { return };
        let (decision, ruled) = &self.decisions[at];
        let Watched { customer, model, agreed, .. } = &mut self.customers[customer];
        let shared = self.wire.share(decision, self.facts[ruled.about.name].1.disclosure());
        let adopted = customer.state.adopt(&shared, &own_list(), self.now);
        let late = ruled.choice == Choice::Consent && ruled.at >= ruled.about.expires;
        assert_eq!(adopted.is_err(), late);
        let Ok(transition) = adopted else { return };
        let _ = customer.take(transition);
        model.adopt(*ruled, self.now.as_unix_seconds());
        if ruled.choice == Choice::Consent {
            agreed.insert(ruled.about.operator);
        }
    }

    fn check(&self, customer: usize) {
        let Watched { customer, model, hosted, agreed } = &self.customers[customer];
        let hash = |name: usize| self.facts[name].1.hash();
        let expected = match model.said_at(self.now.as_unix_seconds()) {
            Said::Unknown => Label::Unknown,
            Said::EndToEnd => Label::EndToEnd { custody: Custody::SelfHosted, automated: false },
            Said::Disclosed(name) => Label::Disclosed { disclosure: hash(name) },
            Said::Hosted { worst, agreed } => Label::Hosted { disclosure: hash(worst), consent: hash(agreed) },
            Said::Refused(name) => Label::Refused { disclosure: hash(name) },
            Said::Unverified(why) => Label::Unverified { why },
        };
        assert_eq!(customer.label(), expected);
        let asked = customer.state.question().map(|(hash, _)| hash);
        assert_eq!(asked, model.question().map(|fact| hash(fact.name)));

        // Rule 1: nothing is sent except under a label that allows it. Rule 3: no hosted device under `EndToEnd`.
        let permit = customer.state.permit(self.now);
        assert_eq!(permit.is_ok(), model.can_send(self.now.as_unix_seconds()));
        assert!(!customer.label().is_end_to_end() || !hosted);
        let Ok(permit) = permit else { return };
        assert!(matches!(customer.label(), Label::EndToEnd { .. } | Label::Hosted { .. }));
        // Rule 2: to a hosted device only with consent, and only under the disclosure in force.
        for (fact, disclosure) in &self.facts {
            let present = model.present.iter().any(|present| present.name == fact.name);
            assert_eq!(permit.allows(&key(HOSTED + fact.hosted), Some(disclosure.hash())), present);
            assert!(!present || agreed.contains(&fact.operator), "the user did not agree to this operator");
        }
    }
}

fn device<'a>(facts: &'a [(Fact, VerifiedDisclosure)], shown: &Shown) -> HostedDevice<'a> {
    match shown {
        Shown::Own { device } => own(HOSTED + device, Custody::SelfHosted),
        Shown::Hosted { fact, presented } => {
            let device = hosted(&facts[fact.name].1);
            let presented = match presented {
                Relay::Honest => device.presented,
                Relay::Strips => Presented::Nothing,
                Relay::Damages => Presented::Rejected(DisclosureError::BadSignature),
                Relay::Swaps(other) => Presented::Verified(&facts[other.name].1),
            };
            HostedDevice { presented, ..device }
        }
    }
}

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(64))]

    /// P-11.9 to P-11.18, P-11.20, P-11.23: rules 1 to 5 hold after every sequence of events.
    #[test]
    fn the_label_holds_against_dishonest_parties(events in events()) {
        let mut walk = Walk::new();
        for event in &events {
            walk.run(event);
        }
    }
}

/// Rule 7: a team is many devices of one account, and one device in another party's custody makes it hosted.
#[test]
fn a_team_of_own_held_devices_is_end_to_end() {
    let mut team: Vec<_> = (40..240).map(|number| own(number, Custody::SelfHosted)).collect();
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&team);
    assert!(customer.label().is_end_to_end());
    let disclosure = first(HOSTED, vendor());
    team.push(hosted(&disclosure));
    let _ = customer.see(&team);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: disclosure.hash() });
}
