//! Sessions: delivery in any order, replays, simultaneous initiation, and the unchanged state after a refusal.

use bisik::interop::signal::{
    AcceptError, Ciphertext, DecryptError, EncryptError, Identity, InitiateError, MessageKind, PreKeys, Session, Trust,
};
use bisik::{StorageKey, UnsealError};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::pair::{Device, image, pair, words};

/// S-3.3, S-3.6, S-3.7, S-5.1. Both send at random; the network drops, duplicates and reorders at random.
#[test]
fn messages_are_read_exactly_once_out_of_order() {
    let rng = &mut rand::rng();
    for round in 0..8 {
        let (mut a, mut b) = (Device::new(), Device::new());
        a.initiate(&b, round % 2 == 0);
        let first = a.write(b"first");
        assert_eq!(b.read(&first).unwrap(), b"first");
        let mut on_the_way: Vec<(bool, Ciphertext, Vec<u8>, bool)> = Vec::new();
        let (mut delivered, mut displaced) = (0, 0);
        for _ in 0..300 {
            let to_b = rng.random();
            let (from, text) = (if to_b { &mut a } else { &mut b }, words());
            on_the_way.push((to_b, from.write(&text), text, false));
            if rng.random_ratio(1, 8) {
                on_the_way.shuffle(rng);
                for _ in 0..rng.random_range(0..on_the_way.len() / 2 + 1) {
                    let (to_b, message, text, read) = on_the_way.pop().unwrap();
                    let to = if to_b { &mut b } else { &mut a };
                    let before = to.image();
                    match to.read(&message) {
                        Ok(plaintext) => {
                            assert!(!read && plaintext == text);
                            delivered += 1;
                        }
                        Err(error) => {
                            displaced += u32::from(!read);
                            // Messages of an ended chain whose keys were never made are lost; no others are.
                            assert!(
                                error == DecryptError::TooLate || read && error == DecryptError::Replayed,
                                "{error}"
                            );
                            assert_eq!(to.image(), before);
                        }
                    }
                    if rng.random_ratio(1, 4) {
                        on_the_way.push((to_b, message, text, true));
                    }
                }
            }
        }
        assert!(a.session().is_confirmed() && b.session().is_confirmed());
        assert!(delivered > 150 && displaced < 30, "{delivered} delivered, {displaced} displaced");
    }
}

/// S-3.6. No message of the last five chains is lost, in any order.
#[test]
fn no_message_is_lost_within_five_chains() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = pair();
    let mut late = Vec::new();
    for chain in 0..5 {
        for message in 0..40_u8 {
            let text = vec![chain, message];
            late.push((a.write(&text), text));
        }
        // One message of each chain arrives, so that the next chain starts.
        let (message, text) = late.swap_remove(late.len() - rng.random_range(1..=40));
        assert_eq!(b.read(&message).unwrap(), text);
        let answer = b.write(b"answer");
        assert_eq!(a.read(&answer).unwrap(), b"answer");
    }
    late.shuffle(rng);
    for (message, text) in &late {
        assert_eq!(b.read(message).unwrap(), *text);
    }
    for (message, _) in &late {
        assert_eq!(b.read(message), Err(DecryptError::Replayed));
    }
    assert_eq!(b.session().skipped_keys(), 0);
}

