//! A client without memory: it makes an identity, asks in one session, and forgets everything.

use std::io;
use std::time::Duration;

use bisik::rand_core::UnwrapErr;
use bisik::{Ciphertext, Identity, PreKeyBundle, Session, Trust};
use rand::rngs::SysRng;
use tokio::net::TcpStream;

use crate::{Outcome, now, read_frame, write_frame};

/// Asks, and prints the answers. A server that is killed is waited for, and asked again in the same session.
pub(crate) async fn ask(address: &str, questions: &[&str]) -> Outcome<()> {
    let rng = &mut UnwrapErr(SysRng);
    let identity = Identity::generate(rng);
    let (mut stream, bundle) = connect(address).await.map_err(|error| format!("{address}: {error}"))?;
    let mut session = Session::initiate(&identity, &bundle.verify(Trust::OnFirstUse, now())?, now(), rng)?;
    // Reads the terminal without `await`: nothing else waits in this process.
    let typed = io::stdin().lines().take_while(|_| questions.is_empty());
    for question in questions.iter().map(|question| Ok((*question).to_owned())).chain(typed) {
        let question: String = question?;
        let (mut tries, known) = (TRIES, session.is_confirmed());
        let answer = loop {
            // Encrypted anew for each try: the server may have read the one before, and a message is read once.
            let message = session.encrypt(question.as_bytes(), rng)?;
            if let Ok(Some(answer)) = exchange(&mut stream, &[session.id(), message.as_bytes()]).await {
                break answer;
            }
            tries -= 1;
            if tries == 0 {
                return Err(format!("{address}: the server closes the connection; its terminal says why").into());
            }
            eprintln!("* the connection has ended; waiting for the server, to ask again in the same session");
            let again = connect_again(address).await?;
            stream = again.0;
            // No second session: the bundle only says whether it is the same server.
            again.1.verify(Trust::Pinned(session.peer()), now()).map_err(|error| format!("{address}: {error}"))?;
        };
        let answer = session.decrypt(&identity, &Ciphertext::from_bytes(&answer)?)?;
        let answer = answer.plaintext.confirmed().map_err(|_| "not confirmed")?;
        println!("{}", String::from_utf8_lossy(&answer).escape_debug());
        if tries < TRIES && known {
            eprintln!("* the server had kept the session");
        }
    }
    Ok(())
}

async fn exchange(stream: &mut TcpStream, parts: &[&[u8]]) -> Outcome<Option<Vec<u8>>> {
    write_frame(stream, parts).await?;
    read_frame(stream).await
}

/// A connection, and the bundle with which the server begins.
async fn connect(address: &str) -> Outcome<(TcpStream, PreKeyBundle)> {
    let mut stream = TcpStream::connect(address).await?;
    let bundle = read_frame(&mut stream).await?.ok_or("the connection has ended")?;
    Ok((stream, PreKeyBundle::from_bytes(&bundle)?))
}

async fn connect_again(address: &str) -> Outcome<(TcpStream, PreKeyBundle)> {
    let mut last = String::new();
    for _ in 0..300 {
        match connect(address).await {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("{address}: no server for a minute: {last}").into())
}

/// A server that closes the connection each time cannot read in this session.
const TRIES: u32 = 5;
