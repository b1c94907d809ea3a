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

/// P-15.6. A device that was unlinked, or that the group has barred, is heard no more in the chain that it gave before.
#[test]
fn what_an_unlinked_or_barred_device_writes_is_not_shown() {
    for bars in [false, true] {
        let (mut world, laptop) = with_a_laptop(37);
        world.send(laptop, "masih terdaftar").unwrap();
        world.run();
        assert_eq!(world.texts((ALICE, 0)), ["masih terdaftar"]);
        // The thief of the laptop hears nothing of what follows.
        let mut thief = if bars {
            bar(&mut world, laptop);
            world.devices.remove(&laptop).unwrap()
        } else {
            world.unlink(BOB, laptop.1)
        };
        world.wait(2 * HOUR);
        let now = world.now;
        let group = thief.group.as_mut().unwrap();
        group.send(&thief.account, b"dari pencuri", &[], now, &mut world.rng).unwrap();
        let outgoing = group.flush(&thief.account, &[], now, &mut world.rng).unwrap();
        let stored = thief.store.write(group, &mut world.rng);
        let (sent, _handover) = outgoing.release(&stored).unwrap();
        let from = (world.keys[BOB], laptop.1);
        for at in [(ALICE, 0), (CAROL, 0), (BOB, 0)] {
            for message in sent.messages.clone() {
                let results = world.with(at, |group, account, now, _| {
                    let arrival = GroupArrival { from, message };
                    [0; 2].map(|_| group.receive(account, core::slice::from_ref(&arrival), now).remove(0))
                });
                assert_eq!(results, [Err(GroupReceiveError::NotPermitted); 2], "{at:?}, barred: {bars}");
            }
            world.show(at);
            assert_eq!(world.texts(at), ["masih terdaftar"]);
        }
    }
}

/// P-15.6, P-15.16. What a barred device gives again is not shown, although the reader knows that it was missing.
#[test]
fn what_a_barred_device_gives_again_is_not_shown() {
    let (mut world, laptop) = with_a_laptop(38);
    world.lose_the_second(laptop, CAROL);
    bar(&mut world, laptop);
    world.run();
    world.wait(2 * HOUR);
    assert_eq!(world.texts((CAROL, 0)), ["satu", "tiga"]);
    let refused = format!("letter: {:?}", GroupReceiveError::NotPermitted);
    assert!(world.devices[&(CAROL, 0)].told.contains(&refused), "it was asked, and has answered");
}

/// Alice, Bob and Carol in a group, and the second device of Bob.
fn with_a_laptop(seed: u64) -> (World, (usize, u32)) {
    let mut world = World::new(seed, &[1, 1, 1]);
    let laptop = (BOB, world.link(BOB));
    world.found();
    for who in [BOB, CAROL] {
        world.invite((ALICE, 0), who);
        world.run();
        world.accept((who, 0));
        world.run();
    }
    world.wait(2 * HOUR);
    (world, laptop)
}

/// The owner of the group bars a device.
fn bar(world: &mut World, at: (usize, u32)) {
    let (whose, device) = (world.keys[at.0], *world.devices[&at].account.identity().public());
    world.with((ALICE, 0), |group, account, now, _| group.bar(account, whose, device, &[], now)).unwrap();
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
        Mail::Letter(_) | Mail::Status(_) => None,
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

/// P-15.4. What an account has not signed again for 30 days may be a thief's by now: a chain that its devices have goes on to
/// its end, and they are given no other.
#[test]
fn a_member_whose_list_has_expired_is_given_no_new_chain() {
    let mut world = World::of_members(61, &[1, 1, 1]);
    world.send((ALICE, 0), "satu").unwrap();
    world.run();
    world.now = world.now.plus_seconds(40 * 24 * 60 * 60);
    world.renew(ALICE);
    world.renew(CAROL);
    let carol = world.lists[CAROL].last().unwrap().clone();
    world.with((ALICE, 0), |group, account, now, _| group.learn(account, &carol, now)).unwrap();
    world.send((ALICE, 0), "dua").unwrap();
    let now = world.now;
    let sent = world.with((ALICE, 0), |group, account, now, rng| {
        let outgoing = group.flush(account, &[], now, rng).unwrap();
        let stored = group.seal(&super::world::key(), rng).unwrap().stored();
        outgoing.release(&stored).unwrap().0
    });
    let bob = world.keys[BOB];
    assert!(sent.letters.iter().any(|letter| letter.to().account == world.keys[CAROL]));
    assert!(sent.letters.iter().all(|letter| letter.to().account != bob), "{:?}", sent.letters);
    assert!(sent.to.iter().all(|device| device.account != bob), "{now:?}");
}
