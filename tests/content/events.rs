//! Events: a sealed answer opens for its person, in the version that it answers, and the latest one counts.

use bisik::content::{
    Attendance, Ballot, BallotError, Content, ContentError, ContentMeta, Coordinates, Event, Kind, PersonId, Poll,
    Rsvp, Rsvps, SentAt, Votes, event_shown,
};
use bisik_testkit::protobuf::{body, field, protobuf};
use bisik_testkit::{ConstantRng, SeededRng};

use super::fixtures::*;
use super::group_fixtures::*;

const GOING: Attendance = Attendance::Going { guests: 0 };

/// A change of an event and of the metadata around it.
type Change<'a> = &'a dyn Fn(&mut Event, &mut ContentMeta);

/// P-7.23, P-7.27
#[test]
fn an_answer_opens_only_for_its_person_and_for_the_version_that_it_answers() {
    let rng = &mut SeededRng::new(4);
    let (ana, budi, cici) = (person("ana"), person("budi"), person("cici"));
    let full = |event: &mut Event| {
        (event.description, event.place) = ("di luar".into(), "warung".into());
        (event.to, event.at, event.most_guests) = (Some(at(1_800_110_000)), Some(here()), 3);
    };
    let with = |change: Change<'_>| {
        event(|event, meta| {
            full(event);
            change(event, meta);
        })
    };
    let dinner = with(&|_, _| {});
    let answers = Rsvps::in_event(&dinner, &ana).unwrap();
    let rsvp = answers.answer(Attendance::Going { guests: 3 }, &budi, now(), None, rng).unwrap();
    let answer = answers.open(&rsvp, &budi).unwrap();
    assert_eq!((answer.attendance(), answer.sent()), (Attendance::Going { guests: 3 }, now()));
    assert_eq!(rsvp.event(), &dinner.reference(&ana));
    for other in [&cici, &ana, &person("bud")] {
        assert_eq!(answers.open(&rsvp, other), Err(BallotError::Rejected), "another person");
    }

    let changes: [(&str, Change<'_>); 15] = [
        ("another id", &|_, meta| meta.id = id(3)),
        ("another secret", &|event, _| {
            *event = Event::new("makan malam", at(1_800_100_000), &mut ConstantRng(9));
            full(event);
        }),
        ("another title", &|event, _| event.title = "makan siang".into()),
        ("another description", &|event, _| event.description = "di dalam".into()),
        ("another place", &|event, _| event.place = "rumah".into()),
        ("a letter on the other side of a border", &|event, _| {
            (event.title, event.description) = ("makan malamd".into(), "i luar".into());
        }),
        ("the two texts exchanged", &|event, _| core::mem::swap(&mut event.description, &mut event.place)),
        ("another beginning", &|event, _| event.from = at(1_800_100_001)),
        ("another end", &|event, _| event.to = Some(at(1_800_110_001))),
        ("no end", &|event, _| event.to = None),
        ("no point", &|event, _| event.at = None),
        ("the other hemisphere", &|event, _| event.at = Coordinates::from_degrees(6.2, 106.8).ok()),
        ("without an accuracy", &|event, _| event.at = Coordinates::from_degrees(-6.2, 106.8).ok()),
        ("more guests", &|event, _| event.most_guests = 4),
        ("a later version of it", &|event, _| event.replaces = Some(id(4))),
    ];
    for (why, change) in changes {
        let other = with(change);
        let of_other = Rsvps::in_event(&other, &ana).unwrap();
        assert_eq!(of_other.open(&rsvp, &budi), Err(BallotError::Rejected), "{why}: as it was sent");
        assert_eq!(of_other.open(&renamed(&rsvp, &other, &ana), &budi), Err(BallotError::Rejected), "{why}: renamed");
    }
    let elsewhere = renamed(&rsvp, &with(&|_, meta| meta.id = id(3)), &ana);
    assert_eq!(answers.open(&elsewhere, &budi), Err(BallotError::Rejected), "it names another event");
    let of_cici = Rsvps::in_event(&dinner, &cici).unwrap();
    assert_eq!(of_cici.open(&renamed(&rsvp, &dinner, &cici), &budi), Err(BallotError::Rejected), "another author");
    assert!(Rsvps::in_event(&text("halo"), &ana).is_none());
}

