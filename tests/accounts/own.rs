//! Copies of what one's own devices write, and notes to oneself.

use bisik::Conversation;
use bisik::conversation::{Arrival, DeviceAddress, IdentityPolicy, ReceiveError, Received, Recipients, Side};
use bisik_testkit::accounts::{Accounts, At};

const PHONE: At = (0, 0);
const LAPTOP: At = (0, 1);

/// P-12.56: The laptop has never seen the conversation. Its relay, and its server, are believed nothing.
#[test]
fn a_copy_finds_its_conversation_on_a_device_that_does_not_have_it_yet() {
    let mut accounts = Accounts::new(90, [2, 1]);
    accounts.devices.get_mut(&LAPTOP).unwrap().conversation = None;
    let peer = *accounts.devices[&(1, 0)].account.key();
    accounts.send(PHONE, b"halo").unwrap();
    let copy = accounts.mail.iter().find(|(to, ..)| *to == LAPTOP).unwrap().2.clone();
    let arrival = Arrival { from: DeviceAddress::own(0), ciphertext: copy.ciphertext };
    let laptop = &accounts.devices[&LAPTOP];
    let found = Conversation::find(&laptop.account, &arrival, accounts.now).unwrap();
    assert_eq!(found.peer, peer, "the key that the telephone has pinned, not the one that a server names");
    let id = accounts.devices[&PHONE].conversation.as_ref().unwrap().id();
    assert_eq!(found.conversation, id);

    // It is only for own devices: nobody else can name an account key here.
    let of_peer = accounts.mail.iter().find(|(to, ..)| *to == (1, 0)).unwrap().2.clone();
    let arrival = Arrival { from: DeviceAddress::own(0), ciphertext: of_peer.ciphertext.clone() };
    let found = Conversation::find(&accounts.devices[&(1, 0)].account, &arrival, accounts.now);
    assert_eq!(found, Err(ReceiveError::UnknownDevice));
    let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext: of_peer.ciphertext };
    assert!(Conversation::find(&laptop.account, &arrival, accounts.now).is_err());

    accounts.open(LAPTOP, IdentityPolicy::Block);
    accounts.settle();
    let shown: Vec<_> = accounts.shown(LAPTOP);
    assert_eq!(shown, [("sent".into(), b"halo".to_vec())]);
}

/// The sender on the envelope is the own account: a program that begins a conversation with whoever writes must not lose
/// the copy in it.
#[test]
fn a_copy_that_is_given_to_the_note_to_oneself_is_refused_and_can_still_be_received() {
    let mut accounts = Accounts::new(94, [2, 1]);
    let own = accounts.directory(0);
    accounts.send(PHONE, b"halo").unwrap();
    let copy = accounts.mail.iter().find(|(to, ..)| *to == LAPTOP).unwrap().2.clone();
    let (now, arrival) = (accounts.now, Arrival { from: DeviceAddress::own(0), ciphertext: copy.ciphertext });
    let laptop = accounts.devices.get_mut(&LAPTOP).unwrap();
    let (mut note, _) = Conversation::new(&laptop.account, own, &[], IdentityPolicy::Block, now);
    let before = note.revision();
    let refused = note.receive(&mut laptop.account, std::slice::from_ref(&arrival), now);
    assert_eq!(refused, [Err(ReceiveError::AnotherConversation)]);
    assert_eq!(note.revision(), before, "and nothing has changed");
    let conversation = laptop.conversation.as_mut().unwrap();
    assert_eq!(Conversation::find(&laptop.account, &arrival, now).unwrap().conversation, conversation.id());
    assert_eq!(conversation.receive(&mut laptop.account, &[arrival], now), [Ok(())]);
}

#[test]
fn a_copy_is_given_to_the_conversation_that_reads_it() {
    let mut accounts = Accounts::new(91, [2, 1]);
    accounts.send(PHONE, b"halo").unwrap();
    accounts.settle();
    accounts.send(LAPTOP, b"hai").unwrap();
    accounts.settle();
    accounts.send(PHONE, b"apa kabar?").unwrap();
    let copy = accounts.mail.iter().find(|(to, ..)| *to == LAPTOP).unwrap().2.clone();
    let arrival = Arrival { from: DeviceAddress::own(0), ciphertext: copy.ciphertext };
    let (now, other) = (accounts.now, Accounts::new(92, [1, 1]).directory(1));
    let laptop = accounts.devices.get_mut(&LAPTOP).unwrap();
    let (mut elsewhere, _) = Conversation::new(&laptop.account, other, &[], IdentityPolicy::Block, now);
    assert!(!elsewhere.reads(&laptop.account, &arrival));
    let conversation = laptop.conversation.as_mut().unwrap();
    let revision = conversation.revision();
    assert!(conversation.reads(&laptop.account, &arrival));
    assert_eq!(conversation.revision(), revision, "and nothing has changed");
    assert_eq!(conversation.receive(&mut laptop.account, &[arrival], now), [Ok(())]);
}

