//! The suite `interop`: one device, its published keys, and its sessions.

use std::collections::BTreeMap;

use bisik::StorageKey;
use bisik::interop::signal::{
    AcceptError, Accepted, Ciphertext, DecryptError, Identity, IdentityKey, KeyPair, MessageKind, OneTimePreKey,
    PreKeyBundle, PreKeys, PublicKey, Reinitiated, Session, SignedPreKey, Trust,
};
use rand::RngExt;
use serde_json::{Value, json};

use crate::draws::draws;
use crate::protocol::{Address, Answer, Args, Failure, to_hex};

/// A public constant: these records are for tests.
pub(crate) const STORAGE: [u8; 32] = [0; 32];
/// The context of all records. It is always the same, so that a record can be loaded for another address.
pub(crate) const CONTEXT: &[u8] = b"peer";

/// The identities that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// The first identity of each address.
    FirstUse,
    /// Any identity, even if it replaces another.
    Always,
    /// No identity.
    Never,
}

/// One device.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) device: u32,
    pub(crate) identity: Identity,
    /// `None` until the first bundle, because the caller chooses the number of the signed pre-key.
    keys: Option<PreKeys>,
    /// The published signed pre-keys with their private keys, so that they can be published again.
    signed: BTreeMap<u32, (SignedPreKey, [u8; 32])>,
    one_time: BTreeMap<u32, [u8; 32]>,
    sessions: BTreeMap<Address, Session>,
    known: BTreeMap<Address, IdentityKey>,
    policy: Policy,
    /// Whether to use libsignal's numbers and names of message types, instead of those of stanzas.
    signal_types: bool,
}

impl Device {
    pub(crate) fn init(args: Args<'_>) -> Result<(Self, Value), Failure> {
        let rng = &mut rand::rng();
        let mut identity = Identity::generate(rng);
        let registration_id = args.find_number("registrationId")?.unwrap_or(identity.registration_id());
        let private = args.find_array("identityPrivate")?.unwrap_or(*identity.pair().expose_secret_bytes());
        identity = Identity::from_secret_bytes(private, registration_id);
        let name = args.find_text("name")?.map_or_else(|| rng.random::<u32>().to_string(), String::from);
        let device = Self {
            name,
            device: args.find_number("device")?.unwrap_or(1),
            identity,
            keys: None,
            signed: BTreeMap::new(),
            one_time: BTreeMap::new(),
            sessions: BTreeMap::new(),
            known: BTreeMap::new(),
            policy: policy(args.find_text("trust")?)?,
            signal_types: args.find_text("family")? == Some("signal"),
        };
        let result = json!({
            "suite": "interop",
            "name": device.name,
            "device": device.device,
            "registrationId": registration_id,
            "identityKey": to_hex(&device.identity.public().to_bytes()),
            "identityPrivate": to_hex(device.identity.pair().expose_secret_bytes()),
        });
        Ok((device, result))
    }

    pub(crate) fn set_trust(&mut self, args: Args<'_>) -> Answer {
        self.policy = policy(Some(args.text("trust")?))?;
        Ok(json!({}))
    }

    pub(crate) fn gen_bundle(&mut self, args: Args<'_>) -> Answer {
        let signed = self.signed_pre_key(args)?;
        let one_time = if args.is_null("preKeyId") { None } else { Some(self.one_time_pre_key(args)?) };
        let private = |known: [u8; 32]| to_hex(&known);
        let one_time_private = one_time.and_then(|key| self.one_time.get(&key.id).copied()).map(private);
        let signed_private = self.signed.get(&signed.id).map(|(_, known)| private(*known));
        let mut result = json!({ "bundle": {
            "registrationId": self.identity.registration_id(),
            "deviceId": self.device,
            "identityKey": to_hex(&self.identity.public().to_bytes()),
            "preKeyId": one_time.map(|key| key.id),
            "preKeyPublic": one_time.map(|key| to_hex(&key.key.to_bytes())),
            "signedPreKeyId": signed.id,
            "signedPreKeyPublic": to_hex(&signed.key.to_bytes()),
            "signedPreKeySignature": to_hex(&signed.signature),
        }});
        if args.flag("includePrivate")?
            && let Some(members) = result.as_object_mut()
        {
            let both = json!({ "preKeyPrivate": one_time_private, "signedPreKeyPrivate": signed_private });
            members.insert("private".into(), both);
        }
        Ok(result)
    }

