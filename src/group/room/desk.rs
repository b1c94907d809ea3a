//! [`Desk`]: what a device has to send, and to show, in a group. It is one record, which is stored with every step
//! (docs/spec/rooms.md, section 15.4).

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use rand_core::CryptoRng;

use super::history::HistoryPointer;
use super::items::Item;
use super::kept::KeptContents;
use super::limits::{ASIDE, ASIDE_OF_A_DEVICE, LETTER_BYTES};
use super::received::GroupReceived;
use crate::conversation::MemberDevice;
use crate::device::AccountKey;
use crate::group::GroupId;
use crate::group::fields::{ascending, read_body, read_key, read_member, write_member};
use crate::group::inbox::Inbox;
use crate::group::membership::StayId;
use crate::group::outbox::{Outbox, What};
use crate::keys::IdentityKey;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

/// What an account that gets no messages of the group has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Everything: it was invited.
    All,
    /// These statements.
    These(Vec<Item>),
}

/// What a device has to send and to show.
pub(super) struct Desk {
    pub(super) group: GroupId,
    pub(super) local: MemberDevice,
    pub(super) outbox: Outbox,
    /// Statements of this device that members have not been sent.
    pub(super) statements: Vec<Item>,
    /// Whether these change what the local account is in the group, so that others would not read its messages yet.
    pub(super) by_letter: bool,
    pub(super) notices: BTreeMap<AccountKey, Notice>,
    /// The own devices that know of the group.
    pub(super) told: BTreeSet<IdentityKey>,
    /// The stay under which the own chain began.
    pub(super) stay: Option<StayId>,
    inbox: Inbox<GroupReceived>,
    /// Letters with chains that wait for an entry or a list.
    pub(super) aside: VecDeque<(MemberDevice, Zeroizing<Vec<u8>>)>,
    /// Own contents, for those whom they did not reach.
    pub(super) kept: KeptContents,
    pub(super) lineage: Lineage,
}

impl Desk {
    pub(super) fn new(group: GroupId, local: MemberDevice) -> Self {
        Self {
            group,
            local,
            outbox: Outbox::default(),
            statements: Vec::new(),
            by_letter: false,
            notices: BTreeMap::new(),
            told: BTreeSet::new(),
            stay: None,
            inbox: Inbox::new(),
            aside: VecDeque::new(),
            kept: KeptContents::default(),
            lineage: Lineage::new(1),
        }
    }

    /// Whether so many letters wait to be handed over that questions wait too.
    pub(super) fn is_crowded(&self) -> bool {
        self.outbox.letter_bytes() >= LETTER_BYTES
    }

    pub(super) fn letter(&mut self, to: MemberDevice, body: Zeroizing<Vec<u8>>) {
        self.outbox.make(What::Letter(to, body));
    }

    pub(super) fn has_room(&self, length: usize) -> bool {
        self.inbox.has_room(length)
    }

    /// Whether this very pointer waits for the program, from this device.
    pub(super) fn has_history(&self, from: &MemberDevice, of: &HistoryPointer) -> bool {
        let is_it = |waits: &GroupReceived| matches!(waits, GroupReceived::History { by, pointer } if by == from && pointer == of);
        self.inbox.has(is_it)
    }

    /// Gives something to the program. The caller counts the change before.
    pub(super) fn give(&mut self, received: GroupReceived) {
        self.inbox.give(received, self.lineage.revision());
    }

    pub(super) fn stored(&mut self, revision: u64) {
        self.inbox.stored(revision);
    }

    pub(super) fn inbox(&self) -> impl Iterator<Item = (u64, &GroupReceived)> {
        self.inbox.iter()
    }

    pub(super) fn settle(&mut self, through: u64) {
        if self.inbox.settle(through) {
            self.lineage.change();
        }
    }

