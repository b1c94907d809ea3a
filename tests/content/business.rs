//! Business content: what is composed is read again, what is out of bounds is refused on both sides, a sum is computed, a machine
//! says that it is one, and only what was offered is an answer.
//!
//! Does not know how bodies are encrypted, nor which endpoint a business has.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use allocation_counter::measure;
use bisik::content::{
    Action, Availability, Away, Blob, Button, Buttons, Cart, CartLine, CatalogueItem, Choice, Content, ContentError,
    Envelope, Greeting, Kind, List, Opening, Origin, PersonId, Price, PrivateText, Profile, QuickReplies, Referral,
    Row, Section, Selection, SentAt, Text,
};
use bisik::media::Pointer;
use proptest::prelude::*;
use support::ConstantRng;
use support::protobuf::{body, field, protobuf, varint_field};

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_composed_is_read_again_as_it_was(kind in kinds(), automated in any::<bool>()) {
        let content = Content::new(with(|envelope| envelope.automated = automated), kind.clone()).unwrap();
        let read = Content::from_body(content.as_body()).unwrap();
        prop_assert_eq!(read.kind(), &kind);
        prop_assert_eq!(read.envelope(), content.envelope());
        prop_assert_eq!(&read, &content);
        let again = Content::new(read.envelope().clone(), read.kind().clone()).unwrap();
        prop_assert_eq!(again, content);
    }

    #[test]
    fn a_changed_content_is_read_or_refused(
        kind in kinds(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = protobuf(&compose(kind).unwrap()).to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(content) = Content::from_body(&body(&bytes)) {
            prop_assert_eq!(protobuf(&content), bytes);
            if let Kind::Cart(cart) = content.kind() {
                prop_assert!(cart.total().is_ok(), "whatever is read adds up");
            }
        }
    }

    /// P-7.18
    #[test]
    fn a_carts_total_is_the_sum_of_its_lines_or_the_cart_is_refused(
        lines in prop::collection::vec((0..=1_000_000_000_000_000_u64, 1..=9_999_u32), 1..8),
        small in any::<bool>(),
    ) {
        let scale = if small { 1_000_000_000 } else { 1 };
        let of = |(at, (amount, quantity)): (usize, &(u64, u32))| line(&at.to_string(), *quantity, amount / scale);
        let sum: u128 = lines.iter().map(|(amount, quantity)| u128::from(amount / scale) * u128::from(*quantity)).sum();
        let cart = Cart::new(lines.iter().enumerate().map(of));
        let (total, sent) = (cart.total(), compose(Kind::Cart(cart)));
        if sum <= 1_000_000_000_000_000 {
            prop_assert_eq!(u128::from(total.unwrap().amount()), sum);
            prop_assert!(sent.is_ok());
        } else {
            prop_assert_eq!(total, Err(ContentError::OutOfRange));
            prop_assert_eq!(sent, Err(ContentError::OutOfRange));
        }
    }
}

/// P-7.17
#[test]
fn what_only_a_machine_sends_says_so_and_is_refused_if_it_does_not() {
    for (number, kind) in [
        (64, Kind::Greeting(Greeting { text: Text::new("halo") })),
        (65, Kind::Away(Away { text: Text::new("tutup") })),
    ] {
        let content = compose(kind).unwrap();
        assert!(content.envelope().automated);
        assert!(Content::from_body(content.as_body()).unwrap().envelope().automated);
        let said = |envelope: Vec<u8>| [envelope, field(number, &field(1, &field(1, b"halo")))].concat();
        assert!(read(&said([envelope_bytes(), varint_field(7, 1)].concat())).is_ok());
        assert_eq!(read(&said(envelope_bytes())), Err(ContentError::OutOfRange));
        assert_eq!(read(&said([envelope_bytes(), varint_field(7, 0)].concat())), Err(ContentError::OutOfRange));
    }
    // Whatever else a program sends by itself can say so, and nothing does that is not told to.
    let text = |automated| {
        Content::new(with(|envelope| envelope.automated = automated), Kind::Text(Text::new("halo"))).unwrap()
    };
    for automated in [true, false] {
        assert_eq!(Content::from_body(text(automated).as_body()).unwrap().envelope().automated, automated);
    }
    let by_hand = text(true).forward(envelope()).unwrap();
    assert!(!by_hand.envelope().automated, "who forwards it is no machine");
    assert!(!Content::from_body(by_hand.as_body()).unwrap().envelope().automated);
}

