//! Stored forms.

use super::faults::{FIRST, in_phase};
use super::*;

#[test]
fn every_state_is_read_as_it_was_written_and_no_part_of_it_is() {
    for (phase, end) in FIRST {
        let machine = in_phase(phase, end);
        let bytes = stored(&machine);
        let again = restored::<MlKem768>(&NATIVE, end == 0, &bytes).unwrap();
        assert_eq!((again.phase(), again.epoch(), stored(&again)), (phase, 1, bytes.clone()));
        for length in 0..bytes.len() {
            assert!(restored::<MlKem768>(&NATIVE, end == 0, &bytes[..length]).is_none(), "{phase:?} {length}");
        }
        assert!(restored::<MlKem768>(&NATIVE, end == 0, &[&bytes[..], &[0]].concat()).is_none());
        assert_eq!(stored(&machine.duplicate()), bytes);
    }
}

#[test]
fn states_of_no_braid_are_refused() {
    let refused = |end: usize, bytes: &[u8]| restored::<MlKem768>(&NATIVE, end == 0, bytes).is_none();
    for (phase, end) in FIRST {
        let bytes = stored(&in_phase(phase, end));
        assert!(refused(1 - end, &bytes), "{phase:?} at the other end");
        let changed = |at: usize, to: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = to;
            bytes
        };
        assert!(refused(end, &changed(0, 11)), "a state without a name");
        assert!(refused(end, &changed(4, 0)), "epoch 0");
        assert!(refused(end, &changed(4, 2)), "an epoch of the peer's");
        assert!(!refused(end, &changed(4, 3)));
    }
    // Long text: number 2, then the count of chunks ahead, which is 6.
    let bytes = stored(&in_phase(Phase::Ct1Received, 0));
    let next = usize::from(bytes[134]);
    assert_eq!(usize::from(bytes[135]), (8 - next % 8) % 8);
    for count in (0..=255).filter(|count| *count != bytes[135]) {
        let mut bytes = bytes.clone();
        bytes[135] = count;
        assert!(refused(0, &bytes), "{count} chunks ahead");
    }
}

#[test]
fn decoders_that_are_full_or_out_of_order_are_refused() {
    let start = stored(&in_phase(Phase::NoHeaderReceived, 1))[..69].to_vec();
    let read = |bitmap: u8, numbers: &[u16], chunks: usize| {
        let mut bytes = start.clone();
        bytes.push(bitmap);
        bytes.push(u8::try_from(numbers.len()).unwrap());
        bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend(vec![5; 32 * chunks]);
        restored::<MlKem768>(&NATIVE, false, &bytes).map(|machine| {
            assert_eq!(stored(&machine), bytes);
        })
    };
    assert!(read(0, &[], 0).is_some());
    assert!(read(0b1010_0000, &[], 2).is_some());
    assert!(read(0b0100_0000, &[3], 2).is_some());
    assert!(read(0, &[3, u16::MAX], 2).is_some());
    assert!(read(0b1110_0000, &[], 3).is_none(), "full");
    assert!(read(0b1100_0000, &[9], 3).is_none(), "full");
    assert!(read(0b0001_0000, &[], 1).is_none(), "a bit of no block");
    assert!(read(0, &[2], 1).is_none(), "a block's number outside the bitmap");
    assert!(read(0, &[4, 3], 2).is_none(), "descending");
    assert!(read(0, &[4, 4], 2).is_none(), "twice");
}

#[test]
fn the_longest_state_has_the_length_that_is_documented() {
    let mut machine = in_phase(Phase::Ct1Sampled, 1);
    let full = |number| Part { epoch: 1, kind: Kind::Vector, number, chunk: [8; 32] };
    let State::Ct1Sampled(of) = &mut machine.state else { panic!("another state") };
    let vector = &mut of.vector;
    vector.clear();
    for number in 0..35 {
        receive(&mut machine, &full(1_000 + number));
    }
    let mut longest = 0;
    for _ in 0..16 {
        send(&mut machine);
        longest = longest.max(stored(&machine).len());
    }
    assert_eq!(longest, MAX_STORED);
}

/// Equal histories in another order, and with restarts between, are equal bytes.
#[test]
fn equal_states_have_equal_bytes() {
    let mut a = in_phase(Phase::Ct1Sampled, 1);
    let mut b = a.duplicate();
    for number in [3, 900, 7, 80] {
        receive(&mut a, &Part { epoch: 1, kind: Kind::Vector, number, chunk: [1; 32] });
    }
    for number in [80, 7, 900, 3, 3] {
        receive(&mut b, &Part { epoch: 1, kind: Kind::Vector, number, chunk: [1; 32] });
        b = restored(&NATIVE, false, &stored(&b)).unwrap();
    }
    for _ in 0..20 {
        let sent = [send(&mut a).0, send(&mut b).0];
        assert_eq!((sent[0], stored(&a)), (sent[1], stored(&b)));
        b = restored(&NATIVE, false, &stored(&b)).unwrap();
    }
}
