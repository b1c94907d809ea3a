//! What travels: the bodies of statuses, and letters (docs/spec/statuses.md, section 16.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::limits::{DAY, MOST_DELETED};
use crate::conversation::{MAX_BODY, ReceivedLetter};
use crate::group::GroupMessageId;
use crate::group::chain::{ChainId, Distribution, Scope};
use crate::group::write::{CHAIN, chain_letter};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// What a message of an audience says, once it is decrypted.
pub(super) enum Body<'a> {
    /// Something to show.
    Post {
        /// By the author's clock.
        written: Timestamp,
        /// Seconds, at most a day.
        lifetime: u32,
        content: &'a [u8],
    },
    /// What is to be shown no longer.
    Delete(Vec<GroupMessageId>),
}

impl<'a> Body<'a> {
    /// P-16.4.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            POST => {
                let (written, lifetime) = (Timestamp::from_unix_seconds(reader.u64()?), reader.u32()?);
                let content = reader.rest();
                let allowed = lifetime > 0 && u64::from(lifetime) <= DAY && content.len() <= MAX_BODY;
                if allowed { Ok(Self::Post { written, lifetime, content }) } else { Err(Malformed) }
            }
            DELETE => {
                let (mut posts, mut rest) = (Vec::new(), reader.rest());
                while !rest.is_empty() && posts.len() < MOST_DELETED {
                    let mut reader = Reader::new(rest);
                    posts.push(GroupMessageId::read(&mut reader)?);
                    rest = reader.rest();
                }
                if rest.is_empty() && !posts.is_empty() { Ok(Self::Delete(posts)) } else { Err(Malformed) }
            }
            _ => Err(Malformed),
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Post { written, lifetime, content } => {
                let mut writer = SecretWriter::with_capacity(content.len().saturating_add(13));
                writer.u8(POST).u64(written.as_unix_seconds()).u32(*lifetime).bytes(content);
                writer.finish()
            }
            Self::Delete(posts) => {
                let mut writer = SecretWriter::with_capacity(1 + MOST_DELETED * 12);
                writer.u8(DELETE);
                posts.iter().for_each(|post| post.write(&mut writer));
                writer.finish()
            }
        }
    }
}

/// What a letter about a status says.
pub(in crate::group) enum StatusNote {
    /// The key of the chain in which its sender shows something to the receiver.
    Chain(Box<Distribution>),
    /// The sender lacks this chain, in which the receiver is said to write.
    NeedChain(ChainId),
}

impl StatusNote {
    /// P-16.5.
    pub(in crate::group) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            CHAIN => {
                let distribution = Distribution::from_bytes(reader.rest()).map_err(|_| Malformed)?;
                match distribution.scope() {
                    Scope::Audience(_) => Ok(Self::Chain(Box::new(distribution))),
                    Scope::Group(_) => Err(Malformed),
                }
            }
            NEED_CHAIN => {
                let chain = ChainId::from_bytes(*reader.array()?);
                reader.finish()?;
                Ok(Self::NeedChain(chain))
            }
            _ => Err(Malformed),
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Chain(distribution) => chain_letter(distribution),
            Self::NeedChain(chain) => {
                let mut writer = SecretWriter::with_capacity(1 + ChainId::LENGTH);
                writer.u8(NEED_CHAIN).bytes(chain.as_bytes());
                writer.finish()
            }
        }
    }
}

/// Whose letter about a status it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusLetter {
    /// The [`Feed`](super::Feed) of its sender's account takes it. If there is none, its author shows something for the first
    /// time: begin a feed if it is a contact.
    Feed,
    /// One of the own [audiences](super::Audience) takes it: try each.
    Audience,
}

impl ReceivedLetter {
    /// Returns whose letter about a status it is; `None` if it is about something else.
    #[must_use]
    pub fn status(&self) -> Option<StatusLetter> {
        Some(match StatusNote::decode(self.body()).ok()? {
            StatusNote::Chain(_) => StatusLetter::Feed,
            StatusNote::NeedChain(_) => StatusLetter::Audience,
        })
    }
}

