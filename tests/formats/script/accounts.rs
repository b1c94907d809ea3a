//! The steps about accounts and devices (docs/spec/accounts.md, section 10).

use std::collections::BTreeMap;

use bisik::device::link::{Answered, Companion, CompanionComparing, Invitation, Sas};
use bisik::device::{
    AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms, Primary,
};
use bisik::{DisclosureHash, Identity, IdentityKey, Trust};

use super::runner::{Outcome, now, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// All accounts, directories and linkings, by name.
#[derive(Default)]
pub(super) struct Accounts {
    primaries: BTreeMap<String, Primary>,
    directories: BTreeMap<String, DeviceDirectory>,
    companions: BTreeMap<String, Linking>,
    answered: BTreeMap<String, Answering>,
}

/// A companion is restarted from its draws after a step consumed it: a refused message ends a linking.
struct Linking {
    qr_code: bool,
    drawn: Vec<u8>,
    comparing: Option<Vec<u8>>,
}

/// The same for a primary.
struct Answering {
    seen: Vec<u8>,
    terms: DeviceTerms,
    primary: Primary,
    drawn: Vec<u8>,
}

/// The identities that a step may use.
type Identities = BTreeMap<String, Identity>;

impl Accounts {
    pub(super) fn run(&mut self, identities: &Identities, step: &Step, draws: &mut Draws) -> Outcome {
        let of = step.need("of");
        match step.need("do") {
            "certify" => Ok(certify(&identities[of], &identities[step.need("with")], step)),
            "found-account" => {
                let primary = Primary::new(&identities[of], terms(step), now(step));
                let results = issued(primary.list());
                self.primaries.insert(of.to_owned(), primary);
                Ok(results)
            }
            "issue-list" => self.issue(&identities[of], step),
            "recover-list" => self.recover(&identities[of], step),
            "trust-list" => self.trust(step),
            "follow-list" => self.follow(step),
            "link-by-qr-code" => Ok(self.begin(step, draws, true)),
            "link-by-typed-code" => Ok(self.begin(step, draws, false)),
            "link-invite" => self.invite(step, draws),
            "link-answer" => self.answer(step),
            "link-reveal" => self.reveal(step),
            "link-finish" => self.finish(step),
            verb => panic!("{verb} is not a verb"),
        }
    }

    fn issue(&mut self, identity: &Identity, step: &Step) -> Outcome {
        let certificate = |name| DeviceCertificate::from_bytes(&step.hex(name)).map_err(word);
        let mut changes = Vec::new();
        if step.text("added").is_some() {
            changes.push(DeviceChange::Add(certificate("added")?));
        }
        if step.text("updated").is_some() {
            changes.push(DeviceChange::Update(certificate("updated")?));
        }
        if let Some(removed) = step.text("removed") {
            changes.push(DeviceChange::Remove(removed.parse().expect("an index, in decimal")));
        }
        let primary = self.primaries.get_mut(step.need("of")).expect("an account by that name");
        primary.issue(identity, &changes, now(step)).map(issued).map_err(word)
    }

    fn recover(&mut self, identity: &Identity, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let primary = self.primaries.get_mut(step.need("of")).expect("an account by that name");
        let _change = primary.recover(identity, &[list], now(step)).map_err(word)?;
        Ok(issued(primary.list()))
    }

    fn trust(&mut self, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let pinned = IdentityKey::from_bytes(&step.array("pinned")).map_err(word)?;
        let directory = DeviceDirectory::trust(&list, Trust::Pinned(&pinned), now(step)).map_err(word)?;
        let hash = to_hex(directory.hash());
        self.directories.insert(step.need("of").to_owned(), directory);
        Ok(vec![("hash", hash)])
    }

    fn follow(&mut self, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let directory = self.directories.get_mut(step.need("of")).expect("a directory by that name");
        let _ = directory.accept(&list, now(step)).map_err(word)?;
        Ok(vec![("hash", to_hex(directory.hash()))])
    }

    fn begin(&mut self, step: &Step, draws: &mut Draws, qr_code: bool) -> Vec<(&'static str, String)> {
        use bisik::rand_core::Rng;
        let mut drawn = vec![0; if qr_code { 128 } else { 101 }];
        draws.fill_bytes(&mut drawn);
        let mut again = Draws::listed(&drawn);
        let results = if qr_code {
            let (_, code) = Companion::with_qr_code(&mut again);
            vec![("shown", to_hex(code.as_bytes()))]
        } else {
            let (companion, code) = Companion::with_typed_code(&mut again);
            vec![("shown", to_hex(companion.hello())), ("code", code.to_string())]
        };
        again.finish();
        self.companions.insert(step.need("of").to_owned(), Linking { qr_code, drawn, comparing: None });
        results
    }

    fn invite(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        use bisik::rand_core::Rng;
        let (of, seen, terms) = (step.need("of"), step.hex("seen"), terms(step));
        invitation(&seen).map_err(word)?;
        let mut drawn = vec![0; 32];
        draws.fill_bytes(&mut drawn);
        let answering = Answering { seen, terms, primary: self.primaries[of].clone(), drawn };
        let (_, message) = answering.again();
        self.answered.insert(of.to_owned(), answering);
        Ok(vec![("link_answer", to_hex(&message))])
    }

    fn answer(&mut self, step: &Step) -> Outcome {
        let linking = self.companions.get_mut(step.need("of")).expect("a companion by that name");
        let (comparing, reveal) = linking.begin_again().answer(&step.hex("seen")).map_err(word)?;
        linking.comparing = Some(step.hex("seen"));
        Ok([vec![("reveal", to_hex(&reveal))], string(comparing.sas())].concat())
    }

    fn reveal(&self, step: &Step) -> Outcome {
        let (answered, _) = self.answered[step.need("of")].again();
        let comparing = answered.reveal(&step.hex("seen")).map_err(word)?;
        let string = string(comparing.sas());
        Ok([vec![("certificate", to_hex(&comparing.confirm().to_bytes()))], string].concat())
    }

    fn finish(&self, step: &Step) -> Outcome {
        let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
        let linking = &self.companions[step.need("of")];
        let linked = linking.compare_again().confirm().finish(&list, now(step)).map_err(word)?;
        Ok(vec![("hash", to_hex(linked.directory.hash()))])
    }
}

impl Linking {
    fn begin_again(&self) -> Companion {
        let mut draws = Draws::listed(&self.drawn);
        if self.qr_code { Companion::with_qr_code(&mut draws).0 } else { Companion::with_typed_code(&mut draws).0 }
    }

    fn compare_again(&self) -> CompanionComparing {
        let message = self.comparing.as_ref().expect("a companion that has accepted an answer");
        self.begin_again().answer(message).expect("as before").0
    }
}

impl Answering {
    fn again(&self) -> (Answered, Vec<u8>) {
        let invitation = invitation(&self.seen).expect("as before");
        invitation.answer(&self.primary, self.terms, &mut Draws::listed(&self.drawn))
    }
}

/// A QR code has 130 bytes.
fn invitation(seen: &[u8]) -> Result<Invitation, bisik::device::LinkError> {
    if seen.len() == 130 { Invitation::scan(seen) } else { Invitation::fetch(seen) }
}

fn certify(device: &Identity, account: &Identity, step: &Step) -> Vec<(&'static str, String)> {
    let index = step.need("index").parse().expect("an index, in decimal");
    let certificate = DeviceCertificate::sign(device, &AccountKey::of(account), index, terms(step));
    vec![("certificate", to_hex(&certificate.to_bytes()))]
}

fn issued(list: &DeviceList) -> Vec<(&'static str, String)> {
    vec![("list", to_hex(&list.to_bytes())), ("hash", to_hex(&list.hash()))]
}

fn string(sas: &Sas) -> Vec<(&'static str, String)> {
    let emoji: String = sas.emoji().iter().map(|emoji| emoji.symbol).collect();
    vec![("emoji", to_hex(emoji.as_bytes())), ("digits", sas.digits())]
}

fn terms(step: &Step) -> DeviceTerms {
    let [custody, automated, disclosure @ ..] = step.array::<34>("terms");
    let custody = Custody::ALL[usize::from(custody) - 1];
    let terms = match DisclosureHash::from_bytes(disclosure) {
        Err(_) => DeviceTerms::own_held(custody),
        Ok(disclosure) => DeviceTerms::disclosed(custody, disclosure),
    };
    let terms = terms.expect("terms that are good");
    if automated == 0 { terms } else { terms.automated() }
}