/// P-7.18
#[test]
fn a_cart_that_does_not_add_up_is_refused_by_both_sides() {
    let dear = Price::new(1_000_000_000_000_000, "IDR").unwrap();
    assert_eq!(dear.times(2), Err(ContentError::OutOfRange));
    assert_eq!(dear.plus(&Price::new(1, "IDR").unwrap()), Err(ContentError::OutOfRange));
    assert_eq!(dear.plus(&Price::new(1, "USD").unwrap()), Err(ContentError::OutOfRange));
    assert_eq!(Price::new(0, "IDR").unwrap().plus(&dear).as_ref(), Ok(&dear));
    assert_eq!(Price::new(1_000_000_000_000_001, "IDR"), Err(ContentError::OutOfRange));
    for code in ["", "ID", "IDRX", "idr", "1DR", "Ré"] {
        assert_eq!(Price::new(1, code), Err(ContentError::OutOfRange), "{code}");
    }
    let other_money = CartLine { price: Price::new(1, "USD").unwrap(), ..line("b", 1, 1) };
    for lines in [
        vec![],
        vec![line("a", 1, 1), line("a", 2, 1)],
        vec![line("a", 1, 1), other_money],
        vec![line("a", 2, 1_000_000_000_000_000)],
        vec![line("a", 1, 1_000_000_000_000_000), line("b", 1, 1)],
        vec![line("a", 0, 1)],
        vec![line("a", 10_000, 1)],
        vec![line("", 1, 1)],
    ] {
        assert_eq!(compose(Kind::Cart(Cart::new(lines))).map(drop), Err(ContentError::OutOfRange));
    }
    // What a hostile program sends: two lines that only together are too much, and a sum that wraps around 2^64.
    let bytes = |id: &[u8], quantity, amount, code: &[u8]| {
        let price = [varint_field(1, amount), field(2, code)].concat();
        field(1, &[field(1, id), field(2, b"x"), varint_field(3, quantity), field(4, &price)].concat())
    };
    let (most, range) = (1_000_000_000_000_000, Err(ContentError::OutOfRange));
    let without_price = field(1, &[field(1, b"a"), field(2, b"x"), varint_field(3, 1)].concat());
    for (lines, outcome) in [
        (bytes(b"a", 1, most, b"IDR"), Ok(())),
        ([bytes(b"a", 1, most - 1, b"IDR"), bytes(b"b", 1, 1, b"IDR")].concat(), Ok(())),
        ([bytes(b"a", 1, most, b"IDR"), bytes(b"b", 1, 1, b"IDR")].concat(), range),
        (bytes(b"a", 1, most + 1, b"IDR"), range),
        (bytes(b"a", 9_999, u64::MAX / 9_998, b"IDR"), range),
        (bytes(b"a", 1, u64::MAX, b"IDR"), range),
        (bytes(b"a", 1, 1, b"idr"), range),
        ([bytes(b"a", 1, 1, b"IDR"), bytes(b"b", 1, 1, b"USD")].concat(), range),
        ([bytes(b"a", 1, 1, b"IDR"), bytes(b"a", 1, 1, b"IDR")].concat(), range),
        (without_price, Err(ContentError::Malformed)),
        (Vec::new(), range),
    ] {
        assert_eq!(read(&[envelope_bytes(), field(68, &lines)].concat()).map(drop), outcome, "{lines:x?}");
    }
}

/// P-7.18
#[test]
fn a_business_sees_whether_a_price_is_its_own() {
    let coffee = priced("kopi", 1_800_000);
    let line = CartLine::of(&coffee, 2).unwrap();
    assert_eq!((&*line.item, &*line.title, line.quantity, &line.price), ("kopi", "Kopi", 2, &price(1_800_000)));
    assert!(line.agrees_with(&coffee));
    for other in [priced("kopi", 1_800_001), priced("teh", 1_800_000), CatalogueItem::new("kopi", "Kopi")] {
        assert!(!line.agrees_with(&other));
    }
    assert_eq!(CartLine::of(&CatalogueItem::new("kopi", "Kopi"), 1), Err(ContentError::OutOfRange), "to be asked");
    for quantity in [0, 10_000] {
        assert_eq!(CartLine::of(&coffee, quantity), Err(ContentError::OutOfRange));
    }
}

