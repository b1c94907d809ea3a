//! What the suite `interop` shares beside messages: app state, repeated uploads, and add-ons to a message.

use bisik::interop::whatsapp::media::MediaKey;
use bisik::interop::whatsapp::{
    AddOn, AppStateKeys, Collection, LtHash, MessageSecret, Operation, SealedPayload, UseCase,
};
use serde_json::{Value, json};

use crate::draws::draws;
use crate::protocol::{Answer, Args, Failure, from_hex, sized, to_hex};

/// The answer, if `op` is one of these operations.
pub(crate) fn run(op: &str, args: Args<'_>) -> Option<Answer> {
    Some(match op {
        "app_state_seal" => app_state_seal(args),
        "app_state_open" => app_state_open(args),
        "app_state_tags" => app_state_tags(args),
        "app_state_verify" => app_state_verify(args),
        "media_retry_encrypt" => media_retry_encrypt(args),
        "media_retry_decrypt" => media_retry_decrypt(args),
        "add_on_encrypt" => add_on_encrypt(args),
        "add_on_decrypt" => add_on_decrypt(args),
        "reporting_token" => reporting_token(args),
        _ => return None,
    })
}

fn app_state_keys(args: Args<'_>) -> Result<AppStateKeys, Failure> {
    Ok(AppStateKeys::derive(&args.array("keyData")?, &args.hex("keyId")?))
}

fn operation(args: Args<'_>) -> Result<Operation, Failure> {
    match args.text("operation")? {
        "SET" => Ok(Operation::Set),
        "REMOVE" => Ok(Operation::Remove),
        _ => Err(Failure::missing("operation", "SET or REMOVE")),
    }
}

fn collection(args: Args<'_>) -> Result<Collection, Failure> {
    let name = args.text("collection")?;
    let found = Collection::ALL.into_iter().find(|collection| collection.name() == name);
    found.ok_or_else(|| Failure::missing("collection", "the name of a collection"))
}

fn app_state_seal(args: Args<'_>) -> Answer {
    let (keys, index) = (app_state_keys(args)?, args.hex("index")?);
    let sealed = keys.seal(operation(args)?, &args.hex("value")?, &mut *draws(args, "random")?);
    let tag = AppStateKeys::tag_of(&sealed)?;
    Ok(json!({ "indexTag": to_hex(&keys.index_tag(&index)), "sealed": to_hex(&sealed), "tag": to_hex(tag) }))
}

/// Opens a value. With `index`, also verifies that `indexTag` is the tag of that index.
fn app_state_open(args: Args<'_>) -> Answer {
    let (keys, sealed) = (app_state_keys(args)?, args.hex("sealed")?);
    let value = keys.open(operation(args)?, &sealed)?;
    if let Some(index) = args.find_hex("index")? {
        keys.verify_index(&index, &args.array("indexTag")?)?;
    }
    Ok(json!({ "value": to_hex(&value), "tag": to_hex(AppStateKeys::tag_of(&sealed)?) }))
}

/// The hash after a patch, with the tags of the snapshot and of the patch.
fn app_state_tags(args: Args<'_>) -> Answer {
    let (keys, version, collection) = (app_state_keys(args)?, args.size("version")?, collection(args)?);
    let (hash, values) = (hash(args)?, tags(args, "values")?);
    let snapshot = keys.snapshot_tag(&hash, version, collection);
    let patch = keys.patch_tag(&snapshot, &values, version, collection);
    Ok(json!({ "hash": to_hex(hash.as_bytes()), "snapshotTag": to_hex(&snapshot), "patchTag": to_hex(&patch) }))
}

/// Verifies both tags of a patch that arrived.
fn app_state_verify(args: Args<'_>) -> Answer {
    let (keys, version, collection) = (app_state_keys(args)?, args.size("version")?, collection(args)?);
    let (hash, snapshot) = (hash(args)?, args.array("snapshotTag")?);
    keys.verify_patch(&snapshot, &tags(args, "values")?, version, collection, &args.array("patchTag")?)?;
    keys.verify_snapshot(&hash, version, collection, &snapshot)?;
    Ok(json!({ "hash": to_hex(hash.as_bytes()) }))
}

/// The hash `base` (zeros if absent), after `subtract` and `add`.
fn hash(args: Args<'_>) -> Result<LtHash, Failure> {
    let mut hash = args.find_array("base")?.map_or_else(LtHash::new, LtHash::from_bytes);
    tags(args, "subtract")?.iter().for_each(|tag| hash.subtract(tag));
    tags(args, "add")?.iter().for_each(|tag| hash.add(tag));
    Ok(hash)
}

fn tags(args: Args<'_>, name: &str) -> Result<Vec<[u8; 32]>, Failure> {
    args.list(name)?.iter().map(|value: &Value| sized(name, from_hex(name, value)?)).collect()
}

fn media_retry_encrypt(args: Args<'_>) -> Answer {
    let (key, payload) = (MediaKey::from_bytes(args.array("mediaKey")?), args.hex("payload")?);
    let SealedPayload { iv, payload } = key.seal_retry(args.text("msgId")?, &payload, &mut *draws(args, "random")?)?;
    Ok(json!({ "iv": to_hex(&iv), "ciphertext": to_hex(&payload) }))
}

fn media_retry_decrypt(args: Args<'_>) -> Answer {
    let key = MediaKey::from_bytes(args.array("mediaKey")?);
    let sealed = SealedPayload { iv: args.array("iv")?, payload: args.hex("ciphertext")? };
    Ok(json!({ "payload": to_hex(&key.open_retry(args.text("msgId")?, &sealed)?) }))
}

fn add_on(args: Args<'_>) -> Result<(MessageSecret, AddOn<'_>), Failure> {
    let use_case = match args.find_text("useCase")? {
        Some("Event Response") => UseCase::EventResponse,
        Some("Enc Reaction") => UseCase::Reaction,
        Some("Enc Comment") => UseCase::Comment,
        Some("Event Edit") => UseCase::EventEdit,
        Some("Message Edit") => UseCase::MessageEdit,
        None => UseCase::ReportToken,
        Some(_) => return Err(Failure::missing("useCase", "the name of a use, as it enters the key")),
    };
    let context = AddOn {
        use_case,
        parent: args.text("parent")?,
        parent_sender: args.text("parentSender")?,
        author: args.text("author")?,
    };
    Ok((MessageSecret::from_bytes(args.array("secret")?), context))
}

fn add_on_encrypt(args: Args<'_>) -> Answer {
    let (secret, context) = add_on(args)?;
    let SealedPayload { iv, payload } = secret.seal(&context, &args.hex("payload")?, &mut *draws(args, "random")?)?;
    Ok(json!({ "encIv": to_hex(&iv), "encPayload": to_hex(&payload) }))
}

fn add_on_decrypt(args: Args<'_>) -> Answer {
    let (secret, context) = add_on(args)?;
    let sealed = SealedPayload { iv: args.array("encIv")?, payload: args.hex("encPayload")? };
    Ok(json!({ "payload": to_hex(&secret.open(&context, &sealed)?) }))
}

fn reporting_token(args: Args<'_>) -> Answer {
    let (secret, context) = add_on(args)?;
    Ok(json!({ "token": to_hex(&secret.reporting_token(&context, &args.hex("fields")?)) }))
}
