//! Pins, removals, albums and tallies: what counts is the same for everybody, and only who may does anything.

use bisik::content::{
    Album, Answered, Content, ContentMeta, Count, Delete, Kind, MOST_PINS, Photo, Pin, PinWord, Policy, Poll,
    Reference, Remove, SentAt, Tally, Unpin, Video, album_of, pinned, tallied,
};
use bisik_testkit::{ConstantRng, SeededRng};
use proptest::prelude::*;

use super::fixtures::*;
use super::group_fixtures::*;

const NOW: u64 = 1_800_000_000;

fn word(author: &str, at_ms: u64, id: u8, kind: Kind) -> PinWord {
    let meta = ContentMeta::new(SentAt::from_unix_milliseconds(at_ms).unwrap(), &mut ConstantRng(id));
    let content = Content::new(meta, kind).unwrap();
    PinWord::of(&Content::from_body(content.as_body()).unwrap(), &person(author)).unwrap()
}

fn pin(target: u8, until: Option<u64>) -> Kind {
    Kind::Pin(Pin { target: reference(target), until: until.map(at) })
}

fn unpin(target: u8) -> Kind {
    Kind::Unpin(Unpin { target: reference(target) })
}

fn shown(words: &[PinWord], most: usize, now: u64) -> Vec<Reference> {
    pinned(words, most, at(now)).into_iter().cloned().collect()
}

/// P-7.29: by time, then author, then id.
#[test]
fn the_greatest_word_about_a_content_counts() {
    let millisecond = NOW * 1_000;
    let order = [
        word("ana", millisecond, 1, pin(1, None)),
        word("cici", millisecond, 1, unpin(1)),
        word("cici", millisecond, 2, pin(1, None)),
        word("ana", millisecond + 1, 0, unpin(1)),
    ];
    assert!(order.is_sorted());
    for count in 1..=order.len() {
        let mut words = order[..count].to_vec();
        let expected = if count % 2 == 1 { vec![reference(1)] } else { vec![] };
        for _ in 0..count {
            words.rotate_left(1);
            assert_eq!(shown(&words, 3, NOW), expected, "{count} words");
        }
    }
    assert_eq!(order[0].target(), &reference(1));
    assert_eq!(PinWord::of(&text("halo"), &person("ana")), None);
}

/// P-7.30
#[test]
fn a_pin_dated_in_the_future_wins_nothing_before_its_time() {
    let honest = word("ana", NOW * 1_000, 1, unpin(1));
    let far = SentAt::from_unix_milliseconds(253_402_300_799_999).unwrap();
    let rogue = word("mallory", far.as_unix_milliseconds(), 1, pin(1, None));
    let (words, just) = ([rogue.clone(), honest.clone()], NOW + 100 * 365 * 86_400);
    assert!(shown(&words, 3, NOW).is_empty() && shown(&words, 3, just).is_empty());
    assert!(!rogue.counts(at(just)) && honest.counts(at(NOW)));
    assert_eq!(shown(&words, 3, LAST_SECOND), [reference(1)]);
    // A clock that is a little ahead is taken for right; one that is more ahead delays the pin.
    for (ahead, counts) in [(300_999, true), (301_000, false)] {
        let word = word("budi", NOW * 1_000 + ahead, 1, pin(2, None));
        assert_eq!(word.counts(at(NOW)), counts);
        assert!(word.counts(at(NOW + 1)), "and its time comes");
    }
}

/// P-7.29: the program of somebody whose clock is behind can undo what it sees.
#[test]
fn a_word_can_be_replaced_by_somebody_whose_clock_is_behind() {
    let ahead = word("ana", NOW * 1_000 + 200_000, 1, pin(1, None));
    let now = SentAt::from_unix_milliseconds(NOW * 1_000).unwrap();
    let replacing = ahead.replaced_at(now).unwrap();
    assert_eq!(replacing.as_unix_milliseconds(), NOW * 1_000 + 200_001);
    let undone = word("aaa", replacing.as_unix_milliseconds(), 0, unpin(1));
    assert!(undone > ahead && shown(&[ahead, undone.clone()], 3, NOW).is_empty());
    let later = SentAt::from_unix_milliseconds(NOW * 1_000 + 999_999).unwrap();
    assert_eq!(undone.replaced_at(later), Some(later));
}