/// P-7.24
#[test]
fn an_event_takes_no_more_guests_than_it_allows_and_no_answers_when_cancelled() {
    let rng = &mut SeededRng::new(5);
    let (ana, budi) = (person("ana"), person("budi"));
    for most in [0, 1, 100] {
        let dinner = event(|event, _| event.most_guests = most);
        let answers = Rsvps::in_event(&dinner, &ana).unwrap();
        let most = u16::try_from(most).unwrap();
        for guests in [0, most, most + 1, u16::MAX] {
            let expected = if guests <= most { Ok(()) } else { Err(ContentError::OutOfRange) };
            for attendance in [Attendance::Going { guests }, Attendance::Maybe { guests }] {
                let rsvp = answers.answer(attendance, &budi, now(), None, rng);
                assert_eq!(rsvp.as_ref().map(drop).map_err(|error| *error), expected);
                let opened = rsvp.map(|rsvp| answers.open(&rsvp, &budi).unwrap().attendance());
                assert!(opened.is_err() || opened == Ok(attendance));
            }
        }
        for attendance in [Attendance::NotGoing, Attendance::Withdrawn] {
            let rsvp = answers.answer(attendance, &budi, now(), None, rng).unwrap();
            assert_eq!(answers.open(&rsvp, &budi).unwrap().attendance(), attendance);
        }
    }
    // Nothing that is sealed differs between a version that takes place and one that does not.
    let version = event(|event, _| event.replaces = Some(id(4)));
    let rsvp = Rsvps::in_event(&version, &ana).unwrap().answer(GOING, &budi, now(), None, rng).unwrap();
    let cancelled = event(|event, _| (event.replaces, event.cancelled) = (Some(id(4)), true));
    let answers = Rsvps::in_event(&cancelled, &ana).unwrap();
    assert_eq!(answers.open(&rsvp, &budi), Err(BallotError::Invalid));
    assert_eq!(answers.answer(GOING, &budi, now(), None, rng), Err(ContentError::NotAllowed));
}

/// P-7.25
#[test]
fn the_latest_of_several_answers_counts_in_any_order_of_arrival() {
    let rng = &mut SeededRng::new(7);
    let (ana, budi) = (person("ana"), person("budi"));
    let dinner = event(|event, _| event.most_guests = 9);
    let answers = Rsvps::in_event(&dinner, &ana).unwrap();
    let mut answer = |attendance, at: u64, earlier| {
        let sent = SentAt::from_unix_milliseconds(at).unwrap();
        answers.open(&answers.answer(attendance, &budi, sent, earlier, rng).unwrap(), &budi).unwrap()
    };
    let first = answer(GOING, 1_000, None);
    // Two devices of one account that do not know each other's answers, and a clock that was set back.
    let phone = answer(Attendance::NotGoing, 2_000, Some(&first));
    let tablet = answer(Attendance::Maybe { guests: 2 }, 3_000, Some(&first));
    let last = answer(Attendance::Withdrawn, 500, Some(&phone));
    assert!(first < phone && phone < tablet && tablet < last);
    for order in [[first, phone, tablet, last], [last, tablet, phone, first], [tablet, last, first, phone]] {
        assert_eq!(order.into_iter().max(), Some(last));
    }
    // Where sequence and time are equal, the answers are compared as numbers.
    let equal = [
        Attendance::Withdrawn,
        Attendance::Going { guests: 0 },
        Attendance::Going { guests: 9 },
        Attendance::Maybe { guests: 0 },
        Attendance::Maybe { guests: 1 },
        Attendance::NotGoing,
    ];
    let equal = equal.map(|attendance| answer(attendance, 1_000, None));
    assert!(equal.is_sorted() && equal.windows(2).all(|pair| pair[0] != pair[1]));
}

