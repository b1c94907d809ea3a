//! Random worlds: every fault at once, then none any more.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::device::At;
use super::hosts::Choice;
use super::world::{Crash, DAY, HOUR, World};

/// How often what goes wrong in one world.
struct Rates {
    loses: f64,
    doubles: f64,
    damages: f64,
    is_late: f64,
    crashes: f64,
    restores: f64,
    clock_jumps: f64,
    garbage: f64,
    replays: f64,
    withholds: f64,
    drains: f64,
    thief: f64,
    joins: f64,
    leaves: f64,
    backs_up: f64,
    hosts: f64,
    amends: f64,
    decides: f64,
    /// Seconds that pass at once, on average.
    pause: f64,
}

impl Rates {
    fn draw(rng: &mut StdRng) -> Self {
        let mut of = |rates: &[f64]| rates[rng.random_range(0..rates.len())];
        let (often, seldom) = ([0.0, 0.02, 0.1, 0.3], [0.0, 0.01, 0.04]);
        Self {
            loses: of(&often),
            doubles: of(&often),
            damages: of(&often),
            is_late: of(&often),
            crashes: of(&often),
            restores: of(&seldom),
            clock_jumps: of(&seldom),
            garbage: of(&seldom),
            replays: of(&seldom),
            withholds: of(&seldom),
            drains: of(&seldom),
            thief: of(&seldom),
            joins: of(&seldom),
            leaves: of(&seldom),
            backs_up: of(&seldom),
            hosts: of(&[0.0, 0.0, 0.01]),
            amends: of(&seldom),
            decides: of(&often),
            pause: of(&[20.0, 600.0, 21_600.0]),
        }
    }
}

/// A world after some steps with faults. The same seed gives the same world.
pub fn disturbed(seed: u64) -> World {
    let mut first = StdRng::seed_from_u64(seed);
    let sizes = [1, 1, 2, 3];
    let mut world = World::new(seed, [(); 2].map(|()| sizes[first.random_range(0..sizes.len())]));
    let rates = Rates::draw(&mut world.choices);
    let steps = [60, 120, 250][first.random_range(0..3)];
    for at in world.everyone() {
        if world.choices.random_bool(0.5) {
            world.accept(at);
        }
    }
    for _ in 0..steps {
        let at = world.any();
        world.step(at, &rates);
        if world.devices.contains_key(&at) {
            world.disturb(at, &rates);
        }
        for at in world.everyone() {
            let is_due = world.devices[&at].again.is_some_and(|again| again <= world.time);
            if is_due && world.choices.random_bool(0.2) {
                world.keep_up_daily(at);
                world.flush(at, None);
            }
        }
    }
    world
}

impl World {
    pub fn any(&mut self) -> At {
        let everyone = self.everyone();
        everyone[self.choices.random_range(0..everyone.len())]
    }

    fn happens(&mut self, rate: f64) -> bool {
        self.choices.random_bool(rate)
    }

    fn crash(&mut self, rate: f64) -> Option<Crash> {
        let crashes = self.happens(rate);
        crashes.then(|| if self.happens(0.5) { Crash::BeforeStoring } else { Crash::AfterStoring })
    }

    pub fn keep_up_daily(&mut self, at: At) {
        if self.devices[&at].kept_up + DAY <= self.time {
            self.keep_up(at);
        }
    }

    fn step(&mut self, at: At, rates: &Rates) {
        let crash = self.crash(rates.crashes);
        match self.choices.random_range(0..100) {
            0..25 => {
                let written = self.write(at);
                if self.happens(0.6) {
                    self.flush(at, crash);
                }
                if let Some(uid) = written.filter(|_| self.happens(0.05)) {
                    self.withdraw(at, uid);
                }
                if self.happens(0.05) {
                    self.write_ephemeral(at);
                }
            }
            25..70 if !self.net.is_empty() => {
                for _ in 0..self.choices.random_range(1..=6) {
                    self.deliver_one(rates, crash);
                }
            }
            25..90 => drop(self.flush(at, crash)),
            _ => {
                let drawn: f64 = self.choices.random_range(1e-6..1.0);
                let seconds = (-drawn.ln() * rates.pause).round();
                self.time += format!("{seconds:.0}").parse::<u64>().unwrap() + 1;
                if self.happens(0.02) {
                    self.time += self.choices.random_range(1..=6) * DAY;
                }
            }
        }
    }