#[test]
fn a_note_to_oneself_reaches_ones_other_devices_and_nobody_else() {
    let mut accounts = Accounts::new(93, [3, 1]);
    let own = accounts.directory(0);
    for at in accounts.everyone().into_iter().filter(|at| at.0 == 0) {
        let device = accounts.devices.get_mut(&at).unwrap();
        let (talk, _) = Conversation::new(&device.account, own.clone(), &[], IdentityPolicy::Block, accounts.now);
        assert!(talk.is_with_oneself(&device.account));
        device.conversation = Some(talk);
        device.database.clear();
        let record = device.account.seal(&device.key, &mut accounts.rng).unwrap();
        assert!(record.is_none_or(|record| record.revision > 0));
    }
    let text = b"buy coffee";
    let phone = accounts.devices.get_mut(&PHONE).unwrap();
    let conversation = phone.conversation.as_mut().unwrap();
    conversation.send(&phone.account, text, Recipients::All, accounts.now, &mut accounts.rng).unwrap();
    let due = conversation.due(&phone.account, accounts.now);
    assert!(due.bundles.iter().all(|needed| needed.device.side == Side::Own && needed.device.index != 0));
    assert_eq!(due.bundles.len(), 2, "not itself");
    // A relay that says a note comes from the peer's side says nothing.
    let arrival = Arrival { from: DeviceAddress::peer(1), ciphertext: vec![0x22; 200].try_into().unwrap() };
    let result = conversation.receive(&mut phone.account, &[arrival], accounts.now);
    assert_eq!(result, [Err(ReceiveError::UnknownDevice)]);
}

/// P-12.33: Own copies name the writing device: a laptop's messages look like its own on the telephone.
#[test]
fn a_copy_says_which_own_device_wrote_it() {
    let mut accounts = Accounts::new(94, [2, 1]);
    accounts.send(LAPTOP, b"one").unwrap();
    accounts.settle();
    accounts.send(LAPTOP, b"two").unwrap();
    let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == PHONE).unwrap().clone();
    assert_eq!(from, LAPTOP);
    let phone = accounts.devices.get_mut(&to).unwrap();
    let arrival = Arrival { from: DeviceAddress::own(1), ciphertext: envelope.ciphertext };
    let conversation = phone.conversation.as_mut().unwrap();
    assert_eq!(conversation.receive(&mut phone.account, &[arrival], accounts.now), [Ok(())]);
    let stored = phone.store(&mut accounts.rng);
    drop(stored);
    let phone = &accounts.devices[&PHONE];
    let sent = phone.conversation.as_ref().unwrap().inbox().find_map(|(_, received)| match received {
        Received::Sent { from, body, .. } => Some((*from, body.sender().identity(), body.payload().to_vec())),
        _ => None,
    });
    let laptop = accounts.devices[&LAPTOP].account.identity().public();
    assert_eq!(sent, Some((DeviceAddress::own(1), laptop, b"two".to_vec())));
}

/// P-12.51: a stranger writes to both devices; the user answers on the telephone only.
#[test]
fn what_one_device_writes_to_a_stranger_accepts_it_on_the_others() {
    let mut accounts = Accounts::new(95, [2, 1]);
    let directory = accounts.directory(1);
    for at in [PHONE, LAPTOP] {
        let device = accounts.devices.get_mut(&at).unwrap();
        let (talk, _) = Conversation::new(&device.account, directory.clone(), &[], IdentityPolicy::Block, accounts.now);
        device.conversation = Some(talk);
    }
    accounts.send((1, 0), b"hello?").unwrap();
    accounts.settle();
    let accepted = |accounts: &Accounts, at| accounts.devices[&at].conversation.as_ref().unwrap().is_accepted();
    assert!(!accepted(&accounts, PHONE) && !accepted(&accounts, LAPTOP));
    accounts.write(PHONE, b"a draft", Recipients::OwnDevices).unwrap();
    accounts.settle();
    assert!(!accepted(&accounts, LAPTOP), "what is for own devices only says nothing of the peer");
    accounts.send(PHONE, b"hi").unwrap();
    accounts.settle();
    assert!(accepted(&accounts, LAPTOP));
    let shown = accounts.shown(LAPTOP);
    assert!(shown.contains(&("own".into(), b"a draft".to_vec())) && shown.contains(&("sent".into(), b"hi".to_vec())));
    let peer = accounts.devices[&(1, 0)].conversation.as_ref().unwrap();
    assert_eq!(peer.unacknowledged_messages(), 0, "both have acknowledged");
}
