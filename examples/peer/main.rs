//! A peer for tests of other implementations. It reads one JSON object per line and writes one per line, until the input
//! ends.
//!
//! It uses neither network nor disk. For tests only: it reveals its secrets on request, and seals records under a key of
//! zeros.
//!
//! ```text
//! cargo run --release --features interop --example peer
//! {"id":1,"op":"init","name":"alice"}
//! {"id":1,"ok":true,"result":{"identityKey":"05..","identityPrivate":"..","name":"alice",...}}
//! {"id":2,"op":"encrypt","to":{"name":"bob","device":1},"plaintext":"68616c6f"}
//! {"id":2,"ok":false,"error":{"name":"PeerError","code":"NoSession","message":"there is no session with bob.1"}}
//! ```
//!
//! Bytes are hexadecimal. Requests are processed in order, one at a time. `id` is returned unchanged. The `name` of an
//! error is the type of the library's error, and its `code` the variant. Errors in the request itself have the name
//! `PeerError` and one of the codes `BadRequest`, `BadArgument`, `UnknownOperation`, `NotInitialised`, `NoPreKeys`,
//! `NoSession`, `NoSenderKey`, `Untrusted`, `Unsupported`. An error changes no state.
//!
//! `?` marks optional arguments. `init` starts over. All operations require it, except those marked with a star.
//!
//! | operation | arguments | result |
//! |---|---|---|
//! | `hello` * | | peer, version, suites, ops |
//! | `init` * | suite? (`interop`, `signal4`, `native`), name?, device? (1), registrationId?, identityPrivate?, trust?, family? | name, device, registrationId, identityKey, identityPrivate |
//! | `set_trust` | trust: `tofu` (the first identity of an address, the default), `always`, `never` | |
//! | `gen_bundle` | preKeyId? (null: none), signedPreKeyId? (1), preKeyPrivate?, signedPreKeyPrivate?, includePrivate? | bundle {registrationId, deviceId, identityKey, preKeyId, preKeyPublic, signedPreKeyId, signedPreKeyPublic, signedPreKeySignature}, private? {preKeyPrivate, signedPreKeyPrivate} |
//! | `process_bundle` | address {name, device?}, bundle | |
//! | `encrypt` | to, plaintext | type, typeName, body |
//! | `decrypt` | from, type (1, 2, `msg`, `whisper`; 3, `pkmsg`, `prekey`), body | plaintext |
//! | `inspect` * | type (also 4, 7, `skmsg`, `senderkey`), body | what the message says in the clear |
//! | `dump_session`, `load_session`, `delete_session` | address, record | record; nothing; deleted |
//! | `create_skdm` | groupId, or distributionId (a UUID); rotate? | body, keyId, chainId, iteration |
//! | `process_skdm` | from, body, groupId? | |
//! | `group_encrypt` | groupId or distributionId, plaintext | type, typeName, body |
//! | `group_decrypt` | from, body, groupId? | plaintext |
//! | `media_encrypt` * | data, mediaType, mediaKey? | mediaKey, enc, mac, fileSha256, fileEncSha256, fileLength, sidecar |
//! | `media_decrypt` * | enc, mediaKey, mediaType, fileSha256? with fileEncSha256?, fileLength?, startByte?, endByte? (not included), sidecar? | data |
//! | `poll_vote_encrypt` * | pollEncKey, pollMsgId, pollCreatorJid, voterJid, selectedOptions, encIv? | encIv, encPayload |
//! | `poll_vote_decrypt` * | pollEncKey, pollMsgId, pollCreatorJid, voterJid, encIv, encPayload | selectedOptions |
//! | `app_state_seal` * | keyData, keyId, operation (`SET`, `REMOVE`), index, value | indexTag, sealed, tag |
//! | `app_state_open` * | keyData, keyId, operation, sealed, index? with indexTag | value, tag |
//! | `app_state_tags` * | keyData, keyId, collection, version, base?, subtract, add, values | hash, snapshotTag, patchTag |
//! | `app_state_verify` * | the same, snapshotTag, patchTag | hash |
//! | `media_retry_encrypt` *, `media_retry_decrypt` * | mediaKey, msgId, payload; mediaKey, msgId, iv, ciphertext | iv, ciphertext; payload |
//! | `add_on_encrypt` *, `add_on_decrypt` * | secret, useCase, parent, parentSender, author, payload; or encIv, encPayload | encIv, encPayload; payload |
//! | `reporting_token` * | secret, parent, parentSender, author, fields | token |
//! | `sign` * | privateKey? (else the identity's), message, asSpecified? | signature |
//! | `verify` * | publicKey, message, signature | valid |
//! | `agree` * | privateKey, publicKey | shared |
//! | `fingerprint` * | localKey? (else the identity's), localId, remoteKey, remoteId, version? (2), iterations? (5200), theirs? | displayable, scannable, equal? |
//! | `gen_keypair` *, `public_from_private` * | ; privateKey | privateKey, publicKey |
//! | `pad` *, `unpad` * | data | padded; data |
//! | `exit` * | | |
//!
//! `process_bundle`, `encrypt`, `create_skdm`, `group_encrypt` and `sign` also take `random`: bytes to use in place of
//! randomness, so that a run can be recorded and repeated.
//!
//! Messages have type 1 `msg` or 3 `pkmsg`; with `family: "signal"`, 2 `whisper` or 3 `prekey`. If the number of a pre-key
//! that is held is given again, that pre-key is published again; another private key under its number is refused. A part
//! of a file is decrypted after the whole blob has been verified. With `fileLength`, both digests and `sidecar`, only the
//! needed part is verified first.
//!
//! With `suite: "signal4"`, version 4 of the Signal protocol:
//!
//! * `init` needs a name. Where both names are UUIDs, first messages carry them.
//! * `gen_bundle` rotates the signed and the last-resort Kyber pre-key; with `kyberPreKeyId` it makes a one-time one. A
//!   bundle also has {kyberPreKeyId, kyberPreKeyPublic, kyberPreKeySignature}.
//! * Bundles, sessions and `inspect` are all there is.
//!
//! With `suite: "native"`:
//!
//! * A bundle is {bytes}. It contains one-time keys unless `preKeyId` is null.
//! * `init`, `gen_bundle` and `process_bundle` also take `now` in milliseconds.
//! * `identityPrivate` is a sealed record, and a session's record is an array of sealed records.
//! * A file's result contains `pointer`, which `media_decrypt` takes in place of keys and digests. The media type is one
//!   such as `image/jpeg`, or a word of the other suite for it.
//! * `poll_create` {question, options, mostChoices?} returns `poll`, which the other two poll operations take in place of
//!   key and identifier. Options are chosen by their indices.
//! * Groups, signatures, agreements and safety numbers are `Unsupported`.

