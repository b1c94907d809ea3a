//! A group call of five devices that come, leave, restart and come again, over a network that delays, doubles, loses,
//! changes and crosses what it carries, with a roster that each device hears of at another time.
//!
//! Every device has drawn the same number for its n-th stay, so that their frames have the same key ids throughout.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bisik::call::{EpochKey, EpochKeyError, FrameSuite, GroupCall, OpenError, Recipients};
use bisik::{IdentityKey, Session};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fixtures::*;

const DEVICES: usize = 5;

/// What the server tells about somebody.
#[derive(Clone, Copy, Debug)]
enum Roster {
    Came(usize),
    Left(usize),
}

struct Frame {
    of: usize,
    bytes: Vec<u8>,
    /// Those who were in the call in its sender's view.
    hearers: BTreeSet<usize>,
}

/// A call of somebody who left, and now listens.
struct Ghost {
    who: usize,
    call: GroupCall,
    opened: BTreeSet<usize>,
}

/// The devices, and a session between every two. No message is sent in them: the network is the test's.
static DEVICES_AND_SESSIONS: LazyLock<Room> = LazyLock::new(|| Room::new(DEVICES));

fn session(of: usize, with: usize) -> &'static Session {
    DEVICES_AND_SESSIONS.session(of, with)
}

fn identity(who: usize) -> IdentityKey {
    DEVICES_AND_SESSIONS.identity(who)
}

fn start(who: usize, number: u16) -> GroupCall {
    let id = DEVICES_AND_SESSIONS.calls[0].call();
    GroupCall::start(id, None, FrameSuite::default(), &identity(who), &mut Chosen(number))
}

