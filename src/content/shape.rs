//! The schema as bounds: everything that the encoding alone can reveal is refused before anything is allocated.
//!
//! In protobuf that passes [`check`], every known field has its type, no singular field appears twice and no list is
//! too long (requirements P-7.3 and P-7.4). Then prost cannot fail, and cannot be made to allocate more than a constant
//! times the body: a list of empty messages would take a hundred times its size in memory. The meaning of the fields is
//! checked by each kind.

use core::ops::RangeInclusive;

use Type::{Bool, Bytes, Double, Enum, Message, Text, Uint32, Uint64};

use super::limits;
use bisik_core::codec::{Malformed, Record, Records, Value};

/// The fields of a message of content.proto.
pub(super) type Shape = &'static [Field];

/// A field: its number, its type, and how often it may appear.
pub(super) struct Field {
    number: u32,
    kind: Type,
    most: usize,
}

/// The protobuf types that the schema uses.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Bool,
    Uint32,
    Uint64,
    Enum,
    Double,
    Bytes,
    Text,
    Message(Shape),
}

/// Checks that `protobuf` is well-formed and that its known fields have the shape of the schema. Allocates nothing.
/// The content of unknown fields is skipped. The recursion is as deep as the schema, which is not recursive. Requirements
/// P-7.3 and P-7.4.
pub(super) fn check(shape: Shape, protobuf: &[u8]) -> Result<(), Malformed> {
    let mut counts = [0_usize; MOST_FIELDS];
    for record in Records::of(protobuf) {
        let Record { number, value, .. } = record?;
        let known = shape.iter().zip(&mut counts).find(|(field, _)| field.number == number);
        if let Some((field, count)) = known {
            *count = count.saturating_add(1);
            if *count > field.most {
                return Err(Malformed);
            }
            check_value(field.kind, value)?;
        }
    }
    Ok(())
}

fn check_value(kind: Type, value: Value<'_>) -> Result<(), Malformed> {
    let fits = match (kind, value) {
        (Bool, Value::Varint(value)) => value <= 1,
        (Uint32, Value::Varint(value)) => u32::try_from(value).is_ok(),
        (Enum, Value::Varint(value)) => i32::try_from(value).is_ok(),
        (Uint64, Value::Varint(_)) | (Double, Value::Fixed64) | (Bytes, Value::Bytes(_)) => true,
        (Text, Value::Bytes(value)) => core::str::from_utf8(value).is_ok(),
        (Message(shape), Value::Bytes(value)) => return check(shape, value),
        (Bool | Uint32 | Uint64 | Enum | Double | Bytes | Text | Message(_), _) => false,
    };
    if fits { Ok(()) } else { Err(Malformed) }
}

/// Returns the field number of the one kind in `protobuf`, known or not. Requirement P-7.5.
pub(super) fn kind(protobuf: &[u8]) -> Result<u32, Malformed> {
    let mut found = None;
    for record in Records::of(protobuf) {
        let Record { number, value, .. } = record?;
        if KINDS.contains(&number) && (found.replace(number).is_some() || !matches!(value, Value::Bytes(_))) {
            return Err(Malformed);
        }
    }
    found.ok_or(Malformed)
}

const fn one(number: u32, kind: Type) -> Field {
    Field { number, kind, most: 1 }
}

const fn many(number: u32, kind: Type, most: usize) -> Field {
    Field { number, kind, most }
}

