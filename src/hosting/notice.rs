//! [`notice`]: the text that a user is shown for a [`LabelEvent`], in two languages.
//!
//! To add a language, translate the table at the end.

use alloc::format;
use alloc::string::{String, ToString};

use super::disclosure::{Retention, TermsDiff};
use super::label::{Label, LabelChange, LabelEvent};

/// A language of the notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Bahasa Indonesia.
    Indonesian,
}

/// The text for an event: one to four short sentences that need no other explanation.
///
/// Applications may use their own words, but must not say less: who reads, for how long messages are kept, and what happens to
/// messages now.
#[must_use]
pub fn notice(event: &LabelEvent, language: Language) -> String {
    let texts = match language {
        Language::English => &ENGLISH,
        Language::Indonesian => &INDONESIAN,
    };
    texts.of(event)
}

/// All sentences of a language. `{operator}`, `{keeps}` and `{worse}` are filled in.
struct Texts {
    verified: &'static str,
    hosting_ended: &'static str,
    verified_again: [&'static str; 3],
    hosting_disclosed: &'static str,
    disclosure_changed: &'static str,
    terms_worsened: &'static str,
    consented: &'static str,
    consent_carried_over: &'static str,
    refused: &'static str,
    withdrawn: &'static str,
    unverified: &'static str,
    somebody: &'static str,
    not_stored: &'static str,
    stored_for: &'static str,
    stored_forever: &'static str,
    unknown_storage: &'static str,
    region: &'static str,
    /// Days, hours, minutes, seconds; one and several.
    units: [[&'static str; 2]; 4],
    /// In the order of [`WORSE`].
    worse: [&'static str; 6],
}

impl Texts {
    fn of(&self, event: &LabelEvent) -> String {
        let change = event.change();
        match event {
            LabelEvent::Verified(_) => self.fill(self.verified, change),
            LabelEvent::HostingEnded(_) => self.fill(self.hosting_ended, change),
            LabelEvent::VerifiedAgain(_) => self.fill(self.again(change.new), change),
            LabelEvent::HostingDisclosed(_) => self.fill(self.hosting_disclosed, change),
            LabelEvent::DisclosureChanged(_) => self.fill(self.disclosure_changed, change),
            LabelEvent::TermsWorsened(_, worse) => {
                self.fill(self.terms_worsened, change).replace("{worse}", &self.worse(*worse))
            }
            LabelEvent::Consented(_) => self.fill(self.consented, change),
            LabelEvent::ConsentCarriedOver(_) => self.fill(self.consent_carried_over, change),
            LabelEvent::Refused(_) => self.fill(self.refused, change),
            LabelEvent::Withdrawn(_) => self.fill(self.withdrawn, change),
            LabelEvent::Unverified(_) => self.fill(self.unverified, change),
        }
    }

    const fn again(&self, label: Label) -> &'static str {
        let [end_to_end, hosted, refused] = self.verified_again;
        match label {
            Label::EndToEnd => end_to_end,
            Label::Hosted { .. } => hosted,
            Label::Unknown | Label::Disclosed { .. } | Label::Refused { .. } | Label::Unverified { .. } => refused,
        }
    }

    /// Fills in the placeholders. The name is inserted last, so that no text in it is taken for a placeholder.
    fn fill(&self, text: &str, change: &LabelChange) -> String {
        let keeps = change.retention.map_or_else(|| self.unknown_storage.to_string(), |kept| self.keeps(&kept));
        let name = change.operator.as_ref().map_or(self.somebody, |operator| operator.name.as_str());
        let text = text.replace("{keeps}", &keeps);
        // `{worse}` is filled in later, so a name must not spell it.
        text.replace("{operator}", &name.replace('{', "(").replace('}', ")"))
    }

    fn keeps(&self, retention: &Retention) -> String {
        let stored = match retention.at_rest {
            0 => return self.not_stored.replace("{time}", &self.time(retention.in_use)),
            Retention::FOREVER => self.stored_forever.to_string(),
            seconds => self.stored_for.replace("{time}", &self.time(seconds.max(retention.in_use))),
        };
        match retention.region {
            Some(region) => format!("{stored}{}", self.region.replace("{region}", region.as_str())),
            None => stored,
        }
    }

    /// A duration in the largest unit that divides it.
    fn time(&self, seconds: u64) -> String {
        let units = self.units.iter().zip([86_400_u64, 3_600, 60, 1]);
        let mut whole = units.filter_map(|([one, several], unit)| {
            let count = seconds.checked_div(unit)?;
            let exact = seconds.checked_rem(unit)? == 0;
            (exact && (count > 0 || unit == 1)).then(|| format!("{count} {}", if count == 1 { one } else { several }))
        });
        whole.next().unwrap_or_default()
    }

    fn worse(&self, worse: TermsDiff) -> String {
        let named = WORSE.iter().zip(self.worse).filter(|(one, _)| worse.contains(**one)).map(|(_, name)| name);
        let mut text = String::new();
        for name in named {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(name);
        }
        text
    }
}

const WORSE: [TermsDiff; 6] = [
    TermsDiff::OPERATOR,
    TermsDiff::CUSTODY,
    TermsDiff::ROLES,
    TermsDiff::PURPOSES,
    TermsDiff::RETENTION,
    TermsDiff::REGION,
];

const ENGLISH: Texts = Texts {
    verified: "Messages here are end-to-end encrypted. Only you and the other side can read them.",
    hosting_ended: "Messages here are end-to-end encrypted now. {operator} does not receive new ones.",
    verified_again: [
        "It is known again who reads this chat: only you and the other side. Messages are end-to-end encrypted.",
        "It is known again who reads this chat: the other side, and {operator}, as you agreed.",
        "It is known again who would read this chat: {operator}. You refused that, so nothing is sent.",
    ],
    hosting_disclosed: "{operator} would receive and could read your messages in this chat. {keeps}. They are encrypted all the way \
        to {operator}, but not end-to-end encrypted. Nothing is sent until you decide.",
    disclosure_changed: "What you were asked about this chat has changed. {operator} would receive and could read your messages. \
        {keeps}. Nothing is sent until you decide.",
    terms_worsened: "What you agreed to for this chat has changed: {worse}. {operator} would receive and could read your messages. \
        {keeps}. Nothing is sent until you decide.",
    consented: "You agreed that {operator} receives and can read your messages in this chat. {keeps}. You can take that back at any time.",
    consent_carried_over: "The terms of {operator} in this chat have changed, to nothing worse than you agreed to. {keeps}.",
    refused: "You refused. Nothing is sent to {operator}.",
    withdrawn: "You took your consent back. Nothing more is sent to {operator}. What it has received it keeps for as long as it said.",
    unverified: "It cannot be told who would read this chat. Nothing is sent until that is known.",
    somebody: "somebody else",
    not_stored: "It does not store them, and is done with them within {time}",
    stored_for: "It keeps them for {time}",
    stored_forever: "It keeps them for as long as it likes",
    unknown_storage: "It does not say how long it keeps them",
    region: ", in {region}",
    units: [["day", "days"], ["hour", "hours"], ["minute", "minutes"], ["second", "seconds"]],
    worse: [
        "another company",
        "keys further from the business",
        "it does more with messages",
        "it uses messages for more",
        "it keeps messages for longer",
        "it keeps messages elsewhere",
    ],
};

const INDONESIAN: Texts = Texts {
    verified: "Pesan di sini terenkripsi ujung ke ujung. Hanya Anda dan lawan bicara yang dapat membacanya.",
    hosting_ended: "Pesan di sini kini terenkripsi ujung ke ujung. {operator} tidak menerima pesan baru.",
    verified_again: [
        "Kini jelas lagi siapa yang membaca obrolan ini: hanya Anda dan lawan bicara. Pesan terenkripsi ujung ke ujung.",
        "Kini jelas lagi siapa yang membaca obrolan ini: lawan bicara dan {operator}, seperti yang Anda setujui.",
        "Kini jelas lagi siapa yang akan membaca obrolan ini: {operator}. Anda menolaknya, jadi tidak ada yang dikirim.",
    ],
    hosting_disclosed: "{operator} akan menerima dan dapat membaca pesan Anda di obrolan ini. {keeps}. Pesan terenkripsi sepanjang \
        jalan ke {operator}, tetapi tidak terenkripsi ujung ke ujung. Tidak ada yang dikirim sebelum Anda memutuskan.",
    disclosure_changed: "Yang ditanyakan kepada Anda tentang obrolan ini telah berubah. {operator} akan menerima dan dapat membaca \
        pesan Anda. {keeps}. Tidak ada yang dikirim sebelum Anda memutuskan.",
    terms_worsened: "Yang Anda setujui untuk obrolan ini telah berubah: {worse}. {operator} akan menerima dan dapat membaca pesan \
        Anda. {keeps}. Tidak ada yang dikirim sebelum Anda memutuskan.",
    consented: "Anda setuju bahwa {operator} menerima dan dapat membaca pesan Anda di obrolan ini. {keeps}. Anda dapat menariknya \
        kembali kapan saja.",
    consent_carried_over: "Ketentuan {operator} di obrolan ini berubah, tetapi tidak lebih buruk daripada yang Anda setujui. {keeps}.",
    refused: "Anda menolak. Tidak ada yang dikirim ke {operator}.",
    withdrawn: "Anda menarik persetujuan Anda. Tidak ada lagi yang dikirim ke {operator}. Yang sudah diterimanya disimpan selama yang \
        dinyatakannya.",
    unverified: "Tidak dapat dipastikan siapa yang akan membaca obrolan ini. Tidak ada yang dikirim sebelum itu jelas.",
    somebody: "pihak lain",
    not_stored: "Pesan tidak disimpan, dan selesai diproses dalam {time}",
    stored_for: "Pesan disimpan selama {time}",
    stored_forever: "Pesan disimpan tanpa batas waktu",
    unknown_storage: "Tidak dinyatakan berapa lama pesan disimpan",
    region: ", di {region}",
    units: [["hari", "hari"], ["jam", "jam"], ["menit", "menit"], ["detik", "detik"]],
    worse: [
        "perusahaan lain",
        "kunci lebih jauh dari bisnis ini",
        "lebih banyak yang dilakukan dengan pesan",
        "pesan dipakai untuk lebih banyak tujuan",
        "pesan disimpan lebih lama",
        "pesan disimpan di tempat lain",
    ],
};
