//! [`History`]: earlier messages that a member passes on to a newcomer (docs/spec/rooms.md, section 15.7).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use rand_core::CryptoRng;

use super::error::HistoryError;
use super::id::GroupMessageId;
use super::limits::{HISTORY_BYTES, HISTORY_FOR, HISTORY_MESSAGES};
use crate::conversation::{MAX_BODY, MemberDevice};
use crate::device::AccountKey;
use crate::group::GroupId;
use crate::keys::IdentityKey;
use crate::media::{self, EncryptError, MediaType, Pointer};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// A message that the program still shows, as [`GroupReceived::Message`](super::GroupReceived::Message) gave it: what
/// [`Group::history`](super::Group::history) selects from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Remembered<'a> {
    /// The device that wrote it.
    pub from: MemberDevice,
    /// Its name.
    pub id: GroupMessageId,
    /// When it arrived here, or was written.
    pub at: Timestamp,
    /// Whether its author permits it, as [`GroupReceived::Message`](super::GroupReceived::Message) said.
    pub may_pass_on: bool,
    /// The content.
    pub body: &'a [u8],
}

/// Messages that a member passes on: at most 100, of at most 14 days, 4 MiB together.
///
/// **Nothing in it is authenticated by those who are said to have written it** (P-15.21). The member that passes it on has chosen, and
/// could have changed or invented, every message. So none of them is a [`GroupReceived::Message`](super::GroupReceived), and
/// a program shows all of them as passed on by [`by`](Self::by).
#[derive(Clone, PartialEq, Eq)]
pub struct History {
    pub(super) group: GroupId,
    pub(super) by: AccountKey,
    pub(super) made: Timestamp,
    pub(super) messages: Vec<PassedOn>,
}

/// One message, by the word of the member that passes it on.
#[derive(Clone, PartialEq, Eq)]
pub struct PassedOn {
    /// Whoever is said to have written it.
    pub claimed_author: AccountKey,
    /// The index of the device that is said to have written it.
    pub claimed_device: u32,
    /// The name that it is said to have. Store it under author, device and name, and keep a message of that name that the
    /// device received itself: this one is a double, or false.
    pub id: GroupMessageId,
    /// When it is said to have been written.
    pub claimed_at: Timestamp,
    /// The content.
    pub body: Zeroizing<Vec<u8>>,
    /// This device remembers to have received, or written, a message of this name itself: show that one. `false` says
    /// nothing, because a device remembers the last messages only.
    pub received_here: bool,
}

impl History {
    /// The media type of the attachment, under which its keys are derived: no other file can be passed off as one.
    pub const MEDIA_TYPE: &'static str = "application/vnd.bisik.history";

    /// Returns the account that passes it on.
    #[must_use]
    pub const fn by(&self) -> &AccountKey {
        &self.by
    }

    /// Returns when it was made, by the word of that account.
    #[must_use]
    pub const fn made(&self) -> Timestamp {
        self.made
    }

    /// Returns the messages, oldest first by the times that they are said to have.
    #[must_use]
    pub fn messages(&self) -> &[PassedOn] {
        &self.messages
    }

    /// Encrypts it as an attachment. Store the blob under [`Pointer::root`] where newcomers find it, and give the pointer to
    /// [`Group::pass_on`](super::Group::pass_on). Draws 56 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`EncryptError::Internal`].
    pub fn seal(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<(Vec<u8>, Pointer), EncryptError> {
        let media_type = MediaType::new(Self::MEDIA_TYPE).map_err(|_| EncryptError::Internal)?;
        media::encrypt(media_type, &self.encode(), rng)
    }

    /// P-15.20.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let Self { group, by, made, messages } = self;
        let mut writer =
            SecretWriter::with_capacity(messages.iter().fold(HEAD, |sum, next| sum.saturating_add(next.len())));
        writer.u8(VERSION).bytes(group.as_bytes()).bytes(&by.to_bytes()).u64(made.as_unix_seconds());
        writer.count(messages.len());
        for message in messages {
            let PassedOn { claimed_author, claimed_device, id, claimed_at, body, received_here: _ } = message;
            id.write(writer.bytes(&claimed_author.to_bytes()).u32(*claimed_device));
            writer.u64(claimed_at.as_unix_seconds()).count(body.len()).bytes(body);
        }
        writer.finish()
    }

