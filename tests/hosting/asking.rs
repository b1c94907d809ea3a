//! What a business may do after it was refused: ask for less, and seldom.

use std::sync::LazyLock;

use bisik::Timestamp;
use bisik::device::Custody;
use bisik::hosting::{
    HostingTerms, Label, Operator, OperatorName, Purposes, Region, Retention, RetentionClass, Roles, VerifiedDisclosure,
};
use proptest::prelude::*;

use crate::parties::*;

fn refused() -> (CustomerDevice, VerifiedDisclosure) {
    let one = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[phone(), hosted(&one)]);
    let _ = customer.refuse(&one);
    (customer, one)
}

/// The n-th of many terms that a refused business could try: seconds, names, regions, operators, and each of them worse.
fn variation(n: u64, refused: &HostingTerms) -> HostingTerms {
    let number = AWAN + u8::try_from(n % 4).unwrap();
    let name = OperatorName::new(&format!("Awan {n}")).unwrap();
    let retention = Retention {
        at_rest: refused.retention.at_rest - n,
        in_use: refused.retention.in_use - n % 2,
        region: Region::new(&format!("ID-{n}")).ok().filter(|_| n.is_multiple_of(3)),
    };
    HostingTerms { operator: Operator { name, key: key(number) }, retention, ..refused.clone() }
}

/// P-11.26.
#[test]
fn a_refused_business_is_not_asked_about_by_200_variations() {
    let (mut customer, one) = refused();
    let mut shown = 0;
    for n in 0..200 {
        // Long after every pause: they are not better in kind.
        customer.now = customer.now.plus_seconds(31 * DAY / 10);
        let device = 100 + u8::try_from(n).unwrap() % 100;
        let disclosure = verified(&first_at(device, variation(n, &vendor()), customer.now));
        if n.is_multiple_of(5) {
            let _ = customer.see(&[phone()]);
            assert!(customer.label().is_end_to_end(), "without a hosted device everything is as before");
        }
        let event = customer.see(&[phone(), hosted(&disclosure)]);
        assert_eq!(customer.label(), Label::Refused { disclosure: one.hash() }, "variation {n}");
        shown += u32::from(event.is_some());
        assert!(!customer.can_send());
    }
    assert_eq!(shown, 40, "told once each time that it hosts again, and asked never");
}

/// P-11.26. One question in thirty days, however much better each is.
#[test]
fn a_refused_business_asks_again_once_in_thirty_days() {
    let less = |purposes, days| kept_for(days, &HostingTerms { purposes, ..vendor() });
    let (mut customer, one) = refused();
    let better = following(&one, HOSTED, less(Purposes::NONE, 30));
    let still_better = following(&better, HOSTED, less(Purposes::NONE, 7));
    let asked = |customer: &CustomerDevice| matches!(customer.label(), Label::Disclosed { .. });
    let day = |customer: &mut CustomerDevice, days: u64, shown: &VerifiedDisclosure| {
        customer.now = NOW.plus_seconds(10 + days * DAY);
        let _ = customer.see(&[phone(), hosted(shown)]);
    };
    day(&mut customer, 29, &better);
    assert!(!asked(&customer), "too soon");
    day(&mut customer, 30, &better);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: better.hash() });
    day(&mut customer, 31, &better);
    assert!(asked(&customer), "it is the same question");
    day(&mut customer, 32, &still_better);
    assert!(!asked(&customer), "another question, two days later");
    day(&mut customer, 60, &still_better);
    assert_eq!(customer.label(), Label::Disclosed { disclosure: still_better.hash() });
    let _ = customer.refuse(&still_better);
    day(&mut customer, 85, &still_better);
    assert!(!asked(&customer), "refused once more");
    // The user may change his mind at any time.
    let _ = customer.consent(&still_better);
    assert!(customer.can_send());
}

/// P-11.26. Neither a pause in hosting nor a later clock that is set back gives the business another question.
#[test]
fn a_pause_in_hosting_does_not_end_a_refusal() {
    let (mut customer, one) = refused();
    let _ = customer.see(&[phone()]);
    let again = first(NEW_HOSTED, vendor());
    let _ = customer.see(&[phone(), hosted(&again)]);
    assert_eq!(customer.label(), Label::Refused { disclosure: one.hash() });
    assert_eq!(customer.state.question().unwrap().0, again.hash(), "it is about this one that he may change his mind");
    customer.now = Timestamp::from_unix_seconds(NOW.as_unix_seconds() - 10 * DAY);
    let better = verified(&first_at(HOSTED + 50, kept_for(1, &vendor()), customer.now));
    let _ = customer.see(&[phone(), hosted(&better)]);
    assert!(!matches!(customer.label(), Label::Disclosed { .. }));
}

