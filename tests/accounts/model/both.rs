//! The real conversations and the reference side by side: each step is done to both, and what they say is compared.
//!
//! Does not know which steps there will be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bisik::Identity;
use bisik::conversation::{DeviceAddress, Envelope, Event, IdentityPolicy, MessageId, ReceiveError, SendError, Side};
use bisik::device::DeviceChange;
use bisik::hosting::{Label, Retention};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::reference::{Frame, Reference, Said, Shown, State};
use bisik_testkit::accounts::{Accounts, At, Database};

/// A device in the reference: in memory, and as it was stored last.
#[derive(Clone, Default)]
struct Twin {
    live: State,
    stored: State,
}

/// What an envelope holds, and the lists that its writer went by.
#[derive(Clone)]
struct Hidden {
    lists: [usize; 2],
    frame: Frame,
}

/// A device's records, what it had shown, and its twin at that time.
pub struct Backup {
    database: Database,
    shown: Vec<(String, Vec<u8>)>,
    twin: State,
}

pub struct Both {
    pub accounts: Accounts,
    reference: Reference,
    twins: BTreeMap<At, Twin>,
    hidden: HashMap<Vec<u8>, Hidden>,
    texts: HashMap<Vec<u8>, MessageId>,
    backups: HashMap<At, Backup>,
    /// Whether some device went back in time: then its sessions do not fit, and only what heals can be foretold.
    pub disturbed: bool,
}

impl Both {
    pub fn new(seed: u64, sizes: [u32; 2]) -> Self {
        let accounts = Accounts::new(seed, sizes);
        let members = sizes.map(|size| vec![BTreeSet::new(), (0..size).collect()]);
        let mut both = Self {
            reference: Reference { lists: members, vendor: None },
            twins: BTreeMap::new(),
            hidden: HashMap::new(),
            texts: HashMap::new(),
            backups: HashMap::new(),
            disturbed: false,
            accounts,
        };
        // The accounts has issued one list for each device; the reference counts as it does.
        for (who, size) in sizes.into_iter().enumerate() {
            both.reference.lists[who] = (0..=size).map(|count| (0..count).collect()).collect();
        }
        for at in both.accounts.everyone() {
            both.move_in(at);
        }
        both
    }

    fn move_in(&mut self, at: At) {
        let knows = [0, 1].map(|who| self.reference.lists[who].len() - 1);
        self.twins.insert(at, Twin { live: State { knows, ..State::default() }, stored: State::default() });
        self.store(at);
        self.device(at).events.clear();
    }

    pub fn device(&mut self, at: At) -> &mut bisik_testkit::accounts::Device {
        self.accounts.devices.get_mut(&at).unwrap()
    }

    fn store(&mut self, at: At) {
        let mut device = self.accounts.devices.remove(&at).unwrap();
        drop(device.store(&mut self.accounts.rng));
        self.accounts.devices.insert(at, device);
        self.keep(at);
    }

    fn keep(&mut self, at: At) {
        let twin = self.twins.get_mut(&at).unwrap();
        twin.stored = twin.live.clone();
    }

    fn live(&mut self, at: At) -> &mut State {
        &mut self.twins.get_mut(&at).unwrap().live
    }

    /// Some device, by number.
    pub fn pick(&self, number: u8) -> At {
        let everyone = self.accounts.everyone();
        everyone[usize::from(number) % everyone.len()]
    }

    fn may_send(&self, at: At) -> bool {
        self.reference.may_send(&self.twins[&at].live, at)
    }

