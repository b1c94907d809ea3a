//! `content`: protobuf in a body, read as content. `poll_vote`: edited ballots opened in edited polls.
//!
//! Content keeps its bytes when it is read, and can be used. Only the ballot that was cast opens.

use std::sync::LazyLock;

use bisik::Timestamp;
use bisik::content::{
    Action, Album, Answered, Away, Ballot, BallotError, Button, Buttons, Cart, CartLine, CatalogueItem, Content,
    ContentId, ContentMeta, Count, Greeting, Kind, ListMenu, LiveShare, OpeningHours, Origin, PersonId, Pin, PinWord,
    Poll, Price, Profile, QuickReplies, Receipt, Reference, Referral, Remove, ReplyOption, Row, Section, Selection,
    SentAt, Tally, Text, Unpin, Votes, pinned,
};

use super::fixtures::Repeatable;
use super::input::Input;
use super::sealed;

/// The first byte selects a raw body, or protobuf that is padded here.
pub fn content(data: &[u8]) {
    let mut input = Input::new(data);
    let raw = input.byte().is_multiple_of(2);
    let body = if raw { input.rest().to_vec() } else { padded(input.rest()) };
    let Ok(content) = Content::from_body(&body) else { return };
    assert_eq!(content.as_body(), body, "content keeps its bytes when read");
    let again = Content::from_body(content.as_body()).expect("and is read again");
    assert_eq!((again.kind(), again.meta()), (content.kind(), content.meta()));
    assert_eq!(body, padded(protobuf(&content)), "a content has one body");
    let _ = format!("{content:?}");
    compose_again(&content);
    receipts(&content);
    forward(&content);
    if let Some(votes) = Votes::in_poll(&content, &person()) {
        let ballot = votes.cast(&[0], &person(), sent(), None, &mut Repeatable(3)).expect("every poll has an option");
        votes.open(&ballot, &person()).expect("a cast ballot opens");
    }
    let _ = LiveShare::follow(&content, &person());
    sealed::answer(&content);
    group(&content);
    business(&content);
}

/// A pin counts once its time has come and an unpin never shows anything; only a word that counts is outbid; only an
/// administrator's removal has a target.
#[allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.
fn group(content: &Content) {
    let word = PinWord::of(content, &person());
    let speaks = matches!(content.kind(), Kind::Pin(_) | Kind::Unpin(_));
    assert_eq!(word.is_some(), speaks);
    if let Some(word) = word {
        let end = Timestamp::from_unix_seconds(u64::MAX);
        let next = word.replaced_at(sent()).expect("it is not of the year 9999, or does not count");
        assert!(word.counts(end) && next >= sent());
        assert!(next <= sent() || word.counts(sent().timestamp()), "nothing else is outbid");
        let shown = matches!(content.kind(), Kind::Pin(Pin { until: None, .. }));
        assert_eq!(pinned([&word, &word], 2, end).len(), usize::from(shown));
    }
    match content.kind() {
        Kind::Remove(remove) => assert!(remove.target_of(false).is_none() && remove.target_of(true).is_some()),
        Kind::Album(album) => assert!(album.items_of(&person()).all(|item| item.author == person())),
        _ => {}
    }
}

/// Every cart adds up, only automated senders send greetings, and every offered option can be chosen.
#[allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.
fn business(content: &Content) {
    match content.kind() {
        Kind::Cart(cart) => drop(cart.total().expect("a cart that is read adds up")),
        Kind::Greeting(_) | Kind::Away(_) => assert!(content.meta().automated),
        Kind::QuickReplies(replies) => replies.choices.iter().for_each(|choice| choose(content, &choice.id)),
        Kind::List(list) => {
            list.sections.iter().flat_map(|section| &section.rows).for_each(|row| choose(content, &row.choice.id));
        }
        Kind::Buttons(buttons) => {
            let answers = buttons.buttons.iter().filter_map(|button| match &button.action {
                Action::Answer(id) => Some(id),
                _ => None,
            });
            answers.for_each(|id| choose(content, id));
        }
        Kind::Selection(selection) => assert!(!selection.answers(content, &person()), "it offers nothing"),
        _ => {}
    }
}

