//! Why something of a call link is refused.

use bisik_core::codec::Malformed;

/// Why something of a call link is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallLinkError {
    /// The text or the bytes are none of a call link.
    Malformed,
    /// A later version made them.
    NewerVersion,
    /// They were made without this link, or changed.
    Rejected,
    /// The knock is for another call of this link: its sender has to fetch the notice again.
    OtherCall,
    /// This very knock was heard before.
    Duplicate,
    /// The list is of another account, has expired, is older than what the knock names, or does not have the device.
    UnknownDevice,
    /// This device is in no list of its account.
    NotListed,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    CallLinkError {
        Malformed => "call.link.malformed", "the text or the bytes are none of a call link";
        NewerVersion => "call.link.newer_version", "a later version made this of a call link";
        Rejected => "call.link.rejected", "it was made without this call link, or changed";
        OtherCall => "call.link.other_call", "the knock is for another call";
        Duplicate => "call.link.duplicate", "the knock was heard before";
        UnknownDevice => "call.link.unknown_device", "the list does not have the device that knocks";
        NotListed => "call.link.not_listed", "the local device is not in its account's newest list";
        @Internal => "call.link.internal";
    }
}

impl From<Malformed> for CallLinkError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
