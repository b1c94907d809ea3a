//! `transport`: addressed envelopes as a relay and a device read them, against the layout of docs/spec/conversations.md,
//! section 12.10.

use std::sync::LazyLock;

use bisik::conversation::{Arrival, ConversationId, DeviceAddress, Envelope, EnvelopeError, EnvelopeHeader};
use bisik::device::{AccountKey, DeviceTerms};
use bisik::{Account, Ciphertext, Timestamp};

use super::fixtures::{PRE_KEY_MESSAGES, Repeatable, SESSIONS};
use super::input::Input;

/// The device that reads: the primary one, 0, of its account.
static US: LazyLock<Account> = LazyLock::new(|| {
    Account::create(DeviceTerms::person(), Timestamp::from_unix_seconds(1_800_000_000), &mut Repeatable(0x76))
});

/// Account keys: that of the device that reads, that of another account, and bytes that are no key.
static ACCOUNTS: LazyLock<[[u8; 64]; 3]> = LazyLock::new(|| {
    let them = AccountKey::of(&bisik::Identity::generate(&mut Repeatable(0x77)));
    [US.key().to_bytes(), them.to_bytes(), [0xff; 64]]
});

/// Envelopes of a peer, of an own device, for another device of this account, for another account, and of a stranger
/// whose account is no key.
static GENUINE: LazyLock<[Vec<u8>; 5]> = LazyLock::new(|| {
    let [us, them, none] = &*ACCOUNTS;
    let (first, ordinary) = (&PRE_KEY_MESSAGES[0].bytes, &SESSIONS[1].messages[0].bytes);
    let addressed = |to: &[u8], index: u32, from: &[u8], of: u32, message: &[u8]| {
        [&[1], to, &index.to_be_bytes(), from, &of.to_be_bytes(), message].concat()
    };
    [
        addressed(us, 0, them, 2, ordinary),
        addressed(us, 0, us, 1, ordinary),
        addressed(us, 1, us, 0, first),
        addressed(them, 0, us, 0, first),
        addressed(us, 0, none, u32::MAX, first),
    ]
});

/// One of the envelopes that this target edits.
pub fn genuine(number: usize) -> Envelope {
    Envelope::from_bytes(&GENUINE[number]).expect("it is one")
}

pub fn transport(data: &[u8]) {
    let bytes = Input::new(data).edited(&*GENUINE);
    let header = header(&bytes);
    assert_eq!(EnvelopeHeader::from_bytes(&bytes).map(|header| parts(&header)), header);
    let expected = header.and_then(|header| {
        let message = bytes.get(137..).filter(|_| bytes.len() <= 524_288).ok_or(EnvelopeError::Malformed)?;
        Ok((header, Ciphertext::from_bytes(message).map_err(|_| EnvelopeError::Malformed)?))
    });

    let envelope = Envelope::from_bytes(&bytes);
    let read = envelope.clone().map(|envelope| (parts(&envelope.header()), envelope.ciphertext));
    assert_eq!(read, expected);
    if let Ok(envelope) = &envelope {
        assert_eq!(envelope.to_bytes(), bytes, "decoded values have one encoding");
    }

    let arrival = Arrival::from_bytes(&bytes, &US);
    match expected {
        Err(error) => assert_eq!(arrival.err(), Some(error)),
        Ok((Parts { receiver, receiver_index, .. }, _)) if (receiver, receiver_index) != (ACCOUNTS[0], 0) => {
            assert_eq!(arrival.err(), Some(EnvelopeError::OtherReceiver));
        }
        Ok((parts_of, ciphertext)) => {
            let (header, arrival) = arrival.expect("it is for this device");
            assert_eq!((parts(&header), &arrival.ciphertext), (parts_of, &ciphertext));
            let is_own = parts_of.sender == ACCOUNTS[0];
            let from = if is_own { DeviceAddress::own } else { DeviceAddress::peer };
            assert_eq!(arrival.from, from(parts_of.sender_index));
            // Only what is of two accounts says for which conversation it is, and then for that of the two.
            let known = header.sender().ok().filter(|_| !is_own);
            let id = known.map(|sender| ConversationId::between(US.key(), &sender));
            assert_eq!(header.conversation().is_none(), is_own);
            assert!(id.is_none() || header.conversation() == id);
        }
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parts {
    receiver: [u8; 64],
    receiver_index: u32,
    sender: [u8; 64],
    sender_index: u32,
}

fn parts(header: &EnvelopeHeader) -> Parts {
    Parts {
        receiver: *header.receiver_account(),
        receiver_index: header.receiver_index(),
        sender: *header.sender_account(),
        sender_index: header.sender_index(),
    }
}

fn header(bytes: &[u8]) -> Result<Parts, EnvelopeError> {
    match bytes {
        [later @ 2..=255, ..] => Err(EnvelopeError::UnsupportedVersion(*later)),
        [1, fields @ ..] if fields.len() >= 136 => {
            let account = |at: usize| *fields[at..].first_chunk().expect("a header is as long");
            let index = |at: usize| u32::from_be_bytes(*fields[at..].first_chunk().expect("a header is as long"));
            Ok(Parts { receiver: account(0), receiver_index: index(64), sender: account(68), sender_index: index(132) })
        }
        _ => Err(EnvelopeError::Malformed),
    }
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let edited = |number: u8, edits: &[[u8; 4]]| [&[number, edits.len() as u8], edits.as_flattened()].concat();
    vec![
        ("of_a_peer", edited(0, &[])),
        ("of_an_own_device", edited(1, &[])),
        ("for_an_own_device", edited(2, &[])),
        ("for_another_account", edited(3, &[])),
        ("of_no_key", edited(4, &[])),
        ("later_version", edited(0, &[[0, 3, 0, 0]])),
        ("version_zero", edited(0, &[[0, 1, 0, 0]])),
        ("later_version_alone", edited(0, &[[0, 3, 0, 0], [1, 0, 0, 1]])),
        ("header_alone", edited(0, &[[1, 0, 0, 137]])),
        ("header_truncated", edited(0, &[[1, 0, 0, 136]])),
        ("message_truncated", edited(0, &[[1, 0, 1, 0]])),
        ("other_index", edited(0, &[[0, 1, 0, 68]])),
        ("other_account", edited(0, &[[0, 1, 0, 1]])),
        ("unknown_kind_of_message", edited(0, &[[0, 1, 0, 137]])),
        ("empty", edited(0, &[[1, 0, 0, 0]])),
    ]
}