/// First bytes of bodies.
const POST: u8 = 1;
const DELETE: u8 = 2;
/// First byte of a letter. Those of groups are others, but for that of a chain, which says itself whose it is.
const NEED_CHAIN: u8 = 9;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec;

    use super::*;
    use crate::conversation::MemberDevice;
    use crate::device::AccountKey;
    use crate::group::GroupId;
    use crate::group::chain::{ListsDigest, Place, SendPlan, SendingChain, View};
    use crate::keys::IdentityKey;

    /// P-16.4. A status of a dishonest author that would not end is none.
    #[test]
    fn a_body_has_one_form_and_an_end() {
        let at = Timestamp::from_unix_seconds(1_800_000_000);
        let post = Body::Post { written: at, lifetime: 86_400, content: b"halo" }.encode();
        assert_eq!(post.len(), 17);
        assert!(
            matches!(Body::decode(&post), Ok(Body::Post { written, lifetime: 86_400, content: b"halo" }) if written == at)
        );
        for lifetime in [0, 86_401, u32::MAX] {
            assert!(Body::decode(&Body::Post { written: at, lifetime, content: b"" }.encode()).is_err());
        }
        let content = vec![0; MAX_BODY + 1];
        assert!(Body::decode(&Body::Post { written: at, lifetime: 1, content: &content }.encode()).is_err());
        assert!(Body::decode(&Body::Post { written: at, lifetime: 1, content: &content[1..] }.encode()).is_ok());
        for short in 0..13 {
            assert!(Body::decode(&post[..short]).is_err());
        }
        let id = GroupMessageId { chain: ChainId::from_bytes([8; 8]), index: 7 };
        let delete = |count| Body::Delete(vec![id; count]).encode();
        assert!(matches!(Body::decode(&delete(2)), Ok(Body::Delete(ids)) if ids == [id; 2]));
        assert!(Body::decode(&delete(MOST_DELETED)).is_ok());
        assert!(Body::decode(&delete(0)).is_err() && Body::decode(&delete(MOST_DELETED + 1)).is_err());
        assert!(Body::decode(&delete(2)[..24]).is_err());
        assert!(Body::decode(&[]).is_err() && Body::decode(&[3; 20]).is_err());
    }

    /// P-16.5. The chain of a group is none of an audience, whoever gives it.
    #[test]
    fn a_letter_about_a_status_has_one_form() {
        let identity = IdentityKey::from_bytes_without_points(&[9; 64]).unwrap();
        let account = AccountKey::from_identity(identity);
        let sender = MemberDevice { account, device: 0, identity };
        let reader = IdentityKey::from_bytes_without_points(&[8; 64]).unwrap();
        let (id, now) = (GroupId::from_bytes([6; 32]), Timestamp::from_unix_seconds(1_800_000_000));
        for (place, taken) in [(Place::Audience { id }, true), (Place::Group { id, origin: [1; 32] }, false)] {
            let mut chain = SendingChain::begin(place, sender, false, now, &mut rand::rng()).unwrap();
            let targets = BTreeSet::from([reader]);
            let SendPlan::Ready(mut ready) = chain.plan(&targets, now) else { panic!("it has just begun") };
            let given = ready.distribution_for(&reader, View::NONE, &ListsDigest::NONE).unwrap();
            let letter = chain_letter(&given);
            assert_eq!(letter.len(), 195);
            assert_eq!(matches!(StatusNote::decode(&letter), Ok(StatusNote::Chain(_))), taken, "{place:?}");
        }
        let lacking = StatusNote::NeedChain(ChainId::from_bytes([8; 8])).encode();
        assert_eq!(lacking.len(), 9);
        assert!(matches!(StatusNote::decode(&lacking), Ok(StatusNote::NeedChain(_))));
        assert!(StatusNote::decode(&lacking[..8]).is_err());
        assert!(StatusNote::decode(&[&lacking[..], &[0]].concat()).is_err());
        for other in (0..=8).chain([10, 255]) {
            assert!(StatusNote::decode(&[&[other][..], &[8; 8]].concat()).is_err(), "{other}");
        }
    }
}
