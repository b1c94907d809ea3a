//! The lines about terms. Each term has a line of its own, so that notices differ wherever terms do. P-11.25.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::names::quoted;
use super::texts::{Texts, fill, listed};
use super::times::span;
use super::{NoticeLine, NoticePart, regions};
use crate::device::Custody;
use crate::hosting::disclosure::{HostingTerms, Purposes, Region, Retention, Roles};

/// One line for each term.
pub(super) fn lines(terms: &HostingTerms, business: &str, texts: &Texts) -> Vec<NoticeLine> {
    let HostingTerms { custody, operator, roles, retention, purposes } = terms;
    let name = quoted(operator.name.as_str(), texts.nameless);
    let line = |part, text: &str, values: &[(&str, &str)]| NoticeLine { part, text: fill(text, values) };
    Vec::from([
        line(NoticePart::Operator, texts.operator, &[("operator", &name)]),
        line(NoticePart::Number, texts.number, &[("number", &operator.number())]),
        line(NoticePart::Custody, in_whose_hands(*custody, texts), &[("business", business)]),
        line(NoticePart::Roles, texts.roles, &[("what", &role_names(*roles, business, texts))]),
        NoticeLine { part: NoticePart::Purposes, text: used_for(*purposes, texts) },
        NoticeLine { part: NoticePart::Kept, text: kept(retention, texts) },
        NoticeLine { part: NoticePart::Region, text: place(retention.region, texts) },
    ])
}

const fn in_whose_hands(custody: Custody, texts: &Texts) -> &'static str {
    let [vendor, platform, foreign] = texts.custody;
    match custody {
        Custody::Person | Custody::Business | Custody::SelfHosted | Custody::Vendor => vendor,
        Custody::Platform => platform,
        Custody::ForeignClient => foreign,
    }
}

fn role_names(roles: Roles, business: &str, texts: &Texts) -> String {
    let each = [Roles::STORE, Roles::READ, Roles::ANSWER];
    let named: Vec<_> = each.iter().zip(texts.role).filter(|(one, _)| roles.contains(**one)).collect();
    let named: Vec<_> = named.iter().map(|(_, name)| fill(name, &[("business", business)])).collect();
    listed(named.iter().map(String::as_str))
}

fn used_for(purposes: Purposes, texts: &Texts) -> String {
    if purposes == Purposes::NONE {
        return texts.no_purpose.to_string();
    }
    let each = [Purposes::ANSWERING, Purposes::ANALYTICS, Purposes::MARKETING];
    let named = each.iter().zip(texts.purpose).filter(|(one, _)| purposes.contains(**one)).map(|(_, name)| name);
    fill(texts.purposes, &[("what", &listed(named))])
}

/// Both times are said, and the longer one first: who holds a message in memory for ten years has it for ten years.
fn kept(retention: &Retention, texts: &Texts) -> String {
    let Retention { at_rest, in_use, region: _ } = *retention;
    let [longest, at_rest, in_use] = [at_rest.max(in_use), at_rest, in_use].map(|seconds| span(seconds, texts));
    fill(texts.kept, &[("longest", &longest), ("at_rest", &at_rest), ("in_use", &in_use)])
}

fn place(region: Option<Region>, texts: &Texts) -> String {
    let Some(region) = region else { return texts.no_region.to_string() };
    match regions::country(region.as_str(), texts.country) {
        Some(country) => fill(texts.region, &[("region", &format!("{country} ({})", region.as_str()))]),
        None => fill(texts.unknown_region, &[("region", region.as_str())]),
    }
}