struct World {
    calls: Vec<GroupCall>,
    rng: StdRng,
    present: BTreeSet<usize>,
    stays: [u16; DEVICES],
    /// What the roster tells each device, in order.
    roster: [Vec<Roster>; DEVICES],
    /// Epoch keys on their way: sender, receiver, key.
    keys: Vec<(usize, usize, Vec<u8>)>,
    /// Keys that came before the roster named their sender.
    early: [Vec<(usize, Vec<u8>)>; DEVICES],
    frames: Vec<Frame>,
    /// Copies of frames on their way: receiver, frame.
    copies: Vec<(usize, usize)>,
    /// Frames that may have overtaken their key.
    waiting: [Vec<usize>; DEVICES],
    opened: [BTreeSet<usize>; DEVICES],
    ghosts: Vec<Ghost>,
    heard: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            calls: (0..DEVICES).map(|who| start(who, 0)).collect(),
            rng: StdRng::seed_from_u64(seed),
            present: BTreeSet::new(),
            stays: [0; DEVICES],
            roster: Default::default(),
            keys: Vec::new(),
            early: Default::default(),
            frames: Vec::new(),
            copies: Vec::new(),
            waiting: Default::default(),
            opened: Default::default(),
            ghosts: Vec::new(),
            heard: 0,
        }
    }

    /// A device begins a stay: it learns who is there, and sends its key to them.
    fn begin(&mut self, who: usize) {
        self.stays[who] += 1;
        self.calls[who] = start(who, self.stays[who]);
        self.roster[who].clear();
        self.early[who].clear();
        self.waiting[who].clear();
        self.opened[who].clear();
        self.present.insert(who);
        for other in self.others(who) {
            let _ = self.calls[who].join(&identity(other), everybody, &mut rand::rng()).unwrap();
        }
        self.send_to_all(who);
    }

    fn come(&mut self, who: usize) {
        self.begin(who);
        self.tell(who, Roster::Came(who));
    }

    fn go(&mut self, who: usize) {
        self.present.remove(&who);
        self.tell(who, Roster::Left(who));
        let call = std::mem::replace(&mut self.calls[who], start(who, 0));
        self.ghosts.push(Ghost { who, call, opened: std::mem::take(&mut self.opened[who]) });
    }

    /// The roster may hear of a restart, or not.
    fn restart(&mut self, who: usize, told: bool) {
        self.begin(who);
        if told {
            self.tell(who, Roster::Left(who));
            self.tell(who, Roster::Came(who));
        }
    }

    fn others(&self, who: usize) -> Vec<usize> {
        self.present.iter().copied().filter(|other| *other != who).collect()
    }

    fn tell(&mut self, about: usize, what: Roster) {
        self.others(about).into_iter().for_each(|to| self.roster[to].push(what));
    }

    fn send_key(&mut self, of: usize, to: usize) {
        if let Ok(key) = self.calls[of].key_for(session(of, to)) {
            self.keys.push((of, to, key.to_bytes().to_vec()));
        }
    }

    fn send_to_all(&mut self, of: usize) {
        (0..DEVICES).filter(|to| *to != of).for_each(|to| self.send_key(of, to));
    }

    fn hear_roster(&mut self, at: usize) {
        if self.roster[at].is_empty() {
            return;
        }
        match self.roster[at].remove(0) {
            Roster::Came(who) => {
                let Ok(recipients) = self.calls[at].join(&identity(who), everybody, &mut rand::rng()) else { return };
                let early = std::mem::take(&mut self.early[at]);
                early.into_iter().for_each(|(of, key)| self.take_key(of, at, &key));
                match recipients {
                    Recipients::OneDevice => self.send_key(at, who),
                    Recipients::Everybody => self.send_to_all(at),
                }
            }
            Roster::Left(who) => {
                if self.calls[at].leave(&identity(who), &mut rand::rng()).is_ok() {
                    self.send_to_all(at);
                }
            }
        }
    }

    /// One of the two oldest keys from one device to another arrives: sessions keep their order, more or less.
    fn deliver_key(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.keys.len());
        let (of, to, _) = &self.keys[at];
        let (of, to) = (*of, *to);
        let pair: Vec<_> =
            (0..self.keys.len()).filter(|at| (self.keys[*at].0, self.keys[*at].1) == (of, to)).take(2).collect();
        let (_, _, key) = self.keys.remove(pair[self.rng.random_range(0..pair.len())]);
        for ghost in self.ghosts.iter_mut().filter(|ghost| ghost.who == to) {
            let key = EpochKey::from_bytes(&key).unwrap();
            let _ = ghost.call.accept_key(&key, session(to, of), everybody, &mut rand::rng());
        }
        if self.present.contains(&to) {
            self.take_key(of, to, &key);
        }
    }

    fn take_key(&mut self, of: usize, to: usize, bytes: &[u8]) {
        let key = EpochKey::from_bytes(bytes).unwrap();
        match self.calls[to].accept_key(&key, session(to, of), everybody, &mut rand::rng()) {
            Ok(taken) => {
                match taken.answer {
                    Some(Recipients::OneDevice) => self.send_key(to, of),
                    Some(_) => self.send_to_all(to),
                    None => {}
                }
                let waiting = std::mem::take(&mut self.waiting[to]);
                waiting.into_iter().for_each(|frame| self.receive(to, frame));
            }
            Err(EpochKeyError::NotInCall) => self.early[to].push((of, bytes.to_vec())),
            Err(error) => panic!("{error}"),
        }
    }

    fn talk(&mut self, of: usize) {
        let number = self.frames.len();
        let mut bytes = Vec::new();
        self.calls[of].seal(b"audio", &number.to_be_bytes(), &mut bytes).unwrap();
        let others: BTreeSet<_> = self.calls[of].others().copied().collect();
        let hearers = (0..DEVICES).filter(|who| others.contains(&identity(*who))).collect();
        self.frames.push(Frame { of, bytes, hearers });
        for to in (0..DEVICES).filter(|to| *to != of) {
            let copies = self.rng.random_range(0..3);
            self.copies.extend(std::iter::repeat_n((to, number), copies));
        }
    }

    fn deliver_frame(&mut self) {
        if self.copies.is_empty() {
            return;
        }
        let (to, number) = self.copies.swap_remove(self.rng.random_range(0..self.copies.len()));
        let mut changed = self.frames[number].bytes.clone();
        let place = self.rng.random_range(0..changed.len());
        changed[place] ^= 1 << self.rng.random_range(0..8);
        assert!(self.calls[to].open(b"audio", &mut changed).is_err(), "a changed frame");
        for ghost in self.ghosts.iter_mut().filter(|ghost| ghost.who == to) {
            check(&mut ghost.call, to, number, &self.frames, &mut ghost.opened).ok();
        }
        if self.present.contains(&to) {
            self.receive(to, number);
        }
    }

    fn receive(&mut self, to: usize, number: usize) {
        match check(&mut self.calls[to], to, number, &self.frames, &mut self.opened[to]) {
            Ok(()) => self.heard += 1,
            Err(OpenError::UnknownKey) => self.waiting[to].push(number),
            Err(_) => {}
        }
    }

    /// Everything arrives that is on its way, in any order; then everybody who is there speaks, and is heard.
    fn settle(&mut self) {
        while !self.keys.is_empty() || self.roster.iter().any(|news| !news.is_empty()) {
            let at = self.rng.random_range(0..DEVICES);
            if self.rng.random_bool(0.5) { self.deliver_key() } else { self.hear_roster(at) }
        }
        while !self.copies.is_empty() {
            self.deliver_frame();
        }
        for of in self.others(DEVICES) {
            self.talk(of);
            let number = self.frames.len() - 1;
            for to in self.others(of) {
                let outcome = check(&mut self.calls[to], to, number, &self.frames, &mut self.opened[to]);
                assert_eq!(outcome, Ok(()), "{to} hears {of}");
            }
            for ghost in &mut self.ghosts {
                let outcome = check(&mut ghost.call, ghost.who, number, &self.frames, &mut ghost.opened);
                assert!(outcome.is_err() || self.present.contains(&ghost.who), "{} left and hears {of}", ghost.who);
            }
        }
        self.copies.clear();
    }
}

