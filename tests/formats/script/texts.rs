//! The steps about texts of values (docs/spec/conventions.md, section 1.7) and addressed envelopes
//! (docs/spec/conversations.md, section 12.10).

use core::fmt::{Debug, Display};
use core::str::FromStr;

use bisik::conversation::{ConversationId, Envelope, MessageId};
use bisik::device::link::{Invitation, QrCode};
use bisik::device::{AccountKey, DeviceCertificate, DeviceList, ListId};
use bisik::hosting::Disclosure;
use bisik::ratchet::PublicKey;
use bisik::{BundleId, Ciphertext, DisclosureHash, IdentityKey, PreKeyBundle};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::to_hex;

pub(super) fn run(step: &Step) -> Outcome {
    if step.need("do") == "read-envelope" {
        return read_envelope(step);
    }
    match step.need("form") {
        "identity-key" => convert::<IdentityKey, _>(step, |key| key.to_bytes().to_vec()),
        "account-key" => convert::<AccountKey, _>(step, |key| key.to_bytes().to_vec()),
        "public-key" => convert::<PublicKey, _>(step, |key| key.as_bytes().to_vec()),
        "message-id" => convert::<MessageId, _>(step, |id| id.to_bytes().to_vec()),
        "conversation-id" => convert::<ConversationId, _>(step, |id| id.as_bytes().to_vec()),
        "bundle-id" => convert::<BundleId, _>(step, |id| id.to_bytes().to_vec()),
        "list-id" => convert::<ListId, _>(step, |id| id.to_bytes().to_vec()),
        "disclosure-hash" => convert::<DisclosureHash, _>(step, |hash| hash.as_bytes().to_vec()),
        "bundle" => convert::<PreKeyBundle, _>(step, PreKeyBundle::to_bytes),
        "list" => convert::<DeviceList, _>(step, DeviceList::to_bytes),
        "certificate" => convert::<DeviceCertificate, _>(step, DeviceCertificate::to_bytes),
        "disclosure" => convert::<Disclosure, _>(step, Disclosure::to_bytes),
        "message" => convert::<Ciphertext, _>(step, |message| message.as_bytes().to_vec()),
        "envelope" => convert::<Envelope, _>(step, Envelope::to_bytes),
        "qr-code" => qr_code(step),
        form => panic!("{form} is not a form"),
    }
}

/// The text in a step.
fn written(step: &Step) -> String {
    String::from_utf8(step.hex("written")).expect("UTF-8")
}

fn convert<T, E>(step: &Step, bytes: impl Fn(&T) -> Vec<u8>) -> Outcome
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E>,
    E: Debug,
{
    // The words of the vectors are one for all kinds of error without variants.
    let word = |error: E| Some(word(error)).filter(|word| !word.ends_with("-error")).unwrap_or("malformed".into());
    if step.need("do") == "show" {
        let value = T::try_from(step.hex("value").as_slice()).map_err(word)?;
        return Ok(vec![("shown", to_hex(value.to_string().as_bytes()))]);
    }
    let value = written(step).parse::<T>().map_err(word)?;
    Ok(vec![("value", to_hex(&bytes(&value)))])
}

/// A QR code has no conversion from bytes but that of the invitation that it becomes: its text is read again.
fn qr_code(step: &Step) -> Outcome {
    if step.need("do") == "show" {
        let shown = String::from_utf8(step.hex("shown")).expect("ASCII");
        let code: QrCode = shown.parse().map_err(word)?;
        assert_eq!(code.as_bytes(), step.hex("value"));
        return Ok(vec![("shown", to_hex(code.to_string().as_bytes()))]);
    }
    let (code, invitation) = (written(step).parse::<QrCode>(), written(step).parse::<Invitation>());
    assert_eq!(code.as_ref().err(), invitation.as_ref().err());
    Ok(vec![("value", to_hex(code.map_err(word)?.as_bytes()))])
}

fn read_envelope(step: &Step) -> Outcome {
    let bytes = step.hex("envelope_read");
    let envelope = Envelope::from_bytes(&bytes).map_err(word)?;
    assert_eq!(envelope.to_bytes(), bytes, "one encoding");
    let header = envelope.header();
    let mut results = vec![
        ("receiver", to_hex(header.receiver_account())),
        ("receiver_index", header.receiver_index().to_string()),
        ("sender_account", to_hex(header.sender_account())),
        ("sender_index", header.sender_index().to_string()),
        ("message", to_hex(envelope.ciphertext.as_bytes())),
    ];
    results.extend(header.conversation().map(|id| ("conversation", to_hex(id.as_bytes()))));
    Ok(results)
}