    fn deliver_one(&mut self, rates: &Rates, crash: Option<Crash>) {
        if self.net.is_empty() {
            return;
        }
        let late = self.happens(rates.is_late);
        let place = if late { self.choices.random_range(0..self.net.len()) } else { 0 };
        if self.happens(rates.loses) {
            self.tally.faults += 1;
            self.net.remove(place);
            return;
        }
        let mail = self.net.remove(place);
        if self.happens(rates.damages) {
            self.tally.faults += 1;
            let mut bytes = mail.ciphertext.into_bytes();
            let at = self.choices.random_range(0..bytes.len());
            bytes[at] ^= 1 << self.choices.random_range(0..8);
            // What has not even the form of a message reaches no conversation.
            let Ok(ciphertext) = bisik::Ciphertext::from_bytes(&bytes) else { return };
            return self.deliver(mail.to, vec![super::world::Mail { ciphertext, is_forged: true, ..mail }], crash);
        }
        if self.happens(rates.doubles) {
            self.tally.faults += 1;
            self.net.insert(0, mail.clone());
        }
        // Sometimes everything for that device at once.
        let to = mail.to;
        let mut batch = vec![mail];
        if self.happens(0.2) {
            let (more, rest) = std::mem::take(&mut self.net).into_iter().partition(|other| other.to == to);
            self.net = rest;
            batch.extend::<Vec<_>>(more);
        }
        self.deliver(to, batch, crash);
    }

    fn disturb(&mut self, at: At, rates: &Rates) {
        let other = self.any();
        if self.happens(rates.backs_up) {
            self.back_up(at);
        }
        if self.happens(rates.restores) {
            let which = self.choices.random_range(0..self.devices[&at].backups.len());
            self.restore(at, which);
            if self.happens(0.3) {
                self.recover(at);
            }
        }
        if self.happens(rates.clock_jumps) {
            let days = 40 * i64::try_from(DAY).unwrap();
            let hour = i64::try_from(HOUR).unwrap();
            let clock = match self.choices.random_range(0..5) {
                0 | 1 => 0,
                2 => self.choices.random_range(-days..=days),
                3 => self.choices.random_range(-hour..=hour),
                _ => 10 * days,
            };
            self.tally.faults += 1;
            self.get(at).clock = clock;
            self.say(|| format!("CLOCK of {at:?} is ahead by {clock} s"));
            let time = self.time;
            self.get(at).again = Some(time);
        }
        if self.happens(rates.garbage) && other != at {
            self.tally.faults += 1;
            self.garbage(at, other);
        }
        if self.happens(rates.replays) && !self.log.is_empty() {
            self.tally.faults += 1;
            let mail = self.log[self.choices.random_range(0..self.log.len())].clone();
            self.net.push(mail);
        }
        if self.happens(rates.withholds) && !self.withheld.remove(&at) {
            self.withheld.insert(at);
        }
        if self.happens(rates.drains) && !self.drained.remove(&at) {
            self.drained.insert(at);
        }
        if self.happens(rates.thief) && other != at {
            self.tally.faults += 1;
            self.steal_a_name(at, other);
        }
        if self.happens(rates.joins) && self.devices.len() < 7 {
            let who = self.choices.random_range(0..2);
            self.join(who);
        }
        if self.happens(rates.hosts) && self.devices.len() < 7 {
            let who = self.choices.random_range(0..2);
            self.host(who);
        }
        if self.happens(rates.amends) {
            self.amend(at);
        }
        if self.happens(rates.decides) {
            let choices = [Choice::Consent, Choice::Consent, Choice::Refuse, Choice::Withdraw];
            let choice = choices[self.choices.random_range(0..choices.len())];
            self.decide(at, choice);
        }
        if self.happens(rates.leaves) {
            self.leave(at);
        }
    }
}
