//! Text forms of public values, with the conversions that come with them: hexadecimal digits for keys and ids, Base64
//! for what is longer, Base45 for QR codes (docs/spec/conventions.md, section 1.7).
//!
//! A value has one text, except that hexadecimal digits are read in either case. Everything else is refused: white
//! space, a wrong length, a character outside of the alphabet, bits that would be lost.

pub mod base45;
pub mod base64url;
pub mod hex;
#[cfg(feature = "serde")]
pub mod serde;

/// Gives a public value of a fixed number of bytes its conversions: from a slice, to and from hexadecimal digits, and
/// with the feature `serde` to and from the formats of that crate. Each refuses what `from` refuses.
///
/// ```
/// use bisik_core::id::IdError;
///
/// #[derive(Debug, PartialEq)]
/// pub struct Ticket([u8; 4]);
///
/// bisik_core::hex_text! {
///     Ticket: 4, or IdError = IdError;
///     from |bytes| Ok(Ticket(bytes));
///     to |ticket| ticket.0;
/// }
///
/// assert_eq!(Ticket([0, 1, 0xAB, 0xFF]).to_string(), "0001abff");
/// assert_eq!("0001ABff".parse(), Ok(Ticket([0, 1, 0xAB, 0xFF])));
/// for wrong in ["", "0001abf", "0001abff0", "0001abfg", " 0001abff", "0x01abff", "0001abf\u{e9}"] {
///     assert_eq!(wrong.parse::<Ticket>(), Err(IdError), "{wrong}");
/// }
/// assert_eq!(Ticket::try_from([1, 2, 3].as_slice()), Err(IdError));
/// ```
#[macro_export]
macro_rules! hex_text {
    ($name:ident: $length:expr, or $error:ty = $malformed:expr;
     from |$bytes:ident| $read:expr;
     to |$value:ident| $write:expr;) => {
        impl TryFrom<&[u8]> for $name {
            type Error = $error;

            fn try_from(bytes: &[u8]) -> ::core::result::Result<Self, $error> {
                let $bytes: [u8; $length] = bytes.try_into().map_err(|_| $malformed)?;
                $read
            }
        }

        /// All bytes as hexadecimal digits, in lower case.
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let $value = self;
                $crate::text::hex::write(f, &$write)
            }
        }

        /// Reads the hexadecimal digits of all bytes, in lower or upper case, and nothing else.
        impl ::core::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> ::core::result::Result<Self, $error> {
                let $bytes: [u8; $length] = $crate::text::hex::decode(text).map_err(|_| $malformed)?;
                $read
            }
        }

        $crate::serde_text!($name, |$value| $write);
    };
}

/// Gives a public value of many bytes its conversions: from a slice, to and from Base64 with the URL-safe alphabet and
/// without padding, and with the feature `serde` to and from the formats of that crate. Each refuses what `from`
/// refuses; of a text longer than `most` bytes nothing is read.
///
/// ```
/// use bisik_core::id::IdError;
///
/// #[derive(Debug, PartialEq)]
/// pub struct Leaflet(Vec<u8>);
///
/// bisik_core::base64_text! {
///     Leaflet: at most 8, or IdError = IdError;
///     from |bytes| Ok(Leaflet(bytes.to_vec()));
///     to |leaflet| leaflet.0;
/// }
///
/// assert_eq!(Leaflet(vec![0xFB, 0xEF, 0xBE, 1]).to_string(), "----AQ");
/// assert_eq!("----AQ".parse(), Ok(Leaflet(vec![0xFB, 0xEF, 0xBE, 1])));
/// for wrong in ["----A", "----AR", "----AQ==", "++++AQ", "----A Q", "----AQ\n", "AAAAAAAAAAAA"] {
///     assert_eq!(wrong.parse::<Leaflet>(), Err(IdError), "{wrong}");
/// }
/// ```
#[macro_export]
macro_rules! base64_text {
    ($name:ident: at most $most:expr, or $error:ty = $malformed:expr;
     from |$bytes:ident| $read:expr;
     to |$value:ident| $write:expr;) => {
        impl TryFrom<&[u8]> for $name {
            type Error = $error;

            fn try_from($bytes: &[u8]) -> ::core::result::Result<Self, $error> {
                $read
            }
        }

        /// All bytes in Base64 with the URL-safe alphabet (RFC 4648, section 5), without padding.
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let $value = self;
                $crate::text::base64url::write(f, &$write)
            }
        }

        /// Reads Base64 with the URL-safe alphabet, without padding, and nothing else.
        impl ::core::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> ::core::result::Result<Self, $error> {
                let bytes = $crate::text::base64url::decode(text, $most).map_err(|_| $malformed)?;
                let $bytes = bytes.as_slice();
                $read
            }
        }

        $crate::serde_text!($name, |$value| $write);
    };
}

/// With the feature `serde`: the text where people read, the bytes elsewhere. Part of [`hex_text!`](crate::hex_text) and
/// [`base64_text!`](crate::base64_text).
#[cfg(feature = "serde")]
#[macro_export]
macro_rules! serde_text {
    ($name:ident, |$value:ident| $write:expr) => {
        /// The text in a format that people read, the bytes in any other.
        impl $crate::text::serde::serde_core::Serialize for $name {
            fn serialize<S: $crate::text::serde::serde_core::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                let $value = self;
                $crate::text::serde::serialize(self, &$write, serializer)
            }
        }

        /// Refuses what `FromStr` and `TryFrom<&[u8]>` refuse.
        impl<'de> $crate::text::serde::serde_core::Deserialize<'de> for $name {
            fn deserialize<D: $crate::text::serde::serde_core::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::text::serde::deserialize(deserializer)
            }
        }
    };
}

/// Without the feature `serde`: nothing.
#[cfg(not(feature = "serde"))]
#[macro_export]
macro_rules! serde_text {
    ($name:ident, |$value:ident| $write:expr) => {};
}
