//! `text`: the texts of public values and of a QR code, against decoders of hexadecimal digits, Base64 and Base45 that are
//! written here.

use core::fmt::{Debug, Display};
use core::str::FromStr;
use std::sync::LazyLock;

use bisik::conversation::{ConversationId, Envelope, MessageId};
use bisik::device::link::{Companion, Invitation, QrCode};
use bisik::device::{AccountKey, DeviceCertificate, DeviceList, DeviceTerms, LinkError, ListId};
use bisik::hosting::Disclosure;
use bisik::ratchet::PublicKey;
use bisik::{Account, BlockId, BundleId, Ciphertext, DisclosureHash, Identity, IdentityKey, PreKeyBundle};

use super::fixtures::{PARTIES, Repeatable, SESSIONS};
use super::input::Input;
use super::{hosting, transport};

/// The first byte selects a kind of value. The second one selects a text, which is read, or bytes, whose text is read
/// again.
pub fn text(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = usize::from(input.byte()) % FORMS.len();
    let form = FORMS[kind];
    if input.byte() % 2 == 1 {
        form(Given::Bytes(input.rest()));
    } else if let Ok(text) = String::from_utf8(input.edited(&GENUINE)) {
        form(Given::Text(&text));
    }
}

#[derive(Clone, Copy)]
enum Given<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// What each kind of value does with a text or with bytes; in the order of [`GENUINE`].
const FORMS: [fn(Given<'_>); 16] = [
    hex::<IdentityKey, _>,
    hex::<AccountKey, _>,
    hex::<PublicKey, _>,
    hex::<MessageId, _>,
    hex::<ConversationId, _>,
    hex::<BlockId, _>,
    hex::<BundleId, _>,
    hex::<ListId, _>,
    hex::<DisclosureHash, _>,
    base64::<PreKeyBundle, _>,
    base64::<DeviceList, _>,
    base64::<DeviceCertificate, _>,
    base64::<Disclosure, _>,
    base64::<Ciphertext, _>,
    base64::<Envelope, _>,
    qr_code,
];

/// A text of each kind.
static GENUINE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let rng = &mut Repeatable(0x74);
    let account = Account::create(DeviceTerms::person(), PARTIES.now, rng);
    let list = account.primary().expect("a primary device").list();
    let certificate = DeviceCertificate::sign(&PARTIES.bob, account.key(), 1, DeviceTerms::business());
    let agreement = *Identity::generate(rng).public().to_bytes().last_chunk().expect("64 bytes have 32");
    vec![
        PARTIES.alice.public().to_string(),
        account.key().to_string(),
        PublicKey::from_bytes(&agreement).expect("half of an identity").to_string(),
        MessageId::from_bytes([0xa1; 16]).to_string(),
        ConversationId::between(account.key(), &AccountKey::of(&PARTIES.bob)).to_string(),
        BlockId::from_bytes([0xa2; 16]).to_string(),
        PARTIES.bundles[1].id().to_string(),
        list.id().to_string(),
        hosting::disclosed().hash().to_string(),
        PARTIES.bundles[0].to_string(),
        list.to_string(),
        certificate.to_string(),
        hosting::disclosed().to_string(),
        Ciphertext::from_bytes(&SESSIONS[1].messages[0].bytes).expect("a message").to_string(),
        transport::genuine(0).to_string(),
        Companion::with_qr_code(rng).1.to_string(),
    ]
});

