//! [`Stays`]: the stays of all other devices in a call, by the numbers that they have drawn.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;

use super::epoch::Epoch;
use super::error::{EpochKeyError, OpenError};
use super::header::Header;
use super::keys::{Participant, participant_of};
use super::member::KeyNews;
use super::receiving;
use super::schedule::EpochBinding;
use super::stay::{Miss, Opened, Stay};
use crate::keys::IdentityKey;
use bisik_core::codec::Malformed;

/// A decrypted frame of a group call, authentic and received for the first time.
pub struct GroupFrame<'a> {
    /// The device whose key the frame was encrypted with. Everybody who is in the call has the key too and could have
    /// encrypted the frame.
    pub device: IdentityKey,
    /// The number of that device's stay.
    pub participant: Participant,
    /// The number of the key's epoch.
    pub epoch: u64,
    /// The frame's counter under that key.
    pub counter: u64,
    /// The plaintext, inside the buffer that held the frame.
    pub plaintext: &'a mut [u8],
}

/// Omits the plaintext.
impl fmt::Debug for GroupFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, participant, epoch, counter, plaintext } = self;
        f.debug_struct("GroupFrame")
            .field("device", device)
            .field("participant", participant)
            .field("epoch", epoch)
            .field("counter", counter)
            .field("length", &plaintext.len())
            .finish()
    }
}

/// At most three stays of a device, and four with one number.
pub(super) struct Stays {
    by_number: BTreeMap<Participant, Vec<Stay>>,
    turns: Turns,
    /// Stays that were forgotten, oldest first: no key of theirs is taken under which a frame may have been opened.
    gone: VecDeque<Gone>,
}

/// The number of frames opened and keys taken so far: a clock that orders them.
struct Turns(u64);

impl Turns {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// A stay that was forgotten.
struct Gone {
    device: IdentityKey,
    participant: Participant,
    /// The newest epoch that was said, or under which a frame was opened.
    last: u64,
}

impl Gone {
    fn of(stay: &Stay) -> Self {
        let (EpochBinding { sender, participant, .. }, last) = stay.seen();
        Self { device: sender, participant, last }
    }

    fn permits(&self, epoch: &EpochBinding) -> bool {
        let same = self.device == epoch.sender && self.participant == epoch.participant;
        !same || u64::from(epoch.epoch) > self.last
    }
}

impl Stays {
    pub(super) const fn new() -> Self {
        Self { by_number: BTreeMap::new(), turns: Turns(0), gone: VecDeque::new() }
    }

    /// P-9.15: epochs are compared within a stay only. A new stay stands beside the others; of a fourth, the one that
    /// has opened nothing for longest goes.
    pub(super) fn take(&mut self, epoch: Epoch) -> Result<KeyNews, EpochKeyError> {
        let (number, device) = (epoch.binding.participant, epoch.binding.sender);
        if let Some(sharing) = self.by_number.get_mut(&number) {
            if let Some(stay) = sharing.iter_mut().find(|stay| *stay.device() == device) {
                let news = stay.take(epoch);
                if news != KeyNews::Old {
                    stay.told = self.turns.next();
                }
                return Ok(news);
            }
            if sharing.len() >= SHARING {
                return Err(EpochKeyError::Crowded);
            }
        }
        // P-9.13: what was opened is not opened again, although its counters are forgotten.
        if !self.gone.iter().all(|gone| gone.permits(&epoch.binding)) {
            return Ok(KeyNews::Old);
        }
        self.make_room(&device);
        let stay = Stay::begin(epoch, self.turns.next());
        self.by_number.entry(number).or_default().push(stay);
        Ok(KeyNews::NewStay)
    }

    fn make_room(&mut self, device: &IdentityKey) {
        let stays = self.by_number.values().flatten().filter(|stay| stay.device() == device);
        let heard: Vec<_> = stays.map(|stay| stay.heard).collect();
        if let Some(longest) = heard.iter().min()
            && heard.len() >= STAYS
        {
            self.keep(|stay| stay.heard != *longest);
        }
    }

    /// Decrypts a frame in place. P-9.18: at most four stays have its number; the tag decides which of them it is of.
    pub(super) fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<GroupFrame<'a>, OpenError> {
        let header = Header::decode(frame).map_err(|Malformed| OpenError::Malformed)?;
        let participant = participant_of(header.key_id).ok_or(OpenError::UnknownKey)?;
        let sharing = self.by_number.get_mut(&participant).ok_or(OpenError::UnknownKey)?;
        let (mut refused, mut lacking) = (None, false);
        for stay in sharing {
            match stay.open(&header, metadata, frame) {
                Ok(Opened { epoch, body }) => {
                    stay.heard = self.turns.next();
                    let (device, counter) = (*stay.device(), header.counter);
                    let plaintext = receiving::plaintext(&header, body, frame)?;
                    return Ok(GroupFrame { device, participant, epoch, counter, plaintext });
                }
                Err(Miss::NoKey) => lacking = true,
                Err(Miss::Refused(error)) if matches!(refused, None | Some(OpenError::Rejected)) => {
                    refused = Some(error);
                }
                Err(Miss::Refused(_)) => {}
            }
        }
        match refused {
            Some(error) if !lacking => Err(error),
            // The key may be on its way to the stay that lacks it.
            Some(_) | None => Err(OpenError::UnknownKey),
        }
    }

    /// The stay in which a device said its last key.
    pub(super) fn newest(&self, device: &IdentityKey) -> Option<Participant> {
        let stays = self.by_number.iter().flat_map(|(number, sharing)| sharing.iter().map(move |stay| (number, stay)));
        let of_device = stays.filter(|(_, stay)| stay.device() == device);
        of_device.max_by_key(|(_, stay)| stay.told).map(|(number, _)| *number)
    }

    /// Removes everything of a device that left.
    pub(super) fn forget(&mut self, device: &IdentityKey) {
        self.keep(|stay| stay.device() != device);
    }

    fn keep(&mut self, kept: impl Fn(&Stay) -> bool) {
        for sharing in self.by_number.values_mut() {
            self.gone.extend(sharing.iter().filter(|stay| !kept(stay)).map(Gone::of));
            sharing.retain(&kept);
        }
        self.by_number.retain(|_, sharing| !sharing.is_empty());
        while self.gone.len() > GONE {
            self.forget_gone();
        }
    }

    /// P-9.15: forgets the oldest stay of the device of which most are remembered, so that no device makes others'
    /// forgotten.
    fn forget_gone(&mut self) {
        let mut counts: BTreeMap<[u8; 64], usize> = BTreeMap::new();
        for gone in &self.gone {
            let count = counts.entry(gone.device.to_bytes()).or_default();
            *count = count.saturating_add(1);
        }
        let most = counts.values().max().copied();
        let of_most = |gone: &Gone| counts.get(&gone.device.to_bytes()).copied() == most;
        if let Some(oldest) = self.gone.iter().position(of_most) {
            self.gone.remove(oldest);
        }
    }

    pub(super) fn forget_older(&mut self) {
        self.by_number.values_mut().flatten().for_each(|stay| stay.forget_older());
    }

    pub(super) fn keys(&self) -> usize {
        self.by_number.values().flatten().map(|stay| stay.keys()).sum()
    }
}

/// Stays of one device that are kept: the one it is in, and those of which a late key or frame may still come.
const STAYS: usize = 3;
/// Forgotten stays that are remembered.
const GONE: usize = 256;
/// Stays with one number that are kept, and so keys that a frame is tried with.
const SHARING: usize = 4;
