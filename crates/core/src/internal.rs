//! [`InternalError`]: the one error for what cannot happen.

/// Something happened that this library rules out: a bug in bisik.
///
/// No input causes it: not a message, not a record, not an argument. The operation that meets it refuses, leaves its
/// state unchanged and writes nothing. Errors of operations that could meet it have a variant `Internal` for it, so
/// that it never looks like a failure that a caller can mend. Please report it.
///
/// ```
/// use bisik_core::internal::InternalError;
///
/// assert_eq!(InternalError.to_string(), InternalError::TEXT);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InternalError;

impl InternalError {
    /// What it displays, and what each error's variant `Internal` displays.
    pub const TEXT: &'static str = "internal error in bisik: please report it as a bug";
}

crate::error_texts! {
    InternalError => "internal", Self::TEXT
}
