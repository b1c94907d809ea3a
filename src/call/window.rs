//! [`Window`]: the counters received under one key (RFC 3711, section 3.3.2).

/// How far the counter of a late frame may be behind the highest one: twenty seconds of audio, and more reordering than
/// any network causes. The window takes 128 bytes for each key.
pub(crate) const WINDOW: u64 = 1024;

/// Why a counter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotNew {
    Received,
    TooLate,
}

/// The highest counter, and one bit for each of the last [`WINDOW`] counters.
pub(super) struct Window {
    highest: Option<u64>,
    bits: [u64; WORDS],
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { highest: None, bits: [0; WORDS] }
    }

    /// P-9.13: returns whether a frame with this counter may be decrypted. Changes nothing.
    pub(super) fn check(&self, counter: u64) -> Result<(), NotNew> {
        let Some(behind) = self.highest.and_then(|highest| highest.checked_sub(counter)) else { return Ok(()) };
        let (word, mask) = place(counter);
        if behind >= WINDOW {
            Err(NotNew::TooLate)
        } else if self.bits.get(word).is_some_and(|bits| bits & mask != 0) {
            Err(NotNew::Received)
        } else {
            Ok(())
        }
    }

    /// Records a counter that [`Window::check`] allowed, after its frame has verified.
    pub(super) fn insert(&mut self, counter: u64) {
        match self.highest {
            Some(highest) if counter <= highest => {}
            Some(highest) if counter.wrapping_sub(highest) < WINDOW => {
                for passed in highest.saturating_add(1)..counter {
                    let (word, mask) = place(passed);
                    self.bits.get_mut(word).into_iter().for_each(|bits| *bits &= !mask);
                }
                self.highest = Some(counter);
            }
            Some(_) | None => *self = Self { highest: Some(counter), bits: [0; WORDS] },
        }
        let (word, mask) = place(counter);
        self.bits.get_mut(word).into_iter().for_each(|bits| *bits |= mask);
    }
}

/// Position of a counter's bit: the word, and the mask in it.
fn place(counter: u64) -> (usize, u64) {
    let [.., high, low] = counter.to_be_bytes();
    let bit = u16::from_be_bytes([high, low]) % 1024;
    (usize::from(bit / 64), 1 << (bit % 64))
}

/// Number of 64-bit words.
const WORDS: usize = 1024 / 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects)]

    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_last_counter_are_counters_too() {
        let mut window = Window::new();
        assert_eq!(window.check(0), Ok(()));
        window.insert(0);
        assert_eq!(window.check(0), Err(NotNew::Received));
        window.insert(u64::MAX);
        assert_eq!(window.check(u64::MAX), Err(NotNew::Received));
        assert_eq!(window.check(u64::MAX - WINDOW + 1), Ok(()));
        assert_eq!(window.check(u64::MAX - WINDOW), Err(NotNew::TooLate));
    }

    proptest! {
        /// P-9.13: against a set of all received counters.
        #[test]
        fn the_window_is_the_set_of_what_was_received(
            steps in proptest::collection::vec((any::<bool>(), 0..3000_u64), 1..200)
        ) {
            let (mut window, mut received, mut highest) = (Window::new(), BTreeSet::new(), 0_u64);
            for (forward, distance) in steps {
                // Mostly small distances; uniform ones would rarely repeat a counter.
                let distance = if distance % 3 == 0 { distance } else { distance % 40 };
                let counter = if forward { highest + distance } else { highest.saturating_sub(distance) };
                let expected = if received.contains(&counter) && highest - counter < WINDOW {
                    Err(NotNew::Received)
                } else if counter + WINDOW <= highest {
                    Err(NotNew::TooLate)
                } else {
                    Ok(())
                };
                prop_assert_eq!(window.check(counter), expected);
                if expected.is_ok() {
                    window.insert(counter);
                    received.insert(counter);
                    highest = highest.max(counter);
                }
            }
        }
    }
}
