//! Two accounts of two devices in conversation, for the targets `envelope` and `conversation_record`: one device, what it
//! has stored, and everything that can be sent to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bisik::conversation::{
    Arrival, Change, Conversation, ConversationId, DeviceAddress, Envelope, Event, IdentityPolicy, MessageId,
    ReceiveError, Received, Recipients, Record, RecordName, SendError, StoredConversation,
};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::{
    Account, BlockId, Ciphertext, Identity, Plaintext, PreKeyBundle, Session, Timestamp, Trust, UnsealError,
    VerifiedBundle,
};

use super::fixtures::{Repeatable, storage_key};
use super::{listed, record};

/// What can be sent to one device, and the records of that device and of an honest device of the peer.
pub struct Scene {
    pub us: Database,
    pub peer: Database,
    pub id: ConversationId,
    /// The peer's account key.
    pub peer_key: [u8; 64],
    /// Messages of this device that a device of the peer has acknowledged, and that none has.
    pub written: [MessageId; 2],
    /// Every genuine message to this device.
    pub genuine: Vec<Genuine>,
    /// Three listed devices whose keys the fuzzer holds.
    pub listed: [Listed; 3],
    pub bundles: Vec<PreKeyBundle>,
}

/// What a device has stored.
#[derive(Clone, Default)]
pub struct Database {
    pub account: Vec<u8>,
    pub head: Vec<u8>,
    pub blocks: BTreeMap<BlockId, Vec<u8>>,
}

pub struct Genuine {
    pub author: DeviceAddress,
    pub ciphertext: Ciphertext,
    pub shown: Option<Shown>,
    /// It was received before.
    pub arrived: bool,
}

/// A device, with a session to this one that is new to it, as a sealed record.
pub struct Listed {
    pub from: DeviceAddress,
    pub identity: Vec<u8>,
    pub session: Vec<u8>,
}

/// What a program shows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    Text(&'static [u8]),
    Ephemeral(&'static [u8]),
}

/// One device.
pub struct Party {
    pub account: Account,
    pub talk: Conversation,
    pub database: Database,
    rng: Repeatable,
}

pub static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let rng = &mut Repeatable(0x65);
    let ([us, companion], our_list) = two_devices(rng);
    let ([peer, second], their_list) = two_devices(rng);
    let bundles: Vec<_> = [&us, &companion, &peer, &second].map(|account| account.pre_keys().bundle()).into();
    let listed =
        [(DeviceAddress::peer(0), &peer), (DeviceAddress::own(1), &companion), (DeviceAddress::peer(1), &second)];
    let listed = listed.map(|(from, account)| {
        let mut session = Session::initiate(account.identity(), &verified(&bundles[0]), NOW, rng).unwrap();
        let session = session.seal(&storage_key(), listed::NAME, &mut Repeatable(1)).unwrap().head().to_vec();
        let identity = account.identity().seal(&storage_key(), listed::NAME, &mut Repeatable(1));
        Listed { from, identity, session }
    });
    let peer_key = peer.key().to_bytes();
    let (mut us, mut companion) = (Party::new(us, &their_list, 1), Party::new(companion, &their_list, 2));
    let mut peer = Party::new(peer, &our_list, 3);
    let id = us.talk.id();

    // Two messages of the first contact, and the frame by which its session is confirmed.
    let mut genuine = Vec::new();
    let mut keep = |author, ciphertext: &Ciphertext, shown, arrived| {
        genuine.push(Genuine { author, ciphertext: ciphertext.clone(), shown, arrived });
    };
    peer.send(b"satu");
    let first = peer.flush(&bundles).swap_remove(0);
    us.receive(DeviceAddress::peer(0), &first).unwrap();
    keep(DeviceAddress::peer(0), &first, None, true);
    let acknowledged = us.send(b"halo");
    for answer in us.flush(&bundles) {
        peer.receive(DeviceAddress::peer(0), &answer).unwrap();
    }
    let bare = peer.flush(&bundles).swap_remove(0);
    us.receive(DeviceAddress::peer(0), &bare).unwrap();
    keep(DeviceAddress::peer(0), &bare, None, true);
    // This one is lost.
    let lost = us.send(b"hilang");
    drop(us.flush(&bundles));
    for text in [b"dua".as_slice(), b"tiga", b"empat"] {
        peer.send(text);
        keep(DeviceAddress::peer(0), &peer.flush(&bundles)[0], Some(Shown::Text(text)), false);
    }
    peer.talk.send_ephemeral(&peer.account, b"mengetik", Recipients::All, NOW).unwrap();
    keep(DeviceAddress::peer(0), &peer.flush(&bundles)[0], Some(Shown::Ephemeral(b"mengetik")), false);
    // A session of one's own device, whose copies are not shown before it is confirmed.
    companion.send(b"salinan");
    let outgoing = companion.flush_all(&bundles);
    let copy = outgoing.iter().find(|envelope| envelope.to == DeviceAddress::own(0)).unwrap();
    keep(DeviceAddress::own(1), &copy.ciphertext, None, false);

    let [us, peer] = [us, peer].map(|mut party| {
        drop(party.settle());
        drop(party.store());
        party.database
    });
    Scene { us, peer, id, peer_key, written: [acknowledged, lost], genuine, listed, bundles }
});