/// P-7.19
#[test]
fn only_what_was_offered_is_an_answer_and_only_to_who_offered_it() {
    let (stall, other) = (person("stall"), person("other"));
    let buttons = Buttons {
        buttons: vec![button("Ya", Action::Answer("yes".into())), button("Situs", Action::Open(SITE.into()))],
        ..buttons()
    };
    for (kind, id, title) in [
        (Kind::QuickReplies(replies(["hot", "iced"])), "iced", "Iced"),
        (Kind::List(list(2, 3)), "1-2", "Row 1-2"),
        (Kind::Buttons(buttons), "yes", "Ya"),
    ] {
        let asked = compose(kind).unwrap();
        let chosen = Selection::new(&asked, &stall, id).unwrap();
        assert_eq!((&chosen.of, &*chosen.title), (&asked.reference(&stall), title));
        for absent in ["", "free", SITE] {
            assert_eq!(Selection::new(&asked, &stall, absent), None);
        }
        let sent = compose(Kind::Selection(chosen.clone())).unwrap();
        let Kind::Selection(arrived) = Content::from_body(sent.as_body()).unwrap().kind().clone() else { panic!() };
        assert!(arrived.answers(&asked, &stall));
        assert!(!arrived.answers(&asked, &other), "somebody else has offered it");
        let again = Content::new(Envelope::new(now(), &mut ConstantRng(9)), asked.kind().clone()).unwrap();
        assert!(!arrived.answers(&again, &stall), "another content has offered it");
        for change in [
            |chosen: &mut Selection| chosen.title = "Gratis".into(),
            |chosen: &mut Selection| chosen.id = "free".into(),
        ] {
            let mut changed = arrived.clone();
            change(&mut changed);
            assert!(!changed.answers(&asked, &stall), "in other words");
        }
    }
    let text = compose(Kind::Text(Text::new("halo"))).unwrap();
    assert_eq!(Selection::new(&text, &stall, "halo"), None, "a text offers nothing");
}

/// P-7.20
#[test]
fn what_can_be_chosen_has_one_meaning() {
    let range = Err(ContentError::OutOfRange);
    let mut twice = list(2, 2);
    twice.sections[1].rows[0].choice.id = twice.sections[0].rows[1].choice.id.clone();
    for kind in [
        Kind::QuickReplies(replies(["a", "b", "a"])),
        Kind::List(twice),
        Kind::Buttons(Buttons {
            buttons: [1, 2].map(|_| button("Ya", Action::Answer("y".into()))).into(),
            ..buttons()
        }),
    ] {
        assert_eq!(compose(kind).map(drop), range);
    }
    let link_twice =
        Buttons { buttons: [1, 2].map(|_| button("Situs", Action::Open(SITE.into()))).into(), ..buttons() };
    assert!(compose(Kind::Buttons(link_twice)).is_ok(), "two ways to one place are no answers");
    let of = |parts: &[(u64, &[u8])]| {
        let button: Vec<u8> = parts.iter().flat_map(|(number, bytes)| field(*number, bytes)).collect();
        let said = field(1, &field(1, b"halo"));
        read(&[envelope_bytes(), field(71, &[said, field(3, &button)].concat())].concat()).map(drop)
    };
    let (title, id, link, number) =
        ((1, b"x".as_slice()), (2, b"y".as_slice()), (3, SITE.as_bytes()), (4, b"+6281".as_slice()));
    for one in [id, link, number] {
        assert_eq!(of(&[title, one]), Ok(()));
    }
    for several in
        [&[title][..], &[title, id, link], &[title, link, number], &[title, id, number], &[title, id, link, number]]
    {
        assert_eq!(of(several), Err(ContentError::Malformed), "{several:x?}");
    }
}

/// P-7.21
#[test]
fn a_link_shows_where_it_leads() {
    let outcomes = |link: &str| {
        let mut profile = Profile::new("Kopi Pojok");
        profile.sites.push(link.into());
        let button = Buttons { buttons: vec![button("Situs", Action::Open(link.into()))], ..buttons() };
        let referral = Referral::new(Origin::LINK, "id", link);
        [Kind::Profile(profile), Kind::Buttons(button), Kind::Referral(referral)].map(|kind| compose(kind).map(drop))
    };
    for plain in [SITE, "https://a", "https://kopi.example:8443/menu?x=a@b#c@d", "https://xn--kopi-.example/@pojok"] {
        assert_eq!(outcomes(plain), [Ok(()); 3], "{plain}");
    }
    let deceiving = [
        "http://kopi.example",
        "HTTPS://kopi.example",
        "javascript:alert(1)",
        "https://",
        "https:///menu",
        "https://?x",
        "https://bank.example@elsewhere.example",
        "https://bank.example\\@elsewhere.example/",
        "https://bank.example\\.elsewhere.example",
        "https://kopi.example/a b",
        "https://kopi.example/\n",
        "https://kopi\u{202e}.example",
        "https://коpi.example",
        " https://kopi.example",
    ];
    for link in deceiving {
        assert_eq!(outcomes(link), [Err(ContentError::OutOfRange); 3], "{link:?}");
    }
    let dial = |number: &str| {
        compose(Kind::Buttons(Buttons { buttons: vec![button("Telepon", Action::Dial(number.into()))], ..buttons() }))
    };
    for (number, fits) in [
        ("+628111", true),
        ("+123", true),
        ("+123456789012345", true),
        ("+12", false),
        ("628111", false),
        ("+0628", false),
        ("+62 811", false),
        ("+62*811#", false),
        ("+", false),
    ] {
        assert_eq!(dial(number).is_ok(), fits, "{number}");
    }
    assert_eq!(dial("+1234567890123456").map(drop), Err(ContentError::TooLong));
    for (address, fits) in [
        ("halo@kopi.example", true),
        ("halo", false),
        ("@kopi.example", false),
        ("halo@", false),
        ("a@b@c", false),
        ("a b@c", false),
    ] {
        let mut profile = Profile::new("Kopi Pojok");
        profile.email = address.into();
        assert_eq!(compose(Kind::Profile(profile)).is_ok(), fits, "{address}");
    }
}

