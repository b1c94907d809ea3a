//! Members of a group in bisik, what they say, and what they send one another.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use bisik::device::{AccountKey, DeviceTerms};
use bisik::group::membership::{Author, Membership, Signers, Statement};
use bisik::group::{
    Distribution, GroupId, MemberDevice, Place, ReadyChain, ReceivingChains, Scope, SendPlan, SendingChain,
};
use bisik::{
    Accepted, Account, BlockId, Ciphertext, Identity, IdentityKey, PreKeyBundle, PreKeys, Session, StorageKey, Trust,
};

use super::cases::{LISTS, NOW, VIEW};

const KEY: [u8; 32] = [1; 32];
const CONTEXT: &[u8] = b"state";

/// A member, with one device.
pub(super) struct Member {
    pub(super) account: Account,
    pub(super) keys: PreKeys,
    pub(super) bundle: Vec<u8>,
}

impl Member {
    pub(super) fn new() -> Self {
        let rng = &mut rand::rng();
        let account = Account::create(DeviceTerms::person(), NOW, rng);
        let mut keys = PreKeys::generate(account.identity(), NOW, rng);
        let bundle = keys.replenish(account.identity(), 1, rng).unwrap().remove(0).to_bytes();
        Self { account, keys, bundle }
    }

    pub(super) fn identity(&self) -> &Identity {
        self.account.identity()
    }

    pub(super) fn author(&self) -> Author<'_> {
        Author::of(self.identity(), self.account.devices()).unwrap()
    }

    pub(super) fn sender(&self) -> MemberDevice {
        MemberDevice { account: AccountKey::of(self.identity()), device: 0, identity: *self.identity().public() }
    }

    pub(super) fn begin(&self, group: GroupId) -> SendingChain {
        SendingChain::begin(place(group), self.sender(), false, NOW, &mut rand::rng()).unwrap()
    }

    /// Its pre-keys as they were before anybody used one.
    pub(super) fn fresh_keys(&self) -> PreKeys {
        let key = StorageKey::from_bytes(KEY);
        PreKeys::unseal(&key, CONTEXT, &self.keys.seal(&key, CONTEXT, &mut rand::rng())).unwrap()
    }

    /// Sets up a session with the owner of `bundle`, and returns its first message.
    pub(super) fn initiate(&self, bundle: &[u8], peer: &IdentityKey) -> (Session, Vec<u8>) {
        let bundle = PreKeyBundle::from_bytes(black_box(bundle)).unwrap();
        let verified = bundle.verify(Trust::Pinned(peer), NOW).unwrap();
        let mut session = Session::initiate(self.identity(), &verified, NOW, &mut rand::rng()).unwrap();
        let hello = send(&mut session, b"");
        (session, hello)
    }

    pub(super) fn accept(&self, keys: &PreKeys, hello: &[u8], peer: &IdentityKey) -> Session {
        let hello = Ciphertext::from_bytes(black_box(hello)).unwrap();
        let Accepted { session, .. } =
            Session::accept(self.identity(), keys, &hello, Trust::Pinned(peer), NOW).unwrap();
        session
    }

    /// Reads the keys of the peer's chain.
    pub(super) fn take(
        &self,
        session: &mut Session,
        message: &[u8],
        group: GroupId,
        from: &MemberDevice,
    ) -> ReceivingChains {
        let given = Distribution::from_bytes(&read(self.identity(), session, message)).unwrap();
        let mut chains = ReceivingChains::new(Scope::Group(group), *from);
        let _ = chains.take(&given, &from.identity).unwrap();
        chains
    }
}

pub(super) fn place(group: GroupId) -> Place {
    Place::Group { id: group, origin: [9; 32] }
}

pub(super) fn send(session: &mut Session, body: &[u8]) -> Vec<u8> {
    session.encrypt(black_box(body), &mut rand::rng()).unwrap().into_bytes()
}

pub(super) fn read(identity: &Identity, session: &mut Session, message: &[u8]) -> Vec<u8> {
    let message = Ciphertext::from_bytes(black_box(message)).unwrap();
    session.decrypt(identity, &message).unwrap().plaintext.confirmed().expect("a confirmed session")
}

/// Gives the chain to a device, in its session.
pub(super) fn give(chain: &mut ReadyChain<'_>, to: &IdentityKey, session: &mut Session) -> Vec<u8> {
    let given = chain.distribution_for(to, VIEW, &LISTS).unwrap();
    send(session, &given.to_bytes())
}

pub(super) fn ready<'a>(chain: &'a mut SendingChain, targets: &'a BTreeSet<IdentityKey>) -> ReadyChain<'a> {
    match chain.plan(targets, NOW) {
        SendPlan::Ready(ready) => ready,
        SendPlan::Renew(why) => panic!("{why:?}"),
    }
}

