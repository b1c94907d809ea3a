//! The suite `signal4`: version 4 of the Signal protocol. One device, its published keys, and its sessions.

use std::collections::BTreeMap;

use bisik::StorageKey;
use bisik::interop::signal::v4::{
    Accepted, Addresses, Ciphertext, KyberKeyPair, KyberPreKey, KyberPublicKey, PreKeyBundle, PreKeys, Reinitiated,
    ServiceAddress, ServiceKind, Session,
};
use bisik::interop::signal::{
    DecryptError, Identity, IdentityKey, KeyPair, MessageKind, OneTimePreKey, PublicKey, SignedPreKey, Trust,
};
use serde_json::{Value, json};

use crate::draws::draws;
use crate::protocol::{Address, Answer, Args, Failure, to_hex};
use crate::sessions::{CONTEXT, STORAGE, kind, no_session};

/// One device.
pub(crate) struct Peer {
    address: Address,
    identity: Identity,
    keys: PreKeys,
    sessions: BTreeMap<Address, Session>,
}

impl Peer {
    pub(crate) fn init(args: Args<'_>) -> Result<(Self, Value), Failure> {
        let rng = &mut rand::rng();
        let mut identity = Identity::generate(rng);
        let registration_id = args.find_number("registrationId")?.unwrap_or(identity.registration_id());
        let private = args.find_array("identityPrivate")?.unwrap_or(*identity.pair().expose_secret_bytes());
        identity = Identity::from_secret_bytes(private, registration_id);
        let name = args.text("name")?.to_owned();
        let address = Address { name, device: args.find_number("device")?.unwrap_or(1) };
        let result = json!({
            "suite": "signal4",
            "name": address.name,
            "device": address.device,
            "registrationId": registration_id,
            "identityKey": to_hex(&identity.public().to_bytes()),
            "identityPrivate": to_hex(identity.pair().expose_secret_bytes()),
        });
        let keys = PreKeys::generate(&identity, rng);
        Ok((Self { address, identity, keys, sessions: BTreeMap::new() }, result))
    }

    pub(crate) fn run(&mut self, op: &str, args: Args<'_>) -> Answer {
        match op {
            "gen_bundle" => self.gen_bundle(args),
            "process_bundle" => self.process_bundle(args),
            "encrypt" => self.encrypt(args),
            "decrypt" => self.decrypt(args),
            "inspect" => inspect(args),
            "dump_session" => self.dump_session(args),
            "load_session" => self.load_session(args),
            "delete_session" => Ok(json!({ "deleted": self.sessions.remove(&args.address("address")?).is_some() })),
            _ => Err(Failure::unsupported(op)),
        }
    }

    /// A new signed pre-key and last-resort Kyber pre-key each time; one-time ones unless their number is null.
    fn gen_bundle(&mut self, args: Args<'_>) -> Answer {
        let rng = &mut rand::rng();
        self.keys.rotate(&self.identity, rng)?;
        let one_time = args.find_number("preKeyId")?;
        if let Some(id) = one_time {
            self.keys.insert_one_time(id, KeyPair::generate(rng))?;
        }
        let kyber = args.find_number("kyberPreKeyId")?;
        if let Some(id) = kyber {
            self.keys.insert_kyber(&self.identity, id, KyberKeyPair::generate(rng), rng)?;
        }
        let PreKeyBundle { registration_id, device_id, identity, one_time, signed, kyber } =
            self.keys.bundle(&self.identity, self.address.device, one_time, kyber)?;
        Ok(json!({ "bundle": {
            "registrationId": registration_id,
            "deviceId": device_id,
            "identityKey": to_hex(&identity.to_bytes()),
            "preKeyId": one_time.map(|key| key.id),
            "preKeyPublic": one_time.map(|key| to_hex(&key.key.to_bytes())),
            "signedPreKeyId": signed.id,
            "signedPreKeyPublic": to_hex(&signed.key.to_bytes()),
            "signedPreKeySignature": to_hex(&signed.signature),
            "kyberPreKeyId": kyber.id,
            "kyberPreKeyPublic": to_hex(&kyber.key.to_bytes()),
            "kyberPreKeySignature": to_hex(&kyber.signature),
        }}))
    }

