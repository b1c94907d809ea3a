//! What the chains of a sending device must do with each input: section 14.4 of docs/spec/chains.md without keys, for the
//! target `group_chain`.

use std::collections::{BTreeMap, VecDeque};

use bisik::group::{OpenError, TakeError};

/// What is known of one chain, without its keys.
pub(super) struct Known {
    first: u32,
    next: u32,
    heard: u32,
    open: bool,
    length: Option<(u8, u32)>,
    /// When each was kept.
    kept: BTreeMap<u32, u32>,
    used: VecDeque<(u32, u8)>,
}

/// The chains of one sending device.
#[derive(Default)]
pub(super) struct Model {
    pub(super) chains: VecDeque<(u8, Known)>,
    /// With what they said to follow.
    gone: VecDeque<(u8, Option<(u8, u32)>)>,
    received: u32,
}

impl Model {
    fn find(&mut self, id: u8) -> Option<&mut Known> {
        self.chains.iter_mut().find(|(known, _)| *known == id).map(|(_, known)| known)
    }

    fn is_gone(&self, id: u8) -> bool {
        self.gone.iter().any(|(gone, _)| *gone == id)
    }

    pub(super) fn take(&mut self, id: u8, index: u32, before: Option<(u8, u32)>) -> Result<bool, TakeError> {
        if self.is_gone(id) {
            return Err(TakeError::Closed);
        }
        let received = self.received;
        let Some(known) = self.find(id) else {
            let gone = self.gone.iter().filter_map(|(_, before)| *before);
            let all = gone.chain(self.chains.iter().filter_map(|(_, known)| known.length));
            let named = { all }.find(|(named, _)| *named == id);
            self.end(before);
            if self.chains.len() == 5 {
                let (oldest, known) = self.chains.pop_front().unwrap();
                self.forget(oldest, known.length);
            }
            let (kept, used) = (BTreeMap::new(), VecDeque::new());
            self.chains
                .push_back((id, Known { first: index, next: index, heard: 0, open: true, length: before, kept, used }));
            self.end(named);
            return Ok(true);
        };
        if known.length != before {
            return Err(TakeError::Contradicts);
        }
        if !known.open {
            return Err(TakeError::Closed);
        }
        if index >= known.first {
            return Ok(false);
        }
        known.kept.extend((index..known.first).map(|number| (number, received)));
        known.first = index;
        self.tidy();
        Ok(true)
    }

    fn end(&mut self, named: Option<(u8, u32)>) {
        let Some((id, length)) = named else { return };
        let received = self.received;
        let Some(known) = self.find(id).filter(|known| known.open) else { return };
        known.open = false;
        if length > known.next {
            known.kept.extend((known.next..length).map(|number| (number, received)));
            known.next = length;
        }
        self.tidy();
    }

    pub(super) fn open(&mut self, id: u8, index: u32, salt: u8, right_key: bool) -> Result<(), OpenError> {
        let gone = self.is_gone(id);
        let received = self.received + 1;
        let Some(known) = self.find(id) else {
            return Err(if gone { OpenError::Closed } else { OpenError::NeedsChain });
        };
        if index >= known.next {
            if !known.open {
                return Err(OpenError::Closed);
            }
        } else if !known.kept.contains_key(&index) {
            return Err(match known.used.iter().find(|(used, _)| *used == index) {
                Some((_, same)) if *same == salt => OpenError::Replayed,
                Some(_) => OpenError::WentBack { index },
                None if index < known.first => OpenError::NotGiven,
                None if !known.open && index >= known.heard => OpenError::Closed,
                None => OpenError::Spent,
            });
        }
        if !right_key {
            return Err(OpenError::Rejected);
        }
        if index >= known.next {
            known.kept.extend((known.next..index).map(|number| (number, received)));
            known.next = index + 1;
        } else {
            known.kept.remove(&index);
        }
        known.heard = known.heard.max(index + 1);
        known.used.push_back((index, salt));
        if known.used.len() > 64 {
            known.used.pop_front();
        }
        self.received = received;
        self.tidy();
        Ok(())
    }

    pub(super) fn close(&mut self) {
        for (_, known) in &mut self.chains {
            known.open = false;
            known.kept.retain(|number, _| *number < known.heard);
        }
        self.tidy();
    }

    pub(super) fn kept(&self) -> usize {
        self.chains.iter().map(|(_, known)| known.kept.len()).sum()
    }

    fn tidy(&mut self) {
        for at in 0..self.chains.len() {
            for _ in 0..self.kept().saturating_sub(2_000) {
                self.chains[at].1.kept.pop_first();
            }
        }
        while let Some(at) = self.chains.iter().position(|(_, known)| !known.open && known.kept.is_empty()) {
            let (id, known) = self.chains.remove(at).unwrap();
            self.forget(id, known.length);
        }
    }

    fn forget(&mut self, id: u8, before: Option<(u8, u32)>) {
        self.gone.push_back((id, before));
        if self.gone.len() > 16 {
            self.gone.pop_front();
        }
    }
}
