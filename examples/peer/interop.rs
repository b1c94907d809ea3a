//! The suite `interop`: dispatch by name, and the operations that need no session: files, votes, signatures, safety
//! numbers.

use bisik::interop::signal::{
    Ciphertext, Identity, IdentityKey, KeyPair, MessageKind, Party, PublicKey, SafetyNumber, xeddsa,
};
use bisik::interop::whatsapp::media::{self, Attachment, Encryptor, MediaKey, MediaKind};
use bisik::interop::whatsapp::{AddOn, MessageSecret, PollVote, SealedPayload, UseCase, pad, unpad};
use serde_json::{Value, json};

use crate::draws::draws;
use crate::groups::{self, Groups};
use crate::protocol::{Answer, Args, Failure, from_hex, sized, to_hex};
use crate::sessions::{self, Device};
use crate::shared;

/// The device that `init` created, if it was called.
#[derive(Default)]
pub(crate) struct Peer(Option<(Device, Groups)>);

impl Peer {
    pub(crate) fn init(args: Args<'_>) -> Result<(Self, Value), Failure> {
        let (device, result) = Device::init(args)?;
        Ok((Self(Some((device, Groups::default()))), result))
    }

    pub(crate) fn run(&mut self, op: &str, args: Args<'_>) -> Answer {
        let identity = self.0.as_ref().map(|(device, _)| &device.identity);
        if let Some(answer) = without_sessions(identity, op, args) {
            return answer;
        }
        let (device, groups) = self.0.as_mut().ok_or_else(not_initialised)?;
        match op {
            "set_trust" => device.set_trust(args),
            "gen_bundle" => device.gen_bundle(args),
            "process_bundle" => device.process_bundle(args),
            "encrypt" => device.encrypt(args),
            "decrypt" => device.decrypt(args),
            "dump_session" => device.dump_session(args),
            "load_session" => device.load_session(args),
            "delete_session" => device.delete_session(args),
            "create_skdm" => groups.create_skdm(args),
            "process_skdm" => groups.process_skdm(args),
            "group_encrypt" => groups.group_encrypt(args),
            "group_decrypt" => groups.group_decrypt(args),
            _ => Err(Failure::unsupported(op)),
        }
    }
}

fn without_sessions(identity: Option<&Identity>, op: &str, args: Args<'_>) -> Option<Answer> {
    Some(match op {
        "inspect" => inspect(args),
        "pad" => args.hex("data").map(|data| json!({ "padded": to_hex(&pad(&data, &mut rand::rng())) })),
        "unpad" => args.hex("data").and_then(|data| Ok(json!({ "data": to_hex(unpad(&data)?) }))),
        "media_encrypt" => media_encrypt(args),
        "media_decrypt" => media_decrypt(args),
        "poll_vote_encrypt" => poll_vote_encrypt(args),
        "poll_vote_decrypt" => poll_vote_decrypt(args),
        "gen_keypair" => Ok(pair(&KeyPair::generate(&mut rand::rng()))),
        "public_from_private" => args.array("privateKey").map(|private| pair(&KeyPair::from_secret_bytes(private))),
        "sign" => sign(identity, args),
        "verify" => verify(args),
        "agree" => agree(args),
        "fingerprint" => fingerprint(identity, args),
        _ => return shared::run(op, args),
    })
}

fn inspect(args: Args<'_>) -> Answer {
    let body = args.hex("body")?;
    let group = |value: &Value| {
        value.as_u64().is_some_and(|number| matches!(number, 4 | 7))
            || value.as_str().is_some_and(|name| matches!(name, "skmsg" | "senderkey"))
    };
    if args.find("type").is_some_and(group) {
        return groups::inspect(&body);
    }
    let kind = sessions::kind(args)?;
    let header = Ciphertext::from_parts(kind, &body)?.header().ok_or_else(|| Failure::new("Malformed", "no header"))?;
    let mut fields = json!({
        "firstByte": body.first(),
        "version": header.version >> 4,
        "ephemeralKey": to_hex(&header.ratchet_key.to_bytes()),
        "counter": header.counter,
        "previousCounter": header.previous_counter,
    });
    if let (Some(fields), Some(pre_key)) = (fields.as_object_mut(), header.pre_key) {
        fields.insert("registrationId".into(), pre_key.registration_id.into());
        fields.insert("preKeyId".into(), pre_key.pre_key_id.into());
        fields.insert("signedPreKeyId".into(), pre_key.signed_pre_key_id.into());
        fields.insert("baseKey".into(), to_hex(&pre_key.base_key.to_bytes()).into());
        fields.insert("identityKey".into(), to_hex(&pre_key.identity.to_bytes()).into());
    }
    if let (Some(fields), MessageKind::Whisper, Some(mac)) = (fields.as_object_mut(), kind, body.last_chunk::<8>()) {
        fields.insert("mac".into(), to_hex(mac).into());
    }
    Ok(fields)
}

