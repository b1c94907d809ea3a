//! Wrong texts and wrong epochs.

use super::*;

/// All phases with the end and the epoch in which they come first.
pub(super) const FIRST: [(Phase, usize); 11] = [
    (Phase::KeysUnsampled, 0),
    (Phase::KeysSampled, 0),
    (Phase::HeaderSent, 0),
    (Phase::Ct1Received, 0),
    (Phase::EkSentCt1Received, 0),
    (Phase::NoHeaderReceived, 1),
    (Phase::HeaderReceived, 1),
    (Phase::Ct1Sampled, 1),
    (Phase::EkReceivedCt1Sampled, 1),
    (Phase::Ct1Acknowledged, 1),
    (Phase::Ct2Sampled, 1),
];

pub(super) const KINDS: [Kind; 7] =
    [Kind::None, Kind::Header, Kind::Vector, Kind::VectorAcknowledging, Kind::Acknowledging, Kind::Ct1, Kind::Ct2];

/// An end in a phase. Two of them come only where something was lost.
pub(super) fn in_phase(phase: Phase, end: usize) -> Machine<MlKem768> {
    if phase == Phase::Ct1Acknowledged {
        // Ct1 is known to be whole at the owner before the vector is at the encapsulator.
        let [_, mut b] = until(end, Phase::Ct1Sampled, 1);
        receive(&mut b, &Part { epoch: 1, kind: Kind::VectorAcknowledging, number: 40_000, chunk: [1; 32] });
        return b;
    }
    if phase == Phase::EkReceivedCt1Sampled {
        // The vector is whole while the owner still lacks some of ct1.
        let [mut a, mut b] = until(end, Phase::Ct1Sampled, 1);
        let (part, _) = send(&mut b);
        receive(&mut a, &part);
        while b.phase() == Phase::Ct1Sampled {
            let (part, _) = send(&mut a);
            receive(&mut b, &part);
        }
        return b;
    }
    let [a, b] = until(end, phase, 1);
    if end == 0 { a } else { b }
}

#[test]
fn an_earlier_epoch_changes_nothing_and_a_later_one_is_refused_but_for_the_next_when_it_is_due() {
    for (phase, end) in FIRST {
        let mut machine = in_phase(phase, end);
        assert_eq!(machine.phase(), phase);
        // Later epochs have earlier ones.
        machine.epoch += 4;
        let before = stored(&machine);
        for kind in KINDS {
            let part = |epoch| Part { epoch, kind, number: 2, chunk: [3; 32] };
            for epoch in [1, 4] {
                assert!(machine.permits(epoch));
                receive(&mut machine, &part(epoch));
                assert_eq!(stored(&machine), before);
            }
            for epoch in [0, 6, 7, u32::MAX] {
                if (phase, epoch) == (Phase::Ct2Sampled, 6) {
                    let mut machine = machine.duplicate();
                    assert!(machine.permits(6));
                    assert!(receive(&mut machine, &part(6)).is_none());
                    assert_eq!((machine.phase(), machine.epoch()), (Phase::KeysUnsampled, 6));
                } else {
                    assert!(!machine.permits(epoch));
                    assert!(matches!(machine.receive(&part(epoch)), Err(Refused::Epoch)));
                }
            }
        }
    }
}

/// Sends good parts from `from` to `to`, the first of them spoilt, until a fault comes. Checks that the refusal changes
/// nothing, and returns the machine with the fault's change applied.
fn faulted(mut from: Braid, mut to: Braid, expected: FaultKind) -> [Braid; 2] {
    let (mut part, _) = send(&mut from);
    part.chunk[5] ^= 1;
    loop {
        let before = stored(&to);
        match to.receive(&part) {
            Ok(received) => {
                assert!(received.secret.is_none());
                to.apply(received.change);
            }
            Err(Refused::Faulty(fault)) => {
                assert_eq!((fault.kind, stored(&to)), (expected, before));
                to.apply(fault.forget);
                return [from, to];
            }
            Err(other) => panic!("{other}"),
        }
        part = send(&mut from).0;
    }
}

/// Both ends go on to an epoch.
fn heals(mut a: Braid, mut b: Braid) {
    for _ in 0..300 {
        let (part, _) = send(&mut a);
        receive(&mut b, &part);
        let (part, _) = send(&mut b);
        receive(&mut a, &part);
        if a.epoch() > 2 && b.epoch() > 2 {
            return;
        }
    }
    panic!("{a:?}, {b:?}");
}

