//! Addressed envelopes: what a relay and a receiving device read from the bytes that a transport carries.

use bisik::Conversation;
use bisik::IdentityKeyError;
use bisik::conversation::{
    Arrival, ConversationId, DeviceAddress, Envelope, EnvelopeError, EnvelopeHeader, ReceiveError, Recipients, Side,
};
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);

/// The device whose mailbox a relay puts an envelope into; it knows accounts by their bytes.
fn mailbox(accounts: &Accounts, header: &EnvelopeHeader) -> At {
    let is = |who: usize| accounts.devices[&(who, 0)].account.key().to_bytes() == *header.receiver_account();
    (usize::from(!is(0)), header.receiver_index())
}

/// Delivers everything in flight as bytes, until nothing moves. Returns how many were of peers and how many of own devices.
fn carry(accounts: &mut Accounts) -> (usize, usize) {
    let (mut of_peers, mut of_own) = (0, 0);
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        let bytes = envelope.to_bytes();
        assert_eq!(bytes.len(), EnvelopeHeader::LENGTH + envelope.ciphertext.as_bytes().len());
        let at_relay = Envelope::from_bytes(&bytes).unwrap();
        assert_eq!((at_relay.to, at_relay.header()), (envelope.to, envelope.header()));
        assert_eq!(mailbox(accounts, &at_relay.header()), to);

        let now = accounts.now;
        let device = accounts.devices.get_mut(&to).unwrap();
        let (header, arrival) = Arrival::from_bytes(&bytes, &device.account).unwrap();
        assert_eq!((header, arrival.ciphertext.as_bytes()), (envelope.header(), envelope.ciphertext.as_bytes()));
        let talk = device.conversation.as_mut().unwrap();
        if to.0 == from.0 {
            of_own += 1;
            assert_eq!((header.conversation(), arrival.from), (None, DeviceAddress::own(from.1)));
            let found = || Conversation::find(&device.account, &arrival, now).map(|found| found.conversation);
            assert!(talk.reads(&device.account, &arrival) || found() == Ok(talk.id()));
        } else {
            of_peers += 1;
            assert_eq!((header.conversation(), arrival.from), (Some(talk.id()), DeviceAddress::peer(from.1)));
        }
        let result = talk.receive(&mut device.account, &[arrival], now).remove(0);
        assert!(matches!(result, Ok(()) | Err(ReceiveError::Duplicate)), "{result:?}");
        let _stored = device.store(&mut accounts.rng);
        device.settle();
        for at in accounts.everyone() {
            accounts.flush(at);
        }
    }
    (of_peers, of_own)
}

/// P-12.59, P-12.60, P-12.61
#[test]
fn a_transport_that_carries_bytes_brings_each_message_to_its_conversation() {
    let mut accounts = Accounts::new(300, [2, 2]);
    accounts.send(ALICE, b"halo").unwrap();
    let first = carry(&mut accounts);
    accounts.send(BOB, b"hai").unwrap();
    let second = carry(&mut accounts);
    accounts.write((0, 1), b"read", Recipients::OwnDevices).unwrap();
    accounts.flush((0, 1));
    let private = carry(&mut accounts);
    assert!(
        first.0 >= 2 && first.1 >= 1 && second.0 >= 2 && second.1 >= 1 && private.1 >= 1,
        "{first:?} {second:?} {private:?}"
    );
    for at in accounts.everyone() {
        let texts: Vec<_> = accounts.shown(at).into_iter().map(|(_, text)| text).collect();
        assert!(
            (at == ALICE || texts.contains(&b"halo".to_vec())) && (at == BOB || texts.contains(&b"hai".to_vec())),
            "{at:?}: {texts:?}"
        );
    }
    assert!(accounts.shown(ALICE).contains(&("own".into(), b"read".to_vec())));
}

fn envelope_to(side: Side) -> (Accounts, Envelope) {
    let mut accounts = Accounts::new(301, [2, 1]);
    accounts.send(ALICE, b"halo").unwrap();
    let envelope = accounts.mail.iter().find(|(_, _, envelope)| envelope.to.side == side).unwrap().2.clone();
    (accounts, envelope)
}

/// P-12.60
#[test]
fn an_envelope_for_another_device_is_refused() {
    let (accounts, envelope) = envelope_to(Side::Own);
    let bytes = envelope.to_bytes();
    for (at, device) in &accounts.devices {
        let read = Arrival::from_bytes(&bytes, &device.account).map(|(header, _)| header);
        assert_eq!(
            read,
            if *at == (0, 1) { Ok(envelope.header()) } else { Err(EnvelopeError::OtherReceiver) },
            "{at:?}"
        );
    }
}