/// P-7.29: Mallory's word does not count yet, and the honest unpin, which counts, is dated now.
#[test]
fn nobody_takes_over_a_false_date_by_replacing_it() {
    let (now, year_9998) = (SentAt::from_unix_milliseconds(NOW * 1_000).unwrap(), 253_370_764_800_000);
    let rogue = word("mallory", year_9998, 1, pin(1, None));
    assert_eq!(rogue.replaced_at(now), Some(now));
    let (most, more) = (NOW * 1_000 + 300_999, NOW * 1_000 + 301_000);
    assert_eq!(word("mallory", most, 1, pin(1, None)).replaced_at(now).unwrap().as_unix_milliseconds(), most + 1);
    assert_eq!(word("mallory", more, 1, pin(1, None)).replaced_at(now), Some(now));
    // In the last five minutes that there are, a word can be the last one.
    let last = word("ana", 253_402_300_799_999, 1, unpin(1));
    let end = SentAt::from_unix_milliseconds(253_402_300_799_000).unwrap();
    assert_eq!((last.replaced_at(now), last.replaced_at(end)), (Some(now), None));
}

#[test]
fn a_pin_ends_at_its_moment_and_the_newest_pins_are_shown() {
    let words: Vec<_> =
        (1..=5).map(|number| word("ana", NOW * 1_000 + u64::from(number), 1, pin(number, None))).collect();
    assert_eq!(shown(&words, MOST_PINS, NOW), [5, 4, 3].map(reference));
    assert_eq!(shown(&words, 0, NOW), []);
    assert_eq!(shown(&words, 9, NOW).len(), 5);
    let ends = [word("ana", NOW * 1_000, 1, pin(1, Some(NOW + 60)))];
    assert_eq!(shown(&ends, 3, NOW + 59), [reference(1)]);
    assert_eq!(shown(&ends, 3, NOW + 60), []);
    // Two contents under one id, of two authors.
    let of_budi = Reference { author: person("budi"), id: reference(1).id };
    let both = [ends[0].clone(), word("ana", NOW * 1_000, 2, Kind::Pin(Pin { target: of_budi, until: None }))];
    assert_eq!(shown(&both, 3, NOW).len(), 2);
}

#[test]
fn pins_are_for_administrators_where_the_group_says_so() {
    let (open, closed) = (Policy::default(), Policy { only_admins_pin: true, ..Policy::default() });
    assert_eq!([open.may_pin(false), open.may_pin(true)], [true, true]);
    assert_eq!([closed.may_pin(false), closed.may_pin(true)], [false, true]);
}