/// P-7.6. The last that fits and the first that does not.
#[test]
fn every_bound_holds() {
    let (ok, range, long) = (Ok(()), Err(ContentError::OutOfRange), Err(ContentError::TooLong));
    let cases = texts_at_their_bounds().into_iter().chain(lists_at_their_bounds());
    for (name, kind, outcome) in cases {
        let outcome = [ok, range, long][usize::from(outcome)];
        let composed = compose(kind);
        assert_eq!(composed.clone().map(drop), outcome, "{name}");
        composed.iter().for_each(|content| assert_eq!(Content::from_body(content.as_body()).as_ref(), Ok(content)));
    }
}

/// P-7.6. The same bounds on bytes that a careless program made, where composing cannot reach.
#[test]
fn every_bound_holds_for_what_is_read() {
    let said = field(1, &field(1, b"halo"));
    let item = |more: Vec<u8>| field(67, &[field(1, b"a"), field(2, b"A"), more].concat());
    let row = |id: usize| field(2, &field(1, &[field(1, id.to_string().as_bytes()), field(2, b"x")].concat()));
    let list = |sections: usize, rows: usize| {
        let section = |at: usize| field(3, &(0..rows).flat_map(|number| row(at * 1_000 + number)).collect::<Vec<_>>());
        field(70, &[said.clone(), field(2, b"buka"), (0..sections).flat_map(section).collect()].concat())
    };
    let (ok, range, malformed) = (Ok(()), Err(ContentError::OutOfRange), Err(ContentError::Malformed));
    let negative = u64::from(u32::MAX); // beyond what an enumeration holds, whose sign would be in ten bytes
    for (kind, outcome) in [
        (item(Vec::new()), ok),
        (item(varint_field(6, 3)), ok),
        (item(varint_field(6, 99)), ok), // said by a later version
        (item(varint_field(6, negative)), malformed),
        (item(varint_field(6, u64::MAX)), malformed), // -1
        (field(73, &[varint_field(1, u64::MAX), field(2, b"kampanye")].concat()), malformed),
        (item(field(4, &[varint_field(1, 5), field(2, b"IDR")].concat())), ok),
        (item(field(4, &varint_field(1, 5))), range), // of what money?
        (item(field(5, &field(2, b"https://blobs/1"))), malformed), // a picture without a pointer
        (field(67, &field(1, b"a")), range),
        (field(69, &field(2, &[field(1, b"a"), field(2, b"A")].concat())), malformed), // no text
        (field(69, &said), range),
        (field(69, &[said.clone(), field(2, &[])].concat()), range),
        (field(69, &[said.clone(), field(2, &[]).repeat(17)].concat()), malformed),
        (list(1, 100), ok),
        (list(16, 6), ok),
        (list(2, 51), Err(ContentError::TooLong)),
        (list(17, 1), malformed),
        (list(1, 101), malformed),
        (list(2, 0), range),
        (list(0, 0), range),
        (field(70, &[said.clone(), field(2, b"b"), field(3, &field(2, &[]))].concat()), malformed), // a row of nothing
        (field(72, &[field(2, b"id"), field(3, b"title")].concat()), malformed), // an answer to nothing
        (field(73, &[]), range),
        (field(73, &field(2, b"kampanye")), ok),
        (field(73, &[varint_field(1, 77), field(2, b"kampanye")].concat()), ok),
        (field(66, &[]), range),
        (field(64, &[]), malformed),
    ] {
        let bytes = [envelope_bytes(), varint_field(7, 1), kind.clone()].concat();
        assert_eq!(read(&bytes).map(drop), outcome, "{kind:x?}");
    }
}

/// P-7.4. Two bytes for each empty message, which would be a hundred in memory; refused before the first is built.
#[test]
fn a_list_of_a_hundred_thousand_allocates_nothing() {
    let many = |number| field(number, &[]).repeat(60_000);
    for bomb in [
        field(66, &many(6)),
        field(68, &many(1)),
        field(69, &many(2)),
        field(70, &many(3)),
        field(70, &field(3, &many(2))),
        field(71, &many(3)),
    ] {
        let body = body(&[envelope_bytes(), bomb].concat());
        let allocated = measure(|| assert_eq!(Content::from_body(&body), Err(ContentError::Malformed)));
        assert_eq!(allocated.count_total, 0);
    }
}

