//! What the suites do differently: labels, and how a number of an epoch is written under them.

use core::fmt;

use crate::labels;

/// The labels of one suite. Each is followed by the epoch's number.
#[derive(Clone, Copy)]
pub struct Labels {
    /// `info` of the secret of an epoch.
    pub epoch: &'static [u8],
    /// `info` of an update of the authenticator.
    pub authenticator: &'static [u8],
    /// Input of the tag of a header.
    pub header: &'static [u8],
    /// Input of the tag of a ciphertext.
    pub ciphertext: &'static [u8],
    /// Epochs in eight bytes instead of four; big-endian both.
    pub wide: bool,
}

/// The labels of the native suite (docs/spec/conventions.md, section 1.6).
pub static NATIVE: Labels = Labels {
    epoch: labels::BRAID_EPOCH,
    authenticator: labels::BRAID_AUTHENTICATOR,
    header: labels::BRAID_HEADER,
    ciphertext: labels::BRAID_CIPHERTEXT,
    wide: false,
};

impl Labels {
    /// The number of an epoch as inputs have it, after `room` for both lengths.
    pub(super) fn number<'a>(&self, epoch: u32, room: &'a mut [u8; 8]) -> &'a [u8] {
        *room = u64::from(epoch).to_be_bytes();
        let [_, _, _, _, narrow @ ..] = &*room;
        if self.wide { room } else { narrow }
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Labels(..)")
    }
}
