//! Replies to choose from (quick replies, lists, buttons), and [`Selection`], the reply that was chosen.
//!
//! The identifiers of the replies are the business's own; only its program interprets them.

use alloc::vec::Vec;

use super::check_link;
use crate::content::names::bounded;
use crate::content::{Content, ContentError, Kind, PersonId, PrivateText, Reference, Text, limits, wire};

/// A reply that a business offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyOption {
    /// The business's own identifier for the reply: 1 to 255 bytes. Not shown.
    pub id: PrivateText,
    /// The text that is shown, and that the customer says by choosing the reply: 1 to 255 bytes.
    pub title: PrivateText,
}

/// A text with replies, shown beside the keyboard until the next message arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickReplies {
    /// The text.
    pub text: Text,
    /// The replies: 1 to 16, with distinct identifiers.
    pub choices: Vec<ReplyOption>,
}

/// A text with a list of replies that the customer opens.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Kind, ListMenu, ReplyOption, Row, Section, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let row = |id: &str, title: &str| {
///     Row { choice: ReplyOption { id: id.into(), title: title.into() }, description: "".into() }
/// };
/// let hot = Section { title: "Panas".into(), rows: vec![row("tubruk", "Kopi tubruk"), row("teh", "Teh")] };
/// let cold = Section { title: "Dingin".into(), rows: vec![row("es-teh", "Es teh")] };
/// let menu = ListMenu { text: Text::new("Mau minum apa?"), label: "Menu".into(), sections: vec![hot, cold] };
/// assert!(Content::new(ContentMeta::new(sent, rng), Kind::List(menu)).is_ok());
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMenu {
    /// The text.
    pub text: Text,
    /// The label of the control that opens the list: 1 to 255 bytes.
    pub label: PrivateText,
    /// 1 to 16 sections, with at most 100 rows in total.
    pub sections: Vec<Section>,
}

/// Rows of a list under a common title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The title: at most 255 bytes, or empty.
    pub title: PrivateText,
    /// At least one row. The identifiers of all rows of a list are distinct.
    pub rows: Vec<Row>,
}

/// A reply in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The reply.
    pub choice: ReplyOption,
    /// A description: at most 1,024 bytes, or empty.
    pub description: PrivateText,
}

/// A text with permanent buttons under it.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Action, Button, Buttons, Content, ContentMeta, Kind, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let button = |title: &str, action| Button { title: title.into(), action };
/// let buttons = Buttons {
///     text: Text::new("Pesanan Anda siap."),
///     footer: "Kopi Pojok".into(),
///     buttons: vec![
///         button("Saya datang", Action::Answer("coming".into())),
///         button("Peta", Action::Open("https://kopi.example/peta".into())),
///         button("Telepon", Action::Dial("+622112345678".into())),
///     ],
/// };
/// assert!(Content::new(ContentMeta::new(sent, rng), Kind::Buttons(buttons)).is_ok());
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buttons {
    /// The text.
    pub text: Text,
    /// Small print below the text: at most 255 bytes, or empty.
    pub footer: PrivateText,
    /// 1 to 16 buttons. The identifiers of those that reply are distinct.
    pub buttons: Vec<Button>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Its label: 1 to 255 bytes.
    pub title: PrivateText,
    /// Its action.
    pub action: Action,
}

/// The action of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Replies with this identifier of the business: 1 to 255 bytes.
    Answer(PrivateText),
    /// Opens an `https` link of at most 2,048 bytes.
    Open(PrivateText),
    /// Calls a telephone number in E.164 form: `+` and 3 to 15 digits.
    Dial(PrivateText),
}

/// The reply that a customer chose from a list, quick replies or buttons.
///
/// A selection can only be made from the content that offered the reply. [`Selection::answers`] returns whether a
/// content did (requirement P-7.19).
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{ReplyOption, Content, ContentMeta, Kind, PersonId, QuickReplies, Selection, SentAt, Text};
///
/// # let meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let choices = [("hot", "Panas"), ("iced", "Dingin")].map(|(id, title)| ReplyOption { id: id.into(), title: title.into() });
/// let asked = Kind::QuickReplies(QuickReplies { text: Text::new("Panas atau dingin?"), choices: choices.into() });
/// let asked = Content::new(meta, asked)?;
///
/// let stall = PersonId::new(b"kopi pojok")?;
/// let chosen = Selection::new(&asked, &stall, "iced").expect("it was offered");
/// assert_eq!(&*chosen.title, "Dingin");
/// assert!(Selection::new(&asked, &stall, "free of charge").is_none());
/// // The business looks up the content that `chosen.of` names and checks that it offered this reply.
/// assert!(chosen.answers(&asked, &stall));
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The content that offered the reply.
    pub of: Reference,
    /// [`ReplyOption::id`] or [`Action::Answer`].
    pub id: PrivateText,
    /// The text that the customer saw.
    pub title: PrivateText,
}

