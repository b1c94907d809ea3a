//! The cases in OpenMLS. It stores its state at every step, here in memory, as JSON.

use std::hint::black_box;

use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::*;

use super::provider::{Provider, SUITE, SigningKey};
use super::support::meter::{Case, pieces};
use super::{BODY, Change, Messages};

/// Messages that a case prepares at a time.
const PREPARED: u64 = 64;

/// One device: its keys, and what it has stored.
struct Device {
    provider: Provider,
    signer: SigningKey,
}

impl Device {
    fn new() -> Self {
        Self { provider: Provider::new(), signer: SigningKey::new() }
    }

    fn credential(&self, name: usize) -> CredentialWithKey {
        let credential = BasicCredential::new(format!("member {name}").into_bytes());
        CredentialWithKey { credential: credential.into(), signature_key: self.signer.public.clone().into() }
    }

    /// Its key package, as bytes.
    fn key_package(&self, name: usize) -> Vec<u8> {
        let bundle = KeyPackage::builder().build(SUITE, &self.provider, &self.signer, self.credential(name)).unwrap();
        bundle.key_package().tls_serialize_detached().unwrap()
    }

    fn found(&self, name: usize) -> MlsGroup {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        MlsGroup::new(&self.provider, &self.signer, &config, self.credential(name)).unwrap()
    }

    fn join(&self, welcome: &[u8]) -> MlsGroup {
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let MlsMessageBodyIn::Welcome(welcome) = message(welcome).extract() else { panic!("a welcome") };
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None).unwrap();
        staged.into_group(&self.provider).unwrap()
    }

    fn encrypt(&self, group: &mut MlsGroup) -> Vec<u8> {
        group.create_message(&self.provider, &self.signer, black_box(&BODY)).unwrap().to_bytes().unwrap()
    }

    fn decrypt(&self, group: &mut MlsGroup, bytes: &[u8]) -> Vec<u8> {
        match self.process(group, bytes) {
            ProcessedMessageContent::ApplicationMessage(message) => message.into_bytes(),
            _ => panic!("a message"),
        }
    }

    fn follow(&self, group: &mut MlsGroup, commit: &[u8]) {
        match self.process(group, commit) {
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit).unwrap();
            }
            _ => panic!("a commit"),
        }
    }

    fn process(&self, group: &mut MlsGroup, bytes: &[u8]) -> ProcessedMessageContent {
        let message = message(black_box(bytes)).try_into_protocol_message().unwrap();
        group.process_message(&self.provider, message).unwrap().into_content()
    }

    /// Returns the commit and the welcome.
    fn add(&self, group: &mut MlsGroup, key_package: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let key_package = KeyPackageIn::tls_deserialize_exact(black_box(key_package)).unwrap();
        let key_package = key_package.validate(self.provider.crypto(), ProtocolVersion::Mls10).unwrap();
        let added = group.add_members_without_update(&self.provider, &self.signer, &[key_package]);
        let (commit, welcome, _) = added.unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        (commit.to_bytes().unwrap(), welcome.to_bytes().unwrap())
    }

    fn remove(&self, group: &mut MlsGroup, leaf: u32) -> Vec<u8> {
        let removed = group.remove_members(&self.provider, &self.signer, &[LeafNodeIndex::new(leaf)]);
        let (commit, _, _) = removed.unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        commit.to_bytes().unwrap()
    }

    /// Puts new keys on the way from its leaf to the root.
    fn update(&self, group: &mut MlsGroup) -> Vec<u8> {
        let commit = group.self_update(&self.provider, &self.signer, LeafNodeParameters::default());
        let commit = commit.unwrap().into_commit().to_bytes().unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        commit
    }

    /// The same, and the group, as they were stored.
    fn restored(&self, group: &MlsGroup) -> (Provider, MlsGroup) {
        let provider = self.provider.copy();
        let group = MlsGroup::load(provider.storage(), group.group_id()).unwrap().unwrap();
        (provider, group)
    }
}

fn message(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact(bytes).unwrap()
}

