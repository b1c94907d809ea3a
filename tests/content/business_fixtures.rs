//! Business content of every kind, at every bound, and strategies for it.

use bisik::content::{
    Action, Availability, Away, Blob, Button, Buttons, Cart, CartLine, CatalogueItem, Content, ContentError,
    ContentMeta, Greeting, Kind, ListMenu, OpeningHours, Origin, PersonId, Price, PrivateText, Profile, QuickReplies,
    Referral, ReplyOption, Row, Section, Selection, SentAt, Text,
};
use bisik::media::Pointer;
use bisik_testkit::ConstantRng;
use bisik_testkit::protobuf::{body, field, varint_field};
use proptest::prelude::*;

pub fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// ---- contents ------------------------------------------------------------------------------------------------------

pub const SITE: &str = "https://kopi.example";

pub fn now() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_123).unwrap()
}

pub fn meta() -> ContentMeta {
    ContentMeta::new(now(), &mut ConstantRng(1))
}

pub fn with(change: impl FnOnce(&mut ContentMeta)) -> ContentMeta {
    let mut meta = meta();
    change(&mut meta);
    meta
}

pub fn meta_bytes() -> Vec<u8> {
    [field(1, &[1; 16]), varint_field(2, 1_800_000_000_000)].concat()
}

pub fn compose(kind: Kind) -> Result<Content, ContentError> {
    Content::new(meta(), kind)
}

pub fn read(protobuf: &[u8]) -> Result<Content, ContentError> {
    Content::from_body(&body(protobuf))
}

pub fn person(name: &str) -> PersonId {
    PersonId::new(name.as_bytes()).unwrap()
}

pub fn price(amount: u64) -> Price {
    Price::new(amount, "IDR").unwrap()
}

pub fn priced(id: &str, amount: u64) -> CatalogueItem {
    let mut item = CatalogueItem::new(id, "Kopi");
    item.price = Some(price(amount));
    item
}

pub fn line(item: &str, quantity: u32, amount: u64) -> CartLine {
    CartLine { item: item.into(), title: "Kopi".into(), quantity, price: price(amount) }
}

pub fn blob(location: usize) -> Blob {
    let pointer = [&[1], [7; 64].as_slice(), &1_000_u64.to_be_bytes(), &[9], b"image/png", &[0; 4]].concat();
    Blob { pointer: Pointer::from_bytes(&pointer).unwrap(), location: words(location) }
}

pub fn words(length: usize) -> PrivateText {
    "a".repeat(length).into()
}

pub fn choice(id: &str) -> ReplyOption {
    ReplyOption { id: id.into(), title: [&id[..1].to_uppercase(), &id[1..]].concat().into() }
}

pub fn replies<const N: usize>(ids: [&str; N]) -> QuickReplies {
    QuickReplies { text: Text::new("?"), choices: ids.map(choice).into() }
}

pub fn list(sections: usize, rows: usize) -> ListMenu {
    let row = |section: usize, row: usize| Row {
        choice: ReplyOption { id: format!("{section}-{row}").into(), title: format!("Row {section}-{row}").into() },
        description: PrivateText::default(),
    };
    let section = |at| Section { title: "Bagian".into(), rows: (0..rows).map(|number| row(at, number)).collect() };
    ListMenu { text: Text::new("?"), label: "Buka".into(), sections: (0..sections).map(section).collect() }
}

pub fn button(title: &str, action: Action) -> Button {
    Button { title: title.into(), action }
}

pub fn buttons() -> Buttons {
    let yes = button("Ya", Action::Answer("yes".into()));
    Buttons { text: Text::new("?"), footer: PrivateText::default(), buttons: vec![yes] }
}

pub fn selection() -> Selection {
    Selection::new(&compose(Kind::Buttons(buttons())).unwrap(), &person("stall"), "yes").unwrap()
}

