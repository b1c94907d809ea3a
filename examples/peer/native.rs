//! The suite `native`: the same operations with PQXDH and the Double Ratchet with encrypted headers.
//!
//! Groups, signatures and safety numbers are not available in this suite.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bisik::content::{Content, ContentMeta, Kind, PersonId, Poll, SentAt, Votes};
use bisik::media::{self, HEADER, MediaType, Pointer, RandomAccess};
use bisik::{
    Accepted, BlockId, Ciphertext, DecryptError, Identity, IdentityKey, Plaintext, PreKeyBundle, PreKeys, Session,
    StorageKey, Timestamp, Trust,
};
use rand::RngExt;
use serde_json::{Value, json};

use crate::protocol::{Address, Answer, Args, Failure, from_hex, to_hex};
use crate::sessions::{CONTEXT, STORAGE, no_session};

/// One device.
pub(crate) struct Peer {
    identity: Identity,
    keys: PreKeys,
    /// The first session is used for sending. Two devices that start at the same time have two.
    sessions: BTreeMap<Address, Vec<Session>>,
    known: BTreeMap<Address, IdentityKey>,
    /// What belongs to the heads that were dumped.
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Peer {
    /// Initialises the device. `identityPrivate` is a sealed record in this suite.
    pub(crate) fn init(args: Args<'_>) -> Result<(Self, Value), Failure> {
        let rng = &mut rand::rng();
        let storage = StorageKey::from_bytes(STORAGE);
        let identity = match args.find_hex("identityPrivate")? {
            Some(record) => Identity::unseal(&storage, CONTEXT, &record)?,
            None => Identity::generate(rng),
        };
        let name = args.find_text("name")?.map_or_else(|| rng.random::<u32>().to_string(), String::from);
        let result = json!({
            "suite": "native",
            "name": name,
            "device": args.find_number("device")?.unwrap_or(1),
            "registrationId": args.find_number("registrationId")?,
            "identityKey": to_hex(&identity.public().to_bytes()),
            "identityPrivate": to_hex(&identity.seal(&storage, CONTEXT, rng)),
        });
        let keys = PreKeys::generate(&identity, now(args)?, rng);
        Ok((
            Self { identity, keys, sessions: BTreeMap::new(), known: BTreeMap::new(), blocks: BTreeMap::new() },
            result,
        ))
    }

    pub(crate) fn run(&mut self, op: &str, args: Args<'_>) -> Answer {
        match op {
            "gen_bundle" => self.gen_bundle(args),
            "process_bundle" => self.process_bundle(args),
            "encrypt" => self.encrypt(args),
            "decrypt" => self.decrypt(args),
            "inspect" => {
                let message = Ciphertext::from_bytes(&args.hex("body")?)?;
                Ok(json!({ "firstByte": message.as_bytes().first(), "first": message.is_pre_key_message() }))
            }
            "dump_session" => self.dump_session(args),
            "load_session" => self.load_session(args),
            "delete_session" => Ok(json!({ "deleted": self.sessions.remove(&args.address("address")?).is_some() })),
            "media_encrypt" => media_encrypt(args),
            "media_decrypt" => media_decrypt(args),
            "poll_create" => poll_create(args),
            "poll_vote_encrypt" => poll_vote_encrypt(args),
            "poll_vote_decrypt" => poll_vote_decrypt(args),
            _ => Err(Failure::unsupported(op)),
        }
    }

    fn gen_bundle(&mut self, args: Args<'_>) -> Answer {
        let bundle = if args.is_null("preKeyId") {
            self.keys.bundle()
        } else {
            let made = self.keys.replenish(&self.identity, 1, &mut rand::rng())?;
            made.into_iter().next().ok_or_else(|| Failure::new("NoPreKeys", "no bundle was made"))?
        };
        Ok(json!({ "bundle": { "bytes": to_hex(&bundle.to_bytes()) } }))
    }

    fn process_bundle(&mut self, args: Args<'_>) -> Answer {
        let address = args.address("address")?;
        let bundle = PreKeyBundle::from_bytes(&args.object("bundle")?.hex("bytes")?)?;
        let now = now(args)?;
        let bundle = bundle.verify(self.trust(&address), now)?;
        let session = Session::initiate(&self.identity, &bundle, now, &mut rand::rng())?;
        self.add(address, session);
        Ok(json!({}))
    }

    fn encrypt(&mut self, args: Args<'_>) -> Answer {
        let (to, plaintext) = (args.address("to")?, args.hex("plaintext")?);
        let session = self.sessions.get_mut(&to).and_then(|sessions| sessions.first_mut());
        let message = session.ok_or_else(|| no_session(&to))?.encrypt(&plaintext, &mut rand::rng())?;
        let (number, name) = if message.is_pre_key_message() { (3, "pkmsg") } else { (1, "msg") };
        Ok(json!({ "type": number, "typeName": name, "body": to_hex(message.as_bytes()) }))
    }

    /// Decrypts a message. Its bytes state its kind; `type` is ignored.
    fn decrypt(&mut self, args: Args<'_>) -> Answer {
        let (from, message) = (args.address("from")?, Ciphertext::from_bytes(&args.hex("body")?)?);
        let sessions = self.sessions.entry(from.clone()).or_default();
        let mut refused = DecryptError::OpensNewSession;
        for at in 0..sessions.len() {
            match sessions.get_mut(at).map(|session| session.decrypt(&self.identity, &message)) {
                Some(Ok(decrypted)) => {
                    let session = sessions.remove(at);
                    sessions.insert(0, session);
                    return Ok(json!({ "plaintext": to_hex(&show(decrypted.plaintext)) }));
                }
                // Keep an error from a session that recognised the message. It is more informative than those of
                // sessions that did not.
                Some(Err(DecryptError::OpensNewSession | DecryptError::Rejected)) if refused != FIRST => {}
                Some(Err(error)) => refused = error,
                None => {}
            }
        }
        if refused != FIRST || (!message.is_pre_key_message() && !sessions.is_empty()) {
            return Err(if refused == FIRST { DecryptError::Rejected.into() } else { refused.into() });
        }
        let Accepted { session, plaintext, used } =
            Session::accept(&self.identity, &self.keys, &message, self.trust(&from), now(args)?)?;
        self.keys.remove(used);
        self.add(from, session);
        Ok(json!({ "plaintext": to_hex(&plaintext.show_unconfirmed()) }))
    }

    fn trust(&self, address: &Address) -> Trust<'_> {
        self.known.get(address).map_or(Trust::OnFirstUse, Trust::Pinned)
    }

