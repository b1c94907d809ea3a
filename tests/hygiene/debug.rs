//! `Debug` of every public type, built from known secrets, shows none of them.
//!
//! The list of public types is read from the source, so that none can be forgotten.

use std::any::type_name;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use bisik::handshake::{self, RespondError};
use bisik::media::{self, Decryptor, Encryptor, MediaType, Pointer, RandomAccess};
use bisik::ratchet::{self, DoubleRatchet, KeyPair, PublicKey, SharedSecret};
use bisik::{
    AcceptError, BundleError, Ciphertext, DecryptError, EncryptError, Identity, IdentityKeyError, InitiateError,
    InitiateOptions, PreKeys, PreKeysError, ResumeError, Resumed, SealError, Session, StorageKey, Trust, UnsealError,
};

use super::canaries::Canaries;
use super::content;
use super::derived::{add_aead_key, add_ratchet, add_session, state_of};
use super::device;
use super::hosting::hosting;
use super::keys::NOW;
use super::media::chunk_keys;
use super::recording::Recording;
use super::{accounts, call, chains, membership, rooms};

// Not in English, like the names of fields.
const STORAGE: [u8; 32] = *b"kunci 32 bita penyegel arsip Ani";
const PLAINTEXT: &[u8] = b"hanya untuk dibaca kita berdua saja";

/// The output of each type in both forms, by the path of the type.
pub type Shown = BTreeMap<String, String>;

pub fn show<T: Debug>(shown: &mut Shown, value: &T) {
    let path = type_name::<T>().split('<').next().unwrap().to_owned();
    assert!(shown.insert(path, format!("{value:?}\n{value:#?}")).is_none(), "twice");
}

#[test]
fn debug_shows_no_secret_of_any_public_type() {
    let mut canaries = Canaries::new();
    let mut shown = Shown::new();
    let mut rng = Recording::new(1);
    keys(&mut shown, &mut rng);
    handshake(&mut shown, &mut canaries, &mut rng);
    ratchet(&mut shown, &mut canaries, &mut rng);
    session(&mut shown, &mut canaries, &mut rng);
    attachments(&mut shown, &mut canaries, &mut rng);
    content::debug(&mut shown, &mut canaries, &mut rng);
    call::debug(&mut shown, &mut canaries, &mut rng);
    chains::debug(&mut shown, &mut canaries, &mut rng);
    membership::debug(&mut shown, &mut rng);
    rooms::debug(&mut shown, &mut rng);
    device::debug(&mut shown, &mut rng);
    accounts::debug(&mut shown, &mut rng);
    hosting(&mut shown, &mut rng);
    errors(&mut shown);
    #[cfg(feature = "interop")]
    super::interop::debug(&mut shown, &mut canaries, &mut rng);
    #[cfg(feature = "interop")]
    super::version4::debug(&mut shown, &mut canaries, &mut rng);

    assert_eq!(shown.keys().collect::<Vec<_>>(), public_types().iter().collect::<Vec<_>>(), "of all public types");
    canaries.add_drawn("anyone", &rng);
    canaries.add("plaintext", PLAINTEXT);
    add_aead_key(&mut canaries, "storage key", &STORAGE);
    let forms = forms(&canaries);
    for (path, text) in &shown {
        assert_eq!(seen(&forms, text), None, "{path} shows it:\n{text}");
    }
}

/// Any four consecutive bytes of a secret in any format, with the name of the secret; grouped by their length as text.
pub type Forms<'a> = BTreeMap<usize, HashMap<String, &'a str>>;

pub fn forms(canaries: &Canaries) -> Forms<'_> {
    let forms_of = |bytes: &[u8]| {
        let list = |show: fn(&u8) -> String, between: &str| bytes.iter().map(show).collect::<Vec<_>>().join(between);
        [
            list(|byte| format!("{byte:02x}"), ""),
            list(|byte| format!("{byte:02X}"), ""),
            list(u8::to_string, ","),
            list(|byte| format!("{byte:x}"), ","),
            list(|byte| format!("{byte:02x}"), ","),
            list(|byte| format!("0x{byte:x}"), ","),
            list(|byte| format!("0x{byte:02x}"), ","),
            bytes.escape_ascii().to_string(),
            String::from_utf8_lossy(bytes).into_owned(),
        ]
    };
    let mut forms = Forms::new();
    for (name, chunk) in canaries.chunks() {
        for form in chunk.windows(4).flat_map(forms_of) {
            forms.entry(form.len()).or_default().insert(form, name);
        }
    }
    forms
}

/// A secret of which `text` shows four consecutive bytes, in any format.
pub fn seen<'a>(forms: &Forms<'a>, text: &str) -> Option<&'a str> {
    let dense: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    (0..dense.len()).find_map(|start| {
        let part = |length: &usize| dense.get(start..start + length);
        forms.iter().find_map(|(length, forms)| part(length).and_then(|part| forms.get(part))).copied()
    })
}

