//! What users read: names as claims, and notices that say all of the terms and nothing that is not known.

use std::collections::HashMap;
use std::sync::LazyLock;

use bisik::device::Custody;
use bisik::hosting::{
    HostingTerms, Label, LabelChange, LabelEvent, Language, NoticePart, Operator, OperatorName, Purposes, Region,
    Retention, Roles, TermsDiff, TextError, notice, notice_of_terms,
};
use proptest::prelude::*;

use crate::parties::*;

/// Making a key takes long.
static VENDOR: LazyLock<HostingTerms> = LazyLock::new(vendor);
static OPERATORS: LazyLock<[bisik::IdentityKey; 3]> = LazyLock::new(|| [AWAN, JARING, TETANGGA].map(key));

const LANGUAGES: [Language; 2] = [Language::English, Language::Indonesian];

/// P-11.2.
#[test]
fn an_operator_name_is_of_one_script_and_has_nothing_to_deceive_with() {
    let good = [
        "Awan Pesan",
        "阿里云",
        "Müller & Söhne",
        "a",
        "3 (Hutchison)",
        "Toys'R'Us, Inc.",
        "L’Oréal",
        "Яндекс",
        "カカオ톡云",
        "ไลน์",
        "अमूल",
        "ꦗꦮ",
    ];
    for name in good.into_iter().chain([&*"x".repeat(64)]) {
        assert_eq!(OperatorName::new(name).unwrap().as_str(), name);
    }
    let deceptive = [
        "",
        " Awan",
        "Awan ",
        "\u{a0}Awan",
        "Awan\n",
        "Aw\0an",
        "Awan\u{7f}",
        "Awan\u{85}",
        "Aw\u{ad}an",
        "Aw\u{200b}an",
        "Aw\u{200e}an",
        "Aw\u{202e}na",
        "Aw\u{2066}an",
        "Aw\u{feff}an",
        "Aw\u{2028}an",
        "Aw\u{fe0f}an",
        "Aw\u{e0041}an",
        "Aw\u{3164}an",
        "Aw\u{61c}an",
        // Another script among the letters: Cyrillic, Greek, full-width, mathematical.
        "M\u{435}ta",
        "Met\u{3b1}",
        "\u{41c}eta",
        "Ｍeta",
        "\u{1d40c}eta",
        "阿里云 & Söhne",
        "Meta\u{301}",
        // What could end a quotation, look like another mark, or be a link.
        "\" is nobody",
        "\u{201c}Meta\u{201d}",
        "«Meta»",
        "Meta''",
        "Meta'’s",
        "Meta ,, Inc",
        "a  b",
        "Meta: nobody",
        "meta.com/x",
        "a@b",
        "(Meta",
        "-",
        "123",
        "{operator}",
    ];
    for name in deceptive {
        assert_eq!(OperatorName::new(name), Err(TextError::Name), "{name:?}");
    }
    assert_eq!(OperatorName::new(&"x".repeat(65)), Err(TextError::Name));
}

#[test]
fn a_region_is_short_and_plain() {
    for region in ["ID", "EU-CENTRAL-1", "ABCDEFGHIJKLMNOP"] {
        assert_eq!(Region::new(region).unwrap().as_str(), region);
    }
    for region in ["", "I", "id", "ID ", "ÜÜ", "ABCDEFGHIJKLMNOPQ"] {
        assert_eq!(Region::new(region), Err(TextError::Region), "{region:?}");
    }
}

fn both(event: &LabelEvent) -> [String; 2] {
    LANGUAGES.map(|language| notice(event, "Toko Sari", language).to_string())
}

/// The question about some terms.
fn question(terms: &HostingTerms) -> LabelEvent {
    let disclosure = bisik::DisclosureHash::from_bytes([7; 32]).unwrap();
    let (old, new) = (Label::Unknown, Label::Disclosed { disclosure });
    LabelEvent::HostingDisclosed(LabelChange {
        at: NOW,
        old,
        new,
        terms: Some(terms.clone()),
        disclosure: Some(disclosure),
    })
}