    fn process_bundle(&mut self, args: Args<'_>) -> Answer {
        let rng = &mut *draws(args, "random")?;
        let address = args.address("address")?;
        let bundle = bundle(args.object("bundle")?)?.verify(Trust::OnFirstUse)?;
        match self.sessions.get_mut(&address).filter(|session| session.peer() == bundle.identity()) {
            Some(session) => session.reinitiate(&self.identity, &bundle, rng)?,
            None => {
                let session = Session::initiate(&self.identity, &bundle, self.addresses(&address), rng)?;
                self.sessions.insert(address, session);
            }
        }
        Ok(json!({}))
    }

    fn encrypt(&mut self, args: Args<'_>) -> Answer {
        let (to, plaintext) = (args.address("to")?, args.hex("plaintext")?);
        let session = self.sessions.get_mut(&to).ok_or_else(|| no_session(&to))?;
        let message = session.encrypt(&plaintext, &mut *draws(args, "random")?)?;
        let (number, name) = if message.kind() == MessageKind::PreKey { (3, "prekey") } else { (2, "whisper") };
        Ok(json!({ "type": number, "typeName": name, "body": to_hex(message.as_bytes()) }))
    }

    fn decrypt(&mut self, args: Args<'_>) -> Answer {
        let (from, kind) = (args.address("from")?, kind(args)?);
        let message = Ciphertext::from_parts(kind, &args.hex("body")?)?;
        let plaintext = match self.sessions.get_mut(&from).map(|session| session.decrypt(&message)) {
            None => {
                let (trust, addresses) = (Trust::OnFirstUse, self.addresses(&from));
                let Accepted { session, plaintext, used } =
                    Session::accept(&self.identity, &self.keys, &message, trust, addresses)?;
                self.keys.remove(used);
                self.sessions.insert(from, session);
                plaintext
            }
            Some(Err(DecryptError::OpensNewSession)) => {
                let session = self.sessions.get_mut(&from).ok_or_else(|| no_session(&from))?;
                let Reinitiated { plaintext, used } =
                    session.accept_reinitiated(&self.identity, &self.keys, &message)?;
                self.keys.remove(used);
                plaintext
            }
            Some(other) => other?,
        };
        Ok(json!({ "plaintext": to_hex(&plaintext) }))
    }

    fn dump_session(&mut self, args: Args<'_>) -> Answer {
        let (key, address) = (StorageKey::from_bytes(STORAGE), args.address("address")?);
        let Some(session) = self.sessions.get_mut(&address) else { return Ok(json!({ "record": null })) };
        let record = session.seal(&key, CONTEXT, &mut rand::rng())?;
        Ok(json!({ "record": to_hex(record.as_bytes()), "epoch": session.epoch() }))
    }

    fn load_session(&mut self, args: Args<'_>) -> Answer {
        let session = Session::unseal(&StorageKey::from_bytes(STORAGE), CONTEXT, &args.hex("record")?)?;
        self.sessions.insert(args.address("address")?, session);
        Ok(json!({}))
    }

    /// The names of both devices, if both are UUIDs.
    fn addresses(&self, peer: &Address) -> Option<Addresses> {
        Some(Addresses { ours: service(&self.address)?, theirs: service(peer)? })
    }
}

fn service(address: &Address) -> Option<ServiceAddress> {
    let (kind, text) = match address.name.strip_prefix("PNI:") {
        Some(text) => (ServiceKind::PhoneNumber, text),
        None => (ServiceKind::Account, address.name.as_str()),
    };
    let uuid = u128::from_str_radix(&text.replace('-', ""), 16).ok().filter(|_| text.len() == 36)?;
    Some(ServiceAddress { kind, uuid: uuid.to_be_bytes(), device: address.device.try_into().ok()? })
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
        kyber: KyberPreKey {
            id: args.number("kyberPreKeyId")?,
            key: KyberPublicKey::from_bytes(&args.hex("kyberPreKeyPublic")?)?,
            signature: args.array("kyberPreKeySignature")?,
        },
    })
}

fn inspect(args: Args<'_>) -> Answer {
    let header = Ciphertext::from_parts(kind(args)?, &args.hex("body")?)?.header();
    let header = header.ok_or_else(|| Failure::new("Malformed", "no header"))?;
    Ok(json!({
        "version": header.version >> 4,
        "counter": header.counter,
        "previousCounter": header.previous_counter,
        "epoch": header.epoch,
        "index": header.index,
        "baseKey": header.pre_key.map(|pre_key| to_hex(&pre_key.base_key.to_bytes())),
    }))
}