/// S-4.4, S-5.4. A message with any bit changed is refused, or reads the same; after a refusal the state is unchanged.
#[test]
fn a_message_with_any_bit_changed_is_refused_and_changes_nothing() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let first = a.write(b"first");
    let second = a.write(b"second");
    assert_eq!(b.read(&first).unwrap(), b"first");
    let answer = b.write(b"answer");
    let before = (a.image(), b.image());
    for (message, to) in [(&second, &mut b), (&answer, &mut a)] {
        let header = message.header().unwrap();
        for bit in 0..message.as_bytes().len() * 8 {
            let mut changed = message.as_bytes().to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(changed) = Ciphertext::from_parts(message.kind(), &changed) else { continue };
            let inside = |h: bisik::interop::signal::Header| (h.version, h.ratchet_key, h.counter, h.previous_counter);
            let found = changed.header().unwrap();
            if inside(found) == inside(header) && found.pre_key != header.pre_key {
                // The outer part of a pre-key message is not authenticated. If it names other keys, it sets up another
                // state than the one it was written in.
                let mut session = reopened(to.session());
                if found.pre_key.map(|o| o.identity) != header.pre_key.map(|o| o.identity) {
                    assert_eq!(session.decrypt(&changed), Err(DecryptError::Rejected), "bit {bit}");
                    continue;
                }
                if let Err(DecryptError::OpensNewSession) = session.decrypt(&changed) {
                    assert!(session.accept_reinitiated(&to.identity, &to.keys, &changed).is_err(), "bit {bit}");
                }
                continue;
            }
            assert!(to.session().decrypt(&changed).is_err(), "bit {bit}");
        }
    }
    assert_eq!((a.image(), b.image()), before);
    assert_eq!(b.read(&second).unwrap(), b"second");
    assert_eq!(a.read(&answer).unwrap(), b"answer");
}

fn reopened(session: &mut Session) -> Session {
    Session::unseal(&StorageKey::from_bytes([1; 32]), b"image", &image(session)).unwrap()
}

/// S-5.2, S-5.5, S-5.6. Both initiate at once, both pre-key messages arrive, and each stays in its own state, which the
/// other reads, until the one with the smaller identity key yields.
#[test]
fn simultaneous_initiation_converges_on_the_state_of_the_greater_identity() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    b.initiate(&a, true);
    let smaller = a.identity.public().to_bytes() < b.identity.public().to_bytes();
    let agreed = *(if smaller { &mut b } else { &mut a }).session().base_key().unwrap();
    for number in 0..12_u8 {
        let (from_a, from_b) = (a.write(&[number]), b.write(&[number]));
        assert_eq!(b.read(&from_a).unwrap(), [number]);
        assert_eq!(a.read(&from_b).unwrap(), [number]);
        assert_eq!((a.session().archived(), b.session().archived()), (1, 1));
        let of_both = [*a.session().base_key().unwrap(), *b.session().base_key().unwrap()];
        assert_eq!(of_both == [agreed; 2], number >= 8, "{number}");
    }
    assert!(a.session().is_confirmed() && b.session().is_confirmed());
}

/// S-5.2, S-5.6. Both initiate at once, and then write and read at random: everything is read, and what crosses no more
/// is in one state.
#[test]
fn crossed_beginnings_lose_nothing_and_settle() {
    let rng = &mut rand::rng();
    for run in 0..64 {
        let mut devices = [Device::new(), Device::new()];
        let mut on_the_way = [const { Vec::new() }; 2];
        for at in 0..2 {
            let (mut device, other) = (std::mem::replace(&mut devices[at], Device::new()), &devices[1 - at]);
            device.initiate(other, run % 2 == 0);
            on_the_way[1 - at].push(device.write(b"begins"));
            devices[at] = device;
        }
        let mut step = |devices: &mut [Device; 2], to: usize, reads: bool| {
            if reads && !on_the_way[to].is_empty() {
                let message = on_the_way[to].remove(0);
                assert!(!devices[to].read(&message).unwrap().is_empty());
            } else if !reads {
                on_the_way[to].push(devices[1 - to].write(b"goes on"));
            }
            on_the_way.iter().map(Vec::len).sum::<usize>()
        };
        for _ in 0..40 {
            step(&mut devices, rng.random_range(0..2), rng.random());
        }
        while step(&mut devices, 0, true) + step(&mut devices, 1, true) > 0 {}
        for _ in 0..24 {
            for to in [0, 1] {
                step(&mut devices, to, false);
                step(&mut devices, to, true);
            }
        }
        let [a, b] = &mut devices;
        assert_eq!(a.session().base_key(), b.session().base_key());
        assert!(a.session().is_confirmed() && b.session().is_confirmed());
    }
}