fn named(name: &str) -> HostingTerms {
    HostingTerms { operator: Operator { name: OperatorName::new(name).unwrap(), key: key(AWAN) }, ..vendor() }
}

/// P-11.25. Nobody has checked the name, and no name changes the sentence around it.
#[test]
fn an_operator_called_nobody_reads_as_a_claim() {
    for name in ["Nobody", "Only you", "This chat is end-to-end encrypted. Nobody"] {
        let [english, indonesian] = both(&question(&named(name)));
        assert!(
            english.contains(&format!("The operator calls itself \"{name}\". It chose that name itself")),
            "{english}"
        );
        assert!(
            indonesian.contains(&format!("Operator menyebut dirinya \"{name}\". Nama itu dipilihnya")),
            "{indonesian}"
        );
        for text in [english, indonesian] {
            assert_eq!(text.matches(name).count(), 1, "only as a claim: {text}");
        }
    }
}

/// P-11.25. Two operators of one name.
#[test]
fn operators_of_one_name_have_different_numbers() {
    let [one, other] = [AWAN, JARING].map(|number| Operator { key: key(number), ..operator(AWAN) });
    assert_eq!(one.name, other.name);
    assert_ne!(one.number(), other.number());
    let number = one.number();
    assert_eq!((number.len(), number.split(' ').count()), (35, 6));
    assert!(number.chars().all(|one| one == ' ' || one.is_ascii_digit()));
    let text = notice_of_terms(&HostingTerms { operator: one, ..vendor() }, "Toko Sari", Language::English).to_string();
    assert!(text.contains(&number));
}

/// P-11.25. What is not stored is not gone.
#[test]
fn a_notice_says_how_long_messages_are_held_in_memory_too() {
    let said = |at_rest, in_use| {
        let retention = Retention { at_rest, in_use, region: None };
        both(&question(&HostingTerms { retention, ..vendor() }))
    };
    let forever = Retention::FOREVER;
    for (at_rest, in_use, english, indonesian) in [
        (
            0,
            3_650 * DAY,
            "has each message for 10 years: in storage not at all, in memory and queues for 10 years.",
            "operator selama 10 tahun: di penyimpanan tidak sama sekali, di memori dan antrean selama 10 tahun.",
        ),
        (
            0,
            forever,
            "has each message for ever: in storage not at all, in memory and queues for ever.",
            "operator tanpa batas waktu: di penyimpanan tidak sama sekali, di memori dan antrean tanpa batas waktu.",
        ),
        (
            forever,
            3_600,
            "has each message for ever: in storage for ever, in memory and queues for 1 hour.",
            "operator tanpa batas waktu: di penyimpanan tanpa batas waktu, di memori dan antrean selama 1 jam.",
        ),
        (
            30 * DAY,
            3_600,
            "has each message for 30 days: in storage for 30 days, in memory and queues for 1 hour.",
            "operator selama 30 hari: di penyimpanan selama 30 hari, di memori dan antrean selama 1 jam.",
        ),
    ] {
        let [in_english, in_indonesian] = said(at_rest, in_use);
        assert!(in_english.contains(english), "{in_english}");
        assert!(in_indonesian.contains(indonesian), "{in_indonesian}");
        assert!(!in_english.contains("18446744073709551615") && !in_english.contains("does not store"));
    }
}

/// P-11.25.
#[test]
fn a_region_is_said_in_words() {
    let said = |region: Option<&str>| {
        let region = region.map(|name| Region::new(name).unwrap());
        both(&question(&HostingTerms { retention: Retention { region, ..Retention::THIRTY_DAYS }, ..vendor() }))
    };
    for (region, english, indonesian) in [
        (Some("ID"), "keeps messages: Indonesia (ID).", "disimpan: Indonesia (ID)."),
        (Some("DE-BE"), "keeps messages: Germany (DE-BE).", "disimpan: Jerman (DE-BE)."),
        (Some("EU-CENTRAL-1"), "keeps messages: European Union (EU-CENTRAL-1).", "disimpan: Uni Eropa (EU-CENTRAL-1)."),
        (Some("MOON"), "has only a code: MOON.", "hanya dinyatakan dengan kode: MOON."),
        (None, "keeps messages is not said.", "disimpan tidak dinyatakan."),
    ] {
        let [in_english, in_indonesian] = said(region);
        assert!(in_english.contains(english), "{in_english}");
        assert!(in_indonesian.contains(indonesian), "{in_indonesian}");
    }
}

