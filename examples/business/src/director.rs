//! The director: opens a business, starts customers and workers, kills workers with SIGKILL, and audits the result.
//!
//! It handles no session itself.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::audit::Promises;
use crate::customers::{self, Tally};
use crate::engine::{Mail, Row, Sent};
use crate::found::found;
use crate::place::{All, Place};
use crate::{Outcome, hex};

/// The parameters of a run.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// Customers in the long run, in which workers are killed.
    pub customers: usize,
    /// Questions of each customer.
    pub questions: usize,
    /// Workers in the long run.
    pub workers: usize,
    /// Time between two kills.
    pub kill_every: Duration,
    /// Customers in each measurement; 0 for no measurement.
    pub measured: usize,
}

/// The speed of some workers while nothing else runs.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Number of workers.
    pub workers: usize,
    /// Seconds for the first question of every customer, including session setup.
    pub first: f64,
    /// Seconds for a later question of every customer, including the acknowledgement of an answer.
    pub later: f64,
    /// Processor seconds of the workers for that later question.
    pub processor: f64,
}

/// The result of the long run.
#[derive(Debug)]
pub struct Result {
    /// The counts of the audit.
    pub promises: Promises,
    /// The counts of the customers.
    pub tally: Tally,
    /// Messages that were damaged or invented in transit.
    pub hopeless: usize,
    /// Messages that the workers gave up. Invented messages that arrived before their customer's first message were
    /// requested again instead.
    pub buried: usize,
    /// Messages that are still in the queue.
    pub left: usize,
    /// Workers that were killed while they were working.
    pub kills: usize,
    /// Time from the first question to the last answer.
    pub took: Duration,
}

impl Result {
    /// Returns whether every promise was kept. If no worker was killed, that shows little.
    #[must_use]
    pub fn kept(&self) -> bool {
        let Self { promises, tally, hopeless, buried, left, kills: _, took: _ } = self;
        promises.kept()
            // An envelope is stored in one transaction with the record which says that the relay has it.
            && tally.again == 0
            && promises.repeated == 0
            && tally.once == promises.asked
            && tally.twice == 0
            && tally.unreadable == 0
            && buried <= hopeless
            && *left == 0
    }
}

/// A new business, and the processes around it.
struct Scene {
    place: Place,
    engine: Box<dyn All>,
    business: String,
    key: std::path::PathBuf,
}

impl Scene {
    fn open(place: &Place, directory: &Path) -> Outcome<Self> {
        let mut engine = place.open(place.lease())?;
        let (storage, business) = found(engine.as_mut())?;
        // This file stands for the platform's key store. A key that is stored beside the records it seals protects
        // nothing.
        let key = directory.join("key");
        std::fs::write(&key, storage.expose_bytes())?;
        Ok(Self { place: place.clone(), engine, business: hex(&business.to_bytes()), key })
    }

    fn worker(&self) -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").arg(self.place.to_argument()).arg(&self.key);
        Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
    }

    /// Starts workers. They are ready, and wait for the command to begin.
    fn workers(&self, count: usize) -> Outcome<Team> {
        let mut team = Team((0..count).map(|_| self.worker()).collect::<Outcome<_>>()?);
        for worker in &mut team.0 {
            let mut ready = String::new();
            BufReader::new(worker.stdout.as_mut().ok_or("no output")?).read_line(&mut ready)?;
        }
        Ok(team)
    }

    fn customers(&self, customers: usize, questions: usize) -> Outcome<Crowd> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("customers").arg(self.place.to_argument()).arg(&self.business);
        command.args([customers.to_string(), questions.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut crowd = Crowd { process, output };
        crowd.listen()?;
        Ok(crowd)
    }
}

/// The worker processes. They are killed on drop.
struct Team(Vec<Child>);

impl Team {
    fn go(&mut self) -> Outcome<()> {
        for worker in &mut self.0 {
            worker.stdin.as_mut().ok_or("no input")?.write_all(b"go\n")?;
        }
        Ok(())
    }

    /// Checks that no worker has exited by itself.
    fn all_alive(&mut self) -> Outcome<()> {
        for worker in &mut self.0 {
            if let Some(status) = worker.try_wait()? {
                return Err(format!("a worker exited by itself: {status}").into());
            }
        }
        Ok(())
    }

    /// Returns the processor seconds of all workers.
    fn processor(&self) -> f64 {
        self.0.iter().map(|worker| processor(worker.id()).unwrap_or_default()).sum()
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            let _gone = worker.kill();
            let _reaped = worker.wait();
        }
    }
}

/// The process of all customers.
struct Crowd {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Crowd {
    fn say(&mut self, line: &str) -> Outcome<()> {
        Ok(writeln!(self.process.stdin.as_mut().ok_or("no input")?, "{line}")?)
    }

    /// Reads one line of numbers.
    fn listen(&mut self) -> Outcome<Vec<usize>> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the process of the customers has ended".into());
        }
        Ok(line.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
    }

