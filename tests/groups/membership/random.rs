//! Properties of random histories, over the real types: members, devices, old copies and a relay that reorders.

use bisik::group::membership::{GroupEvent, LinkPolicy, LinkSecret, Membership, Role, Statement, WriteError};
use bisik_testkit::SeededRng;
use proptest::prelude::*;

use super::world::{ALICE, At, NOW, World, device, number, offer_all};

/// One step of a history: who, what, and about whom.
#[derive(Clone, Copy, Debug)]
struct Step {
    actor: usize,
    laptop: bool,
    action: u8,
    target: usize,
    /// Which devices learn of everything then.
    told: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..PEOPLE, any::<bool>(), 0..16_u8, 0..PEOPLE, any::<u8>());
    let step = step.prop_map(|(actor, laptop, action, target, told)| Step { actor, laptop, action, target, told });
    prop::collection::vec(step, 1..28)
}

const PEOPLE: usize = 4;

/// A history that was acted out.
struct History {
    world: World,
    links: Vec<LinkSecret>,
    copies: Vec<(At, Membership)>,
}

impl History {
    fn of(steps: &[Step]) -> Self {
        let mut history = Self { world: World::of_members(PEOPLE - 1), links: Vec::new(), copies: Vec::new() };
        let mut bigger = World::new(PEOPLE);
        std::mem::swap(&mut bigger.people, &mut history.world.people);
        std::mem::swap(&mut bigger.signers, &mut history.world.signers);
        for step in steps {
            let at = (step.actor, u32::from(step.laptop));
            if !history.world.groups.contains_key(&at) {
                history.world.catch_up(at);
            }
            // What is refused has no effect.
            let _ = history.act(at, step);
            let all: Vec<_> = history.world.groups.keys().copied().collect();
            for (place, at) in all.into_iter().enumerate() {
                if step.told & (1 << (place % 8)) != 0 {
                    history.world.catch_up(at);
                }
            }
        }
        history
    }

    fn act(&mut self, at: At, step: &Step) -> Result<(), WriteError> {
        let Step { action, target, .. } = *step;
        let account = self.world.people[target].account;
        let world = &mut self.world;
        let role = [Role::Admin, Role::Member, Role::Reader][usize::from(step.told) % 3];
        let written = match action {
            0 | 1 => world.write(at, |g, a, rng| g.add(a, account, NOW, rng)),
            2 | 3 => world.write(at, |g, a, _| g.accept(a, NOW)),
            4 | 5 => world.write(at, |g, a, _| g.remove(a, &account, &[], NOW)),
            6 => world.write(at, |g, a, _| g.leave(a, &[], NOW)),
            7 | 8 => world.write((ALICE, 0), |g, a, _| g.set_role(a, &account, role, &[], NOW)),
            9 => {
                let dropped: Vec<_> = world.group((ALICE, 0)).acts().map(|act| act.id).collect();
                world.write((ALICE, 0), |g, a, _| g.set_role(a, &account, role, &dropped, NOW))
            }
            10 => {
                let links = &mut self.links;
                world.write(at, |g, a, rng| {
                    let policy = if step.told.is_multiple_of(2) { LinkPolicy::Member } else { LinkPolicy::Ask };
                    let (link, written) = g.open_link(a, policy, NOW, rng)?;
                    links.push(link);
                    Ok(written)
                })
            }
            11 => match self.links.get(target) {
                Some(link) => world.write(at, |g, a, rng| g.join(a, link, NOW, rng)),
                None => return Ok(()),
            },
            12 => match self.links.get(target) {
                Some(link) => world.write(at, |g, a, _| g.close_link(a, link.id(), &[], NOW)),
                None => return Ok(()),
            },
            13 => {
                let laptop = *device(number((target, 1))).public();
                world.write((ALICE, 0), |g, a, _| g.bar(a, account, laptop, &[], NOW))
            }
            // An old copy of a device, as a thief has it, acts once. The owner's primary has none.
            14 if at != (ALICE, 0) => {
                let copy = world.copy(at);
                self.copies.push((at, copy));
                return Ok(());
            }
            15 if !self.copies.is_empty() => {
                let which = target % self.copies.len();
                let (at, old) = &mut self.copies[which];
                let at = *at;
                std::mem::swap(world.groups.get_mut(&at).unwrap(), old);
                let removed = world.write(at, |g, a, _| g.remove(a, &account, &[], NOW));
                let added = world.write(at, |g, a, rng| g.add(a, account, NOW, rng));
                let accepted = world.write(at, |g, a, _| g.accept(a, NOW));
                std::mem::swap(self.world.groups.get_mut(&at).unwrap(), &mut self.copies[which].1);
                removed.or(added).or(accepted)
            }
            _ => return Ok(()),
        };
        written.map(drop)
    }

    /// What a device knows that was given everything in this order.
    fn told(&self, order: &[Statement]) -> Membership {
        let mut group = self.world.fresh((PEOPLE - 1, 1));
        offer_all(&mut group, order, &self.world.signers);
        group
    }
}

