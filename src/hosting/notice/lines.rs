//! Which lines the notice of an event has, in which order.

use alloc::vec::Vec;

use super::names::quoted;
use super::texts::{Texts, fill, listed};
use super::{NoticeLine, NoticePart, terms};
use crate::device::Custody;
use crate::hosting::disclosure::{HostingTerms, TermsDiff};
use crate::hosting::label::{Label, LabelEvent, Unverified};

/// The lines of an event.
pub(super) fn of(event: &LabelEvent, business: &str, texts: &Texts) -> Vec<NoticeLine> {
    let business = quoted(business, texts.nameless);
    let change = event.change();
    let mut lines = Vec::from([line(NoticePart::Change, changed(event, texts), &business)]);
    if let Label::EndToEnd { custody, automated } = change.new {
        lines.push(line(NoticePart::Devices, devices(custody, texts), &business));
        if automated {
            lines.push(line(NoticePart::Devices, texts.automated, &business));
        }
    }
    if let Label::Unverified { why } = change.new {
        lines.push(line(NoticePart::Devices, reason(why, texts), &business));
    }
    if let LabelEvent::TermsWorsened(_, worse) = event {
        let worse = listed(
            TermsDiff::EACH.iter().zip(texts.worse).filter(|(one, _)| worse.contains(**one)).map(|(_, name)| name),
        );
        lines.push(NoticeLine { part: NoticePart::Worse, text: fill(texts.worse_than_agreed, &[("what", &worse)]) });
    }
    // What is not known is not repeated either.
    if let Some(terms) = change.terms.as_ref().filter(|_| !matches!(change.new, Label::Unverified { .. })) {
        lines.extend(terms::lines(terms, &business, texts));
    }
    lines.push(line(NoticePart::Claim, texts.claim, &business));
    lines.push(line(NoticePart::Next, next(event, texts), &business));
    lines
}

/// The lines about terms alone.
pub(super) fn of_terms(terms: &HostingTerms, business: &str, texts: &Texts) -> Vec<NoticeLine> {
    let business = quoted(business, texts.nameless);
    let mut lines = terms::lines(terms, &business, texts);
    lines.push(line(NoticePart::Claim, texts.claim, &business));
    lines
}

fn line(part: NoticePart, text: &str, business: &str) -> NoticeLine {
    NoticeLine { part, text: fill(text, &[("business", business)]) }
}

const fn changed(event: &LabelEvent, texts: &Texts) -> &'static str {
    match event {
        LabelEvent::Verified(_) => texts.verified,
        LabelEvent::DevicesChanged(_) => texts.devices_changed,
        LabelEvent::OwnHosting(_) => texts.own_hosting,
        LabelEvent::HostingEnded(_) => texts.hosting_ended,
        LabelEvent::VerifiedAgain(_) => texts.verified_again,
        LabelEvent::HostingDisclosed(_) => texts.hosting_disclosed,
        LabelEvent::DisclosureChanged(_) => texts.disclosure_changed,
        LabelEvent::TermsWorsened(..) => texts.terms_worsened,
        LabelEvent::Consented(_) => texts.consented,
        LabelEvent::ConsentCarriedOver(_) => texts.consent_carried_over,
        LabelEvent::Refused(_) => texts.refused,
        LabelEvent::Withdrawn(_) => texts.withdrawn,
        LabelEvent::Unverified(_) => texts.unverified,
    }
}

const fn devices(custody: Custody, texts: &Texts) -> &'static str {
    let [person, business, server] = texts.devices;
    match custody {
        Custody::Person => person,
        Custody::Business => business,
        Custody::SelfHosted | Custody::Vendor | Custody::Platform | Custody::ForeignClient => server,
    }
}

const fn reason(why: Unverified, texts: &Texts) -> &'static str {
    match why {
        Unverified::Expired => texts.out_of_date,
        Unverified::DeviceList
        | Unverified::Missing
        | Unverified::Disclosure(_)
        | Unverified::KeyWasHosted
        | Unverified::TooMany => texts.contradicted,
    }
}

/// What happens to messages now follows from the new label.
const fn next(event: &LabelEvent, texts: &Texts) -> &'static str {
    match event.change().new {
        Label::EndToEnd { .. } => texts.sent_end_to_end,
        Label::OwnHosted { .. } => texts.sent_with_own_hosting,
        Label::Hosted { .. } => texts.sent_with_consent,
        Label::Disclosed { .. } => texts.waits_for_decision,
        Label::Refused { .. } => texts.stays_refused,
        Label::Unknown | Label::Unverified { .. } => texts.waits_for_evidence,
    }
}
