//! Hosted devices: `Debug` of their types shows no signing key.

use bisik::Identity;
use bisik::device::{AccountKey, Custody, DeviceTerms, Primary};
use bisik::hosting::{
    Blocked, Choice, ClosedDevice, DecideError, DecisionError, DisclosureDraft, DisclosureError, DraftError, Evidence,
    HostedDevice, HostedMember, HostingTerms, LabelState, Language, LedgerFull, Operator, OperatorName, Presented,
    Promises, Purposes, Region, Retention, RetentionLedger, Roles, Rotation, RotationError, SharedDecision, TermsDiff,
    TextError, Unverified, notice,
};

use super::debug::{Shown, show};
use super::keys::NOW;
use super::recording::Recording;

pub(super) fn hosting(shown: &mut Shown, rng: &mut Recording) {
    let [business, operator, hosted, next, user] = [(); 5].map(|()| Identity::generate(rng));
    let account = AccountKey::of(&business);
    let terms = HostingTerms {
        custody: Custody::Vendor,
        operator: Operator { name: OperatorName::new("Awan").unwrap(), key: *operator.public() },
        roles: Roles::STORE,
        retention: Retention { region: Some(Region::new("ID").unwrap()), ..Retention::THIRTY_DAYS },
        purposes: Purposes::ANSWERING,
    };
    let draft = |hosted: &Identity| {
        DisclosureDraft::new(account, *hosted.public(), terms.clone(), NOW, NOW.plus_seconds(86_400)).unwrap()
    };
    let countersigned = draft(&hosted).countersign(&operator).unwrap();
    let proven = countersigned.clone().prove(&hosted).unwrap();
    let disclosure = proven.clone().sign(&business).unwrap();
    let verified = disclosure.clone().verify(&account, None, NOW).unwrap();
    let moved = draft(&next).countersign(&operator).unwrap().prove(&next).unwrap().sign(&business).unwrap();
    let moved = moved.verify(&account, None, NOW).unwrap();
    show(shown, &draft(&hosted));
    show(shown, &countersigned);
    show(shown, &proven);
    show(shown, &Rotation::plan(&disclosure, &moved).unwrap());
    show(shown, &HostedMember::new(&verified));
    show(shown, &verified.known());

    let presented = Presented::Verified(&verified);
    let (key, custody) = (*hosted.public(), Custody::Vendor);
    let device = HostedDevice { key, custody, automated: true, disclosure: Some(verified.hash()), presented };
    let evidence = Evidence::Devices { expires: NOW.plus_seconds(9), devices: &[device], own: &[device] };
    let asked = LabelState::new(account).observe(evidence, NOW);
    let own = AccountKey::of(&user);
    let list = Primary::new(&user, DeviceTerms::own_held(Custody::Person).unwrap(), NOW).directory();
    let (agreed, decision) = asked.state.consent(verified.hash(), &own, &user, NOW).unwrap();
    let receipt = decision.clone().acknowledge(&list, &verified, &hosted, NOW).unwrap();
    show(shown, &presented);
    show(shown, &device);
    show(shown, &evidence);
    show(shown, asked.event.as_ref().unwrap());
    show(shown, asked.event.as_ref().unwrap().change());
    let said = notice(asked.event.as_ref().unwrap(), "Toko", Language::English);
    show(shown, &said);
    show(shown, &said.lines()[0]);
    show(shown, &said.lines()[0].part);
    let mut promises = Promises::new();
    promises.add(disclosure.clone());
    show(shown, &promises);
    show(shown, &asked.state.label(NOW));
    show(shown, &agreed);
    show(shown, &agreed.state.permit(NOW).unwrap());
    show(shown, &agreed.state);
    show(shown, &ClosedDevice { device: key, disclosure: verified.hash() });
    show(shown, &decision);
    show(shown, &receipt);
    show(shown, &disclosure);
    show(shown, &verified);
    show(shown, &SharedDecision { decision, disclosure });
    wording(shown, &terms);
    errors(shown);
}

fn wording(shown: &mut Shown, terms: &HostingTerms) {
    show(shown, terms);
    show(shown, &terms.operator);
    show(shown, &terms.operator.name);
    show(shown, &terms.roles);
    show(shown, &terms.retention);
    show(shown, &terms.retention.class());
    show(shown, &terms.retention.region.unwrap());
    show(shown, &terms.purposes);
    show(shown, &TermsDiff::REGION);
    show(shown, &RetentionLedger::<u8>::new(1));
    show(shown, &Choice::Consent);
    show(shown, &Language::Indonesian);
}

fn errors(shown: &mut Shown) {
    show(shown, &Unverified::Missing);
    show(shown, &Blocked::Unknown);
    show(shown, &DecideError::NotShown);
    show(shown, &DecisionError::OtherAccount);
    show(shown, &DisclosureError::Forked);
    show(shown, &DraftError::Keys);
    show(shown, &LedgerFull);
    show(shown, &RotationError::NotFirstDisclosure);
    show(shown, &TextError::Name);
}
