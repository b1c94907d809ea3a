//! [`Texts`]: what a language translates; [`fill`]: a text with its gaps filled.

use alloc::string::String;

/// All sentences of a language. `{business}` is the name of the chat, in quotation marks; the other gaps are said where
/// they occur.
pub(super) struct Texts {
    // What has happened.
    pub(super) verified: &'static str,
    pub(super) devices_changed: &'static str,
    pub(super) own_hosting: &'static str,
    pub(super) hosting_ended: &'static str,
    pub(super) verified_again: &'static str,
    pub(super) hosting_disclosed: &'static str,
    pub(super) disclosure_changed: &'static str,
    pub(super) terms_worsened: &'static str,
    pub(super) consented: &'static str,
    pub(super) consent_carried_over: &'static str,
    pub(super) refused: &'static str,
    pub(super) withdrawn: &'static str,
    pub(super) unverified: &'static str,
    /// A person's own devices, a business' own devices, a server of its own.
    pub(super) devices: [&'static str; 3],
    pub(super) automated: &'static str,
    pub(super) out_of_date: &'static str,
    pub(super) contradicted: &'static str,
    /// `{what}`: a list of `worse`.
    pub(super) worse_than_agreed: &'static str,
    /// In the order of `TermsDiff::EACH`.
    pub(super) worse: [&'static str; 6],

    // The terms.
    /// `{operator}`: its name, in quotation marks.
    pub(super) operator: &'static str,
    /// `{number}`: 30 digits.
    pub(super) number: &'static str,
    /// A vendor, the network's operator, another messenger.
    pub(super) custody: [&'static str; 3],
    /// `{what}`: a list of `role`.
    pub(super) roles: &'static str,
    /// Stores, reads, answers.
    pub(super) role: [&'static str; 3],
    /// `{what}`: a list of `purpose`.
    pub(super) purposes: &'static str,
    pub(super) no_purpose: &'static str,
    /// Answering, analytics, marketing.
    pub(super) purpose: [&'static str; 3],
    /// `{longest}`, `{at_rest}`, `{in_use}`: durations, each with its preposition.
    pub(super) kept: &'static str,
    /// `{region}`: a country and its code, or a code.
    pub(super) region: &'static str,
    pub(super) no_region: &'static str,
    /// `{region}`: the name of no country.
    pub(super) unknown_region: &'static str,
    pub(super) claim: &'static str,

    // What happens to messages now.
    pub(super) sent_end_to_end: &'static str,
    pub(super) sent_with_own_hosting: &'static str,
    pub(super) sent_with_consent: &'static str,
    pub(super) waits_for_decision: &'static str,
    pub(super) stays_refused: &'static str,
    pub(super) waits_for_evidence: &'static str,

    // Durations.
    /// Years, days, hours, minutes, seconds; one and several.
    pub(super) units: [[&'static str; 2]; 5],
    /// `{time}`: a number and a unit.
    pub(super) exactly: &'static str,
    /// `{time}`: a number and a unit. `{seconds}`: the exact number.
    pub(super) at_most: &'static str,
    /// `{seconds}`: the exact number.
    pub(super) ages: &'static str,
    pub(super) forever: &'static str,
    pub(super) not_at_all: &'static str,

    /// A chat without a name.
    pub(super) nameless: &'static str,
    /// Which column of the table of regions.
    pub(super) country: fn(&(&'static str, &'static str, &'static str)) -> &'static str,
}

/// Fills the gaps of `text` in one pass, so that nothing in a value is taken for a gap.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((gap, after)) = after.split_once('}') else { break };
        filled.extend(values.iter().find(|(name, _)| *name == gap).map(|(_, value)| *value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// `a, b, c`.
pub(super) fn listed<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(part);
    }
    text
}