/// S-5.2. The peer has lost the pre-keys with which this device began, reads nothing of it, and begins itself.
#[test]
fn a_device_that_the_peer_cannot_read_follows_it_in_the_end() {
    for greater in [false, true] {
        let (mut a, mut b) = loop {
            let (a, b) = (Device::new(), Device::new());
            if (a.identity.public().to_bytes() > b.identity.public().to_bytes()) == greater {
                break (a, b);
            }
        };
        a.initiate(&b, true);
        let unreadable = a.write(b"unreadable");
        b.keys = PreKeys::generate(&b.identity, &mut rand::rng());
        let refused = Session::accept(&b.identity, &b.keys, &unreadable, Trust::OnFirstUse).map(drop);
        assert_eq!(refused, Err(AcceptError::UnknownPreKey));
        b.initiate(&a, true);
        let yields_at = if greater { 16 } else { 8 };
        for number in 0..=yields_at {
            assert_ne!(a.session().base_key(), b.session().base_key(), "{number}");
            let message = b.write(&[number]);
            assert_eq!(a.read(&message).unwrap(), [number]);
        }
        let answer = a.write(b"answer");
        assert_eq!(b.read(&answer).unwrap(), b"answer");
        assert_eq!(a.session().base_key(), b.session().base_key());
    }
}

/// S-5.2, S-5.6. First messages of a state from before this device began again, held back, do not bring that state back.
#[test]
fn first_messages_of_an_older_state_do_not_undo_a_new_session() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let first = a.write(b"first");
    let held_back: Vec<_> = (0..20).map(|_| a.write(b"held back")).collect();
    b.read(&first).unwrap();
    b.initiate(&a, true);
    let new = *b.session().base_key().unwrap();
    for message in &held_back {
        assert_eq!(b.read(message).unwrap(), b"held back");
        assert_eq!(b.session().base_key(), Some(&new));
    }
}

/// S-6.5. This side begins again and again, and the peer, which cannot read it, goes on in the old state.
#[test]
fn the_state_that_the_peer_writes_in_is_kept() {
    let (mut a, mut b) = pair();
    for round in 0..60_u8 {
        a.initiate(&b, false);
        let message = b.write(&[round]);
        assert_eq!(a.read(&message).unwrap(), [round]);
    }
    assert_eq!(a.session().archived(), 40);
}

/// S-5.2, S-5.5, S-5.6. Both initiate again and again while their messages cross, and none is lost.
#[test]
fn reinitiating_while_messages_cross_loses_nothing() {
    let rng = &mut rand::rng();
    for _ in 0..4 {
        let (mut a, mut b) = (Device::new(), Device::new());
        for round in 0..8 {
            a.initiate(&b, rng.random());
            if round % 2 == 0 {
                b.initiate(&a, rng.random());
            }
            for _ in 0..12 {
                let from_a: Vec<_> = (0..rng.random_range(0..3)).map(|_| a.write(b"from a")).collect();
                let writes = if b.session.is_some() { rng.random_range(0..3) } else { 0 };
                let from_b: Vec<_> = (0..writes).map(|_| b.write(b"from b")).collect();
                for message in &from_a {
                    assert_eq!(b.read(message).unwrap(), b"from a");
                }
                for message in &from_b {
                    assert_eq!(a.read(message).unwrap(), b"from b");
                }
            }
        }
    }
}

/// S-5.6. A relay delays a message until there is a new session, and then delivers it to undo that session.
#[test]
fn a_delayed_message_does_not_undo_a_new_session() {
    let (mut a, mut b) = pair();
    let in_a_known_chain = a.write(b"held back");
    let arrives = a.write(b"arrives");
    assert_eq!(b.read(&arrives).unwrap(), b"arrives");
    let answer = b.write(b"answer");
    assert_eq!(a.read(&answer).unwrap(), b"answer");
    let in_a_new_chain = a.write(b"held back");
    // One side has lost its record; the other initiates again and has no reply yet.
    a.session = None;
    b.initiate(&a, true);
    let new = *b.session().base_key().unwrap();
    let first = b.write(b"first");
    for held_back in [&in_a_known_chain, &in_a_new_chain] {
        assert_eq!(b.read(held_back).unwrap(), b"held back");
        assert_eq!(b.session().base_key(), Some(&new));
    }
    let second = b.write(b"second");
    assert_eq!(second.kind(), MessageKind::PreKey, "it still says how the session begins");
    assert_eq!((a.read(&second).unwrap(), a.read(&first).unwrap()), (b"second".to_vec(), b"first".to_vec()));
}

