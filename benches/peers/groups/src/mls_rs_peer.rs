//! The cases in mls-rs, with the post-quantum suite of its provider for AWS-LC: X25519 and ML-KEM-768 combined as in
//! X-Wing, AES-128-GCM, SHA-256 and Ed25519. Its number is one for private use.

use std::hint::black_box;

use mls_rs::client_builder::{MlsConfig, PaddingMode};
use mls_rs::group::ReceivedMessage;
use mls_rs::identity::SigningIdentity;
use mls_rs::identity::basic::{BasicCredential, BasicIdentityProvider};
use mls_rs::mls_rules::{DefaultMlsRules, EncryptionOptions};
use mls_rs::{CipherSuite, CipherSuiteProvider, Client, CryptoProvider, Group, MlsMessage};
use mls_rs_crypto_awslc::AwsLcCryptoProvider;

use super::support::meter::{Case, pieces, repeated};
use super::{BODY, Change, Messages};

const SUITE: CipherSuite = CipherSuite::ML_KEM_768_X25519;
/// Messages that a case prepares at a time.
const PREPARED: u64 = 64;

fn client(name: usize) -> Client<impl MlsConfig> {
    let crypto = AwsLcCryptoProvider::new();
    let (secret, public) = crypto.cipher_suite_provider(SUITE).unwrap().signature_key_generate().unwrap();
    let credential = BasicCredential::new(format!("member {name}").into_bytes());
    let identity = SigningIdentity::new(credential.into_credential(), public);
    let unpadded = EncryptionOptions::new(false, PaddingMode::None);
    Client::builder()
        .identity_provider(BasicIdentityProvider)
        .crypto_provider(crypto)
        .mls_rules(DefaultMlsRules::new().with_encryption_options(unpadded))
        .signing_identity(identity, secret, SUITE)
        .build()
}

fn key_package(client: &Client<impl MlsConfig>) -> Vec<u8> {
    let message = client.generate_key_package_message(Default::default(), Default::default(), None).unwrap();
    message.to_bytes().unwrap()
}

fn message(bytes: &[u8]) -> MlsMessage {
    MlsMessage::from_bytes(black_box(bytes)).unwrap()
}

fn encrypt(group: &mut Group<impl MlsConfig>) -> Vec<u8> {
    group.encrypt_application_message(black_box(&BODY), Vec::new()).unwrap().to_bytes().unwrap()
}

fn decrypt(group: &mut Group<impl MlsConfig>, bytes: &[u8]) -> Vec<u8> {
    match group.process_incoming_message(message(bytes)).unwrap() {
        ReceivedMessage::ApplicationMessage(message) => message.data().to_vec(),
        _ => panic!("a message"),
    }
}

fn follow(group: &mut Group<impl MlsConfig>, commit: &[u8]) {
    assert!(matches!(group.process_incoming_message(message(commit)).unwrap(), ReceivedMessage::Commit(_)));
}

/// Returns the commit and the welcome.
fn add_to(group: &mut Group<impl MlsConfig>, key_package: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let commit = group.commit_builder().add_member(message(key_package)).unwrap().build().unwrap();
    group.apply_pending_commit().unwrap();
    (commit.commit_message.to_bytes().unwrap(), commit.welcome_messages[0].to_bytes().unwrap())
}

fn remove_from(group: &mut Group<impl MlsConfig>, leaf: u32) -> Vec<u8> {
    let commit = group.commit_builder().remove_member(leaf).unwrap().build().unwrap();
    group.apply_pending_commit().unwrap();
    commit.commit_message.to_bytes().unwrap()
}

/// Puts new keys on the way from its leaf to the root.
fn update(group: &mut Group<impl MlsConfig>) -> Vec<u8> {
    let commit = group.commit(Vec::new()).unwrap();
    group.apply_pending_commit().unwrap();
    assert!(commit.contains_update_path);
    commit.commit_message.to_bytes().unwrap()
}

fn join<C: MlsConfig>(client: &Client<C>, welcome: &[u8]) -> Group<C> {
    client.join_group(None, &message(welcome), None).unwrap().0
}

/// A group of so many, as the first member, who added the others, and one in the middle have it. Where the tree is
/// full, every member has committed.
fn world(members: usize, full: bool) -> [Group<impl MlsConfig>; 2] {
    let mut first = client(0).create_group(Default::default(), Default::default(), None).unwrap();
    let mut other: Option<Group<_>> = None;
    for name in 1..members {
        let client = client(name);
        let (commit, welcome) = add_to(&mut first, &key_package(&client));
        other.iter_mut().for_each(|other| follow(other, &commit));
        let mut group = join(&client, &welcome);
        if full {
            let commit = update(&mut group);
            follow(&mut first, &commit);
            other.iter_mut().for_each(|other| follow(other, &commit));
        }
        if name == members / 2 {
            other = Some(group);
        }
    }
    assert_eq!(first.roster().members().len(), members);
    let mut groups = [first, other.unwrap()];
    groups.iter_mut().for_each(|group| group.write_to_storage().unwrap());
    groups
}

pub(crate) fn messages(members: usize) -> Messages {
    let [mut first, _] = world(members, true);
    let bytes = encrypt(&mut first).len();
    let encrypts = repeated(move || encrypt(&mut first));
    let [mut first, mut other] = world(members, true);
    let decrypts: Case = Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt(&mut first)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    assert_eq!(decrypt(&mut other, message), BODY);
                }
            });
        }
    });
    Messages { times: [encrypts, decrypts], bytes }
}

pub(crate) fn add(members: usize) -> Change {
    let [first, other] = world(members, true);
    let joining = client(members);
    let key_package = key_package(&joining);
    let (commit, welcome) = add_to(&mut first.clone(), &key_package);
    let both = commit.len() + welcome.len();
    let bytes = vec![commit.len(), welcome.len(), both, both];
    let adds = repeated_from(first, move |group| _ = black_box(add_to(group, &key_package)));
    let follows = repeated_from(other, move |group| follow(group, &commit));
    let joins = repeated(move || join(&joining, &welcome));
    Change { times: vec![adds, follows, joins], bytes }
}

pub(crate) fn remove(members: usize) -> Change {
    let [first, other] = world(members, true);
    let last = u32::try_from(members - 1).unwrap();
    let commit = remove_from(&mut first.clone(), last);
    let [mut bare, _] = world(members, false);
    let bytes = vec![commit.len(), commit.len(), commit.len(), remove_from(&mut bare, last).len()];
    let removes = repeated_from(first, move |group| _ = black_box(remove_from(group, last)));
    let follows = repeated_from(other, move |group| follow(group, &commit));
    Change { times: vec![removes, follows], bytes }
}

/// A case that begins with the state of `group` each time.
fn repeated_from<C: MlsConfig + 'static>(group: Group<C>, mut run: impl FnMut(&mut Group<C>) + 'static) -> Case {
    Box::new(move |count, meter| {
        for _ in 0..count {
            let mut group = group.clone();
            meter.measure(&mut || run(&mut group));
        }
    })
}

pub(crate) fn key_package_bytes() -> usize {
    key_package(&client(1)).len()
}