    /// A message to everybody, that is each time another.
    pub fn send(&mut self, at: At) -> Option<MessageId> {
        let text = format!("{} from {at:?}", self.texts.len()).into_bytes();
        let before = self.accounts.mail.len();
        let result = self.accounts.send(at, &text);
        if !self.may_send(at) {
            assert!(matches!(result, Err(SendError::Blocked(_))), "{result:?}");
            return None;
        }
        result.unwrap();
        let sent: Vec<_> = self.accounts.mail.range(before..).cloned().collect();
        let id = sent[0].2.id;
        let state = &mut self.twins.get_mut(&at).unwrap().live;
        self.reference.send(state, at, id);
        let to: BTreeSet<_> = sent.iter().map(|(to, ..)| *to).collect();
        assert_eq!(to, self.reference.others(state, at), "whom it goes to");
        let lists = state.knows;
        for (.., envelope) in sent {
            assert_eq!(envelope.id, id);
            self.hide(&envelope, lists, Frame::Message(id));
        }
        self.texts.insert(text, id);
        self.keep(at);
        Some(id)
    }

    /// The process dies after encrypting and before storing: nothing has left.
    pub fn send_and_crash(&mut self, at: At) {
        let before = self.accounts.mail.len();
        if self.may_send(at) {
            let database = self.device(at).database.clone();
            self.accounts.send(at, b"never stored").unwrap();
            self.accounts.mail.truncate(before);
            self.device(at).database = database;
            self.crash(at);
        }
    }

    fn hide(&mut self, envelope: &Envelope, lists: [usize; 2], frame: Frame) {
        let twice = self.hidden.insert(envelope.ciphertext.as_bytes().to_vec(), Hidden { lists, frame });
        assert!(twice.is_none(), "no ciphertext is ever sent twice");
    }

    pub fn flush(&mut self, at: At) {
        let before = self.accounts.mail.len();
        self.accounts.flush(at);
        let sent: Vec<_> = self.accounts.mail.range(before..).cloned().collect();
        let state = &mut self.twins.get_mut(&at).unwrap().live;
        let mut expected = self.reference.flush(state, at);
        let lists = state.knows;
        for (to, _, envelope) in sent {
            let frames = expected.get_mut(&to).unwrap_or_else(|| panic!("nothing is owed to {to:?}"));
            let frame = if self.disturbed { disturbed(frames, &envelope) } else { frames.remove(0) };
            if let Frame::Message(id) = &frame {
                assert_eq!(envelope.id, *id);
            }
            self.hide(&envelope, lists, frame);
        }
        assert!(self.disturbed || expected.values().all(Vec::is_empty), "what is owed is sent");
        self.keep(at);
    }

