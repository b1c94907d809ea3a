//! Requests and replies: arguments by name, bytes in hexadecimal, and errors with a name and a code.

use std::error::Error;
use std::fmt::Debug;

use serde_json::{Map, Value, json};

/// The result of an operation.
pub(crate) type Answer = Result<Value, Failure>;

/// An error. Errors of the library keep their type as the name and their variant as the code.
#[derive(Debug)]
pub(crate) struct Failure {
    name: String,
    code: String,
    message: String,
}

impl Failure {
    /// Creates an error of this program, as opposed to the library.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { name: "PeerError".into(), code: code.into(), message: message.into() }
    }

    pub(crate) fn missing(name: &str, what: &str) -> Self {
        Self::new("BadArgument", format!("{name}: {what} expected"))
    }

    pub(crate) fn unsupported(op: &str) -> Self {
        Self::new("Unsupported", format!("{op} is not there in this suite"))
    }

    pub(crate) fn to_json(&self) -> Value {
        let Self { name, code, message } = self;
        json!({ "name": name, "code": code, "message": message })
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let path = std::any::type_name::<E>();
        let variant = format!("{error:?}");
        let code = variant.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let name = path.rsplit("::").next().unwrap_or(path);
        Self { name: name.into(), code: code.into(), message: error.to_string() }
    }
}

/// The address of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) device: u32,
}

/// The arguments of one request. `null` counts as absent, except to [`Args::is_null`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args<'a>(&'a Map<String, Value>);

impl<'a> Args<'a> {
    pub(crate) const fn new(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    fn get(&self, name: &str, what: &str) -> Result<&'a Value, Failure> {
        self.find(name).ok_or_else(|| Failure::missing(name, what))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.get(name, TEXT)?.as_str().ok_or_else(|| Failure::missing(name, TEXT))
    }

    pub(crate) fn find_text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.find(name).map(|_| self.text(name)).transpose()
    }

    pub(crate) fn size(&self, name: &str) -> Result<u64, Failure> {
        self.get(name, NUMBER)?.as_u64().ok_or_else(|| Failure::missing(name, NUMBER))
    }

    pub(crate) fn find_size(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.find(name).map(|_| self.size(name)).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<u32, Failure> {
        u32::try_from(self.size(name)?).map_err(|_| Failure::missing(name, "a number below 2^32"))
    }

    pub(crate) fn find_number(&self, name: &str) -> Result<Option<u32>, Failure> {
        self.find(name).map(|_| self.number(name)).transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        let Some(value) = self.find(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| Failure::missing(name, "true or false"))
    }

    pub(crate) fn hex(&self, name: &str) -> Result<Vec<u8>, Failure> {
        from_hex(name, self.get(name, HEX)?)
    }

    pub(crate) fn find_hex(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.find(name).map(|_| self.hex(name)).transpose()
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], Failure> {
        sized(name, self.hex(name)?)
    }

    pub(crate) fn find_array<const N: usize>(&self, name: &str) -> Result<Option<[u8; N]>, Failure> {
        self.find(name).map(|_| self.array(name)).transpose()
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], Failure> {
        let list = self.get(name, LIST)?.as_array();
        list.map(Vec::as_slice).ok_or_else(|| Failure::missing(name, LIST))
    }

    pub(crate) fn object(&self, name: &str) -> Result<Self, Failure> {
        self.get(name, OBJECT)?.as_object().map(Self).ok_or_else(|| Failure::missing(name, OBJECT))
    }

    /// Reads `{"name": text, "device": number}`; the device is 1 if absent.
    pub(crate) fn address(&self, name: &str) -> Result<Address, Failure> {
        let address = self.object(name)?;
        Ok(Address { name: address.text("name")?.into(), device: address.find_number("device")?.unwrap_or(1) })
    }
}

pub(crate) fn sized<const N: usize>(name: &str, bytes: Vec<u8>) -> Result<[u8; N], Failure> {
    bytes.try_into().map_err(|_| Failure::missing(name, &format!("{N} bytes")))
}

pub(crate) fn from_hex(name: &str, value: &Value) -> Result<Vec<u8>, Failure> {
    let digits = value.as_str().map(str::as_bytes).filter(|digits| digits.len().is_multiple_of(2));
    let digits = digits.ok_or_else(|| Failure::missing(name, HEX))?;
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        u8::from_str_radix(text, 16).ok()
    };
    digits.chunks_exact(2).map(byte).collect::<Option<_>>().ok_or_else(|| Failure::missing(name, HEX))
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

const TEXT: &str = "a string";
const NUMBER: &str = "a number";
const HEX: &str = "hexadecimal digits";
const LIST: &str = "an array";
const OBJECT: &str = "an object";