    fn add(&mut self, address: Address, session: Session) {
        self.known.insert(address.clone(), *session.peer());
        let sessions = self.sessions.entry(address).or_default();
        sessions.insert(0, session);
        sessions.truncate(MOST_SESSIONS);
    }

    /// Returns a list of records, one for each session with the address.
    fn dump_session(&mut self, args: Args<'_>) -> Answer {
        let storage = StorageKey::from_bytes(STORAGE);
        let blocks = &mut self.blocks;
        let seal = |session: &mut Session| -> Result<_, Failure> {
            let sealed = session.seal(&storage, CONTEXT, &mut rand::rng())?;
            blocks.extend(sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())));
            Ok(to_hex(sealed.head()))
        };
        let sessions = self.sessions.get_mut(&args.address("address")?).filter(|sessions| !sessions.is_empty());
        let records =
            sessions.map(|sessions| sessions.iter_mut().map(seal).collect::<Result<Vec<_>, _>>()).transpose()?;
        Ok(json!({ "record": records }))
    }

    fn load_session(&mut self, args: Args<'_>) -> Answer {
        let storage = StorageKey::from_bytes(STORAGE);
        let blocks = &self.blocks;
        let open =
            |value| Ok(Session::unseal(&storage, CONTEXT, &from_hex("record", value)?, |id| blocks.get(&id).cloned())?);
        let sessions: Vec<_> = args.list("record")?.iter().map(open).collect::<Result<_, Failure>>()?;
        let address = args.address("address")?;
        let first = sessions.first().ok_or_else(|| Failure::missing("record", "at least one record"))?;
        self.known.insert(address.clone(), *first.peer());
        self.sessions.insert(address, sessions);
        Ok(json!({}))
    }
}

fn media_encrypt(args: Args<'_>) -> Answer {
    let media_type = MediaType::new(full_type(args.text("mediaType")?))?;
    let (blob, pointer) = media::encrypt(media_type, &args.hex("data")?, &mut rand::rng())?;
    Ok(json!({
        "enc": to_hex(&blob),
        "pointer": to_hex(&pointer.to_bytes()),
        "fileLength": pointer.size(),
    }))
}

/// Maps the media words of the other suite to the media types they usually stand for.
fn full_type(word: &str) -> &str {
    match word {
        "image" => "image/jpeg",
        "video" | "gif" | "ptv" => "video/mp4",
        "audio" | "ptt" => "audio/ogg",
        "sticker" => "image/webp",
        _ if word.contains('/') => word,
        _ => "application/octet-stream",
    }
}