/// S-5.6. A very late message can lead back to a state that the peer has lost; the peer's next message ends that.
#[test]
fn a_late_ratchet_step_is_superseded_by_the_next_message() {
    for confirmed in [false, true] {
        let (mut a, mut b) = pair();
        let late = a.write(b"late");
        // One side has lost its record, and initiates again.
        a.session = None;
        a.initiate(&b, true);
        let again = a.write(b"again");
        assert_eq!(b.read(&again).unwrap(), b"again");
        if confirmed {
            let answer = b.write(b"answer");
            assert_eq!(a.read(&answer).unwrap(), b"answer");
        }
        let new = *b.session().base_key().unwrap();
        assert_eq!(b.read(&late).unwrap(), b"late");
        let next = a.write(b"next");
        assert_eq!(b.read(&next).unwrap(), b"next");
        assert_eq!(b.session().base_key(), Some(&new));
        let answer = b.write(b"answer");
        assert_eq!(a.read(&answer).unwrap(), b"answer");
    }
}

/// S-1.9, S-2.5. Eight keys agree on the same secrets: under another of them a pre-key message could be replayed.
#[test]
fn a_pre_key_message_is_not_replayed_under_another_base_key() {
    for one_time in [false, true] {
        let (mut a, mut b) = (Device::new(), Device::new());
        a.initiate(&b, one_time);
        let message = a.write(b"once");
        let base = *a.session().base_key().unwrap();
        let point = MontgomeryPoint(base.to_bytes()[1..].try_into().unwrap()).to_edwards(0).unwrap();
        let under = |torsion: &EdwardsPoint| {
            let other = [&[5], (point + torsion).to_montgomery().as_bytes().as_slice()].concat();
            let mut bytes = message.as_bytes().to_vec();
            let at = bytes.windows(33).position(|window| window == base.to_bytes()).unwrap();
            bytes[at..at + 33].copy_from_slice(&other);
            Ciphertext::from_parts(MessageKind::PreKey, &bytes).unwrap()
        };
        let accept = |b: &Device, message: &Ciphertext| {
            Session::accept(&b.identity, &b.keys, message, Trust::OnFirstUse).map(drop)
        };
        for torsion in &EIGHT_TORSION[1..] {
            assert_eq!(accept(&b, &under(torsion)), Err(AcceptError::Rejected), "before");
        }
        assert_eq!(b.read(&message).unwrap(), b"once");
        for torsion in &EIGHT_TORSION[1..] {
            let again = under(torsion);
            assert_eq!(b.session().decrypt(&again), Err(DecryptError::OpensNewSession));
            let (identity, keys) = (&b.identity, &b.keys);
            assert!(b.session.as_mut().unwrap().accept_reinitiated(identity, keys, &again).is_err());
        }
    }
}

/// S-5.3. Pre-key messages of one state arrive in any order, and use its pre-keys once.
#[test]
fn pre_key_messages_in_any_order_use_one_one_time_pre_key() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let mut messages: Vec<_> = (0..20_u8).map(|n| (n, a.write(&[n]))).collect();
    messages.reverse();
    for (n, message) in &messages {
        assert_eq!(message.kind(), MessageKind::PreKey);
        assert_eq!(b.read(message).unwrap(), [*n]);
    }
    assert_eq!((b.keys.stock(), b.session().archived()), (99, 0));
    for (_, message) in &messages {
        assert_eq!(b.read(message), Err(DecryptError::Replayed));
    }
    let answer = b.write(b"answer");
    assert_eq!(answer.kind(), MessageKind::Whisper);
    assert!(!a.session().is_confirmed());
    a.read(&answer).unwrap();
    assert!(a.session().is_confirmed());
    assert_eq!(a.write(b"").kind(), MessageKind::Whisper);
}