/// The outermost message.
pub(super) const CONTENT: Shape = &[
    one(1, Bytes),
    one(2, Uint64),
    one(3, Message(REFERENCE)),
    one(4, Uint32),
    one(5, Bool),
    one(6, Bool),
    one(7, Bool),
    one(9, Bytes),
    one(16, Message(TEXT)),
    one(17, Message(PHOTO)),
    one(18, Message(VIDEO)),
    one(19, Message(VOICE_NOTE)),
    one(20, Message(DOCUMENT)),
    one(21, Message(STICKER)),
    one(22, Message(CONTACT)),
    one(23, Message(LOCATION)),
    one(24, Message(LIVE_START)),
    one(25, Message(LIVE_UPDATE)),
    one(26, Message(LIVE_STOP)),
    one(27, Message(POLL)),
    one(28, Message(BALLOT)),
    one(29, Message(EDIT)),
    one(30, Message(DELETE)),
    one(31, Message(REACTION)),
    one(32, Message(RECEIPT)),
    one(33, Message(CALL)),
    one(34, Message(TIMER)),
    one(35, Message(PIN)),
    one(36, Message(UNPIN)),
    one(37, Message(EVENT)),
    one(38, Message(RSVP)),
    one(39, Message(SEALED_REACTION)),
    one(40, Message(TALLY)),
    one(41, Message(ALBUM)),
    one(42, Message(REMOVE)),
    one(64, Message(GREETING)),
    one(65, Message(AWAY)),
    one(66, Message(PROFILE)),
    one(67, Message(CATALOGUE_ITEM)),
    one(68, Message(CART)),
    one(69, Message(QUICK_REPLIES)),
    one(70, Message(LIST)),
    one(71, Message(BUTTONS)),
    one(72, Message(SELECTION)),
    one(73, Message(REFERRAL)),
];
const REFERENCE: Shape = &[one(1, Bytes), one(2, Bytes)];
const TEXT: Shape = &[one(1, Text), many(2, Message(MENTION), limits::MENTIONS)];
const MENTION: Shape = &[one(1, Uint32), one(2, Uint32), one(3, Bytes)];
const BLOB: Shape = &[one(1, Bytes), one(2, Text)];
const PHOTO: Shape = &[one(1, Message(BLOB)), one(2, Uint32), one(3, Uint32), one(4, Message(TEXT))];
const VIDEO: Shape = &[one(1, Message(BLOB)), one(2, Uint32), one(3, Uint32), one(4, Uint32), one(5, Message(TEXT))];
const VOICE_NOTE: Shape = &[one(1, Message(BLOB)), one(2, Uint32), one(3, Bytes)];
const DOCUMENT: Shape = &[one(1, Message(BLOB)), one(2, Text), one(3, Message(TEXT))];
const STICKER: Shape = &[one(1, Message(BLOB)), one(2, Uint32), one(3, Uint32), one(4, Text)];
const CONTACT: Shape = &[one(1, Message(BLOB)), one(2, Text)];
const COORDINATES: Shape = &[one(1, Double), one(2, Double), one(3, Uint32)];
const LOCATION: Shape = &[one(1, Message(COORDINATES)), one(2, Text), one(3, Text)];
const LIVE_START: Shape = &[one(1, Message(COORDINATES)), one(2, Uint32)];
const LIVE_UPDATE: Shape = &[one(1, Bytes), one(2, Uint32), one(3, Message(COORDINATES))];
const LIVE_STOP: Shape = &[one(1, Bytes)];
const POLL: Shape = &[one(1, Bytes), one(2, Text), many(3, Text, limits::OPTIONS), one(4, Uint32)];
const BALLOT: Shape = &[one(1, Message(REFERENCE)), one(2, Bytes)];
const EDIT: Shape = &[one(1, Bytes), one(2, Message(TEXT))];
const DELETE: Shape = &[one(1, Bytes)];
const REACTION: Shape = &[one(1, Message(REFERENCE)), one(2, Text)];
const RECEIPT: Shape = &[one(1, Enum), many(2, Bytes, limits::RECEIPTS)];
const CALL: Shape = &[one(1, Bytes)];
const TIMER: Shape = &[one(1, Uint32)];
const PIN: Shape = &[one(1, Message(REFERENCE)), one(2, Uint64)];
const UNPIN: Shape = &[one(1, Message(REFERENCE))];
const EVENT: Shape = &[
    one(1, Bytes),
    one(2, Text),
    one(3, Text),
    one(4, Uint64),
    one(5, Uint64),
    one(6, Text),
    one(7, Message(COORDINATES)),
    one(8, Uint32),
    one(9, Bytes),
    one(10, Bool),
];
const RSVP: Shape = &[one(1, Message(REFERENCE)), one(2, Bytes)];
const SEALED_REACTION: Shape = &[one(1, Message(REFERENCE)), one(2, Bytes)];
const TALLY: Shape = &[one(1, Bytes), many(2, Message(COUNT), limits::COUNTS)];
const COUNT: Shape = &[one(1, Uint32), one(2, Text), one(3, Uint32)];
const ALBUM: Shape = &[many(1, Bytes, limits::ALBUM)];
const REMOVE: Shape = &[one(1, Message(REFERENCE))];
const GREETING: Shape = &[one(1, Message(TEXT))];
const AWAY: Shape = &[one(1, Message(TEXT))];
const OPENING: Shape = &[one(1, Uint32), one(2, Uint32), one(3, Uint32)];
const PROFILE: Shape = &[
    one(1, Text),
    one(2, Text),
    one(3, Text),
    one(4, Text),
    many(5, Text, limits::SITES),
    many(6, Message(OPENING), limits::OPENINGS),
    one(7, Text),
];
const PRICE: Shape = &[one(1, Uint64), one(2, Text)];
const CATALOGUE_ITEM: Shape =
    &[one(1, Text), one(2, Text), one(3, Text), one(4, Message(PRICE)), one(5, Message(BLOB)), one(6, Enum)];
const CART_LINE: Shape = &[one(1, Text), one(2, Text), one(3, Uint32), one(4, Message(PRICE))];
const CART: Shape = &[many(1, Message(CART_LINE), limits::CART_LINES), one(2, Message(TEXT))];
const CHOICE: Shape = &[one(1, Text), one(2, Text)];
const QUICK_REPLIES: Shape = &[one(1, Message(TEXT)), many(2, Message(CHOICE), limits::CHOICES)];
const ROW: Shape = &[one(1, Message(CHOICE)), one(2, Text)];
const SECTION: Shape = &[one(1, Text), many(2, Message(ROW), limits::ROWS)];
const LIST: Shape = &[one(1, Message(TEXT)), one(2, Text), many(3, Message(SECTION), limits::SECTIONS)];
const BUTTON: Shape = &[one(1, Text), one(2, Text), one(3, Text), one(4, Text)];
const BUTTONS: Shape = &[one(1, Message(TEXT)), one(2, Text), many(3, Message(BUTTON), limits::CHOICES)];
const SELECTION: Shape = &[one(1, Message(REFERENCE)), one(2, Text), one(3, Text)];
const REFERRAL: Shape = &[one(1, Enum), one(2, Text), one(3, Text), one(4, Text), one(5, Text)];

/// The field numbers of kinds. The outermost message contains exactly one of them.
const KINDS: RangeInclusive<u32> = 16..=127;
/// At least as many fields as the largest message has.
const MOST_FIELDS: usize = 48;
const _: () = assert!(CONTENT.len() <= MOST_FIELDS, "every known field is counted");
