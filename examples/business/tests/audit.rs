//! Breaks each promise by hand: the audit must notice.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use business::audit::Promises;
use business::customers::questions;
use business::engine::{Mail, Row, Sent};

fn row(customer: u8, text: &str) -> Row {
    Row { conversation: [customer; 16], id: rand::random(), text: text.into(), attempt: [0; 8] }
}

fn rows() -> Vec<Row> {
    questions(2, 2).map(|(customer, text)| row(u8::try_from(customer).unwrap(), &text)).collect()
}

fn audit(rows: &[Row], sent: &[Sent]) -> Promises {
    Promises::count(questions(2, 2), rows, sent)
}

/// Returns a message with a salt in the wire format, with or without a pre-key header.
fn sent(first: bool, salt: u8, rest: u8, attempt: u8) -> Sent {
    let mut bytes = if first { [vec![0x21], vec![rest; 1_208]].concat() } else { vec![0x22] };
    bytes.extend([salt; 16]);
    bytes.extend([rest; 100]);
    Sent {
        mail: Mail { conversation: [0; 16], id: rand::random(), bytes },
        revision: rest.into(),
        attempt: [attempt; 8],
    }
}

#[test]
fn promises_are_kept_if_each_record_exists_once() {
    let promises = audit(&rows(), &[sent(true, 1, 1, 0), sent(false, 2, 2, 0), sent(false, 3, 3, 0)]);
    assert!(promises.kept(), "{promises:?}");
    assert_eq!((promises.asked, promises.sent, promises.salts, promises.revisions), (4, 3, 3, 3));
}

#[test]
fn a_key_and_nonce_that_were_used_twice_are_noticed() {
    for (first, second) in [(false, false), (true, true), (true, false)] {
        let promises = audit(&rows(), &[sent(first, 7, 1, 0), sent(second, 7, 2, 0)]);
        assert_eq!((promises.sent, promises.salts), (2, 1));
        assert!(!promises.kept());
    }
}

#[test]
fn the_same_envelope_again_is_no_second_use_of_its_key() {
    let promises = audit(&rows(), &[sent(false, 7, 1, 0), sent(false, 7, 1, 0)]);
    assert!(promises.kept());
    assert_eq!((promises.sent, promises.repeated), (1, 1));
}

#[test]
fn a_revision_of_two_computations_is_noticed() {
    let promises = audit(&rows(), &[sent(false, 1, 1, 0), sent(true, 2, 1, 1)]);
    assert_eq!(promises.forked, 1);
    assert!(!promises.kept());
}

#[test]
fn a_question_that_is_missing_or_there_again_is_noticed() {
    let mut missing = rows();
    let lost = missing.pop().unwrap();
    assert!(!audit(&missing, &[]).kept());
    let mut again = rows();
    again.push(lost);
    assert_eq!(audit(&again, &[]).twice, 1);
    assert!(!audit(&again, &[]).kept());
}

#[test]
fn a_question_of_an_unknown_or_another_customer_is_noticed() {
    let mut strange = rows();
    strange.push(row(1, "who is this?"));
    assert!(!audit(&strange, &[]).kept());
    let mut astray = rows();
    astray[0].conversation = [1; 16];
    assert!(!audit(&astray, &[]).kept());
    let mut together = rows();
    together.iter_mut().for_each(|row| row.conversation = [1; 16]);
    assert!(!audit(&together, &[]).kept());
}
