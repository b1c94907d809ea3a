//! Revisions: how often a stored state has changed, so that an older record is never taken for a newer one.

use crate::codec::{Malformed, Reader};

/// Reads a revision from a record.
///
/// # Errors
///
/// [`Malformed`] from [`MAX`] on, which no state reaches, or if fewer than eight bytes are left.
pub fn read(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let revision = reader.u64()?;
    if revision >= MAX { Err(Malformed) } else { Ok(revision) }
}

/// Returns the revision after `revision`, which is always greater. A state starts with 0 or with a revision that
/// [`read`] accepted, and 2^63 further changes take longer than any program runs.
#[must_use]
pub const fn after(revision: u64) -> u64 {
    revision.wrapping_add(1)
}

/// The revision of a record that was sealed before its state is committed.
///
/// The value has the revision after it until then. If its state is never committed, no later record of the value has the
/// revision of the sealed one.
#[derive(Debug, Default)]
pub struct Reserved(Option<u64>);

impl Reserved {
    /// Returns the reserved revision. The first call reserves the one after `current`, and raises `current` past it.
    pub const fn reserve(&mut self, current: &mut u64) -> u64 {
        if let Some(reserved) = self.0 {
            return reserved;
        }
        let reserved = after(*current);
        *current = after(reserved);
        self.0 = Some(reserved);
        reserved
    }

    /// Sets `current` to the revision of the committed state: the reserved one, or else the next.
    pub const fn commit(self, current: &mut u64) {
        *current = match self.0 {
            Some(reserved) => reserved,
            None => after(*current),
        };
    }
}

/// No record has this revision or a greater one: half the range of 64 bits. The revision after one that was read is
/// therefore at most this.
pub const MAX: u64 = u64::MAX >> 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_that_could_overflow_is_refused_when_it_is_read() {
        for (revision, read_back) in [
            (0, Ok(0)),
            (MAX - 1, Ok(MAX - 1)),
            (MAX, Err(Malformed)),
            (MAX + 1, Err(Malformed)),
            (u64::MAX, Err(Malformed)),
        ] {
            assert_eq!(read(&mut Reader::new(&revision.to_be_bytes())), read_back);
        }
        assert!(after(MAX) > MAX);
    }

    #[test]
    fn a_reserved_revision_is_used_by_the_commit_or_by_nothing() {
        let (mut current, mut reserved) = (4, Reserved::default());
        assert_eq!((reserved.reserve(&mut current), reserved.reserve(&mut current), current), (5, 5, 6));
        reserved.commit(&mut current);
        assert_eq!(current, 5);
        Reserved::default().commit(&mut current);
        assert_eq!(current, 6);
    }
}
