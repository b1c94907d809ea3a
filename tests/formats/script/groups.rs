//! The steps about who is a member of a group (docs/spec/groups.md, section 13).

use std::collections::BTreeMap;

use bisik::device::{AccountKey, DeviceList};
use bisik::group::GroupId;
use bisik::group::membership::{Membership, Signers, Taken};
use bisik::{Identity, IdentityKey};
use sha2::{Digest, Sha256};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::to_hex;

/// The groups as devices know them, by name, and the device lists that all of them know.
#[derive(Default)]
pub(super) struct Groups {
    signers: Signers,
    known: BTreeMap<String, Membership>,
}

impl Groups {
    pub(super) fn run(&mut self, identities: &BTreeMap<String, Identity>, step: &Step) -> Outcome {
        let Self { signers, known } = self;
        if step.need("do") == "know-list" {
            let list = DeviceList::from_bytes(&step.hex("seen")).map_err(word)?;
            signers.add(&list).map_err(word)?;
            return Ok(Vec::new());
        }
        let statement = step.hex("statement");
        if step.need("do") == "follow-group" {
            let id: [u8; 32] = Sha256::digest([b"bisik-1 group id\0", statement.as_slice()].concat()).into();
            let device: &IdentityKey = identities.values().next().expect("a device").public();
            let account = AccountKey::from_identity(*device);
            let followed = Membership::follow(GroupId::from_bytes(id), &statement, &account, device).map_err(word)?;
            let mut results = vec![("group_id", to_hex(&id))];
            results.extend(seen_by(&followed));
            known.insert(step.need("of").to_owned(), followed);
            return Ok(results);
        }
        let group = known.get_mut(step.need("of")).expect("a group by that name");
        let (before, revision) = (seen_by(group), group.revision());
        let offered = match step.need("do") {
            "offer-entry" => group.offer_entry(&statement, signers),
            "offer-act" => group.offer_act(&statement, signers),
            "offer-floor" => group.offer_floor(&statement, signers),
            verb => panic!("{verb} is not a verb"),
        };
        let taken = match offered.map_err(word) {
            Ok(offered) => offered.taken,
            Err(refused) => {
                assert_eq!((seen_by(group), group.revision()), (before, revision), "a refusal changes nothing");
                return Err(refused);
            }
        };
        let taken = match taken {
            Taken::Taken => "taken",
            Taken::Known => "known",
            Taken::Aside => "aside",
        };
        let mut results = vec![("taken", taken.to_owned())];
        results.extend(seen_by(group));
        Ok(results)
    }
}

fn seen_by(group: &Membership) -> Vec<(&'static str, String)> {
    let state = group.state();
    vec![
        ("members", state.members().map(|account| to_hex(&account.to_bytes())).collect()),
        ("receivers", group.receivers().map(|account| to_hex(&account.to_bytes())).collect()),
        ("newest_entry", to_hex(group.newest_entry().as_bytes())),
        ("acts_digest", to_hex(state.acts_digest())),
    ]
}