fn shuffled(statements: &[Statement], seed: u64) -> Vec<Statement> {
    let (mut order, mut rng) = (statements.to_vec(), SeededRng::new(seed));
    for place in (1..order.len()).rev() {
        order.swap(place, rng.below(place + 1));
    }
    order
}

/// Whether nothing holds keys back from a stay. P-13.13.
const fn gets_keys(view: &bisik::group::membership::MemberView) -> bool {
    view.live && view.suspended.is_none() && !view.doubted
}

/// What all devices agree on. What each holds back beyond that depends on what it has seen.
fn agreed(group: &Membership) -> (Vec<[u8; 64]>, [u8; 32], Vec<bisik::group::membership::ActId>, u64) {
    let members = group.state().members().map(bisik::device::AccountKey::to_bytes).collect();
    let links = group.state().links().map(|(id, _)| id).collect();
    (members, *group.state().acts_digest(), links, group.epoch())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// P-13.8 to P-13.12. The same log and acts give the same members, links and digest, whatever arrived first.
    #[test]
    fn the_order_of_arrival_decides_nothing(steps in steps(), seed in any::<u64>()) {
        let history = History::of(&steps);
        let expected = agreed(&history.told(&history.world.said));
        for turn in 0..4 {
            let group = history.told(&shuffled(&history.world.said, seed.wrapping_add(turn)));
            prop_assert_eq!(&agreed(&group), &expected);
            prop_assert_eq!(group.aside().0, 0);
        }
    }

    /// P-13.7 and P-13.13. People who are out, with everything that they ever had, change nobody's membership and get no
    /// keys.
    #[test]
    fn who_is_out_changes_nothing(steps in steps(), seed in any::<u64>()) {
        let mut history = History::of(&steps);
        for at in history.world.groups.keys().copied().collect::<Vec<_>>() {
            let said = history.world.said.clone();
            let signers = &history.world.signers;
            offer_all(history.world.groups.get_mut(&at).unwrap(), &said, signers);
        }
        let members = history.world.members((ALICE, 0));
        let out: Vec<_> = (0..PEOPLE).filter(|who| !members.contains(who)).collect();
        let judge = history.told(&history.world.said);
        // A link that is open lets people in: that is what it is for.
        prop_assume!(judge.state().links().count() == 0);
        let (before, receivers) = (agreed(&judge).0, judge.receivers().copied().collect::<Vec<_>>());
        let invited = judge.state().stays().any(|(stay, view)| !view.live && out.iter().any(|who| history.world.account(*who) == stay.account));
        prop_assume!(!invited);
        let said = history.world.said.len();
        let mut rng = SeededRng::new(seed);
        for turn in 0..12 {
            for who in &out {
                let step = Step {
                    actor: *who,
                    laptop: rng.below(2) == 1,
                    action: [0, 2, 4, 6, 10, 11, 12, 15][rng.below(8)],
                    target: rng.below(PEOPLE),
                    told: 0,
                };
                let at = (*who, u32::from(step.laptop));
                if !history.world.groups.contains_key(&at) {
                    history.world.catch_up(at);
                }
                let copies = std::mem::take(&mut history.copies);
                let (own, others): (Vec<_>, Vec<_>) = copies.into_iter().partition(|(at, _)| out.contains(&at.0));
                history.copies = own;
                let _ = (turn, history.act(at, &step));
                history.copies.extend(others);
            }
        }
        let mut judge = judge;
        let late = history.world.said[said..].to_vec();
        offer_all(&mut judge, &late, &history.world.signers);
        prop_assert_eq!(agreed(&judge).0, before);
        prop_assert_eq!(judge.receivers().copied().collect::<Vec<_>>(), receivers);
    }

    /// P-13.12 and P-13.13. Whoever knows a removal sends nothing to that stay, until the owner lifts the act; and a
    /// device's members are receivers, or are shown as suspended.
    #[test]
    fn a_known_removal_acts_at_once(steps in steps()) {
        let history = History::of(&steps);
        for (at, group) in &history.world.groups {
            let state = group.state();
            for act in group.acts() {
                let bisik::group::membership::ActKind::Remove(stay) = act.kind else { continue };
                let Some((_, view)) = state.stays().find(|(other, _)| **other == stay) else { continue };
                let lifted = !act.counts && view.suspended.is_none();
                prop_assert!(!gets_keys(view) || lifted || stay == *state.owner(), "{at:?}");
            }
            for member in state.members() {
                let receives = group.receivers().any(|receiver| receiver == member);
                let cut_off = state.stays().any(|(stay, view)| stay.account == *member && view.live && !gets_keys(view));
                prop_assert!(receives || cut_off);
            }
        }
    }

    /// P-13.14. A record holds what decides.
    #[test]
    fn a_stored_group_is_the_group(steps in steps()) {
        let mut history = History::of(&steps);
        for at in history.world.groups.keys().copied().collect::<Vec<_>>() {
            let copy = history.world.copy(at);
            prop_assert_eq!(copy.state(), history.world.state(at));
            let events: Vec<GroupEvent> = history.world.catch_up(at);
            drop(events);
        }
    }
}
