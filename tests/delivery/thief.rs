//! A thief who has the identity key of a device, and the pre-keys that any server gives, and nothing else of it.
//!
//! Its frames are written from docs/spec/conversations.md, section 12.2, and claim everything that a frame can claim.

use bisik::conversation::DeviceAddress;
use bisik::{Session, Trust};
use rand::RngExt;

use super::device::{At, text};
use super::world::{Mail, THIEF, World};

impl World {
    /// A first flight to `to` in the name of `name`, with a message and with claims about everything that was ever
    /// sent. The thief does not read the answer.
    pub fn steal_a_name(&mut self, to: At, name: At) {
        let bundle = self.stock[&to].last_resort.clone();
        let key = *self.devices[&to].account.identity().public();
        let Ok(bundle) = bundle.verify(Trust::Pinned(&key), self.true_time()) else { return };
        let identity = self.devices[&name].account.identity();
        let Ok(mut session) = Session::initiate(identity, &bundle, self.true_time(), &mut self.rng) else { return };
        let uid = THIEF + self.choices.random_range(0..THIEF);
        let frame = self.evil_frame(to, name, session.labels().unwrap(), &text(uid));
        let ciphertext = session.encrypt(&frame, &mut self.rng).unwrap();
        self.net.push(Mail { from: name, to, ciphertext, is_forged: true });
    }

    fn evil_frame(&mut self, to: At, name: At, labels: [[u8; 8]; 4], body: &[u8]) -> Vec<u8> {
        const FOR_OWN: u16 = 1;
        const OPENING: u16 = 1 << 1;
        const ASK: u16 = 1 << 3;
        const NAMED: u16 = 1 << 8;
        let for_own = name.0 == to.0;
        let (talk, high) = (&self.devices[&to].talk, (1_u64 << 59).to_be_bytes());
        let mut frame = vec![2];
        frame.extend((OPENING | ASK | NAMED | if for_own { FOR_OWN } else { 0 }).to_be_bytes());
        frame.extend([1, 1]);
        frame.extend([0; 16]);
        frame.extend(talk.id().as_bytes());
        if for_own {
            frame.extend(talk.peer().account().to_bytes());
        }
        frame.extend(labels.as_flattened());
        // `last`; `base`, which is one above it; the horizon for the receiver's own names; no highest one.
        frame.extend(high);
        frame.push(0);
        frame.extend(high);
        frame.push(0);
        let mut tags: Vec<_> = self.names.keys().rev().take(100).map(|id| *id.tag().as_bytes()).collect();
        tags.sort_unstable();
        frame.push(u8::try_from(tags.len()).unwrap());
        frame.extend(tags.as_flattened());
        frame.push(0);
        frame.extend([9; 4]);
        frame.push(1);
        frame.extend((1_u64 << 58).to_be_bytes());
        frame.extend(self.choices.random::<[u8; 8]>());
        frame.extend(body);
        frame
    }

    /// Something that no session reads, from a device that did not write it.
    pub fn garbage(&mut self, to: At, from: At) {
        let mut bytes = match self.log.last() {
            Some(mail) => mail.ciphertext.as_bytes().to_vec(),
            None => return,
        };
        let at = bytes.len() - 1 - self.choices.random_range(0..16);
        bytes[at] ^= 1;
        let Ok(ciphertext) = bisik::Ciphertext::from_bytes(&bytes) else { return };
        self.net.push(Mail { from, to, ciphertext, is_forged: true });
    }

    /// The address of a device as another one sees it.
    pub fn address(&self, of: At, seen_from: At) -> DeviceAddress {
        if of.0 == seen_from.0 { DeviceAddress::own(of.1) } else { DeviceAddress::peer(of.1) }
    }
}
