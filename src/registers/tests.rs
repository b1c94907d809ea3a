//! What holds at a device, whatever arrives, in whatever order.

use alloc::vec;
use alloc::vec::Vec;

use super::Registers;
use super::error::RegisterError;
use super::key::{Mark, Pin, RegisterKey};
use super::limits::{self, BYTES, DAY, KEPT_ABSENT, VALUE};
use super::merge::{self, Register, latest};
use super::write::Took;
use crate::account::Account;
use crate::device::DeviceTerms;
use crate::group::GroupId;
use bisik_core::time::Timestamp;
use zeroize::Zeroizing;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn at_a_device(account: &Account, writes: &[&(RegisterKey, Register)]) -> Vec<(RegisterKey, Register)> {
    let mut registers = Registers::new(account).unwrap();
    for (key, register) in writes {
        assert!(registers.take(key.clone(), register.clone(), NOW) != Took::Refused);
    }
    registers.registers.into_iter().collect()
}

/// P-17.1, P-17.2. Every order of every three writes, doubles among them, for each kind with a rule of its own.
#[test]
fn devices_agree_whatever_order_writes_arrive_in() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let mark = |what| Mark::Verified { what }.to_bytes().to_vec();
    let changed = Pin::Changed(*account.key()).to_bytes().to_vec();
    let kinds = [
        (RegisterKey::setting("theme").unwrap(), vec![None, Some(vec![]), Some(vec![7])]),
        (RegisterKey::read_mark(&[1; 16]).unwrap(), vec![Some(vec![0; 8]), Some(vec![9; 8])]),
        (
            RegisterKey::verified(account.key()),
            vec![None, Some(mark([1; 32])), Some(mark([2; 32])), Some(Mark::NotVerified.to_bytes().to_vec())],
        ),
        (RegisterKey::blocked(account.key()), vec![None, Some(vec![0]), Some(vec![1])]),
        (
            RegisterKey::pinned("budi").unwrap(),
            vec![None, Some(Pin::Known(*account.key()).to_bytes().to_vec()), Some(changed.clone())],
        ),
        (
            RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key()),
            [(1, true), (1, false), (2, true)]
                .map(|(version, included)| Some(RegisterKey::member(version, included).to_vec()))
                .to_vec(),
        ),
    ];
    let counter = merge::counter_at(NOW);
    for (key, values) in kinds {
        let mut writes = Vec::new();
        for value in values {
            for (later, device) in [(0, 0), (0, 1), (1, 0)] {
                let value = value.clone().map(Zeroizing::new);
                writes.push((key.clone(), Register { counter: counter + later, device, value }));
            }
        }
        for one in &writes {
            for two in &writes {
                for three in &writes {
                    let ends = [[one, two, three], [two, three, one], [three, one, two], [three, two, one]]
                        .map(|order| at_a_device(&account, &order));
                    assert!(ends.iter().all(|end| *end == ends[0]), "kind {}", key.kind);
                    assert!(at_a_device(&account, &[one, one, two, one, three]) == ends[0], "doubles");
                }
            }
        }
    }
}

/// P-17.1. What is safer holds where two devices wrote at once.
#[test]
fn of_two_writes_at_once_the_safer_one_holds() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let counter = merge::counter_at(NOW);
    let both = |key: RegisterKey, safer: Option<Vec<u8>>, other: Vec<u8>| {
        // The other one is of the greater device.
        let safer = (key.clone(), Register { counter, device: 0, value: safer.map(Zeroizing::new) });
        let other = (key, Register { counter, device: 9, value: Some(Zeroizing::new(other)) });
        at_a_device(&account, &[&safer, &other]) == [safer]
    };
    let verified = Mark::Verified { what: [7; 32] }.to_bytes().to_vec();
    assert!(both(RegisterKey::verified(account.key()), Some(Mark::NotVerified.to_bytes().to_vec()), verified.clone()));
    assert!(both(RegisterKey::verified(account.key()), None, verified));
    assert!(both(RegisterKey::blocked(account.key()), Some(vec![1]), vec![0]));
    let (known, changed) = (Pin::Known(*account.key()).to_bytes(), Pin::Changed(*account.key()).to_bytes());
    let pinned = RegisterKey::pinned("budi").unwrap();
    assert!(both(pinned.clone(), Some(changed.to_vec()), known.to_vec()));
    assert!(both(pinned, None, known.to_vec()));
    let position = |position| RegisterKey::position(position).to_vec();
    assert!(both(RegisterKey::read_mark(&[1; 16]).unwrap(), Some(position(9)), position(8)), "the further one");
    let member = RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key());
    let word = |version, included| RegisterKey::member(version, included).to_vec();
    assert!(both(member.clone(), Some(word(4, false)), word(4, true)));
    assert!(both(member, Some(word(5, true)), word(4, true)), "an older word does not come back");
}