/// P-12.60
#[test]
fn a_device_that_was_removed_takes_no_envelopes() {
    let (mut accounts, envelope) = envelope_to(Side::Own);
    let mut removed = accounts.remove(0, 1);
    assert!(Arrival::from_bytes(&envelope.to_bytes(), &removed.account).is_ok());
    let newest = accounts.lists[0].last().unwrap().clone();
    removed.account.accept_devices(&[newest], accounts.now).unwrap();
    assert_eq!(removed.account.index(), None);
    let read = Arrival::from_bytes(&envelope.to_bytes(), &removed.account);
    assert_eq!(read.err(), Some(EnvelopeError::OtherReceiver));
}

/// P-12.59, P-12.60
#[test]
fn bytes_that_are_no_envelope_are_refused() {
    let (accounts, envelope) = envelope_to(Side::Peer);
    let (bytes, bob) = (envelope.to_bytes(), &accounts.devices[&BOB].account);
    let read = |bytes: &[u8]| (Envelope::from_bytes(bytes).map(drop), Arrival::from_bytes(bytes, bob).map(drop));
    let refused = |error| (Err(error), Err(error));
    assert_eq!(read(&bytes), (Ok(()), Ok(())));
    let least = EnvelopeHeader::LENGTH + 1 + 1_208 + 132;
    for length in (0..least).step_by(7).chain([EnvelopeHeader::LENGTH, least - 1]) {
        assert_eq!(read(&bytes[..length]), refused(EnvelopeError::Malformed), "{length}");
    }
    let with = |at: usize, byte: u8| [&bytes[..at], &[byte], &bytes[at + 1..]].concat();
    assert_eq!(read(&with(0, 0)), refused(EnvelopeError::Malformed));
    for later in [2, 0x80, 0xff] {
        assert_eq!(read(&with(0, later)), refused(EnvelopeError::UnsupportedVersion(later)));
        assert_eq!(read(&[later]), refused(EnvelopeError::UnsupportedVersion(later)), "whatever follows");
    }
    assert_eq!(read(&with(EnvelopeHeader::LENGTH, 0x23)), refused(EnvelopeError::Malformed), "no kind of message");

    let mut longest = bytes.clone();
    longest.resize(Envelope::LONGEST, 0);
    assert_eq!(read(&longest), (Ok(()), Ok(())));
    longest.push(0);
    assert_eq!(read(&longest), refused(EnvelopeError::Malformed));
}

/// P-12.3, P-12.60: The bytes of an account are what somebody claims. They become a key only by the checks of a key.
#[test]
fn a_claimed_account_is_not_a_key_before_it_was_checked() {
    let (accounts, envelope) = envelope_to(Side::Peer);
    let (mut bytes, bob) = (envelope.to_bytes(), &accounts.devices[&BOB].account);
    assert_eq!(envelope.header().sender(), Ok(*accounts.devices[&ALICE].account.key()));
    bytes[69..133].fill(0);
    let (header, arrival) = Arrival::from_bytes(&bytes, bob).unwrap();
    assert_eq!(header.sender(), Err(IdentityKeyError::LowOrder));
    assert_eq!((arrival.from, header.sender_account()), (DeviceAddress::peer(0), &[0; 64]));
    let known = ConversationId::between(accounts.devices[&ALICE].account.key(), bob.key());
    assert_ne!(header.conversation(), Some(known));
}

/// P-12.3: A relay that changes the sender's index or account has the message read by nobody.
#[test]
fn a_relay_that_changes_the_addresses_is_not_believed() {
    let mut accounts = Accounts::new(302, [1, 2]);
    accounts.send(ALICE, b"halo").unwrap();
    accounts.settle();
    accounts.send(BOB, b"hai").unwrap();
    accounts.settle();
    accounts.send(BOB, b"apa kabar?").unwrap();
    let bytes = accounts.mail.iter().find(|(to, ..)| *to == ALICE).unwrap().2.to_bytes();
    let now = accounts.now;
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let shown = alice.shown.clone();
    let own = alice.account.key().to_bytes();
    for (at, value) in [(136, [1].as_slice()), (136, &[9]), (69, &own)] {
        let changed = [&bytes[..at], value, &bytes[at + value.len()..]].concat();
        let (_, arrival) = Arrival::from_bytes(&changed, &alice.account).unwrap();
        let talk = alice.conversation.as_mut().unwrap();
        assert!(!talk.reads(&alice.account, &arrival), "{at}");
        assert!(talk.receive(&mut alice.account, &[arrival], now).remove(0).is_err(), "{at}");
        assert_eq!(alice.shown, shown);
    }
    let (_, arrival) = Arrival::from_bytes(&bytes, &alice.account).unwrap();
    assert_eq!(alice.conversation.as_mut().unwrap().receive(&mut alice.account, &[arrival], now), [Ok(())]);
}
