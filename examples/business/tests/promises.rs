//! The promises of a worker: whatever stops it and whoever is faster, each question arrives once and is answered once.
//!
//! Does not know processes: `business` itself kills those.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use bisik::StorageKey;
use bisik::device::AccountKey;
use business::Outcome;
use business::audit::Promises;
use business::customers::{self, Customers};
use business::engine::{Batch, Books, Claim, Engine, Lane, Mail, Name, Post, Sealed, Verdict};
use business::found::found;
use business::points::{Point, Points, Stopped};
use business::sqlite::Sqlite;
use business::worker::{BATCH, Worker};

/// One business in one file. Leases end at once, so that a test waits for nothing.
struct Office {
    _directory: tempfile::TempDir,
    file: PathBuf,
    key: [u8; 32],
    business: AccountKey,
}

impl Office {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("business.db");
        let (key, business) = found(&mut Sqlite::open(&file, Duration::ZERO).unwrap()).unwrap();
        Self { _directory: directory, file, key: *key.expose_bytes(), business }
    }

    fn sqlite(&self) -> Sqlite {
        Sqlite::open(&self.file, Duration::ZERO).unwrap()
    }

    fn customers(&self, count: usize, questions: usize) -> Customers {
        Customers::new(Box::new(self.sqlite()), self.business, count, questions).unwrap()
    }

    fn worker(&self, engine: impl Engine + 'static) -> Worker {
        Worker::new(Box::new(engine), StorageKey::from_bytes(self.key))
    }

    /// A worker without mishaps, until the queue is empty.
    fn empty(&self) {
        let mut worker = self.worker(self.sqlite());
        while worker.engine().waiting().unwrap() > 0 {
            worker.turn().unwrap();
        }
    }

    fn audit(&self, customers: usize, questions: usize) -> Promises {
        let mut books = self.sqlite();
        let asked = customers::questions(customers, questions);
        Promises::count(asked, &books.rows().unwrap(), &books.sent().unwrap())
    }
}

/// An engine on which something happens right before a commit.
struct Interrupted {
    inner: Sqlite,
    before: Rc<RefCell<Vec<Worker>>>,
}

impl Engine for Interrupted {
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        self.inner.claim(lane, most)
    }
    fn account(&mut self, known: u64) -> Outcome<Option<Vec<u8>>> {
        self.inner.account(known)
    }
    fn conversation(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        self.inner.conversation(name)
    }
    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        self.inner.customer_list(name)
    }
    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        let faster = self.before.borrow_mut().pop();
        if let Some(mut faster) = faster {
            assert!(faster.turn()? > 0, "the same messages");
        }
        self.inner.commit(batch, points)
    }
    fn commit_account(&mut self, account: &Sealed) -> Outcome<bool> {
        self.inner.commit_account(account)
    }
    fn finish(&mut self, name: Name, claims: &[u64]) -> Outcome<()> {
        self.inner.finish(name, claims)
    }
    fn put_back(&mut self, claim: &Claim) -> Outcome<()> {
        self.inner.put_back(claim)
    }
    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        self.inner.bury(claim, why)
    }
    fn waiting(&mut self) -> Outcome<usize> {
        self.inner.waiting()
    }
}

#[test]
fn a_worker_that_stops_at_any_point_loses_nothing_and_doubles_nothing() {
    for point in Point::ALL {
        for times in 0..2 {
            let office = Office::new();
            let mut customers = office.customers(3, 3);
            let mut stops = 0;
            for _ in 0..3 {
                // The first round opens sessions, the others go on in them.
                customers.ask_all().unwrap();
                let mut worker = office.worker(office.sqlite());
                worker.points = Points::stop_at(point, times);
                match worker.turn() {
                    Err(error) => {
                        assert_eq!(error.downcast::<Stopped>().unwrap().0, point);
                        stops += 1;
                    }
                    Ok(_) => assert!(worker.points.is_ahead()),
                }
                drop(worker);
                office.empty();
            }
            assert!(stops > 0 || times > 0, "{point:?} is on every way");
            let tally = customers.finish(Duration::ZERO).unwrap();
            assert_eq!((tally.once, tally.twice, tally.again, tally.unreadable), (9, 0, 0, 0), "{point:?} {times}");
            let promises = office.audit(3, 3);
            assert!(promises.kept(), "{point:?} {times}: {promises:?}");
        }
    }
}