/// S-2.5. With a one-time key, the missing key refuses a replay; without one, the replay cache of the signed pre-key
/// does.
#[test]
fn a_pre_key_message_opens_one_session() {
    for one_time in [true, false] {
        let (mut a, mut b) = (Device::new(), Device::new());
        a.initiate(&b, one_time);
        let message = a.write(b"once");
        b.read(&message).unwrap();
        let again = Session::accept(&b.identity, &b.keys, &message, Trust::OnFirstUse).unwrap_err();
        assert_eq!(again, if one_time { AcceptError::UnknownPreKey } else { AcceptError::Replayed });
    }
}

/// S-2.4, S-2.6. A forged pre-key message is `Rejected` under every trust; only one that verifies can be reported as of
/// another identity.
#[test]
fn a_pre_key_message_is_bound_to_its_sender_identity() {
    let rng = &mut rand::rng();
    let (mut a, b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let message = a.write(b"hello");
    let other = Identity::generate(rng);
    let accept = |identity: &Identity, keys: &PreKeys, message: &Ciphertext, trust: Trust<'_>| {
        Session::accept(identity, keys, message, trust).map(drop).unwrap_err()
    };
    let pinned = other.public();
    assert_eq!(accept(&b.identity, &b.keys, &message, Trust::Pinned(&pinned)), AcceptError::IdentityMismatch);
    assert_eq!(accept(&other, &b.keys, &message, Trust::OnFirstUse), AcceptError::WrongIdentity);
    assert_eq!(accept(&a.identity, &a.keys, &message, Trust::OnFirstUse), AcceptError::Rejected);
    let mut forged = message.as_bytes().to_vec();
    let at = forged.len() - 8;
    forged[at] ^= 1;
    let forged = Ciphertext::from_parts(MessageKind::PreKey, &forged).unwrap();
    assert_eq!(accept(&b.identity, &b.keys, &forged, Trust::Pinned(&pinned)), AcceptError::Rejected);
    let gone = PreKeys::generate(&b.identity, rng);
    assert_eq!(accept(&b.identity, &gone, &message, Trust::OnFirstUse), AcceptError::UnknownPreKey);
    assert!(Session::accept(&b.identity, &b.keys, &message, Trust::Pinned(&a.identity.public())).is_ok());
}

/// S-5.4. A peer with another identity cannot join a session with the old one.
#[test]
fn a_changed_identity_cannot_join_an_existing_session() {
    let (mut a, mut b) = pair();
    let mut stranger = Device::new();
    stranger.initiate(&b, true);
    let message = stranger.write(b"it is me");
    let before = b.image();
    assert_eq!(b.session().decrypt(&message), Err(DecryptError::OpensNewSession));
    let (identity, keys) = (&b.identity, &b.keys);
    let refused = b.session.as_mut().unwrap().accept_reinitiated(identity, keys, &message).map(drop);
    assert_eq!(refused, Err(AcceptError::IdentityMismatch));
    assert_eq!(b.image(), before);
    let more = a.write(b"more");
    assert_eq!(b.read(&more).unwrap(), b"more");
}

/// S-5.3, S-5.4. A message of another pair, or of a state that is already known, changes nothing.
#[test]
fn a_state_is_added_once_and_only_for_this_pair_of_devices() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, false);
    let hello = a.write(b"hello");
    // The store lost the removal: the session itself still knows the state.
    let key = StorageKey::generate(rng);
    let record = b.keys.seal(&key, b"", rng);
    let keys = PreKeys::unseal(&key, b"", &record).unwrap();
    b.read(&hello).unwrap();
    let before = (a.image(), b.image());
    let again = b.session.as_mut().unwrap().accept_reinitiated(&b.identity, &keys, &hello).map(drop);
    assert_eq!(again, Err(AcceptError::Replayed));
    let other = Device::new();
    let taken = b.session.as_mut().unwrap().accept_reinitiated(&other.identity, &other.keys, &hello).map(drop);
    assert_eq!(taken, Err(AcceptError::WrongIdentity));
    let bundle = |of: &Device| of.keys.bundle(&of.identity, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
    let begun = a.session.as_mut().unwrap().reinitiate(&a.identity, &bundle(&other), rng);
    assert_eq!(begun, Err(InitiateError::WrongIdentity));
    let begun = a.session.as_mut().unwrap().reinitiate(&other.identity, &bundle(&b), rng);
    assert_eq!(begun, Err(InitiateError::WrongIdentity));
    assert_eq!((a.image(), b.image()), before);
}