/// P-11.25. Whatever the application calls the chat.
#[test]
fn the_name_of_a_chat_cannot_inject_into_a_notice() {
    for language in LANGUAGES {
        let text = |name| notice(&question(&vendor()), name, language).to_string();
        assert!(text("x\". {operator}\u{202e}\n").contains("\"x\u{fffd}. {operator}\u{fffd}\""));
        assert!(!text("").contains("\"\""));
        assert!(text(&"y".repeat(65)).contains(&format!("\"{}…\"", "y".repeat(64))));
    }
}

/// Every kind of event, as the state machine makes it.
fn every_event() -> Vec<LabelEvent> {
    let one = first(HOSTED, vendor());
    let better = following(&one, HOSTED, kept_for(7, &vendor()));
    let worse = following(&better, HOSTED, kept_for(60, &vendor()));
    let mut events = Vec::new();
    let mut customer = CustomerDevice::new();
    events.extend(customer.see(&[phone()]));
    events.extend(customer.see(&[phone(), own(LAPTOP, Custody::SelfHosted)]));
    events.extend(customer.see(&[phone(), hosted(&one)]));
    events.extend(customer.see(&[phone(), hosted(&better)]));
    events.extend(customer.consent(&better).0);
    events.extend(customer.see(&[phone(), hosted(&worse)]));
    events.extend(customer.refuse(&worse).0);
    events.extend(customer.consent(&worse).0);
    let renewed = following(&worse, HOSTED, kept_for(60, &vendor()));
    events.extend(customer.see(&[phone(), hosted(&renewed)]));
    events.extend(customer.see(&[]));
    events.extend(customer.see(&[phone(), hosted(&renewed)]));
    events.extend(customer.withdraw(&worse).0);
    events.extend(customer.see(&[]));
    events.extend(customer.see(&[phone(), hosted(&renewed)]));
    events.extend(customer.see(&[phone()]));
    events.extend(customer.see(&[]));
    events.extend(customer.see(&[phone()]));
    let evidence = bisik::hosting::Evidence::Devices { expires: after(30), devices: &[phone()], own: &[hosted(&one)] };
    let transition = customer.state.observe(evidence, customer.now);
    events.extend(customer.take(transition).0);
    events
}

/// A number for each kind, so that none is forgotten.
fn kind(event: &LabelEvent) -> u8 {
    match event {
        LabelEvent::Verified(_) => 0,
        LabelEvent::HostingEnded(_) => 1,
        LabelEvent::VerifiedAgain(_) => 2,
        LabelEvent::HostingDisclosed(_) => 3,
        LabelEvent::DisclosureChanged(_) => 4,
        LabelEvent::TermsWorsened(..) => 5,
        LabelEvent::Consented(_) => 6,
        LabelEvent::ConsentCarriedOver(_) => 7,
        LabelEvent::Refused(_) => 8,
        LabelEvent::Withdrawn(_) => 9,
        LabelEvent::Unverified(_) => 10,
        LabelEvent::DevicesChanged(_) => 11,
        LabelEvent::OwnHosting(_) => 12,
    }
}

