//! A business in the group, whose endpoint somebody else runs.

use bisik::group::membership::AdmittedEndpoint;
use bisik::group::{GroupReceiveError, LeftOut};

use super::world::{ALICE, BOB, CAROL, DAVE, DAY, World};

/// P-15.5. A hosted device reads what is written by whoever has agreed to its terms, once the group has admitted it for
/// everybody to see, and nothing of anybody else; nobody else is kept from writing because of it.
#[test]
fn a_hosted_device_reads_only_by_three_words() {
    // Carol is a shop.
    let mut world = World::of_members(21, &[1, 1, 1, 1]);
    let (index, disclosure) = world.host(CAROL);
    let endpoint = (CAROL, index);
    world.run();
    let carol = world.keys[CAROL];
    // Its account lists it, and Alice agrees. That is not enough.
    let now = world.now;
    for who in [ALICE, BOB] {
        let talk = world.at((who, 0)).talks.get_mut(&carol);
        assert!(talk.is_some(), "letters go between all members");
    }
    let alice = world.devices.get_mut(&(ALICE, 0)).unwrap();
    let talk = alice.talks.get_mut(&carol).unwrap();
    let _agreed = talk.consent(&alice.account, &disclosure, now, &mut world.rng).unwrap();
    world.send((ALICE, 0), "belum").unwrap();
    world.run();
    assert!(world.devices[&endpoint].group.is_none(), "{:?}", world.devices[&endpoint].told);
    let readers = world.with((ALICE, 0), |group, account, now, _| group.readers(account, &[], now));
    assert!(readers.iter().any(|reader| reader.left_out == Some(LeftOut::NotAdmitted)));

    let admitted = AdmittedEndpoint {
        endpoint: *world.devices[&endpoint].account.identity().public(),
        account: carol,
        disclosure: disclosure.hash(),
        until: now.plus_seconds(60 * DAY),
    };
    world.with((ALICE, 0), |group, account, now, _| group.admit(account, admitted, now)).unwrap();
    world.run();
    world.wait(DAY);
    // Alice has agreed; Bob refuses; Dave has not decided.
    let bob = world.devices.get_mut(&(BOB, 0)).unwrap();
    let talk = bob.talks.get_mut(&carol).unwrap();
    let _refused = talk.refuse(&bob.account, &disclosure, now, &mut world.rng).unwrap();
    for (who, text) in [(ALICE, "dari Alice"), (BOB, "dari Bob"), (DAVE, "dari Dave"), (CAROL, "dari toko")] {
        world.send((who, 0), text).unwrap();
        world.run();
    }
    let all = ["dari Alice", "dari Bob", "dari Dave"];
    assert_eq!(world.texts((CAROL, 0))[1..], all, "their telephones read everything");
    assert_eq!(world.texts(endpoint), ["dari Alice", "dari toko"], "{:?}", world.devices[&endpoint].told);
    let left_out = world.with((BOB, 0), |group, account, now, _| group.readers(account, &[], now));
    assert!(left_out.iter().any(|reader| reader.left_out == Some(LeftOut::NoConsent)));

    // Retired, it reads nothing more.
    let key = admitted.endpoint;
    world.with((CAROL, 0), |group, account, now, _| group.retire(account, &key, now)).unwrap();
    world.run();
    world.send((ALICE, 0), "tanpa titipan").unwrap();
    world.run();
    assert_eq!(world.texts(endpoint).len(), 2);
    assert_eq!(world.texts((CAROL, 0)).last(), Some(&"tanpa titipan"));
}

/// P-12.58. A hosted device decrypts nothing before it knows what is disclosed of it.
#[test]
fn a_hosted_device_without_its_disclosure_decrypts_nothing() {
    let mut world = World::of_members(22, &[1, 1]);
    let (index, disclosure) = world.host(BOB);
    let endpoint = (BOB, index);
    let admitted = AdmittedEndpoint {
        endpoint: *world.devices[&endpoint].account.identity().public(),
        account: world.keys[BOB],
        disclosure: disclosure.hash(),
        until: world.now.plus_seconds(60 * DAY),
    };
    world.with((ALICE, 0), |group, account, now, _| group.admit(account, admitted, now)).unwrap();
    world.run();
    world.wait(DAY);
    let list = world.lists[BOB].last().unwrap().clone();
    let (key, now) = (world.keys[BOB], world.now);
    let device = world.at(endpoint);
    let identity = bisik::Identity::unseal(
        &bisik::StorageKey::from_bytes([1; 32]),
        b"copy",
        &device.account.identity().seal(&bisik::StorageKey::from_bytes([1; 32]), b"copy", &mut rand::rng()),
    );
    let forgetful = bisik::Account::join(identity.unwrap(), &key, &list, now, &mut rand::rng()).unwrap();
    let group = device.group.as_mut().unwrap();
    let arrival = bisik::group::GroupArrival { from: (key, 0), message: vec![1; 200] };
    assert_eq!(group.receive(&forgetful, &[arrival], now), [Err(GroupReceiveError::DisclosureNeeded)]);
}
