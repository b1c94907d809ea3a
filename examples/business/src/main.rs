//! Many workers answer for one business account, and are killed while they do.
//!
//! Run it without arguments, or with `--help`, or see `README.md`. The code that uses sessions is in `desk.rs`.
//!
//! ```text
//! cargo run --release -p business
//! cargo run --release -p business -- --engine etcd --customers 10000 --workers 4 --kill-every 400
//! ```

use std::io::{BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bisik::StorageKey;
use bisik::device::AccountKey;
use business::cluster::{Cluster, SERVERS};
use business::customers::Customers;
use business::director::{self, Play};
use business::place::Place;
use business::worker::Worker;
use business::{Outcome, from_hex, hex};
use rand::RngExt;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments {
        ["worker", place, key] => worker(place, key).map(|()| Ending::Kept),
        ["customers", place, business, count, questions] => {
            customers(place, business, count, questions).map(|()| Ending::Kept)
        }
        ["--help" | "-h", ..] => {
            print!("{HELP}");
            Ok(Ending::Kept)
        }
        _ => direct(&arguments),
    };
    match outcome {
        Ok(Ending::Kept) => ExitCode::SUCCESS,
        Ok(Ending::NothingShown | Ending::Broken) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("business: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Every promise was kept.
    Kept,
    /// The same, but nobody was killed, which was the point.
    NothingShown,
    Broken,
}

fn worker(place: &str, key: &str) -> Outcome<()> {
    let key: [u8; 32] = std::fs::read(key)
        .map_err(|error| format!("{key}: {error}"))?
        .try_into()
        .map_err(|_| format!("{key}: not a key"))?;
    let place = Place::from_argument(place)?;
    let engine = place.open(place.lease())?;
    let mut worker = Worker::new(engine, StorageKey::from_bytes(key));
    say("ready")?;
    std::io::stdin().read_line(&mut String::new())?;
    worker.run()
}

fn customers(place: &str, business: &str, count: &str, questions: &str) -> Outcome<()> {
    let business = from_hex(business).and_then(|bytes| bytes.try_into().ok()).ok_or("not a key")?;
    let place = Place::from_argument(place)?;
    let post = place.open(place.lease())?;
    let (count, questions): (usize, usize) = (count.parse()?, questions.parse()?);
    let mut customers = Customers::new(post, AccountKey::from_bytes(&business)?, count, questions)?;
    say("0")?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "round" => customers.ask_all().and_then(|()| say("0"))?,
            "run" => {
                let mischief = customers.run(|answered| say(&format!("{answered} {}", count * questions)))?;
                say(&mischief.to_string())?;
            }
            _ => {
                let tally = customers.finish(QUIET)?;
                say(&format!("{} {} {} {}", tally.once, tally.twice, tally.again, tally.unreadable))?;
            }
        }
    }
    Ok(())
}

/// Writes a line to the director.
fn say(line: &str) -> Outcome<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

fn direct(arguments: &[&str]) -> Outcome<Ending> {
    let mut play =
        Play { customers: 2_000, questions: 3, workers: 4, kill_every: Duration::from_millis(400), measured: 1_500 };
    let mut servers = false;
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = *arguments.next().ok_or_else(|| format!("{name} needs a value; --help names the options"))?;
        match (*name, value) {
            ("--engine", "sqlite") => servers = false,
            ("--engine", "etcd") => servers = true,
            ("--customers", _) => play.customers = value.parse()?,
            ("--questions", _) => play.questions = value.parse()?,
            ("--workers", _) => play.workers = value.parse()?,
            ("--kill-every", _) => play.kill_every = Duration::from_millis(value.parse()?),
            ("--measure", _) => play.measured = value.parse()?,
            _ => return Err(format!("unknown option: {name} {value}; --help names the options").into()),
        }
    }
    // Readable only by this user. It is removed at the end, unless there is something to look at.
    let private = std::fs::Permissions::from_mode(0o700);
    let scene = tempfile::Builder::new().prefix("bisik-business-").permissions(private).tempdir()?;
    let named = std::env::var("ETCD_URL").ok();
    let cluster = if servers && named.is_none() { Some(Cluster::start(scene.path())?) } else { None };
    let urls = cluster.as_ref().map(Cluster::urls).or(named).filter(|_| servers);
    let outcome = perform(scene.path(), &play, urls.as_deref(), cluster);
    if !matches!(outcome, Ok(Ending::Kept | Ending::NothingShown)) {
        println!("files, with the servers' logs, are kept in {}", scene.keep().display());
    }
    outcome
}