    /// Drops what a hosted device has promised to delete by now (P-12.58), and tells the program; and own contents that are
    /// old.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if self.kept.expire(now) {
            self.lineage.change();
        }
        if let Some(lost) = self.inbox.expire(now) {
            self.lineage.change();
            lost.into_iter().for_each(|lost| self.give(lost));
        }
    }

    /// Keeps a letter that waits. The oldest of too many goes: its sender is asked for the chain.
    pub(super) fn wait(&mut self, from: MemberDevice, body: &[u8]) {
        if self.aside.iter().any(|(known, kept)| *known == from && kept.as_slice() == body) {
            return;
        }
        self.lineage.change();
        let own = self.aside.iter().filter(|(known, _)| *known == from).count();
        let oldest = if own >= ASIDE_OF_A_DEVICE {
            self.aside.iter().position(|(known, _)| *known == from)
        } else {
            (self.aside.len() >= ASIDE).then_some(0)
        };
        if let Some(oldest) = oldest {
            self.aside.remove(oldest);
        }
        self.aside.push_back((from, Zeroizing::new(body.to_vec())));
    }

    pub(super) fn seal(
        &mut self,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::GROUP_DESK, self.group.as_bytes(), &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    pub(super) fn unseal(key: &StorageKey, group: GroupId, record: &[u8]) -> Result<Self, UnsealError> {
        let desk = storage::open(key, kind::GROUP_DESK, group.as_bytes(), record, |reader| Self::read(group, reader))?;
        Ok(Self { lineage: desk.lineage.under(key), ..desk })
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { local, outbox, statements, by_letter, notices, told, stay, inbox, aside, .. } = self;
        writer.u64(self.lineage.revision());
        write_member(local, writer);
        outbox.write(writer);
        write_items(statements, writer);
        writer.flag(*by_letter).count(notices.len());
        for (account, notice) in notices {
            writer.bytes(&account.to_bytes());
            match notice {
                Notice::All => drop(writer.flag(true)),
                Notice::These(items) => write_items(items, writer.flag(false)),
            }
        }
        writer.count(told.len());
        for device in told {
            writer.bytes(&device.to_bytes());
        }
        writer.flag(stay.is_some());
        if let Some(stay) = stay {
            writer.bytes(stay.as_bytes());
        }
        inbox.write(writer);
        writer.count(aside.len());
        for (from, body) in aside {
            write_member(from, writer);
            writer.count(body.len()).bytes(body);
        }
        self.kept.write(writer);
    }

    fn read(group: GroupId, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let mut desk = Self { lineage, ..Self::new(group, read_member(reader)?) };
        desk.outbox = Outbox::read(reader)?;
        desk.statements = read_items(reader)?;
        desk.by_letter = reader.flag()?;
        for _ in 0..reader.count_of(AccountKey::LENGTH)? {
            let account = AccountKey::from_identity(read_key(reader)?);
            let notice = if reader.flag()? { Notice::All } else { Notice::These(read_items(reader)?) };
            ascending(desk.notices.last_key_value().map(|(last, _)| last), &account)?;
            desk.notices.insert(account, notice);
        }
        for _ in 0..reader.count_of(IdentityKey::LENGTH)? {
            let device = read_key(reader)?;
            ascending(desk.told.last(), &device)?;
            desk.told.insert(device);
        }
        desk.stay = if reader.flag()? { Some(StayId::from_bytes(*reader.array()?)) } else { None };
        desk.inbox = Inbox::read(desk.lineage.revision(), reader)?;
        for _ in 0..reader.count(ASIDE)? {
            let from = read_member(reader)?;
            desk.aside.push_back((from, Zeroizing::new(read_body(reader)?.to_vec())));
        }
        desk.kept = KeptContents::read(reader)?;
        Ok(desk)
    }
}

fn write_items(items: &[Item], writer: &mut SecretWriter) {
    writer.count(items.len());
    items.iter().for_each(|item| item.write(writer));
}

fn read_items(reader: &mut Reader<'_>) -> Result<Vec<Item>, Malformed> {
    (0..reader.count_of(5)?).map(|_| Item::read(reader)).collect()
}

/// Bytes of most desks.
const TYPICAL: usize = 2_048;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;

    use super::super::id::GroupMessageId;
    use super::*;
    use crate::group::chain::ChainId;

    fn desk() -> Desk {
        let identity = IdentityKey::from_bytes_without_points(&[9; 64]).unwrap();
        let local = MemberDevice { account: AccountKey::from_identity(identity), device: 0, identity };
        Desk::new(GroupId::from_bytes([1; 32]), local)
    }

    /// P-12.58. A hosted device deletes in time what its program did not take, and says so.
    #[test]
    fn a_message_deleted_before_it_was_shown_is_reported_as_lost() {
        let mut desk = desk();
        let (from, at) = (desk.local, Timestamp::from_unix_seconds);
        let id = GroupMessageId { chain: ChainId::from_bytes([2; 8]), index: 0 };
        for (body, delete_by) in [(1, Some(at(100))), (2, None), (3, Some(at(200)))] {
            let body = Zeroizing::new(vec![body]);
            desk.give(GroupReceived::Message { from, id, body, same_view: true, may_pass_on: false, delete_by });
        }
        desk.stored(desk.lineage.revision());
        let before = desk.lineage.revision();
        desk.expire(at(99));
        assert_eq!((desk.inbox().count(), desk.lineage.revision()), (3, before), "nothing is due");
        desk.expire(at(100));
        assert!(desk.lineage.revision() > before);
        desk.stored(desk.lineage.revision());
        let left: Vec<_> = desk.inbox().map(|(_, received)| received).collect();
        assert!(matches!(&left[..], [
            GroupReceived::Message { body: second, .. },
            GroupReceived::Message { body: third, .. },
            GroupReceived::Lost { messages: 1, .. },
        ] if second[..] == [2] && third[..] == [3]));
    }

    /// Section 15.5. Whoever asks does not decide how much memory the answers take.
    #[test]
    fn answers_wait_while_too_many_letters_are_in_the_outbox() {
        let mut desk = desk();
        let to = desk.local;
        desk.outbox.make(What::Message(vec![0; LETTER_BYTES]));
        desk.letter(to, Zeroizing::new(vec![0; LETTER_BYTES - 1]));
        assert!(!desk.is_crowded(), "messages have their own bound");
        desk.letter(to, Zeroizing::new(vec![0]));
        assert!(desk.is_crowded());
        let given_out = desk.outbox.give_out(Vec::new(), desk.lineage.origin());
        let stored = held::stored(desk.lineage.origin());
        let Ok((_, handover)) = given_out.release(&stored) else { panic!("it is stored") };
        desk.outbox.handed(&handover);
        assert!(!desk.is_crowded());
    }
}
