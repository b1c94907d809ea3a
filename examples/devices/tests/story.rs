//! The program tells the story that it promises: everything arrives once, on every device.

use std::process::Command;

#[test]
fn every_device_shows_every_message_once() {
    let run = Command::new(env!("CARGO_BIN_EXE_devices")).output().unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{told}{}", String::from_utf8_lossy(&run.stderr));
    let shown: Vec<_> = told.lines().filter(|line| line.contains(" shows, ")).collect();
    let expected = [
        "Bob's phone shows, from device 0: halo Bob (unconfirmed: nothing proves yet who wrote it)",
        "Alice's phone shows, from device 0: hai Alice",
        "Alice's phone shows, from device 0: where are you?",
        "Alice's laptop shows, from device 0: where are you? (unconfirmed: nothing proves yet who wrote it)",
        "Alice's phone shows, from device 1: at my desk (what she wrote there)",
        "Bob's phone shows, from device 1: at my desk",
    ];
    for line in expected {
        assert_eq!(shown.iter().filter(|shown| **shown == line).count(), 1, "{line}\n{told}");
    }
    assert_eq!(shown.len(), expected.len(), "{told}");
    let compared = told.lines().find(|line| line.starts_with("Alice compares")).unwrap();
    let (laptop, phone) = compared.split_once(" on the laptop with ").unwrap();
    assert_eq!(laptop.trim_start_matches("Alice compares "), phone.trim_end_matches('.'), "{compared}");
}
