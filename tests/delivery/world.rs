//! The world: devices, a network that keeps everything that was ever sent, a server, and a time that all clocks differ
//! from.
//!
//! What arrives is in `arrivals.rs`, what goes wrong in `faults.rs`; what must hold in the end in `promises.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use bisik::conversation::{DeviceAddress, Envelope, MessageId, Recipients, SendError, Side};
use bisik::device::DeviceList;
use bisik::hosting::Disclosure;
use bisik::{Account, Ciphertext, DisclosureHash, Identity, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::device::{At, Device, TEXT, Uid, text};
use super::server::Stock;

/// An envelope in flight.
#[derive(Clone)]
pub struct Mail {
    pub from: At,
    pub to: At,
    pub ciphertext: Ciphertext,
    /// Not as its author made it, or not of its author: what it causes is not the author's doing.
    pub is_forged: bool,
}

/// What a device did not survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the records were stored: it did not happen.
    BeforeStoring,
    /// After that, before anything was handed over.
    AfterStoring,
}

/// An envelope that left a device.
#[derive(Clone, Copy)]
pub struct Sent {
    pub time: u64,
    pub from: At,
    pub to: At,
    pub is_bare: bool,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Tally {
    pub bundles: u64,
    pub messages: u64,
    pub restores: u64,
    pub crashes: u64,
    pub replaced: u64,
    pub bound: u64,
    pub faults: u64,
    pub hosted: u64,
    pub decisions: u64,
    pub vouched_for: u64,
    pub shown_at_last: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.bundles += other.bundles;
        self.messages += other.messages;
        self.restores += other.restores;
        self.crashes += other.crashes;
        self.replaced += other.replaced;
        self.bound += other.bound;
        self.faults += other.faults;
        self.hosted += other.hosted;
        self.decisions += other.decisions;
        self.vouched_for += other.vouched_for;
    }
}

pub struct World {
    pub time: u64,
    /// The library's randomness.
    pub rng: StdRng,
    /// What happens.
    pub choices: StdRng,
    /// Accounts of devices that have not begun yet.
    pub accounts: BTreeMap<At, Account>,
    pub devices: BTreeMap<At, Device>,
    pub lists: [Vec<DeviceList>; 2],
    /// Who holds hosted devices, and under which terms.
    pub operator: Identity,
    pub disclosures: Vec<Disclosure>,
    /// What a user of an account has ever agreed to.
    pub agreed: BTreeSet<(usize, DisclosureHash)>,
    pub stock: BTreeMap<At, Stock>,
    pub withheld: BTreeSet<At>,
    pub drained: BTreeSet<At>,
    /// Whether devices publish one-time pre-keys.
    pub one_time_keys: bool,
    pub net: Vec<Mail>,
    /// Everything that was sent, for replays.
    pub log: Vec<Mail>,
    /// Refused for now: a list was missing or had expired.
    pub held: Vec<Mail>,
    pub sent: Vec<Sent>,
    pub names: BTreeMap<MessageId, Uid>,
    /// Every message that a device ever showed.
    pub ever: BTreeSet<(Uid, At)>,
    pub uid: Uid,
    pub ephemeral: Uid,
    pub tally: Tally,
    /// What was done, for a failure.
    pub story: Vec<String>,
}

impl World {
    pub fn new(seed: u64, sizes: [u32; 2]) -> Self {
        Self::with_keys(seed, sizes, true)
    }

    pub fn with_keys(seed: u64, sizes: [u32; 2], one_time_keys: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let operator = Identity::generate(&mut rng);
        let mut world = Self {
            time: 1_800_000_000,
            rng,
            operator,
            disclosures: Vec::new(),
            agreed: BTreeSet::new(),
            choices: StdRng::seed_from_u64(seed.wrapping_mul(7_919) + 1),
            accounts: BTreeMap::new(),
            devices: BTreeMap::new(),
            lists: [Vec::new(), Vec::new()],
            stock: BTreeMap::new(),
            withheld: BTreeSet::new(),
            drained: BTreeSet::new(),
            one_time_keys,
            net: Vec::new(),
            log: Vec::new(),
            held: Vec::new(),
            sent: Vec::new(),
            names: BTreeMap::new(),
            ever: BTreeSet::new(),
            uid: 0,
            ephemeral: EPHEMERAL,
            tally: Tally::default(),
            story: Vec::new(),
        };
        for (who, size) in sizes.into_iter().enumerate() {
            world.found(who);
            for _ in 1..size {
                let _at = world.enrol(who);
            }
        }
        for at in world.accounts.keys().copied().collect::<Vec<_>>() {
            world.begin(at);
        }
        world
    }

