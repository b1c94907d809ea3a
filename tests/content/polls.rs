//! Polls: a sealed vote opens for its voter, in its poll, and the latest one counts.

use bisik::Identity;
use bisik::content::{BallotError, Content, ContentError, ContentId, ContentMeta, Kind, PersonId, Poll, SentAt, Votes};
use bisik_testkit::protobuf::{body, field, protobuf};
use bisik_testkit::{ConstantRng, SeededRng};

use super::fixtures::*;

/// P-7.12, P-7.13
#[test]
fn a_vote_opens_only_for_its_voter_in_its_unchanged_poll() {
    let rng = &mut SeededRng::new(4);
    let (ana, budi, cici) = (person("ana"), person("budi"), person("cici"));
    let poll =
        Content::new(ContentMeta::new(now(), rng), Kind::Poll(Poll::new("makan?", ["nasi", "mi", "roti"], 2, rng)))
            .unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let ballot = votes.cast(&[2, 0], &budi, now(), None, rng).unwrap();
    let vote = votes.open(&ballot, &budi).unwrap();
    assert_eq!((vote.choices().collect::<Vec<_>>(), vote.sent()), (vec![0, 2], now()));
    assert_eq!(votes.open(&ballot, &cici), Err(BallotError::Rejected), "another voter");
    assert_eq!(votes.open(&ballot, &person("bud")), Err(BallotError::Rejected), "a part of the name");

    let rejected_in = |content: &Content, author: &PersonId, why: &str| {
        // A ballot that names this poll itself, with its sealed vote unchanged.
        let moved = reworked(&ballot_content(&ballot), &reference_bytes(&content.reference(author)));
        let Kind::Ballot(moved) = moved.kind() else { panic!() };
        let others = Votes::in_poll(content, author).unwrap();
        assert_eq!(others.open(&ballot, &budi), Err(BallotError::Rejected), "{why}: as it was sent");
        assert_eq!(others.open(moved, &budi), Err(BallotError::Rejected), "{why}: renamed");
    };
    let with = |change: &dyn Fn(&mut Poll, &mut ContentMeta)| {
        let (Kind::Poll(mut poll), mut meta) = (poll.kind().clone(), poll.meta().clone()) else { panic!() };
        change(&mut poll, &mut meta);
        Content::new(meta, Kind::Poll(poll)).unwrap()
    };
    rejected_in(&poll, &cici, "the same poll of another author");
    rejected_in(&with(&|_, meta| meta.id = ContentId::from_bytes([3; 16])), &ana, "another id");
    let same_name = |change: &dyn Fn(&mut Poll, &mut ContentMeta), why: &str| {
        let other = with(change);
        assert_eq!(Votes::in_poll(&other, &ana).unwrap().open(&ballot, &budi), Err(BallotError::Rejected), "{why}");
    };
    same_name(&|poll, _| poll.options.reverse(), "options in another order");
    same_name(&|poll, _| poll.options.push("sate".into()), "one option more");
    same_name(&|poll, _| poll.question = "makan".into(), "another question");
    same_name(&|poll, _| poll.most_choices = 3, "another rule");
    let other = Poll::new("makan?", ["nasi", "mi", "roti"], 2, rng);
    same_name(&|poll, _| *poll = other.clone(), "another secret");
    let at_end =
        |poll: &mut Poll, _: &mut ContentMeta| (poll.question, poll.options[0]) = ("makan?n".into(), "asi".into());
    same_name(&at_end, "a letter on the other side of a border");
    let between = |poll: &mut Poll, _: &mut ContentMeta| poll.options = ["nasim", "i", "roti"].map(Into::into).to_vec();
    same_name(&between, "a letter in the other option");
    let elsewhere = reworked(&ballot_content(&ballot), &reference_bytes(&reference(9)));
    let Kind::Ballot(elsewhere) = elsewhere.kind() else { panic!() };
    assert_eq!(votes.open(elsewhere, &budi), Err(BallotError::Rejected), "it names another poll");
}

#[test]
fn a_ballot_with_any_byte_changed_is_refused() {
    let rng = &mut SeededRng::new(5);
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Content::new(ContentMeta::new(now(), rng), Kind::Poll(Poll::new("?", ["a", "b"], 1, rng))).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let content = ballot_content(&votes.cast(&[1], &budi, now(), None, rng).unwrap());
    let bytes = protobuf(&content);
    let sealed = bytes.len() - 60;
    for at in sealed..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            let content = Content::from_body(&body(&changed)).unwrap();
            let Kind::Ballot(ballot) = content.kind() else { panic!() };
            assert_eq!(votes.open(ballot, &budi), Err(BallotError::Rejected), "byte {at}");
        }
    }
}

