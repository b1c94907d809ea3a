//! Random histories: a relay that delays, doubles, mixes and loses, devices that are off for days, programs that are
//! killed, two admins who do not know of each other, and devices that are linked and unlinked.

use std::collections::BTreeSet;

use bisik::group::membership::Role;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::world::{ALICE, At, BOB, DAY, HOUR, Mail, World};

const PEOPLE: usize = 5;

/// A history, with what each text may be read by.
struct History {
    world: World,
    dice: StdRng,
    /// Who wrote each text, and to whose devices it was encrypted.
    written: Vec<(At, BTreeSet<usize>)>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut world = World::of_members(seed, &[2, 2, 2, 1, 2]);
        world.role(BOB, Role::Admin);
        world.run();
        Self { world, dice: StdRng::seed_from_u64(seed), written: Vec::new() }
    }

    /// Devices that are on and know of the group.
    fn awake(&self) -> Vec<At> {
        let on =
            self.world.devices.iter().filter(|(at, device)| !self.world.off.contains(at) && device.group.is_some());
        on.map(|(at, _)| *at).collect()
    }

    fn write(&mut self, at: At) {
        let text = format!("{}", self.written.len());
        let receivers = self.world.group(at).membership().receivers().map(|account| self.world.who(account)).collect();
        if self.world.send(at, &text).is_ok() {
            self.written.push((at, receivers));
        }
    }

    fn something(&mut self) {
        let Some(at) = self.awake().choose(&mut self.dice).copied() else { return self.wake() };
        let whom = self.dice.random_range(1..PEOPLE);
        match self.dice.random_range(0..20) {
            0..8 => self.write(at),
            8 => {
                // Whether it has the right is its own program's question.
                let key = self.world.keys[whom];
                let _added = self.world.with(at, |group, account, now, rng| group.invite(account, key, now, rng));
            }
            9 => {
                let key = self.world.keys[whom];
                let _removed = self.world.with(at, |group, account, now, _| group.remove(account, &key, &[], now));
            }
            10 | 11 => {
                let _accepted = self.world.with(at, |group, account, now, _| group.accept(account, now));
            }
            12 => {
                let _left = self.world.with(at, |group, account, now, _| group.leave(account, &[], now));
            }
            13 => drop(self.world.off.insert(at)),
            14 => self.wake(),
            15 => {
                self.world.show(at);
                self.world.reload(at);
            }
            16 if at.0 != ALICE && self.world.devices.len() < 14 => {
                self.world.link(at.0);
            }
            17 if at.1 > 0 => drop(self.world.unlink(at.0, at.1)),
            18 => self.world.now = self.world.now.plus_seconds(self.dice.random_range(0..2 * DAY)),
            _ => {
                let _asked = self.world.with(at, |group, account, now, _| group.rekey(account, now));
            }
        }
    }

    fn wake(&mut self) {
        let off: Vec<_> = self.world.off.iter().copied().collect();
        if let Some(at) = off.choose(&mut self.dice) {
            self.world.off.remove(at);
        }
    }

    /// Some devices work, and the relay does what it wants.
    fn some_mail(&mut self) {
        for at in self.awake() {
            if self.dice.random_bool(0.6) {
                self.world.work(at);
            }
        }
        for (to, from, mail) in core::mem::take(&mut self.world.mail) {
            let chance = self.dice.random_range(0..100);
            if self.world.off.contains(&to) || chance < 40 {
                let place = self.dice.random_range(0..=self.world.mail.len());
                self.world.mail.insert(place, (to, from, mail));
            } else if chance < 95 {
                if let Mail::Message(message) = &mail
                    && chance < 45
                {
                    self.world.mail.push_back((to, from, Mail::Message(message.clone())));
                }
                self.world.deliver(to, from, mail);
            }
            // What is left is lost.
        }
    }

    /// P-14.7: nobody has shown what was not written for its account, nor anything twice.
    fn check(&self, seed: u64) {
        for (at, device) in &self.world.devices {
            let texts: BTreeSet<_> = device.shown.iter().map(|(_, text, _)| text).collect();
            assert_eq!(texts.len(), device.shown.len(), "{seed}: {at:?} has shown something twice");
            for (who, text, _) in &device.shown {
                let Some((by, readers)) = text.parse().ok().and_then(|number: usize| self.written.get(number)) else {
                    continue;
                };
                assert_eq!(by.0, *who, "{seed}");
                assert!(readers.contains(&at.0) || by.0 == at.0, "{seed}: {at:?} reads {text} of {by:?}");
            }
        }
    }

    /// The relay gives everything, and everybody who may writes once a day.
    fn heal(&mut self, seed: u64) {
        self.world.off.clear();
        for day in 0..5 {
            for at in self.awake() {
                let _written = self.world.send(at, &format!("hari {day} {at:?}"));
                self.world.run();
                self.world.wait(HOUR);
            }
            self.world.wait(DAY - 14 * HOUR);
        }
        let owner = self.world.group((ALICE, 0)).membership().state();
        let members: Vec<_> = owner.members().map(|account| self.world.who(account)).collect();
        let everybody: Vec<_> = self.world.devices.keys().copied().filter(|at| members.contains(&at.0)).collect();
        for at in &everybody {
            let state = self.world.group(*at).membership().state();
            assert_eq!(state, owner, "{seed}: {at:?}: {:?}", self.world.devices[at].told);
        }
        for at in &everybody {
            let texts = self.world.texts(*at);
            let last = everybody.iter().filter(|by| *by != at).map(|by| format!("hari 4 {by:?}"));
            for text in last {
                assert!(
                    texts.contains(&text.as_str()),
                    "{seed}: {at:?} lacks {text}: {:?}",
                    self.world.devices[at].told
                );
            }
        }
    }
}

/// P-14.7, P-15.7 to P-15.12. By hand, over more histories:
/// `BISIK_HISTORIES=0..500 cargo test --release --test groups random_groups -- --nocapture`
#[test]
fn random_groups_agree_in_the_end_and_nobody_reads_what_was_not_for_him() {
    let histories = std::env::var("BISIK_HISTORIES").ok();
    let range = histories.as_deref().and_then(|range| range.split_once(".."));
    let (first, last) = range.map_or((0, 2), |(first, last)| (first.parse().unwrap(), last.parse().unwrap()));
    for seed in first..last {
        let mut history = History::new(seed);
        for _ in 0..60 {
            history.something();
            history.some_mail();
        }
        history.check(seed);
        history.heal(seed);
        history.check(seed);
        let shown: usize = history.world.devices.values().map(|device| device.shown.len()).sum();
        let members = history.world.members((ALICE, 0)).len();
        println!("{seed}: {} texts, {shown} shown, {members} members in the end", history.written.len());
    }
}