/// A value that a case begins with each time.
pub(super) struct Stored {
    pub(super) id: GroupId,
    pub(super) head: Vec<u8>,
    pub(super) blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Stored {
    pub(super) fn new(mut group: Membership) -> Self {
        let sealed = group.seal(&StorageKey::from_bytes(KEY), &mut rand::rng()).unwrap();
        let blocks = sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())).collect();
        Self { id: group.id(), head: sealed.head().to_vec(), blocks }
    }

    pub(super) fn restored(&self) -> Membership {
        Membership::unseal(&StorageKey::from_bytes(KEY), self.id, &self.head, |id| self.blocks.get(&id).cloned())
            .unwrap()
    }
}

/// A group of so many: the first member founded it and added the others.
pub(super) struct World {
    pub(super) members: Vec<Member>,
    /// As the first member has it.
    pub(super) group: Membership,
    /// Everything that was said, beginning with the first entry.
    pub(super) said: Vec<Statement>,
}

impl World {
    pub(super) fn new(count: usize) -> Self {
        let members: Vec<_> = (0..count).map(|_| Member::new()).collect();
        let founded = Membership::found(&members[0].author(), &[], None, NOW, &mut rand::rng()).unwrap();
        let (mut group, mut said) = (founded.0, founded.1.statements);
        for member in &members[1..] {
            let added = invite(&mut group, &members[0], member);
            let accepted = accept(&mut follow(group.id(), &[said[0].clone(), added.clone()], member), member);
            hear(&mut group, &accepted);
            said.extend([added, accepted]);
        }
        assert_eq!(group.state().members().count(), count);
        Self { members, group, said }
    }
}

pub(super) fn devices<'a>(members: impl IntoIterator<Item = &'a Member>) -> BTreeSet<IdentityKey> {
    members.into_iter().map(|member| *member.identity().public()).collect()
}

/// A chain that every device has.
pub(super) fn given(member: &Member, group: GroupId, targets: &BTreeSet<IdentityKey>) -> SendingChain {
    let mut chain = member.begin(group);
    for device in targets.iter().filter(|device| *device != member.identity().public()) {
        let _ = ready(&mut chain, targets).distribution_for(device, VIEW, &LISTS).unwrap();
    }
    chain
}

/// The only statement in what was written.
pub(super) fn one(statements: Vec<Statement>) -> Statement {
    <[Statement; 1]>::try_from(statements).expect("one statement")[0].clone()
}

pub(super) fn invite(group: &mut Membership, by: &Member, member: &Member) -> Statement {
    one(group.add(&by.author(), *member.account.key(), NOW, &mut rand::rng()).unwrap().statements)
}

pub(super) fn accept(group: &mut Membership, by: &Member) -> Statement {
    one(group.accept(&by.author(), NOW).unwrap().statements)
}

pub(super) fn hear(group: &mut Membership, statement: &Statement) {
    let _ = group.offer(black_box(statement), &Signers::new()).unwrap();
}

/// Follows a group from its first entry, in which only acts come after it.
pub(super) fn follow(id: GroupId, said: &[Statement], member: &Member) -> Membership {
    let first = said[0].as_bytes();
    let mut group = Membership::follow(id, first, member.account.key(), member.identity().public()).unwrap();
    let acts: Vec<_> = said[1..].iter().map(Statement::as_bytes).collect();
    let _ = group.offer_acts(black_box(&acts), &Signers::new());
    group
}

pub(super) fn bytes_of(statements: &[Statement]) -> usize {
    statements.iter().map(|statement| statement.as_bytes().len()).sum()
}

/// The sessions of one device with others, of both sides.
pub(super) struct Sessions(pub(super) Vec<(Session, Session)>);

impl Sessions {
    pub(super) fn new(of: &Member, with: &[Member]) -> Self {
        let pair = |peer: &Member| {
            let (mut own, hello) = of.initiate(&peer.bundle, peer.identity().public());
            let mut theirs = peer.accept(&peer.fresh_keys(), &hello, of.identity().public());
            let _ = read(of.identity(), &mut own, &send(&mut theirs, b""));
            let _ = read(peer.identity(), &mut theirs, &send(&mut own, b""));
            (own, theirs)
        };
        Self(with.iter().map(pair).collect())
    }

    /// The own chain for each of the others.
    pub(super) fn give(
        &mut self,
        of: &Member,
        chain: &mut SendingChain,
        targets: &BTreeSet<IdentityKey>,
        with: &[Member],
    ) -> Vec<Vec<u8>> {
        assert!(targets.contains(of.identity().public()));
        let mut chain = ready(chain, targets);
        let sessions = with.iter().zip(&mut self.0);
        sessions.map(|(peer, (own, _))| give(&mut chain, peer.identity().public(), own)).collect()
    }
}