/// P-7.23: they have one length, and here also one author, one id and one secret.
#[test]
fn an_answer_does_not_open_as_a_vote_nor_a_vote_as_an_answer() {
    let rng = &mut SeededRng::new(11);
    let (ana, budi) = (person("ana"), person("budi"));
    let dinner = event(|_, _| {});
    let poll = Kind::Poll(Poll::new("makan malam", ["ya", "tidak"], 1, &mut ConstantRng(5)));
    let poll = Content::new(ContentMeta::new(now(), &mut ConstantRng(4)), poll).unwrap();
    assert_eq!(poll.reference(&ana), dinner.reference(&ana));
    for content in [&poll, &dinner] {
        assert!(protobuf(content).windows(32).any(|window| window == [5; 32]), "the one secret");
    }
    let (answers, votes) = (Rsvps::in_event(&dinner, &ana).unwrap(), Votes::in_poll(&poll, &ana).unwrap());
    let rsvp = answers.answer(GOING, &budi, now(), None, rng).unwrap();
    let ballot = votes.cast(&[0], &budi, now(), None, rng).unwrap();
    assert!(answers.open(&rsvp, &budi).is_ok() && votes.open(&ballot, &budi).is_ok());
    let cast = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Ballot(ballot)).unwrap();
    // The same reference and the same sealed bytes, in the field of the other kind.
    let as_ballot = |content: &Content| -> Ballot {
        let Kind::Ballot(ballot) = moved(content, 28).kind().clone() else { panic!() };
        ballot
    };
    let as_rsvp = |content: &Content| -> Rsvp {
        let Kind::Rsvp(rsvp) = moved(content, 38).kind().clone() else { panic!() };
        rsvp
    };
    assert!(votes.open(&as_ballot(&cast), &budi).is_ok() && answers.open(&as_rsvp(&carried(&rsvp)), &budi).is_ok());
    assert_eq!(votes.open(&as_ballot(&carried(&rsvp)), &budi), Err(BallotError::Rejected));
    assert_eq!(answers.open(&as_rsvp(&cast), &budi), Err(BallotError::Rejected));
}

/// The sealed answer of the poll or event of `ana` with the id of [`event`], as the kind with this number.
fn moved(content: &Content, number: u64) -> Content {
    let sealed = protobuf(content).last_chunk::<60>().unwrap().to_vec();
    let reference = event(|_, _| {}).reference(&person("ana"));
    let kind = field(number, &[field(1, &reference_bytes(&reference)), field(2, &sealed)].concat());
    Content::from_body(&body(&[meta_bytes(), kind].concat())).unwrap()
}

/// P-7.23: all answers have one length, and with a repeating generator two still get two nonces.
#[test]
fn answers_are_hedged_and_have_one_length() {
    let (ana, budi) = (person("ana"), person("budi"));
    let dinner = event(|event, _| event.most_guests = 9);
    let answers = Rsvps::in_event(&dinner, &ana).unwrap();
    let sealed = |attendance| {
        let rsvp = answers.answer(attendance, &budi, now(), None, &mut ConstantRng(3)).unwrap();
        let content = carried(&rsvp);
        (protobuf(&content).len(), protobuf(&content).last_chunk::<60>().unwrap().to_vec())
    };
    let ((length, one), (same, other)) = (sealed(GOING), sealed(Attendance::Maybe { guests: 9 }));
    assert_eq!(length, same);
    assert_ne!(one[..24], other[..24]);
}

#[test]
fn an_answer_with_any_byte_changed_is_refused() {
    let rng = &mut SeededRng::new(9);
    let (ana, budi) = (person("ana"), person("budi"));
    let dinner = event(|_, _| {});
    let answers = Rsvps::in_event(&dinner, &ana).unwrap();
    let bytes = protobuf(&carried(&answers.answer(GOING, &budi, now(), None, rng).unwrap())).to_vec();
    for at in bytes.len() - 60..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let content = Content::from_body(&body(&changed)).unwrap();
            let Kind::Rsvp(rsvp) = content.kind() else { panic!() };
            assert_eq!(answers.open(rsvp, &budi), Err(BallotError::Rejected), "byte {at}");
        }
    }
}

/// P-7.27: the version that a replacement names is one of its own author.
#[test]
fn an_event_is_replaced_and_cancelled_only_by_its_author() {
    let dinner = event(|_, _| {});
    let change = event(|event, meta| {
        (event.replaces, event.cancelled) = (Some(dinner.id()), true);
        meta.id = id(9);
    });
    let Kind::Event(change) = change.kind() else { panic!() };
    assert_eq!(change.replaced_of(&person("ana")), Some(dinner.reference(&person("ana"))));
    assert_ne!(change.replaced_of(&person("mallory")), Some(dinner.reference(&person("ana"))));
    assert_eq!(super::group_fixtures::dinner().replaced_of(&person("ana")), None);
}

