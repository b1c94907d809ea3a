//! Members come, write, and go.

use bisik::Account;
use bisik::group::membership::{GroupEvent, LinkPolicy, LinkSecret, Role, Setting};
use bisik::group::{Group, GroupSendError, LeftOut, MemberDevice};

use super::world::{ALICE, BOB, CAROL, DAVE, DAY, World};

/// P-15.4. One ciphertext for everybody; what one device writes, all others show, one's own too.
#[test]
fn what_one_device_writes_all_devices_of_members_read() {
    let mut world = World::of_members(1, &[2, 1, 2]);
    let everybody = [(ALICE, 0), (ALICE, 1), (BOB, 0), (CAROL, 0), (CAROL, 1)];
    for at in everybody {
        assert_eq!(world.members(at), [ALICE, BOB, CAROL], "{at:?}: {:?}", world.devices[&at].told);
        world.send(at, &format!("halo dari {at:?}")).unwrap();
        world.run();
    }
    for at in everybody {
        let device = &world.devices[&at];
        assert_eq!(device.shown.len(), 4, "{at:?}: {:?}", device.told);
        assert!(device.shown.iter().all(|(.., same_view)| *same_view), "{at:?}: {:?}", device.shown);
        assert!(device.held.is_empty());
    }
}

/// P-14.7. Whoever was removed reads nothing that is written by somebody who knows of it, and is told.
#[test]
fn a_removed_member_reads_nothing_more_and_is_told() {
    let mut world = World::of_members(2, &[1, 2, 1, 1]);
    world.send((CAROL, 0), "semua").unwrap();
    world.run();
    world.remove((ALICE, 0), BOB);
    world.run();
    for at in [(BOB, 0), (BOB, 1)] {
        assert_eq!(world.members(at), [ALICE, CAROL, DAVE], "{:?}", world.devices[&at].told);
        assert!(matches!(world.devices[&at].changed.last(), Some(GroupEvent::Removed { by: Some(_), .. })));
        assert_eq!(world.send(at, "masih di sini"), Err(GroupSendError::NotAMember));
    }
    for at in [(ALICE, 0), (CAROL, 0), (DAVE, 0)] {
        world.send(at, "tanpa Bob").unwrap();
    }
    world.run();
    assert_eq!((world.texts((BOB, 0)), world.texts((BOB, 1))), (vec!["semua"], vec!["semua"]));
    assert_eq!(world.texts((DAVE, 0)), ["semua", "tanpa Bob", "tanpa Bob"]);
    assert!(world.devices[&(BOB, 0)].held.is_empty(), "no message of the new chains goes to him");
}

/// P-14.11. Whoever comes later reads what is written from then on, and nothing of before.
#[test]
fn a_newcomer_reads_nothing_of_before() {
    let mut world = World::new(3, &[1, 1, 1]);
    world.found();
    world.invite((ALICE, 0), BOB);
    world.run();
    assert!(world.group((BOB, 0)).is_invited());
    world.accept((BOB, 0));
    world.run();
    world.send((ALICE, 0), "sebelum").unwrap();
    world.send((BOB, 0), "sebelum juga").unwrap();
    world.invite((ALICE, 0), CAROL);
    world.run();
    assert_eq!(world.send((CAROL, 0), "belum"), Err(GroupSendError::NotAMember));
    world.accept((CAROL, 0));
    world.run();
    world.send((ALICE, 0), "sesudah").unwrap();
    world.send((BOB, 0), "sesudah juga").unwrap();
    world.run();
    assert_eq!(world.texts((CAROL, 0)), ["sesudah", "sesudah juga"]);
    world.send((CAROL, 0), "halo").unwrap();
    world.run();
    assert_eq!(world.texts((BOB, 0)), ["sebelum", "sesudah", "halo"]);
}

/// P-14.7 and P-14.21. Who leaves reads nothing more; who declines never did.
#[test]
fn who_leaves_or_declines_reads_nothing() {
    let mut world = World::of_members(4, &[1, 1, 1]);
    world.with((BOB, 0), |group, account, now, _| group.leave(account, &[], now)).unwrap();
    world.run();
    assert_eq!(world.members((CAROL, 0)), [ALICE, CAROL]);
    world.send((CAROL, 0), "berdua").unwrap();
    world.run();
    assert!(world.texts((BOB, 0)).is_empty());
    assert_eq!(world.texts((ALICE, 0)), ["berdua"]);
    assert_eq!(world.group((BOB, 0)).role(), None);

    world.invite((ALICE, 0), BOB);
    world.run();
    assert!(world.group((BOB, 0)).is_invited());
    world.with((BOB, 0), |group, account, now, _| group.leave(account, &[], now)).unwrap();
    world.run();
    assert!(!world.group((CAROL, 0)).peers().contains(&world.keys[BOB]), "declined");
}

