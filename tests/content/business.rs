//! Business content: carts add up, automated messages are marked, only an offered option can be chosen, links are shown
//! in full.

use allocation_counter::measure;
use bisik::content::{
    Action, Away, Buttons, Cart, CartLine, CatalogueItem, Content, ContentError, ContentMeta, Greeting, Kind, Origin,
    Price, Profile, Referral, Selection, Text,
};
use bisik_testkit::ConstantRng;
use bisik_testkit::protobuf::{body, field, protobuf, varint_field};
use proptest::prelude::*;

use super::business_fixtures::*;

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn composed_business_content_reads_back_unchanged(kind in kinds(), automated in any::<bool>()) {
        let content = Content::new(with(|meta| meta.automated = automated), kind.clone()).unwrap();
        let read = Content::from_body(content.as_body()).unwrap();
        prop_assert_eq!(read.kind(), &kind);
        prop_assert_eq!(read.meta(), content.meta());
        prop_assert_eq!(&read, &content);
        let again = Content::new(read.meta().clone(), read.kind().clone()).unwrap();
        prop_assert_eq!(again, content);
    }

    #[test]
    fn changed_business_content_is_read_or_refused_without_panic(
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
                prop_assert!(cart.total().is_ok(), "a cart that is read adds up");
            }
        }
    }

    /// P-7.18
    #[test]
    fn a_cart_total_is_the_sum_of_its_lines_or_the_cart_is_refused(
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
fn content_that_is_always_automated_is_refused_without_the_flag() {
    for (number, kind) in [
        (64, Kind::Greeting(Greeting { text: Text::new("halo") })),
        (65, Kind::Away(Away { text: Text::new("tutup") })),
    ] {
        let content = compose(kind).unwrap();
        assert!(content.meta().automated);
        assert!(Content::from_body(content.as_body()).unwrap().meta().automated);
        let said = |meta: Vec<u8>| [meta, field(number, &field(1, &field(1, b"halo")))].concat();
        assert!(read(&said([meta_bytes(), varint_field(7, 1)].concat())).is_ok());
        assert_eq!(read(&said(meta_bytes())), Err(ContentError::OutOfRange));
        assert_eq!(read(&said([meta_bytes(), varint_field(7, 0)].concat())), Err(ContentError::OutOfRange));
    }
    // Any other content can be marked as automated, and is not by default.
    let text =
        |automated| Content::new(with(|meta| meta.automated = automated), Kind::Text(Text::new("halo"))).unwrap();
    for automated in [true, false] {
        assert_eq!(Content::from_body(text(automated).as_body()).unwrap().meta().automated, automated);
    }
    let by_hand = text(true).forward(meta()).unwrap();
    assert!(!by_hand.meta().automated, "the person who forwards it is not automated");
    assert!(!Content::from_body(by_hand.as_body()).unwrap().meta().automated);
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
    // A hostile peer's carts: two lines whose sum is too large, and a sum that wraps around 2^64.
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
        assert_eq!(read(&[meta_bytes(), field(68, &lines)].concat()).map(drop), outcome, "{lines:x?}");
    }
}

/// P-7.18
#[test]
fn a_cart_line_is_compared_with_the_catalogue_price() {
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
fn only_an_offered_option_can_be_chosen_and_only_from_its_sender() {
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
        assert!(!arrived.answers(&asked, &other), "another account offered it");
        let again = Content::new(ContentMeta::new(now(), &mut ConstantRng(9)), asked.kind().clone()).unwrap();
        assert!(!arrived.answers(&again, &stall), "another message offered it");
        for change in [
            |chosen: &mut Selection| chosen.title = "Gratis".into(),
            |chosen: &mut Selection| chosen.id = "free".into(),
        ] {
            let mut changed = arrived.clone();
            change(&mut changed);
            assert!(!changed.answers(&asked, &stall), "title or id changed");
        }
    }
    let text = compose(Kind::Text(Text::new("halo"))).unwrap();
    assert_eq!(Selection::new(&text, &stall, "halo"), None, "a text offers nothing");
}

/// P-7.20
#[test]
fn duplicate_options_and_buttons_with_two_actions_are_refused() {
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
        read(&[meta_bytes(), field(71, &[said, field(3, &button)].concat())].concat()).map(drop)
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
fn a_deceptive_link_is_refused() {
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

/// P-7.7. The last valid value and the first invalid one.
#[test]
fn business_content_limits_hold_when_composing() {
    let (ok, range, long) = (Ok(()), Err(ContentError::OutOfRange), Err(ContentError::TooLong));
    let cases = texts_at_their_bounds().into_iter().chain(lists_at_their_bounds());
    for (name, kind, outcome) in cases {
        let outcome = [ok, range, long][usize::from(outcome)];
        let composed = compose(kind);
        assert_eq!(composed.clone().map(drop), outcome, "{name}");
        composed.iter().for_each(|content| assert_eq!(Content::from_body(content.as_body()).as_ref(), Ok(content)));
    }
}

/// P-7.7. The same limits in bytes that the composer cannot make.
#[test]
fn business_content_limits_hold_when_reading() {
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
        let bytes = [meta_bytes(), varint_field(7, 1), kind.clone()].concat();
        assert_eq!(read(&bytes).map(drop), outcome, "{kind:x?}");
    }
}

/// P-7.4. Each empty message is two bytes, and would take a hundred in memory; it is refused before the first is built.
#[test]
fn an_overlong_list_in_business_content_allocates_nothing() {
    let many = |number| field(number, &[]).repeat(60_000);
    for bomb in [
        field(66, &many(6)),
        field(68, &many(1)),
        field(69, &many(2)),
        field(70, &many(3)),
        field(70, &field(3, &many(2))),
        field(71, &many(3)),
    ] {
        let body = body(&[meta_bytes(), bomb].concat());
        let allocated = measure(|| assert_eq!(Content::from_body(&body), Err(ContentError::Malformed)));
        assert_eq!(allocated.count_total, 0);
    }
}

/// P-7.16, P-7.6
#[test]
fn only_shown_business_content_gives_receipts_and_only_offers_forward() {
    for (kind, shown, passed_on) in one_of_each() {
        let content = compose(kind).unwrap();
        assert_eq!(content.visible().is_some(), shown, "{content:?}");
        assert_eq!(content.forward(meta()).is_ok(), passed_on, "{content:?}");
        let once = with(|meta| meta.view_once = true);
        assert_eq!(
            Content::new(once, content.kind().clone()),
            Err(ContentError::NotAllowed),
            "nothing to be shown once"
        );
    }
}

#[test]
fn debug_output_shows_no_business_content() {
    let mut item = priced("kopi-susu", 1_234_567);
    item.description = "dengan gula aren".into();
    let cart = Cart::new([CartLine::of(&item, 4_321).unwrap()]);
    let shown = format!("{item:?} {cart:?} {:#?}", cart.total());
    for said in ["kopi", "Kopi", "gula", "1234567", "4321", "IDR"] {
        assert!(!shown.contains(said), "{said} in {shown}");
    }
}