/// An account with two devices, and its list.
fn two_devices(rng: &mut Repeatable) -> ([Account; 2], DeviceList) {
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut primary = Account::create(terms, NOW, rng);
    let companion = Identity::generate(rng);
    let certificate = DeviceCertificate::sign(&companion, primary.key(), 1, terms);
    let list = primary.change_devices(&[DeviceChange::Add(certificate)], NOW).unwrap();
    let companion = Account::join(companion, primary.key(), &list, NOW, rng).unwrap();
    ([primary, companion], list)
}

fn verified(bundle: &PreKeyBundle) -> VerifiedBundle {
    bundle.clone().verify(Trust::OnFirstUse, NOW).unwrap()
}

impl Party {
    fn new(account: Account, peer: &DeviceList, seed: u64) -> Self {
        let directory = DeviceDirectory::trust(peer, Trust::OnFirstUse, NOW).unwrap();
        let (talk, _) = Conversation::new(&account, directory, &[], IdentityPolicy::Block, NOW);
        Self { account, talk, database: Database::default(), rng: Repeatable(seed) }
    }

    /// This device, as the scene left it.
    pub fn us() -> Self {
        Self::stored(&SCENE.us, 4)
    }

    /// A device, as the scene left it.
    pub fn stored(database: &Database, seed: u64) -> Self {
        Self::load(database.clone(), SCENE.id, Repeatable(seed)).expect("every reachable state can be stored")
    }

    /// Opens what is stored.
    pub fn load(database: Database, id: ConversationId, rng: Repeatable) -> Result<Self, UnsealError> {
        let account = Account::unseal(&storage_key(), &database.account)?;
        let block = |id| database.blocks.get(&id).cloned();
        let talk = Conversation::unseal(&account, &storage_key(), id, &database.head, block)?;
        Ok(Self { account, talk, database, rng })
    }

    pub fn send(&mut self, text: &[u8]) -> MessageId {
        self.try_send(text).expect("what was sent before is acknowledged")
    }

    pub fn try_send(&mut self, text: &[u8]) -> Result<MessageId, SendError> {
        self.talk.send(&self.account, text, Recipients::All, NOW, &mut self.rng)
    }

    pub fn receive(&mut self, from: DeviceAddress, ciphertext: &Ciphertext) -> Result<(), ReceiveError> {
        let arrival = Arrival { from, ciphertext: ciphertext.clone() };
        self.talk.receive(&mut self.account, &[arrival], NOW).remove(0)
    }

    /// What goes to the primary device of the peer.
    pub fn flush(&mut self, server: &[PreKeyBundle]) -> Vec<Ciphertext> {
        let all = self.flush_all(server).into_iter().filter(|envelope| envelope.to == DeviceAddress::peer(0));
        all.map(|envelope| envelope.ciphertext).collect()
    }

    /// Makes what is due, with those bundles that are needed and that the server has.
    pub fn flush_all(&mut self, server: &[PreKeyBundle]) -> Vec<Envelope> {
        let needed = self.talk.due(&self.account, NOW).bundles;
        let of = |key| server.iter().map(verified).find(|bundle| *bundle.identity() == key);
        let bundles: Vec<_> = needed.iter().filter_map(|one| Some((one.device, of(one.key)?))).collect();
        let outgoing = self.talk.flush(&self.account, &bundles, NOW, &mut self.rng).unwrap();
        let (stored, _) = self.store();
        let (envelopes, handover) = outgoing.release(&stored).unwrap();
        self.talk.handed(handover);
        envelopes
    }

    /// Makes what is due at this moment without a bundle, and drops it.
    pub fn flush_at(&mut self, now: Timestamp) {
        let _ = (self.talk.due(&self.account, now), self.talk.flush(&self.account, &[], now, &mut self.rng));
    }