fn keys(shown: &mut Shown, rng: &mut Recording) {
    let bob = Identity::generate(rng);
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    keys.replenish(&bob, 2, rng).unwrap();
    show(shown, &bob);
    show(shown, bob.public());
    show(shown, &keys);
    show(shown, &keys.count(NOW));
    show(shown, &keys.ids()[0]);
    show(shown, &keys.rotate(&bob, NOW, rng).unwrap());
    show(shown, &keys.bundle());
    show(shown, &keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap());
    show(shown, &Trust::Pinned(bob.public()));
    show(shown, &NOW);
    show(shown, &StorageKey::from_bytes(STORAGE));
}

fn handshake(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let at_alice = handshake::initiate(&alice, &bundle, None, NOW, rng).unwrap();
    let at_bob = handshake::respond(&bob, &keys, &at_alice.pre_key_header, None, Trust::OnFirstUse, NOW).unwrap();
    for secret in at_bob.established.secrets.expose_all() {
        canaries.add("output", secret);
    }
    show(shown, &at_bob.established.secrets);
    show(shown, &at_alice);
    show(shown, &at_bob);
    show(shown, &at_bob.claim().unwrap());
    show(shown, &at_bob.established);
    show(shown, &at_alice.pre_key_header);
    show(shown, &bisik::DisclosureHash::from_bytes([7; 32]).unwrap());
}

fn ratchet(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (shared, pair) = (rng.secret(), KeyPair::generate(rng));
    show(shown, &pair);
    show(shown, pair.public());
    let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes(shared), &[7; 32], rng);
    let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes(shared), &[7; 32]);
    alice.encrypt(b"", rng).unwrap();
    let message = alice.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &bob.stage(&message).unwrap());
    bob.decrypt(&message).unwrap();
    let record = bob.seal(&StorageKey::from_bytes(STORAGE), b"", rng);
    add_ratchet(canaries, &state_of(&record, &STORAGE));
    show(shown, &bob);
    show(shown, &SharedSecret::from_bytes(shared));
}

fn session(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut session = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
    let hello = session.encrypt(PLAINTEXT, rng).unwrap();
    let mut accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    let answer = accepted.session.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &session.stage(&alice, &answer).unwrap());
    show(shown, &session.stage(&alice, &answer).unwrap().plaintext());
    show(shown, &session.decrypt_held(&alice, &answer).unwrap());
    let again = session.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &accepted.session.decrypt(&bob, &again).unwrap());
    show(shown, &session.offer().unwrap());
    show(shown, &session.standing());
    show(shown, &session.post_quantum_age());
    show(shown, &InitiateOptions::default());
    show(shown, &Resumed { place: 1, index: 0 });
    show(shown, &accepted.plaintext);
    show(shown, &hello);
    show(shown, &session.encrypt_held(PLAINTEXT, rng).unwrap());
    show(shown, &session.suite());
    show(shown, &accepted);
    let key = StorageKey::from_bytes(STORAGE);
    let mut accepted = accepted;
    for session in [&mut session, &mut accepted.session] {
        add_session(canaries, &state_of(session.seal(&key, b"", rng).unwrap().head(), &STORAGE));
    }
    let messages: Vec<_> = (0..25).map(|_| session.encrypt(PLAINTEXT, rng).unwrap()).collect();
    let _ = accepted.session.decrypt(&bob, &messages[24]).unwrap();
    let sealed = accepted.session.seal(&key, b"", rng).unwrap();
    show(shown, &sealed);
    show(shown, &sealed.writes().next().unwrap());
    show(shown, &sealed.blocks()[0]);
    show(shown, &sealed.blocks()[0].id());
    show(shown, &sealed.stored());
    show(shown, &session);
}

fn attachments(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let mut encryptor = Encryptor::new(MediaType::unknown(), 1_000, rng).unwrap();
    encryptor.push(PLAINTEXT, &mut Vec::new()).unwrap();
    let (blob, pointer) = media::encrypt(MediaType::unknown(), PLAINTEXT, rng).unwrap();
    let pointer = pointer.with_thumbnail(PLAINTEXT, rng).unwrap();
    let mut decryptor = Decryptor::new(&pointer);
    decryptor.push(&blob[..70], &mut Vec::new()).unwrap();
    let access = RandomAccess::new(&pointer, blob.first_chunk().unwrap()).unwrap();
    canaries.add("root", pointer.root());
    let kind = pointer.media_type().as_str().as_bytes();
    canaries.add("keys of chunks", &chunk_keys(&pointer.to_bytes()[1..33], &blob[..24], &[1], pointer.size(), kind));
    show(shown, &access.plan(0..9));
    show(shown, &access);
    show(shown, &encryptor);
    show(shown, &decryptor);
    show(shown, &pointer);
    show(shown, pointer.media_type());
    #[cfg(feature = "std")]
    {
        let begin = |rng| Encryptor::new(MediaType::unknown(), 32, rng).unwrap();
        show(shown, &media::EncryptingReader::resume(PLAINTEXT, begin(rng)));
        show(shown, &media::EncryptingWriter::new(Vec::new(), MediaType::unknown(), 32, rng).unwrap());
        show(shown, &media::DecryptingReader::new(&*blob, &pointer));
        show(shown, &media::RandomAccessReader::new(std::io::Cursor::new(&blob), &pointer).unwrap());
    }
}

