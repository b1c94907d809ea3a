//! Two devices with a session, and time that passes without faults: where the scripts begin.

use std::mem;

use super::device::At;
use super::world::{HOUR, World};

pub const A: At = (0, 0);
pub const B: At = (1, 0);

impl World {
    /// Two devices that have exchanged messages, and have confirmed a session long ago; each has one backup, of now.
    pub fn pair(seed: u64, one_time_keys: bool) -> Self {
        let mut world = Self::strangers(seed, one_time_keys);
        for at in [A, B, A] {
            world.write(at);
            world.pass(2 * HOUR);
        }
        world.begin_to_count();
        world
    }

    /// Two devices that never wrote to each other, and have accepted each other.
    pub fn strangers(seed: u64, one_time_keys: bool) -> Self {
        let mut world = Self::with_keys(seed, [1, 1], one_time_keys);
        for at in [A, B] {
            world.accept(at);
        }
        world.begin_to_count();
        world
    }

    fn begin_to_count(&mut self) {
        for at in [A, B] {
            self.get(at).backups.clear();
            self.back_up(at);
        }
        self.sent.clear();
        self.tally = super::world::Tally::default();
    }

    /// Time passes: everything arrives, and everybody flushes when something is due.
    pub fn pass(&mut self, seconds: u64) {
        let end = self.time + seconds;
        loop {
            for at in self.everyone() {
                if self.devices[&at].again.is_some_and(|again| again <= self.time) {
                    self.keep_up_daily(at);
                    self.flush(at, None);
                }
            }
            if !self.net.is_empty() {
                self.time += 1;
                for mail in mem::take(&mut self.net) {
                    self.deliver(mail.to, vec![mail], None);
                }
                continue;
            }
            let next = self.devices.values().filter_map(|device| device.again).filter(|again| *again > self.time).min();
            match next {
                Some(at) if at <= end => self.time = at,
                _ => break,
            }
        }
        self.time = self.time.max(end);
    }
}