    fn finish(&mut self) -> Outcome<Tally> {
        self.say("finish")?;
        match *self.listen()? {
            [once, twice, again, unreadable] => Ok(Tally { once, twice, again, unreadable }),
            _ => Err("unexpected line from the process of the customers".into()),
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Measures how fast this many workers empty a queue that is full when they begin.
///
/// # Errors
///
/// If a process exits early, the engine cannot be reached, or a promise is broken.
pub fn measure(place: &Place, directory: &Path, customers: usize, workers: usize) -> Outcome<Rate> {
    let mut scene = Scene::open(place, directory)?;
    let mut crowd = scene.customers(customers, ROUNDS)?;
    let mut rate = Rate { workers, first: 0.0, later: f64::MAX, processor: 0.0 };
    for round in 0..ROUNDS {
        crowd.say("round")?;
        crowd.listen()?;
        let mut team = scene.workers(workers)?;
        let before = team.processor();
        let start = Instant::now();
        team.go()?;
        while scene.engine.waiting()? > 0 {
            team.all_alive()?;
            if start.elapsed() > PATIENCE {
                return Err("the queue was not emptied in time".into());
            }
            std::thread::sleep(TICK);
        }
        let took = start.elapsed().as_secs_f64();
        if round == 0 {
            rate.first = took;
        } else if took < rate.later {
            (rate.later, rate.processor) = (took, team.processor() - before);
        }
    }
    let tally = crowd.finish()?;
    let promises =
        Promises::count(customers::questions(customers, ROUNDS), &scene.engine.rows()?, &scene.engine.sent()?);
    if promises.kept() && tally.once == promises.asked { Ok(rate) } else { Err("a promise was broken".into()) }
}

/// Lets all customers ask while workers are killed and restarted, until every customer has all its answers. `meanwhile`
/// is called often and may cause failures of its own.
///
/// # Errors
///
/// If a process exits early, or the engine cannot be reached.
pub fn storm(
    place: &Place,
    directory: &Path,
    play: &Play,
    mut meanwhile: impl FnMut(Duration) -> Outcome<()>,
) -> Outcome<Result> {
    let Play { customers, questions, workers, kill_every, measured: _ } = *play;
    let mut scene = Scene::open(place, directory)?;
    let mut crowd = scene.customers(customers, questions)?;
    let mut team = scene.workers(workers)?;
    let start = Instant::now();
    team.go()?;
    crowd.say("run")?;

    let (sender, said) = std::sync::mpsc::channel();
    let listening = crowd.process.id().to_string();
    let patience = PATIENCE + kill_every * u32::try_from(customers * questions / 100)?;
    let (mut kills, mut killed) = (0, Instant::now());
    let hopeless = std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let heard = crowd.listen();
                let over = !matches!(&heard, Ok(numbers) if numbers.len() == 2);
                if sender.send(heard).is_err() || over {
                    return;
                }
            }
        });
        loop {
            match said.recv_timeout(TICK).ok().transpose()?.as_deref() {
                Some([answered, all]) => {
                    let seconds = start.elapsed().as_secs();
                    println!("  {seconds:>4} s: {answered} of {all} questions answered, {kills} workers killed");
                }
                Some(numbers) => return Outcome::Ok(numbers.first().copied().unwrap_or_default()),
                None => {}
            }
            if start.elapsed() > patience {
                // The other thread waits for the end of this process.
                let _ended = Command::new("kill").args(["-KILL", &listening]).status()?;
                return Err(format!("after {} s, some customers lack answers", patience.as_secs()).into());
            }
            team.all_alive()?;
            if killed.elapsed() >= kill_every {
                let index = rand::rng().random_range(0..team.0.len());
                replace(&scene, &mut team, index)?;
                (kills, killed) = (kills + 1, Instant::now());
            }
            meanwhile(start.elapsed())?;
        }
    })?;
    let took = start.elapsed();
    // Waits for acknowledgements, and for damaged messages whose retries are not over.
    let deadline = Instant::now() + 20 * place.lease();
    while scene.engine.waiting()? > 0 && Instant::now() < deadline {
        std::thread::sleep(TICK);
    }
    team.all_alive()?;
    let left = scene.engine.waiting()?;
    let tally = crowd.finish()?;
    let (rows, sent, buried): (Vec<Row>, Vec<Sent>, Vec<(Mail, String)>) =
        (scene.engine.rows()?, scene.engine.sent()?, scene.engine.buried()?);
    let promises = Promises::count(customers::questions(customers, questions), &rows, &sent);
    Ok(Result { promises, tally, hopeless, buried: buried.len(), left, kills, took })
}

fn replace(scene: &Scene, team: &mut Team, index: usize) -> Outcome<()> {
    let mut fresh = scene.worker()?;
    fresh.stdin.as_mut().ok_or("no input")?.write_all(b"go\n")?;
    if let Some(worker) = team.0.get_mut(index) {
        // SIGKILL: the process executes nothing more, wherever it was.
        worker.kill()?;
        worker.wait()?;
        *worker = fresh;
    }
    Ok(())
}

/// Returns the processor seconds of a process; the kernel counts hundredths.
fn processor(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = status.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Questions of each customer in a measurement.
const ROUNDS: usize = 4;
const TICK: Duration = Duration::from_millis(3);
/// Time limit of a measurement, and of the long run in addition to what its size requires.
const PATIENCE: Duration = Duration::from_secs(300);