fn choose(content: &Content, id: &str) {
    let selection = Selection::new(content, &person(), id).expect("it was offered");
    assert!(selection.answers(content, &person()));
    let sent = Content::new(meta(), Kind::Selection(selection));
    assert!(sent.is_ok(), "and can be sent");
}

/// The known part of a content can be composed again.
fn compose_again(content: &Content) {
    let known = !matches!(content.kind(), Kind::Unknown(_));
    let composed = Content::new(content.meta().clone(), content.kind().clone());
    assert_eq!(composed.is_ok(), known, "reading and composing have the same limits");
    if let Ok(composed) = composed {
        assert_eq!((composed.kind(), composed.meta()), (content.kind(), content.meta()));
    }
}

fn receipts(content: &Content) {
    let Some(visible) = content.visible() else { return };
    for receipt in [Receipt::delivered(&visible), Receipt::read(&visible)].into_iter().chain(Receipt::played(&visible))
    {
        let receipt = Content::new(ContentMeta::new(sent(), &mut Repeatable(1)), Kind::Receipt(receipt));
        assert!(receipt.expect("a receipt can be sent").visible().is_none(), "and is not confirmed");
    }
}

fn forward(content: &Content) {
    let meta = ContentMeta::new(sent(), &mut Repeatable(2));
    // Content of maximum length may leave no room for other metadata.
    let Ok(forwarded) = content.forward(meta.clone()) else { return };
    assert!(!content.view_once());
    assert_eq!(forwarded.kind(), content.kind());
    assert_eq!(forwarded.id(), meta.id);
    assert!(forwarded.meta().reply_to.is_none() && forwarded.meta().forwarded);
    let again = forwarded.forward(meta).expect("as it was forwarded once");
    assert_eq!(again, forwarded, "unknown fields are kept");
}

/// An edited ballot in a poll whose first options may differ, for one of several people.
pub fn poll_vote(data: &[u8]) {
    let Scene { poll, ballot, .. } = &*SCENE;
    let mut input = Input::new(data);
    let options: Vec<_> = (0..2 + input.byte() % 2).map(|option| format!("{}", option ^ input.byte())).collect();
    let voter = if input.byte() == 0 { person() } else { PersonId::new(b"somebody else").expect("a name") };
    let mut other = poll.clone();
    if let Kind::Poll(poll) = &mut other {
        poll.options = options.iter().map(|option| option.as_str().into()).collect();
    }
    let Ok(content) = Content::new(meta(), other) else { return };
    let body = input.edited(&[ballot.as_body()]);
    let Ok(arrived) = Content::from_body(&body) else { return };
    let Kind::Ballot(arrived) = arrived.kind() else { return };
    let opened = Votes::in_poll(&content, &person()).expect("it is a poll").open(arrived, &voter);
    let genuine = arrived == cast() && content.kind() == poll && voter == person();
    match opened {
        Ok(vote) => assert!(genuine && vote.choices().eq([1]), "only the genuine ballot opens"),
        Err(error) => assert!(!genuine && error == BallotError::Rejected, "{error:?}"),
    }
}

struct Scene {
    poll: Kind,
    ballot: Content,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let rng = &mut Repeatable(4);
    let poll = Content::new(meta(), Kind::Poll(Poll::new("?", ["0", "1"], 1, rng))).expect("a poll");
    let votes = Votes::in_poll(&poll, &person()).expect("a poll");
    let ballot = votes.cast(&[1], &person(), sent(), None, rng).expect("an option");
    let ballot = Content::new(meta(), Kind::Ballot(ballot)).expect("a ballot");
    Scene { poll: poll.kind().clone(), ballot }
});

fn cast() -> &'static Ballot {
    let Kind::Ballot(ballot) = SCENE.ballot.kind() else { panic!("it is a ballot") };
    ballot
}

