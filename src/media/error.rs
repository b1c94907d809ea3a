//! What can go wrong with attachments; a variant only where a caller acts differently.

/// Why a file was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// It has more bytes than [`MAX_SIZE`](super::MAX_SIZE); of a thumbnail,
    /// [`Pointer::MAX_THUMBNAIL`](super::Pointer::MAX_THUMBNAIL).
    TooLarge,
    /// Its size is not the announced one: the file has changed. Begin again, with a new encryptor.
    OtherSize,
    /// The buffer for the output is too short: ask [`Encryptor::room_for`](super::Encryptor::room_for).
    NoRoom,
    /// A bug in this library, which no input causes: please report it. The call has output nothing, and every later
    /// call of this encryptor fails too: begin again with a new one.
    Internal,
}

bisik_core::error_texts! {
    EncryptError {
        TooLarge => "media.encrypt.too_large", "the file is too large";
        OtherSize => "media.encrypt.other_size", "the file has another size than was announced";
        NoRoom => "media.encrypt.no_room", "the memory for the output is too short";
        @Internal => "media.encrypt.internal";
    }
}

/// Why a blob was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// It is not the blob that the pointer names, or was changed. One answer for every cause, so that it is no oracle.
    Rejected,
    /// Everything so far verifies, and the end is missing: fetch the rest.
    Incomplete,
    /// A bug in this library, which no input causes: please report it. No unverified plaintext was output, and every
    /// later call of this decryptor fails too: begin again with a new one.
    Internal,
}

bisik_core::error_texts! {
    DecryptError {
        Rejected => "media.decrypt.rejected", "the blob is not the one that the pointer names, or was changed";
        Incomplete => "media.decrypt.incomplete", "the end of the blob is missing";
        @Internal => "media.decrypt.internal";
    }
}

/// The bytes are not a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PointerError;

bisik_core::error_texts! {
    PointerError => "media.pointer.malformed", "the bytes are not a pointer to an attachment"
}

/// The text is not a media type in lower case without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaTypeError;

bisik_core::error_texts! {
    MediaTypeError => "media.type.malformed", "the text is not a media type in lower case without parameters"
}