/// P-7.15, P-7.16
#[test]
fn only_what_is_shown_gives_receipts_and_only_what_is_sold_is_passed_on() {
    for (kind, shown, passed_on) in one_of_each() {
        let content = compose(kind).unwrap();
        assert_eq!(content.visible().is_some(), shown, "{content:?}");
        assert_eq!(content.forward(envelope()).is_ok(), passed_on, "{content:?}");
        let once = with(|envelope| envelope.view_once = true);
        assert_eq!(Content::new(once, content.kind().clone()), Err(ContentError::Unfit), "nothing to be shown once");
    }
}

#[test]
fn nothing_of_what_is_sold_or_bought_is_shown_by_debug() {
    let mut item = priced("kopi-susu", 1_234_567);
    item.description = "dengan gula aren".into();
    let cart = Cart::new([CartLine::of(&item, 4_321).unwrap()]);
    let shown = format!("{item:?} {cart:?} {:#?}", cart.total());
    for said in ["kopi", "Kopi", "gula", "1234567", "4321", "IDR"] {
        assert!(!shown.contains(said), "{said} in {shown}");
    }
}

// ---- contents ------------------------------------------------------------------------------------------------------

const SITE: &str = "https://kopi.example";

fn now() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_123).unwrap()
}

fn envelope() -> Envelope {
    Envelope::new(now(), &mut ConstantRng(1))
}

fn with(change: impl FnOnce(&mut Envelope)) -> Envelope {
    let mut envelope = envelope();
    change(&mut envelope);
    envelope
}

fn envelope_bytes() -> Vec<u8> {
    [field(1, &[1; 16]), varint_field(2, 1_800_000_000_000)].concat()
}

fn compose(kind: Kind) -> Result<Content, ContentError> {
    Content::new(envelope(), kind)
}

fn read(protobuf: &[u8]) -> Result<Content, ContentError> {
    Content::from_body(&body(protobuf))
}

fn person(name: &str) -> PersonId {
    PersonId::new(name.as_bytes()).unwrap()
}

fn price(amount: u64) -> Price {
    Price::new(amount, "IDR").unwrap()
}

fn priced(id: &str, amount: u64) -> CatalogueItem {
    let mut item = CatalogueItem::new(id, "Kopi");
    item.price = Some(price(amount));
    item
}

fn line(item: &str, quantity: u32, amount: u64) -> CartLine {
    CartLine { item: item.into(), title: "Kopi".into(), quantity, price: price(amount) }
}

fn blob(location: usize) -> Blob {
    let pointer = [&[1], [7; 64].as_slice(), &1_000_u64.to_be_bytes(), &[9], b"image/png", &[0; 4]].concat();
    Blob { pointer: Pointer::from_bytes(&pointer).unwrap(), location: words(location) }
}

fn words(length: usize) -> PrivateText {
    "a".repeat(length).into()
}

fn choice(id: &str) -> Choice {
    Choice { id: id.into(), title: [&id[..1].to_uppercase(), &id[1..]].concat().into() }
}

fn replies<const N: usize>(ids: [&str; N]) -> QuickReplies {
    QuickReplies { text: Text::new("?"), choices: ids.map(choice).into() }
}

fn list(sections: usize, rows: usize) -> List {
    let row = |section: usize, row: usize| Row {
        choice: Choice { id: format!("{section}-{row}").into(), title: format!("Row {section}-{row}").into() },
        description: PrivateText::default(),
    };
    let section = |at| Section { title: "Bagian".into(), rows: (0..rows).map(|number| row(at, number)).collect() };
    List { text: Text::new("?"), label: "Buka".into(), sections: (0..sections).map(section).collect() }
}

fn button(title: &str, action: Action) -> Button {
    Button { title: title.into(), action }
}

fn buttons() -> Buttons {
    let yes = button("Ya", Action::Answer("yes".into()));
    Buttons { text: Text::new("?"), footer: PrivateText::default(), buttons: vec![yes] }
}

fn selection() -> Selection {
    Selection::new(&compose(Kind::Buttons(buttons())).unwrap(), &person("stall"), "yes").unwrap()
}

/// Every kind, whether it is shown, and whether it can be forwarded.
fn one_of_each() -> Vec<(Kind, bool, bool)> {
    vec![
        (Kind::Greeting(Greeting { text: Text::new("halo") }), true, false),
        (Kind::Away(Away { text: Text::new("tutup") }), true, false),
        (Kind::Profile(Profile::new("Kopi Pojok")), false, false),
        (Kind::CatalogueItem(priced("kopi", 1)), true, true),
        (Kind::Cart(Cart::new([line("kopi", 1, 1)])), true, false),
        (Kind::QuickReplies(replies(["hot"])), true, false),
        (Kind::List(list(1, 1)), true, false),
        (Kind::Buttons(buttons()), true, false),
        (Kind::Selection(selection()), true, false),
        (Kind::Referral(Referral::new(Origin::CODE, "meja 4", "")), false, false),
    ]
}

