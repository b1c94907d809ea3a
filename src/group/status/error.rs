//! Why a device shows nothing: a variant only where the caller acts differently.

/// Why an audience does nothing now. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusError {
    /// This device is in no list of its account, the list has expired, somebody else holds the device's keys, or the audience
    /// is another device's: maintain the account, and try again.
    NotListed,
    /// The account is the author's own: its devices see what it posts without it.
    OwnAccount,
    /// The audience has 4,096 accounts, or remembers 8,192: exclude some, or create another one.
    Full,
    /// A status is shown for one second to 24 hours.
    Lifetime,
    /// More than 256 KiB: post it as an attachment. Or more than 64 statuses are taken back at once, or none.
    TooLong,
    /// 64 messages wait to be handed to the transport: [flush](super::Audience::flush) and
    /// [hand them over](super::Audience::handed) first.
    OutboxFull,
    /// More devices than a chain may be given to, 16,384.
    TooManyDevices,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    StatusError {
        NotListed => "status.not_listed", "the local device is not in its account's newest list";
        OwnAccount => "status.own_account", "the own account is in each of its audiences";
        Full => "status.full", "the audience has room for no other account";
        Lifetime => "status.lifetime", "a status is shown for one second to 24 hours";
        TooLong => "status.too_long", "the status is longer than 256 KiB, or takes back none or too many";
        OutboxFull => "status.outbox_full", "too much waits to be handed to the transport";
        TooManyDevices => "status.too_many_devices", "the audience has more devices than a chain may be given to";
        @Internal => "status.internal";
    }
}
