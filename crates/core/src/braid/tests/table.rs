//! The table of states, line by line.

use super::faults::{FIRST, KINDS, in_phase};
use super::*;

/// What a part that completes no text does: `None` nothing, otherwise the phase afterwards.
fn expected(phase: Phase, kind: Kind) -> Option<Phase> {
    [
        (Phase::KeysSampled, Kind::Ct1, Phase::HeaderSent),
        (Phase::HeaderSent, Kind::Ct1, Phase::HeaderSent),
        (Phase::Ct1Received, Kind::Ct2, Phase::EkSentCt1Received),
        (Phase::EkSentCt1Received, Kind::Ct2, Phase::EkSentCt1Received),
        (Phase::NoHeaderReceived, Kind::Header, Phase::NoHeaderReceived),
        (Phase::Ct1Sampled, Kind::Vector, Phase::Ct1Sampled),
        (Phase::Ct1Sampled, Kind::VectorAcknowledging, Phase::Ct1Acknowledged),
        (Phase::EkReceivedCt1Sampled, Kind::VectorAcknowledging, Phase::Ct2Sampled),
        (Phase::EkReceivedCt1Sampled, Kind::Acknowledging, Phase::Ct2Sampled),
        (Phase::Ct1Acknowledged, Kind::Vector, Phase::Ct1Acknowledged),
        (Phase::Ct1Acknowledged, Kind::VectorAcknowledging, Phase::Ct1Acknowledged),
    ]
    .into_iter()
    .find_map(|(from, by, to)| ((from, by) == (phase, kind)).then_some(to))
}

#[test]
fn a_part_does_what_the_table_says_and_a_second_time_nothing() {
    for (phase, end) in FIRST {
        for kind in KINDS {
            let mut machine = in_phase(phase, end);
            let before = stored(&machine);
            let part = Part { epoch: 1, kind, number: 40_001, chunk: [9; 32] };
            assert!(receive(&mut machine, &part).is_none());
            let after = stored(&machine);
            let did = (after != before).then(|| machine.phase());
            assert_eq!(did, expected(phase, kind), "{phase:?} {kind:?}");
            receive(&mut machine, &part);
            assert_eq!(stored(&machine), after, "{phase:?} {kind:?} twice");
        }
    }
}

#[test]
fn each_state_writes_the_kind_that_the_table_says() {
    for (phase, end) in FIRST {
        let machine = in_phase(phase, end);
        let sent = machine.send(draw(&machine)).unwrap();
        let kind = match phase {
            Phase::KeysUnsampled | Phase::KeysSampled => Kind::Header,
            Phase::HeaderSent => Kind::Vector,
            Phase::Ct1Received => Kind::VectorAcknowledging,
            Phase::EkSentCt1Received => Kind::Acknowledging,
            Phase::NoHeaderReceived | Phase::Ct1Acknowledged => Kind::None,
            Phase::HeaderReceived | Phase::Ct1Sampled | Phase::EkReceivedCt1Sampled => Kind::Ct1,
            Phase::Ct2Sampled => Kind::Ct2,
        };
        assert_eq!((sent.part.kind, sent.part.epoch), (kind, 1), "{phase:?}");
        assert_eq!(sent.secret.is_some(), phase == Phase::HeaderReceived);
    }
}

/// The owner has all of ct1, and nothing of the vector has arrived.
fn ahead() -> [Braid; 2] {
    let [mut a, mut b] = until::<MlKem768>(0, Phase::HeaderSent, 1);
    while a.phase() != Phase::Ct1Received {
        let (part, _) = send(&mut b);
        receive(&mut a, &part);
    }
    [a, b]
}

#[test]
fn a_late_plain_chunk_counts_after_an_acknowledging_one() {
    let [mut a, mut b] = ahead();
    for count in 1..=36 {
        let (mut part, _) = send(&mut a);
        if count > 1 {
            part.kind = Kind::Vector;
        }
        receive(&mut b, &part);
        assert_eq!(b.phase(), if count < 36 { Phase::Ct1Acknowledged } else { Phase::Ct2Sampled });
    }
}

#[test]
fn an_acknowledgement_counts_although_its_chunk_was_there() {
    let [mut a, mut b] = ahead();
    let (part, _) = send(&mut a);
    receive(&mut b, &Part { kind: Kind::Vector, ..part });
    assert_eq!(b.phase(), Phase::Ct1Sampled);
    receive(&mut b, &part);
    assert_eq!(b.phase(), Phase::Ct1Acknowledged);
}