mod draws; //    randomness, or bytes in its place
mod groups; //   sender keys
mod interop; //  the suite `interop`
mod native; //   the suite `native`
mod protocol; // requests and replies
mod sessions; // bundles and sessions of the suite `interop`
mod shared; //   app state, repeated uploads and add-ons of the suite `interop`
mod version4; // the suite `signal4`

use std::io::{self, BufRead, Write};

use serde_json::{Map, Value, json};

use protocol::{Answer, Args, Failure};

/// Who this is, in one of the suites.
enum Peer {
    Interop(Box<interop::Peer>),
    Native(Box<native::Peer>),
    Version4(Box<version4::Peer>),
}

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut peer = Peer::Interop(Box::default());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (id, op, answer) = reply(&mut peer, &line);
        let reply = match answer {
            Ok(result) => json!({ "id": id, "ok": true, "result": result }),
            Err(failure) => json!({ "id": id, "ok": false, "error": failure.to_json() }),
        };
        writeln!(output, "{reply}")?;
        output.flush()?;
        if op == "exit" {
            return Ok(());
        }
    }
}

/// The request's id and operation, as far as they can be read, and what to answer.
fn reply(peer: &mut Peer, line: &[u8]) -> (Value, String, Answer) {
    let bad = |why: String| (Value::Null, String::new(), Err(Failure::new("BadRequest", why)));
    let request: Map<String, Value> = match serde_json::from_slice(line) {
        Ok(Value::Object(request)) => request,
        Ok(_) => return bad("a request is an object".into()),
        Err(error) => return bad(error.to_string()),
    };
    let id = request.get("id").cloned().unwrap_or_default();
    let Some(op) = request.get("op").and_then(Value::as_str) else {
        return (id, String::new(), Err(Failure::new("BadRequest", "op: a string expected")));
    };
    (id, op.into(), run(peer, op, Args::new(&request)))
}

fn run(peer: &mut Peer, op: &str, args: Args<'_>) -> Answer {
    if !OPERATIONS.contains(&op) {
        return Err(Failure::new("UnknownOperation", format!("unknown op {op}")));
    }
    match op {
        "hello" => Ok(json!({
            "peer": "bisik",
            "version": env!("CARGO_PKG_VERSION"),
            "suites": ["interop", "signal4", "native"],
            "ops": OPERATIONS.as_slice(),
        })),
        "exit" => Ok(json!({})),
        "init" => {
            let (made, result) = match args.find_text("suite")? {
                None | Some("interop") => {
                    interop::Peer::init(args).map(|(made, result)| (Peer::Interop(Box::new(made)), result))
                }
                Some("native") => native::Peer::init(args).map(|(made, result)| (Peer::Native(Box::new(made)), result)),
                Some("signal4") => {
                    version4::Peer::init(args).map(|(made, result)| (Peer::Version4(Box::new(made)), result))
                }
                Some(_) => Err(Failure::missing("suite", "interop, signal4 or native")),
            }?;
            *peer = made;
            Ok(result)
        }
        _ => match peer {
            Peer::Interop(peer) => peer.run(op, args),
            Peer::Native(peer) => peer.run(op, args),
            Peer::Version4(peer) => peer.run(op, args),
        },
    }
}

/// All of them, in either suite.
const OPERATIONS: [&str; 38] = [
    "hello",
    "init",
    "set_trust",
    "gen_bundle",
    "process_bundle",
    "encrypt",
    "decrypt",
    "inspect",
    "dump_session",
    "load_session",
    "delete_session",
    "create_skdm",
    "process_skdm",
    "group_encrypt",
    "group_decrypt",
    "media_encrypt",
    "media_decrypt",
    "poll_create",
    "poll_vote_encrypt",
    "poll_vote_decrypt",
    "app_state_seal",
    "app_state_open",
    "app_state_tags",
    "app_state_verify",
    "media_retry_encrypt",
    "media_retry_decrypt",
    "add_on_encrypt",
    "add_on_decrypt",
    "reporting_token",
    "sign",
    "verify",
    "agree",
    "fingerprint",
    "gen_keypair",
    "public_from_private",
    "pad",
    "unpad",
    "exit",
];
