//! One business with its customers and workers, in one process, on either engine.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bisik::device::AccountKey;
use bisik::{Account, StorageKey};
use business::audit::Promises;
use business::customers::{self, Customers};
use business::engine::{Batch, BlockName, Claim, Engine, Lane, Name, Verdict};
use business::found::found;
use business::place::{All, Place};
use business::points::{Point, Points, Stopped};
use business::worker::{STOCK, Worker};
use business::{Outcome, now};

/// The account of a new business, and the store that its workers share.
pub struct Deployment {
    pub place: Place,
    pub lease: Duration,
    key: [u8; 32],
    business: AccountKey,
}

impl Deployment {
    pub fn new(place: Place, lease: Duration) -> Self {
        let (key, business) = found(place.open(lease).unwrap().as_mut()).unwrap();
        Self { place, lease, key: *key.expose_bytes(), business }
    }

    pub fn engine(&self) -> Box<dyn All> {
        self.place.open(self.lease).unwrap()
    }

    pub fn customers(&self, count: usize, questions: usize) -> Customers {
        Customers::new(self.engine(), self.business, count, questions).unwrap()
    }

    pub fn worker(&self, engine: Box<dyn Engine>) -> Worker {
        Worker::new(engine, StorageKey::from_bytes(self.key))
    }

    /// Runs a worker until the queue is empty.
    pub fn empty(&self) {
        let mut worker = self.worker(self.engine());
        while worker.engine().waiting().unwrap() > 0 {
            worker.turn().unwrap();
        }
    }

    pub fn audit(&self, customers: usize, questions: usize) -> Promises {
        let mut books = self.engine();
        let asked = customers::questions(customers, questions);
        Promises::count(asked, &books.rows().unwrap(), &books.sent().unwrap())
    }

    /// Returns the number of unused one-time pre-keys.
    pub fn stock(&self) -> usize {
        let record = self.engine().account(0).unwrap().unwrap();
        let account = Account::unseal(&StorageKey::from_bytes(self.key), &record).unwrap();
        account.pre_key_count(now().unwrap()).one_time
    }

    /// Stops a worker at a point in each of three rounds; another worker continues.
    pub fn stop_and_go_on(&self, point: Point, times: u32) {
        let mut customers = self.customers(3, 3);
        let mut stops = 0;
        for _ in 0..3 {
            // The first round opens sessions; the others use them.
            customers.ask_all().unwrap();
            let mut worker = self.worker(self.engine());
            worker.points = Points::stop_at(point, times);
            match worker.turn() {
                Err(error) => {
                    assert_eq!(error.downcast::<Stopped>().unwrap().0, point);
                    stops += 1;
                }
                Ok(_) => assert!(worker.points.is_ahead()),
            }
            drop(worker);
            self.empty();
        }
        assert!(stops > 0 || times > 0, "{point:?} is on every way");
        let tally = customers.finish(Duration::ZERO).unwrap();
        assert_eq!((tally.once, tally.twice, tally.unreadable), (9, 0, 0), "{point:?} {times}");
        let promises = self.audit(3, 3);
        assert!(promises.kept(), "{point:?} {times}: {promises:?}");
        assert_eq!(self.stock(), STOCK - 3, "{point:?} {times}: a pre-key that was used is gone");
    }

    /// Stops a worker between two answers to one customer: the first is with the relay, unless the engine takes both or
    /// none.
    pub fn stop_between_answers(&self) {
        let mut customers = self.customers(1, 3);
        customers.ask_all().unwrap();
        self.empty();
        assert_eq!(customers.finish(Duration::ZERO).unwrap().once, 1);
        self.empty();
        customers.ask_more().unwrap();
        customers.ask_more().unwrap();
        let mut worker = self.worker(self.engine());
        worker.points = Points::stop_at(Point::Sending, 1);
        while worker.points.is_ahead() {
            let _stopped = worker.turn();
        }
        self.empty();
        let tally = customers.finish(Duration::from_millis(50)).unwrap();
        assert_eq!((tally.once, tally.twice, tally.unreadable), (3, 0, 0));
        assert!(self.audit(1, 3).kept());
    }

