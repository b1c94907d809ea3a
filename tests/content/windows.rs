//! For how long an author may edit and delete, whatever the clocks say.

use bisik::content::{DELETE_WINDOW, EDIT_WINDOW, Policy, SentAt, Times};
use proptest::prelude::*;

use super::fixtures::cases;
use super::group_fixtures::at;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn sent(seconds: u64) -> SentAt {
    SentAt::from_unix_milliseconds(seconds * 1_000).unwrap()
}

fn times(claimed: u64, arrived: u64) -> Times {
    Times { sent: sent(claimed), arrived: at(arrived) }
}

/// P-7.33
#[test]
fn an_author_edits_for_15_minutes_and_deletes_for_two_days() {
    let policy = Policy::default();
    assert_eq!((policy.edit_window, policy.delete_window), (15 * 60, 2 * DAY));
    assert_eq!((EDIT_WINDOW, DELETE_WINDOW), (policy.edit_window, policy.delete_window));
    let original = Times::own(sent(NOW));
    for (age, edits, deletes) in
        [(0, true, true), (900, true, true), (901, false, true), (2 * DAY, false, true), (2 * DAY + 1, false, false)]
    {
        let change = Times::own(sent(NOW + age));
        assert_eq!((policy.may_edit(original, change), policy.may_delete(original, change)), (edits, deletes), "{age}");
    }
    // To the millisecond.
    let late = SentAt::from_unix_milliseconds((NOW + 900) * 1_000 + 1).unwrap();
    assert!(!policy.may_edit(original, Times::own(late)));
}

/// P-7.33: both times are the author's, so an author whose clock is years off edits as long as everybody else.
#[test]
fn an_author_whose_clock_is_wrong_edits_as_long_as_everybody() {
    let policy = Policy::default();
    for clock in [0, NOW - 10 * 365 * DAY, NOW + 10 * 365 * DAY] {
        assert!(policy.may_edit(times(clock, NOW), times(clock + 900, NOW + 900)));
        assert!(!policy.may_edit(times(clock, NOW), times(clock + 901, NOW + 901)));
    }
    // A clock that was set right in between, so that the edit seems to be older than the text.
    assert!(policy.may_edit(times(NOW + DAY, NOW), times(NOW + 60, NOW + 60)));
}

/// P-7.33: an edit that is dated back is believed for two weeks and not longer.
#[test]
fn a_false_time_does_not_open_an_old_message_to_edits() {
    let policy = Policy::default();
    let original = times(NOW, NOW);
    let dated_back = |arrived| policy.may_edit(original, times(NOW + 1, arrived));
    assert!(dated_back(NOW + 14 * DAY + 900) && !dated_back(NOW + 14 * DAY + 901));
    // Nor does an original that was dated into the future.
    assert!(!policy.may_edit(times(NOW + 365 * DAY, NOW), times(NOW + 365 * DAY, NOW + 15 * DAY)));
}

/// P-7.33: who was offline for weeks gets the text and its edit at once.
#[test]
fn an_edit_reaches_who_was_offline() {
    let policy = Policy::default();
    let back = NOW + 30 * DAY;
    assert!(policy.may_edit(times(NOW, back), times(NOW + 600, back)));
    assert!(policy.may_delete(times(NOW, back), times(NOW + DAY, back + 3)));
    // The edit overtakes the text.
    assert!(policy.may_edit(times(NOW, back + 9), times(NOW + 600, back)));
}

#[test]
fn an_application_can_choose_other_windows_or_none() {
    let forever = Policy { edit_window: u64::MAX, delete_window: 0, ..Policy::default() };
    assert!(forever.may_edit(times(0, 0), times(200_000_000_000, u64::MAX)));
    assert!(!forever.may_delete(times(NOW, NOW), times(NOW + 1, NOW)));
    assert!(forever.may_delete(times(NOW, NOW), times(NOW, NOW)));
}

proptest! {
    #![proptest_config(cases(256))]

    /// P-7.33: what an honest author sends within the window is taken, however late it arrives, up to what a message
    /// may take; and whatever an author claims, nothing is taken later than that.
    #[test]
    fn honest_edits_are_taken_and_late_ones_never(
        clock in 0..4_000_000_000_u64,
        age in 0..=900_u64,
        slow in 0..14 * DAY,
        slower in 0..=14 * DAY,
        claim in 0..4_000_000_000_u64,
    ) {
        let policy = Policy::default();
        let original = times(clock, NOW + slow);
        prop_assert!(policy.may_edit(original, times(clock + age, NOW + age + slower)));
        prop_assert!(!policy.may_edit(original, times(claim, NOW + slow + 14 * DAY + 901)));
    }
}