    /// Returns the signed pre-key. A number that is already held is published again, unless the request supplies
    /// another private key.
    fn signed_pre_key(&mut self, args: Args<'_>) -> Result<SignedPreKey, Failure> {
        let rng = &mut rand::rng();
        let id = args.find_number("signedPreKeyId")?.unwrap_or(1);
        let given = args.find_array("signedPreKeyPrivate")?.map(KeyPair::from_secret_bytes);
        if let Some((published, _)) = self.signed.get(&id)
            && given.as_ref().is_none_or(|pair| pair.public() == published.key)
        {
            return Ok(*published);
        }
        let pair = given.unwrap_or_else(|| KeyPair::generate(rng));
        let private = *pair.expose_secret_bytes();
        match &mut self.keys {
            Some(keys) => keys.insert_signed(&self.identity, id, pair, rng)?,
            None => self.keys = Some(PreKeys::with_signed(&self.identity, id, pair, rng)),
        }
        let published = self.keys.as_ref().and_then(PreKeys::signed).ok_or_else(no_keys)?;
        self.signed.insert(id, (published, private));
        Ok(published)
    }

    fn one_time_pre_key(&mut self, args: Args<'_>) -> Result<OneTimePreKey, Failure> {
        let rng = &mut rand::rng();
        let id = args.find_number("preKeyId")?.unwrap_or_else(|| rng.random_range(1..0x00ff_ffff));
        let given = args.find_array("preKeyPrivate")?.map(KeyPair::from_secret_bytes);
        let keys = self.keys.as_mut().ok_or_else(no_keys)?;
        if let Some(published) = keys.one_time(id)
            && given.as_ref().is_none_or(|pair| pair.public() == published.key)
        {
            return Ok(published);
        }
        let pair = given.unwrap_or_else(|| KeyPair::generate(rng));
        let private = *pair.expose_secret_bytes();
        keys.insert_one_time(id, pair)?;
        self.one_time.insert(id, private);
        keys.one_time(id).ok_or_else(no_keys)
    }

    pub(crate) fn process_bundle(&mut self, args: Args<'_>) -> Answer {
        let rng = &mut *draws(args, "random")?;
        let address = args.address("address")?;
        let bundle = bundle(args.object("bundle")?)?.verify(trust(self.policy, self.known.get(&address))?)?;
        let peer = *bundle.identity();
        match self.sessions.get_mut(&address).filter(|session| *session.peer() == peer) {
            Some(session) => session.reinitiate(&self.identity, &bundle, rng)?,
            None => {
                let session = Session::initiate(&self.identity, &bundle, rng)?;
                self.sessions.insert(address.clone(), session);
            }
        }
        self.known.insert(address, peer);
        Ok(json!({}))
    }

    pub(crate) fn encrypt(&mut self, args: Args<'_>) -> Answer {
        let (to, plaintext) = (args.address("to")?, args.hex("plaintext")?);
        let session = self.sessions.get_mut(&to).ok_or_else(|| no_session(&to))?;
        let message = session.encrypt(&plaintext, &mut *draws(args, "random")?)?;
        let (number, name) = match (message.kind() == MessageKind::PreKey, self.signal_types) {
            (false, false) => (1, "msg"),
            (false, true) => (2, "whisper"),
            (true, false) => (3, "pkmsg"),
            (true, true) => (3, "prekey"),
        };
        Ok(json!({ "type": number, "typeName": name, "body": to_hex(message.as_bytes()) }))
    }

    pub(crate) fn decrypt(&mut self, args: Args<'_>) -> Answer {
        let (from, kind) = (args.address("from")?, kind(args)?);
        let message = Ciphertext::from_parts(kind, &args.hex("body")?)?;
        let plaintext = match self.sessions.get_mut(&from).map(|session| session.decrypt(&message)) {
            None => self.accept(from, &message)?,
            Some(Err(DecryptError::OpensNewSession)) => self.accept_reinitiated(from, &message)?,
            Some(other) => other?,
        };
        Ok(json!({ "plaintext": to_hex(&plaintext) }))
    }

    fn accept(&mut self, from: Address, message: &Ciphertext) -> Result<Vec<u8>, Failure> {
        let trust = trust(self.policy, self.known.get(&from))?;
        let keys = self.keys.as_mut().ok_or_else(no_keys)?;
        let Accepted { session, plaintext, used } = Session::accept(&self.identity, keys, message, trust)?;
        keys.remove(used);
        self.known.insert(from.clone(), *session.peer());
        self.sessions.insert(from, session);
        Ok(plaintext)
    }