    /// P-15.20.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, HistoryError> {
        if bytes.first().is_some_and(|version| *version > VERSION) {
            return Err(HistoryError::NewerVersion);
        }
        Self::read(bytes).map_err(|Malformed| HistoryError::Malformed)
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > HISTORY_BYTES {
            return Err(Malformed);
        }
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION])?;
        let group = GroupId::from_bytes(*reader.array()?);
        let (by, made) = (read_account(&mut reader)?, Timestamp::from_unix_seconds(reader.u64()?));
        let count = reader.count(HISTORY_MESSAGES)?;
        let mut history = Self { group, by, made, messages: Vec::with_capacity(count) };
        let mut names = BTreeSet::new();
        for _ in 0..count {
            let (claimed_author, claimed_device) = (read_account(&mut reader)?, reader.u32()?);
            let id = GroupMessageId::read(&mut reader)?;
            let claimed_at = Timestamp::from_unix_seconds(reader.u64()?);
            let length = reader.count(MAX_BODY)?;
            let body = Zeroizing::new(reader.slice(length)?.to_vec());
            let message = PassedOn { claimed_author, claimed_device, id, claimed_at, body, received_here: false };
            let in_order = history.messages.last().is_none_or(|last| last.place() < message.place());
            if !in_order || !is_within(claimed_at, made) || !names.insert(message.name()) || !id.is_possible() {
                return Err(Malformed);
            }
            history.messages.push(message);
        }
        reader.finish()?;
        if history.messages.is_empty() { Err(Malformed) } else { Ok(history) }
    }

    /// The newest of these messages that have room, each name once, in order.
    pub(super) fn of(group: GroupId, by: AccountKey, made: Timestamp, mut messages: Vec<PassedOn>) -> Option<Self> {
        let mut names = BTreeSet::new();
        messages.retain(|message| names.insert(message.name()));
        messages.sort_unstable_by_key(|message| core::cmp::Reverse(message.place()));
        let mut room = ROOM;
        let taken =
            messages.iter().take(HISTORY_MESSAGES).take_while(|message| match room.checked_sub(message.len()) {
                Some(left) => {
                    room = left;
                    true
                }
                None => false,
            });
        let taken = taken.count();
        messages.truncate(taken);
        messages.reverse();
        (taken > 0).then_some(Self { group, by, made, messages })
    }
}

/// Whether a message of `at` may be in a history that was made at `made`.
pub(super) fn is_within(at: Timestamp, made: Timestamp) -> bool {
    at <= made && made <= at.plus_seconds(HISTORY_FOR)
}

impl PassedOn {
    /// Bytes of its encoding.
    fn len(&self) -> usize {
        self.body.len().saturating_add(MESSAGE)
    }

    const fn name(&self) -> (AccountKey, u32, GroupMessageId) {
        (self.claimed_author, self.claimed_device, self.id)
    }

    const fn place(&self) -> (Timestamp, (AccountKey, u32, GroupMessageId)) {
        (self.claimed_at, self.name())
    }
}

fn read_account(reader: &mut Reader<'_>) -> Result<AccountKey, Malformed> {
    let key = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
    Ok(AccountKey::from_identity(key))
}

/// The pointer of a [`History`] that a member passes on. Download the blob that its [`root`](Pointer::root) names, at most
/// [`ciphertext_size`](Pointer::ciphertext_size) bytes, and give it to [`Group::open_history`](super::Group::open_history).
///
/// It is secret, as every [`Pointer`].
#[derive(Clone)]
pub struct HistoryPointer(Box<Pointer>);

impl HistoryPointer {
    /// P-15.19.
    pub(super) fn new(pointer: Pointer) -> Result<Self, Malformed> {
        let fits = pointer.size() <= u64::try_from(HISTORY_BYTES).map_err(|_| Malformed)?;
        let is_history = pointer.media_type().as_str() == History::MEDIA_TYPE;
        let whole = Self(Box::new(pointer));
        // No thumbnail.
        if fits && is_history && whole.encode().len() == POINTER { Ok(whole) } else { Err(Malformed) }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        // Before anything is copied.
        if bytes.len() != POINTER {
            return Err(Malformed);
        }
        Self::new(Pointer::from_bytes(bytes).map_err(|_| Malformed)?)
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Returns the pointer.
    #[must_use]
    pub const fn pointer(&self) -> &Pointer {
        &self.0
    }

    /// Bytes of its encoding.
    pub(super) const fn len() -> usize {
        POINTER
    }
}

impl PartialEq for HistoryPointer {
    /// Compares what is public: two blobs with one root are one.
    fn eq(&self, other: &Self) -> bool {
        self.0.root() == other.0.root() && self.0.size() == other.0.size()
    }
}

impl Eq for HistoryPointer {}

impl fmt::Debug for HistoryPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HistoryPointer").field(&self.0).finish()
    }
}

/// Does not show what messages say.
impl fmt::Debug for Remembered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, id, at, may_pass_on, body } = self;
        let mut shown = f.debug_struct("Remembered");
        shown.field("from", from).field("id", id).field("at", at).field("may_pass_on", may_pass_on);
        shown.field("length", &body.len()).finish()
    }
}

/// Does not show what messages say.
impl fmt::Debug for PassedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claimed_author, claimed_device, id, claimed_at, body, received_here } = self;
        let mut shown = f.debug_struct("PassedOn");
        shown.field("claimed_author", claimed_author).field("claimed_device", claimed_device).field("id", id);
        shown.field("claimed_at", claimed_at).field("length", &body.len()).field("received_here", received_here);
        shown.finish()
    }
}

/// Does not show what messages say.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, by, made, messages } = self;
        let mut shown = f.debug_struct("History");
        shown.field("group", group).field("by", by).field("made", made).field("messages", messages).finish()
    }
}

