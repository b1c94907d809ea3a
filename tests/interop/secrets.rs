//! Message secrets: votes and other add-ons open only for the message, sender and purpose they were sealed for.

use crate::rng::SeededRng;
use bisik::interop::whatsapp::media::{MediaError, MediaKey};
use bisik::interop::whatsapp::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
use proptest::prelude::*;

use super::known::{Draws, Known};

const CONTEXT: AddOn<'static> = AddOn {
    use_case: UseCase::PollVote,
    parent: "3EB0ABCD",
    parent_sender: "111@s.whatsapp.net",
    author: "222@s.whatsapp.net",
};

/// S-10.1, S-10.2, S-10.3, S-10.4, S-10.5, S-8.7. Computed by tests/reference/interop_media.py.
#[test]
fn message_secret_payloads_match_the_reference() {
    let blocks = Known::load("message_secret.txt");
    assert_eq!(blocks.len(), UseCase::ALL.len() + 2);
    for (known, use_case) in blocks.iter().zip(UseCase::ALL) {
        let secret = MessageSecret::from_bytes(known.array("secret"));
        let [parent, parent_sender, author] = ["parent", "parent_sender", "author"].map(|name| known.text(name));
        let context = AddOn { use_case, parent, parent_sender, author };
        let sealed = secret.seal(&context, &known.hex("plaintext"), &mut Draws::listed(&known.hex("iv"))).unwrap();
        assert_eq!(sealed.payload, known.hex("payload"), "{use_case:?}");
        assert_eq!(secret.open(&context, &sealed).unwrap(), known.hex("plaintext"));
        assert_eq!(secret.reporting_token(&context, b"fields"), known.array("token"));
        if use_case == UseCase::PollVote {
            let vote = PollVote::of(&["Bakso", "Sate Ayam"]);
            assert_eq!(secret.open_vote(&context, &sealed).unwrap(), vote);
            assert_eq!(secret.seal_vote(&context, &vote, &mut Draws::listed(&known.hex("iv"))).unwrap(), sealed);
        }
    }
    let bots = &blocks[UseCase::ALL.len()];
    let secret = MessageSecret::from_bytes(bots.array("secret"));
    assert_eq!(secret.for_bots().expose_bytes(), &bots.array("bot"));

    let retry = &blocks[UseCase::ALL.len() + 1];
    let key = MediaKey::from_bytes(retry.array("key"));
    let (message, plaintext) = (retry.text("message"), retry.hex("plaintext"));
    let sealed = key.seal_retry(message, &plaintext, &mut Draws::listed(&retry.hex("iv"))).unwrap();
    assert_eq!(sealed.payload, retry.hex("payload"));
    assert_eq!(key.open_retry(message, &sealed).unwrap(), plaintext);
}

/// S-10.1, S-10.3.
#[test]
fn a_vote_counts_for_one_poll_and_one_voter_only() {
    let secret = MessageSecret::generate(&mut SeededRng::new(1));
    let vote = PollVote::of(&["Bakso"]);
    let sealed = secret.seal_vote(&CONTEXT, &vote, &mut SeededRng::new(2)).unwrap();
    assert_eq!(secret.open_vote(&CONTEXT, &sealed), Ok(vote));
    let others = [
        AddOn { parent: "3EB0ABCE", ..CONTEXT },
        AddOn { parent_sender: "112@s.whatsapp.net", ..CONTEXT },
        AddOn { author: "223@s.whatsapp.net", ..CONTEXT },
        // The names are joined without lengths; the associated data distinguishes these two.
        AddOn { parent: "3EB0ABCD1", parent_sender: "11@s.whatsapp.net", ..CONTEXT },
    ];
    for other in others {
        assert_eq!(secret.open_vote(&other, &sealed), Err(AddOnError::Rejected), "{other:?}");
    }
    for use_case in UseCase::ALL.into_iter().filter(|use_case| *use_case != UseCase::PollVote) {
        let other = AddOn { use_case, ..CONTEXT };
        assert_eq!(secret.open(&other, &sealed), Err(AddOnError::Rejected), "{use_case:?}");
    }
    let stranger = MessageSecret::generate(&mut SeededRng::new(3));
    assert_eq!(stranger.open(&CONTEXT, &sealed), Err(AddOnError::Rejected));
    assert_eq!(secret.for_bots().open(&CONTEXT, &sealed), Err(AddOnError::Rejected));
}

#[test]
fn a_message_secret_payload_with_any_bit_changed_is_refused() {
    let secret = MessageSecret::generate(&mut SeededRng::new(1));
    let key = MediaKey::from_bytes(*secret.expose_bytes());
    for use_case in UseCase::ALL {
        let context = AddOn { use_case, ..CONTEXT };
        let sealed = secret.seal(&context, b"halo", &mut SeededRng::new(2)).unwrap();
        for changed in changes(&sealed) {
            assert_eq!(secret.open(&context, &changed), Err(AddOnError::Rejected));
        }
    }
    let sealed = key.seal_retry("3EB0ABCD", b"halo", &mut SeededRng::new(2)).unwrap();
    assert_eq!(key.open_retry("3EB0ABCE", &sealed), Err(MediaError::Rejected));
    for changed in changes(&sealed) {
        assert_eq!(key.open_retry("3EB0ABCD", &changed), Err(MediaError::Rejected));
    }
}

