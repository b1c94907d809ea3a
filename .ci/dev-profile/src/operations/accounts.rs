//! Accounts of several devices, and their conversations.

use std::collections::HashMap;

use bisik::conversation::{
    Arrival, Change, DeviceAddress, Envelope, IdentityPolicy, Recipients, RecordName, StoredConversation,
};
use bisik::device::link::{Companion, Invitation};
use bisik::device::{Custody, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::{Account, Conversation, PreKeyBundle, StorageKey, Trust};
use selftest::NotRandom;

use super::{NOW, Operation, Work, rng, work};
use crate::Failure;
use crate::primitives::Primitive::*;

pub const ALL: [Operation; 10] = [
    Operation::new("Account::create", &[Generate, MultiplyMany], create),
    Operation::new("Account::maintain", &[Generate, MultiplyMany], maintain),
    Operation::new("Account::seal, unseal", &[MultiplyMany], stored),
    Operation::new("linking, both sides", &[Generate, MultiplyMany], linking),
    Operation::new("Conversation::new, send", &[MultiplyMany], send),
    Operation::new("Conversation::flush, first", &[Encapsulate, MultiplyMany], first),
    Operation::new("Conversation::receive, first", &[Generate, Decapsulate, MultiplyMany], receive_first),
    Operation::new("Conversation::flush", &[GenerateInPieces], flush),
    Operation::new("Conversation::receive", &[Multiply], receive),
    Operation::new("Conversation::seal, unseal", &[MultiplyMany], stored_conversation),
];

/// One device of one person, and its conversation with the other one.
struct Device {
    account: Account,
    talk: Conversation,
    key: StorageKey,
    rng: NotRandom,
}

fn account(seed: u64) -> Result<Account, Failure> {
    Ok(Account::create(DeviceTerms::own_held(Custody::Person)?, NOW, &mut NotRandom::from_seed(seed)))
}

fn list(account: &Account) -> Result<DeviceList, Failure> {
    Ok(account.primary().ok_or("not a primary device")?.list().clone())
}

impl Device {
    fn new(account: Account, peer: &DeviceList, seed: u64) -> Result<Self, Failure> {
        let mut rng = NotRandom::from_seed(seed);
        let peer = DeviceDirectory::trust(peer, Trust::OnFirstUse, NOW)?;
        let (talk, _) = Conversation::new(&account, peer, &[], IdentityPolicy::Block, NOW);
        Ok(Self { account, talk, key: StorageKey::generate(&mut rng), rng })
    }

    fn two() -> Result<[Self; 2], Failure> {
        let (alice, bob) = (account(2)?, account(3)?);
        let lists = (list(&alice)?, list(&bob)?);
        Ok([Self::new(alice, &lists.1, 4)?, Self::new(bob, &lists.0, 5)?])
    }

    fn bundle(&self) -> PreKeyBundle {
        self.account.pre_keys().bundle()
    }

    fn send(&mut self) -> Result<(), Failure> {
        self.talk.send(&self.account, b"halo", Recipients::All, NOW, &mut self.rng)?;
        Ok(())
    }

    fn seal(&mut self) -> Result<StoredConversation, Failure> {
        let stored = self.talk.seal(&mut self.account, &self.key, &mut self.rng)?.stored();
        self.talk.stored(&stored);
        Ok(stored)
    }

    fn flush(&mut self, server: &PreKeyBundle) -> Result<Vec<Envelope>, Failure> {
        let mut bundles = Vec::new();
        for needed in self.talk.due(&self.account, NOW).bundles {
            bundles.push((needed.device, server.clone().verify(Trust::Pinned(&needed.key), NOW)?));
        }
        let outgoing = self.talk.flush(&self.account, &bundles, NOW, &mut self.rng)?;
        let stored = self.seal()?;
        let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
        self.talk.handed(handover);
        Ok(envelopes)
    }

    fn receive(&mut self, envelopes: Vec<Envelope>) -> Result<(), Failure> {
        let from = DeviceAddress::peer(0);
        let arrivals: Vec<Arrival> =
            envelopes.into_iter().map(|envelope| Arrival { from, ciphertext: envelope.ciphertext }).collect();
        if arrivals.is_empty() {
            return Err("nothing was sent".into());
        }
        for result in self.talk.receive(&mut self.account, &arrivals, NOW) {
            result?;
        }
        let _ = self.seal()?;
        Ok(())
    }
}

/// Two devices that have exchanged a message each.
fn acquainted() -> Result<[Device; 2], Failure> {
    let [mut alice, mut bob] = Device::two()?;
    alice.send()?;
    let envelopes = alice.flush(&bob.bundle())?;
    bob.receive(envelopes)?;
    bob.send()?;
    let envelopes = bob.flush(&alice.bundle())?;
    alice.receive(envelopes)?;
    Ok([alice, bob])
}

fn create() -> Result<Work, Failure> {
    work(|| Ok(drop(account(2)?)))
}

fn maintain() -> Result<Work, Failure> {
    let mut account = account(2)?;
    work(move || Ok(drop(account.maintain(None, NOW, &mut rng())?)))
}

fn stored() -> Result<Work, Failure> {
    let (mut account, mut rng) = (account(2)?, rng());
    let _ = account.maintain(None, NOW, &mut rng)?;
    work(move || {
        let key = StorageKey::generate(&mut rng);
        let sealed = account.seal(&key, &mut rng)?.ok_or("nothing has changed")?;
        Ok(drop(Account::unseal(&key, &sealed.bytes)?))
    })
}

fn linking() -> Result<Work, Failure> {
    let (mut phone, mut rng) = (account(2)?, rng());
    work(move || {
        let terms = DeviceTerms::own_held(Custody::Person)?;
        let (laptop, qr_code) = Companion::with_qr_code(&mut rng);
        let primary = phone.primary().ok_or("not a primary device")?;
        let (answered, answer) = Invitation::scan(qr_code.as_bytes())?.answer(primary, terms, &mut rng);
        let (laptop, reveal) = laptop.answer(&answer)?;
        let certificate = answered.reveal(&reveal)?.confirm();
        let list = phone.change_devices(&[DeviceChange::Add(certificate)], NOW)?;
        let linked = laptop.confirm().finish(&list, NOW)?;
        Ok(drop(Account::join(linked.identity, phone.key(), &list, NOW, &mut rng)?))
    })
}

fn send() -> Result<Work, Failure> {
    let (alice, peer) = (account(2)?, list(&account(3)?)?);
    work(move || Device::new(alice, &peer, 4)?.send())
}

fn first() -> Result<Work, Failure> {
    let [mut alice, bob] = Device::two()?;
    alice.send()?;
    let bundle = bob.bundle();
    work(move || Ok(drop(alice.flush(&bundle)?)))
}

fn receive_first() -> Result<Work, Failure> {
    let [mut alice, mut bob] = Device::two()?;
    alice.send()?;
    let envelopes = alice.flush(&bob.bundle())?;
    work(move || bob.receive(envelopes))
}

fn flush() -> Result<Work, Failure> {
    let [mut alice, bob] = acquainted()?;
    let bundle = bob.bundle();
    alice.send()?;
    work(move || Ok(drop(alice.flush(&bundle)?)))
}

fn receive() -> Result<Work, Failure> {
    let [mut alice, mut bob] = acquainted()?;
    alice.send()?;
    let envelopes = alice.flush(&bob.bundle())?;
    work(move || bob.receive(envelopes))
}

fn stored_conversation() -> Result<Work, Failure> {
    let [mut alice, _] = acquainted()?;
    // What a database has: the blocks and the head.
    let (mut blocks, mut head) = (HashMap::new(), Vec::new());
    // Under another key all is written again.
    alice.key = StorageKey::generate(&mut alice.rng);
    alice.talk.move_to_key(&alice.key);
    alice.send()?;
    work(move || {
        alice.account.move_to_key(&alice.key);
        let changes = alice.talk.seal(&mut alice.account, &alice.key, &mut alice.rng)?;
        for change in changes.writes() {
            match change {
                Change::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
                Change::Record(record) if matches!(record.name, RecordName::Conversation(_)) => {
                    head = record.bytes.clone();
                }
                Change::Record(_) | Change::Delete(_) | Change::Remove(_) => {}
            }
        }
        let id = alice.talk.id();
        Ok(drop(Conversation::unseal(&alice.account, &alice.key, id, &head, |id| blocks.get(&id).cloned())?))
    })
}