#[test]
fn a_spoilt_header_is_a_fault_and_later_chunks_heal_it() {
    let [a, b] = ends();
    let [a, b] = faulted(a, b, FaultKind::Header);
    assert_eq!(b.phase(), Phase::NoHeaderReceived);
    heals(a, b);
}

/// P-5.6
#[test]
fn a_spoilt_vector_is_a_fault_and_later_chunks_heal_it() {
    let [a, b] = until(0, Phase::HeaderSent, 1);
    let [a, b] = faulted(a, b, FaultKind::Vector);
    assert_eq!(b.phase(), Phase::Ct1Sampled);
    heals(a, b);
}

#[test]
fn an_acknowledgement_counts_although_its_chunk_completes_a_spoilt_vector() {
    let [mut a, mut b] = until::<MlKem768>(0, Phase::HeaderSent, 1);
    // The owner has all of ct1; nothing of the vector has arrived.
    while a.phase() != Phase::Ct1Received {
        let (part, _) = send(&mut b);
        receive(&mut a, &part);
    }
    let mut spoilt = send(&mut a).0;
    for _ in 1..36 {
        spoilt.kind = Kind::Vector;
        receive(&mut b, &spoilt);
        spoilt = send(&mut a).0;
        spoilt.chunk[0] ^= 1;
    }
    assert_eq!((spoilt.kind, b.phase()), (Kind::VectorAcknowledging, Phase::Ct1Sampled));
    let Err(Refused::Faulty(fault)) = b.receive(&spoilt) else { panic!("no fault") };
    b.apply(fault.forget);
    assert_eq!(b.phase(), Phase::Ct1Acknowledged);
    let [a, b] = faulted(a, b, FaultKind::Vector);
    assert_eq!(b.phase(), Phase::Ct1Acknowledged);
    heals(a, b);
}

#[test]
fn a_spoilt_second_part_of_a_ciphertext_is_a_fault_and_later_chunks_heal_it() {
    let [a, b] = until(1, Phase::Ct2Sampled, 1);
    let [b, a] = faulted(b, a, FaultKind::Ciphertext);
    assert_eq!(a.phase(), Phase::EkSentCt1Received);
    heals(a, b);
}

#[test]
fn a_spoilt_first_part_of_a_ciphertext_gives_no_secret_that_the_other_end_lacks() {
    let [mut a, mut b] = until::<MlKem768>(1, Phase::Ct1Sampled, 1);
    let (mut part, _) = send(&mut b);
    part.chunk[0] ^= 1;
    receive(&mut a, &part);
    for _ in 0..300 {
        let (part, _) = send(&mut a);
        receive(&mut b, &part);
        let (part, _) = send(&mut b);
        match a.receive(&part) {
            Ok(received) => {
                assert!(received.secret.is_none());
                a.apply(received.change);
            }
            Err(Refused::Faulty(fault)) => {
                assert_eq!(fault.kind, FaultKind::Ciphertext);
                a.apply(fault.forget);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((a.phase(), b.phase()), (Phase::EkSentCt1Received, Phase::Ct2Sampled));
}

#[test]
fn without_a_draw_and_with_the_wrong_one_the_braid_waits() {
    for (phase, end) in [(Phase::KeysUnsampled, 0), (Phase::HeaderReceived, 1)] {
        let mut machine = in_phase(phase, end);
        let before = stored(&machine);
        for wrong in 0..2 {
            let draw = (wrong == 1).then(|| match machine.wants().unwrap() {
                Wants::Seed => Draw::Randomness(Box::new(Secret::new([1; 32]))),
                Wants::Randomness => Draw::Seed(Box::new(Secret::new([1; 64]))),
            });
            let sent = machine.send(draw).unwrap();
            assert_eq!((sent.part.kind, sent.secret.is_none()), (Kind::None, true));
            machine.apply(sent.change);
            assert_eq!(stored(&machine), before);
        }
    }
}

#[test]
fn a_change_that_is_dropped_has_no_effect() {
    for (phase, end) in FIRST {
        let machine = in_phase(phase, end);
        let before = stored(&machine);
        let sent = machine.send(draw(&machine)).unwrap();
        drop(machine.receive(&Part { kind: Kind::Ct1, ..sent.part }));
        assert_eq!(stored(&machine), before);
    }
}