/// P-15.6. Readers read, and where only admins write, members do; nobody believes a changed program.
#[test]
fn readers_and_members_of_announcement_groups_read_and_do_not_write() {
    let mut world = World::of_members(5, &[1, 1, 1]);
    world.role(BOB, Role::Reader);
    world.run();
    assert_eq!(world.send((BOB, 0), "boleh?"), Err(GroupSendError::MayNotWrite));
    world.send((CAROL, 0), "untuk pembaca").unwrap();
    world.run();
    assert_eq!(world.texts((BOB, 0)), ["untuk pembaca"]);

    world.with((ALICE, 0), |group, account, now, _| group.set(account, Setting::WHO_WRITES, &[2], now)).unwrap();
    // Carol has not heard of it yet, and writes: those who have do not show it.
    world.send((CAROL, 0), "terlambat").unwrap();
    world.run();
    assert_eq!(world.send((CAROL, 0), "boleh?"), Err(GroupSendError::MayNotWrite));
    assert!(!world.texts((ALICE, 0)).contains(&"terlambat"), "{:?}", world.devices[&(ALICE, 0)].told);
    world.send((ALICE, 0), "pengumuman").unwrap();
    world.run();
    assert_eq!(world.texts((CAROL, 0)), ["pengumuman"]);
}

/// Section 15.1. What a relay stores and hands over: a message once, whoever reads it, and after a removal a letter for each
/// device.
#[test]
fn a_short_message_has_150_bytes_and_a_new_chain_for_100_devices_42_kilobytes() {
    let mut world = World::of_members(10, &[1, 2, 1, 1]);
    for at in [(ALICE, 0), (BOB, 0), (CAROL, 0), (DAVE, 0)] {
        world.send(at, "semua sesi berdiri").unwrap();
        world.run();
        world.wait(3_600);
    }
    world.bytes = (0, 0);
    world.send((BOB, 0), "tepat tiga puluh dua bita, ya...").unwrap();
    world.work((BOB, 0));
    assert_eq!(world.bytes, (0, 150));
    world.run();
    world.wait(3_600);

    world.remove((ALICE, 0), DAVE);
    world.run();
    world.wait(3_600);
    world.bytes = (0, 0);
    world.send((BOB, 0), "tepat tiga puluh dua bita, ya...").unwrap();
    world.work((BOB, 0));
    let letters = world.mail.iter().filter(|(.., mail)| matches!(mail, super::world::Mail::Letter(_))).count();
    assert_eq!((letters, world.bytes.1), (3, 150), "to Alice, Carol and Bob's other device");
    let each = world.bytes.0.div_ceil(letters);
    assert!(99 * each + 150 <= 42_000, "{each}");
}

/// P-15.15. Whoever has a link is told of the group by a member, and joins; whoever has none, or one that was closed, is told
/// nothing.
#[test]
fn who_has_a_link_is_told_of_the_group_and_joins_by_it() {
    let mut world = World::new(9, &[1, 2, 1]);
    world.found();
    let open = |policy| {
        move |group: &mut Group, account: &Account, now, rng: &mut rand::rngs::StdRng| {
            group.open_link(account, policy, now, rng).unwrap()
        }
    };
    let link = world.with((ALICE, 0), open(LinkPolicy::Member));
    let asks = world.with((ALICE, 0), open(LinkPolicy::Ask));
    let closed = world.with((ALICE, 0), open(LinkPolicy::Member));
    world.with((ALICE, 0), |group, account, now, _| group.close_link(account, closed.id(), &[], now)).unwrap();
    let identity = *world.devices[&(ALICE, 0)].account.identity().public();
    let alice = MemberDevice { account: world.keys[ALICE], device: 0, identity };

    world.knock((BOB, 0), &closed, alice);
    let mut guessed = link.expose_bytes();
    guessed[79] ^= 1;
    world.knock((BOB, 0), &LinkSecret::from_bytes(&guessed).unwrap(), alice);
    world.run();
    assert!(world.devices[&(BOB, 0)].group.is_none());
    assert_eq!(world.devices[&(ALICE, 0)].told.iter().filter(|told| told.contains("NotPermitted")).count(), 2);

    world.knock((BOB, 0), &link, alice);
    world.run();
    assert!(!world.group((BOB, 0)).is_invited() && world.group((BOB, 0)).role().is_none());
    world.with((BOB, 0), |group, account, now, rng| group.join(account, &link, now, rng)).unwrap();
    world.run();
    assert_eq!((world.members((ALICE, 0)), world.members((BOB, 1))), (vec![ALICE, BOB], vec![ALICE, BOB]));
    world.send((BOB, 0), "lewat tautan").unwrap();
    world.run();
    assert_eq!((world.texts((ALICE, 0)), world.texts((BOB, 1))), (vec!["lewat tautan"], vec!["lewat tautan"]));

    world.knock((CAROL, 0), &asks, alice);
    world.run();
    world.with((CAROL, 0), |group, account, now, rng| group.join(account, &asks, now, rng)).unwrap();
    world.run();
    assert_eq!(world.members((BOB, 0)), [ALICE, BOB]);
    let request = *world.group((ALICE, 0)).membership().state().requests().next().unwrap();
    world.with((ALICE, 0), |group, account, now, _| group.admit_request(account, &request, now)).unwrap();
    world.run();
    world.send((CAROL, 0), "boleh masuk").unwrap();
    world.run();
    assert_eq!(world.texts((BOB, 0)), ["boleh masuk"], "{:?}", world.devices[&(BOB, 0)].told);
}

