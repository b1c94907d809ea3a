//! A server on tokio: a task for each connection, a session for each client behind a lock of its own, and files that
//! survive `kill -9`. It answers each question in capitals.
//!
//! In two terminals, in the root of the repository:
//!
//! ```text
//! cargo run -p server -- serve /tmp/questions 127.0.0.1:7800
//! cargo run -p server -- ask 127.0.0.1:7800
//! ```
//!
//! Each line that you type in the second one is a question, and the end of the input (Ctrl-D) ends it. Between two
//! questions kill the server with `kill -9`, and start it again: the next question is answered in the session that there
//! was, because the server stores a session before it answers. (Questions can stand on the command line, too.) Whoever
//! asks has no memory: the next `ask` is another client.
//!
//! `files.rs` stores sessions in a folder, and `ask.rs` is the client.

mod ask;
mod files;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use bisik::rand_core::UnwrapErr;
use bisik::*;
use files::{Folder, Id};
use rand::rngs::SysRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Server {
    identity: Identity,
    keys: Mutex<PreKeys>,
    folder: Folder,
    /// The sessions in memory. Each has a lock, so that a client waits for nobody but itself. All of them are in files,
    /// so that any can be dropped while nobody uses it.
    sessions: Mutex<HashMap<Id, Arc<Mutex<Option<Session>>>>>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        ["serve", folder, address] => serve(Path::new(folder), address).await,
        ["ask", address, questions @ ..] => ask::ask(address, questions).await,
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(folder: &Path, address: &str) -> Outcome<()> {
    let server = Arc::new(Server::open(folder).await?);
    let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    println!("listening at {}", listener.local_addr()?);
    loop {
        let (stream, client) = listener.accept().await?;
        let server = Arc::clone(&server);
        // `spawn` takes only futures that are `Send`.
        tokio::spawn(async move {
            if let Err(error) = server.talk(stream).await {
                println!("{client}: {error}");
            }
        });
    }
}

impl Server {
    async fn open(folder: &Path) -> Outcome<Self> {
        // The operating system's generator has no state, and is `Send`: it may live across an await. It can fail, which
        // `UnwrapErr` makes a panic.
        let rng = &mut UnwrapErr(SysRng);
        let folder = Folder::open(folder).await?;
        let (identity, keys) = match folder.read("identity").await? {
            Some(record) => {
                let keys = folder.read("pre-keys").await?.ok_or("no pre-keys")?;
                (
                    Identity::unseal(&folder.key, b"identity", &record).map_err(folder.does_not_open("identity"))?,
                    PreKeys::unseal(&folder.key, b"pre-keys", &keys).map_err(folder.does_not_open("pre-keys"))?,
                )
            }
            None => {
                let identity = Identity::generate(rng);
                let keys = PreKeys::generate(&identity, now(), rng);
                folder.put("pre-keys", &keys.seal(&folder.key, b"pre-keys", rng)).await?;
                folder.put("identity", &identity.seal(&folder.key, b"identity", rng)).await?;
                (identity, keys)
            }
        };
        Ok(Self { identity, keys: Mutex::new(keys), folder, sessions: Mutex::default() })
    }

    /// Gives the client a bundle, then answers each frame: the id of a session, and a message in it.
    async fn talk(&self, mut stream: TcpStream) -> Outcome<()> {
        write_frame(&mut stream, &[&self.bundle().await?.to_bytes()]).await?;
        while let Some(frame) = read_frame(&mut stream).await? {
            let (id, message) = frame.split_first_chunk().ok_or("too short")?;
            let answer = self.answer(*id, &Ciphertext::from_bytes(message)?).await?;
            write_frame(&mut stream, &[answer.as_bytes()]).await?;
        }
        Ok(())
    }

    /// The last-resort bundle. With it, strangers set up at most 768 sessions before the keys are rotated: who expects
    /// more gives out one-time bundles, each once.
    async fn bundle(&self) -> Outcome<PreKeyBundle> {
        let mut keys = self.keys.lock().await;
        if keys.rotate(&self.identity, now(), &mut rand::rng())? != Rotation::Nothing {
            let sealed = keys.seal(&self.folder.key, b"pre-keys", &mut rand::rng());
            self.folder.put("pre-keys", &sealed).await?;
        }
        Ok(keys.bundle())
    }

    async fn answer(&self, id: Id, message: &Ciphertext) -> Outcome<Ciphertext> {
        let slot = {
            let mut sessions = self.sessions.lock().await;
            if sessions.len() >= MOST_IN_MEMORY {
                sessions.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
            Arc::clone(sessions.entry(id).or_default())
        };
        let mut slot = slot.lock().await;
        // Taken out: after an error, and should this future be dropped at an await, the next message loads the record.
        let (mut session, question) = match slot.take() {
            Some(session) => self.read(session, message)?,
            None => match self.folder.session(&id).await? {
                Some(session) => self.read(session, message)?,
                None => self.accept(id, message).await?,
            },
        };
        // `rand::rng()` is not `Send`: it is a temporary of a statement without an await.
        let held = session.encrypt_held(question.to_uppercase().as_bytes(), &mut rand::rng())?;
        let sealed = session.seal(&self.folder.key, &id, &mut rand::rng())?;
        self.folder.put_session(&id, &sealed).await?; // store before you send
        *slot = Some(session);
        held.release(&sealed.stored()).map_err(|_| "another record was stored".into())
    }

    fn read(&self, mut session: Session, message: &Ciphertext) -> Outcome<(Session, String)> {
        let held = session.decrypt_held(&self.identity, message)?;
        let question = match held.for_inbox() {
            // Who asks does not matter here: the answer can be read only by the identity that the session names.
            Plaintext::Confirmed(question) => question,
            Plaintext::Unconfirmed(question) => question.peek_unconfirmed(),
        };
        let question = String::from_utf8_lossy(question).into_owned();
        Ok((session, question))
    }

    /// The first message of a client. A copy of it names a session that is there already, and does not come here.
    async fn accept(&self, id: Id, message: &Ciphertext) -> Outcome<(Session, String)> {
        let mut keys = self.keys.lock().await;
        let Accepted { mut session, plaintext, used } =
            Session::accept(&self.identity, &keys, message, Trust::OnFirstUse, now())?;
        if *session.id() != id {
            return Err("the message is of another session".into());
        }
        // The session first: with pre-keys alone, a crash would lose the message.
        let sealed = session.seal(&self.folder.key, &id, &mut rand::rng())?;
        self.folder.put_session(&id, &sealed).await?;
        sealed.stored();
        keys.remove(used);
        let sealed = keys.seal(&self.folder.key, b"pre-keys", &mut rand::rng());
        self.folder.put("pre-keys", &sealed).await?;
        Ok((session, String::from_utf8_lossy(&plaintext.show_unconfirmed()).into_owned()))
    }
}

/// The next frame, or nothing when the other side has left.
async fn read_frame(stream: &mut TcpStream) -> Outcome<Option<Vec<u8>>> {
    let length = match stream.read_u32().await {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        length => length?,
    };
    if length > MOST_BYTES {
        return Err("too long".into());
    }
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await?;
    Ok(Some(frame))
}

async fn write_frame(stream: &mut TcpStream, parts: &[&[u8]]) -> Outcome<()> {
    let frame = parts.concat();
    stream.write_u32(u32::try_from(frame.len())?).await?;
    Ok(stream.write_all(&frame).await?)
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

const USAGE: &str = "usage: server serve FOLDER ADDRESS, or server ask ADDRESS [QUESTION..]";
/// Bytes of a frame; nobody who connects decides how much memory is taken.
const MOST_BYTES: u32 = 1 << 16;
/// Above this, sessions that nobody uses now are only in their files.
const MOST_IN_MEMORY: usize = 10_000;
