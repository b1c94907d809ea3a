//! Many clients ask at once; the server is killed with SIGKILL in the middle of it, and all sessions go on.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use bisik::{Ciphertext, Identity, PreKeyBundle, Session, Timestamp, Trust};

struct Server(Child, String);

impl Server {
    fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0")
    }

    fn start_at(folder: &Path, address: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["serve".as_ref(), folder.as_os_str(), address.as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        thread::spawn(move || lines.for_each(drop));
        Self(child, line.strip_prefix("listening at ").unwrap().to_owned())
    }

    /// `kill -9`
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Client {
    identity: Identity,
    session: Option<Session>,
}

impl Client {
    /// Asks until there is an answer. A question is encrypted anew for each try.
    fn ask(&mut self, question: &str, address: &Mutex<String>, again: &AtomicUsize) -> String {
        for _ in 0..400 {
            let address = address.lock().unwrap().clone();
            if let Some(answer) = self.try_to_ask(question, &address) {
                return answer;
            }
            again.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(25));
        }
        panic!("no answer to {question}");
    }

    fn try_to_ask(&mut self, question: &str, address: &str) -> Option<String> {
        let rng = &mut rand::rng();
        let mut stream = TcpStream::connect(address).ok()?;
        let bundle = PreKeyBundle::from_bytes(&read_frame(&mut stream)?).unwrap();
        let now = Timestamp::from(SystemTime::now());
        let session = self.session.get_or_insert_with(|| {
            let bundle = bundle.verify(Trust::OnFirstUse, now).unwrap();
            Session::initiate(&self.identity, &bundle, now, rng).unwrap()
        });
        let message = session.encrypt(question.as_bytes(), rng).unwrap();
        let frame = [session.id().as_slice(), message.as_bytes()].concat();
        stream.write_all(&u32::try_from(frame.len()).unwrap().to_be_bytes()).ok()?;
        stream.write_all(&frame).ok()?;
        let answer = Ciphertext::from_bytes(&read_frame(&mut stream)?).unwrap();
        let answer = session.decrypt(&self.identity, &answer).unwrap().plaintext.confirmed().unwrap();
        Some(String::from_utf8(answer).unwrap())
    }
}

fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

#[test]
fn every_client_of_a_killed_server_goes_on_in_its_session() {
    const CLIENTS: usize = 12;
    const QUESTIONS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let address = Mutex::new(server.1.clone());
    let (again, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for name in 0..CLIENTS {
            let (address, again, answered) = (&address, &again, &answered);
            scope.spawn(move || {
                let mut client = Client { identity: Identity::generate(&mut rand::rng()), session: None };
                for number in 0..QUESTIONS {
                    let answer = client.ask(&format!("client {name}, question {number}"), address, again);
                    assert_eq!(answer, format!("CLIENT {name}, QUESTION {number}"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for kill in 1..=3 {
            while answered.load(Ordering::Relaxed) < kill * CLIENTS * QUESTIONS / 4 {
                thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            server = Server::start(folder.path());
            address.lock().unwrap().clone_from(&server.1);
        }
    });
    assert!(again.load(Ordering::Relaxed) > 0, "no question was asked while the server was gone");
    let sessions = folder.path().read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().file_name().len() == 32);
    assert_eq!(sessions.count(), CLIENTS, "nobody has set up a second session");
}

/// `server ask`: a client, the lines that it prints, and its input.
struct Asking(Child, ChildStdin, Lines<BufReader<ChildStdout>>);

impl Asking {
    fn start(address: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["ask", address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self(child, input, output.lines())
    }

    fn ask(&mut self, question: &str) {
        self.1.write_all(format!("{question}\n").as_bytes()).unwrap();
    }

    fn answer(&mut self) -> String {
        self.2.next().unwrap().unwrap()
    }

    /// The end of the input. Whether it ended well, and what it said beside the answers.
    fn end(self) -> (bool, String) {
        let Self(child, input, _) = self;
        drop(input);
        let ended = child.wait_with_output().unwrap();
        (ended.status.success(), String::from_utf8(ended.stderr).unwrap())
    }
}

#[test]
fn who_asks_a_server_that_is_killed_in_between_goes_on_in_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let address = server.1.clone();
    let mut asking = Asking::start(&address);
    for question in 1..=3 {
        asking.ask(&format!("before {question}"));
        assert_eq!(asking.answer(), format!("BEFORE {question}"));
        server.kill();
        asking.ask(&format!("after {question}"));
        server = Server::start_at(folder.path(), &address);
        assert_eq!(asking.answer(), format!("AFTER {question}"));
    }
    let (success, said) = asking.end();
    assert!(success && said.matches("the server had kept the session").count() == 3, "{said}");
    let sessions = folder.path().read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().file_name().len() == 32);
    assert_eq!(sessions.count(), 1);
}

#[test]
fn who_asks_does_not_take_another_server_for_the_one_that_was_killed() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut server = Server::start(folders[0].path());
    let address = server.1.clone();
    let mut asking = Asking::start(&address);
    asking.ask("who?");
    assert_eq!(asking.answer(), "WHO?");
    server.kill();
    let _other = Server::start_at(folders[1].path(), &address);
    asking.ask("who?");
    let ended = asking.0.wait().unwrap();
    let mut said = String::new();
    asking.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!ended.success() && said.contains(&address) && said.contains("identity"), "{said}");
}

#[test]
fn an_error_names_the_file_or_the_address_that_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let address = server.1.clone();
    server.kill();
    let fails = |arguments: &[&str], expected: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_server")).args(arguments).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && expected.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("Os {"), "{said}");
    };
    let path = folder.path().to_str().unwrap();
    fails(&["ask", &address, "what?"], &[&address, "refused"]);
    fails(&["serve", path, "nowhere"], &["nowhere: "]);
    fails(&["serve"], &["usage"]);
    std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
    let explain = format!("cargo run --example explain -- {path}/key identity={path}/identity");
    fails(&["serve", path, "127.0.0.1:0"], &["identity does not open", &explain]);
    fails(&["serve", &format!("{path}/key"), "127.0.0.1:0"], &["/key: "]);
}

/// Without its session, a client is a stranger: it sets up another one.
#[test]
fn a_client_without_memory_asks_in_a_new_session() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for _ in 0..2 {
        let asked =
            Command::new(env!("CARGO_BIN_EXE_server")).args(["ask", &server.1, "what?", "why?"]).output().unwrap();
        assert_eq!(String::from_utf8(asked.stdout).unwrap(), "WHAT?\nWHY?\n");
    }
}

#[test]
fn a_second_process_does_not_get_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Server::start(folder.path());
    let second = Command::new(env!("CARGO_BIN_EXE_server"))
        .args(["serve".as_ref(), folder.path().as_os_str(), "127.0.0.1:0".as_ref()])
        .output()
        .unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8(second.stderr).unwrap().contains("another process has this folder"));
}