/// Each kind, whether it is shown, and whether it can be forwarded.
pub fn one_of_each() -> Vec<(Kind, bool, bool)> {
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

/// Description, kind, and 0 if it is valid, 1 if it is out of range, 2 if it is too long.
pub type Case = (&'static str, Kind, u8);

/// Texts at the shortest and longest valid length, and one beyond each.
pub fn around(name: &'static str, least: usize, most: usize, kind: impl Fn(PrivateText) -> Kind) -> Vec<Case> {
    let mut cases = vec![(name, kind(words(least)), 0), (name, kind(words(most)), 0), (name, kind(words(most + 1)), 2)];
    if least > 0 {
        cases.push((name, kind(words(least - 1)), 1));
    }
    cases
}

pub fn texts_at_their_bounds() -> Vec<Case> {
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
    let row = |change: &dyn Fn(&mut ListMenu)| {
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
        around("choice's id", 1, 255, |id| choice(ReplyOption { id, title: "A".into() })),
        around("choice's title", 1, 255, |title| choice(ReplyOption { id: "a".into(), title })),
        around("list's label", 1, 255, |said| row(&|list| list.label = said.clone())),
        around("section's title", 0, 255, |said| row(&|list| list.sections[0].title = said.clone())),
        around("row's id", 1, 255, |said| row(&|list| list.sections[0].rows[0].choice.id = said.clone())),
        around("row's description", 0, 1_024, |said| row(&|list| list.sections[0].rows[0].description = said.clone())),
        around("button's title", 1, 255, |title| of_button(title, Action::Answer("y".into()))),
        around("button's id", 1, 255, |id| of_button("Ya".into(), Action::Answer(id))),
        around("button's link", 9, 2_048, |said| of_button("Ya".into(), Action::Open(link(said)))),
        around("footer", 0, 255, |footer| Kind::Buttons(Buttons { footer, ..buttons() })),
        around("text of buttons", 1, 65_536, |said| Kind::Buttons(Buttons { text: Text::new(&*said), ..buttons() })),
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

pub fn hours(openings: &[(u32, u32, u32)]) -> Vec<OpeningHours> {
    openings.iter().map(|&(day, from, to)| OpeningHours { day, from, to }).collect()
}

pub fn lists_at_their_bounds() -> Vec<Case> {
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

pub fn said() -> impl Strategy<Value = Text> {
    "\\PC{1,60}".prop_map(Text::new)
}

pub fn some_words(least: usize) -> impl Strategy<Value = PrivateText> {
    prop::collection::vec("\\PC", least..16).prop_map(|words| words.concat().into())
}

pub fn choices() -> impl Strategy<Value = Vec<ReplyOption>> {
    prop::collection::btree_map("[a-z]{1,8}", some_words(1), 1..=16)
        .prop_map(|choices| choices.into_iter().map(|(id, title)| ReplyOption { id: id.into(), title }).collect())
}

pub fn items() -> impl Strategy<Value = CatalogueItem> {
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

pub fn carts() -> impl Strategy<Value = Cart> {
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

pub fn profiles() -> impl Strategy<Value = Profile> {
    let openings = prop::collection::btree_set((1..=7_u32, 0..720_u32), 0..20);
    (some_words(1), some_words(0), some_words(0), openings, 0..=4_usize).prop_map(
        |(name, about, address, openings, sites)| {
            let mut profile = Profile::new(&*name);
            (profile.about, profile.address, profile.time_zone) = (about, address, "Asia/Jakarta".into());
            profile.hours =
                openings.iter().map(|(day, at)| OpeningHours { day: *day, from: at * 2, to: at * 2 + 2 }).collect();
            profile.sites = vec![SITE.into(); sites];
            profile
        },
    )
}

/// Each business kind with all its fields filled at random.
pub fn kinds() -> impl Strategy<Value = Kind> {
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
                choice: ReplyOption { id: format!("{at}-{row}").into(), title },
                description,
            };
            let section = |(at, (title, rows)): (usize, (PrivateText, Vec<_>))| Section {
                title,
                rows: rows.into_iter().enumerate().map(|(number, words)| row(at, number, words)).collect(),
            };
            let sections = sections.into_iter().enumerate().map(section).collect();
            Kind::List(ListMenu { text, label, sections })
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
