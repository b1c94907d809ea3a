//! Records of a group at one device, of released formats: each still opens, shows what waited, and gives out the same
//! bytes.

use bisik::device::DeviceTerms;
use bisik::group::membership::{GroupEvent, Role, Setting};
use bisik::group::{Group, GroupChange, GroupId, GroupReceived, GroupRecordName, GroupSent};
use bisik::{Account, StorageKey};

use super::state_golden::{CREATED, Golden, blocks, golden, key};

/// The files of the records of a group.
fn file(name: GroupRecordName) -> &'static str {
    match name {
        GroupRecordName::Members(_) => "room-members",
        GroupRecordName::Devices(_) => "room-devices",
        GroupRecordName::Chain(_) => "room-chain",
        GroupRecordName::Sender(..) => panic!("nobody else has written"),
        GroupRecordName::Desk(_) => "room-desk",
    }
}

fn give_out(group: &mut Group, account: &Account, key: &StorageKey) -> GroupSent {
    let outgoing = group.flush(account, &[], CREATED, &mut rand::rng()).unwrap();
    let stored = group.seal(key, &mut rand::rng()).unwrap().stored();
    assert!(group.stored(&stored));
    outgoing.release(&stored).unwrap().0
}

/// P-6.4, P-15.10, P-15.11: a group of format 1 with an invitation, a chain, a message that was encrypted and not handed
/// over, and an event that waits for the program.
#[test]
fn golden_group_at_a_device_gives_out_the_same_message_again() {
    let account = Account::unseal(&key(), &golden("room-account")).unwrap();
    let id = GroupId::try_from(golden("room-id").as_slice()).unwrap();
    let blocks = blocks(&golden("room-blocks"));
    let records = |name| (file_of(name)).map(golden);
    let mut group = Group::unseal(&key(), id, records, |block| blocks.get(&block).cloned()).unwrap();
    assert_eq!((group.role(), group.is_invited(), group.peers().len()), (Some(Role::Owner), false, 1));
    assert_eq!(group.membership().setting(Setting::NAME), Some(&b"golden"[..]));
    let waits: Vec<_> = group.inbox().map(|(_, received)| received).collect();
    assert!(matches!(waits[..], [GroupReceived::Changed(GroupEvent::Added { by: Some(_), .. })]), "{waits:?}");
    let changes = group.seal(&key(), &mut rand::rng()).unwrap();
    assert_eq!(changes.writes().count(), 0, "nothing has changed");
    drop(changes);
    let sent = give_out(&mut group, &account, &key());
    assert_eq!(sent.messages.concat(), golden("room-messages"));
    let [invitation] = &sent.letters[..] else { panic!("{:?}", sent.letters) };
    assert_eq!(group.peers(), [invitation.to().account]);
}

fn file_of(name: GroupRecordName) -> Option<&'static str> {
    (!matches!(name, GroupRecordName::Sender(..))).then(|| file(name))
}

/// Writes the files of the test above.
pub(super) fn write(golden: &Golden) {
    let rng = &mut rand::rng();
    let [mut account, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), CREATED, rng));
    let mut group = Group::found(&account, &[(Setting::NAME, b"golden")], CREATED, rng).unwrap();
    group.invite(&account, *bob.key(), CREATED, rng).unwrap();
    group.learn(&account, bob.primary().unwrap().list(), CREATED).unwrap();
    group.send(&account, b"halo", &[], CREATED, rng).unwrap();
    let changes = group.seal(&key(), rng).unwrap();
    let mut all = Vec::new();
    for change in changes.writes() {
        match change {
            GroupChange::Put(block) => {
                all.extend(block.id().as_bytes());
                all.extend(u32::try_from(block.as_bytes().len()).unwrap().to_be_bytes());
                all.extend(block.as_bytes());
            }
            GroupChange::Record(record) => golden.write(file(record.name), &record.bytes),
            GroupChange::Delete(_) | GroupChange::Remove(_) => panic!("nothing was there before"),
        }
    }
    golden.write("room-blocks", &all);
    golden.write("room-id", group.id().as_bytes());
    let stored = changes.stored();
    assert!(group.stored(&stored));
    golden.write("room-messages", &give_out(&mut group, &account, &key()).messages.concat());
    golden.write("room-account", &account.seal(&key(), rng).unwrap().unwrap().bytes);
}
