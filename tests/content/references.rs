//! Edits, deletions, live locations, receipts and timers: a reference to another message affects only what it may.

use std::num::NonZeroU32;

use bisik::content::{
    Content, ContentError, ContentId, ContentMeta, Delete, Edit, Kind, LiveShare, LiveStart, LiveStop, LiveUpdate,
    PersonId, Photo, Receipt, ReceiptStatus, Reference, Text,
};
use bisik::{Identity, Timestamp};
use bisik_testkit::protobuf::{body, field, varint_field};
use bisik_testkit::{ConstantRng, SeededRng};

use super::fixtures::*;

/// P-7.9
#[test]
fn one_id_from_two_authors_names_two_contents() {
    let content = text("halo");
    let (ana, budi) = (person("ana"), person("budi"));
    assert_eq!(content.reference(&ana), content.reference(&ana));
    assert_ne!(content.reference(&ana), content.reference(&budi));
    let key = Identity::generate(&mut SeededRng::new(1));
    assert_eq!(PersonId::from(key.public()).as_bytes(), key.public().to_bytes(), "a device is named by its whole key");
}

/// P-7.10
#[test]
fn edits_and_deletions_affect_only_content_of_their_sender() {
    let (mallory, target) = (person("mallory"), ContentId::from_bytes([5; 16]));
    let edit = Edit { target, text: Text::new("I owe you a million") };
    for named in [edit.target_of(&mallory), Delete { target }.target_of(&mallory)] {
        assert_eq!(named, Reference { author: mallory.clone(), id: target });
    }
}

/// P-7.11
#[test]
fn a_live_location_ignores_older_updates() {
    let start = Content::new(
        ContentMeta::new(now(), &mut ConstantRng(1)),
        Kind::LiveStart(LiveStart { at: here(), duration: 900 }),
    );
    let (start, ana) = (start.unwrap(), person("ana"));
    assert!(LiveShare::follow(&text("halo"), &ana).is_none());
    let mut share = LiveShare::follow(&start, &ana).unwrap();
    assert_eq!(share.start, start.reference(&ana));
    assert_eq!(share.last, None);
    assert_eq!(share.until.as_unix_milliseconds(), now().as_unix_milliseconds() + 900_000);
    let update = |share, sequence| LiveUpdate { share, sequence, at: here() };
    let (ours, other) = (start.id(), ContentId::from_bytes([9; 16]));
    let taken = [1, 3, 2, 3, 4, 0].map(|sequence| share.update(&update(ours, sequence), &ana));
    assert_eq!(taken, [true, true, false, false, true, false]);
    assert_eq!(share.last, NonZeroU32::new(4));
    assert!(!share.update(&update(other, 5), &ana) && !share.stop(LiveStop { share: other }, &ana));
    assert!(share.update(&update(ours, 5), &ana), "another share's stop is not ours");
    assert!(share.stop(LiveStop { share: ours }, &ana) && !share.update(&update(ours, 6), &ana));
}

/// P-7.22: in a group, others know the id too.
#[test]
fn nobody_moves_or_stops_the_shared_position_of_another_member() {
    let start = Kind::LiveStart(LiveStart { at: here(), duration: 900 });
    let start = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), start).unwrap();
    let (ana, mallory) = (person("ana"), person("mallory"));
    let mut share = LiveShare::follow(&start, &ana).unwrap();
    let (update, stop) = (LiveUpdate { share: start.id(), sequence: 7, at: here() }, LiveStop { share: start.id() });
    let before = share.clone();
    assert!(!share.update(&update, &mallory) && !share.stop(stop, &mallory));
    assert_eq!(share, before);
    for named in [update.share_of(&mallory), stop.share_of(&mallory)] {
        assert_ne!(named, start.reference(&ana));
    }
    // Two members who start under one id have two shares.
    let mut copied = LiveShare::follow(&start, &mallory).unwrap();
    assert!(copied.update(&update, &mallory) && share.update(&update, &ana));
    assert!(copied.stop(stop, &mallory) && !share.stopped);
}

/// P-7.16
#[test]
fn only_shown_content_gives_receipts() {
    for (kind, shown) in one_of_each() {
        let content = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), kind).unwrap();
        let content = Content::from_body(content.as_body()).unwrap();
        assert_eq!(content.visible().is_some(), shown, "{content:?}");
        let Some(visible) = content.visible() else { continue };
        let plays = matches!(content.kind(), Kind::Video(_) | Kind::VoiceNote(_));
        assert_eq!(Receipt::played(&visible).is_some(), plays);
        let receipt = Receipt::read(&visible);
        assert_eq!((receipt.status(), receipt.messages()), (ReceiptStatus::Read, [content.id()].as_slice()));
        let receipt = Content::new(ContentMeta::new(now(), &mut ConstantRng(2)), Kind::Receipt(receipt)).unwrap();
        assert!(receipt.visible().is_none(), "receipts are not confirmed");
    }
    let unknown = Content::from_body(&body(&[meta_bytes(), field(94, b"later")].concat())).unwrap();
    assert!(unknown.visible().is_none(), "unknown content is not shown");
    let mut once = ContentMeta::new(now(), &mut ConstantRng(3));
    once.view_once = true;
    let once = Content::new(once, Kind::Photo(Photo::new(blob(), SQUARE))).unwrap();
    let opened = Receipt::played(&once.visible().unwrap()).unwrap();
    assert_eq!(opened.status(), ReceiptStatus::Played);
}

#[test]
fn equal_receipts_are_batched() {
    let rng = &mut SeededRng::new(8);
    let contents: Vec<_> =
        (0..257).map(|_| Content::new(ContentMeta::new(now(), rng), Kind::Text(Text::new("halo"))).unwrap()).collect();
    let read: Vec<_> = contents.iter().map(|content| Receipt::read(&content.visible().unwrap())).collect();
    let all = read[1..].iter().skip(1).try_fold(read[1].clone(), |all, one| all.merge(one)).unwrap();
    assert_eq!(all.messages().len(), 256);
    assert_eq!(all.clone().merge(&read[1]).as_ref(), Ok(&all), "each once");
    assert_eq!(all.clone().merge(&read[0]), Err(ContentError::TooLong));
    assert_eq!(
        read[0].clone().merge(&Receipt::delivered(&contents[1].visible().unwrap())),
        Err(ContentError::NotAllowed)
    );
    let later = field(32, &[varint_field(1, 4), field(2, &[1; 16])].concat());
    let later = Content::from_body(&body(&[meta_bytes(), later].concat())).unwrap();
    let Kind::Receipt(later) = later.kind() else { panic!() };
    assert_eq!(later.status(), ReceiptStatus::Unknown);
}

#[test]
fn a_disappearing_message_timer_starts_when_read() {
    let mut meta = ContentMeta::new(now(), &mut ConstantRng(1));
    let read = Timestamp::from_unix_seconds(1_000);
    let content = |meta: &ContentMeta| Content::new(meta.clone(), Kind::Text(Text::new("halo"))).unwrap();
    assert_eq!(content(&meta).disappears(read), None);
    meta.disappears_after = NonZeroU32::new(60);
    assert_eq!(content(&meta).disappears(read), Some(Timestamp::from_unix_seconds(1_060)));
}
