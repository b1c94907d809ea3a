//! Records of an audience and of a feed, of released formats: each still opens, shows what waited, and gives out the same
//! bytes.

use bisik::conversation::{Arrival, DeviceAddress, IdentityPolicy, Received};
use bisik::device::DeviceTerms;
use bisik::group::status::{Audience, Author, Contacts, Feed, StatusReceived};
use bisik::group::{GroupArrival, GroupId, GroupSent};
use bisik::{Account, Conversation, Trust};

use super::state_golden::{CREATED, Golden, golden, key, nonce};

fn give_out(audience: &mut Audience, account: &Account, contacts: Contacts<'_>) -> GroupSent {
    let outgoing = audience.flush(account, contacts, CREATED).unwrap();
    let stored = audience.seal(&key(), &mut rand::rng()).unwrap().stored();
    outgoing.release(&stored).unwrap().0
}

/// P-6.4, P-16.11: an audience of format 1 that includes one account and excludes another, with a chain, and a status that was not handed over.
#[test]
fn golden_audience_gives_out_the_same_status_again() {
    let account = Account::unseal(&key(), &golden("status-author")).unwrap();
    let id = GroupId::try_from(golden("status-id").as_slice()).unwrap();
    let record = golden("status-audience");
    let mut audience = Audience::unseal(&key(), id, &record).unwrap();
    assert_eq!(audience.seal(&key(), &mut nonce()).unwrap().as_bytes(), record);
    let entries: Vec<_> = audience.entries().map(|entry| (entry.version, entry.included)).collect();
    assert!(entries == [(1, true), (2, false)] || entries == [(2, false), (1, true)], "{entries:?}");
    let sent = give_out(&mut audience, &account, Contacts::default());
    assert_eq!(sent.messages.concat(), golden("status-message"));
    assert_eq!(sent.letters.len(), 1);
}

/// P-6.4, P-16.11: a feed of format 1 with the chain of one device, a status that waits, and one that was taken back before
/// it arrived.
#[test]
fn golden_feed_shows_what_waits() {
    let account = Account::unseal(&key(), &golden("status-author")).unwrap();
    let author = *account.key();
    let record = golden("status-feed");
    let mut feed = Feed::unseal(&key(), author, &record).unwrap();
    assert_eq!(feed.seal(&key(), &mut nonce()).unwrap().as_bytes(), record);
    let waits: Vec<_> = feed.inbox().collect();
    let [(1, StatusReceived::Post { body, until, .. }), (2, StatusReceived::Deleted { .. })] = waits[..] else {
        panic!("{waits:?}")
    };
    assert_eq!((body.as_slice(), *until), (&b"halo"[..], CREATED.plus_seconds(DAY)));
    // The one that was taken back arrives, and one more.
    let reader = Account::unseal(&key(), &golden("status-reader")).unwrap();
    let of = Author { devices: account.devices(), label: None };
    let arrivals = ["status-late", "status-next"].map(|name| GroupArrival { from: (author, 0), message: golden(name) });
    assert_eq!(feed.receive(&reader, of, &arrivals, CREATED), [Ok(()), Ok(())]);
    let stored = feed.seal(&key(), &mut nonce()).unwrap().stored();
    assert!(feed.stored(&stored));
    let last = feed.inbox().last().unwrap();
    assert!(matches!(last, (3, StatusReceived::Post { body, .. }) if body.as_slice() == b"lagi"), "{last:?}");
}

/// The conversation of an account with another one.
fn conversation(of: &Account, with: &Account) -> Conversation {
    Conversation::new(of, with.devices().clone(), &[], IdentityPolicy::Block, CREATED).0
}

/// Carries what is due to the other one.
fn carry((talk, account): (&mut Conversation, &mut Account), (there, other): (&mut Conversation, &mut Account)) {
    let rng = &mut rand::rng();
    let bundle = other.pre_keys().bundle().verify(Trust::OnFirstUse, CREATED).unwrap();
    let outgoing = talk.flush(account, &[(DeviceAddress::peer(0), bundle)], CREATED, rng).unwrap();
    let stored = talk.seal(account, &key(), rng).unwrap().stored();
    assert!(talk.stored(&stored));
    let (envelopes, handover) = outgoing.release(&stored).unwrap();
    talk.handed(handover);
    let from = DeviceAddress::peer(0);
    let arrivals: Vec<_> =
        envelopes.into_iter().map(|envelope| Arrival { from, ciphertext: envelope.ciphertext }).collect();
    assert!(there.receive(other, &arrivals, CREATED).iter().all(Result::is_ok));
    let stored = there.seal(other, &key(), rng).unwrap().stored();
    assert!(there.stored(&stored));
}

/// Writes the files of the tests above.
pub(super) fn write(golden: &Golden) {
    let rng = &mut rand::rng();
    let [mut account, mut bob, carol] = [(); 3].map(|()| Account::create(DeviceTerms::person(), CREATED, rng));
    golden.write("status-author", &account.seal(&key(), rng).unwrap().unwrap().bytes);
    golden.write("status-reader", &bob.seal(&key(), rng).unwrap().unwrap().bytes);
    let mut audience = Audience::create(&account, rng).unwrap();
    audience.include(*bob.key()).unwrap();
    audience.include(*carol.key()).unwrap();
    audience.exclude(carol.key()).unwrap();
    let devices = [&bob.devices().clone()];
    let contacts = Contacts { devices: &devices, labels: &[] };
    let first = audience.post(&account, b"halo", 86_400, contacts, CREATED, rng).unwrap();
    golden.write("status-audience", audience.seal(&key(), &mut nonce()).unwrap().as_bytes());
    golden.write("status-id", audience.id().as_bytes());
    let GroupSent { letters, messages, .. } = give_out(&mut audience, &account, contacts);
    golden.write("status-message", &messages.concat());
    let late = audience.post(&account, b"keliru", 86_400, contacts, CREATED, rng).unwrap();
    assert_eq!((first.index, late.index), (0, 1));
    audience.delete(&account, &[late], contacts, CREATED, rng).unwrap();
    audience.post(&account, b"lagi", 3_600, contacts, CREATED, rng).unwrap();
    let later = give_out(&mut audience, &account, contacts).messages;
    golden.write("status-late", &later[0]);
    golden.write("status-next", &later[2]);

    let (mut at_alice, mut at_bob) = (conversation(&account, &bob), conversation(&bob, &account));
    at_bob.accept();
    at_alice.send_letter(&account, &letters[0], CREATED, rng).unwrap();
    for _ in 0..2 {
        carry((&mut at_alice, &mut account), (&mut at_bob, &mut bob));
        carry((&mut at_bob, &mut bob), (&mut at_alice, &mut account));
    }
    let mut letters = at_bob.inbox().filter_map(|(_, received)| match received {
        Received::Letter { letter, .. } => Some(letter),
        _ => None,
    });
    let mut feed = Feed::new(&bob, *account.key());
    let of = Author { devices: account.devices(), label: None };
    feed.receive_letter(&bob, of, letters.next().unwrap(), CREATED).unwrap();
    let arrivals =
        [&messages[0], &later[1]].map(|message| GroupArrival { from: (*account.key(), 0), message: message.clone() });
    assert_eq!(feed.receive(&bob, of, &arrivals, CREATED), [Ok(()), Ok(())]);
    golden.write("status-feed", feed.seal(&key(), &mut nonce()).unwrap().as_bytes());
}

const DAY: u64 = 24 * 60 * 60;
