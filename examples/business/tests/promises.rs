//! The promises of a worker: each question arrives once and is answered once, wherever a worker stops and whichever is
//! faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod deployment;

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use business::engine::{Books, Engine, Lane, Mail, Post};
use business::place::Place;
use business::points::Point;
use business::sqlite::Sqlite;
use business::worker::BATCH;
use deployment::Deployment;

/// One business in one file. Leases end at once, so tests do not wait.
struct Embedded {
    deployment: Deployment,
    file: PathBuf,
    _directory: tempfile::TempDir,
}

impl Embedded {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("business.db");
        Self { deployment: Deployment::new(Place::Sqlite(file.clone()), Duration::ZERO), file, _directory: directory }
    }

    fn sqlite(&self) -> Sqlite {
        Sqlite::open(&self.file, Duration::ZERO).unwrap()
    }
}

impl Deref for Embedded {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

#[test]
fn a_worker_that_stops_at_any_point_loses_nothing_and_doubles_nothing() {
    for point in Point::ALL {
        for times in 0..4 {
            Embedded::new().stop_and_go_on(point, times);
        }
    }
}

#[test]
fn a_worker_that_was_overtaken_computes_again_and_nothing_happens_twice() {
    for rounds in 1..=3 {
        Embedded::new().overtake(rounds);
    }
}

/// Without this, the test above would show nothing.
#[test]
fn the_audit_notices_workers_without_compare_and_swap() {
    let deployment = Embedded::new();
    deployment.overtake_without_compare_and_swap(|| Box::new(deployment.sqlite().without_compare_and_swap()));
}

#[test]
fn answers_that_were_made_and_not_handed_over_are_made_again() {
    Embedded::new().stop_between_answers();
}

#[test]
fn a_message_that_comes_again_late_is_known_and_not_given_up() {
    Embedded::new().come_again_late();
}

#[test]
fn a_first_message_that_nothing_reads_is_set_aside_and_not_forgotten() {
    let deployment = Embedded::new();
    let mut customers = deployment.customers(1, 1);
    customers.ask_all().unwrap();
    // Simulates an account that has deleted the one-time key: changes its id in the pre-key header.
    let mut post = deployment.sqlite();
    let real = post.claim(Lane::First, BATCH).unwrap();
    let mut mail = real[0].mail.clone();
    post.finish(&real).unwrap();
    mail.bytes[1 + 32 + 4..1 + 32 + 8].fill(0xff);
    post.send(std::slice::from_ref(&mail)).unwrap();
    deployment.empty();
    let buried = post.buried().unwrap();
    assert_eq!(buried, [(mail, "no session reads it".into())]);
    assert_eq!(deployment.audit(1, 1).once, 0);
}

#[test]
fn workers_beside_one_another_answer_each_question_once() {
    let deployment = Embedded::new();
    let mut customers = deployment.customers(60, 3);
    for _ in 0..3 {
        customers.ask_all().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| deployment.empty());
            }
        });
    }
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice, tally.unreadable), (180, 0, 0));
    assert!(deployment.audit(60, 3).kept());
}

#[test]
fn a_poisoned_message_does_not_block_the_queue_and_is_given_up() {
    let deployment = Embedded::new();
    let mut customers = deployment.customers(2, 2);
    customers.ask_all().unwrap();
    deployment.empty();
    customers.ask_all().unwrap();
    let mut post = deployment.sqlite();
    let real = post.claim(Lane::Rest, BATCH).unwrap();
    let conversation = real[0].mail.conversation;
    let bad = |conversation, bytes: &[u8]| Mail { conversation, id: rand::random(), bytes: bytes.to_vec() };
    let mut damaged = real[0].mail.bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let poison = [
        bad(conversation, b""),
        bad(conversation, &damaged),
        bad(conversation, &[0x21; 2_000]),
        bad([7; 16], &[0x21; 2_000]),
        bad([7; 16], &[0x22; 200]),
    ];
    post.send(&poison).unwrap();
    deployment.empty();

    let buried = post.buried().unwrap();
    assert_eq!(buried.len(), poison.len());
    assert!(poison.iter().all(|mail| buried.iter().any(|(of, _)| of == mail)));
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice), (4, 0));
    assert!(deployment.audit(2, 2).kept());
}

#[test]
fn a_message_that_kills_its_workers_is_given_up_alone() {
    for (lane, kind) in [(Lane::First, 0x21), (Lane::Rest, 0x22)] {
        let deployment = Embedded::new();
        let mut customers = deployment.customers(12, 2);
        let mut post = deployment.sqlite();
        if lane == Lane::Rest {
            customers.ask_all().unwrap();
            deployment.empty();
        }
        post.send(&[Mail { conversation: [7; 16], id: [7; 16], bytes: vec![kind; 2_000] }]).unwrap();
        customers.ask_all().unwrap();
        // Every worker to which it is delivered dies, with everything else it has claimed.
        let mut deaths = 0;
        while deaths < 20 {
            let claims = post.claim(lane, BATCH).unwrap();
            if claims.iter().any(|claim| claim.mail.id == [7; 16]) {
                deaths += 1;
            } else {
                deployment.worker(deployment.engine()).serve(claims).unwrap();
            }
        }
        deployment.empty();
        let buried = post.buried().unwrap();
        assert_eq!(buried.len(), 1, "{lane:?}");
        assert_eq!(buried[0].1, "given out too often");
        let round = if lane == Lane::Rest { 2 } else { 1 };
        let tally = customers.finish(Duration::ZERO).unwrap();
        assert_eq!((tally.once, tally.twice), (12 * round, 0), "{lane:?}");
    }
}

#[test]
fn pre_keys_are_made_before_they_run_out() {
    let deployment = Embedded::new();
    // More than there were at the start.
    let hopeless = std::thread::scope(|scope| {
        let customers = scope.spawn(|| {
            let mut customers = deployment.customers(1_100, 1);
            (customers.run(|_| Ok(())).unwrap(), customers.finish(Duration::ZERO).unwrap())
        });
        while !customers.is_finished() {
            deployment.empty();
            std::thread::sleep(Duration::from_millis(5));
        }
        let (hopeless, tally) = customers.join().unwrap();
        assert_eq!((tally.once, tally.twice), (1_100, 0));
        hopeless
    });
    deployment.empty();
    assert!(deployment.sqlite().buried().unwrap().len() <= hopeless);
    assert!(deployment.audit(1_100, 1).kept());
}
