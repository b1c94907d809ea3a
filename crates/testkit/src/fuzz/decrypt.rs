//! `decrypt` and `ratchet_decrypt`: edited genuine messages and raw bytes, in any order and number.
//!
//! Only the sender's messages are accepted, each of them once.

use bisik::Session;
use bisik::ratchet::DoubleRatchet;

use super::fixtures::{Endpoint, RATCHETS, SESSIONS, Scene};
use super::input::Input;

pub fn decrypt(data: &[u8]) {
    let mut input = Input::new(data);
    let scene = &SESSIONS[usize::from(input.byte() % 2)];
    deliver::<Session>(scene, input);
}

pub fn ratchet_decrypt(data: &[u8]) {
    let mut input = Input::new(data);
    let scene = &RATCHETS[usize::from(input.byte() % 2)];
    deliver::<DoubleRatchet>(scene, input);
}

fn deliver<E: Endpoint>(scene: &Scene, mut input: Input<'_>) {
    let mut receiver = E::reopen(&scene.record);
    let mut arrived = scene.arrived.clone();
    let mut state = receiver.record();
    for _ in 0..DELIVERIES {
        if input.is_empty() {
            break;
        }
        let message = input.edited(&scene.messages);
        let unread = |same: &dyn Fn(&[u8]) -> bool| {
            scene.messages.iter().zip(&arrived).position(|(genuine, arrived)| !arrived && same(&genuine.bytes))
        };
        if let Some((plaintext, promised)) = receiver.receive(&message) {
            let number = unread(&|genuine| E::authenticated(genuine) == E::authenticated(&message));
            let number = number.expect("only genuine messages are accepted, and only once");
            assert_eq!(plaintext, scene.messages[number].plaintext);
            arrived[number] = true;
            state = receiver.record();
            assert_eq!(state, promised, "the state after the commit is the one that was sealed before it");
            assert_eq!(state, E::reopen(&state).record(), "a sealed state opens unchanged");
        } else {
            assert_eq!(receiver.record(), state, "a refused message leaves the state unchanged");
            assert!(unread(&|genuine| genuine == message).is_none(), "no forgery keeps a genuine message out");
        }
    }
}

/// The largest number of messages in one run.
const DELIVERIES: usize = 24;