impl ReplyOption {
    const fn parts(&self) -> (&PrivateText, &PrivateText) {
        (&self.id, &self.title)
    }

    fn check(&self) -> Result<(), ContentError> {
        let Self { id, title } = self;
        bounded(id.len(), 1, limits::NAME)?;
        bounded(title.len(), 1, limits::NAME)
    }

    fn to_wire(&self) -> wire::Choice {
        let Self { id, title } = self;
        wire::Choice { id: (**id).into(), title: (**title).into() }
    }

    fn from_wire(wire: &mut wire::Choice) -> Self {
        let wire::Choice { id, title } = wire;
        Self { id: PrivateText::take(id), title: PrivateText::take(title) }
    }
}

impl QuickReplies {
    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { text, choices } = self;
        text.check()?;
        bounded(choices.len(), 1, limits::CHOICES)?;
        choices.iter().try_for_each(ReplyOption::check)?;
        all_different(choices.iter().map(|choice| &choice.id))
    }

    pub(in crate::content) fn to_wire(&self) -> wire::QuickReplies {
        let Self { text, choices } = self;
        wire::QuickReplies { text: Some(text.to_wire()), choices: choices.iter().map(ReplyOption::to_wire).collect() }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::QuickReplies) -> Result<Self, ContentError> {
        let wire::QuickReplies { text, choices } = wire;
        Ok(Self { text: text_from_wire(text)?, choices: choices.iter_mut().map(ReplyOption::from_wire).collect() })
    }
}

impl ListMenu {
    fn rows(&self) -> impl Iterator<Item = &Row> + Clone {
        self.sections.iter().flat_map(|section| &section.rows)
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { text, label, sections } = self;
        text.check()?;
        bounded(label.len(), 1, limits::NAME)?;
        bounded(sections.len(), 1, limits::SECTIONS)?;
        for Section { title, rows } in sections {
            bounded(title.len(), 0, limits::NAME)?;
            bounded(rows.len(), 1, limits::ROWS)?;
        }
        bounded(self.rows().count(), 1, limits::ROWS)?;
        for Row { choice, description } in self.rows() {
            choice.check()?;
            bounded(description.len(), 0, limits::ABOUT)?;
        }
        all_different(self.rows().map(|row| &row.choice.id))
    }

    pub(in crate::content) fn to_wire(&self) -> wire::List {
        let Self { text, label, sections } = self;
        let row = |Row { choice, description }: &Row| wire::Row {
            choice: Some(choice.to_wire()),
            description: (**description).into(),
        };
        let section = |Section { title, rows }: &Section| wire::Section {
            title: (**title).into(),
            rows: rows.iter().map(row).collect(),
        };
        let sections = sections.iter().map(section).collect();
        wire::List { text: Some(text.to_wire()), label: (**label).into(), sections }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::List) -> Result<Self, ContentError> {
        let wire::List { text, label, sections } = wire;
        let row = |wire::Row { choice, description }: &mut wire::Row| {
            let choice = ReplyOption::from_wire(choice.as_mut().ok_or(ContentError::Malformed)?);
            Ok(Row { choice, description: PrivateText::take(description) })
        };
        let section = |wire::Section { title, rows }: &mut wire::Section| {
            let rows = rows.iter_mut().map(row).collect::<Result<_, _>>()?;
            Ok(Section { title: PrivateText::take(title), rows })
        };
        let sections = sections.iter_mut().map(section).collect::<Result<_, _>>()?;
        Ok(Self { text: text_from_wire(text)?, label: PrivateText::take(label), sections })
    }
}