fn perform(scene: &Path, play: &Play, urls: Option<&str>, mut cluster: Option<Cluster>) -> Outcome<Ending> {
    let engine = if urls.is_some() { "etcd" } else { "SQLite" };
    println!("many workers, one account: {engine}, {} processors", std::thread::available_parallelism()?);
    let place = |directory: &Path| match urls {
        None => Place::Sqlite(directory.join("business.db")),
        Some(urls) => Place::Etcd { url: urls.into(), prefix: format!("business-{}", hex(&rand::random::<[u8; 4]>())) },
    };
    if play.measured > 0 {
        println!();
        println!("  workers   first questions/s   later questions/s   processor/question");
        for workers in [1, 2, 4] {
            let directory = scene.join(format!("measure-{workers}"));
            std::fs::create_dir(&directory)?;
            let place = place(&directory);
            let rate = director::measure(&place, &directory, play.measured, workers)?;
            place.clear()?;
            let count = f64::from(u32::try_from(play.measured)?);
            println!(
                "  {workers:>7}   {:>17.0}   {:>17.0}   {:>15.2} ms",
                count / rate.first,
                count / rate.later,
                rate.processor / count * 1_000.0
            );
        }
    }
    let directory = scene.join("storm");
    std::fs::create_dir(&directory)?;
    let place = place(&directory);
    println!();
    let mut lost = None;
    let result =
        director::storm(&place, &directory, play, |elapsed| lose_a_server(cluster.as_mut(), &mut lost, elapsed));
    // A server that has exited says more than the error that its clients met.
    if let Some(cluster) = &mut cluster {
        cluster.all_alive()?;
    }
    let result = result?;
    // If no server was lost and came back, the run with three servers has shown nothing.
    let whole = result.kills > 0 && (cluster.is_none() || matches!(lost, Some((_, true))));
    let ending = match (result.kept(), whole) {
        (false, _) => Ending::Broken,
        (true, false) => Ending::NothingShown,
        (true, true) => Ending::Kept,
    };
    if ending != Ending::Broken {
        place.clear()?;
    }
    report(play, &result, lost);
    println!(
        "{}",
        match ending {
            Ending::Kept => "every promise was kept",
            Ending::NothingShown if result.kills == 0 => {
                "every promise was kept, but no worker was killed: try more customers, or a smaller --kill-every"
            }
            Ending::NothingShown =>
                "every promise was kept, but no server was killed and came back: try more customers",
            Ending::Broken => "A PROMISE WAS BROKEN",
        }
    );
    Ok(ending)
}

/// Kills one server a second after the beginning, and restarts it four seconds later.
fn lose_a_server(cluster: Option<&mut Cluster>, lost: &mut Option<(usize, bool)>, elapsed: Duration) -> Outcome<()> {
    let Some(cluster) = cluster else { return Ok(()) };
    match *lost {
        None if elapsed > Duration::from_secs(1) => {
            let index = rand::rng().random_range(0..SERVERS);
            cluster.kill(index)?;
            *lost = Some((index, false));
        }
        Some((index, false)) if elapsed > Duration::from_secs(5) => {
            cluster.restart(index)?;
            *lost = Some((index, true));
        }
        _ => {}
    }
    Ok(())
}

fn report(play: &Play, result: &director::Result, lost: Option<(usize, bool)>) {
    let director::Result { promises, tally, hopeless, buried, left, kills, took } = result;
    let seconds = took.as_secs_f64();
    println!();
    println!(
        "  {} customers asked {} questions, {} workers, {kills} of them killed, {seconds:.1} s",
        play.customers, promises.asked, play.workers
    );
    println!(
        "  questions stored exactly once        {:>8}   duplicates {}   not asked {}",
        promises.once, promises.twice, promises.strange
    );
    println!(
        "  answers shown exactly once           {:>8}   duplicates {}   unreadable {}",
        tally.once, tally.twice, tally.unreadable
    );
    println!(
        "  messages sent to customers           {:>8}   distinct salts {}   refused as replayed {}",
        promises.sent, promises.salts, tally.again
    );
    println!("  revisions that sent a message        {:>8}   computed twice {}", promises.revisions, promises.forked);
    println!("  damaged or invented in transit       {hopeless:>8}   given up {buried}   left in the queue {left}");
    if let Some((index, back)) = lost {
        println!("  server {index} of three was killed{}", if back { " and came back" } else { "" });
    }
    println!();
}

/// How long to wait for duplicates after the last answer.
const QUIET: Duration = Duration::from_secs(1);

const HELP: &str = "\
Many workers answer for one business account, and are killed while they do.

  cargo run --release -p business -- [OPTION VALUE]...

  --engine sqlite|etcd   one SQLite file (default), or three etcd servers, which are started on this machine
                         (apt-get install etcd-server) and of which one is killed and comes back.
                         ETCD_URL names others: http://HOST:PORT, several separated by commas
  --customers N          customers who write at the same time (2000)
  --questions N          questions of each, one after another (3)
  --workers N            workers at any time (4)
  --kill-every MS        milliseconds between two kills of a worker (400)
  --measure N            before that, measure the speed with this many customers (1500); 0: do not

It exits with 0 only if every promise was kept although workers were killed.
";