fn media_decrypt(args: Args<'_>) -> Answer {
    let (blob, pointer) = (args.hex("enc")?, Pointer::from_bytes(&args.hex("pointer")?)?);
    let (start, end) = (args.find_size("startByte")?, args.find_size("endByte")?);
    if start.is_none() && end.is_none() {
        return Ok(json!({ "data": to_hex(&pointer.decrypt(&blob)?) }));
    }
    let header = blob.first_chunk::<HEADER>().ok_or_else(|| Failure::missing("enc", "at least a header"))?;
    let access = RandomAccess::new(&pointer, header)?;
    let plan = access.plan(start.unwrap_or(0)..end.unwrap_or(u64::MAX));
    let needed = plan.ciphertext();
    let (from, to) = (usize::try_from(needed.start)?, usize::try_from(needed.end)?);
    let mut data = Vec::new();
    access.decrypt(&plan, blob.get(from..to).unwrap_or_default(), &mut data)?;
    Ok(json!({ "data": to_hex(&data) }))
}

fn poll_create(args: Args<'_>) -> Answer {
    let rng = &mut rand::rng();
    let option = |value: &Value| value.as_str().map(String::from);
    let options: Option<Vec<String>> = args.list("options")?.iter().map(option).collect();
    let options = options.ok_or_else(|| Failure::missing("options", "strings"))?;
    let most = args.find_number("mostChoices")?.unwrap_or(1);
    let poll = Poll::new(args.text("question")?, options.iter().map(String::as_str), most, rng);
    let content = Content::new(ContentMeta::new(sent(args)?, rng), Kind::Poll(poll))?;
    Ok(json!({ "poll": to_hex(content.as_body()) }))
}

/// Returns the poll, its author and the voter. Names are in UTF-8.
fn vote(args: Args<'_>) -> Result<(Content, PersonId, PersonId), Failure> {
    let person = |name| -> Result<_, Failure> { Ok(PersonId::new(args.text(name)?.as_bytes())?) };
    Ok((Content::from_body(&args.hex("poll")?)?, person("pollCreatorJid")?, person("voterJid")?))
}

fn poll_vote_encrypt(args: Args<'_>) -> Answer {
    let rng = &mut rand::rng();
    let (poll, creator, voter) = vote(args)?;
    let votes = Votes::in_poll(&poll, &creator).ok_or_else(no_poll)?;
    let choice = |value: &Value| value.as_u64().and_then(|choice| usize::try_from(choice).ok());
    let choices: Option<Vec<usize>> = args.list("selectedOptions")?.iter().map(choice).collect();
    let choices = choices.ok_or_else(|| Failure::missing("selectedOptions", "places of options, from 0"))?;
    let ballot = votes.cast(&choices, &voter, sent(args)?, None, rng)?;
    let content = Content::new(ContentMeta::new(sent(args)?, rng), Kind::Ballot(ballot))?;
    Ok(json!({ "encPayload": to_hex(content.as_body()) }))
}

fn poll_vote_decrypt(args: Args<'_>) -> Answer {
    let (poll, creator, voter) = vote(args)?;
    let votes = Votes::in_poll(&poll, &creator).ok_or_else(no_poll)?;
    let content = Content::from_body(&args.hex("encPayload")?)?;
    let Kind::Ballot(ballot) = content.kind() else {
        return Err(Failure::missing("encPayload", "a ballot"));
    };
    let choices: Vec<_> = votes.open(ballot, &voter)?.choices().collect();
    Ok(json!({ "selectedOptions": choices }))
}

fn no_poll() -> Failure {
    Failure::missing("poll", "what poll_create gave")
}

/// Returns `now` in milliseconds, or the clock's time.
fn milliseconds(args: Args<'_>) -> Result<u64, Failure> {
    match args.find_size("now")? {
        Some(now) => Ok(now),
        None => Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?),
    }
}

fn now(args: Args<'_>) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_unix_seconds(milliseconds(args)? / 1000))
}

fn sent(args: Args<'_>) -> Result<SentAt, Failure> {
    Ok(SentAt::from_unix_milliseconds(milliseconds(args)?)?)
}

/// The error to return as long as no session gives a more informative one.
const FIRST: DecryptError = DecryptError::OpensNewSession;
/// Sessions with one device.
const MOST_SESSIONS: usize = 5;

/// The peer shows every plaintext: who wrote it is up to the program that asks.
fn show(plaintext: Plaintext) -> Vec<u8> {
    match plaintext {
        Plaintext::Confirmed(plaintext) => plaintext,
        Plaintext::Unconfirmed(plaintext) => plaintext.show_unconfirmed(),
    }
}
