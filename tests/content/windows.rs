//! For how long an author may edit and delete, whatever the clocks say.

use bisik::content::{DELETE_WINDOW, DELIVERY_WINDOW, EDIT_WINDOW, Policy, SentAt, Times};
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
    assert_eq!((policy.delivery_window, DELIVERY_WINDOW), (14 * DAY, 14 * DAY));
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

/// P-7.33: a relay may keep messages for longer than their authors do. The device had the text, was offline, and gets
/// the edit, which was made in time, on the twentieth day.
#[test]
fn an_edit_delivered_after_weeks_is_refused_unless_the_program_allows_for_the_time() {
    let (patient, patience) = (|delivery_window| Policy { delivery_window, ..Policy::default() }, [0, 30 * DAY]);
    let edit = |day: u64| times(NOW + 600, NOW + day * DAY);
    assert!(!Policy::default().may_edit(times(NOW, NOW), edit(20)));
    for (days, taken) in [(20, [false, true]), (30, [false, true]), (31, [false, false])] {
        assert_eq!(patience.map(|longest| patient(longest).may_edit(times(NOW, NOW), edit(days))), taken, "{days}");
    }
    // Some believe the author's times for ever; they still hold the author to the window.
    assert!(patient(u64::MAX).may_edit(times(NOW, NOW), times(NOW + 900, u64::MAX)));
    assert!(!patient(u64::MAX).may_edit(times(NOW, NOW), times(NOW + 901, NOW)));
    // And without any time to arrive in, an edit has its window.
    assert!(patient(0).may_edit(times(NOW, NOW), times(NOW + 1, NOW + 900)));
    assert!(!patient(0).may_edit(times(NOW, NOW), times(NOW + 1, NOW + 901)));
}

/// P-7.33: the limit of what is promised. The reader's clock was a year ahead when the text arrived, and was set right.
#[test]
fn a_reader_whose_clock_was_ahead_believes_a_false_time_for_as_much_longer_and_no_longer() {
    let (policy, year) = (Policy::default(), 365 * DAY);
    let original = times(NOW, NOW + year);
    let honest = times(NOW + 60, NOW + 60);
    assert!(policy.may_edit(original, honest), "made and received a minute after the text");
    let dated_back = |arrived| policy.may_edit(original, times(NOW + 1, arrived));
    assert!(dated_back(NOW + 100 * DAY) && dated_back(NOW + year + 14 * DAY + 900));
    assert!(!dated_back(NOW + year + 14 * DAY + 901) && !dated_back(u64::MAX));
    // Had it been behind, edits would come too late, and none too early.
    let original = times(NOW, NOW - year);
    assert!(!policy.may_edit(original, times(NOW + 60, NOW + 60)));
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

    /// P-7.33: whatever four times and windows there are, nothing is taken after the last moment by either clock, and
    /// nothing before both is refused.
    #[test]
    fn there_is_a_last_moment_by_each_clock(
        sending in [0..=253_402_300_799_999_u64, 0..=253_402_300_799_999],
        arriving in [any::<u64>(), any::<u64>()],
        window in prop_oneof![0..1_000_000_u64, any::<u64>(), Just(u64::MAX)],
        delivery_window in prop_oneof![0..1_000_000_u64, any::<u64>(), Just(u64::MAX)],
    ) {
        let policy = Policy { edit_window: window, delete_window: window, delivery_window, ..Policy::default() };
        let [original, change] = [0, 1].map(|at| Times {
            sent: SentAt::from_unix_milliseconds(sending[at]).unwrap(),
            arrived: super::group_fixtures::at(arriving[at]),
        });
        let [window, delivery] = [window, delivery_window].map(u128::from);
        let [sent, edited] = sending.map(u128::from);
        let [arrived, changed] = arriving.map(u128::from);
        let expected = edited <= sent + 1_000 * window && changed <= arrived + window + delivery;
        prop_assert_eq!(policy.may_edit(original, change), expected);
        prop_assert_eq!(policy.may_delete(original, change), expected);
    }
}
