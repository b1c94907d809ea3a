//! Why something is refused: a variant only where the caller acts differently.

/// Why nothing is written. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// This device is in no list of its account, the list has expired, somebody else holds the device's keys, or the record
    /// is another device's: maintain the account, and try again.
    NotListed,
    /// The device was restored and waits for another one to answer, an hour at most.
    Restored,
    /// A name of 0 or more than 80 bytes, or a value of more than 4,096.
    TooLong,
    /// The kind of register has no such value.
    WrongValue,
    /// There are 16,384 registers, or 1 MiB of them.
    Full,
}

/// Why a letter was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterLetterError {
    /// The bytes are no letter about registers: drop it.
    Malformed,
    /// Its sender is no own device, or one that somebody else holds: drop it.
    UnknownDevice,
    /// This device is in no list of its account now: maintain the account, and take the letter again.
    NotListed,
}

bisik_core::error_texts! {
    RegisterError {
        NotListed => "register.not_listed", "the local device is not in its account's newest list";
        Restored => "register.restored", "a restored device waits for an answer of another one";
        TooLong => "register.too_long", "a name or a value is too long";
        WrongValue => "register.wrong_value", "this kind of register has no such value";
        Full => "register.full", "there are too many registers";
    }
}

bisik_core::error_texts! {
    RegisterLetterError {
        Malformed => "register.letter.malformed", "the bytes are no letter about registers";
        UnknownDevice => "register.letter.unknown_device", "the sender is no own device";
        NotListed => "register.letter.not_listed", "the local device is not in its account's newest list";
    }
}
