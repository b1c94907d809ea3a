//! Operator names are shown as signed, and notices name the operator, the retention and every change for the worse.

use bisik::device::Custody;
use bisik::hosting::{
    HostingTerms, Label, LabelEvent, Language, Operator, OperatorName, Region, Retention, TermsDiff, TextError, notice,
};

use crate::parties::*;

/// P-11.2.
#[test]
fn an_operator_name_is_shown_as_it_was_signed() {
    for name in ["Awan Pesan", "阿里云", "Müller & Söhne", "a", "x".repeat(64).as_str()] {
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
    [Language::English, Language::Indonesian].map(|language| notice(event, language))
}

/// Every kind of event, as the state machine makes it.
fn every_event() -> Vec<LabelEvent> {
    let one = first(HOSTED, vendor());
    let better = following(&one, HOSTED, kept_for(7, &vendor()));
    let worse = following(&better, HOSTED, kept_for(60, &vendor()));
    let mut events = Vec::new();
    let mut customer = CustomerDevice::new();
    events.extend(customer.see(&[phone()]));
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
    }
}

#[test]
fn every_notice_names_the_reader_and_the_retention() {
    let events = every_event();
    let mut kinds: Vec<_> = events.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..=10).collect::<Vec<_>>(), "every kind of event");
    for event in &events {
        let texts = both(event);
        for text in &texts {
            assert!(!text.contains(['{', '}']) && text.ends_with('.') && text.len() < 320, "{text}");
            let names_operator = event.change().operator.is_some() && kind(event) != 10;
            assert_eq!(text.contains("Awan Pesan"), names_operator, "{text}");
        }
        assert_ne!(texts[0], texts[1]);
        if matches!(event.change().new, Label::Disclosed { .. }) {
            let days = event.change().retention.unwrap().at_rest / DAY;
            assert!(
                texts[0].contains(&format!("{days} days")) && texts[1].contains(&format!("{days} hari")),
                "{texts:?}"
            );
            assert!(texts[0].contains("not end-to-end") || kind(event) != 3);
        }
    }
}

#[test]
fn retention_is_shown_in_the_largest_fitting_unit() {
    let said = |retention| {
        let disclosure = first(HOSTED, HostingTerms { retention, ..vendor() });
        let mut customer = CustomerDevice::new();
        both(&customer.see(&[hosted(&disclosure)]).unwrap())
    };
    let kept = |at_rest, in_use| Retention { at_rest, in_use, region: None };
    for (retention, english, indonesian) in [
        (kept(DAY, 0), "for 1 day.", "selama 1 hari."),
        (kept(36 * 3_600, 0), "for 36 hours.", "selama 36 jam."),
        (kept(5_400, 0), "for 90 minutes.", "selama 90 menit."),
        (kept(61, 0), "for 61 seconds.", "selama 61 detik."),
        (kept(60, 7_200), "for 2 hours.", "selama 2 jam."),
        (Retention::NO_STORAGE, "within 1 hour.", "dalam 1 jam."),
        (kept(Retention::FOREVER, 0), "as long as it likes.", "tanpa batas waktu."),
        (Retention { region: Some(Region::new("ID").unwrap()), ..kept(DAY, 0) }, "1 day, in ID.", "1 hari, di ID."),
    ] {
        let [in_english, in_indonesian] = said(retention);
        assert!(in_english.contains(english), "{in_english}");
        assert!(in_indonesian.contains(indonesian), "{in_indonesian}");
    }
}

/// An operator name cannot insert a sentence.
#[test]
fn an_operator_name_cannot_inject_into_a_notice() {
    let named = Operator { name: OperatorName::new("{worse}{keeps}").unwrap(), ..operator(AWAN) };
    let terms = HostingTerms { operator: named, ..vendor() };
    let one = first(HOSTED, terms.clone());
    let two = following(&one, HOSTED, kept_for(60, &terms));
    let mut customer = CustomerDevice::hosted(&one);
    for text in both(&customer.see(&[hosted(&two)]).unwrap()) {
        assert!(text.contains("(worse)(keeps)"), "{text}");
    }
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
    assert!(english.contains("keys further from the business, it keeps messages for longer"), "{english}");
    assert!(indonesian.contains("kunci lebih jauh dari bisnis ini, pesan disimpan lebih lama"), "{indonesian}");
    assert_ne!(event.change().disclosure, None);
}
