//! [`SenderKeyFormat`]: the two encodings of distributions and messages.

/// How distributions and messages are encoded. The encoding of a message shows which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderKeyFormat {
    /// WhatsApp's: key id, iteration, content. The transport names the group.
    WhatsApp,
    /// Signal's: the same, after the 16-byte id of the group's distribution.
    Signal {
        /// The distribution id, a UUID.
        distribution: [u8; 16],
    },
}