    /// Lets two workers compute from the same records and both store: the audit must notice.
    pub fn overtake_without_compare_and_swap(&self, careless: impl Fn() -> Box<dyn All>) {
        let mut customers = self.customers(4, 2);
        customers.ask_all().unwrap();
        self.empty();
        customers.ask_all().unwrap();
        let before = Rc::new(RefCell::new(vec![self.worker(careless())]));
        let mut slower = self.worker(Box::new(Interrupted { inner: careless(), before }));
        while slower.turn().unwrap() == 0 {}
        let promises = self.audit(4, 2);
        assert_eq!((promises.twice, promises.forked), (4, 4));
        assert!(!promises.kept());
        // The library's promise holds even if the store's does not: no key was used twice with one nonce.
        assert_eq!(promises.salts, promises.sent);
    }

    /// Lets a worker receive a message and stop, and the message come again after more of the same customer than the
    /// library remembers.
    pub fn come_again_late(&self) {
        let mut customers = self.customers(1, LATE);
        customers.ask_all().unwrap();
        self.empty();
        customers.ask_all().unwrap();
        // Received and stored; neither answered nor settled.
        let mut worker = self.worker(self.engine());
        worker.points = Points::stop_at(Point::RowsWritten, 1);
        while worker.points.is_ahead() {
            let _stopped = worker.turn();
        }
        for _ in 2..LATE {
            customers.ask_more().unwrap();
        }
        // The newer ones first, each in a turn of its own.
        let mut held: Vec<Claim> = Vec::new();
        let mut engine = self.engine();
        while held.len() < engine.waiting().unwrap() {
            held.extend(engine.claim(Lane::Rest, LATE).unwrap());
            std::thread::sleep(self.lease / 4);
        }
        // The question, and perhaps an acknowledgement.
        let (late, newer): (Vec<_>, Vec<_>) = held.into_iter().partition(|claim| claim.received);
        assert!(!late.is_empty() && newer.len() > LATE - 4, "{} {}", late.len(), newer.len());
        let mut worker = self.worker(engine);
        for claim in newer {
            worker.serve(vec![claim]).unwrap();
        }
        worker.serve(late).unwrap();
        assert_eq!(worker.engine().waiting().unwrap(), 0);
        assert!(self.engine().buried().unwrap().is_empty());
        let tally = customers.finish(Duration::from_millis(50)).unwrap();
        assert_eq!((tally.once, tally.twice, tally.unreadable), (LATE, 0, 0));
        assert!(self.audit(1, LATE).kept());
    }

    /// Lets a worker that holds messages be overtaken by one to which they were delivered too.
    pub fn overtake(&self, rounds: usize) {
        let mut customers = self.customers(4, rounds);
        for _ in 1..rounds {
            customers.ask_all().unwrap();
            self.empty();
        }
        customers.ask_all().unwrap();
        let before = Rc::new(RefCell::new(vec![self.worker(self.engine())]));
        let mut slower = self.worker(Box::new(Interrupted { inner: self.engine(), before }));
        slower.turn().unwrap();
        assert!(slower.conflicts > 0);
        self.empty();
        let tally = customers.finish(Duration::ZERO).unwrap();
        assert_eq!((tally.once, tally.twice, tally.unreadable), (4 * rounds, 0, 0));
        assert!(self.audit(4, rounds).kept());
        assert_eq!(self.stock(), STOCK - 4);
    }
}

/// Messages of one customer: more than the library remembers to recognise one that comes again.
const LATE: usize = 40;

/// An engine on which another worker is faster, right before a commit.
pub struct Interrupted {
    pub inner: Box<dyn All>,
    pub before: Rc<RefCell<Vec<Worker>>>,
}

impl Engine for Interrupted {
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        self.inner.claim(lane, most)
    }
    fn account(&mut self, known: u64) -> Outcome<Option<Vec<u8>>> {
        self.inner.account(known)
    }
    fn conversations(&mut self, names: &[Name]) -> Outcome<Vec<Option<Vec<u8>>>> {
        self.inner.conversations(names)
    }
    fn blocks(&mut self, names: &[BlockName]) -> Outcome<Vec<Option<Vec<u8>>>> {
        self.inner.blocks(names)
    }
    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        self.inner.customer_list(name)
    }
    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        let faster = self.before.borrow_mut().pop();
        if let Some(mut faster) = faster {
            // The same messages are delivered to it as soon as the lease has ended.
            while faster.turn()? == 0 {}
        }
        self.inner.commit(batch, points)
    }
    fn finish(&mut self, claims: &[Claim]) -> Outcome<()> {
        self.inner.finish(claims)
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