/// Maps the clients' names for types of files.
fn media_kind(args: Args<'_>) -> Result<MediaKind, Failure> {
    match args.text("mediaType")? {
        "image" | "sticker" | "product" | "biz-cover-photo" => Ok(MediaKind::Image),
        "video" | "gif" | "ptv" => Ok(MediaKind::Video),
        "audio" | "ptt" => Ok(MediaKind::Audio),
        "document" => Ok(MediaKind::Document),
        "md-msg-hist" => Ok(MediaKind::History),
        "md-app-state" => Ok(MediaKind::AppState),
        "sticker-pack" => Ok(MediaKind::StickerPack),
        "thumbnail-link" => Ok(MediaKind::LinkThumbnail),
        "thumbnail-document" => Ok(MediaKind::DocumentThumbnail),
        "thumbnail-image" => Ok(MediaKind::ImageThumbnail),
        "thumbnail-video" => Ok(MediaKind::VideoThumbnail),
        "payment-bg-image" => Ok(MediaKind::PaymentBackground),
        _ => Err(Failure::missing("mediaType", "image, video, audio, document, or another kind of file")),
    }
}

fn media_encrypt(args: Args<'_>) -> Answer {
    let (kind, data) = (media_kind(args)?, args.hex("data")?);
    let (blob, attachment) = match args.find_array("mediaKey")? {
        Some(key) => {
            let (mut encryptor, mut blob) = (Encryptor::new(kind, MediaKey::from_bytes(key)), Vec::new());
            encryptor.push(&data, &mut blob)?;
            let attachment = encryptor.finish(&mut blob)?;
            (blob, attachment)
        }
        None => media::encrypt(kind, &data, &mut rand::rng())?,
    };
    Ok(json!({
        "mediaKey": to_hex(attachment.key().expose_bytes()),
        "enc": to_hex(&blob),
        "mac": blob.last_chunk::<10>().map(|mac| to_hex(mac)),
        "fileSha256": to_hex(attachment.file_sha256()),
        "fileEncSha256": to_hex(attachment.file_enc_sha256()),
        "fileLength": attachment.size(),
        "sidecar": to_hex(attachment.sidecar()),
    }))
}

fn media_decrypt(args: Args<'_>) -> Answer {
    let blob = args.hex("enc")?;
    let (kind, key) = (media_kind(args)?, args.array::<32>("mediaKey")?);
    let mut attachment = match (args.find_array("fileSha256")?, args.find_array("fileEncSha256")?) {
        (Some(file), Some(encrypted)) => Attachment::new(kind, MediaKey::from_bytes(key), file, encrypted),
        (None, None) => Attachment::of_blob(kind, MediaKey::from_bytes(key), &blob)?,
        _ => return Err(Failure::missing("fileSha256", "both digests or none")),
    };
    if let Some(size) = args.find_size("fileLength")? {
        attachment = attachment.with_size(size);
    }
    let (start, end) = (args.find_size("startByte")?, args.find_size("endByte")?);
    if start.is_none() && end.is_none() {
        return Ok(json!({ "data": to_hex(&attachment.decrypt(&blob)?) }));
    }
    let ranges = match args.find_hex("sidecar")? {
        Some(sidecar) => attachment.with_sidecar(sidecar).ranges()?,
        None => {
            let mut verifier = attachment.verifier();
            verifier.push(&blob)?;
            verifier.finish()?
        }
    };
    let plan = ranges.plan(start.unwrap_or(0)..end.unwrap_or(u64::MAX));
    let needed = plan.ciphertext();
    let (from, to) = (usize::try_from(needed.start)?, usize::try_from(needed.end)?);
    let mut data = Vec::new();
    ranges.decrypt(&plan, blob.get(from..to).unwrap_or_default(), &mut data)?;
    Ok(json!({ "data": to_hex(&data) }))
}

/// Returns a poll's secret, and the context of a vote in that poll.
fn vote(args: Args<'_>) -> Result<(MessageSecret, AddOn<'_>), Failure> {
    let context = AddOn {
        use_case: UseCase::PollVote,
        parent: args.text("pollMsgId")?,
        parent_sender: args.text("pollCreatorJid")?,
        author: args.text("voterJid")?,
    };
    Ok((MessageSecret::from_bytes(args.array("pollEncKey")?), context))
}

