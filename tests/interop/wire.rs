//! Messages as bytes: decoding agrees with prost, and malformed messages are refused.

use bisik::interop::signal::{Ciphertext, KeyPair, MessageKind};
use bisik::interop::signal::{Distribution, GroupHeader, SenderKeyFormat};
use proptest::prelude::*;
use prost::Message;

use super::forged::{PreKeyFields, WhisperFields, whisper, whole};
use super::pair::Device;

fn key(seed: u8) -> Vec<u8> {
    KeyPair::from_secret_bytes([seed; 32]).public().to_bytes().to_vec()
}

/// Checks that bytes accepted by both decoders mean the same to both. Prost accepts more: it checks neither keys nor
/// required fields.
fn same_as_prost(kind: MessageKind, bytes: &[u8]) -> bool {
    let Ok(message) = Ciphertext::from_parts(kind, bytes) else { return false };
    let header = message.header().unwrap();
    let inner = match kind {
        MessageKind::PreKey => {
            let fields = PreKeyFields::decode(&bytes[1..]).unwrap();
            let pre_key = header.pre_key.unwrap();
            assert_eq!(fields.registration_id.unwrap_or(0), pre_key.registration_id);
            assert_eq!(fields.pre_key_id, pre_key.pre_key_id);
            assert_eq!(fields.signed_pre_key_id, Some(pre_key.signed_pre_key_id));
            assert_eq!(fields.base_key, Some(pre_key.base_key.to_bytes().to_vec()));
            assert_eq!(fields.identity_key, Some(pre_key.identity.to_bytes().to_vec()));
            assert_eq!(bytes[0], pre_key.version);
            fields.message.unwrap()
        }
        MessageKind::Whisper | _ => {
            assert_eq!(header.pre_key, None);
            bytes.to_vec()
        }
    };
    let fields = WhisperFields::decode(&inner[1..inner.len() - 8]).unwrap();
    assert_eq!(fields.ratchet_key, Some(header.ratchet_key.to_bytes().to_vec()));
    assert_eq!(fields.counter, Some(header.counter));
    assert_eq!(fields.previous_counter.unwrap_or(0), header.previous_counter);
    assert_eq!(inner[0], header.version);
    true
}

/// Distributions, and messages without their signature, in the short form.
#[derive(Clone, PartialEq, prost::Message)]
struct Short {
    #[prost(uint32, optional, tag = "1")]
    id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    content: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    signing: Option<Vec<u8>>,
}

/// The same in the long form, with the name of a distribution.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(bytes = "vec", optional, tag = "1")]
    distribution: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    id: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    content: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    signing: Option<Vec<u8>>,
}

fn group_as_prost(format: SenderKeyFormat, id: u32, iteration: u32, signing: Option<Vec<u8>>, fields: &[u8]) {
    let (known, content, known_signing) = match format {
        SenderKeyFormat::WhatsApp => {
            let Short { id, iteration, content, signing } = Short::decode(fields).unwrap();
            ((id, iteration), content, signing)
        }
        SenderKeyFormat::Signal { distribution } => {
            let Named { distribution: name, id, iteration, content, signing } = Named::decode(fields).unwrap();
            assert_eq!(name.as_deref(), Some(distribution.as_slice()));
            ((id, iteration), content, signing)
        }
    };
    assert_eq!(known, (Some(id), Some(iteration)));
    assert!(content.is_some_and(|content| !content.is_empty()));
    assert!(signing.is_none() || signing == known_signing);
}

/// The same for groups: distributions and messages.
fn group_same_as_prost(told: bool, bytes: &[u8]) -> bool {
    if told {
        let Ok(read) = Distribution::from_bytes(bytes) else { return false };
        let again = Distribution::from_bytes(&read.to_bytes()).unwrap();
        let signing = match again.format() {
            SenderKeyFormat::WhatsApp => Short::decode(&again.to_bytes()[1..]).unwrap().signing,
            SenderKeyFormat::Signal { .. } => Named::decode(&again.to_bytes()[1..]).unwrap().signing,
        };
        group_as_prost(read.format(), read.id(), read.iteration(), signing, &bytes[1..]);
    } else {
        let Ok(GroupHeader { format, id, iteration }) = GroupHeader::of(bytes) else { return false };
        group_as_prost(format, id, iteration, None, &bytes[1..bytes.len() - 64]);
    }
    true
}

