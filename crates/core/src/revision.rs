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
}
