//! What holds once the faults have stopped: silence, and of every message that it was shown or reported.

use std::collections::BTreeMap;

use super::device::{At, TEXT};
use super::hosts::Choice;
use super::world::{DAY, HOUR, World};

/// What a world came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub arrived: u64,
    pub forgotten_by_the_receiver: u64,
    pub reported: u64,
    /// Frames until silence, and seconds until it and until the last message was shown.
    pub frames: u64,
    pub silent_after: u64,
    pub shown_after: u64,
    /// The most bare frames from one device to another within an hour.
    pub bare_frames_an_hour: u64,
}

impl Outcome {
    /// Sums, and the worst of both.
    pub fn add(&mut self, other: Self) {
        self.arrived += other.arrived;
        self.forgotten_by_the_receiver += other.forgotten_by_the_receiver;
        self.reported += other.reported;
        self.frames = self.frames.max(other.frames);
        self.silent_after = self.silent_after.max(other.silent_after);
        self.shown_after = self.shown_after.max(other.shown_after);
        self.bare_frames_an_hour = self.bare_frames_an_hour.max(other.bare_frames_an_hour);
    }
}

impl World {
    /// The network is whole from here on, and days pass. Clocks that lists forbid are set right.
    pub fn quiet(&mut self) -> Outcome {
        self.withheld.clear();
        self.drained.clear();
        self.say(|| "QUIET".into());
        for at in self.everyone() {
            let device = self.get(at);
            let days = i64::try_from(DAY).unwrap();
            // Nobody takes a list or a bundle that is dated more than a day ahead.
            if !(-days / 2..=days / 2).contains(&device.clock) {
                device.clock = 0;
            }
        }
        for at in self.everyone() {
            self.keep_up(at);
            self.accept(at);
        }
        let (start, end) = (self.time, self.time + 45 * DAY);
        let mut last = start;
        let mut outcome = Outcome::default();
        for wake in 0.. {
            self.everyone().into_iter().for_each(|at| self.keep_up_daily(at));
            // Whoever is asked agrees.
            self.everyone().into_iter().for_each(|at| self.decide(at, Choice::Consent));
            for at in self.everyone() {
                if self.devices[&at].again.is_some_and(|again| again <= self.time) {
                    self.flush(at, None);
                }
            }
            if !self.net.is_empty() {
                last = self.time;
                self.time += 1;
                for mail in std::mem::take(&mut self.net) {
                    outcome.frames += 1;
                    self.deliver(mail.to, vec![mail], None);
                }
            } else {
                let due = self.devices.values().filter_map(|device| device.again).min();
                // While something waits, programs do not forget their daily upkeep.
                let daily = self.devices.values().map(|device| device.kept_up + DAY).min();
                let waits = self.devices.values().any(|device| device.talk.unacknowledged_messages() > 0);
                match due.into_iter().chain(daily.filter(|_| waits)).min() {
                    Some(at) if at <= end => self.time = at.max(self.time + 1),
                    _ => break,
                }
            }
            if outcome.frames > 4_000 || wake > 20_000 {
                self.broken("never silent");
            }
        }
        outcome.silent_after = last - start;
        outcome.shown_after = self.tally.shown_at_last.saturating_sub(start);
        // Kept for 14 days, and told of for as long as the tries go on.
        if outcome.silent_after > 17 * DAY {
            self.broken("not silent after 17 days");
        }
        outcome
    }

    /// Of each message at each device that it was for: shown, or reported, or forgotten by a restored device.
    pub fn account_for_everything(&self, outcome: &mut Outcome) {
        for (author, device) in &self.devices {
            for (uid, dests) in &device.rows.written {
                let id = self.names.iter().find(|(_, of)| *of == uid).map(|(id, _)| *id).unwrap();
                for to in dests {
                    let Some(receiver) = self.devices.get(to) else { continue };
                    if receiver.rows.shown.contains_key(uid) {
                        outcome.arrived += 1;
                    } else if device.rows.delivered.contains(&(id, *to)) {
                        outcome.forgotten_by_the_receiver += 1;
                        if !self.ever.contains(&(*uid, *to)) {
                            self.broken(&format!("{uid} is called delivered at {to:?}, which never had it"));
                        }
                        if !receiver.was_restored {
                            self.broken(&format!("{uid} is delivered at {to:?}, not shown there, and never restored"));
                        }
                    } else if device.rows.given_up.contains(&(id, *to)) {
                        outcome.reported += 1;
                        let told = receiver.rows.lost.contains(&(id, *author));
                        if !told && !receiver.was_restored && !device.was_restored {
                            self.broken(&format!("{uid} of {author:?} was given up for {to:?}, which was not told"));
                        }
                    } else if !device.rows.withdrawn.contains(uid) {
                        let kept = device.talk.unacknowledged_messages();
                        self.broken(&format!("{uid} of {author:?} is neither at {to:?} nor reported; it keeps {kept}"));
                    }
                }
            }
        }
        outcome.bare_frames_an_hour = self.worst_hour(true);
    }

    /// The most frames from one device to another within an hour.
    pub fn worst_hour(&self, bare: bool) -> u64 {
        let mut hours: BTreeMap<(At, At, u64), u64> = BTreeMap::new();
        for sent in self.sent.iter().filter(|sent| sent.is_bare || !bare) {
            *hours.entry((sent.from, sent.to, sent.time / HOUR)).or_default() += 1;
        }
        hours.into_values().max().unwrap_or_default()
    }

    /// The most frames that one device sent within an hour.
    pub fn worst_device_hour(&self) -> u64 {
        let mut hours: BTreeMap<(At, u64), u64> = BTreeMap::new();
        for sent in &self.sent {
            *hours.entry((sent.from, sent.time / HOUR)).or_default() += 1;
        }
        hours.into_values().max().unwrap_or_default()
    }
}

// A frame without a text is shorter than one with it, whatever it lists: 128 + 64 tags, 64 lost names, a first flight,
// a decision with its disclosure.
const _: () = assert!(133 + 1_208 + 200 + 8 * 192 + 16 * 64 + 1_200 < TEXT);