const VERSION: u8 = 1;
/// Bytes before the messages.
const HEAD: usize = 1 + GroupId::LENGTH + AccountKey::LENGTH + 8 + 4;
/// Bytes of all messages.
const ROOM: usize = HISTORY_BYTES - HEAD;
/// Bytes of a message beside its content.
const MESSAGE: usize = AccountKey::LENGTH + 4 + 12 + 8 + 4;
/// Bytes of the pointer: docs/spec/attachments.md, section 8.4.
const POINTER: usize = 78 + History::MEDIA_TYPE.len();

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::group::chain::ChainId;

    const GROUP: GroupId = GroupId::from_bytes([6; 32]);
    const MADE: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn account(byte: u8) -> AccountKey {
        AccountKey::from_identity(IdentityKey::from_bytes_without_points(&[byte; 64]).unwrap())
    }

    fn message(index: u32, seconds: u64, length: usize) -> PassedOn {
        PassedOn {
            claimed_author: account(2),
            claimed_device: 1,
            id: GroupMessageId { chain: ChainId::from_bytes([8; 8]), index },
            claimed_at: Timestamp::from_unix_seconds(MADE.as_unix_seconds().checked_sub(seconds).unwrap()),
            body: Zeroizing::new(vec![7; length]),
            received_here: false,
        }
    }

    fn history(messages: Vec<PassedOn>) -> History {
        History { group: GROUP, by: account(1), made: MADE, messages }
    }

    fn read(messages: Vec<PassedOn>) -> Result<History, HistoryError> {
        History::decode(&history(messages).encode())
    }

    /// P-15.20
    #[test]
    fn a_history_has_one_form_and_bounds() {
        let good =
            history(vec![message(0, HISTORY_FOR, 0), message(1, 5, MAX_BODY), message(2, 5, 3), message(999, 0, 4)]);
        let bytes = good.encode();
        assert_eq!(History::decode(&bytes).unwrap(), good);
        assert_eq!(bytes.len(), HEAD + 4 * MESSAGE + MAX_BODY + 7);
        for wrong in [
            Vec::new(),
            vec![message(0, HISTORY_FOR + 1, 1)],
            vec![message(0, 5, MAX_BODY + 1)],
            vec![message(1_000, 5, 1)],
            vec![message(1, 5, 1), message(0, 5, 1)],
            vec![message(0, 5, 1), message(1, 6, 1)],
            vec![message(0, 6, 1), message(0, 5, 2)],
            (0..101).map(|index| message(index, 5, 1)).collect(),
            (0..17).map(|index| message(index, 5, MAX_BODY)).collect(),
        ] {
            assert_eq!(read(wrong.clone()), Err(HistoryError::Malformed), "{:?}", wrong.first());
        }
        assert!(read((0..100).map(|index| message(index, 5, 1)).collect()).is_ok());
        let mut ahead = history(vec![message(0, 0, 1)]);
        ahead.made = Timestamp::from_unix_seconds(MADE.as_unix_seconds().checked_sub(1).unwrap());
        assert_eq!(History::decode(&ahead.encode()), Err(HistoryError::Malformed));
        let short = history(vec![message(0, 5, 3)]).encode();
        for end in 0..short.len() {
            assert_eq!(History::decode(&short[..end]), Err(HistoryError::Malformed), "{end}");
        }
        assert_eq!(History::decode(&[&short[..], &[0]].concat()), Err(HistoryError::Malformed));
        assert_eq!(History::decode(&[&[2], &short[1..]].concat()), Err(HistoryError::NewerVersion));
        assert_eq!(History::decode(&[&[0], &short[1..]].concat()), Err(HistoryError::Malformed));
    }

    /// P-15.19
    #[test]
    fn only_a_pointer_of_a_history_is_one() {
        let rng = &mut rand::rng();
        let (blob, pointer) = history(vec![message(0, 5, 3)]).seal(rng).unwrap();
        let taken = HistoryPointer::new(pointer.clone()).unwrap();
        assert_eq!(HistoryPointer::decode(&taken.encode()).unwrap(), taken);
        assert_eq!(pointer.decrypt(&blob).unwrap(), **history(vec![message(0, 5, 3)]).encode());
        let of =
            |media_type, length| media::encrypt(MediaType::new(media_type).unwrap(), &vec![0; length], rng).unwrap().1;
        let mut of = of;
        assert!(HistoryPointer::new(of(History::MEDIA_TYPE, HISTORY_BYTES)).is_ok());
        assert!(HistoryPointer::new(of(History::MEDIA_TYPE, HISTORY_BYTES + 1)).is_err());
        assert!(HistoryPointer::new(of("application/vnd.bisik.histori", 3)).is_err(), "of the same length");
        let picture = pointer.with_thumbnail(&[1], rng).unwrap();
        assert!(HistoryPointer::new(picture).is_err());
        assert!(HistoryPointer::decode(&[&taken.encode()[..], &[0]].concat()).is_err());
    }
}
