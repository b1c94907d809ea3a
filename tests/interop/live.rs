//! Conversations recorded with other implementations by `tests/live --record` replay identically: every ciphertext,
//! plaintext and refusal.
//!
//! The recordings hold the private keys and the randomness.

use std::fmt::Debug;
use std::fs;

use bisik::StorageKey;
use bisik::interop::signal::{
    Accepted, BundleError, Ciphertext, Identity, IdentityKey, KeyPair, MessageKind, OneTimePreKey, Party, PreKeyBundle,
    PreKeys, PublicKey, SafetyNumber, ScanError, Session, SignedPreKey, Trust, xeddsa,
};
use bisik::interop::signal::{Distribution, GroupDecryptError, GroupReceiver, GroupSender, SenderKeyFormat};
use bisik::interop::whatsapp::media::{Attachment, MediaError, MediaKey, MediaKind};
use bisik::interop::whatsapp::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
use serde_json::Value;

use super::known::{Draws, from_hex};
use super::pair::image;

const PEERS: [&str; 5] = ["js", "wasm", "python", "signal", "baileys"];

/// The entries called `name` in all records.
fn recorded(name: &str) -> Vec<Value> {
    let all = PEERS.iter().flat_map(|peer| {
        let text = fs::read_to_string(format!("tests/vectors/interop/live-{peer}.json")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        record[name].as_array().cloned().unwrap_or_default()
    });
    all.collect()
}

fn hex(value: &Value, name: &str) -> Vec<u8> {
    from_hex(value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")))
}

fn array<const N: usize>(value: &Value, name: &str) -> [u8; N] {
    hex(value, name).try_into().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn number(value: &Value, name: &str) -> u32 {
    value[name].as_u64().unwrap().try_into().unwrap()
}

fn key(value: &Value, name: &str) -> PublicKey {
    PublicKey::from_bytes(&hex(value, name)).unwrap()
}

/// This implementation's side of a recorded session.
struct Replay {
    identity: Identity,
    keys: PreKeys,
    peer: IdentityKey,
    session: Option<Session>,
}

impl Replay {
    fn of(record: &Value) -> Self {
        let rng = &mut rand::rng();
        let identity =
            Identity::from_secret_bytes(array(record, "identity_private"), number(record, "registration_id"));
        let pair = |named: &Value| {
            let private = from_hex(named[1].as_str().unwrap()).try_into().unwrap();
            (named[0].as_u64().unwrap().try_into().unwrap(), KeyPair::from_secret_bytes(private))
        };
        let mut keys = match record["signed"].is_null() {
            true => PreKeys::generate(&identity, rng),
            false => {
                let (id, signed) = pair(&record["signed"]);
                PreKeys::with_signed(&identity, id, signed, rng)
            }
        };
        if !record["one_time"].is_null() {
            let (id, one_time) = pair(&record["one_time"]);
            keys.insert_one_time(id, one_time).unwrap();
        }
        Self { identity, keys, peer: IdentityKey::from(key(record, "peer_identity")), session: None }
    }

    fn initiate(&mut self, event: &Value) {
        let bundle = bundle(&event["bundle"]).verify(Trust::Pinned(&self.peer)).unwrap();
        let mut draws = Draws::listed(&hex(event, "random"));
        self.session = Some(Session::initiate(&self.identity, &bundle, &mut draws).unwrap());
        assert!(draws.is_used_up());
    }

    fn write(&mut self, event: &Value) {
        let session = self.session.as_mut().unwrap();
        let message = session.encrypt(&hex(event, "plaintext"), &mut Draws::listed(&hex(event, "random"))).unwrap();
        assert_eq!(message.kind(), kind(event));
        assert_eq!(message.as_bytes(), hex(event, "body"));
    }

    /// The plaintext, or the error's type and variant.
    fn read(&mut self, event: &Value) -> Result<Vec<u8>, String> {
        let message = Ciphertext::from_parts(kind(event), &hex(event, "body")).unwrap();
        match &mut self.session {
            Some(session) => session.decrypt(&message).map_err(|error| named("DecryptError", error)),
            None => {
                let accepted = Session::accept(&self.identity, &self.keys, &message, Trust::Pinned(&self.peer));
                let Accepted { session, plaintext, used } = accepted.map_err(|error| named("AcceptError", error))?;
                self.keys.remove(used);
                self.session = Some(session);
                Ok(plaintext)
            }
        }
    }

    fn reload(&mut self) {
        let key = StorageKey::from_bytes([1; 32]);
        let record =
            self.session.as_mut().map(|session| session.seal(&key, b"live", &mut rand::rng()).unwrap().into_bytes());
        self.session = record.map(|record| Session::unseal(&key, b"live", &record).unwrap());
    }
}

fn bundle(value: &Value) -> PreKeyBundle {
    let one_time = || OneTimePreKey { id: number(value, "preKeyId"), key: key(value, "preKeyPublic") };
    PreKeyBundle {
        registration_id: number(value, "registrationId"),
        device_id: number(value, "deviceId"),
        identity: IdentityKey::from(key(value, "identityKey")),
        one_time: (!value["preKeyId"].is_null()).then(one_time),
        signed: SignedPreKey {
            id: number(value, "signedPreKeyId"),
            key: key(value, "signedPreKeyPublic"),
            signature: array(value, "signedPreKeySignature"),
        },
    }
}

fn kind(event: &Value) -> MessageKind {
    if event["type"] == 3 { MessageKind::PreKey } else { MessageKind::Whisper }
}

fn named(name: &str, error: impl Debug) -> String {
    format!("{name}::{error:?}")
}

/// S-2.1, S-4.2, S-4.3, S-4.4.
#[test]
fn recorded_live_sessions_replay_identically() {
    let (mut written, mut read, mut refused) = (0, 0, 0);
    for record in recorded("sessions") {
        let mut replay = Replay::of(&record);
        for event in record["events"].as_array().unwrap() {
            match text(event, "do") {
                "refuse bundle" => {
                    let verified = bundle(&event["bundle"]).verify(Trust::Pinned(&replay.peer));
                    assert_eq!(verified.unwrap_err(), BundleError::BadSignature);
                }
                "initiate" => replay.initiate(event),
                "write" => {
                    replay.write(event);
                    written += 1;
                }
                "read" => {
                    replay.reload();
                    assert_eq!(replay.read(event), Ok(hex(event, "plaintext")));
                    read += 1;
                }
                "refuse" => {
                    let before = replay.session.as_mut().map(image);
                    assert_eq!(replay.read(event).unwrap_err(), text(event, "code"));
                    assert_eq!(replay.session.as_mut().map(image), before);
                    refused += 1;
                }
                "forget" => replay.session = None,
                other => panic!("{other}"),
            }
        }
    }
    assert!(written > 150 && read > 150 && refused > 20, "{written}, {read}, {refused}");
}

/// The distributions and messages of this implementation, byte for byte.
fn own_group(group: &Value, form: SenderKeyFormat) {
    let mut sender = None;
    for event in group["events"].as_array().unwrap() {
        match text(event, "do") {
            "distribution" => {
                let make = || GroupSender::generate(form, &mut Draws::listed(&hex(event, "random")));
                let sender: &mut GroupSender = sender.get_or_insert_with(make);
                assert_eq!(sender.distribution().to_bytes(), hex(event, "body"));
            }
            "message" => {
                let (plaintext, draws) = (hex(event, "plaintext"), &mut Draws::listed(&hex(event, "random")));
                assert_eq!(sender.as_mut().unwrap().encrypt(&plaintext, draws).unwrap(), hex(event, "body"));
            }
            "read" => {}
            other => panic!("{other}"),
        }
    }
}

/// Messages of another implementation: to a member from the beginning, and to one that joined later.
fn others_group(group: &Value) -> usize {
    let (mut members, mut early, mut read) = (Vec::new(), Vec::new(), 0);
    for event in group["events"].as_array().unwrap() {
        let body = hex(event, "body");
        match text(event, "do") {
            "distribution" => {
                let mut member = GroupReceiver::new();
                member.process(&Distribution::from_bytes(&body).unwrap());
                members.push(member);
            }
            "message" if members.len() == 1 => early.push(body),
            "message" => {}
            "read" => {
                let plaintext = hex(event, "plaintext");
                let not_distributed = Err(GroupDecryptError::NotDistributed);
                let late = if early.contains(&body) { not_distributed } else { Ok(plaintext.clone()) };
                assert_eq!(members[0].decrypt(&body), Ok(plaintext));
                assert_eq!(members[1].decrypt(&body), late);
                read += 1;
            }
            "refuse" => {
                let revision = members[0].revision();
                let refused = members[0].decrypt(&body).unwrap_err();
                assert_eq!(named("GroupDecryptError", refused), text(event, "code"));
                assert_eq!(members[0].revision(), revision);
            }
            other => panic!("{other}"),
        }
    }
    read
}

/// S-11.1, S-11.2, S-11.4, S-11.5.
#[test]
fn recorded_live_groups_replay_identically() {
    let mut read = 0;
    for group in recorded("groups") {
        let form = match group["name"]["distributionId"].as_str() {
            Some(uuid) => {
                SenderKeyFormat::Signal { distribution: from_hex(&uuid.replace('-', "")).try_into().unwrap() }
            }
            None => SenderKeyFormat::WhatsApp,
        };
        if group["sent_by_bisik"].as_bool().unwrap() {
            own_group(&group, form);
        } else {
            read += others_group(&group);
        }
    }
    assert!(read > 25, "{read}");
}

/// Attachments of every kind that another implementation has encrypted.
#[test]
fn recorded_live_attachments_decrypt() {
    let all = recorded("media");
    assert!(all.len() >= 17 * 4);
    for file in &all {
        let kind = match text(file, "kind") {
            "image" | "sticker" | "product" | "biz-cover-photo" => MediaKind::Image,
            "video" | "gif" | "ptv" => MediaKind::Video,
            "audio" | "ptt" => MediaKind::Audio,
            "document" => MediaKind::Document,
            "md-msg-hist" => MediaKind::History,
            "md-app-state" => MediaKind::AppState,
            "thumbnail-link" => MediaKind::LinkThumbnail,
            "thumbnail-document" => MediaKind::DocumentThumbnail,
            "thumbnail-image" => MediaKind::ImageThumbnail,
            "thumbnail-video" => MediaKind::VideoThumbnail,
            "payment-bg-image" => MediaKind::PaymentBackground,
            other => panic!("{other}"),
        };
        let media_key = MediaKey::from_bytes(array(file, "mediaKey"));
        let attachment = Attachment::new(kind, media_key, array(file, "fileSha256"), array(file, "fileEncSha256"))
            .with_size(number(file, "fileLength").into());
        let mut blob = hex(file, "enc");
        assert_eq!(attachment.decrypt(&blob), Ok(hex(file, "data")));
        *blob.last_mut().unwrap() ^= 1;
        assert_eq!(attachment.decrypt(&blob), Err(MediaError::Rejected));
        let of_blob = Attachment::of_blob(kind, MediaKey::from_bytes(array(file, "mediaKey")), &blob);
        assert_eq!(of_blob.map(drop), Err(MediaError::Rejected));
    }
}

#[test]
fn recorded_live_votes_open() {
    let all = recorded("polls");
    assert!(all.len() >= 20);
    for vote in &all {
        let secret = MessageSecret::from_bytes(array(vote, "pollEncKey"));
        let context = AddOn {
            use_case: UseCase::PollVote,
            parent: text(vote, "pollMsgId"),
            parent_sender: text(vote, "pollCreatorJid"),
            author: text(vote, "voterJid"),
        };
        let sealed = SealedPayload { iv: array(vote, "encIv"), payload: hex(vote, "encPayload") };
        let chosen = vote["selectedOptions"].as_array().unwrap();
        let chosen: Vec<_> = chosen.iter().map(|hash| from_hex(hash.as_str().unwrap()).try_into().unwrap()).collect();
        assert_eq!(secret.open_vote(&context, &sealed), Ok(PollVote::of_hashes(&chosen)));
        let other = AddOn { author: "628990000000@s.whatsapp.net", ..context };
        assert_eq!(secret.open_vote(&other, &sealed), Err(AddOnError::Rejected));
    }
}

#[test]
fn recorded_live_safety_numbers_match() {
    let all = recorded("fingerprints");
    assert!(all.len() >= 10);
    for pair in &all {
        let (local_id, remote_id) = (hex(pair, "localId"), hex(pair, "remoteId"));
        let (ours, theirs) = (IdentityKey::from(key(pair, "localKey")), IdentityKey::from(key(pair, "remoteKey")));
        let local = Party { identifier: &local_id, keys: &[ours] };
        let remote = Party { identifier: &remote_id, keys: &[theirs] };
        let safety_number = SafetyNumber::new(number(pair, "version"), &local, &remote);
        assert_eq!(safety_number.to_string(), text(pair, "displayable"));
        assert_eq!(safety_number.to_scannable(), hex(pair, "scannable"));
        assert_eq!(safety_number.verify(&hex(pair, "theirs")), Ok(()));
        assert_eq!(safety_number.verify(&hex(pair, "scannable")), Err(ScanError::Mismatch));
    }
}

/// S-1.7.
#[test]
fn recorded_live_signatures_verify() {
    let all = recorded("signatures");
    assert!(all.len() >= 40);
    for signed in &all {
        let (key, message, mut signature) =
            (key(signed, "publicKey"), hex(signed, "message"), array(signed, "signature"));
        assert!(xeddsa::verify(&key, &message, &signature));
        signature[40] ^= 1;
        assert!(!xeddsa::verify(&key, &message, &signature));
    }
}