fn edit(bytes: &mut Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) {
    for (at, what, value) in edits {
        let at = at.index(bytes.len());
        match what {
            0 => bytes[at] = *value,
            1 => bytes.insert(at, *value),
            _ => drop(bytes.remove(at)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// S-4.2. Edited messages: bytes changed, inserted and removed.
    #[test]
    fn messages_decode_as_prost_decodes_them(
        open in any::<bool>(),
        counter in any::<u32>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..4),
    ) {
        let inner = whisper(&KeyPair::from_secret_bytes([3; 32]).public(), counter, counter / 2, 32);
        let fields = PreKeyFields {
            registration_id: Some(counter), pre_key_id: Some(7), signed_pre_key_id: Some(8),
            base_key: Some(key(1)), identity_key: Some(key(2)), message: Some(inner.clone()),
        };
        let (kind, mut bytes) =
            if open { (MessageKind::PreKey, [&[0x33], fields.encode_to_vec().as_slice()].concat()) } else { (MessageKind::Whisper, inner) };
        edit(&mut bytes, &edits);
        prop_assert!(same_as_prost(kind, &bytes) || !edits.is_empty());
    }

    /// S-11.1. The same for groups.
    #[test]
    fn group_messages_decode_as_prost_decodes_them(
        told in any::<bool>(),
        named in any::<bool>(),
        (id, iteration) in any::<(u32, u32)>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..4),
    ) {
        let (id, iteration, content) = (Some(id), Some(iteration), Some(vec![7; 32]));
        let signing = told.then(|| key(5));
        let fields = if named {
            Named { distribution: Some(vec![9; 16]), id, iteration, content, signing }.encode_to_vec()
        } else {
            Short { id, iteration, content, signing }.encode_to_vec()
        };
        let signature: &[u8] = if told { &[] } else { &[3; 64] };
        let mut bytes = [&[0x33], fields.as_slice(), signature].concat();
        edit(&mut bytes, &edits);
        prop_assert!(group_same_as_prost(told, &bytes) || !edits.is_empty());
    }

    /// No input makes the decoders panic.
    #[test]
    fn any_bytes_are_decoded_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [&[0x33], bytes.as_slice()].concat();
        for kind in [MessageKind::Whisper, MessageKind::PreKey] {
            same_as_prost(kind, &bytes);
            same_as_prost(kind, &versioned);
        }
        for told in [false, true] {
            group_same_as_prost(told, &bytes);
            group_same_as_prost(told, &versioned);
        }
    }
}

/// S-4.1, S-4.2. Prost decodes the fields that this library encoded.
#[test]
fn prost_decodes_encoded_messages() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    for length in [0, 15, 16, 100, 200, 20_000] {
        let message = a.write(&vec![1; length]);
        assert!(same_as_prost(MessageKind::PreKey, message.as_bytes()));
        b.read(&message).unwrap();
        let answer = b.write(&vec![2; length]);
        assert!(same_as_prost(MessageKind::Whisper, answer.as_bytes()));
        assert_eq!(answer.as_bytes()[0], 0x33);
        let header = answer.header().unwrap();
        // Version, key, counter, previous counter, body with its length, tag.
        let lengths = 1 + 35 + 2 + 2 + (length / 16 + 1) * 16 + 8;
        let more = answer.as_bytes().len() - lengths;
        assert!((2..=5).contains(&more), "{header:?}");
    }
}

/// S-4.2
#[test]
fn malformed_messages_are_refused() {
    let good =
        WhisperFields { ratchet_key: Some(key(3)), counter: Some(0), previous_counter: None, body: Some(vec![0; 16]) };
    let read = |version, fields: &WhisperFields| {
        Ciphertext::from_parts(MessageKind::Whisper, &whole(version, &fields.encode_to_vec())).is_ok()
    };
    assert!(read(0x33, &good) && read(0x34, &good));
    for version in [0x00, 0x22, 0x23, 0x32, 0x35, 0x43, 0x44, 0xff] {
        assert!(!read(version, &good), "{version:x}");
    }
    let mut small_order = vec![0; 33];
    small_order[0] = 5;
    for bad in [
        WhisperFields { ratchet_key: None, ..good.clone() },
        WhisperFields { ratchet_key: Some(key(3)[1..].to_vec()), ..good.clone() },
        WhisperFields { ratchet_key: Some(small_order), ..good.clone() },
        WhisperFields { counter: None, ..good.clone() },
        WhisperFields { body: None, ..good.clone() },
        WhisperFields { body: Some(Vec::new()), ..good.clone() },
    ] {
        assert!(!read(0x33, &bad), "{bad:?}");
    }
    // A number above 2^32 as a counter; as the previous counter it does occur.
    let ten = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let with = |tag: u8| [good.encode_to_vec(), vec![tag], ten.to_vec()].concat();
    assert!(Ciphertext::from_parts(MessageKind::Whisper, &whole(0x33, &with(0x10))).is_err());
    let below_zero = Ciphertext::from_parts(MessageKind::Whisper, &whole(0x33, &with(0x18))).unwrap();
    assert_eq!(below_zero.header().unwrap().previous_counter, u32::MAX);
    assert!(Ciphertext::from_parts(MessageKind::PreKey, &whole(0x33, &good.encode_to_vec())).is_err());
    assert!(Ciphertext::from_parts(MessageKind::Whisper, &[]).is_err());
}
