//! Pins, removals, albums and tallies: what counts is the same for everybody, and only who may does anything.

use bisik::content::{
    Album, Content, ContentMeta, Delete, Kind, MOST_PINS, Pin, PinWord, Policy, Reference, Remove, SentAt, Tally,
    Unpin, pinned,
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
    let replacing = ahead.replaced_at(now);
    assert_eq!(replacing.as_unix_milliseconds(), NOW * 1_000 + 200_001);
    let undone = word("aaa", replacing.as_unix_milliseconds(), 0, unpin(1));
    assert!(undone > ahead && shown(&[ahead, undone.clone()], 3, NOW).is_empty());
    let later = SentAt::from_unix_milliseconds(NOW * 1_000 + 999_999).unwrap();
    assert_eq!(undone.replaced_at(later), later);
    let last = word("ana", 253_402_300_799_999, 1, unpin(1));
    assert_eq!(last.replaced_at(now), now, "after the last moment there is none");
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
