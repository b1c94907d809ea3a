//! The output: messages, labels and notices, and each claim with whether it held.

use bisik::Timestamp;
use bisik::content::{Kind, Price, Text};
use bisik::hosting::{Label, LabelEvent, Language, notice};

/// The number of claims that held, and the claims that did not.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) held: usize,
    pub(crate) broken: Vec<String>,
}

impl Report {
    /// Prints a claim, and whether it holds.
    pub(crate) fn claim(&mut self, claim: &str, holds: bool) {
        println!("  {} {claim}", if holds { "✓" } else { "✗ FAILED:" });
        if holds {
            self.held += 1;
        } else {
            self.broken.push(claim.into());
        }
    }
}

pub(crate) fn scene(title: &str) {
    println!("\n{title}\n{}", "─".repeat(title.chars().count()));
}

pub(crate) fn tell(text: &str) {
    println!("  {text}");
}

/// Prints a message, in one line or several.
pub(crate) fn says(who: &str, automated: bool, kind: &Kind) {
    let machine = if automated { " (automated)" } else { "" };
    let text = told(kind);
    let mut lines = text.lines();
    println!("  {who}{machine}: {}", lines.next().unwrap_or_default());
    for line in lines {
        println!("      {line}");
    }
}

fn told(kind: &Kind) -> String {
    let words = |text: &Text| text.body.to_string();
    let rows = |titles: Vec<String>| titles.iter().map(|title| format!("\n[ {title} ]")).collect::<String>();
    match kind {
        Kind::Text(text) => words(text),
        Kind::Greeting(greeting) => words(&greeting.text),
        Kind::Away(away) => words(&away.text),
        Kind::Profile(profile) => format!(
            "profile: {}, {}\n{}\nopen on {} days a week, {}",
            &*profile.name,
            &*profile.about,
            &*profile.address,
            profile.hours.len(),
            &*profile.time_zone
        ),
        Kind::CatalogueItem(item) => {
            let price = item.price.as_ref().map_or("price on request".into(), money);
            let picture = if item.picture.is_some() { ", with a picture" } else { "" };
            format!("for sale: {}, {price}{picture}", &*item.title)
        }
        Kind::Cart(cart) => {
            let line = |line: &bisik::content::CartLine| {
                format!("\n{} × {} at {}", line.quantity, &*line.title, money(&line.price))
            };
            let note = cart.note.as_ref().map_or(String::new(), |note| format!("\n“{}”", &*note.body));
            format!("cart:{}{note}", cart.lines.iter().map(line).collect::<String>())
        }
        Kind::QuickReplies(replies) => {
            format!(
                "{}{}",
                words(&replies.text),
                rows(replies.choices.iter().map(|one| one.title.to_string()).collect())
            )
        }
        Kind::List(list) => {
            let all = list.sections.iter().flat_map(|section| &section.rows);
            format!("{}{}", words(&list.text), rows(all.map(|row| row.choice.title.to_string()).collect()))
        }
        Kind::Buttons(buttons) => {
            format!(
                "{}{}",
                words(&buttons.text),
                rows(buttons.buttons.iter().map(|one| one.title.to_string()).collect())
            )
        }
        Kind::Selection(selection) => format!("→ {}", &*selection.title),
        Kind::Referral(referral) => format!("(came from: {})", &*referral.headline),
        other => format!("{other:?}"),
    }
}

/// Formats rupiah as they are written in Indonesia; ISO 4217 counts in sen.
pub(crate) fn money(price: &Price) -> String {
    let digits = (price.amount() / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("Rp{grouped}")
}

/// Prints the notice that the user sees, in both languages.
pub(crate) fn show_notice(on: &str, chat: &str, event: &LabelEvent) {
    println!("  ┌ shown on {on}: [{}]", label(event.change().new));
    for language in [Language::English, Language::Indonesian] {
        for line in notice(event, chat, language).lines() {
            wrap(&line.text).iter().for_each(|line| println!("  │ {line}"));
        }
    }
    println!("  └");
}

/// Wraps to lines of at most 100 characters.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 100 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

pub(crate) const fn label(label: Label) -> &'static str {
    match label {
        Label::Unknown => "not known yet",
        Label::EndToEnd { .. } => "end-to-end encrypted",
        Label::OwnHosted { .. } => "your own account is hosted",
        Label::Disclosed { .. } => "waiting for your decision",
        Label::Hosted { .. } => "hosted, as you agreed",
        Label::Refused { .. } => "refused by you",
        Label::Unverified { .. } => "cannot be verified",
    }
}

/// Returns the day in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    let (mut day, mut year) = (at.as_unix_seconds() / 86_400, 1970);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= if leap(year) { 366 } else { 365 } {
        day -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}