impl Buttons {
    fn answers(&self) -> impl Iterator<Item = (&PrivateText, &PrivateText)> + Clone {
        self.buttons.iter().filter_map(|Button { title, action }| match action {
            Action::Answer(id) => Some((id, title)),
            Action::Open(_) | Action::Dial(_) => None,
        })
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { text, footer, buttons } = self;
        text.check()?;
        bounded(footer.len(), 0, limits::NAME)?;
        bounded(buttons.len(), 1, limits::CHOICES)?;
        for Button { title, action } in buttons {
            bounded(title.len(), 1, limits::NAME)?;
            action.check()?;
        }
        all_different(self.answers().map(|(id, _)| id))
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Buttons {
        let Self { text, footer, buttons } = self;
        let button = |Button { title, action }: &Button| {
            let mut button = wire::Button { title: (**title).into(), ..Default::default() };
            match action {
                Action::Answer(id) => button.id = (**id).into(),
                Action::Open(link) => button.link = (**link).into(),
                Action::Dial(number) => button.number = (**number).into(),
            }
            button
        };
        let buttons = buttons.iter().map(button).collect();
        wire::Buttons { text: Some(text.to_wire()), footer: (**footer).into(), buttons }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Buttons) -> Result<Self, ContentError> {
        let wire::Buttons { text, footer, buttons } = wire;
        let buttons = buttons.iter_mut().map(Button::from_wire).collect::<Result<_, _>>()?;
        Ok(Self { text: text_from_wire(text)?, footer: PrivateText::take(footer), buttons })
    }
}

impl Button {
    /// Requires exactly one action: P-7.20.
    fn from_wire(wire: &mut wire::Button) -> Result<Self, ContentError> {
        let wire::Button { title, id, link, number } = wire;
        let action = match (id.is_empty(), link.is_empty(), number.is_empty()) {
            (false, true, true) => Action::Answer(PrivateText::take(id)),
            (true, false, true) => Action::Open(PrivateText::take(link)),
            (true, true, false) => Action::Dial(PrivateText::take(number)),
            _ => return Err(ContentError::Malformed),
        };
        Ok(Self { title: PrivateText::take(title), action })
    }
}

impl Action {
    fn check(&self) -> Result<(), ContentError> {
        match self {
            Self::Answer(id) => bounded(id.len(), 1, limits::NAME),
            Self::Open(link) => check_link(link, limits::LINK),
            Self::Dial(number) => check_number(number),
        }
    }
}

impl Selection {
    /// Returns the selection of the reply `id` in `content`, written by `author`. Returns `None` if `content` offers no
    /// such reply.
    #[must_use]
    pub fn new(content: &Content, author: &PersonId, id: &str) -> Option<Self> {
        let offered = |(choice, title): (&PrivateText, &PrivateText)| {
            (**choice == *id).then(|| Self { of: content.reference(author), id: choice.clone(), title: title.clone() })
        };
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "three kinds offer replies; any later kind offers none here"
        )]
        match content.kind() {
            Kind::QuickReplies(replies) => replies.choices.iter().map(ReplyOption::parts).find_map(offered),
            Kind::List(list) => list.rows().map(|row| row.choice.parts()).find_map(offered),
            Kind::Buttons(buttons) => buttons.answers().find_map(offered),
            _ => None,
        }
    }

    /// Returns whether `content`, written by `author`, offered this reply under this title. Requirement P-7.19.
    #[must_use]
    pub fn answers(&self, content: &Content, author: &PersonId) -> bool {
        Self::new(content, author, &self.id).as_ref() == Some(self)
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { of: _, id, title } = self;
        bounded(id.len(), 1, limits::NAME)?;
        bounded(title.len(), 1, limits::NAME)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Selection {
        let Self { of, id, title } = self;
        wire::Selection { of: Some(of.to_wire()), id: (**id).into(), title: (**title).into() }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Selection) -> Result<Self, ContentError> {
        let wire::Selection { of, id, title } = wire;
        let of = Reference::from_wire(of.as_ref().ok_or(ContentError::Malformed)?)?;
        Ok(Self { of, id: PrivateText::take(id), title: PrivateText::take(title) })
    }
}

/// Checks that the identifiers to choose from are distinct, so that each has one meaning. There are at most 100.
/// Requirement P-7.20.
pub(super) fn all_different<'a>(mut names: impl Iterator<Item = &'a PrivateText> + Clone) -> Result<(), ContentError> {
    while let Some(name) = names.next() {
        if names.clone().any(|later| later == name) {
            return Err(ContentError::OutOfRange);
        }
    }
    Ok(())
}

/// Checks that `number` is in E.164 form: `+` and 3 to 15 digits, the first of which is not 0. Requirement P-7.21.
fn check_number(number: &str) -> Result<(), ContentError> {
    let digits = number.strip_prefix('+').filter(|digits| !digits.starts_with('0')).ok_or(ContentError::OutOfRange)?;
    bounded(digits.len(), 3, limits::DIGITS)?;
    if digits.bytes().all(|digit| digit.is_ascii_digit()) { Ok(()) } else { Err(ContentError::OutOfRange) }
}

fn text_from_wire(wire: &mut Option<wire::Text>) -> Result<Text, ContentError> {
    Text::from_wire(wire.as_mut().ok_or(ContentError::Malformed)?)
}
