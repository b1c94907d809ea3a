//! The table's rows for groups: sender keys in this library, Megolm in vodozemac.
//!
//! Both sign with one multiplication and verify with two. Megolm's messages also have eight bytes of HMAC-SHA256.

use std::hint::black_box;

use bisik::interop::signal::{GroupReceiver, GroupSender, SenderKeyFormat};
use vodozemac::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionConfig};

use super::table::Operation;
use crate::PREPARED;
use crate::support::meter::{Case, pieces, repeated};
use crate::support::report::Aim;

pub(crate) fn operations() -> Vec<Operation> {
    let against = Operation::against;
    vec![
        against("group: encrypt 32 B", Aim::AtMost(0.95), encrypt(32), their_encrypt(32)),
        against("group: encrypt 1 KiB", Aim::None, encrypt(1024), their_encrypt(1024)),
        against("group: decrypt 32 B", Aim::AtMost(0.95), decrypt(32), their_decrypt(32)),
        against("group: decrypt 1 KiB", Aim::None, decrypt(1024), their_decrypt(1024)),
    ]
}

fn encrypt(length: usize) -> Case {
    let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, &mut rand::rng());
    let plaintext = vec![7; length];
    repeated(move || sender.encrypt(black_box(&plaintext), &mut rand::rng()).unwrap())
}

fn decrypt(length: usize) -> Case {
    let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, &mut rand::rng());
    let mut receiver = GroupReceiver::new();
    receiver.process(&sender.distribution());
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| sender.encrypt(&plaintext, &mut rand::rng()).unwrap()).collect();
            meter.measure(&mut || {
                for message in &messages {
                    black_box(receiver.decrypt(black_box(message)).unwrap());
                }
            });
        }
    })
}

fn their_encrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let plaintext = vec![7; length];
    repeated(move || sender.encrypt(black_box(&plaintext)).to_bytes())
}

fn their_decrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let mut receiver = InboundGroupSession::new(&sender.session_key(), SessionConfig::version_1());
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| sender.encrypt(&plaintext).to_bytes()).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = MegolmMessage::from_bytes(black_box(message)).unwrap();
                    black_box(receiver.decrypt(&message).unwrap());
                }
            });
        }
    })
}