/// A group of so many, as the first member, who added the others, and one in the middle have it.
struct World {
    first: (Device, MlsGroup),
    other: (Device, MlsGroup),
}

impl World {
    /// Every member has committed, so that the tree is full.
    fn new(members: usize) -> Self {
        Self::of(members, true)
    }

    fn of(members: usize, full: bool) -> Self {
        let first = Device::new();
        let mut at_first = first.found(0);
        let mut other: Option<(Device, MlsGroup)> = None;
        for name in 1..members {
            let device = Device::new();
            let (commit, welcome) = first.add(&mut at_first, &device.key_package(name));
            if let Some((other, at_other)) = &mut other {
                other.follow(at_other, &commit);
            }
            let mut group = device.join(&welcome);
            if full {
                let commit = device.update(&mut group);
                first.follow(&mut at_first, &commit);
                if let Some((other, at_other)) = &mut other {
                    other.follow(at_other, &commit);
                }
            }
            if name == members / 2 {
                other = Some((device, group));
            }
        }
        assert_eq!(at_first.members().count(), members);
        Self { first: (first, at_first), other: other.unwrap() }
    }
}

pub(crate) fn messages(members: usize) -> Messages {
    let World { first: (first, mut at_first), .. } = World::new(members);
    let bytes = first.encrypt(&mut at_first).len();
    let encrypt: Case = Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(first.encrypt(&mut at_first));
            }
        });
    });
    let World { first: (first, mut at_first), other: (other, mut at_other) } = World::new(members);
    let decrypt: Case = Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| first.encrypt(&mut at_first)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    assert_eq!(other.decrypt(&mut at_other, message), BODY);
                }
            });
        }
    });
    Messages { times: [encrypt, decrypt], bytes }
}

pub(crate) fn add(members: usize) -> Change {
    let World { first: (first, mut at_first), other: (other, at_other) } = World::new(members);
    let joining = Device::new();
    let key_package = joining.key_package(members);
    let before = first.restored(&at_first);
    let (commit, welcome) = first.add(&mut at_first, &key_package);
    let both = commit.len() + welcome.len();
    let bytes = vec![commit.len(), welcome.len(), both, both];
    let adds = repeated_from(Device { provider: before.0, signer: first.signer }, before.1, move |device, group| {
        black_box(device.add(group, &key_package));
    });
    let follows = repeated_from(other, at_other, move |device, group| device.follow(group, &commit));
    let joins: Case = Box::new(move |count, meter| {
        for _ in 0..count {
            let device = Device { provider: joining.provider.copy(), signer: SigningKey::new() };
            meter.measure(&mut || _ = black_box(device.join(&welcome)));
        }
    });
    Change { times: vec![adds, follows, joins], bytes }
}

pub(crate) fn remove(members: usize) -> Change {
    let World { first: (first, mut at_first), other: (other, at_other) } = World::new(members);
    let last = u32::try_from(members - 1).unwrap();
    let before = first.restored(&at_first);
    let commit = first.remove(&mut at_first, last);
    let World { first: (bare, mut at_bare), .. } = World::of(members, false);
    let bytes = vec![commit.len(), commit.len(), commit.len(), bare.remove(&mut at_bare, last).len()];
    let removes = repeated_from(Device { provider: before.0, signer: first.signer }, before.1, move |device, group| {
        black_box(device.remove(group, last));
    });
    let follows = repeated_from(other, at_other, move |device, group| device.follow(group, &commit));
    Change { times: vec![removes, follows], bytes }
}

/// A case that begins with the state of `group` each time.
fn repeated_from(mut device: Device, group: MlsGroup, mut run: impl FnMut(&Device, &mut MlsGroup) + 'static) -> Case {
    Box::new(move |count, meter| {
        for _ in 0..count {
            let (provider, mut group) = device.restored(&group);
            let stored = std::mem::replace(&mut device.provider, provider);
            meter.measure(&mut || run(&device, &mut group));
            device.provider = stored;
        }
    })
}

pub(crate) fn key_package_bytes() -> usize {
    Device::new().key_package(1).len()
}