/// P-7.27: by time, then id, in any order of arrival, and only what its author sends.
#[test]
fn the_greatest_version_of_an_event_is_shown_in_any_order_of_arrival() {
    let (ana, mallory) = (person("ana"), person("mallory"));
    let version = |replaces: Option<u8>, at_ms: u64, number: u8| {
        event(|event, meta| {
            (event.replaces, meta.id) = (replaces.map(id), id(number));
            meta.sent = SentAt::from_unix_milliseconds(at_ms).unwrap();
        })
    };
    // The first version may be dated after the others: clocks are set back.
    let versions =
        [version(None, 9_000, 1), version(Some(1), 1_000, 9), version(Some(1), 2_000, 3), version(Some(1), 2_000, 4)];
    let first = versions[0].reference(&ana);
    let others = [version(None, 9_500, 20), version(Some(20), 9_500, 21), version(Some(9), 9_500, 22), text("halo")];
    for count in 1..=versions.len() {
        let mut arrived: Vec<_> = versions[..count].iter().chain(&others).map(|content| (content, &ana)).collect();
        arrived.extend([(&versions[3], &mallory), (&versions[0], &mallory)]);
        for _ in 0..arrived.len() {
            arrived.rotate_left(1);
            assert_eq!(event_shown(&first, arrived.iter().copied()), Some(&versions[count - 1]), "{count} versions");
        }
    }
    // Who joined later has only the newest; nobody has anything of an event that is not there.
    assert_eq!(event_shown(&first, [(&versions[2], &ana)]), Some(&versions[2]));
    assert_eq!(event_shown(&first, others.iter().map(|content| (content, &ana))), None);
    // A version that replaces another is no first version, whatever names it.
    let second = others[1].reference(&ana);
    let third = version(Some(21), 9_900, 23);
    for arrived in [[(&third, &ana), (&others[1], &ana)], [(&others[1], &ana), (&third, &ana)]] {
        assert_eq!(event_shown(&second, arrived), None);
    }
    let itself = version(Some(30), 9_900, 30);
    assert_eq!(event_shown(&itself.reference(&ana), [(&itself, &ana)]), None);
    // Cancelled is a version like any other.
    let cancelled = event(|event, meta| (event.replaces, event.cancelled, meta.id) = (Some(id(1)), true, id(40)));
    let arrived = versions.iter().chain([&cancelled]).map(|content| (content, &ana));
    assert_eq!(event_shown(&first, arrived), Some(&cancelled));
}

/// Protobuf does not keep the sign of zero: the author and the readers must seal under one digest all the same.
#[test]
fn a_place_on_the_equator_has_one_digest_for_author_and_readers() {
    let rng = &mut SeededRng::new(10);
    let (ana, budi) = (person("ana"), person("budi"));
    let composed = event(|event, _| event.at = Coordinates::from_degrees(-0.0, -0.0).ok());
    let read = Content::from_body(composed.as_body()).unwrap();
    let rsvp = Rsvps::in_event(&composed, &ana).unwrap().answer(GOING, &budi, now(), None, rng).unwrap();
    assert!(Rsvps::in_event(&read, &ana).unwrap().open(&rsvp, &budi).is_ok());
}

fn carried(rsvp: &Rsvp) -> Content {
    Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Rsvp(rsvp.clone())).unwrap()
}

/// The same sealed answer, naming another event.
fn renamed(rsvp: &Rsvp, event: &Content, author: &PersonId) -> Rsvp {
    let sealed = protobuf(&carried(rsvp)).last_chunk::<60>().unwrap().to_vec();
    let kind = field(38, &[field(1, &reference_bytes(&event.reference(author))), field(2, &sealed)].concat());
    let content = Content::from_body(&body(&[meta_bytes(), kind].concat())).unwrap();
    let Kind::Rsvp(rsvp) = content.kind() else { panic!() };
    rsvp.clone()
}