/// P-11.25. Lines for a program that lays them out itself: none is missing, and each is text.
#[test]
fn every_notice_has_every_line_that_its_event_needs() {
    let events = every_event();
    let mut kinds: Vec<_> = events.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..=12).collect::<Vec<_>>(), "every kind of event");
    let terms = [
        NoticePart::Operator,
        NoticePart::Number,
        NoticePart::Custody,
        NoticePart::Roles,
        NoticePart::Purposes,
        NoticePart::Kept,
        NoticePart::Region,
    ];
    for event in &events {
        let unverified = matches!(event.change().new, Label::Unverified { .. });
        for language in LANGUAGES {
            let shown = notice(event, "Toko Sari", language);
            let lines = shown.lines();
            let has = |part: &NoticePart| lines.iter().any(|line| line.part == *part);
            assert!(terms.iter().all(|part| has(part) == (event.change().terms.is_some() && !unverified)), "{shown}");
            assert!(has(&NoticePart::Change) && has(&NoticePart::Claim) && has(&NoticePart::Next));
            assert_eq!(has(&NoticePart::Devices), unverified || event.change().new.is_end_to_end());
            assert_eq!(has(&NoticePart::Worse), kind(event) == 5);
            for line in lines {
                assert!(
                    !line.text.contains(['{', '}', '\n']) && line.text.ends_with('.') && line.text.len() < 320,
                    "{}",
                    line.text
                );
            }
            let text = shown.to_string();
            assert!(text.contains("\"Toko Sari\"") && text.lines().count() == lines.len(), "{text}");
            assert_eq!(text.contains("\"Awan Pesan\""), has(&NoticePart::Operator), "{text}");
        }
        assert_ne!(both(event)[0], both(event)[1]);
    }
}

/// P-11.25. What no signature shows is not said as a fact.
#[test]
fn a_notice_of_an_end_to_end_label_says_whose_word_that_is() {
    let mut customer = CustomerDevice::new();
    let [english, indonesian] = both(&customer.see(&[phone()]).unwrap());
    assert!(
        english.contains("those that it lists as its own")
            && english.contains("It cannot be checked whether it is true")
    );
    assert!(
        indonesian.contains("yang didaftarkannya sebagai miliknya") && indonesian.contains("tidak dapat diperiksa")
    );
    assert!(english.contains("says that these are devices of a business"));
    let mut customer = CustomerDevice::new();
    let server = bisik::hosting::HostedDevice { automated: true, ..own(LAPTOP, Custody::SelfHosted) };
    let [english, indonesian] = both(&customer.see(&[phone(), server]).unwrap());
    assert!(english.contains("a server which it runs itself") && english.contains("a program answers"), "{english}");
    assert!(
        indonesian.contains("server yang dijalankannya sendiri") && indonesian.contains("sebuah program menjawab"),
        "{indonesian}"
    );
    customer.now = customer.now.plus_seconds(40 * DAY);
    let [english, _] = both(&customer.tick().unwrap());
    assert!(english.contains("out of date"), "{english}");
}

/// Each change for the worse is named.
#[test]
fn a_notice_names_the_terms_that_got_worse() {
    let one = first(HOSTED, vendor());
    let longer = kept_for(60, &vendor());
    let two = following(&one, HOSTED, HostingTerms { custody: Custody::Platform, ..longer });
    let mut customer = CustomerDevice::hosted(&one);
    let event = customer.see(&[hosted(&two)]).unwrap();
    assert!(matches!(event, LabelEvent::TermsWorsened(_, worse)
        if worse.contains(TermsDiff::CUSTODY) && worse.contains(TermsDiff::RETENTION) && !worse.contains(TermsDiff::OPERATOR)));
    let [english, indonesian] = both(&event);
    assert!(english.contains("keys further from the business, it has messages for longer"), "{english}");
    assert!(indonesian.contains("kunci lebih jauh dari bisnis ini, pesan ada padanya lebih lama"), "{indonesian}");
    assert_ne!(event.change().disclosure, None);
}

fn set<T: Copy>(bits: u8, none: T, each: [T; 3], with: impl Fn(T, T) -> T) -> T {
    (0..3).filter(|bit| bits & (1 << bit) != 0).fold(none, |set, bit| with(set, each[bit]))
}

