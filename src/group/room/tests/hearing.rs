//! Chains that are given, and what is said of lists.

use alloc::vec;
use alloc::vec::Vec;

use bisik_core::storage::StorageKey;
use zeroize::Zeroizing;

use super::super::Group;
use super::super::error::{GroupReceiveError, HistoryError};
use super::super::hear::Chain;
use super::super::history::PassedOn;
use super::super::id::GroupMessageId;
use super::super::items::Item;
use super::super::receive::GroupArrival;
use super::super::received::GroupReceived;
use super::super::wire::{Known, Note};
use crate::account::Account;
use crate::conversation::MemberDevice;
use crate::device::{DeviceTerms, ListId};
use crate::group::membership::{Membership, Statement};
use crate::group::outbox::GroupSent;
use bisik_core::time::Timestamp;

/// Section 15.2. Nobody is believed about a newer list: what a member says of one costs one fetch.
#[test]
fn a_false_claim_of_a_newer_device_list_is_asked_for_once() {
    let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
    let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
    let list = bob.primary().unwrap().list().clone();
    let mut group = Group::found(&alice, &[], now, rng).unwrap();
    group.invite(&alice, *bob.key(), now, rng).unwrap();
    group.learn(&alice, &list, now).unwrap();
    assert_eq!(group.needs(now), []);
    let claimed = ListId::from_bytes(&[0xFF; ListId::LENGTH]);
    group.take_items(vec![Item::List(*bob.key(), claimed)]);
    assert_eq!(group.needs(now).iter().map(|need| need.account).collect::<Vec<_>>(), [*bob.key()]);
    // The server has no newer one.
    group.learn(&alice, &list, now).unwrap();
    assert_eq!(group.needs(now), []);
}

/// Writes what is due, and gives it out.
fn sent(group: &mut Group, account: &Account, key: &StorageKey, now: Timestamp) -> GroupSent {
    let rng = &mut rand::rng();
    let outgoing = group.flush(account, &[], now, rng).unwrap();
    let stored = group.seal(key, rng).unwrap().stored();
    group.stored(&stored);
    outgoing.release(&stored).map_err(drop).unwrap().0
}

/// P-15.22. Whoever is given a chain can give it to others as its own: they read its author all the same, whatever the
/// relay says of who wrote, and whichever comes first.
#[test]
fn a_member_who_gives_the_chain_of_another_as_its_own_silences_nobody() {
    let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
    let mut accounts = [(); 3].map(|()| Account::create(DeviceTerms::person(), now, rng));
    accounts.sort_by_key(|account| *account.key());
    let storage = StorageKey::generate(rng);
    // The thief is found before the author.
    let [thief, author, reader] = accounts;
    let lists = [&thief, &author, &reader].map(|account| account.primary().unwrap().list().clone());
    let mut group = Group::found(&reader, &[], now, rng).unwrap();
    for whom in [&thief, &author] {
        group.invite(&reader, *whom.key(), now, rng).unwrap();
    }
    lists.iter().for_each(|list| group.learn(&reader, list, now).unwrap());
    let joined = [&thief, &author].map(|account| {
        let items = group.answer(&reader, &Known::NOTHING);
        let Some(Item::Statement(Statement::Entry(first))) = items.first() else { panic!("an entry") };
        let (key, identity) = (account.key(), account.identity().public());
        let membership = Membership::follow(group.id(), first, key, identity).unwrap();
        let mut joined = Group::of(account, membership).unwrap();
        lists.iter().for_each(|list| joined.learn(account, list, now).unwrap());
        joined.take_items(items);
        lists.iter().for_each(|list| joined.learn(account, list, now).unwrap());
        joined.accept(account, now).unwrap();
        for letter in sent(&mut joined, account, &storage, now).letters {
            if let Ok(Note::Statements { items, .. }) = Note::decode(letter.body()) {
                group.take_items(items);
            }
        }
        joined
    });
    let [of_thief, mut of_author] = joined;
    assert!(group.membership.state().is_member(thief.key()) && group.membership.state().is_member(author.key()));
    let (thief_device, author_device) = (of_thief.desk.local, of_author.desk.local);

    for text in ["satu", "dua", "tiga"] {
        of_author.send(&author, text.as_bytes(), &[], now, rng).unwrap();
    }
    let GroupSent { letters, messages, .. } = sent(&mut of_author, &author, &storage, now);
    let chain = || {
        let mut notes = letters.iter().map(|letter| Note::decode(letter.body()));
        notes.find_map(|note| if let Ok(Note::Chain(chain)) = note { Some(chain) } else { None }).unwrap()
    };
    let receive = |group: &mut Group, from: &MemberDevice, message: usize| {
        let from = (from.account, from.device);
        group.receive(&reader, &[GroupArrival { from, message: messages[message].clone() }], now).remove(0)
    };
    // What somebody has said of a newer list is not forgotten because of a device that is in none.
    let newest = ListId::from_bytes(&[0xFF; ListId::LENGTH]);
    group.take_items(vec![Item::List(*thief.key(), newest)]);
    let unknown = MemberDevice { device: 9, ..thief_device };
    assert!(matches!(group.take_chain(&reader, unknown, chain(), now), Ok(Chain::Waits)));
    assert_eq!(group.outdated.get(thief.key()), Some(&newest.sequence()));
    assert!(matches!(group.take_chain(&reader, thief_device, chain(), now), Ok(Chain::Taken)));
    // The author's letter is on its way: the message waits for it.
    assert_eq!(receive(&mut group, &author_device, 0), Err(GroupReceiveError::NeedsChain));
    assert!(matches!(group.take_chain(&reader, author_device, chain(), now), Ok(Chain::Taken)));
    assert_eq!(receive(&mut group, &author_device, 0), Ok(()));
    assert_eq!(receive(&mut group, &thief_device, 1), Ok(()), "the relay says who wrote, and is not believed");
    assert_eq!(receive(&mut group, &author_device, 2), Ok(()));
    assert_eq!(receive(&mut group, &author_device, 2), Err(GroupReceiveError::Duplicate));
    // P-15.20. Nor are histories that have what the author wrote refused, and those that name another are.
    let chain_id = chain().chain();
    let by = |device: MemberDevice, index: u32| PassedOn {
        claimed_author: device.account,
        claimed_device: device.device,
        id: GroupMessageId { chain: chain_id, index },
        claimed_at: now,
        body: Zeroizing::new(Vec::new()),
        received_here: false,
    };
    assert_eq!(group.knows_message(&by(author_device, 2)), Ok(true));
    assert_eq!(group.knows_message(&by(author_device, 9)), Ok(false));
    assert_eq!(group.knows_message(&by(group.desk.local, 2)), Err(HistoryError::Contradicts));
    let stored = group.seal(&storage, rng).unwrap().stored();
    group.stored(&stored);
    let shown: Vec<_> = group
        .inbox()
        .filter_map(|(_, received)| {
            let GroupReceived::Message { from, body, .. } = received else { return None };
            Some((*from, body.to_vec()))
        })
        .collect();
    assert_eq!(shown, ["satu", "dua", "tiga"].map(|text| (author_device, text.as_bytes().to_vec())));
}