/// What, the kind, and 0 where it fits, 1 where it is out of range, 2 where it is too long.
type Case = (&'static str, Kind, u8);

/// A text of each length in its place: from the least to the most, and one beyond each.
fn around(name: &'static str, least: usize, most: usize, kind: impl Fn(PrivateText) -> Kind) -> Vec<Case> {
    let mut cases = vec![(name, kind(words(least)), 0), (name, kind(words(most)), 0), (name, kind(words(most + 1)), 2)];
    if least > 0 {
        cases.push((name, kind(words(least - 1)), 1));
    }
    cases
}

fn texts_at_their_bounds() -> Vec<Case> {
    let item = |change: &dyn Fn(&mut CatalogueItem)| {
        let mut item = priced("kopi", 1);
        change(&mut item);
        Kind::CatalogueItem(item)
    };
    let profile = |change: &dyn Fn(&mut Profile)| {
        let mut profile = Profile::new("Kopi Pojok");
        change(&mut profile);
        Kind::Profile(profile)
    };
    let referral = |change: &dyn Fn(&mut Referral)| {
        let mut referral = Referral::new(Origin::ADVERTISEMENT, "id", "");
        change(&mut referral);
        Kind::Referral(referral)
    };
    let cart = |change: &dyn Fn(&mut CartLine)| {
        let mut line = line("kopi", 1, 1);
        change(&mut line);
        Kind::Cart(Cart::new([line]))
    };
    let row = |change: &dyn Fn(&mut List)| {
        let mut list = list(1, 1);
        change(&mut list);
        Kind::List(list)
    };
    let choice = |choice| Kind::QuickReplies(QuickReplies { text: Text::new("?"), choices: vec![choice] });
    let of_button = |title, action| Kind::Buttons(Buttons { buttons: vec![Button { title, action }], ..buttons() });
    let link = |length: PrivateText| PrivateText::from(format!("https://{}", &length[8..]));
    let open = || hours(&[(1, 0, 1)]);
    [
        around("greeting", 1, 65_536, |said| Kind::Greeting(Greeting { text: Text::new(&*said) })),
        around("away", 1, 65_536, |said| Kind::Away(Away { text: Text::new(&*said) })),
        around("item id", 1, 64, |said| item(&|item| item.id = said.clone())),
        around("item title", 1, 255, |said| item(&|item| item.title = said.clone())),
        around("description", 0, 4_096, |said| item(&|item| item.description = said.clone())),
        around("picture", 1, 2_048, |said| item(&|item| item.picture = Some(blob(said.len())))),
        around("name", 1, 255, |said| profile(&|profile| profile.name = said.clone())),
        around("about", 0, 1_024, |said| profile(&|profile| profile.about = said.clone())),
        around("address", 0, 1_024, |said| profile(&|profile| profile.address = said.clone())),
        around("time zone", 0, 64, |said| profile(&|profile| profile.time_zone = said.clone())),
        around("time zone of hours", 1, 64, |said| {
            profile(&|profile| (profile.time_zone, profile.hours) = (said.clone(), open()))
        }),
        around("e-mail", 3, 254, |said| profile(&|profile| profile.email = said.replacen("aa", "a@", 1).into())),
        around("site", 9, 2_048, |said| profile(&|profile| profile.sites = vec![link(said.clone())])),
        around("line's item", 1, 64, |said| cart(&|line| line.item = said.clone())),
        around("line's title", 1, 255, |said| cart(&|line| line.title = said.clone())),
        around("note", 1, 65_536, |said| {
            let mut cart = Cart::new([line("kopi", 1, 1)]);
            cart.note = Some(Text::new(&*said));
            Kind::Cart(cart)
        }),
        around("choice's id", 1, 255, |id| choice(Choice { id, title: "A".into() })),
        around("choice's title", 1, 255, |title| choice(Choice { id: "a".into(), title })),
        around("list's label", 1, 255, |said| row(&|list| list.label = said.clone())),
        around("section's title", 0, 255, |said| row(&|list| list.sections[0].title = said.clone())),
        around("row's id", 1, 255, |said| row(&|list| list.sections[0].rows[0].choice.id = said.clone())),
        around("row's description", 0, 1_024, |said| row(&|list| list.sections[0].rows[0].description = said.clone())),
        around("button's title", 1, 255, |title| of_button(title, Action::Answer("y".into()))),
        around("button's id", 1, 255, |id| of_button("Ya".into(), Action::Answer(id))),
        around("button's link", 9, 2_048, |said| of_button("Ya".into(), Action::Open(link(said)))),
        around("footer", 0, 255, |footer| Kind::Buttons(Buttons { footer, ..buttons() })),
        around("what is asked", 1, 65_536, |said| Kind::Buttons(Buttons { text: Text::new(&*said), ..buttons() })),
        around("selected id", 1, 255, |said| {
            let mut selection = selection();
            selection.id = said;
            Kind::Selection(selection)
        }),
        around("selected title", 1, 255, |said| {
            let mut selection = selection();
            selection.title = said;
            Kind::Selection(selection)
        }),
        around("referral's id", 1, 255, |said| referral(&|referral| referral.id = said.clone())),
        around("referral's link", 9, 2_048, |said| referral(&|referral| referral.link = link(said.clone()))),
        around("headline", 0, 255, |said| referral(&|referral| referral.headline = said.clone())),
        around("text", 0, 1_024, |said| referral(&|referral| referral.text = said.clone())),
    ]
    .concat()
}

fn hours(openings: &[(u32, u32, u32)]) -> Vec<Opening> {
    openings.iter().map(|&(day, from, to)| Opening { day, from, to }).collect()
}

fn lists_at_their_bounds() -> Vec<Case> {
    let cart = |lines: usize| Kind::Cart(Cart::new((0..lines).map(|at| line(&at.to_string(), 1, 1))));
    let replies = |count: usize| {
        let choices = (0..count).map(|at| choice(&format!("a{at}"))).collect();
        Kind::QuickReplies(QuickReplies { text: Text::new("?"), choices })
    };
    let row_of_buttons = |count: usize| {
        let buttons = (0..count).map(|at| button("Ya", Action::Answer(at.to_string().into()))).collect();
        Kind::Buttons(Buttons { text: Text::new("?"), footer: PrivateText::default(), buttons })
    };
    let sites = |count: usize| {
        let mut profile = Profile::new("Kopi Pojok");
        profile.sites = vec![SITE.into(); count];
        Kind::Profile(profile)
    };
    let open = |openings: &[(u32, u32, u32)]| {
        let mut profile = Profile::new("Kopi Pojok");
        (profile.time_zone, profile.hours) = ("Asia/Jakarta".into(), hours(openings));
        Kind::Profile(profile)
    };
    let every_day = |times: u32| (0..times).map(|at| (1 + at / 4, at % 4 * 10, at % 4 * 10 + 10)).collect::<Vec<_>>();
    let mut listless = list(1, 1);
    listless.sections[0].rows.clear();
    let mut empty_note = Cart::new([line("kopi", 1, 1)]);
    empty_note.note = Some(Text::new(""));
    vec![
        ("100 lines", cart(100), 0),
        ("101 lines", cart(101), 2),
        ("an empty note", Kind::Cart(empty_note), 1),
        ("16 replies", replies(16), 0),
        ("17 replies", replies(17), 2),
        ("no reply", replies(0), 1),
        ("16 buttons", row_of_buttons(16), 0),
        ("17 buttons", row_of_buttons(17), 2),
        ("no button", row_of_buttons(0), 1),
        ("16 sections", Kind::List(list(16, 1)), 0),
        ("17 sections", Kind::List(list(17, 1)), 2),
        ("100 rows", Kind::List(list(4, 25)), 0),
        ("101 rows", Kind::List(list(1, 101)), 2),
        ("102 rows", Kind::List(list(2, 51)), 2),
        ("no section", Kind::List(list(0, 0)), 1),
        ("no row", Kind::List(listless), 1),
        ("4 sites", sites(4), 0),
        ("5 sites", sites(5), 2),
        ("28 openings", open(&every_day(28)), 0),
        ("29 openings", open(&[every_day(28), vec![(7, 100, 101)]].concat()), 2),
        ("a whole week", open(&[(1, 0, 1_440), (7, 0, 1_440)]), 0),
        ("one after the other", open(&[(1, 10, 20), (1, 20, 30)]), 0),
        ("overlapping", open(&[(1, 10, 20), (1, 19, 30)]), 1),
        ("out of order", open(&[(2, 10, 20), (1, 10, 20)]), 1),
        ("no time at all", open(&[(1, 10, 10)]), 1),
        ("backwards", open(&[(1, 20, 10)]), 1),
        ("day 0", open(&[(0, 10, 20)]), 1),
        ("day 8", open(&[(8, 10, 20)]), 1),
        ("beyond midnight", open(&[(1, 10, 1_441)]), 1),
    ]
}

// ---- anything ------------------------------------------------------------------------------------------------------

fn said() -> impl Strategy<Value = Text> {
    "\\PC{1,60}".prop_map(Text::new)
}

fn some_words(least: usize) -> impl Strategy<Value = PrivateText> {
    prop::collection::vec("\\PC", least..16).prop_map(|words| words.concat().into())
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::btree_map("[a-z]{1,8}", some_words(1), 1..=16)
        .prop_map(|choices| choices.into_iter().map(|(id, title)| Choice { id: id.into(), title }).collect())
}

fn items() -> impl Strategy<Value = CatalogueItem> {
    let availability = prop::sample::select(vec![
        Availability::UNSPECIFIED,
        Availability::IN_STOCK,
        Availability::OUT_OF_STOCK,
        Availability::TO_ORDER,
    ]);
    let amount = prop::option::of((0..=1_000_000_000_000_000_u64, "[A-Z]{3}"));
    (some_words(1), some_words(0), amount, any::<bool>(), availability).prop_map(
        |(title, description, amount, picture, availability)| {
            let mut item = CatalogueItem::new("kopi", &*title);
            item.description = description;
            item.price = amount.map(|(amount, currency)| Price::new(amount, &currency).unwrap());
            item.picture = picture.then(|| blob(20));
            item.availability = availability;
            item
        },
    )
}

fn carts() -> impl Strategy<Value = Cart> {
    let line = (some_words(1), 1..=9_999_u32, 0..=1_000_000_000_u64);
    let lines = prop::collection::btree_map("[a-z]{1,8}", line, 1..20);
    (lines, prop::option::of(said()), "[A-Z]{3}").prop_map(|(lines, note, currency)| {
        let line = |(item, (title, quantity, amount)): (String, (PrivateText, u32, u64))| {
            let price = Price::new(amount, &currency).unwrap();
            CartLine { item: item.into(), title, quantity, price }
        };
        let mut cart = Cart::new(lines.into_iter().map(line));
        cart.note = note;
        cart
    })
}

fn profiles() -> impl Strategy<Value = Profile> {
    let openings = prop::collection::btree_set((1..=7_u32, 0..720_u32), 0..20);
    (some_words(1), some_words(0), some_words(0), openings, 0..=4_usize).prop_map(
        |(name, about, address, openings, sites)| {
            let mut profile = Profile::new(&*name);
            (profile.about, profile.address, profile.time_zone) = (about, address, "Asia/Jakarta".into());
            profile.hours =
                openings.iter().map(|(day, at)| Opening { day: *day, from: at * 2, to: at * 2 + 2 }).collect();
            profile.sites = vec![SITE.into(); sites];
            profile
        },
    )
}

/// Each business kind with whatever it can hold.
fn kinds() -> impl Strategy<Value = Kind> {
    let row = (some_words(1), some_words(0));
    let sections = prop::collection::vec((some_words(0), prop::collection::vec(row, 1..6)), 1..=16);
    let action = prop_oneof![
        "[a-z]{1,8}".prop_map(|id| Action::Answer(id.into())),
        "[a-z]{1,8}".prop_map(|host| Action::Open(format!("https://{host}.example/").into())),
        "[1-9][0-9]{2,14}".prop_map(|digits| Action::Dial(format!("+{digits}").into())),
    ];
    let origins = prop::sample::select(vec![Origin::UNSPECIFIED, Origin::ADVERTISEMENT, Origin::LINK, Origin::CODE]);
    prop_oneof![
        said().prop_map(|text| Kind::Greeting(Greeting { text })),
        said().prop_map(|text| Kind::Away(Away { text })),
        profiles().prop_map(Kind::Profile),
        items().prop_map(Kind::CatalogueItem),
        carts().prop_map(Kind::Cart),
        (said(), choices()).prop_map(|(text, choices)| Kind::QuickReplies(QuickReplies { text, choices })),
        (said(), some_words(1), sections).prop_map(|(text, label, sections)| {
            let row = |at: usize, row: usize, (title, description): (PrivateText, PrivateText)| Row {
                choice: Choice { id: format!("{at}-{row}").into(), title },
                description,
            };
            let section = |(at, (title, rows)): (usize, (PrivateText, Vec<_>))| Section {
                title,
                rows: rows.into_iter().enumerate().map(|(number, words)| row(at, number, words)).collect(),
            };
            let sections = sections.into_iter().enumerate().map(section).collect();
            Kind::List(List { text, label, sections })
        }),
        (said(), some_words(0), some_words(1), action).prop_map(|(text, footer, title, action)| {
            Kind::Buttons(Buttons { text, footer, buttons: vec![Button { title, action }] })
        }),
        Just(Kind::Selection(selection())),
        (origins, some_words(1), some_words(0), some_words(0)).prop_map(|(origin, id, headline, text)| {
            let mut referral = Referral::new(origin, &*id, SITE);
            (referral.headline, referral.text) = (headline, text);
            Kind::Referral(referral)
        }),
    ]
}