/// With each bit flipped, and cut everywhere.
fn changes(sealed: &SealedPayload) -> Vec<SealedPayload> {
    let mut changes = Vec::new();
    for bit in 0..sealed.iv.len() * 8 {
        let mut changed = sealed.clone();
        changed.iv[bit / 8] ^= 1 << (bit % 8);
        changes.push(changed);
    }
    for bit in 0..sealed.payload.len() * 8 {
        let mut changed = sealed.clone();
        changed.payload[bit / 8] ^= 1 << (bit % 8);
        changes.push(changed);
    }
    for length in 0..sealed.payload.len() {
        let mut changed = sealed.clone();
        changed.payload.truncate(length);
        changes.push(changed);
    }
    changes
}

#[test]
fn malformed_or_overlong_votes_are_refused() {
    let secret = MessageSecret::generate(&mut SeededRng::new(1));
    let rng = &mut SeededRng::new(2);
    let hash = [[0x0a, 0x20].as_slice(), &[7; 32]].concat();
    let votes = [Vec::new(), hash.clone(), hash.repeat(64)];
    for (count, vote) in [0, 1, 64].into_iter().zip(votes) {
        let sealed = secret.seal(&CONTEXT, &vote, rng).unwrap();
        assert_eq!(secret.open_vote(&CONTEXT, &sealed).unwrap().chosen().len(), count);
    }
    for bad in [hash.repeat(65), vec![0x0a, 1, 7], vec![0x0a, 0x20, 7], vec![0xff]] {
        let sealed = secret.seal(&CONTEXT, &bad, rng).unwrap();
        assert_eq!(secret.open_vote(&CONTEXT, &sealed), Err(AddOnError::Rejected));
    }
    let longest = secret.seal(&CONTEXT, &vec![0; 64 << 10], rng).unwrap();
    assert!(secret.open(&CONTEXT, &longest).is_ok());
    assert_eq!(secret.seal(&CONTEXT, &vec![0; (64 << 10) + 1], rng), Err(AddOnError::TooLong));
    let longer = SealedPayload { iv: longest.iv, payload: [longest.payload.as_slice(), &[0]].concat() };
    assert_eq!(secret.open(&CONTEXT, &longer), Err(AddOnError::TooLong));
}

proptest! {
    #[test]
    fn message_secret_payloads_round_trip(payload in prop::collection::vec(any::<u8>(), 0..300), which in 0..UseCase::ALL.len()) {
        let secret = MessageSecret::from_bytes([9; 32]);
        let context = AddOn { use_case: UseCase::ALL[which], ..CONTEXT };
        let sealed = secret.seal(&context, &payload, &mut SeededRng::new(1)).unwrap();
        prop_assert_eq!(sealed.payload.len(), payload.len() + 16);
        prop_assert_eq!(secret.open(&context, &sealed).unwrap(), payload);
    }
}

/// A vote as another protobuf decoder reads it.
#[derive(Clone, PartialEq, prost::Message)]
struct Vote {
    #[prost(bytes = "vec", repeated, tag = "1")]
    chosen: Vec<Vec<u8>>,
}

proptest! {
    /// S-10.2. Both decoders agree on every vote that this library accepts, and it refuses none without a reason.
    #[test]
    fn a_vote_is_read_as_protobuf_says(
        pieces in prop::collection::vec(
            prop_oneof![
                3 => prop::collection::vec(any::<u8>(), 32).prop_map(|hash| [&[0x0a, 32], hash.as_slice()].concat()),
                1 => prop::collection::vec(any::<u8>(), 0..5),
                1 => Just(vec![0x10, 7]),
                1 => Just(vec![0x0a, 2, 1, 2]),
            ],
            0..70,
        )
    ) {
        let bytes = pieces.concat();
        let secret = MessageSecret::from_bytes([9; 32]);
        let sealed = secret.seal(&CONTEXT, &bytes, &mut SeededRng::new(1)).unwrap();
        match (secret.open_vote(&CONTEXT, &sealed), <Vote as prost::Message>::decode(bytes.as_slice())) {
            (Ok(ours), Ok(theirs)) => {
                let same = ours.chosen().iter().map(|hash| hash.as_slice()).eq(theirs.chosen.iter().map(Vec::as_slice));
                prop_assert!(same);
            },
            (Ok(_), Err(_)) => prop_assert!(false, "read bytes that are not protobuf"),
            (Err(_), Ok(theirs)) => {
                let whole = theirs.chosen.iter().all(|hash| hash.len() == 32);
                prop_assert!(!whole || theirs.chosen.len() > PollVote::MAX_CHOSEN || may_have_a_group(&bytes));
            }
            (Err(_), Err(_)) => {}
        }
    }
}

/// Whether there may be a group, which prost skips and this library refuses: one byte begins it, the next number ends
/// it.
fn may_have_a_group(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte & 7 == 3 && bytes.contains(&(byte + 1)))
}
