//! [`Tokens`]: permission for what nobody but the server's word calls for.

use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// Gives four tokens at once, then one after 1, 2, 4, 8 and 16 hours, then one a day. After two days without one it
/// begins anew. Requirement P-10.31.
///
/// A clock that jumps ahead by two days gives four tokens; one that goes back costs one wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    used: u8,
    used_at: Timestamp,
}

impl Tokens {
    pub(super) const fn new() -> Self {
        Self { used: 0, used_at: Timestamp::from_unix_seconds(0) }
    }

    /// Takes a token, if there is one.
    #[must_use]
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        self.used_at = self.used_at.min(now);
        if now >= self.used_at.plus_seconds(FORGET) {
            self.used = 0;
        }
        let wait = WAITS.get(usize::from(self.used)).copied().unwrap_or(LONGEST_WAIT);
        if now < self.used_at.plus_seconds(wait) {
            return false;
        }
        self.used = self.used.saturating_add(1);
        self.used_at = now;
        true
    }

    pub(super) fn encode(&self, writer: &mut SecretWriter) {
        let Self { used, used_at } = self;
        writer.u8(*used).u64(used_at.as_unix_seconds());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { used: reader.u8()?, used_at: Timestamp::from_unix_seconds(reader.u64()?) })
    }
}

/// Seconds before each of the first nine tokens.
const WAITS: [u64; 9] = [0, 0, 0, 0, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR];
/// Seconds before any further token.
const LONGEST_WAIT: u64 = 24 * HOUR;
/// Seconds without a token after which it begins anew.
const FORGET: u64 = 48 * HOUR;
const HOUR: u64 = 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// P-10.31.
    #[test]
    fn a_lie_each_minute_gets_four_tokens_and_then_one_a_day() {
        let (mut tokens, start) = (Tokens::new(), 1_800_000_000);
        let minutes = (0..10 * 24 * 60).map(|minute| start + 60 * minute);
        let given: Vec<u64> = minutes.filter(|now| tokens.take(Timestamp::from_unix_seconds(*now))).collect();
        let hours: Vec<u64> = given.iter().map(|at| (at - start) / HOUR).collect();
        assert_eq!(hours, [0, 0, 0, 0, 1, 3, 7, 15, 31, 55, 79, 103, 127, 151, 175, 199, 223]);
    }

    /// P-10.31. A clock that was wrong neither stops it for longer than one wait nor opens it.
    #[test]
    fn a_clock_that_jumps_costs_one_wait_or_gives_four_tokens() {
        let (mut tokens, now) = (Tokens::new(), Timestamp::from_unix_seconds(1_800_000_000));
        let all = |tokens: &mut Tokens, now| (0..100).filter(|_| tokens.take(now)).count();
        assert_eq!(all(&mut tokens, now.plus_seconds(400 * 24 * HOUR)), 4, "a year ahead");
        assert_eq!(all(&mut tokens, now), 0);
        assert_eq!(all(&mut tokens, now.plus_seconds(HOUR)), 1);
        assert_eq!(all(&mut tokens, now.plus_seconds(49 * HOUR)), 4);
    }
}
