//! Every order of a small script, to a depth: no random choice, so nothing is missed below it.

use std::env;

use bisik::StorageKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::device::{At, Backup, Device};
use super::pair::{A, B};
use super::world::{Tally, World};

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Write(At),
    Flush(At),
    Deliver(At),
    Lose(At),
    Restore(At),
    Wait,
}

/// How often each may still happen.
#[derive(Clone, Copy)]
struct Left {
    steps: usize,
    writes: usize,
    restores: usize,
    losses: usize,
}

impl Left {
    fn after(mut self, step: Step) -> Self {
        self.steps -= 1;
        match step {
            Step::Write(_) => self.writes -= 1,
            Step::Restore(_) => self.restores -= 1,
            Step::Lose(_) => self.losses -= 1,
            Step::Flush(_) | Step::Deliver(_) | Step::Wait => {}
        }
        self
    }
}

impl World {
    /// The same world again, from the records of its devices.
    fn copy(&mut self, number: u64) -> Self {
        let mut devices = std::collections::BTreeMap::new();
        for (at, device) in &mut self.devices {
            drop(device.store(&mut self.rng));
            let key = StorageKey::from_bytes(*device.key.expose_bytes());
            let (account, talk) = device.load();
            let backups = device.backups.iter().map(|backup| Backup {
                at: backup.at,
                database: backup.database.clone(),
                rows: backup.rows.clone(),
            });
            let copy = Device {
                account,
                talk,
                key,
                database: device.database.clone(),
                rows: device.rows.clone(),
                backups: backups.collect(),
                ..*device
            };
            devices.insert(*at, copy);
        }
        Self {
            rng: StdRng::seed_from_u64(number),
            choices: StdRng::seed_from_u64(number),
            accounts: std::collections::BTreeMap::new(),
            operator: bisik::Identity::generate(&mut StdRng::seed_from_u64(number)),
            disclosures: self.disclosures.clone(),
            agreed: self.agreed.clone(),
            devices,
            lists: self.lists.clone(),
            stock: self.stock.clone(),
            withheld: self.withheld.clone(),
            drained: self.drained.clone(),
            net: self.net.clone(),
            log: Vec::new(),
            held: self.held.clone(),
            sent: self.sent.clone(),
            names: self.names.clone(),
            ever: self.ever.clone(),
            tally: Tally::default(),
            story: self.story.clone(),
            ..*self
        }
    }

    fn possible(&self, left: Left) -> Vec<Step> {
        let mut steps = Vec::new();
        for at in [A, B] {
            if left.writes > 0 {
                steps.push(Step::Write(at));
            }
            if self.net.iter().any(|mail| mail.from == at) {
                steps.push(Step::Deliver(at));
                if left.losses > 0 {
                    steps.push(Step::Lose(at));
                }
            }
            if self.devices[&at].again.is_some_and(|again| again <= self.time) {
                steps.push(Step::Flush(at));
            }
            if left.restores > 0 {
                steps.push(Step::Restore(at));
            }
        }
        steps.push(Step::Wait);
        steps
    }

    fn take_step(&mut self, step: Step) {
        self.say(|| format!("{step:?}"));
        match step {
            Step::Write(at) => {
                self.write(at).unwrap();
                self.flush(at, None);
            }
            Step::Flush(at) => drop(self.flush(at, None)),
            Step::Deliver(at) => {
                let place = self.net.iter().position(|mail| mail.from == at).unwrap();
                let mail = self.net.remove(place);
                self.deliver(mail.to, vec![mail], None);
            }
            Step::Lose(at) => {
                let place = self.net.iter().position(|mail| mail.from == at).unwrap();
                self.net.remove(place);
            }
            Step::Restore(at) => self.restore(at, 0),
            Step::Wait => self.time += 61,
        }
    }
}

/// Counts states and ends, and the most frames from any end until silence.
fn explore(world: &mut World, left: Left, seen: &mut [u64; 3]) {
    let steps = if left.steps == 0 { Vec::new() } else { world.possible(left) };
    for step in &steps {
        seen[0] += 1;
        let mut next = world.copy(seen[0]);
        next.take_step(*step);
        explore(&mut next, left.after(*step), seen);
    }
    if steps.is_empty() {
        seen[1] += 1;
        let mut outcome = world.quiet();
        world.account_for_everything(&mut outcome);
        seen[2] = seen[2].max(u64::try_from(world.sent.len()).unwrap());
    }
}

fn depth() -> usize {
    env::var("BISIK_DEPTH").map_or(3, |text| text.parse().unwrap())
}

/// P-12.16 to P-12.50: three messages, a restore of either side at any moment, a loss; from an old session, from none.
#[test]
fn every_order_of_writes_losses_and_a_restore_ends_in_silence_with_nothing_lost_unreported() {
    for (name, world) in [("a session", World::pair(9, false)), ("first contact", World::strangers(9, false))] {
        let mut world = world;
        let mut seen = [0; 3];
        explore(&mut world, Left { steps: depth(), writes: 3, restores: 1, losses: 1 }, &mut seen);
        println!("{name}, depth {}: {} states, {} ends, at most {} frames", depth(), seen[0], seen[1], seen[2]);
        assert!(seen[1] > 100 && seen[2] <= 36, "{seen:?}");
    }
}
