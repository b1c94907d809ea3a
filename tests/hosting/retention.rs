//! Deletion deadlines, and the ledger of what is due.

use std::collections::BTreeMap;

use bisik::Timestamp;
use bisik::hosting::{LedgerFull, Retention, RetentionLedger};
use proptest::prelude::*;

use crate::parties::{DAY, NOW};

/// P-11.21.
#[test]
fn a_deletion_deadline_covers_the_longer_of_storage_and_use() {
    let kept = |at_rest, in_use| Retention { at_rest, in_use, region: None };
    assert_eq!(Retention::THIRTY_DAYS.deadline(NOW), NOW.plus_seconds(30 * DAY));
    assert_eq!(Retention::NO_STORAGE.deadline(NOW), NOW.plus_seconds(3_600));
    assert_eq!(kept(DAY, 3_600).working_deadline(NOW), NOW.plus_seconds(3_600));
    assert_eq!(kept(0, 0).deadline(NOW), NOW);
    let forever = Timestamp::from_unix_seconds(u64::MAX);
    assert_eq!(kept(Retention::FOREVER, 3_600).deadline(NOW), forever);
    assert_eq!(kept(0, u64::MAX - 1).deadline(NOW), forever, "the deadline saturates at the greatest time");
}

/// P-11.22.
#[test]
fn of_two_deadlines_for_one_message_the_earlier_counts() {
    for deadlines in [[10, 20], [20, 10]] {
        let mut ledger = RetentionLedger::new(1);
        for seconds in deadlines {
            ledger.record(7, NOW.plus_seconds(seconds), NOW).unwrap();
        }
        assert_eq!((ledger.len(), ledger.next_deadline()), (1, Some(NOW.plus_seconds(10))));
        assert_eq!(ledger.due(NOW.plus_seconds(9)).count(), 0);
        assert_eq!(ledger.due(NOW.plus_seconds(10)).collect::<Vec<_>>(), [&7]);
    }
}

#[test]
fn a_full_retention_ledger_refuses_new_entries() {
    let mut ledger = RetentionLedger::new(2);
    assert_eq!((ledger.record(1, NOW, NOW), ledger.record(2, NOW, NOW)), (Ok(()), Ok(())));
    assert_eq!(ledger.record(3, NOW, NOW), Err(LedgerFull));
    assert_eq!(ledger.record(2, NOW, NOW), Ok(()), "a known entry needs no capacity");
    ledger.removed(&[1, 9]);
    assert_eq!((ledger.record(3, NOW, NOW), ledger.len()), (Ok(()), 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-11.22. Compared with a map: the ledger returns the same messages as a scan of all.
    #[test]
    fn due_deletions_match_a_scan_of_every_message(
        steps in prop::collection::vec((0_u8..3, 0_u8..12, 0_u64..100), 0..80),
    ) {
        let mut ledger = RetentionLedger::new(8);
        let mut held = BTreeMap::<u8, Timestamp>::new();
        for (verb, id, seconds) in steps {
            let at = NOW.plus_seconds(seconds);
            match verb {
                0 => {
                    let room = held.len() < 8 || held.contains_key(&id);
                    prop_assert_eq!(ledger.record(id, at, NOW).is_ok(), room);
                    if room {
                        let deadline = held.entry(id).or_insert(at);
                        *deadline = at.min(*deadline);
                    }
                }
                1 => {
                    ledger.removed(&[id]);
                    held.remove(&id);
                }
                _ => {
                    let mut due: Vec<_> = held.iter().filter(|(_, deadline)| **deadline <= at).collect();
                    due.sort_by_key(|(id, deadline)| (**deadline, **id));
                    let due: Vec<_> = due.into_iter().map(|(id, _)| id).collect();
                    prop_assert_eq!(ledger.due(at).collect::<Vec<_>>(), due);
                }
            }
            prop_assert_eq!(ledger.next_deadline(), held.values().min().copied());
            prop_assert_eq!((ledger.len(), ledger.is_empty()), (held.len(), held.is_empty()));
            prop_assert_eq!(ledger.entries().count(), held.len());
        }
    }
}
