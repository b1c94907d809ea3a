//! [`notice`]: what a user is shown for a [`LabelEvent`], line by line, in two languages (docs/spec/hosting.md, section
//! 11.10).
//!
//! Every line follows from the event alone, and says as a claim what is only claimed. To add a language, translate one of
//! the tables.
//!
//! | file | what |
//! |---|---|
//! | `lines.rs` | which lines an event has, in which order |
//! | `terms.rs` | the lines about terms: they differ wherever the terms do |
//! | `times.rs` | a number of seconds in plain units |
//! | `names.rs` | names in quotation marks |
//! | `regions.rs` | countries |
//! | `english.rs`, `indonesian.rs` | the texts |

mod english; //    the texts
mod indonesian; // the texts
mod lines; //      which lines an event has
mod names; //      names in quotation marks
mod regions; //    countries
mod terms; //      the lines about terms
mod texts; //      what a language translates
mod times; //      durations

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::disclosure::HostingTerms;
use super::label::LabelEvent;
use texts::Texts;

/// A language of the notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Bahasa Indonesia.
    Indonesian,
}

impl Language {
    const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &english::TEXTS,
            Self::Indonesian => &indonesian::TEXTS,
        }
    }
}

/// What a line of a notice is about, for a program that lays the lines out itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoticePart {
    /// What has happened, and in which chat.
    Change,
    /// On what kind of devices the other side reads, and whether a program answers.
    Devices,
    /// In what the terms are worse than those that the user agreed to.
    Worse,
    /// What the operator calls itself.
    Operator,
    /// The operator's number, which follows from its key.
    Number,
    /// In whose hands the keys are.
    Custody,
    /// What the operator does with messages.
    Roles,
    /// What messages are used for.
    Purposes,
    /// For how long the operator has them, in storage and in use.
    Kept,
    /// Where.
    Region,
    /// Who states all this, and that nobody can check it.
    Claim,
    /// What happens to messages now.
    Next,
}

/// One line of a notice: one or two short sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoticeLine {
    /// What it is about.
    pub part: NoticePart,
    /// The text.
    pub text: String,
}

/// What a user is shown: lines with their meaning. `Display` writes them one below the other.
///
/// A program may lay out the lines as it likes, and use words of its own, but must leave none out: of a notice with terms
/// every line is part of what the user is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    lines: Vec<NoticeLine>,
}

impl Notice {
    /// The lines, in the order to show them in.
    #[must_use]
    pub fn lines(&self) -> &[NoticeLine] {
        &self.lines
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.lines.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&line.text)?;
        }
        Ok(())
    }
}

/// The notice for an event. `business` is the name under which the application shows the chat; it is shown in quotation
/// marks, with U+FFFD for what could end them, reorder the text or is invisible, and cut after 64 characters. P-11.25.
///
/// ```
/// # use bisik::hosting::{Label, LabelChange, LabelEvent, Language, NoticePart, Unverified, notice};
/// # use bisik::Timestamp;
/// # let at = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (old, new) = (Label::Unknown, Label::Unverified { why: Unverified::Missing });
/// # let event = LabelEvent::Unverified(LabelChange { at, old, new, terms: None, disclosure: None });
/// let shown = notice(&event, "Toko Awan", Language::Indonesian);
/// assert_eq!(shown.lines()[0].part, NoticePart::Change);
/// assert!(shown.to_string().contains("\"Toko Awan\""));
/// ```
#[must_use]
pub fn notice(event: &LabelEvent, business: &str, language: Language) -> Notice {
    Notice { lines: lines::of(event, business, language.texts()) }
}

/// The lines about terms alone, as [`notice`] has them: for a settings page that shows what the user agreed to. P-11.25.
#[must_use]
pub fn notice_of_terms(terms: &HostingTerms, business: &str, language: Language) -> Notice {
    Notice { lines: lines::of_terms(terms, business, language.texts()) }
}
