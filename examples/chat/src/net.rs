//! Frames over TCP and lines from the terminal, as one stream of events. No cryptography.

use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

pub(crate) enum Event {
    Line(String),
    Connected(Wire),
    /// The first frame of a connection.
    Bundle(Vec<u8>),
    Message(Vec<u8>),
    Gone,
    /// The terminal has ended: Ctrl-D.
    End,
}

pub(crate) struct Wire(TcpStream);

impl Wire {
    /// Sends a frame. Should it be lost, then with the connection, and the next one repeats what was not acknowledged.
    pub(crate) fn send(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes();
        if self.0.write_all(&[&length, frame].concat()).is_err() {
            let _gone_already = self.0.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Starts a thread for the terminal and one for the connections, one after the other.
pub(crate) fn start(listen: bool, address: &str) -> io::Result<Receiver<Event>> {
    let (events, receiver) = sync_channel(64);
    let listener = if listen { Some(TcpListener::bind(address)?) } else { None };
    let (address, lines) = (address.to_socket_addrs()?.collect::<Vec<_>>(), events.clone());
    thread::spawn(move || {
        // As bytes: a line that is not UTF-8 is not the end.
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            if lines.send(Event::Line(line)).is_err() {
                return;
            }
        }
        let _ended_already = lines.send(Event::End);
    });
    thread::spawn(move || {
        loop {
            let stream = match &listener {
                Some(listener) => listener.accept().map(|(stream, _)| stream),
                None => TcpStream::connect(address.as_slice()),
            };
            if let Ok(stream) = stream {
                let _why = talk(stream, &events);
                if events.send(Event::Gone).is_err() {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    Ok(receiver)
}

fn talk(mut stream: TcpStream, events: &SyncSender<Event>) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    events.send(Event::Connected(Wire(stream.try_clone()?)))?;
    // Nobody who connects and says nothing keeps the peer out.
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    events.send(Event::Bundle(frame(&mut stream)?))?;
    stream.set_read_timeout(None)?;
    loop {
        events.send(Event::Message(frame(&mut stream)?))?;
    }
}

fn frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    // Nobody who connects decides how much memory is taken.
    let mut frame = vec![0; u32::from_be_bytes(length).min(1 << 17) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}