/// S-5.2, S-5.6. A late message of a replaced state is read, and the current state remains the one used for sending.
#[test]
fn a_late_message_of_an_old_state_does_not_disturb_the_new_one() {
    let (mut a, mut b) = pair();
    let late = a.write(b"late");
    let later = a.write(b"later");
    assert_eq!(b.read(&later).unwrap(), b"later");
    // The last of its chain; a newer chain follows.
    let last = a.write(b"last");
    let answer = b.write(b"answer");
    a.read(&answer).unwrap();
    let followed = a.write(b"followed");
    b.read(&followed).unwrap();
    a.initiate(&b, true);
    let renewed = a.write(b"renewed");
    assert_eq!(b.read(&renewed).unwrap(), b"renewed");
    let answer = b.write(b"answer");
    assert_eq!(a.read(&answer).unwrap(), b"answer");
    let current = *b.session().base_key().unwrap();
    for (message, text) in [(&late, b"late"), (&last, b"last")] {
        assert_eq!(b.read(message).unwrap(), text);
        assert_eq!(b.session().base_key(), Some(&current));
    }
    for turn in 0..4_u8 {
        let message = b.write(&[turn]);
        assert_eq!(a.read(&message).unwrap(), [turn]);
        let message = a.write(&[turn]);
        assert_eq!(b.read(&message).unwrap(), [turn]);
    }
    assert_eq!(a.session().base_key(), Some(&current));
}

#[test]
fn a_sealed_session_continues_where_it_was() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = pair();
    let (key, other) = (StorageKey::from_bytes([1; 32]), StorageKey::generate(rng));
    for turn in 0..20_u8 {
        if turn % 3 == 0 {
            a.initiate(&b, turn % 2 == 0);
        }
        let skipped = a.write(b"skipped");
        let message = a.write(&[turn]);
        assert_eq!(b.read(&message).unwrap(), [turn]);
        for device in [&mut a, &mut b] {
            let revision = device.session().revision();
            let sealed = device.session().seal(&key, b"peer", rng).unwrap();
            assert_eq!(sealed.revision(), revision);
            let record = sealed.into_bytes();
            assert_eq!(Session::unseal(&other, b"peer", &record).unwrap_err(), UnsealError::Rejected);
            assert_eq!(Session::unseal(&key, b"other", &record).unwrap_err(), UnsealError::Rejected);
            let before = device.image();
            device.session = Some(Session::unseal(&key, b"peer", &record).unwrap());
            assert_eq!(device.image(), before);
            let keys = device.keys.seal(&key, b"keys", rng);
            device.keys = PreKeys::unseal(&key, b"keys", &keys).unwrap();
            let identity = device.identity.seal(&key, b"identity", rng);
            assert_eq!(identity.len(), 77);
            device.identity = Identity::unseal(&key, b"identity", &identity).unwrap();
        }
        if turn % 2 == 0 {
            assert_eq!(b.read(&skipped).unwrap(), b"skipped");
            let answer = b.write(b"answer");
            assert_eq!(a.read(&answer).unwrap(), b"answer");
        }
    }
}

/// S-6.6
#[test]
fn an_overlong_message_is_not_encrypted() {
    let (mut a, _) = pair();
    let before = a.image();
    let refused = a.session().encrypt(&vec![0; (64 << 20) + 1], &mut rand::rng());
    assert_eq!(refused, Err(EncryptError::TooLong));
    assert_eq!(a.image(), before);
}
