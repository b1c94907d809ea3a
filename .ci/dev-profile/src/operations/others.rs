//! Attachments, contents, calls.

use bisik::call::{CallId, FrameSuite, GroupCall, Signal, no_group};
use bisik::content::{Content, ContentMeta, Kind, SentAt, Text};
use bisik::media::{self, MediaType};
use bisik::{Accepted, Identity, PreKeys, Session, Trust};

use super::{NOW, Operation, Work, rng, work};
use crate::Failure;
use crate::primitives::Primitive::*;

pub const ALL: [Operation; 3] = [
    Operation::new("attachment, both ways", &[Seal], attachment),
    Operation::new("content, both ways", &[], content),
    Operation::new("group call, both sides", &[GenerateInPieces], group_call),
];

fn attachment() -> Result<Work, Failure> {
    let photo = vec![7; 200_000];
    work(move || {
        let (blob, pointer) = media::encrypt(MediaType::new("image/jpeg")?, &photo, &mut rng())?;
        if pointer.decrypt(&blob)? == photo { Ok(()) } else { Err("another photo".into()) }
    })
}

fn content() -> Result<Work, Failure> {
    work(|| {
        let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
        let halo = Content::new(ContentMeta::new(sent, &mut rng()), Kind::Text(Text::new("halo")))?;
        Ok(drop(Content::from_body(halo.as_body())?))
    })
}

fn group_call() -> Result<Work, Failure> {
    let rng = &mut rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, NOW)?, NOW, rng)?;
    let hello = a.encrypt(b"halo", rng)?;
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW)?;
    let _ = a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?;
    work(move || {
        let rng = &mut super::rng();
        let (id, suite) = (CallId::generate(rng), FrameSuite::default());
        let mut at_alice = GroupCall::start(id, None, suite, alice.public(), rng);
        let mut at_bob = GroupCall::start(id, None, suite, bob.public(), rng);
        let _ = at_alice.join(bob.public(), no_group, rng)?;
        let _ = at_bob.join(alice.public(), no_group, rng)?;
        let message = a.encrypt(&at_alice.key_for(&a)?.to_bytes(), rng)?;
        let read = b.decrypt(&bob, &message)?.plaintext.confirmed().map_err(|_| "unconfirmed")?;
        let Signal::EpochKey(key) = Signal::from_bytes(&read)? else { return Err("not a key".into()) };
        let _ = at_bob.accept_key(&key, &b, no_group, rng)?;
        let mut packet = Vec::new();
        at_alice.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
        Ok(drop(at_bob.open(b"stream 1", &mut packet)?))
    })
}
