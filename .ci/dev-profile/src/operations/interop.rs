//! The Signal protocol, version 3.

use bisik::StorageKey;
use bisik::interop::signal::{
    Accepted, Distribution, GroupReceiver, GroupSender, Identity, PreKeys, SenderKeyFormat, Session, Trust,
};
use bisik::interop::whatsapp::media::{self, MediaKind};

use super::{Operation, Work, rng, work};
use crate::Failure;
use crate::primitives::Primitive::*;

pub const ALL: [Operation; 4] = [
    Operation::new("interop: pre-keys", &[], pre_keys),
    Operation::new("interop: session, both sides", &[Multiply, MultiplyTwo], session),
    Operation::new("interop: sender key, both sides", &[MultiplyTwo], sender_key),
    Operation::new("interop: attachment, both ways", &[], attachment),
];

fn pre_keys() -> Result<Work, Failure> {
    work(|| {
        let rng = &mut rng();
        let bob = Identity::generate(rng);
        let mut keys = PreKeys::generate(&bob, rng);
        Ok(drop(keys.replenish(10, rng)?))
    })
}

fn session() -> Result<Work, Failure> {
    let rng = &mut rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, rng);
    let id = keys.replenish(1, rng)?.pop();
    let bundle = keys.bundle(&bob, 0, id)?.verify(Trust::Pinned(&bob.public()))?;
    work(move || {
        let rng = &mut super::rng();
        let mut a = Session::initiate(&alice, &bundle, rng)?;
        let hello = a.encrypt(b"halo", rng)?;
        let Accepted { session: mut b, used, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse)?;
        keys.remove(used);
        a.decrypt(&b.encrypt(b"hai", rng)?)?;
        let key = StorageKey::generate(rng);
        let record = a.seal(&key, b"session", rng)?;
        Ok(drop(Session::unseal(&key, b"session", record.as_bytes())?))
    })
}

fn sender_key() -> Result<Work, Failure> {
    work(|| {
        let rng = &mut rng();
        let mut alice = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
        let distribution = alice.distribution().to_bytes();
        let mut of_alice = GroupReceiver::new();
        of_alice.process(&Distribution::from_bytes(&distribution)?);
        let message = alice.encrypt(b"halo, semua", rng)?;
        Ok(drop(of_alice.decrypt(&message)?))
    })
}

fn attachment() -> Result<Work, Failure> {
    let photo = vec![7; 200_000];
    work(move || {
        let (blob, attachment) = media::encrypt(MediaKind::Image, &photo, &mut rng())?;
        if attachment.decrypt(&blob)? == photo { Ok(()) } else { Err("another photo".into()) }
    })
}