/// P-17.2. Whatever a thief has written, the user brings it back, and the other devices follow.
#[test]
fn a_thief_moves_no_read_mark_and_no_audience_for_good() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let [mut here, mut there] = [(); 2].map(|()| Registers::new(&account).unwrap());
    let by = |device, counter, value: &[u8]| Register { counter, device, value: Some(Zeroizing::new(value.to_vec())) };
    let place = RegisterKey::read_mark(&[1; 16]).unwrap();
    assert_eq!(here.set(&account, &place, Some(&RegisterKey::position(5)), NOW), Ok(true));
    let last = latest(NOW) - 1;
    for registers in [&mut here, &mut there] {
        assert!(registers.take(place.clone(), by(9, latest(NOW), &[0xff; 8]), NOW) == Took::Refused);
        assert!(registers.take(place.clone(), by(9, u64::MAX, &[0xff; 8]), NOW) == Took::Refused);
        assert!(registers.take(place.clone(), by(9, last, &[0xff; 8]), NOW) == Took::Holds);
    }
    assert_eq!(here.set(&account, &place, Some(&RegisterKey::position(6)), NOW), Ok(false), "it is not beyond");
    assert_eq!(here.set_back(&account, &place, 6, NOW), Ok(true));
    assert_eq!((here.read_to(&[1; 16]), there.read_to(&[1; 16])), (Some(6), Some(u64::MAX)));
    let set_back = here.registers[&place].clone();
    let soon = NOW.plus_seconds(1);
    assert!(there.take(place.clone(), set_back, soon) == Took::Holds);
    assert_eq!(there.set(&account, &place, Some(&RegisterKey::position(7)), soon), Ok(true), "and goes on");

    let member = RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key());
    for version in [u64::MAX, latest(NOW)] {
        let word = RegisterKey::member(version, false);
        assert!(there.take(member.clone(), by(9, last, &word), NOW) == Took::Refused);
        let far = RegisterKey::member(version.saturating_add(1 << 40), false);
        assert_eq!(there.set(&account, &member, Some(&far), NOW), Err(RegisterError::WrongValue));
    }
    assert!(there.take(member.clone(), by(9, last, &RegisterKey::member(last, true)), NOW) == Took::Holds);
    let word = RegisterKey::member(last + 1, false);
    assert_eq!(there.set(&account, &member, Some(&word), NOW), Ok(true));
    let written = there.registers[&member].clone();
    assert!(here.take(member, written, soon) == Took::Holds, "a second later");
}

/// P-17.2. A clock that was days ahead costs no write of its user; one that is behind changes nothing.
#[test]
fn what_was_written_while_the_clock_was_ahead_is_written_again_when_it_is_right() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let mut registers = Registers::new(&account).unwrap();
    let blocked = RegisterKey::blocked(account.key());
    let ahead = NOW.plus_seconds(20 * DAY);
    assert_eq!(registers.set(&account, &blocked, Some(&[1]), ahead), Ok(true));
    assert!(registers.registers[&blocked].is_late(&blocked, NOW));
    // An older write of another device arrives once the clock is right.
    registers.date_again(&account, 0, NOW);
    let older = Register { counter: merge::counter_at(NOW) - 1, device: 3, value: Some(Zeroizing::new(vec![0])) };
    assert!(registers.take(blocked.clone(), older, NOW) == Took::Old);
    assert!(registers.is_blocked(account.key()) && registers.unsent.contains(&blocked));
    // A battery that was empty: the clock is decades behind, and then right again.
    let counter = registers.registers[&blocked].counter;
    registers.date_again(&account, 0, Timestamp::from_unix_seconds(1_000));
    assert_eq!(registers.registers[&blocked].counter, counter);
    // What another device has written is not this one's to write again.
    let theme = RegisterKey::setting("theme").unwrap();
    let of_another = Register { counter: latest(ahead) - 1, device: 3, value: None };
    assert!(registers.take(theme.clone(), of_another.clone(), ahead) == Took::Holds);
    registers.date_again(&account, 0, NOW);
    assert!(registers.registers[&theme] == of_another);
}

/// P-17.8
#[test]
fn a_full_store_refuses_more_and_takes_changes() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let mut registers = Registers::new(&account).unwrap();
    let value = vec![7; VALUE];
    let key = |number: usize| RegisterKey::of_program(200, &number.to_be_bytes()).unwrap();
    let most = BYTES / (VALUE + 8 + limits::EACH);
    for number in 0..most {
        assert_eq!(registers.set(&account, &key(number), Some(&value), NOW), Ok(true));
    }
    assert_eq!(registers.set(&account, &key(most), Some(&value), NOW), Err(RegisterError::Full));
    assert_eq!(registers.set(&account, &key(0), Some(b"short"), NOW), Ok(true));
    assert_eq!(registers.set(&account, &key(0), Some(&[&value[..], &[0]].concat()), NOW), Err(RegisterError::TooLong));
    let from_others = Register { counter: merge::counter_at(NOW) + 9, device: 1, value: Some(Zeroizing::new(value)) };
    assert!(registers.take(key(most + 1), from_others.clone(), NOW) == Took::Holds, "there is room again");
    assert!(registers.take(key(most + 2), from_others, NOW) == Took::Refused);
    registers.set(&account, &key(1), None, NOW).unwrap();
    registers.forget(NOW.plus_seconds(KEPT_ABSENT));
    assert_eq!(registers.registers.len(), most);
    let bytes = registers.registers.iter().map(|(key, register)| register.size(key)).sum::<usize>();
    assert_eq!(registers.bytes, bytes, "what is counted is what is there");
}

/// P-17.2. A write that is refused changes nothing, also where others wait to be dated again.
#[test]
fn a_refused_write_leaves_the_registers_as_they_were() {
    let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
    let mut registers = Registers::new(&account).unwrap();
    let theme = RegisterKey::setting("theme").unwrap();
    registers.set(&account, &theme, Some(b"dark"), NOW.plus_seconds(20 * DAY)).unwrap();
    let (revision, counter) = (registers.revision(), registers.registers[&theme].counter);
    let member = RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key());
    let far = RegisterKey::member(u64::MAX, true);
    assert_eq!(registers.set(&account, &member, Some(&far), NOW), Err(RegisterError::WrongValue));
    assert_eq!((registers.revision(), registers.registers[&theme].counter), (revision, counter));
}