/// Every kind of terms, with times in the middle of each class.
fn kinds() -> Vec<HostingTerms> {
    let custodies = [Custody::Vendor, Custody::Platform, Custody::ForeignClient];
    let roles = [Roles::STORE, Roles::READ, Roles::ANSWER];
    let purposes = [Purposes::ANSWERING, Purposes::ANALYTICS, Purposes::MARKETING];
    let (mut all, base) = (Vec::new(), vendor());
    for custody in custodies {
        for role_bits in 1..8_usize {
            for purpose_bits in 0..8_usize {
                for seconds in [60, 7_200, 2 * DAY, 20 * DAY, 100 * DAY, 5_000 * DAY, Retention::FOREVER] {
                    let with = |bits: usize| (0..3).filter(move |bit| bits & (1 << bit) != 0);
                    all.push(HostingTerms {
                        custody,
                        roles: with(role_bits).fold(Roles::NONE, |set, bit| set.with(roles[bit])),
                        purposes: with(purpose_bits).fold(Purposes::NONE, |set, bit| set.with(purposes[bit])),
                        retention: Retention { at_rest: 0, in_use: seconds, region: None },
                        ..base.clone()
                    });
                }
            }
        }
    }
    assert_eq!(all.len(), 3 * 7 * 8 * 7);
    all
}

/// P-11.26. All pairs of kinds.
#[test]
fn better_in_kind_is_a_strict_order() {
    let all = kinds();
    for one in &all {
        assert!(!one.is_better_in_kind_than(one));
        for other in &all {
            let better = one.is_better_in_kind_than(other);
            assert!(!better || !other.is_better_in_kind_than(one), "{one:?} {other:?}");
            // Whatever is better in kind is covered by the other's terms, as far as kinds go.
            let no_worse = !one.worse_than(other).is_worse();
            let differ = (one.roles, one.purposes, one.retention) != (other.roles, other.purposes, other.retention);
            assert_eq!(better, no_worse && differ, "{one:?} {other:?}");
        }
    }
    // The longest chain, which is how often a business can be refused: every step takes a role, a purpose or a class away.
    let steps = 2 + 3 + 6;
    let weight = |terms: &HostingTerms| {
        let roles = [Roles::STORE, Roles::READ, Roles::ANSWER].iter().filter(|one| terms.roles.contains(**one)).count();
        let purposes = [Purposes::ANSWERING, Purposes::ANALYTICS, Purposes::MARKETING];
        let class = [
            RetentionClass::Hour,
            RetentionClass::Day,
            RetentionClass::Week,
            RetentionClass::Month,
            RetentionClass::Year,
            RetentionClass::Longer,
            RetentionClass::Forever,
        ];
        roles - 1
            + purposes.iter().filter(|one| terms.purposes.contains(**one)).count()
            + class.iter().position(|one| *one == terms.retention.class()).unwrap()
    };
    assert_eq!(all.iter().map(weight).max(), Some(steps));
    let pairs = all.iter().flat_map(|one| all.iter().map(move |other| (one, other)));
    assert!(
        pairs.filter(|(one, other)| one.is_better_in_kind_than(other)).all(|(one, other)| weight(one) < weight(other))
    );
}

/// P-11.26. Where one class ends.
#[test]
fn a_second_less_is_another_class_only_at_its_end() {
    let class = |seconds| Retention { at_rest: seconds, in_use: 0, region: None }.class();
    for (most, this, next) in [
        (3_600, RetentionClass::Hour, RetentionClass::Day),
        (DAY, RetentionClass::Day, RetentionClass::Week),
        (7 * DAY, RetentionClass::Week, RetentionClass::Month),
        (31 * DAY, RetentionClass::Month, RetentionClass::Year),
        (366 * DAY, RetentionClass::Year, RetentionClass::Longer),
        (u64::MAX - 1, RetentionClass::Longer, RetentionClass::Forever),
    ] {
        assert_eq!((class(most - 1), class(most), class(most + 1)), (this, this, next));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-11.26.
    #[test]
    fn better_in_kind_is_transitive(picks in any::<[prop::sample::Index; 3]>()) {
        static KINDS: LazyLock<Vec<HostingTerms>> = LazyLock::new(kinds);
        let all = &*KINDS;
        let [one, two, three] = picks.map(|pick| &all[pick.index(all.len())]);
        let through = one.is_better_in_kind_than(two) && two.is_better_in_kind_than(three);
        prop_assert!(!through || one.is_better_in_kind_than(three));
    }
}
