//! [`InternalError`]: the error for states that a bug alone can cause.

/// A bug in bisik: the library reached a state that it rules out.
///
/// No input causes it: no message, no record and no argument. The operation fails, leaves its state unchanged and
/// writes nothing. An encryptor or decryptor of attachments instead fails at every later call, and may have output
/// verified chunks before. Errors of operations that could meet it have a variant `Internal` for it, so that it never
/// looks like a failure that the caller can repair. Please report it.
///
/// ```
/// use bisik_core::internal::InternalError;
///
/// assert_eq!(InternalError.to_string(), InternalError::TEXT);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InternalError;

impl InternalError {
    /// The text that it displays. Every variant `Internal` of another error displays the same.
    pub const TEXT: &'static str = "internal error in bisik: please report it as a bug";
}

crate::error_texts! {
    InternalError => "internal", Self::TEXT
}