fn hex<T, E>(given: Given<'_>)
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E> + PartialEq + Debug,
    E: PartialEq + Debug,
{
    check::<T, E>(given, digits, str::to_ascii_lowercase);
}

fn base64<T, E>(given: Given<'_>)
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E> + PartialEq + Debug,
    E: PartialEq + Debug,
{
    check::<T, E>(given, sextets, str::to_owned);
}

/// Whatever is read of a text is what its bytes give, and is written as it was.
fn check<T, E>(given: Given<'_>, decode: fn(&str) -> Option<Vec<u8>>, written: fn(&str) -> String)
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E> + PartialEq + Debug,
    E: PartialEq + Debug,
{
    match given {
        Given::Text(text) => {
            let read = text.parse::<T>();
            match decode(text) {
                Some(bytes) => assert_eq!(read, T::try_from(&bytes), "a text is refused as its bytes are"),
                None => assert!(read.is_err(), "it encodes nothing"),
            }
            if let Ok(value) = read {
                assert_eq!(value.to_string(), written(text), "a value has one text");
            }
        }
        Given::Bytes(bytes) => {
            if let Ok(value) = T::try_from(bytes) {
                let text = value.to_string();
                assert_eq!(decode(&text).as_deref(), Some(bytes), "the text has all bytes");
                assert_eq!(text.parse(), Ok(value));
            }
        }
    }
}

fn qr_code(given: Given<'_>) {
    match given {
        Given::Text(text) => {
            let (code, invitation) = (text.parse::<QrCode>(), text.parse::<Invitation>());
            let expected = triples(text).ok_or(LinkError::Malformed);
            let scanned = expected.as_ref().map_err(|error| *error).and_then(|bytes| Invitation::scan(bytes));
            assert_eq!(invitation.as_ref().err(), scanned.as_ref().err());
            assert_eq!(code.as_ref().err(), scanned.as_ref().err());
            if let (Ok(code), Ok(bytes)) = (code, expected) {
                assert_eq!((code.as_bytes(), code.to_string().as_str()), (bytes.as_slice(), text));
            }
        }
        // A program makes a code from no bytes but those of a text.
        Given::Bytes(bytes) => drop(Invitation::scan(bytes)),
    }
}

/// Two hexadecimal digits for each byte.
fn digits(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
    digits.chunks(2).map(|pair| <&[u32; 2]>::try_from(pair).ok().map(|[high, low]| (high * 16 + low) as u8)).collect()
}

/// Base64 with the URL-safe alphabet, without padding: RFC 4648, section 5.
fn sextets(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for symbol in text.chars() {
        let sextet = match symbol {
            'A'..='Z' => symbol as u32 - 'A' as u32,
            'a'..='z' => symbol as u32 - 'a' as u32 + 26,
            '0'..='9' => symbol as u32 - '0' as u32 + 52,
            '-' => 62,
            '_' => 63,
            _ => return None,
        };
        (bits, count) = ((bits << 6) | sextet, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (count < 6 && bits == 0).then_some(bytes)
}

/// Base45: RFC 9285.
fn triples(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let values = text.chars().map(|symbol| ALPHABET.find(symbol)).collect::<Option<Vec<_>>>()?;
    let mut bytes = Vec::new();
    for values in values.chunks(3) {
        let number = values.iter().rev().fold(0, |number, value| number * 45 + value);
        match values.len() {
            3 => bytes.extend(u16::try_from(number).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(number).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // A genuine text, with edits.
    let edited = |kind: u8, edits: &[[u8; 4]]| [&[kind, 0, kind, edits.len() as u8], edits.as_flattened()].concat();
    let bytes = |kind, bytes: &[u8]| [&[kind, 1], bytes].concat();
    let key = PARTIES.alice.public().to_bytes();
    let mut seeds = vec![
        ("identity_key", edited(0, &[])),
        ("account_key", edited(1, &[])),
        ("ratchet_key", edited(2, &[])),
        ("message_id", edited(3, &[])),
        ("conversation_id", edited(4, &[])),
        ("block_id", edited(5, &[])),
        ("bundle_id", edited(6, &[])),
        ("list_id", edited(7, &[])),
        ("disclosure_hash", edited(8, &[])),
        ("bundle", edited(9, &[])),
        ("list", edited(10, &[])),
        ("certificate", edited(11, &[])),
        ("disclosure", edited(12, &[])),
        ("message", edited(13, &[])),
        ("envelope", edited(14, &[])),
        ("qr_code", edited(15, &[])),
    ];
    seeds.extend([
        // The edit turns a letter into its capital: the text of a message id begins with "a1".
        ("digits_in_upper_case", edited(3, &[[0, 0x20, 0, 0]])),
        ("digit_missing", edited(3, &[[1, 0, 0, 31]])),
        ("digit_too_many", edited(3, &[[2, b'0', 0, 32]])),
        ("no_digit", edited(3, &[[2, b'g', 0, 5], [3, 0, 0, 6]])),
        ("white_space", edited(13, &[[2, b'\n', 0, 76]])),
        ("padding", edited(14, &[[1, 0, 0, 250], [2, b'=', 0, 250]])),
        ("other_alphabet", edited(13, &[[2, b'+', 0, 4], [3, 0, 0, 5]])),
        ("lost_bits", edited(11, &[[1, 0, 0, 3], [0, 1, 0, 2]])),
        ("bundle_as_a_list", vec![10, 0, 9, 0]),
        ("qr_code_in_lower_case", edited(15, &[[2, b'a', 0, 1], [3, 0, 0, 2]])),
        ("qr_code_too_long", edited(15, &[[2, b'0', 0, 195]])),
        ("qr_code_truncated", edited(15, &[[1, 0, 0, 192]])),
        ("bytes_of_a_key", bytes(0, &key)),
        ("bytes_of_no_key", bytes(0, &[0; 64])),
        ("bytes_of_no_hash", bytes(8, &[0; 32])),
        ("bytes_of_a_bundle", bytes(9, &PARTIES.bundles[0].to_bytes())),
        ("bytes_of_a_message", bytes(13, &SESSIONS[1].messages[0].bytes)),
    ]);
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoders of this file, by the examples of RFC 4648, section 10, and of RFC 9285, section 4.3.
    #[test]
    fn the_decoders_are_those_of_the_rfcs() {
        assert_eq!(digits("00fF"), Some(vec![0, 255]));
        assert_eq!([digits("0"), digits("0x"), digits("+1")], [None, None, None]);
        assert_eq!(sextets("Zm9vYmE").as_deref(), Some(b"fooba".as_slice()));
        assert_eq!(sextets("-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!([sextets("Zh"), sextets("Z"), sextets("Zg=="), sextets("Zm+v")], [None, None, None, None]);
        assert_eq!(triples("QED8WEX0").as_deref(), Some(b"ietf!".as_slice()));
        assert_eq!([triples("GGW"), triples("A"), triples(":::"), triples("bb8")], [None, None, None, None]);
    }
}
