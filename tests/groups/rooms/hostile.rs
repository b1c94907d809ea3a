//! Strangers, members who were removed and do not give up, and a relay that helps them.

use bisik::conversation::Event;
use bisik::group::membership::Role;
use bisik::group::{GroupArrival, GroupReceiveError};

use super::world::{ALICE, BOB, CAROL, DAVE, HOUR, Mail, World};

/// P-12.51, P-12.64. An invitation of a stranger is a message request: nothing goes back, and nothing of it is read, before
/// the user accepts the contact.
#[test]
fn an_invitation_by_a_stranger_is_not_read_before_the_user_accepts_him() {
    let mut world = World::new(31, &[1, 1]);
    world.accepts = false;
    world.found();
    world.invite((ALICE, 0), BOB);
    world.run();
    world.wait(20 * HOUR);
    let bob = &world.devices[&(BOB, 0)];
    assert!(bob.group.is_none() && bob.requests == 1, "{:?}", bob.told);
    assert!(world.devices[&(ALICE, 0)].told.iter().all(|told| *told == format!("{:?}", Event::LabelChanged)));
    let alice = world.keys[ALICE];
    world.at((BOB, 0)).talks.get_mut(&alice).unwrap().accept();
    world.run();
    assert!(world.group((BOB, 0)).is_invited());
}

/// P-14.21, P-15.3. What a removed member writes is shown by nobody who knows of the removal, in old chains and in new ones.
#[test]
fn what_a_removed_member_writes_is_not_shown() {
    let mut world = World::of_members(32, &[1, 1, 1]);
    world.send((BOB, 0), "masih anggota").unwrap();
    world.run();
    world.remove((ALICE, 0), BOB);
    world.work((ALICE, 0));
    // The relay keeps it from Bob, who goes on.
    world.mail.retain(|(to, ..)| to.0 != BOB);
    world.run();
    world.send((BOB, 0), "dalam rantai lama").unwrap();
    world.run();
    world.with((BOB, 0), |group, _, _, _| group.restored());
    world.send((BOB, 0), "dalam rantai baru").unwrap();
    world.run();
    for at in [(ALICE, 0), (CAROL, 0)] {
        assert_eq!(world.texts(at), ["masih anggota"], "{:?}", world.devices[&at].told);
        assert_eq!(world.devices[&at].held.len(), 2, "nobody gives their chains");
    }
}

/// P-15.2. A letter goes to the group that it names; another group, and a program's message, are refused.
#[test]
fn a_letter_of_one_group_changes_nothing_in_another() {
    let mut world = World::of_members(33, &[1, 1]);
    let other = World::of_members(34, &[1, 1]);
    world.send((ALICE, 0), "halo").unwrap();
    world.work((ALICE, 0));
    let messages = world.mail.iter().filter_map(|(.., mail)| match mail {
        Mail::Message(message) => Some(message.clone()),
        Mail::Letter(_) => None,
    });
    let messages: Vec<_> = messages.collect();
    let from = (other.keys[ALICE], 0);
    let mut other = other;
    for message in messages {
        let results = other.with((BOB, 0), |group, account, now, _| {
            group.receive(account, &[GroupArrival { from, message: message.clone() }], now)
        });
        assert_eq!(results, [Err(GroupReceiveError::NeedsChain)]);
    }
    assert!(other.texts((BOB, 0)).is_empty());
}

/// P-14.16. What is no message of a group, was changed, or repeats, changes nothing.
#[test]
fn changed_repeated_and_foreign_bytes_are_refused() {
    let mut world = World::of_members(35, &[1, 1]);
    world.send((ALICE, 0), "halo").unwrap();
    let sent = world.flush((ALICE, 0)).unwrap();
    let message = sent.messages[0].clone();
    world.hand_over((ALICE, 0), sent);
    world.run();
    let from = (world.keys[ALICE], 0);
    let mut receive = |message: Vec<u8>| {
        world.with((BOB, 0), |group, account, now, _| {
            group.receive(account, &[GroupArrival { from, message }], now).remove(0)
        })
    };
    assert_eq!(receive(message.clone()), Err(GroupReceiveError::Duplicate));
    let mut changed = message.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(receive(changed), Err(GroupReceiveError::Rejected));
    assert_eq!(receive(vec![1; 116]), Err(GroupReceiveError::Malformed));
    assert_eq!(receive([&[2], &message[1..]].concat()), Err(GroupReceiveError::NewerVersion));
    assert_eq!(receive(vec![1; (256 << 10) + 119]), Err(GroupReceiveError::Malformed));
    assert_eq!(world.texts((BOB, 0)), ["halo"]);
}

/// P-15.13. The owner's device settles a group that holds many acts, and lowers admins who are gone.
#[test]
fn the_owners_device_keeps_house_by_itself() {
    let mut world = World::of_members(36, &[1, 1, 1, 1]);
    world.role(DAVE, Role::Admin);
    world.run();
    world.with((DAVE, 0), |group, account, now, _| group.leave(account, &[], now)).unwrap();
    world.run();
    assert_eq!(world.group((ALICE, 0)).membership().departed_admins().count(), 0);
    let epoch = world.group((ALICE, 0)).membership().epoch();
    let dave = world.keys[DAVE];
    for _ in 0..260 {
        world.with((ALICE, 0), |group, account, now, rng| group.invite(account, dave, now, rng)).unwrap();
    }
    world.run();
    world.wait(2 * HOUR);
    assert_eq!(world.group((ALICE, 0)).membership().epoch(), epoch + 1);
    assert_eq!(world.group((ALICE, 0)).membership().acts().count(), 0);
    world.send((CAROL, 0), "sesudah").unwrap();
    world.run();
    world.wait(2 * HOUR);
    assert_eq!(world.group((BOB, 0)).membership().state(), world.group((ALICE, 0)).membership().state());
}
