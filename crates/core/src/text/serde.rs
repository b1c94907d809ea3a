//! The feature `serde`: a public value is its text in a format that people read, and its bytes in any other.

use core::fmt::{self, Display};
use core::marker::PhantomData;
use core::str::FromStr;

pub use serde_core;
use serde_core::de::{Deserializer, Error, Visitor};
use serde_core::ser::Serializer;

/// Writes `text` or `bytes`, as the format prefers.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(text: &impl Display, bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.collect_str(text) } else { serializer.serialize_bytes(bytes) }
}

/// Reads a value from its text or its bytes, as the format prefers, by the same rules as without a format.
///
/// # Errors
///
/// Those of the deserializer, and the value's own.
pub fn deserialize<'de, D, T, E>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E>,
    E: Display,
{
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Text(PhantomData))
    } else {
        deserializer.deserialize_bytes(Bytes(PhantomData))
    }
}

struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a value of bisik")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

struct Bytes<T>(PhantomData<T>);

impl<T, F: Display> Visitor<'_> for Bytes<T>
where
    T: for<'a> TryFrom<&'a [u8], Error = F>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a value of bisik")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::try_from(bytes).map_err(E::custom)
    }
}