    /// Stores what has changed. Whether the account has.
    pub fn store(&mut self) -> (StoredConversation, bool) {
        let changes = self.talk.seal(&mut self.account, &storage_key(), &mut self.rng).unwrap();
        let Database { account, head, blocks } = &mut self.database;
        let (mut account_changed, mut last) = (false, 0);
        for change in changes.writes() {
            let step = match change {
                Change::Put(block) => {
                    let known = blocks.insert(block.id(), block.as_bytes().to_vec());
                    assert!(known.is_none_or(|known| known == block.as_bytes()), "a block is written once");
                    0
                }
                Change::Record(Record { name: RecordName::Conversation(_), bytes, .. }) => {
                    head.clone_from(bytes);
                    1
                }
                Change::Record(Record { name: RecordName::Account, bytes, .. }) => {
                    account_changed = true;
                    account.clone_from(bytes);
                    2
                }
                Change::Delete(id) => {
                    blocks.remove(&id);
                    3
                }
                Change::Remove(_) => panic!("nobody's account key has changed"),
            };
            assert!(last <= step, "blocks, records, deletions");
            last = step;
        }
        let stored = changes.stored();
        assert!(self.talk.stored(&stored));
        let named = Conversation::named_blocks(&storage_key(), self.talk.id(), head).unwrap();
        let named: BTreeSet<_> = named.into_iter().collect();
        assert!(blocks.keys().eq(&named), "the store has the blocks that the head names, and no others");
        (stored, account_changed)
    }

    /// Everything that is stored of the conversation, except its revision and the names of its blocks; and whether the
    /// account has changed.
    pub fn state(&mut self) -> (Vec<u8>, bool) {
        // Changed and back, so that there is a record.
        self.talk.set_reactions(false);
        self.talk.set_reactions(true);
        let (_, account_changed) = self.store();
        let Contents { head, blocks } = contents(self.talk.id(), &self.database);
        let after = NAMES + PREFIX * blocks.len();
        let blocks = blocks.iter().flat_map(|(_, content)| content);
        (head[8..NAMES].iter().chain(&head[after..]).chain(blocks).copied().collect(), account_changed)
    }

    /// Stores what has changed, crashes, and continues from what is stored.
    pub fn reload(mut self) -> Self {
        drop(self.store());
        let Self { talk, database, rng, .. } = self;
        Self::load(database, talk.id(), rng).expect("every reachable state can be stored")
    }

    /// Everything for the program, which has it then.
    pub fn settle(&mut self) -> Vec<String> {
        drop(self.store());
        let given: Vec<_> = self.talk.inbox().map(|(number, received)| (number, text(received))).collect();
        if let Some((last, _)) = given.last() {
            self.talk.settle(*last);
        }
        given.into_iter().filter_map(|(_, text)| text).collect()
    }
}

/// A message, if it is one; and the one event that no relay may cause.
fn text(received: &Received) -> Option<String> {
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    match received {
        Received::Message { body: Plaintext::Confirmed(body), .. } => Some(text(body)),
        Received::Message { body: Plaintext::Unconfirmed(body), .. } => Some(text(body.peek_unconfirmed())),
        Received::Sent { body, .. } | Received::Own { body, .. } => Some(text(body.payload())),
        Received::Ephemeral { body, .. } => Some(text(body)),
        Received::Decision { .. } | Received::DecisionReceipt { .. } => Some("decision".into()),
        Received::Event(Event::Forked { .. }) => Some("forked".into()),
        _ => None,
    }
}

/// What is inside the records of a conversation.
pub struct Contents {
    pub head: Vec<u8>,
    /// The blocks in the order of their names, each with its kind.
    pub blocks: Vec<(u8, Vec<u8>)>,
}

/// Opens the records of a conversation without the library.
pub fn contents(id: ConversationId, database: &Database) -> Contents {
    let head = record::open_named(CONVERSATION, id.as_bytes(), &database.head);
    let prefix = &id.as_bytes()[..PREFIX];
    let names = head[NAMES..].chunks(PREFIX).take(count(&head));
    let block = |name: &[u8]| {
        let id = BlockId::from_bytes([prefix, name].concat().try_into().expect("two halves of an id"));
        let open = |kind| Some((kind, record::try_open(kind, prefix, &database.blocks[&id])?));
        BLOCKS.into_iter().find_map(open).expect("a block of a conversation")
    };
    let blocks = names.map(block).collect();
    Contents { head, blocks }
}

/// How many blocks a head names.
pub fn count(head: &[u8]) -> usize {
    let count = head[NAMES - 4..].first_chunk().expect("a head has a count of names");
    u32::from_be_bytes(*count) as usize
}

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
/// Kinds of record.
pub const ACCOUNT: u8 = 7;
pub const CONVERSATION: u8 = 8;
/// Kinds of block: the peer, a link, a body, an entry of the inbox.
pub const BLOCKS: [u8; 4] = [15, 16, 17, 18];
/// Where the names of blocks begin in a head, and their count four bytes before.
pub const NAMES: usize = 33;
/// Bytes of a name, and of what the ids of all blocks of a conversation begin with.
pub const PREFIX: usize = 8;
