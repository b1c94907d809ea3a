//! The steps about disclosures and decisions (docs/spec/hosting.md, section 11).

use std::collections::BTreeMap;

use bisik::device::{AccountKey, DeviceDirectory, DeviceList};
use bisik::hosting::{
    Decision, DecisionReceipt, Disclosure, DisclosureDraft, Evidence, HostedDevice, LabelState, Operator, OperatorName,
    Presented, VerifiedDisclosure,
};
use bisik::{Identity, IdentityKey, Timestamp, Trust};

use super::runner::{Outcome, now, word};
use super::step::Step;
use crate::draws::to_hex;

/// The identities that a step may use.
type Identities = BTreeMap<String, Identity>;

pub(super) fn run(identities: &Identities, step: &Step) -> Outcome {
    match step.need("do") {
        "disclose" => disclose(identities, step),
        "operator-number" => {
            let name = OperatorName::new("Awan").expect("a name");
            let key = IdentityKey::from_bytes(&step.array("key")).map_err(word)?;
            Ok(vec![("number", Operator { name, key }.number())])
        }
        "verify-disclosure" => verify(step),
        "decide" => decide(&identities[step.need("of")], step),
        "acknowledge" => acknowledge(&identities[step.need("of")], step),
        "verify-receipt" => verify_receipt(step),
        verb => panic!("{verb} is not a verb"),
    }
}

fn disclose(identities: &Identities, step: &Step) -> Outcome {
    let [account, hosted, operator] = ["of", "with", "operator"].map(|name| &identities[step.need(name)]);
    let draft = DisclosureDraft::from_bytes(&step.hex("draft")).map_err(word)?;
    assert_eq!(draft.to_bytes(), step.hex("draft"));
    let proven = draft.countersign(operator).and_then(|countersigned| countersigned.prove(hosted)).map_err(word)?;
    let disclosure = proven.sign(account).map_err(word)?;
    Ok(vec![("disclosed", to_hex(&disclosure.to_bytes())), ("hash", to_hex(disclosure.hash().as_bytes()))])
}

fn account(step: &Step, name: &str) -> AccountKey {
    AccountKey::from_bytes(&step.array(name)).expect("an account key")
}

/// A disclosure verified at its own date.
fn good(bytes: &[u8]) -> VerifiedDisclosure {
    let disclosure = Disclosure::from_bytes(bytes).expect("a disclosure");
    let (account, issued) = (*disclosure.account(), disclosure.issued());
    disclosure.verify(&account, None, issued).expect("a good one")
}

/// The list of the user's devices, as of its own date.
fn user(step: &Step) -> DeviceDirectory {
    let list = DeviceList::from_bytes(&step.hex("seen")).expect("a device list");
    DeviceDirectory::trust(&list, Trust::OnFirstUse, list.issued()).expect("a good one")
}

fn verify(step: &Step) -> Outcome {
    let known = step.text("known").map(|_| good(&step.hex("known")).known());
    let disclosure = Disclosure::from_bytes(&step.hex("disclosed")).map_err(word)?;
    let verified = disclosure.verify(&account(step, "pinned"), known.as_ref(), now(step)).map_err(word)?;
    Ok(vec![("hash", to_hex(verified.hash().as_bytes()))])
}

/// A user who sees the disclosure, and decides once or twice.
fn decide(device: &Identity, step: &Step) -> Outcome {
    let (verified, own, now) = (good(&step.hex("disclosed")), account(step, "own"), now(step));
    let (disclosure, shown) = (verified.disclosure(), verified.hash());
    let hosted = HostedDevice {
        key: *disclosure.device(),
        custody: disclosure.terms().custody,
        automated: false,
        disclosure: Some(shown),
        presented: Presented::Verified(&verified),
    };
    let expires = Timestamp::from_unix_seconds(u64::MAX);
    let evidence = Evidence::Devices { expires, devices: &[hosted], own: &[] };
    let asked = LabelState::new(*disclosure.account()).observe(evidence, now).state;
    let decided = match step.need("choice") {
        "consent" => asked.consent(shown, &own, device, now),
        "refuse" => asked.refuse(shown, &own, device, now),
        "withdraw" => asked.consent(shown, &own, device, now).and_then(|(agreed, _)| {
            let agreed = agreed.state;
            agreed.withdraw(shown, &own, device, now)
        }),
        "reconsider" => asked.refuse(shown, &own, device, now).and_then(|(refused, _)| {
            let refused = refused.state;
            refused.consent(shown, &own, device, now)
        }),
        choice => panic!("{choice} is not a choice"),
    };
    let (_, decision) = decided.map_err(word)?;
    Ok(vec![("decision", to_hex(&decision.to_bytes()))])
}

fn acknowledge(hosted: &Identity, step: &Step) -> Outcome {
    let decision = Decision::from_bytes(&step.hex("decision")).map_err(word)?;
    let disclosure = good(&step.hex("disclosed"));
    let receipt = decision.acknowledge(&user(step), &disclosure, hosted, now(step)).map_err(word)?;
    Ok(vec![("receipt", to_hex(&receipt.to_bytes()))])
}

fn verify_receipt(step: &Step) -> Outcome {
    let receipt = DecisionReceipt::from_bytes(&step.hex("receipt")).map_err(word)?;
    receipt.verify(&user(step), &good(&step.hex("disclosed"))).map_err(word)?;
    Ok(Vec::new())
}
