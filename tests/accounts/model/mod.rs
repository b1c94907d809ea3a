//! Conversations beside a reference that has no cryptography: under random scripts both deliver, report and show the same.
//!
//! Does not know how: what a message, an acknowledgement and a label come to is in `reference.rs`.

mod both;
mod reference;

use both::Both;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// What can happen. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    SendAndCrash(u8),
    Deliver(u16),
    DeliverTwice(u16),
    Lose(u16),
    Forge { mail: u16, at: u16, ask: bool },
    Misattribute(u16),
    Flush(u8),
    Crash(u8),
    Learn(u8),
    Join(bool),
    Leave(bool, u8),
    Host,
    Decide { device: u8, strict: bool },
    BackUp(u8),
    Restore(u8),
}

/// Steps after which everything can be foretold.
fn foretold() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u8>().prop_map(Step::Send),
        1 => any::<u8>().prop_map(Step::SendAndCrash),
        24 => any::<u16>().prop_map(Step::Deliver),
        2 => any::<u16>().prop_map(Step::DeliverTwice),
        1 => any::<u16>().prop_map(Step::Lose),
        2 => any::<(u16, u16, bool)>().prop_map(|(mail, at, ask)| Step::Forge { mail, at, ask }),
        1 => any::<u16>().prop_map(Step::Misattribute),
        6 => any::<u8>().prop_map(Step::Flush),
        2 => any::<u8>().prop_map(Step::Crash),
        3 => any::<u8>().prop_map(Step::Learn),
        1 => any::<bool>().prop_map(Step::Join),
        1 => any::<(bool, u8)>().prop_map(|(who, number)| Step::Leave(who, number)),
        1 => Just(Step::Host),
        3 => any::<(u8, bool)>().prop_map(|(device, strict)| Step::Decide { device, strict }),
    ]
}

/// The same, with devices that go back in time, and nobody hosted: a decision that such a device forgets is not foretold.
fn disturbed() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => foretold().prop_filter("nobody is hosted", |step| !matches!(step, Step::Host)),
        1 => any::<u8>().prop_map(Step::BackUp),
        1 => any::<u8>().prop_map(Step::Restore),
    ]
}

fn play(both: &mut Both, step: Step) {
    both.accounts.now = both.accounts.now.plus_seconds(2);
    let mail = |both: &Both, number: u16| {
        (!both.accounts.mail.is_empty()).then(|| usize::from(number) % both.accounts.mail.len())
    };
    match step {
        Step::Send(number) => drop(both.send(both.pick(number))),
        Step::SendAndCrash(number) => both.send_and_crash(both.pick(number)),
        Step::Deliver(number) => {
            let Some(at) = mail(both, number) else { return };
            let mail = both.accounts.mail.remove(at).unwrap();
            both.deliver(&mail);
        }
        Step::DeliverTwice(number) => {
            let Some(at) = mail(both, number) else { return };
            let mail = both.accounts.mail[at].clone();
            both.deliver(&mail);
        }
        Step::Lose(number) => drop(mail(both, number).map(|at| both.accounts.mail.remove(at))),
        Step::Forge { mail: number, at: position, ask } => {
            let Some(at) = mail(both, number) else { return };
            let mail = both.accounts.mail[at].clone();
            both.forge(&mail, position, ask);
        }
        Step::Misattribute(number) => {
            let Some(at) = mail(both, number) else { return };
            let mail = both.accounts.mail[at].clone();
            both.misattribute(&mail);
        }
        Step::Flush(number) => both.flush(both.pick(number)),
        Step::Crash(number) => both.crash(both.pick(number)),
        Step::Learn(number) => both.learn(both.pick(number)),
        Step::Join(who) => both.join(usize::from(who)),
        Step::Leave(who, number) => both.leave(usize::from(who), number),
        Step::Host => both.host(),
        Step::Decide { device, strict } => both.decide(both.pick(device), strict),
        Step::BackUp(number) => both.back_up(both.pick(number)),
        Step::Restore(number) => both.restore(both.pick(number)),
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    /// P-12.2 to P-12.10, P-12.12 to P-12.15: after every step, messages shown, events, labels and what is owed are
    /// those of the reference.
    #[test]
    fn conversations_and_the_reference_say_the_same_after_every_step(
        seed in any::<u64>(),
        sizes in (1_u32..3, 1_u32..3),
        steps in prop::collection::vec(foretold(), 1..90),
    ) {
        let mut both = Both::new(seed, sizes.into());
        for step in steps {
            play(&mut both, step);
        }
        both.settle();
    }

    /// P-12.8, P-12.10: whatever devices forget, nothing is shown twice or invented, and an hour later all of them read
    /// everything again.
    #[test]
    fn devices_that_go_back_in_time_heal(
        seed in any::<u64>(),
        sizes in (1_u32..3, 1_u32..3),
        steps in prop::collection::vec(disturbed(), 1..90),
    ) {
        let mut both = Both::new(seed, sizes.into());
        for step in steps {
            play(&mut both, step);
        }
        both.settle();
        for _ in 0..2 {
            both.accounts.now = both.accounts.now.plus_seconds(2 * 60 * 60);
            for at in both.accounts.everyone() {
                let id = both.send(at).unwrap();
                both.settle();
                prop_assert_eq!(both.readers(id), both.others(at));
            }
        }
    }
}