fn meta() -> ContentMeta {
    ContentMeta::new(sent(), &mut Repeatable(5))
}

fn sent() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_000).expect("before the year 10000")
}

fn person() -> PersonId {
    PersonId::new(b"ana").expect("a name")
}

fn protobuf(content: &Content) -> &[u8] {
    let (length, rest) = content.as_body().split_first_chunk().expect("a length");
    &rest[..u32::from_be_bytes(*length) as usize]
}

/// A correctly padded body, by the definition of PADMÉ.
fn padded(protobuf: &[u8]) -> Vec<u8> {
    let length = protobuf.len() + 4;
    let exponent = length.ilog2();
    let step = 1_usize << exponent.saturating_sub(exponent.checked_ilog2().unwrap_or(0) + 1);
    let mut body = [&(protobuf.len() as u32).to_be_bytes(), protobuf].concat();
    body.resize((length.div_ceil(step) * step).max(32), 0);
    body
}

pub fn content_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let Scene { poll, ballot } = &*SCENE;
    let mode = |mode: u8, bytes: &[u8]| [&[mode], bytes].concat();
    let of = |kind: Kind| mode(1, protobuf(&Content::new(meta(), kind).expect("within bounds")));
    let text = of(Kind::Text(Text::new("halo")));
    let twice = [text.as_slice(), &text[text.len() - 9..]].concat();
    let fields = |bytes: &[u8]| [&text[..text.len() - 9], bytes].concat();
    let business = business_kinds().into_iter().chain(group_kinds()).map(|(name, kind)| (name, of(kind)));
    let mut seeds = vec![
        ("body", mode(0, ballot.as_body())),
        ("body_cut", mode(0, &ballot.as_body()[..40])),
        ("text", text.clone()),
        ("text_twice", twice),
        ("poll", of(poll.clone())),
        ("ballot", mode(1, protobuf(ballot))),
        ("unknown_kind", fields(b"\xf2\x05\x05later")),
        ("unknown_field", [text.as_slice(), b"\xc2\x0c\x05later"].concat()),
        ("many_mentions", fields(&[b"\x82\x01\x86\x01\x0a\x04halo".as_slice(), &b"\x12\x00".repeat(64)].concat())),
        ("photo_of_a_pointer", fields(&photo())),
        ("live_start", fields(b"\xc2\x01\x16\x0a\x12\x09\0\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\0\x10\x3c")),
        ("receipt", fields(b"\x82\x02\x14\x08\x02\x12\x100123456789abcdef")),
        ("group", [text.as_slice(), b"\x83\x04\x84\x04"].concat()),
        ("greeting_by_hand", fields(b"\x82\x04\x08\x0a\x06\x0a\x04halo")),
        ("cart_in_two_currencies", fields(&two_currencies())),
    ];
    let [event, with_secret] = sealed::bodies();
    seeds.extend([("event", mode(0, event)), ("text_with_secret", mode(0, with_secret))]);
    seeds.extend(business);
    seeds
}