    pub fn everyone(&self) -> Vec<At> {
        self.devices.keys().copied().collect()
    }

    pub fn get(&mut self, at: At) -> &mut Device {
        self.devices.get_mut(&at).unwrap()
    }

    pub const fn true_time(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.time)
    }

    /// What a device's clock says.
    pub fn now(&self, at: At) -> Timestamp {
        let ahead = self.devices.get(&at).map_or(0, |device| device.clock);
        Timestamp::from_unix_seconds(self.time.saturating_add_signed(ahead))
    }

    pub fn say(&mut self, text: impl FnOnce() -> String) {
        let line = format!("{:>8} {}", self.time - 1_800_000_000, text());
        self.story.push(line);
    }

    /// A promise is broken.
    pub fn broken(&self, text: &str) -> ! {
        let lines = env::var("BISIK_STORY").map_or(200, |lines| lines.parse().unwrap());
        let from = self.story.len().saturating_sub(lines);
        panic!("{}\n{text}", self.story[from..].join("\n"))
    }

    pub fn store(&mut self, at: At) {
        let device = self.devices.get_mut(&at).unwrap();
        drop(device.store(&mut self.rng));
    }

    pub fn accept(&mut self, at: At) {
        self.get(at).talk.accept();
        self.store(at);
        self.wake(at);
    }

    pub fn wake(&mut self, at: At) {
        let time = self.time;
        self.get(at).again = Some(time);
    }

    /// The other devices that a device knows.
    fn others(&self, at: At) -> BTreeSet<At> {
        let device = &self.devices[&at];
        let own = device.account.devices().devices().iter().map(|entry| (at.0, entry.index()));
        let peer = device.talk.peer().devices().iter().map(|entry| (1 - at.0, entry.index()));
        own.chain(peer).filter(|other| *other != at).collect()
    }

    pub fn back_up(&mut self, at: At) {
        let (time, device) = (self.time, self.devices.get_mut(&at).unwrap());
        device.back_up(time, &mut self.rng);
        if device.backups.len() > BACKUPS {
            device.backups.remove(self.choices.random_range(0..BACKUPS));
        }
    }

    pub fn restore(&mut self, at: At, which: usize) {
        self.tally.restores += 1;
        let (time, device) = (self.time, self.devices.get_mut(&at).unwrap());
        let ago = time - device.backups[which].at;
        device.restore(which);
        self.say(|| format!("RESTORE {at:?} from {ago} s ago"));
        // A primary device finds a list that it does not know. Otherwise nobody has to know.
        let newest = u64::try_from(self.lists[at.0].len()).unwrap();
        if at.1 == 0 && self.devices[&at].account.devices().sequence() < newest {
            self.recover(at);
        }
        self.wake(at);
        self.settle(at);
    }

    /// A message to all devices, which nothing leaves for yet; `None` if lists have expired by the device's clock.
    pub fn write(&mut self, at: At) -> Option<Uid> {
        let (now, dests, uid) = (self.now(at), self.others(at), self.uid + 1);
        let device = self.devices.get_mut(&at).unwrap();
        match device.talk.send(&device.account, &text(uid), Recipients::All, now, &mut self.rng) {
            Ok(id) => {
                device.rows.written.insert(uid, dests);
                self.uid = uid;
                self.tally.messages += 1;
                self.names.insert(id, uid);
                self.store(at);
                self.wake(at);
                self.say(|| format!("WRITE {uid} at {at:?}"));
                Some(uid)
            }
            // By a wrong clock, no list is valid. Or its user has to decide, or has refused.
            Err(SendError::ListExpired | SendError::DeviceNotListed | SendError::Blocked(_)) => None,
            Err(error) => self.broken(&format!("{at:?} cannot write: {error:?}")),
        }
    }

    /// What is not kept: at most once anywhere.
    pub fn write_ephemeral(&mut self, at: At) {
        let now = self.now(at);
        self.ephemeral += 1;
        let device = self.devices.get_mut(&at).unwrap();
        let body = text(self.ephemeral);
        let _ = device.talk.send_ephemeral(&device.account, &body, Recipients::All, now);
    }

    pub fn withdraw(&mut self, at: At, uid: Uid) {
        let id = self.names.iter().find(|(_, of)| **of == uid).map(|(id, _)| *id);
        let device = self.devices.get_mut(&at).unwrap();
        if id.is_some_and(|id| device.talk.withdraw_message(id)) {
            device.rows.withdrawn.insert(uid);
            self.store(at);
            self.wake(at);
        }
    }

    /// Posts what is due on a device. Returns the number of envelopes that left.
    pub fn flush(&mut self, at: At, crash: Option<Crash>) -> usize {
        let now = self.now(at);
        let due = {
            let device = self.get(at);
            device.talk.due(&device.account, now)
        };
        let is_due = !due.bundles.is_empty() || due.at.is_some_and(|at| at <= now);
        let bundles = self.bundles(at, &due.bundles);
        let mut device = self.devices.remove(&at).unwrap();
        let outgoing = match device.talk.flush(&device.account, &bundles, now, &mut self.rng) {
            Ok(outgoing) => outgoing,
            Err(SendError::ListExpired | SendError::DeviceNotListed) => {
                device.again = Some(self.time + HOUR);
                self.devices.insert(at, device);
                return 0;
            }
            Err(error) => self.broken(&format!("{at:?} cannot flush: {error:?}")),
        };
        if !is_due && !outgoing.is_empty() {
            self.broken(&format!("{at:?} had something to send and did not say so: {due:?} at {now:?}"));
        }
        if crash == Some(Crash::BeforeStoring) {
            self.tally.crashes += 1;
            device.reload();
            device.again = Some(self.time);
            self.devices.insert(at, device);
            return 0;
        }
        let stored = device.store(&mut self.rng);
        let (envelopes, handover) = outgoing.release(&stored).unwrap();
        if crash == Some(Crash::AfterStoring) {
            self.tally.crashes += 1;
            device.reload();
            device.again = Some(self.time);
            self.devices.insert(at, device);
            self.settle(at);
            return 0;
        }
        device.talk.handed(handover);
        let due = device.talk.due(&device.account, now);
        let later = due.at.map(|at| self.time + at.as_unix_seconds().saturating_sub(now.as_unix_seconds()).max(1));
        // A bundle that the server does not have can wait for an hour.
        let bundle = (!due.bundles.is_empty()).then_some(self.time + HOUR);
        device.again = later.into_iter().chain(bundle).min();
        let accepted = device.talk.is_accepted();
        self.devices.insert(at, device);
        self.settle(at);
        let count = envelopes.len();
        let speaks = |envelope: &Envelope| envelope.to.side == Side::Peer && has_text(&envelope.ciphertext);
        self.check_label(at, envelopes.iter().any(speaks));
        for envelope in envelopes {
            let DeviceAddress { side, index } = envelope.to;
            if side == Side::Peer && !accepted {
                self.broken(&format!("{at:?} sent a frame to {index}, whom nobody accepted"));
            }
            let to = if side == Side::Own { (at.0, index) } else { (1 - at.0, index) };
            let is_bare = !has_text(&envelope.ciphertext);
            self.sent.push(Sent { time: self.time, from: at, to, is_bare });
            self.say(|| format!("   {at:?} -> {to:?} {}", if is_bare { "bare" } else { "message" }));
            let mail = Mail { from: at, to, ciphertext: envelope.ciphertext, is_forged: false };
            self.log.push(mail.clone());
            self.net.push(mail);
        }
        if self.log.len() > LOG {
            self.log.drain(..LOG / 4);
        }
        count
    }
}

fn has_text(ciphertext: &Ciphertext) -> bool {
    ciphertext.as_bytes().len() >= TEXT
}

/// Numbers of payloads that are not kept, and of a thief's messages.
pub const EPHEMERAL: Uid = 1 << 40;
pub const THIEF: Uid = 1 << 50;

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

const BACKUPS: usize = 6;
const LOG: usize = 400;
