//! [`SenderKeyFormat`]: the two ways in which the same messages are written.
//!
//! Does not know messages.

/// How distributions and messages are written. A message is of exactly one form, and says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderKeyFormat {
    /// Number, iteration, content: WhatsApp's. The group is named by what carries them.
    WhatsApp,
    /// The same after the 16 bytes that name the group's distribution: Signal's.
    Signal {
        /// The name, a UUID.
        distribution: [u8; 16],
    },
}