/// P-7.14
#[test]
fn a_vote_the_poll_does_not_allow_is_neither_cast_nor_counted() {
    let rng = &mut SeededRng::new(6);
    let (ana, budi) = (person("ana"), person("budi"));
    let all = (0..32).map(|option| option.to_string()).collect::<Vec<_>>();
    for options in [2, 31, 32] {
        let poll = Poll::new("?", all[..options].to_vec(), 2, rng);
        let poll = Content::new(ContentMeta::new(now(), rng), Kind::Poll(poll)).unwrap();
        let votes = Votes::in_poll(&poll, &ana).unwrap();
        let outcome = |choices: &[usize], rng: &mut SeededRng| {
            votes
                .cast(choices, &budi, now(), None, rng)
                .map(|ballot| votes.open(&ballot, &budi).unwrap().choices().collect())
        };
        assert_eq!(outcome(&[], rng), Ok(vec![]));
        assert_eq!(outcome(&[options - 1, 0], rng), Ok(vec![0, options - 1]));
        for refused in [[options].as_slice(), &[0, 0], &[usize::MAX], &[32], &[64], &[1 << 31]] {
            assert_eq!(outcome(refused, rng), Err(ContentError::OutOfRange), "{refused:?} of {options}");
        }
        if options > 2 {
            assert_eq!(outcome(&[0, 1, 2], rng), Err(ContentError::OutOfRange));
        }
    }
}

/// P-7.15
#[test]
fn the_latest_of_several_votes_counts_in_any_order_of_arrival() {
    let rng = &mut SeededRng::new(7);
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Content::new(ContentMeta::new(now(), rng), Kind::Poll(Poll::new("?", ["a", "b", "c"], 3, rng))).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let mut cast = |choices: &[usize], at: u64, earlier| {
        let sent = SentAt::from_unix_milliseconds(at).unwrap();
        votes.open(&votes.cast(choices, &budi, sent, earlier, rng).unwrap(), &budi).unwrap()
    };
    let first = cast(&[0], 1_000, None);
    // Two devices that do not know each other's votes, and a clock that was set back.
    let (phone, tablet) = (cast(&[1], 2_000, Some(&first)), cast(&[2], 3_000, Some(&first)));
    let last = cast(&[], 500, Some(&phone));
    assert!(first < phone && phone < tablet && tablet < last);
    for order in [[first, phone, tablet, last], [last, tablet, phone, first], [tablet, last, first, phone]] {
        assert_eq!(order.into_iter().max(), Some(last));
    }
}

/// P-7.15: in a group, and wherever people have several devices. The session says which account a device belongs to.
#[test]
fn a_vote_is_of_an_account_whichever_of_its_devices_cast_it() {
    let rng = &mut SeededRng::new(8);
    let (ana, budi) = (person("ana"), PersonId::from(Identity::generate(rng).public()));
    let poll = Content::new(ContentMeta::new(now(), rng), Kind::Poll(Poll::new("?", ["a", "b"], 1, rng))).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let on_phone = votes.cast(&[0], &budi, now(), None, rng).unwrap();
    // The tablet has its own copy of that ballot, and its vote replaces it; another device of the group opens both.
    let known = votes.open(&on_phone, &budi).unwrap();
    let on_tablet = votes.cast(&[1], &budi, now(), Some(&known), rng).unwrap();
    let counted = [&on_tablet, &on_phone].map(|ballot| votes.open(ballot, &budi).unwrap()).into_iter().max().unwrap();
    assert_eq!(counted.choices().collect::<Vec<_>>(), [1]);
    // A device that votes in its own name votes for nobody.
    let device = PersonId::from(Identity::generate(rng).public());
    let alone = votes.cast(&[0], &device, now(), None, rng).unwrap();
    assert_eq!(votes.open(&alone, &budi), Err(BallotError::Rejected));
}

/// P-7.13. With a repeating generator, two votes still get two nonces; all ballots have one length.
#[test]
fn ballots_are_hedged_and_have_one_length() {
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Poll::new("?", ["a", "b", "c"], 3, &mut ConstantRng(1));
    let poll = Content::new(ContentMeta::new(now(), &mut ConstantRng(2)), Kind::Poll(poll)).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let sealed = |choices: &[usize]| {
        let ballot = votes.cast(choices, &budi, now(), None, &mut ConstantRng(3)).unwrap();
        let content = ballot_content(&ballot);
        (protobuf(&content).len(), protobuf(&content).last_chunk::<60>().unwrap().to_vec())
    };
    let ((length, one), (same, other)) = (sealed(&[0]), sealed(&[0, 1, 2]));
    assert_eq!(length, same);
    assert_ne!(one[..24], other[..24]);
}

fn ballot_content(ballot: &bisik::content::Ballot) -> Content {
    Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Ballot(ballot.clone())).unwrap()
}

/// The same sealed vote, naming another poll.
fn reworked(ballot: &Content, poll: &[u8]) -> Content {
    let sealed = protobuf(ballot).last_chunk::<60>().unwrap();
    let kind = field(28, &[field(1, poll), field(2, sealed)].concat());
    Content::from_body(&body(&[meta_bytes(), kind].concat())).unwrap()
}