proptest! {
    #![proptest_config(cases(256))]

    /// P-7.29: the same words in any order, some of them twice, show the same pins; and forgetting what a counting word
    /// has replaced changes nothing.
    #[test]
    fn the_same_words_show_the_same_pins_in_any_order(
        spoken in prop::collection::vec((0..3_u8, 0..4_u64, 0..3_u8, 0..3_u8, 0..4_u64), 1..12),
        seed in any::<u64>(),
        now in 0..600_u64,
    ) {
        let names = ["ana", "budi", "cici"];
        let words: Vec<_> = spoken.iter().map(|(author, time, id, target, until)| {
            let kind = match until {
                0 => unpin(*target),
                1 => pin(*target, None),
                until => pin(*target, Some(NOW + until * 150)),
            };
            word(names[usize::from(*author)], NOW * 1_000 + time * 200_000, *id, kind)
        }).collect();
        let expected = shown(&words, 3, NOW + now);
        let mut mixed: Vec<_> = words.iter().chain(words.iter().take(3)).cloned().collect();
        shuffle(&mut mixed, seed);
        prop_assert_eq!(shown(&mixed, 3, NOW + now), expected.clone());
        let replaced = |word: &PinWord| {
            words.iter().any(|other| other > word && other.target() == word.target() && other.counts(at(NOW + now)))
        };
        mixed.retain(|word| !replaced(word));
        for later in [now, 600, 1_200] {
            prop_assert_eq!(shown(&mixed, 3, NOW + later), shown(&words, 3, NOW + later));
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// P-7.29: what replaces a word that counts is greater, and is dated no later than it has to be.
    #[test]
    fn what_replaces_a_word_is_greater_and_counts_after_a_second_at_most(offset in 0..1_000_000_u64, milliseconds in 0..1_000_u64) {
        let sent = NOW * 1_000 + offset;
        let old = word("zaza", sent, 255, pin(1, None));
        let now = SentAt::from_unix_milliseconds(NOW * 1_000 + 300_000 + milliseconds).unwrap();
        let at = old.replaced_at(now).unwrap();
        let new = word("aaa", at.as_unix_milliseconds(), 0, unpin(1));
        if old.counts(now.timestamp()) {
            prop_assert_eq!(at.as_unix_milliseconds(), now.as_unix_milliseconds().max(sent + 1));
            prop_assert!(new > old && new.counts(now.timestamp().plus_seconds(1)));
        } else {
            prop_assert_eq!(at, now);
        }
    }
}

fn shuffle(words: &mut [PinWord], seed: u64) {
    use bisik::rand_core::Rng;
    let mut rng = SeededRng::new(seed);
    for end in (1..words.len()).rev() {
        let at = usize::try_from(rng.next_u64() % (u64::try_from(end).unwrap() + 1)).unwrap();
        words.swap(end, at);
    }
}

/// P-7.31
#[test]
fn a_removal_has_a_target_only_for_an_administrator_and_is_no_deletion() {
    let spam = text("buy this");
    let remove = Remove::new(spam.reference(&person("eve")));
    assert_eq!(remove.target_of(false), None);
    assert_eq!(remove.target_of(true), Some(&spam.reference(&person("eve"))));
    let content = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Remove(remove)).unwrap();
    let Kind::Remove(read) = content.kind() else { panic!("it reads as nothing else") };
    assert_eq!(read.target_of(false), None);
    // A deletion that an administrator sends names the administrator's own contents, as anybody's does.
    assert_ne!(Delete { target: spam.id() }.target_of(&person("ana")), spam.reference(&person("eve")));
}

/// P-7.28
#[test]
fn a_tally_counts_only_answers_to_a_content_of_its_sender() {
    let content = news("buka pukul sembilan");
    let tally = Tally { target: content.id(), counts: vec![emoji("!", 2)] };
    assert_eq!(tally.target_of(&person("ana")), content.reference(&person("ana")));
    assert_ne!(tally.target_of(&person("mallory")), content.reference(&person("ana")));
}

fn dated(kind: Kind, at_ms: u64, id: u8) -> Content {
    Content::new(ContentMeta::new(SentAt::from_unix_milliseconds(at_ms).unwrap(), &mut ConstantRng(id)), kind).unwrap()
}

/// P-7.28: the greatest by time, then id, of the content's author, in any order of arrival.
#[test]
fn the_greatest_tally_of_the_author_is_shown_in_any_order_of_arrival() {
    let (ana, mallory) = (person("ana"), person("mallory"));
    let content = news("buka pukul sembilan");
    let tally =
        |people, at, id_| dated(Kind::Tally(Tally { target: content.id(), counts: vec![emoji("!", people)] }), at, id_);
    let tallies = [tally(1, 1_000, 9), tally(2, 2_000, 1), tally(3, 2_000, 2)];
    let other = dated(Kind::Tally(Tally { target: id(77), counts: vec![emoji("!", 9)] }), 9_000, 9);
    let nothing = text("halo");
    for count in 1..=tallies.len() {
        let mut arrived: Vec<_> = tallies[..count].iter().map(|tally| (tally, &ana)).collect();
        arrived.extend([(&other, &ana), (&nothing, &ana), (&tallies[2], &mallory)]);
        for _ in 0..arrived.len() {
            arrived.rotate_left(1);
            let shown = tallied(&content, &ana, arrived.iter().copied());
            assert_eq!(shown, [&emoji("!", u32::try_from(count).unwrap())], "{count} tallies");
        }
    }
    assert!(tallied(&content, &ana, [(&tallies[2], &mallory)]).is_empty(), "another's count");
    assert!(tallied(&content, &mallory, [(&tallies[2], &ana)]).is_empty(), "of another's content");
    // An author takes a tally back by one that counts nothing.
    let none = dated(Kind::Tally(Tally { target: content.id(), counts: vec![] }), 3_000, 0);
    assert!(tallied(&content, &ana, [(&none, &ana), (&tallies[2], &ana)]).is_empty());
}

/// P-7.28: neither an option that the poll does not have, nor an attendance that there is not.
#[test]
fn a_tally_shows_no_choice_that_the_content_does_not_offer() {
    let ana = person("ana");
    let poll = dated(Kind::Poll(Poll::new("makan?", ["nasi", "mi"], 1, &mut ConstantRng(5))), 1_000, 3);
    let dinner = event(|_, _| {});
    let cancelled = event(|event, _| (event.replaces, event.cancelled) = (Some(id(4)), true));
    for (content, offered) in [(&poll, 2), (&dinner, 3), (&cancelled, 0), (&text("halo"), 0)] {
        let mut counts: Vec<_> = [31, 0, 1, 2, 3].map(|number| choice(number, 7)).to_vec();
        counts.push(emoji("!", 2));
        let tally = dated(Kind::Tally(Tally { target: content.id(), counts }), 2_000, 1);
        let shown = tallied(content, &ana, [(&tally, &ana)]);
        let mut expected: Vec<Count> = (0..offered).map(|number| choice(number, 7)).collect();
        expected.push(emoji("!", 2));
        assert_eq!(shown, expected.iter().collect::<Vec<_>>(), "{content:?}");
        assert!(shown.iter().any(|count| matches!(count.answer, Answered::Emoji(_))), "anything can be reacted to");
    }
}

/// P-7.32: by time, then id, and only photos and videos of the album's author.
#[test]
fn a_photo_belongs_to_the_smallest_album_of_its_author_that_names_it() {
    let (ana, mallory) = (person("ana"), person("mallory"));
    let photo = dated(Kind::Photo(Photo::new(blob(), SQUARE)), 5_000, 1);
    let video = dated(Kind::Video(Video::new(blob(), SQUARE, 1_000)), 5_000, 2);
    let words = dated(text("halo").kind().clone(), 5_000, 3);
    let album = |items: &[&Content], at, id_| {
        let items = items.iter().map(|item| item.id()).chain([id(90), id(91)]).collect();
        dated(Kind::Album(Album { items }), at, id_)
    };
    let albums =
        [album(&[&photo, &video, &words], 2_000, 4), album(&[&photo, &video], 2_000, 5), album(&[&photo], 3_000, 1)];
    let earlier = album(&[], 1_000, 1);
    for first in 0..albums.len() {
        let mut arrived: Vec<_> = albums[first..].iter().map(|album| (album, &ana)).collect();
        arrived.extend([(&earlier, &ana), (&words, &ana), (&albums[0], &mallory)]);
        for _ in 0..arrived.len() {
            arrived.rotate_left(1);
            assert_eq!(album_of(&photo, &ana, arrived.iter().copied()), Some(&albums[first]), "{first}");
            let of_video = albums.get(first).filter(|_| first < 2);
            assert_eq!(album_of(&video, &ana, arrived.iter().copied()), of_video, "{first}");
            assert_eq!(album_of(&words, &ana, arrived.iter().copied()), None, "neither a photo nor a video");
        }
    }
    assert_eq!(album_of(&photo, &mallory, [(&albums[0], &ana)]), None, "a photo of somebody else");
    assert_eq!(album_of(&photo, &ana, []), None);
}

/// P-7.32
#[test]
fn an_album_holds_only_contents_of_its_sender_in_its_order() {
    let album = Album { items: vec![id(9), id(1), id(5)] };
    let content = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Album(album)).unwrap();
    let content = Content::from_body(content.as_body()).unwrap();
    let Kind::Album(album) = content.kind() else { panic!() };
    let mallory = person("mallory");
    let items: Vec<_> = album.items_of(&mallory).collect();
    assert_eq!(items, [9, 1, 5].map(|byte| Reference { author: mallory.clone(), id: id(byte) }));
}