/// What opens is as it was sent, is opened for the first time, and was meant for whoever opens it.
fn check(
    call: &mut GroupCall,
    at: usize,
    number: usize,
    frames: &[Frame],
    opened: &mut BTreeSet<usize>,
) -> Result<(), OpenError> {
    let Frame { of, bytes, hearers } = &frames[number];
    let mut buffer = bytes.clone();
    let frame = match call.open(b"audio", &mut buffer) {
        Ok(frame) => frame,
        Err(error) => {
            assert_eq!(&buffer, bytes, "a refused frame is left as it was");
            return Err(error);
        }
    };
    assert_eq!(*frame.plaintext, number.to_be_bytes());
    assert!(hearers.contains(&at), "frame {number} of {of} opened at {at}, who was not in the call for its sender");
    assert!(opened.insert(number), "frame {number} opened twice at {at}");
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Come(usize),
    Go(usize),
    Restart(usize, bool),
    Talk(usize),
    Key,
    Roster(usize),
    Frame,
    Settle,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let device = || 0..DEVICES;
    let event = prop_oneof![
        3 => device().prop_map(Event::Come),
        1 => device().prop_map(Event::Go),
        1 => (device(), any::<bool>()).prop_map(|(who, told)| Event::Restart(who, told)),
        8 => device().prop_map(Event::Talk),
        12 => Just(Event::Key),
        6 => device().prop_map(Event::Roster),
        12 => Just(Event::Frame),
        1 => Just(Event::Settle),
    ];
    proptest::collection::vec(event, 20..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// P-9.6, P-9.7, P-9.13, P-9.14, P-9.15
    #[test]
    fn whoever_is_in_a_call_hears_everybody_in_it_and_nobody_else_does(events in events(), seed: u64) {
        let mut world = World::new(seed);
        for event in events {
            match event {
                Event::Come(who) if !world.present.contains(&who) => world.come(who),
                Event::Go(who) if world.present.contains(&who) => world.go(who),
                Event::Restart(who, told) if world.present.contains(&who) => world.restart(who, told),
                Event::Talk(of) if world.present.contains(&of) => world.talk(of),
                Event::Come(_) | Event::Go(_) | Event::Restart(..) | Event::Talk(_) => {}
                Event::Key => world.deliver_key(),
                Event::Roster(at) => world.hear_roster(at),
                Event::Frame => world.deliver_frame(),
                Event::Settle => world.settle(),
            }
        }
        world.settle();
        let most = world.calls.iter().map(GroupCall::keys).max();
        prop_assert!(most <= Some((DEVICES - 1) * 3 * 11), "{most:?}");
    }
}