fn poll_vote_encrypt(args: Args<'_>) -> Answer {
    let (secret, context) = vote(args)?;
    let hash = |value| sized("selectedOptions", from_hex("selectedOptions", value)?);
    let hashes: Vec<[u8; 32]> = args.list("selectedOptions")?.iter().map(hash).collect::<Result<_, Failure>>()?;
    if hashes.len() > PollVote::MAX_CHOSEN {
        return Err(Failure::missing("selectedOptions", "at most 64 options"));
    }
    let vote = PollVote::of_hashes(&hashes);
    args.find_array::<12>("encIv")?;
    let SealedPayload { iv, payload } = secret.seal_vote(&context, &vote, &mut *draws(args, "encIv")?)?;
    Ok(json!({ "encIv": to_hex(&iv), "encPayload": to_hex(&payload) }))
}

fn poll_vote_decrypt(args: Args<'_>) -> Answer {
    let (secret, context) = vote(args)?;
    let sealed = SealedPayload { iv: args.array("encIv")?, payload: args.hex("encPayload")? };
    let vote = secret.open_vote(&context, &sealed)?;
    let chosen: Vec<_> = vote.chosen().iter().map(|hash| to_hex(hash)).collect();
    Ok(json!({ "selectedOptions": chosen }))
}

fn pair(pair: &KeyPair) -> Value {
    let (private, public) = (to_hex(pair.expose_secret_bytes()), to_hex(&pair.public().to_bytes()));
    json!({ "privateKey": private, "publicKey": public })
}

/// Accepts 33 bytes or 32, as both forms are in use.
fn public_key(args: Args<'_>, name: &str) -> Result<PublicKey, Failure> {
    let bytes = args.hex(name)?;
    Ok(match <&[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(raw) => PublicKey::from_raw(raw)?,
        Err(_) => PublicKey::from_bytes(&bytes)?,
    })
}

fn sign(identity: Option<&Identity>, args: Args<'_>) -> Answer {
    let (message, rng) = (args.hex("message")?, &mut *draws(args, "random")?);
    let given = args.find_array("privateKey")?.map(KeyPair::from_secret_bytes);
    let pair = given.as_ref().or(identity.map(Identity::pair)).ok_or_else(not_initialised)?;
    let signature = if args.flag("asSpecified")? {
        xeddsa::sign_as_specified(pair, &message, rng)
    } else {
        xeddsa::sign(pair, &message, rng)
    };
    Ok(json!({ "signature": to_hex(&signature) }))
}

/// Verifies a signature. Any other length than 64 bytes is an invalid signature.
fn verify(args: Args<'_>) -> Answer {
    let (key, message, signature) = (public_key(args, "publicKey")?, args.hex("message")?, args.hex("signature")?);
    let signature = <[u8; xeddsa::SIGNATURE]>::try_from(signature);
    Ok(json!({ "valid": signature.is_ok_and(|signature| xeddsa::verify(&key, &message, &signature)) }))
}

fn agree(args: Args<'_>) -> Answer {
    let pair = KeyPair::from_secret_bytes(args.array("privateKey")?);
    Ok(json!({ "shared": to_hex(&pair.agree(&public_key(args, "publicKey")?)?) }))
}

/// Computes a safety number. With `theirs`, a scanned code, also compares it.
fn fingerprint(identity: Option<&Identity>, args: Args<'_>) -> Answer {
    let ours = match args.find("localKey") {
        Some(_) => IdentityKey::from(public_key(args, "localKey")?),
        None => identity.map(Identity::public).ok_or_else(not_initialised)?,
    };
    let theirs = IdentityKey::from(public_key(args, "remoteKey")?);
    let (local, remote) = (args.hex("localId")?, args.hex("remoteId")?);
    let (version, iterations) = (args.find_number("version")?.unwrap_or(2), args.find_number("iterations")?);
    if iterations.is_some_and(|iterations| !(1..=MOST_ITERATIONS).contains(&iterations)) {
        return Err(Failure::missing("iterations", "1 to 1000000"));
    }
    let number = SafetyNumber::with_iterations(
        iterations.unwrap_or(bisik::interop::signal::ITERATIONS),
        version,
        &Party { identifier: &local, keys: &[ours] },
        &Party { identifier: &remote, keys: &[theirs] },
    );
    let mut result = json!({ "displayable": number.to_string(), "scannable": to_hex(&number.to_scannable()) });
    if let (Some(result), Some(scanned)) = (result.as_object_mut(), args.find_hex("theirs")?) {
        number.verify(&scanned)?;
        result.insert("equal".into(), true.into());
    }
    Ok(result)
}

fn not_initialised() -> Failure {
    Failure::new("NotInitialised", "call init first")
}

/// Takes some seconds.
const MOST_ITERATIONS: u32 = 1_000_000;
