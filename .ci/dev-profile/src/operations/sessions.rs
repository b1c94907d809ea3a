//! One device to one device.

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Trust};
use selftest::NotRandom;

use super::{NOW, Operation, Work, rng, work};
use crate::Failure;
use crate::primitives::Primitive::*;

pub const ALL: [Operation; 14] = [
    Operation::new("Identity::generate", &[], identity),
    Operation::new("PreKeys::generate", &[Generate], pre_keys),
    Operation::new("PreKeys::replenish", &[Generate], replenish),
    Operation::new("PreKeys::rotate", &[Generate], rotate),
    Operation::new("PreKeys::seal, unseal", &[], stored_pre_keys),
    Operation::new("PreKeyBundle: read, verify", &[Validate, MultiplyMany], bundle),
    Operation::new("Session::initiate", &[Encapsulate], initiate),
    Operation::new("Session::encrypt, first", &[], first),
    Operation::new("Session::accept", &[Generate, Decapsulate], accept),
    Operation::new("Session::encrypt, answer", &[], answer),
    Operation::new("Session::decrypt", &[Multiply], decrypt),
    Operation::new("Session::decrypt, 1,000 missing", &[Multiply], missing),
    Operation::new("Session::seal, unseal", &[], stored_session),
    Operation::new("Session: two epochs of the braid", BRAID, epochs),
];

/// All that a conversation of any length calls.
pub const BRAID: &[crate::primitives::Primitive] =
    &[GenerateInPieces, ValidateInPieces, EncapsulateFirst, EncapsulateSecond, DecapsulateInPieces];

/// Two devices, one of which has published a bundle.
struct Two {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    rng: NotRandom,
}

impl Two {
    fn new() -> Self {
        let mut rng = rng();
        let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
        let keys = PreKeys::generate(&bob, NOW, &mut rng);
        Self { alice, bob, keys, rng }
    }

    fn initiate(&mut self) -> Result<Session, Failure> {
        let bundle = self.keys.bundle().verify(Trust::Pinned(self.bob.public()), NOW)?;
        Ok(Session::initiate(&self.alice, &bundle, NOW, &mut self.rng)?)
    }

    /// A session on both sides, confirmed on both.
    fn session(&mut self) -> Result<(Session, Session), Failure> {
        let mut a = self.initiate()?;
        let hello = a.encrypt(b"halo", &mut self.rng)?;
        let Accepted { session: mut b, .. } = Session::accept(&self.bob, &self.keys, &hello, Trust::OnFirstUse, NOW)?;
        let answer = b.encrypt(b"hai", &mut self.rng)?;
        let _ = a.decrypt(&self.alice, &answer)?;
        Ok((a, b))
    }
}

fn identity() -> Result<Work, Failure> {
    work(|| Ok(drop(Identity::generate(&mut rng()))))
}

fn pre_keys() -> Result<Work, Failure> {
    let Two { bob, mut rng, .. } = Two::new();
    work(move || Ok(drop(PreKeys::generate(&bob, NOW, &mut rng))))
}

fn replenish() -> Result<Work, Failure> {
    let Two { bob, mut keys, mut rng, .. } = Two::new();
    work(move || Ok(drop(keys.replenish(&bob, 3, &mut rng)?)))
}

fn rotate() -> Result<Work, Failure> {
    let Two { bob, mut keys, mut rng, .. } = Two::new();
    work(move || {
        let _ = keys.rotate(&bob, NOW.plus_seconds(8 * 24 * 60 * 60), &mut rng)?;
        Ok(drop(keys.bundle()))
    })
}

fn stored_pre_keys() -> Result<Work, Failure> {
    let Two { bob, mut keys, mut rng, .. } = Two::new();
    keys.replenish(&bob, 20, &mut rng)?;
    work(move || {
        let key = StorageKey::generate(&mut rng);
        let record = keys.seal(&key, b"keys", &mut rng);
        Ok(drop(PreKeys::unseal(&key, b"keys", &record)?))
    })
}

fn bundle() -> Result<Work, Failure> {
    let Two { bob, keys, .. } = Two::new();
    let bytes = keys.bundle().to_bytes();
    work(move || Ok(drop(PreKeyBundle::from_bytes(&bytes)?.verify(Trust::Pinned(bob.public()), NOW)?)))
}

fn initiate() -> Result<Work, Failure> {
    let Two { alice, bob, keys, mut rng } = Two::new();
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), NOW)?;
    work(move || Ok(drop(Session::initiate(&alice, &bundle, NOW, &mut rng)?)))
}

fn first() -> Result<Work, Failure> {
    let mut two = Two::new();
    let mut session = two.initiate()?;
    work(move || Ok(drop(session.encrypt(b"halo", &mut two.rng)?)))
}

fn accept() -> Result<Work, Failure> {
    let mut two = Two::new();
    let hello = two.initiate()?.encrypt(b"halo", &mut two.rng)?;
    work(move || {
        let Two { alice, bob, mut keys, .. } = two;
        let hello = Ciphertext::from_bytes(hello.as_bytes())?;
        let accepted = Session::accept(&bob, &keys, &hello, Trust::Pinned(alice.public()), NOW)?;
        keys.remove(accepted.used);
        Ok(())
    })
}

fn answer() -> Result<Work, Failure> {
    let mut two = Two::new();
    let (_, mut session) = two.session()?;
    work(move || Ok(drop(session.encrypt(b"hai", &mut two.rng)?)))
}

fn decrypt() -> Result<Work, Failure> {
    let mut two = Two::new();
    let (mut a, mut b) = two.session()?;
    let message = a.encrypt(b"halo", &mut two.rng)?;
    work(move || Ok(drop(b.decrypt(&two.bob, &message)?)))
}

fn missing() -> Result<Work, Failure> {
    let mut two = Two::new();
    let (mut a, mut b) = two.session()?;
    for _ in 0..1_000 {
        a.encrypt(b"", &mut two.rng)?;
    }
    let message = a.encrypt(b"halo", &mut two.rng)?;
    work(move || Ok(drop(b.decrypt(&two.bob, &message)?)))
}

fn stored_session() -> Result<Work, Failure> {
    let mut two = Two::new();
    let (_, mut session) = two.session()?;
    work(move || {
        let key = StorageKey::generate(&mut two.rng);
        let parts = session.seal(&key, b"session", &mut two.rng)?;
        Ok(drop(Session::unseal(&key, b"session", parts.head(), |_| None)?))
    })
}

fn epochs() -> Result<Work, Failure> {
    let mut two = Two::new();
    let (mut a, mut b) = two.session()?;
    work(move || {
        let Two { alice, bob, rng, .. } = &mut two;
        for _ in 0..200 {
            let message = a.encrypt(b"halo", rng)?;
            let _ = b.decrypt(bob, &message)?;
            let message = b.encrypt(b"hai", rng)?;
            let _ = a.decrypt(alice, &message)?;
            if a.post_quantum_age().epoch >= 2 && b.post_quantum_age().epoch >= 2 {
                return Ok(());
            }
        }
        Err("the braid stands still".into())
    })
}