    fn accept_reinitiated(&mut self, from: Address, message: &Ciphertext) -> Result<Vec<u8>, Failure> {
        let keys = self.keys.as_mut().ok_or_else(no_keys)?;
        let session = self.sessions.get_mut(&from).ok_or_else(|| no_session(&from))?;
        match session.accept_reinitiated(&self.identity, keys, message) {
            Ok(Reinitiated { plaintext, used }) => {
                keys.remove(used);
                Ok(plaintext)
            }
            Err(AcceptError::IdentityMismatch) if self.policy == Policy::Always => self.accept(from, message),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn dump_session(&mut self, args: Args<'_>) -> Answer {
        let seal = |session: &mut Session| -> Result<_, Failure> {
            Ok(to_hex(session.seal(&StorageKey::from_bytes(STORAGE), CONTEXT, &mut rand::rng())?.as_bytes()))
        };
        let record = self.sessions.get_mut(&args.address("address")?).map(seal).transpose()?;
        Ok(json!({ "record": record }))
    }

    pub(crate) fn load_session(&mut self, args: Args<'_>) -> Answer {
        let session = Session::unseal(&StorageKey::from_bytes(STORAGE), CONTEXT, &args.hex("record")?)?;
        let address = args.address("address")?;
        self.known.insert(address.clone(), *session.peer());
        self.sessions.insert(address, session);
        Ok(json!({}))
    }

    pub(crate) fn delete_session(&mut self, args: Args<'_>) -> Answer {
        Ok(json!({ "deleted": self.sessions.remove(&args.address("address")?).is_some() }))
    }
}

fn policy(text: Option<&str>) -> Result<Policy, Failure> {
    match text {
        None | Some("tofu") => Ok(Policy::FirstUse),
        Some("always") => Ok(Policy::Always),
        Some("never") => Ok(Policy::Never),
        Some(_) => Err(Failure::missing("trust", "tofu, always or never")),
    }
}

fn trust(policy: Policy, known: Option<&IdentityKey>) -> Result<Trust<'_>, Failure> {
    match (policy, known) {
        (Policy::Never, _) => Err(Failure::new("Untrusted", "no identity is trusted")),
        (Policy::FirstUse, Some(known)) => Ok(Trust::Pinned(known)),
        (Policy::FirstUse, None) | (Policy::Always, _) => Ok(Trust::OnFirstUse),
    }
}

fn bundle(args: Args<'_>) -> Result<PreKeyBundle, Failure> {
    let one_time = match (args.find_number("preKeyId")?, args.find_hex("preKeyPublic")?) {
        (Some(id), Some(key)) => Some(OneTimePreKey { id, key: PublicKey::from_bytes(&key)? }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(Failure::missing("preKeyPublic", "both its id and the key")),
    };
    Ok(PreKeyBundle {
        registration_id: args.number("registrationId")?,
        device_id: args.find_number("deviceId")?.unwrap_or(1),
        identity: IdentityKey::from_bytes(&args.hex("identityKey")?)?,
        one_time,
        signed: SignedPreKey {
            id: args.number("signedPreKeyId")?,
            key: PublicKey::from_bytes(&args.hex("signedPreKeyPublic")?)?,
            signature: args.array("signedPreKeySignature")?,
        },
    })
}

/// Returns the message type, from the numbers and names of both families.
pub(crate) fn kind(args: Args<'_>) -> Result<MessageKind, Failure> {
    match args.find("type") {
        Some(Value::String(name)) if ["msg", "whisper", "1", "2"].contains(&name.as_str()) => Ok(MessageKind::Whisper),
        Some(Value::String(name)) if ["pkmsg", "prekey", "3"].contains(&name.as_str()) => Ok(MessageKind::PreKey),
        Some(number) if matches!(number.as_u64(), Some(1 | 2)) => Ok(MessageKind::Whisper),
        Some(number) if number.as_u64() == Some(3) => Ok(MessageKind::PreKey),
        Some(_) | None => Err(Failure::missing("type", "1, 2, msg or whisper; 3, pkmsg or prekey")),
    }
}

pub(crate) fn no_session(address: &Address) -> Failure {
    Failure::new("NoSession", format!("there is no session with {}.{}", address.name, address.device))
}

fn no_keys() -> Failure {
    Failure::new("NoPreKeys", "no bundle was made")
}