#[test]
fn a_worker_that_was_overtaken_computes_again_and_nothing_happens_twice() {
    for rounds in 1..=3 {
        let office = Office::new();
        let mut customers = office.customers(4, rounds);
        for _ in 1..rounds {
            customers.ask_all().unwrap();
            office.empty();
        }
        customers.ask_all().unwrap();
        // Leases end at once, so the faster one is given the very messages that the slower one holds.
        let before = Rc::new(RefCell::new(vec![office.worker(office.sqlite())]));
        let mut slower = office.worker(Interrupted { inner: office.sqlite(), before });
        slower.turn().unwrap();
        assert_eq!(slower.conflicts, 1);
        office.empty();
        let tally = customers.finish(Duration::ZERO).unwrap();
        assert_eq!((tally.once, tally.twice, tally.unreadable), (4 * rounds, 0, 0));
        assert!(office.audit(4, rounds).kept());
    }
}

/// Otherwise the test above would show nothing.
#[test]
fn the_audit_notices_workers_without_compare_and_swap() {
    let office = Office::new();
    let mut customers = office.customers(4, 2);
    customers.ask_all().unwrap();
    office.empty();
    customers.ask_all().unwrap();
    let careless = || office.sqlite().without_compare_and_swap();
    let before = Rc::new(RefCell::new(vec![office.worker(careless())]));
    office.worker(Interrupted { inner: careless(), before }).turn().unwrap();
    let promises = office.audit(4, 2);
    assert_eq!((promises.twice, promises.forked), (4, 4));
    assert!(!promises.kept());
    // The library holds where the store does not: not even then was a key used twice with one nonce.
    assert_eq!(promises.salts, promises.sent);
}

#[test]
fn workers_beside_one_another_answer_each_question_once() {
    let office = Office::new();
    let mut customers = office.customers(60, 3);
    for _ in 0..3 {
        customers.ask_all().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| office.empty());
            }
        });
    }
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice, tally.unreadable), (180, 0, 0));
    assert!(office.audit(60, 3).kept());
}

#[test]
fn a_poisoned_message_does_not_hold_up_the_queue_and_is_given_up_after_some_tries() {
    let office = Office::new();
    let mut customers = office.customers(2, 2);
    customers.ask_all().unwrap();
    office.empty();
    customers.ask_all().unwrap();
    let mut post = office.sqlite();
    let real = post.claim(Lane::Rest, BATCH).unwrap();
    let conversation = real[0].mail.conversation;
    let bad = |conversation, bytes: &[u8]| Mail { conversation, id: rand::random(), bytes: bytes.to_vec() };
    let mut damaged = real[0].mail.bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let poison =
        [bad(conversation, b""), bad(conversation, &damaged), bad([7; 16], &[0x21; 2_000]), bad([7; 16], &[0x22; 200])];
    post.send(&poison).unwrap();
    // As if of a session that is lost: the customer is asked for it again, and has nothing of that name.
    post.send(&[bad(conversation, &[0x21; 2_000])]).unwrap();
    office.empty();

    let buried = post.buried().unwrap();
    assert_eq!(buried.len(), poison.len());
    assert!(poison.iter().all(|mail| buried.iter().any(|(of, _)| of == mail)));
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice), (4, 0));
    assert!(office.audit(2, 2).kept());
}

#[test]
fn a_message_that_kills_its_workers_is_given_up() {
    let office = Office::new();
    let mut customers = office.customers(1, 1);
    let mut post = office.sqlite();
    post.send(&[Mail { conversation: [7; 16], id: [7; 16], bytes: vec![0x21; 2_000] }]).unwrap();
    for _ in 0..20 {
        // Claimed by a worker that dies of it.
        assert_eq!(post.claim(Lane::First, BATCH).unwrap().len(), 1);
    }
    customers.ask_all().unwrap();
    office.empty();
    let buried = post.buried().unwrap();
    assert_eq!((buried.len(), buried[0].1.as_str()), (1, "given out too often"));
    assert_eq!(customers.finish(Duration::ZERO).unwrap().once, 1);
}

#[test]
fn pre_keys_are_made_before_they_run_out() {
    let office = Office::new();
    // More than there were in the beginning.
    let hopeless = std::thread::scope(|scope| {
        let customers = scope.spawn(|| {
            let mut customers = office.customers(1_100, 1);
            (customers.run().unwrap(), customers.finish(Duration::ZERO).unwrap())
        });
        while !customers.is_finished() {
            office.empty();
            std::thread::sleep(Duration::from_millis(5));
        }
        let (hopeless, tally) = customers.join().unwrap();
        assert_eq!((tally.once, tally.twice), (1_100, 0));
        hopeless
    });
    office.empty();
    assert!(office.sqlite().buried().unwrap().len() <= hopeless);
    assert!(office.audit(1_100, 1).kept());
}