fn errors(shown: &mut Shown) {
    show(shown, &media::DecryptError::Rejected);
    show(shown, &media::EncryptError::TooLarge);
    show(shown, &MediaType::new("").unwrap_err());
    show(shown, &Pointer::from_bytes(&[]).unwrap_err());
    show(shown, &AcceptError::Rejected);
    show(shown, &ResumeError::TooLate);
    show(shown, &BundleError::Malformed);
    show(shown, &bisik::DisclosureHash::from_bytes([0; 32]).unwrap_err());
    show(shown, &bisik::IdError);
    show(shown, &Ciphertext::from_bytes(b"").unwrap_err());
    show(shown, &DecryptError::Rejected);
    show(shown, &EncryptError::TooLong);
    show(shown, &IdentityKeyError::LowOrder);
    show(shown, &InitiateError::OwnBundle);
    show(shown, &PreKeysError::Full);
    show(shown, &PublicKey::from_bytes(&[0; 32]).unwrap_err());
    show(shown, &RespondError::Rejected);
    show(shown, &SealError::WrongKey);
    show(shown, &UnsealError::Rejected);
    show(shown, &ratchet::DecryptError::Rejected);
}

/// The types of `bisik-core` that `bisik` re-exports.
const FROM_CORE: &[&str] = &[
    "block_id::BlockId",
    "blocks::Block",
    "blocks::SealedParts",
    "blocks::Write",
    "disclosure::DisclosureHash",
    "disclosure::DisclosureHashError",
    "held::SealError",
    "held::SealedRecord",
    "held::Stored",
    "id::IdError",
    "shared_secret::SharedSecret",
    "primitives::x25519::KeyPair",
    "primitives::x25519::PublicKey",
    "primitives::x25519::PublicKeyError",
    "storage::StorageKey",
    "storage::UnsealError",
    "time::Timestamp",
];

/// The paths of all types that are declared `pub`; the lint `unreachable_pub` ensures that they are public.
fn public_types() -> Vec<String> {
    fn walk(folder: &Path, module: &str, types: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let inner = if ["lib", "mod"].contains(&name) { module.to_owned() } else { format!("{module}::{name}") };
            if path.ends_with("media/io") && !cfg!(feature = "std") {
                continue;
            }
            if path.is_dir() && name == "tests" {
                continue; // the fuzz targets include what is `pub` there
            }
            if path.is_dir() {
                walk(&path, &inner, types);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines().map(str::trim_start) {
                let declared =
                    ["pub struct ", "pub enum ", "pub union "].iter().find_map(|kind| line.strip_prefix(kind));
                if let Some(declared) = declared {
                    let name: String = declared.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    types.push(format!("{inner}::{name}"));
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut types: Vec<_> = FROM_CORE.iter().map(|name| format!("bisik_core::{name}")).collect();
    walk(&root.join("src"), "bisik", &mut types);
    if cfg!(feature = "interop") {
        types.push("bisik_core::held::HeldPlaintext".to_owned());
        walk(&root.join("crates/interop/src"), "bisik_interop", &mut types);
    }
    types.sort();
    types
}

#[test]
fn the_search_finds_a_secret_in_any_debug_format() {
    let mut canaries = Canaries::new();
    let secret: [u8; 16] = std::array::from_fn(|at| u8::try_from(at * 16 + 5).unwrap());
    canaries.add("it", &secret);
    let (known, part) = (forms(&canaries), &secret[3..7]);
    let forms = [
        format!("{part:?}"),
        format!("{part:#?}"),
        format!("{part:x?}"),
        format!("{part:#04x?}"),
        part.escape_ascii().to_string(),
        part.iter().map(|byte| format!("{byte:02X}")).collect(),
    ];
    for form in forms {
        assert_eq!(seen(&known, &format!("Key({form})")), Some("it"), "{form}");
    }
    assert_eq!(seen(&known, &format!("Key({:?})", &secret[3..6])), None);
}