fn terms_of(custody: u8, roles: u8, purposes: u8) -> HostingTerms {
    HostingTerms {
        custody: [Custody::Vendor, Custody::Platform, Custody::ForeignClient][usize::from(custody % 3)],
        roles: set(roles % 7 + 1, Roles::NONE, [Roles::STORE, Roles::READ, Roles::ANSWER], Roles::with),
        purposes: set(
            purposes % 8,
            Purposes::NONE,
            [Purposes::ANSWERING, Purposes::ANALYTICS, Purposes::MARKETING],
            Purposes::with,
        ),
        ..VENDOR.clone()
    }
}

/// P-11.25. Every custody, set of roles and set of purposes, with some times and regions.
#[test]
fn different_terms_have_different_notices_all_kinds() {
    let times = [0, 1, 3_600, 30 * DAY, Retention::FOREVER];
    let regions = [None, Region::new("ID").ok(), Region::new("ID-JK").ok(), Region::new("MOON").ok()];
    for language in LANGUAGES {
        let mut said = HashMap::new();
        for (custody, roles, purposes) in
            (0..3).flat_map(|one| (0..7).flat_map(move |two| (0..8).map(move |three| (one, two, three))))
        {
            for (at, region) in regions.iter().enumerate() {
                for (to, in_use) in times.iter().enumerate() {
                    let retention =
                        Retention { at_rest: times[(at + to) % times.len()], in_use: *in_use, region: *region };
                    let terms = HostingTerms { retention, ..terms_of(custody, roles, purposes) };
                    let text = notice_of_terms(&terms, "Toko Sari", language).to_string();
                    assert_eq!(said.insert(text, terms), None);
                }
            }
        }
        assert_eq!(said.len(), 3 * 7 * 8 * 4 * 5);
    }
}

fn seconds() -> impl Strategy<Value = u64> {
    let round = (0..400_u64, prop::sample::select(vec![1, 60, 3_600, DAY, 365 * DAY]), 0..3_u64);
    prop_oneof![
        4 => round.prop_map(|(count, unit, off)| (count * unit + off).saturating_sub(1)),
        1 => any::<u64>(),
        1 => Just(Retention::FOREVER),
    ]
}

fn any_terms() -> impl Strategy<Value = HostingTerms> {
    let name = prop_oneof!["[A-Z][a-z]{1,3}( [a-z]{1,2}[0-9])?", Just("Nobody".to_owned()), "[а-я]{1,4}"];
    let region = prop::option::of(prop_oneof!["[A-Z]{2}(-[A-Z0-9]{1,4})?", "[A-Z0-9-]{2,16}"]);
    (any::<[u8; 3]>(), name, 0..3_u8, seconds(), seconds(), region).prop_map(
        |([custody, roles, purposes], name, number, at_rest, in_use, region)| {
            let operator = Operator { name: OperatorName::new(&name).unwrap(), key: OPERATORS[usize::from(number)] };
            let region = region.map(|name| Region::new(&name).unwrap());
            let retention = Retention { at_rest, in_use, region };
            HostingTerms { operator, retention, ..terms_of(custody, roles, purposes) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-11.25. Two terms that differ in any of their parts, most often in one.
    #[test]
    fn different_terms_have_different_notices(one in any_terms(), other in any_terms(), parts in any::<u8>()) {
        let take = |part: u8| parts & (1 << part) != 0 || parts % 8 == part;
        let mut mixed = one.clone();
        if take(0) { mixed.custody = other.custody; }
        if take(1) { mixed.operator.name = other.operator.name.clone(); }
        if take(2) { mixed.operator.key = other.operator.key; }
        if take(3) { mixed.roles = other.roles; }
        if take(4) { mixed.purposes = other.purposes; }
        if take(5) { mixed.retention.at_rest = other.retention.at_rest; }
        if take(6) { mixed.retention.in_use = other.retention.in_use; }
        if take(7) { mixed.retention.region = other.retention.region; }
        for language in LANGUAGES {
            let text = |terms: &HostingTerms| notice(&question(terms), "Toko Sari", language).to_string();
            prop_assert_eq!(text(&one) == text(&mixed), one == mixed);
        }
    }
}
