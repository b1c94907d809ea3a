//! Messages read with known keys from the specification alone (docs/spec/session.md, sections 4.4 and 4.5): what somebody
//! on the wire does who has a copy of a state.

use std::cell::RefCell;
use std::collections::HashMap;

use super::forge::{Header, digest, nonce};
use super::record::{apply_stream, tag};

/// An ordinary message, split into its parts. Remembers what was tried: many copies hold the same keys.
pub struct Overheard {
    salt: [u8; 16],
    header: [u8; 84],
    header_tag: [u8; 16],
    body: Vec<u8>,
    body_tag: [u8; 16],
    digest: [u8; 32],
    headers: RefCell<HashMap<[u8; 32], Option<Header>>>,
    bodies: RefCell<HashMap<[u8; 32], Option<Vec<u8>>>>,
}

impl Overheard {
    /// Splits a message with its kind byte, which must be an ordinary one.
    pub fn new(binding: &[u8; 32], message: &[u8]) -> Self {
        assert_eq!(message[0], 0x22, "an ordinary message");
        let (salt, rest) = message[1..].split_first_chunk().expect("a salt");
        let (header, rest) = rest.split_first_chunk().expect("a header");
        let (header_tag, rest) = rest.split_first_chunk().expect("a header's tag");
        let (body, body_tag) = rest.split_last_chunk().expect("a body's tag");
        Self {
            salt: *salt,
            header: *header,
            header_tag: *header_tag,
            body: body.to_vec(),
            body_tag: *body_tag,
            digest: digest(binding, salt, header, body),
            headers: RefCell::default(),
            bodies: RefCell::default(),
        }
    }

    /// The header, if this is the key of its chain.
    pub fn header(&self, key: &[u8; 32]) -> Option<Header> {
        self.headers.borrow_mut().entry(*key).or_insert_with(|| self.open_header(key)).clone()
    }

    /// The plaintext, if this is the message's key.
    pub fn body(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        self.bodies.borrow_mut().entry(*key).or_insert_with(|| self.open_body(key)).clone()
    }

    fn open_header(&self, key: &[u8; 32]) -> Option<Header> {
        if tag(key, &[&self.digest, &self.body_tag]) != self.header_tag {
            return None;
        }
        let mut plain = self.header;
        apply_stream(key, &nonce(&self.salt, 0), &mut plain);
        let number = |at: usize| u32::from_be_bytes(*plain[at..].first_chunk().expect("the header is longer"));
        Some(Header {
            ratchet_key: *plain.first_chunk().expect("the header is longer"),
            previous: number(32),
            number: number(36),
            version: plain[40],
            kinds: plain[41],
            epoch: number(42),
            mixed: number(46),
            chunk_number: u16::from_be_bytes([plain[50], plain[51]]),
            chunk: *plain[52..].first_chunk().expect("the header is longer"),
        })
    }

    fn open_body(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        if tag(key, &[&self.digest]) != self.body_tag {
            return None;
        }
        let mut plain = self.body.clone();
        apply_stream(key, &nonce(&self.salt, 1), &mut plain);
        Some(plain)
    }
}