/// P-15.4. A group that its owner has ended is read, and written in no more.
#[test]
fn nobody_writes_in_a_group_that_has_ended() {
    let mut world = World::of_members(8, &[1, 1]);
    world.with((ALICE, 0), |group, account, now, _| group.end(account, now)).unwrap();
    world.run();
    for at in [(ALICE, 0), (BOB, 0)] {
        assert!(world.group(at).membership().state().is_ended());
        assert_eq!(world.send(at, "halo"), Err(GroupSendError::ReadOnly));
    }
}

/// P-14.7. A device that its owner has unlinked reads nothing that is written by somebody who knows the new list.
#[test]
fn an_unlinked_device_reads_nothing_more() {
    let mut world = World::of_members(6, &[1, 2, 1]);
    world.send((ALICE, 0), "semua").unwrap();
    world.run();
    let mut laptop = world.unlink(BOB, 1);
    for at in [(ALICE, 0), (CAROL, 0)] {
        let list = world.lists[BOB].last().unwrap().clone();
        world.with(at, |group, account, now, _| group.learn(account, &list, now)).unwrap();
        world.send(at, "tanpa laptop").unwrap();
        let sent = world.flush(at).unwrap();
        assert!(sent.to.iter().all(|device| device.identity != *laptop.account.identity().public()));
        // The relay hands it over all the same.
        for message in &sent.messages {
            let from = (world.keys[at.0], at.1);
            let arrival = bisik::group::GroupArrival { from, message: message.clone() };
            let results = laptop.group.as_mut().unwrap().receive(&laptop.account, &[arrival], world.now);
            assert!(results[0].is_err());
        }
        world.hand_over(at, sent);
    }
    world.run();
    assert_eq!(world.texts((BOB, 0)), ["semua", "tanpa laptop", "tanpa laptop"]);
    // A device that is linked later reads from then on.
    let tablet = world.link(BOB);
    world.run();
    world.wait(DAY);
    for at in [(ALICE, 0), (CAROL, 0)] {
        let list = world.lists[BOB].last().unwrap().clone();
        world.with(at, |group, account, now, _| group.learn(account, &list, now)).unwrap();
        world.send(at, "dengan tablet").unwrap();
    }
    world.run();
    assert_eq!(
        world.texts((BOB, tablet)),
        ["dengan tablet", "dengan tablet"],
        "{:?}",
        world.devices[&(BOB, tablet)].told
    );
}

/// P-15.4. Whom a message does not reach is said, with the reason.
#[test]
fn who_does_not_read_is_named_with_the_reason() {
    let mut world = World::of_members(7, &[1, 1, 1]);
    world.now = world.now.plus_seconds(29 * DAY);
    for who in [ALICE, CAROL] {
        let now = world.now;
        let list = world.at((who, 0)).account.maintain(None, now, &mut rand::rng()).unwrap().list;
        let renewed = list.expect("a list for the next month");
        world.lists[who].push(renewed);
    }
    world.run();
    world.now = world.now.plus_seconds(3 * DAY);
    let (list, carol) = (world.lists[CAROL].last().unwrap().clone(), world.keys[CAROL]);
    world.with((ALICE, 0), |group, account, now, _| group.learn(account, &list, now)).unwrap();
    let readers = world.with((ALICE, 0), |group, account, now, _| group.readers(account, &[], now));
    assert!(readers.iter().all(|reader| (reader.account == carol) == reader.left_out.is_none()), "{readers:?}");
    let bob = readers.iter().find(|reader| reader.account == world.keys[BOB]).unwrap();
    assert_eq!(bob.left_out, Some(LeftOut::ListExpired));
}

/// P-13.5. What a user does on one device counts on the others at once, and the device's list is known there.
#[test]
fn what_a_companion_does_counts_on_the_accounts_other_devices() {
    let mut world = World::of_members(11, &[2, 1, 1]);
    let carol = world.keys[CAROL];
    world.with((ALICE, 1), |group, account, now, _| group.remove(account, &carol, &[], now)).unwrap();
    world.run();
    for at in [(ALICE, 0), (ALICE, 1), (BOB, 0)] {
        assert_eq!(world.members(at), [ALICE, BOB], "{at:?}");
    }
    world.send((ALICE, 0), "berdua").unwrap();
    world.run();
    assert_eq!((world.texts((BOB, 0)), world.texts((ALICE, 1))), (vec!["berdua"], vec!["berdua"]));
    assert!(world.texts((CAROL, 0)).is_empty());
}
