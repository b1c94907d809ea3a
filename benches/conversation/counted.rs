//! What is counted: frames in a network without faults, and bytes that are stored.

use bisik::conversation::{Arrival, Change, DeviceAddress, RecordName};
use bisik_testkit::accounts::{Accounts, At, Device};

use crate::support::report::{Aim, Report, Row};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);

pub(crate) fn print(measured: bool, report: &mut Report) {
    let mut rows = Vec::new();
    let messages = if measured { 400 } else { 16 };
    for size in [1, 3] {
        for (way, writers) in [("one way", [ALICE, ALICE]), ("both ways", [ALICE, BOB])] {
            let frames = format!("{:.3}", frames_per_message(size, writers, messages));
            let title = format!("frames per message and device, {size}+{size} devices, {way}");
            rows.push(Row::new(title, vec![frames], Aim::AtMost(1.15)));
        }
    }
    for devices in if measured { [1, 5, 31].as_slice() } else { &[1] } {
        let bytes = stored(&talking([1, *devices]), ALICE).to_string();
        rows.push(Row::new(format!("bytes of an idle conversation with {devices}"), vec![bytes], Aim::None));
    }
    let devices = if measured { 20 } else { 2 };
    let title = format!("bytes stored for one acknowledgement, of {devices} devices");
    rows.push(Row::new(title, vec![acknowledgement(devices).to_string()], Aim::AtMost(4_096.0)));
    report.table("Frames and bytes of conversations", &["what", "count"], &rows);
}

/// Two accounts of whose devices each has a confirmed session with each other one, and with nothing in flight or due.
pub(crate) fn talking(sizes: [u32; 2]) -> Accounts {
    let mut accounts = Accounts::new(1, sizes);
    for _ in 0..2 {
        for at in accounts.everyone() {
            if at == ALICE || at.0 == BOB.0 {
                accounts.send(at, b"halo").unwrap();
            }
        }
        accounts.settle();
    }
    accounts.settle();
    let conversations = accounts.devices.values().filter_map(|device| device.conversation.as_ref());
    assert!(conversations.into_iter().all(|one| one.unacknowledged_messages() == 0), "everything was acknowledged");
    assert!(accounts.mail.is_empty());
    accounts
}

/// Delivers and posts what is due at this moment, and returns how many frames that took.
fn settle_now(accounts: &mut Accounts) -> usize {
    let mut frames = 0;
    loop {
        while let Some((to, from, envelope)) = accounts.mail.pop_front() {
            frames += 1;
            accounts.deliver(to, from, &envelope).unwrap();
        }
        for at in accounts.everyone() {
            accounts.flush(at);
        }
        if accounts.mail.is_empty() {
            return frames;
        }
    }
}

/// A message every 20 seconds, and everything that follows from it, until everything is acknowledged.
fn frames_per_message(size: u32, writers: [At; 2], messages: usize) -> f64 {
    let mut accounts = talking([size, size]);
    let mut frames = 0;
    for number in 0..messages {
        let next = accounts.now.plus_seconds(20);
        while let Some(due) = accounts.next_due().filter(|due| *due <= next) {
            accounts.now = accounts.now.max(due);
            frames += settle_now(&mut accounts);
        }
        accounts.now = next;
        accounts.send(writers[number % 2], b"apa kabar?").unwrap();
        frames += settle_now(&mut accounts);
    }
    while let Some(due) = accounts.next_due() {
        accounts.now = accounts.now.max(due);
        frames += settle_now(&mut accounts);
    }
    let devices = 2 * size as usize - 1;
    frames as f64 / (messages * devices) as f64
}

/// Bytes of everything that a device stores of its conversation.
fn stored(accounts: &Accounts, at: At) -> usize {
    let Device { database, blocks, .. } = &accounts.devices[&at];
    let heads = database.iter().filter(|(name, _)| **name != RecordName::Account).map(|(_, (_, bytes))| bytes.len());
    heads.chain(blocks.values().map(Vec::len)).sum()
}

/// Bytes of everything that is stored when one device of so many acknowledges one message.
fn acknowledgement(devices: u32) -> usize {
    let mut accounts = talking([1, devices]);
    accounts.send(ALICE, b"apa kabar?").unwrap();
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        accounts.deliver(to, from, &envelope).unwrap();
    }
    accounts.now = accounts.next_due().unwrap();
    accounts.flush(BOB);
    let (_, from, envelope) = accounts.mail.pop_front().unwrap();
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    let before = device.conversation.as_ref().unwrap().unacknowledged_messages();
    let from = DeviceAddress::peer(from.1);
    let arrival = Arrival { from, ciphertext: envelope.ciphertext };
    let conversation = device.conversation.as_mut().unwrap();
    conversation.receive(&mut device.account, &[arrival], accounts.now).remove(0).unwrap();
    assert_eq!(conversation.unacknowledged_messages(), before, "the other devices have not acknowledged it");
    let changes = conversation.seal(&mut device.account, &device.key, &mut accounts.rng).unwrap();
    let bytes = |change: Change<'_>| match change {
        Change::Put(block) => block.as_bytes().len(),
        Change::Record(record) => record.bytes.len(),
        Change::Delete(_) | Change::Remove(_) => 0,
    };
    changes.writes().map(bytes).sum()
}
