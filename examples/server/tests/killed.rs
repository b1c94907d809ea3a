//! Many clients ask at once; the server is killed with SIGKILL in the middle of it, and all sessions go on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use bisik::{Ciphertext, Identity, PreKeyBundle, Session, Timestamp, Trust};

struct Server(Child, String);

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["serve".as_ref(), folder.as_os_str(), "127.0.0.1:0".as_ref()])
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