    /// One envelope arrives, as it was sent.
    pub fn deliver(&mut self, (to, from, envelope): &(At, At, Envelope)) {
        let Some(twin) = self.twins.get(to) else { return };
        let hidden = self.hidden[envelope.ciphertext.as_bytes()].clone();
        let result = self.accounts.deliver(*to, *from, envelope);
        if !self.reference.is_listed(&twin.live, *from) {
            assert_eq!(result, Err(ReceiveError::UnknownDevice));
            // Its newer list may be on its way; of a device that left, nothing is ever taken.
            if self.twins.contains_key(from) {
                self.accounts.mail.push_back((*to, *from, envelope.clone()));
            }
            return;
        }
        if twin.live.read.contains(envelope.ciphertext.as_bytes()) {
            assert!(self.disturbed || result == Err(ReceiveError::Replayed), "{result:?}");
        }
        match result {
            Ok(()) => {
                let state = &mut self.twins.get_mut(to).unwrap().live;
                assert!(state.read.insert(envelope.ciphertext.as_bytes().to_vec()), "read twice");
                state.named.insert(envelope.id);
                let said = self.reference.receive(state, *to, *from, hidden.lists, &hidden.frame);
                self.keep(*to);
                self.compare(*to, said);
            }
            Err(ReceiveError::Replayed) => {
                assert!(self.disturbed || twin.live.read.contains(envelope.ciphertext.as_bytes()))
            }
            Err(ReceiveError::SessionLost | ReceiveError::Rejected) => {
                assert!(self.disturbed, "{result:?} {from:?} -> {to:?}: {:?}", hidden.frame);
                self.ask_again(*to, *from, envelope.id);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// A copy arrives with a bit changed: nothing changes, and it may be asked for.
    pub fn forge(&mut self, (to, from, envelope): &(At, At, Envelope), at: u16, ask: bool) {
        let Some(twin) = self.twins.get(to) else { return };
        let mut bytes = envelope.ciphertext.as_bytes().to_vec();
        let position = 1 + usize::from(at) % (bytes.len() - 1);
        bytes[position] ^= 1 << (at % 8);
        let forged = Envelope { ciphertext: bytes.try_into().unwrap(), ..envelope.clone() };
        let listed = self.reference.is_listed(&twin.live, *from);
        let revision = self.accounts.devices[to].conversation.as_ref().unwrap().revision();
        let result = self.accounts.deliver(*to, *from, &forged);
        match result {
            Err(ReceiveError::UnknownDevice) => assert!(!listed),
            Err(ReceiveError::Rejected | ReceiveError::SessionLost) => {
                assert!(listed);
                if ask {
                    self.ask_again(*to, *from, envelope.id);
                    self.store(*to);
                }
            }
            // Only a pre-key header is told from a replay before anything is decrypted.
            other => panic!("{other:?}"),
        }
        if !ask {
            assert_eq!(self.device(*to).conversation.as_ref().unwrap().revision(), revision);
        }
        self.compare(*to, Vec::new());
    }

    /// It arrives under another name, or as if from another device.
    pub fn misattribute(&mut self, (to, from, envelope): &(At, At, Envelope)) {
        let Some(twin) = self.twins.get(to) else { return };
        if twin.live.read.contains(envelope.ciphertext.as_bytes()) {
            return;
        }
        let renamed = Envelope { id: MessageId::from_bytes([0xff; 16]), ..envelope.clone() };
        let others: Vec<_> = self.twins.keys().filter(|other| *other != from && *other != to).copied().collect();
        for (from, envelope) in others.iter().map(|other| (other, envelope)).chain([(from, &renamed)]) {
            let result = self.accounts.deliver(*to, *from, envelope);
            assert!(result.is_err(), "{from:?} did not write this: {envelope:?}");
        }
        self.compare(*to, Vec::new());
    }

    fn ask_again(&mut self, at: At, from: At, id: MessageId) {
        let side = if at.0 == from.0 { Side::Own } else { Side::Peer };
        let asked = self.device(at).conversation.as_mut().unwrap().ask_again(id, DeviceAddress { side, index: from.1 });
        let state = &mut self.twins.get_mut(&at).unwrap().live;
        assert_eq!(asked, self.reference.ask_again(state, id, from));
    }

    /// The process dies and starts from its records.
    pub fn crash(&mut self, at: At) {
        self.device(at).reload();
        let twin = self.twins.get_mut(&at).unwrap();
        twin.live = twin.stored.clone();
        self.compare(at, Vec::new());
    }

    pub fn back_up(&mut self, at: At) {
        let device = &self.accounts.devices[&at];
        let backup = Backup {
            database: device.database.clone(),
            shown: device.shown.clone(),
            twin: self.twins[&at].stored.clone(),
        };
        self.backups.insert(at, backup);
    }

    /// A device goes back in time, with everything that it has shown.
    pub fn restore(&mut self, at: At) {
        let Some(backup) = self.backups.remove(&at) else { return };
        self.disturbed = true;
        self.accounts.restore(at, &backup.database);
        self.device(at).shown = backup.shown;
        self.device(at).events.clear();
        *self.live(at) = backup.twin;
        self.keep(at);
    }

    pub fn join(&mut self, who: usize) {
        if self.accounts.devices.len() < 7 {
            let index = self.accounts.join_without_telling(who);
            self.relist(who, |members| members.insert(index));
            self.accounts.open((who, index), IdentityPolicy::Block);
            self.move_in((who, index));
            self.learn((who, 0));
        }
    }

    pub fn leave(&mut self, who: usize, number: u8) {
        let members = self.reference.lists[who].last().unwrap();
        let companions: Vec<_> = members.iter().filter(|index| **index != 0).copied().collect();
        if companions.is_empty() {
            return;
        }
        let index = companions[usize::from(number) % companions.len()];
        let now = self.accounts.now;
        let list = self.device((who, 0)).account.change_devices(&[DeviceChange::Remove(index)], now).unwrap();
        self.accounts.lists[who].push(list);
        drop(self.accounts.devices.remove(&(who, index)));
        self.twins.remove(&(who, index));
        self.relist(who, |members| members.remove(&index));
        self.learn((who, 0));
        if self.reference.vendor == Some(index) && who == 1 {
            self.learn_all();
            self.reference.vendor = None;
        }
    }

    fn relist(&mut self, who: usize, change: impl FnOnce(&mut BTreeSet<u32>) -> bool) {
        let mut members = self.reference.lists[who].last().unwrap().clone();
        assert!(change(&mut members));
        self.reference.lists[who].push(members);
        // A primary that goes back to before it issued a list issues another one under its number: tests/accounts/conversation.rs.
        self.backups.clear();
    }

    /// The second account has a vendor answer for it, and everybody is told.
    pub fn host(&mut self) {
        if self.reference.vendor.is_none() {
            let operator =
                Identity::generate(&mut StdRng::seed_from_u64(u64::try_from(self.accounts.disclosures.len()).unwrap()));
            self.learn_all();
            let index = self.accounts.host(1, &operator, Retention::THIRTY_DAYS);
            self.relist(1, |members| members.insert(index));
            self.move_in((1, index));
            self.reference.vendor = Some(index);
            self.learn_all();
        }
    }

    pub fn decide(&mut self, at: At, strict: bool) {
        if at.0 != 0 || self.disturbed {
            return;
        }
        let Some(shown) = self.accounts.disclosures.last().cloned() else { return };
        let now = self.accounts.now;
        let before = self.reference.label(&self.twins[&at].live, at);
        let device = self.device(at);
        let conversation = device.conversation.as_mut().unwrap();
        let event = match (before, strict) {
            (Shown::EndToEnd | Shown::OwnHosted, _) | (Shown::Hosted, false) => {
                assert!(conversation.consent(&device.account, &shown, now).is_err(), "nobody asks");
                return;
            }
            (Shown::Asked | Shown::Refused(_), false) => conversation.consent(&device.account, &shown, now),
            (Shown::Asked | Shown::Refused(_), true) => conversation.refuse(&device.account, &shown, now),
            (Shown::Hosted, true) => conversation.withdraw(&device.account, &shown, now),
        };
        let said = event.unwrap().map(|_| Said::Label);
        let state = &mut self.twins.get_mut(&at).unwrap().live;
        self.reference.decide(state, at, strict, now.as_unix_seconds(), *shown.hash().as_bytes());
        let changed = self.reference.label(state, at) != before;
        assert_eq!(said.is_some(), changed, "an event whenever the label changes, and only then");
        self.store(at);
        self.compare(at, Vec::new());
    }

    /// A device hears of the newest lists.
    pub fn learn(&mut self, at: At) {
        let (lists, disclosures, now) =
            (self.accounts.lists.clone(), self.accounts.disclosures.clone(), self.accounts.now);
        let device = self.device(at);
        let conversation = device.conversation.as_mut().unwrap();
        let known = usize::try_from(device.account.devices().sequence()).unwrap();
        device.account.accept_devices(&lists[at.0][known..], now).unwrap();
        let known = usize::try_from(conversation.peer().sequence()).unwrap();
        let newer = &lists[1 - at.0][known..];
        device.events.extend(conversation.accept_devices(&device.account, newer, &disclosures, now).unwrap());
        let state = &mut self.twins.get_mut(&at).unwrap().live;
        let said = self.reference.learn(state, at);
        self.store(at);
        self.compare(at, said);
    }

    pub fn learn_all(&mut self) {
        for at in self.accounts.everyone() {
            self.learn(at);
        }
    }

    /// Everybody hears of the newest lists, and all mail arrives, answers included.
    pub fn settle(&mut self) {
        self.learn_all();
        for _ in 0..24 {
            while let Some(mail) = self.accounts.mail.pop_front() {
                self.deliver(&mail);
            }
            for at in self.accounts.everyone() {
                self.flush(at);
            }
            if self.accounts.mail.is_empty() {
                return;
            }
        }
        panic!("it does not settle");
    }

    /// What both say of a device.
    fn compare(&mut self, at: At, mut said: Vec<Said>) {
        let mut events: Vec<_> = self.device(at).events.drain(..).filter_map(|event| name(at, event)).collect();
        events.sort_unstable();
        said.sort_unstable();
        let state = &self.twins[&at].live;
        let device = &self.accounts.devices[&at];
        let conversation = device.conversation.as_ref().unwrap();
        let label = match conversation.label().label(self.accounts.now) {
            Label::EndToEnd { .. } => Shown::EndToEnd,
            Label::OwnHosted { .. } => Shown::OwnHosted,
            Label::Disclosed { .. } => Shown::Asked,
            Label::Hosted { .. } => Shown::Hosted,
            Label::Refused { disclosure } => Shown::Refused(*disclosure.as_bytes()),
            other => panic!("{other:?}"),
        };
        let shown: Vec<_> = device.shown.iter().filter_map(|(_, text)| self.texts.get(text)).collect();
        let unique: BTreeSet<_> = shown.iter().map(|id| **id).collect();
        assert_eq!(shown.len(), unique.len(), "{at:?} shows a message twice");
        assert_eq!(device.shown.len(), shown.len(), "{at:?} shows what nobody wrote");
        assert_eq!(unique, state.shown, "{at:?} shows what arrived");
        assert_eq!(label, self.reference.label(state, at), "{at:?}");
        if !self.disturbed {
            assert_eq!(events, said, "{at:?}");
            assert_eq!(conversation.unacknowledged_messages(), state.waiting.len(), "{at:?}");
            assert_eq!(device.decisions.len(), state.decisions, "{at:?}");
        }
    }

    /// Who has shown a message.
    pub fn readers(&self, id: MessageId) -> BTreeSet<At> {
        self.twins.iter().filter(|(_, twin)| twin.live.shown.contains(&id)).map(|(at, _)| *at).collect()
    }

    /// Everybody but the author.
    pub fn others(&self, at: At) -> BTreeSet<At> {
        self.twins.keys().filter(|other| **other != at).copied().collect()
    }
}

/// After a device went back in time the reference does not know what it was asked for: the name says what it is.
fn disturbed(frames: &mut Vec<Frame>, envelope: &Envelope) -> Frame {
    let at = frames.iter().position(|frame| match frame {
        Frame::Message(id) => *id == envelope.id,
        _ => true,
    });
    frames.remove(at.unwrap())
}

fn name(at: At, event: Event) -> Option<Said> {
    let device = |device: DeviceAddress| (if device.side == Side::Own { at.0 } else { 1 - at.0 }, device.index);
    match event {
        Event::Delivered { id, device: by } => Some(Said::Delivered(id, device(by))),
        Event::NotSentAgain { id, device: by } => Some(Said::NotSentAgain(id, device(by))),
        Event::ListOutdated { side, sequence } => {
            Some(Said::ListOutdated(if side == Side::Own { at.0 } else { 1 - at.0 }, sequence))
        }
        Event::DevicesAdded { indexes } => Some(Said::Added(indexes)),
        Event::DevicesRemoved { indexes } => Some(Said::Removed(indexes)),
        Event::Label(_) => Some(Said::Label),
        // How sessions heal is theirs to say; that they do is seen in what arrives.
        Event::SessionReplaced { .. } => None,
        other => panic!("{other:?}"),
    }
}
