//! Reactions to what nobody authenticated: few, then slower (docs/spec/conversations.md, section 12.7).

use super::limits::{REFUND, TOKENS_RETURN, wait_after};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::{self, Timestamp};

/// Whether something arrived from a device that nothing here can read, and how often this side has reacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Something arrived that does not decrypt. One bit: many are one.
    pub(super) raised: bool,
    used: u8,
    used_at: Option<Timestamp>,
    /// The newest ask, as long as the answer to it says something.
    pub(super) ask: Option<[u8; 4]>,
    /// The ask is to be made in a session of one's own too.
    pub(super) wants_session: bool,
}

impl Doubt {
    /// P-12.47: takes the permission for one reaction. A moment from the future counts as now.
    pub(super) fn take_token(&mut self, now: Timestamp) -> bool {
        let since = self.used_at.map_or(now, |at| at.min(now));
        self.used_at = self.used_at.map(|_| since);
        if self.used > 0 && since.plus_seconds(TOKENS_RETURN) <= now {
            self.used = 0;
        }
        if self.used > 0 && now < since.plus_seconds(wait_after(self.used)) {
            return false;
        }
        self.used = self.used.saturating_add(1);
        self.used_at = Some(now);
        true
    }

    /// Whether the clock went back, so that a flush has to [notice](Self::notice) it.
    pub(super) fn is_ahead(&self, now: Timestamp) -> bool {
        self.used > 0 && self.used_at.is_some_and(|at| at > now)
    }

    /// P-12.47: a moment from the future counts as now, from the next flush on.
    pub(super) fn notice(&mut self, now: Timestamp) {
        self.used_at = self.used_at.map(|at| at.min(now));
    }

    /// When there is a token again.
    pub(super) fn token_at(&self, now: Timestamp) -> Timestamp {
        let since = self.used_at.map_or(now, |at| at.min(now));
        if self.used == 0 { now } else { since.plus_seconds(wait_after(self.used)) }
    }

    /// P-12.47: both sides took part in a new session.
    pub(super) fn resolved(&mut self) {
        self.wants_session = false;
        self.used = self.used.min(REFUND);
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { raised, used, used_at, ask, wants_session } = self;
        writer.flag(*raised).u8(*used).u64(time::to_seconds(*used_at)).flag(*wants_session);
        write_ask(*ask, writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (raised, used, used_at) = (reader.flag()?, reader.u8()?, time::read_optional(reader)?);
        let wants_session = reader.flag()?;
        Ok(Self { raised, used, used_at, ask: read_ask(reader)?, wants_session })
    }
}

pub(super) fn write_ask(ask: Option<[u8; 4]>, writer: &mut SecretWriter) {
    writer.flag(ask.is_some());
    if let Some(ask) = ask {
        writer.bytes(&ask);
    }
}

pub(super) fn read_ask(reader: &mut Reader<'_>) -> Result<Option<[u8; 4]>, Malformed> {
    if reader.flag()? { Ok(Some(*reader.array()?)) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// P-12.47
    #[test]
    fn garbage_causes_four_reactions_at_once_and_then_a_trickle() {
        let mut doubt = Doubt::default();
        let taken: u32 = (0..72 * 60).map(|minute| u32::from(doubt.take_token(at(1_000_000 + minute * 60)))).sum();
        assert_eq!(taken, 4 + 6, "four at once, then after 1, 2, 4, 8, 16 and 24 hours");
    }

    #[test]
    fn a_clock_that_jumps_ahead_gives_four_and_one_that_goes_back_costs_a_wait() {
        let mut doubt = Doubt::default();
        (0..9).for_each(|_| _ = doubt.take_token(at(1_000_000)));
        let ahead: u32 = (0..100).map(|_| u32::from(doubt.take_token(at(2_000_000)))).sum();
        assert_eq!(ahead, 4);
        assert!(!doubt.take_token(at(500_000)));
        assert!(doubt.token_at(at(500_000)) <= at(500_000 + 3_600));
        assert!(doubt.take_token(at(500_000 + 3_600)));
    }

    #[test]
    fn a_clock_that_was_ahead_for_a_month_costs_one_wait() {
        let mut doubt = Doubt::default();
        (0..4).for_each(|_| _ = doubt.take_token(at(30 * 86_400)));
        assert!(doubt.is_ahead(at(0)));
        doubt.notice(at(0));
        assert_eq!((doubt.token_at(at(0)), doubt.token_at(at(1_800))), (at(3_600), at(3_600)));
        assert!(!doubt.is_ahead(at(0)) && doubt.take_token(at(3_600)));
    }

    #[test]
    fn a_session_that_was_worth_it_gives_some_back() {
        let mut doubt = Doubt::default();
        for day in 0..9 {
            doubt.take_token(at(day * 86_400));
        }
        let mut resolved = doubt;
        resolved.resolved();
        assert!(resolved.token_at(at(8 * 86_400)) < doubt.token_at(at(8 * 86_400)));
        let mut writer = SecretWriter::with_capacity(64);
        let doubt = Doubt { ask: Some([1; 4]), wants_session: true, raised: true, ..doubt };
        doubt.write(&mut writer);
        assert_eq!(Doubt::read(&mut Reader::new(&writer.finish())), Ok(doubt));
    }
}