fn business_kinds() -> Vec<(&'static str, Kind)> {
    let choice = |id: &str| ReplyOption { id: id.into(), title: id.into() };
    let row = |id: &str| Row { choice: choice(id), description: "x".into() };
    let sections = vec![Section { title: "x".into(), rows: vec![row("a"), row("b")] }];
    let actions = [Action::Answer("a".into()), Action::Open("https://x".into()), Action::Dial("+628".into())];
    let buttons = actions.map(|action| Button { title: "x".into(), action }).into();
    let mut item = CatalogueItem::new("kopi", "Kopi");
    item.price = Price::new(1_800_000, "IDR").ok();
    let cart = Cart::new(CartLine::of(&item, 2));
    let mut profile = Profile::new("Kopi");
    (profile.email, profile.sites, profile.time_zone) = ("a@b".into(), vec!["https://x".into()], "Asia/Jakarta".into());
    profile.hours = vec![OpeningHours { day: 1, from: 420, to: 1_260 }];
    let replies = QuickReplies { text: Text::new("?"), choices: vec![choice("a"), choice("b")] };
    let asked = Content::new(meta(), Kind::QuickReplies(replies.clone())).expect("within bounds");
    let selection = Selection::new(&asked, &person(), "a").expect("it was offered");
    vec![
        ("greeting", Kind::Greeting(Greeting { text: Text::new("halo") })),
        ("away", Kind::Away(Away { text: Text::new("halo") })),
        ("profile", Kind::Profile(profile)),
        ("catalogue_item", Kind::CatalogueItem(item)),
        ("cart", Kind::Cart(cart)),
        ("quick_replies", Kind::QuickReplies(replies)),
        ("list", Kind::List(ListMenu { text: Text::new("?"), label: "x".into(), sections })),
        ("buttons", Kind::Buttons(Buttons { text: Text::new("?"), footer: "x".into(), buttons })),
        ("selection", Kind::Selection(selection)),
        ("referral", Kind::Referral(Referral::new(Origin::LINK, "a", "https://x"))),
    ]
}

fn group_kinds() -> Vec<(&'static str, Kind)> {
    let [one, other] = [1, 2].map(|byte| ContentId::from_bytes([byte; 16]));
    let target = Reference { author: person(), id: one };
    let until = Some(Timestamp::from_unix_seconds(1_800_604_800));
    let answers = [Answered::Emoji("!".into()), Answered::Choice(0)];
    let counts = answers.map(|answer| Count { answer, people: 17 }).into();
    vec![
        ("pin", Kind::Pin(Pin { target: target.clone(), until })),
        ("unpin", Kind::Unpin(Unpin { target: target.clone() })),
        ("tally", Kind::Tally(Tally { target: one, counts })),
        ("album", Kind::Album(Album { items: vec![one, other] })),
        ("remove", Kind::Remove(Remove::new(target))),
    ]
}

fn two_currencies() -> Vec<u8> {
    let line = |item: u8, currency: &[u8; 3]| {
        [&[0x0a, 17, 0x0a, 1, item, 0x12, 1, b'x', 0x18, 1, 0x22, 7, 8, 5, 0x12, 3], currency.as_slice()].concat()
    };
    let lines = [line(b'a', b"IDR"), line(b'b', b"USD")].concat();
    [&[0xa2, 0x04, lines.len() as u8], lines.as_slice()].concat()
}

/// A photo with the shortest pointer.
fn photo() -> Vec<u8> {
    let pointer = [&[1], [7; 64].as_slice(), &[0, 0, 0, 0, 0, 0, 0, 9], &[9], b"image/png", &[0; 4]].concat();
    let blob = [&[0x0a, pointer.len() as u8], pointer.as_slice(), b"\x12\x01x"].concat();
    let photo = [&[0x0a, blob.len() as u8], blob.as_slice(), b"\x10\x05\x18\x05"].concat();
    [&[0x8a, 0x01, photo.len() as u8], photo.as_slice()].concat()
}

pub fn poll_vote_seeds() -> Vec<(&'static str, Vec<u8>)> {
    // Options "0" and "1", then the voter, then the ballot and its edits.
    let genuine = |rest: &[u8]| [&[0, 0, 0, 0], rest].concat();
    vec![
        ("cast", genuine(&[0, 0])),
        ("another_voter", vec![0, 0, 0, 1, 0, 0]),
        ("options_reversed", vec![0, 1, 1, 0, 0, 0]),
        ("one_option_more", vec![1, 0, 0, 0, 0, 0, 0]),
        ("flipped_nonce", genuine(&[0, 1, 0, 1, 0, 70])),
        ("flipped_vote", genuine(&[0, 1, 0, 1, 0, 95])),
        ("flipped_tag", genuine(&[0, 1, 0, 1, 0, 110])),
        ("truncated", genuine(&[0, 1, 1, 0, 0, 60])),
    ]
}
