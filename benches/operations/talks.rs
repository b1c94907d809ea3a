//! Operations of conversations with five devices.

use bisik::conversation::{Arrival, DeviceAddress, Recipients};
use bisik_testkit::accounts::{Accounts, At};

use super::{Row, case};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);
const BODY: [u8; 256] = [7; 256];

pub(crate) fn rows() -> Vec<Row> {
    vec![
        (
            "a message to five devices: send and store",
            case(talking, |accounts| _ = accounts.write(ALICE, &BODY, Recipients::All)),
        ),
        ("the same: flush", case(written, flush)),
        (
            "the same: seal after that",
            case(flushed, |accounts| {
                let (device, rng) = (accounts.devices.get_mut(&ALICE).unwrap(), &mut accounts.rng);
                drop(device.conversation.as_mut().unwrap().seal(&mut device.account, &device.key, rng).unwrap());
            }),
        ),
        (
            "the same: receive on one of them",
            case(sent, |(accounts, arrival)| {
                let (device, now) = (accounts.devices.get_mut(&BOB).unwrap(), accounts.now);
                device.conversation.as_mut().unwrap().receive(&mut device.account, arrival, now).remove(0).unwrap();
            }),
        ),
    ]
}

/// Each device of one account has a confirmed session with each of the other, and nothing is due.
fn talking() -> Accounts {
    let mut accounts = Accounts::new(1, [1, 5]);
    for _ in 0..2 {
        for at in accounts.everyone() {
            accounts.send(at, b"halo").unwrap();
        }
        accounts.settle();
    }
    accounts
}

fn written() -> Accounts {
    let mut accounts = talking();
    _ = accounts.write(ALICE, &BODY, Recipients::All).unwrap();
    accounts
}

fn flush(accounts: &mut Accounts) {
    let (device, rng, now) = (accounts.devices.get_mut(&ALICE).unwrap(), &mut accounts.rng, accounts.now);
    _ = device.conversation.as_mut().unwrap().flush(&device.account, &[], now, rng).unwrap();
}

fn flushed() -> Accounts {
    let mut accounts = written();
    flush(&mut accounts);
    accounts
}

fn sent() -> (Accounts, [Arrival; 1]) {
    let mut accounts = talking();
    accounts.send(ALICE, &BODY).unwrap();
    let (.., envelope) = accounts.mail.iter().find(|(to, ..)| *to == BOB).unwrap();
    let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext: envelope.ciphertext.clone() };
    (accounts, [arrival])
}
