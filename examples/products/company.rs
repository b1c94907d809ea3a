//! Nusantara Seluler, a mobile operator. Its customer service runs on the servers of another company, the vendor, which
//! holds the keys. The customer is informed and decides. Later the service moves to the company's own server.
//!
//! The library writes the notices, in both languages.

use std::collections::BTreeMap;

use bisik::content::{Kind, ListMenu, ReplyOption, Row, Section, Selection, Text};
use bisik::conversation::SendError;
use bisik::device::Custody;
use bisik::hosting::{
    self, Blocked, Disclosure, HostingTerms, Label, LabelEvent, Operator, OperatorName, Purposes, Region, Retention,
    RetentionLedger, Roles,
};
use bisik::{Identity, Timestamp};

use super::accounts::{Accounts, At, Device, Name};
use super::report::{Report, day, says, scene, tell};
use super::{Error, LAPTOP, SARI, exchange, introduce, label, person, show_last, text, told};

const COMPANY: &str = "nusantara seluler";
const OFFICE: At = (COMPANY, 0);
const QUESTION: &str = "Halo, kuota saya hilang. Nomor saya 0812-3456-7890, NIK 3171234567890001.";

pub(crate) fn call(accounts: &mut Accounts, report: &mut Report) -> Result<(), Error> {
    scene("3. A mobile operator, whose device another company hosts");
    let vendor = Identity::generate(&mut rand::rng());
    accounts.found(COMPANY, Custody::Business)?;
    let hosted = accounts.host(COMPANY, &vendor, a_year_and_marketing(&vendor)?)?;
    accounts.refresh()?;
    introduce(accounts, COMPANY, &[OFFICE, hosted])?;

    decline(accounts, report, hosted)?;
    accept(accounts, report, hosted, &vendor)?;
    let mut store = talk(accounts, report, hosted)?;
    let mut gone = move_home(accounts, report, hosted, &mut store)?;
    // The vendor still has the messages for as long as it promised, and then not.
    let later = accounts.now.plus_seconds(30 * 86_400);
    store.delete_what_is_due(&mut gone, later);
    tell(&format!("({}: the vendor's store deletes what is due.)", day(later)));
    report.claim(
        "thirty days later the vendor's store is empty",
        store.messages.is_empty() && gone.heard.is_empty() && gone.copies.is_empty(),
    );
    Ok(())
}

/// Sari is informed before she has written anything, and declines.
fn decline(accounts: &mut Accounts, report: &mut Report, hosted: At) -> Result<(), Error> {
    show_last(accounts, SARI, "Sari's telephone", "Nusantara Seluler")?;
    let shown = disclosed(accounts)?;
    let waiting = accounts.say(SARI, COMPANY, text(QUESTION))?;
    let needed = Err(SendError::Blocked(Blocked::ConsentNeeded(shown.hash())));
    report.claim(
        "without her consent nothing can be sent: the label waits for her decision",
        waiting.map(drop) == needed,
    );

    tell("(Sari declines: a year is too long for her.)");
    decide(accounts, |talk, account, now| talk.refuse(account, &shown, now, &mut rand::rng()))?;
    show_last(accounts, SARI, "Sari's telephone", "Nusantara Seluler")?;
    accounts.settle()?;
    let letters = accounts.relay.carried_to(hosted);
    let refused = accounts.say(SARI, COMPANY, text(QUESTION))?.map(drop);
    if let Err(SendError::Blocked(why)) = refused {
        tell(&format!("Sari tries to send: “{QUESTION}”"));
        tell(&format!("  ✋ refused by her own telephone: {why}"));
    }
    let expected = Err(SendError::Blocked(Blocked::Refused(shown.hash())));
    report.claim("she has refused, and cannot send by mistake", refused == expected);
    accounts.settle()?;
    report.claim("nothing was sent to the vendor", accounts.relay.carried_to(hosted) == letters);
    let on_laptop = label(accounts, LAPTOP, COMPANY)?;
    report.claim("her laptop knows that she has refused", matches!(on_laptop, Label::Refused { .. }));
    let heard = &accounts.at(hosted)?.decisions;
    let refusals = heard.iter().filter(|(_, decision)| decision.choice() == hosting::Choice::Refusal).count();
    report.claim(
        "the vendor received the refusal and nothing else",
        refusals == 1 && accounts.at(hosted)?.heard.is_empty(),
    );
    Ok(())
}

/// The company asks again, which is possible only after a month, and only for less. Sari agrees.
fn accept(accounts: &mut Accounts, report: &mut Report, hosted: At, vendor: &Identity) -> Result<(), Error> {
    accounts.now = accounts.now.plus_seconds(3 * 86_400);
    tell("(Three days later: the company promises a day less, and asks again. Her telephone does not ask her.)");
    accounts.amend(hosted, vendor, a_day_less(vendor)?)?;
    accounts.refresh()?;
    report.claim(
        "she is not asked again about nearly the same",
        matches!(label(accounts, SARI, COMPANY)?, Label::Refused { .. }),
    );
    accounts.wait_a_month()?;
    tell("(A month after her refusal: the company has agreed with the vendor on a month, and on answers alone.)");
    accounts.amend(hosted, vendor, a_month_for_answers(vendor)?)?;
    accounts.refresh()?;
    show_last(accounts, SARI, "Sari's telephone", "Nusantara Seluler")?;
    report.claim("she is asked again", matches!(label(accounts, SARI, COMPANY)?, Label::Disclosed { .. }));

    tell("(Sari accepts.)");
    let shown = disclosed(accounts)?;
    decide(accounts, |talk, account, now| talk.consent(account, &shown, now, &mut rand::rng()))?;
    show_last(accounts, SARI, "Sari's telephone", "Nusantara Seluler")?;
    accounts.settle()?;
    report.claim("one decision applies to both of her devices", {
        let labels = [label(accounts, SARI, COMPANY)?, label(accounts, LAPTOP, COMPANY)?];
        labels.iter().all(|label| matches!(label, Label::Hosted { .. }))
    });
    let receipt = receipt(accounts, hosted, &shown)?;
    report.claim("she holds a receipt of her consent, signed by both", receipt);
    Ok(())
}

/// The vendor's device countersigns Sari's decision, and she checks the signature.
fn receipt(accounts: &mut Accounts, hosted: At, shown: &Disclosure) -> Result<bool, Error> {
    let now = accounts.now;
    let Device { account, conversations, decisions, .. } = accounts.at_mut(hosted)?;
    let verified = shown.clone().verify(account.key(), None, now)?;
    let (from, decision) = decisions.last().ok_or("it was told")?;
    let talk = conversations.get_mut("sari").ok_or("no conversation")?;
    talk.countersign(account, *from, decision, &verified, now, &mut rand::rng())?;
    accounts.settle()?;
    let sari = accounts.at(SARI)?;
    let receipts = sari.receipts.iter().filter(|one| one.verify(sari.account.devices(), &verified).is_ok());
    Ok(receipts.count() == 1)
}

fn talk(accounts: &mut Accounts, report: &mut Report, hosted: At) -> Result<Store, Error> {
    exchange(accounts, (SARI, "Sari"), (hosted, COMPANY), text(QUESTION))?;
    let row = |id: &str, title: &str| {
        let choice = ReplyOption { id: id.into(), title: title.into() };
        Row { choice, description: "mulai hari ini".into() }
    };
    let rows = vec![row("k5", "Kembalikan 5 GB"), row("pulsa", "Ganti pulsa Rp25.000")];
    let offer = ListMenu {
        text: Text::new("Maaf atas gangguannya. Pilih penggantinya:"),
        label: "Lihat pilihan".into(),
        sections: vec![Section { title: "Pengganti".into(), rows }],
    };
    let offer = accounts.say_by_itself(hosted, "sari", Kind::List(offer))?;
    accounts.settle()?;
    says("Nusantara Seluler", accounts.at(SARI)?.last()?.meta().automated, offer.kind());
    let company = person(COMPANY)?;
    let chosen = Selection::new(accounts.at(SARI)?.last()?, &company, "k5").ok_or("it was offered")?;
    exchange(accounts, (SARI, "Sari"), (hosted, COMPANY), Kind::Selection(chosen))?;
    report.claim("the label does not say end-to-end", !label(accounts, SARI, COMPANY)?.is_end_to_end());

    let store = Store::of(accounts.at(hosted)?, accounts.now)?;
    store.show(accounts.now);
    let promised = accounts.now.plus_seconds(30 * 86_400);
    let dated = store.ledger.entries().all(|(_, deadline)| deadline == promised);
    report.claim("each message in the vendor's store has the promised deadline", dated && store.messages.len() == 2);
    let own = &accounts.at(OFFICE)?.heard;
    let undated = own.iter().all(|heard| heard.delete_by.is_none()) && own.len() == 2;
    report.claim("the company's own telephone, which promised nothing, has no deadlines", undated);
    Ok(store)
}

/// A server of the company itself replaces the vendor's, with keys of its own.
fn move_home(accounts: &mut Accounts, report: &mut Report, hosted: At, store: &mut Store) -> Result<Device, Error> {
    accounts.now = accounts.now.plus_seconds(7 * 86_400);
    tell("(A week later: the company's own server replaces the vendor's.)");
    let mut gone = accounts.remove(hosted)?;
    let home = accounts.join(COMPANY, Custody::SelfHosted)?;
    accounts.refresh()?;
    accounts.meet(home, "sari")?;
    show_last(accounts, SARI, "Sari's telephone", "Nusantara Seluler")?;
    let ended = matches!(accounts.at(SARI)?.events.last(), Some(LabelEvent::HostingEnded(_)));
    report.claim("the end-to-end label has returned", ended && label(accounts, SARI, COMPANY)?.is_end_to_end());
    let letters = accounts.relay.carried_to(hosted);
    exchange(accounts, (SARI, "Sari"), (home, COMPANY), text("Kuotanya sudah kembali, terima kasih!"))?;
    report.claim("nothing is sent to the vendor any more", accounts.relay.carried_to(hosted) == letters);
    report.claim("the company's telephone has it too", told(accounts, OFFICE, "Kuotanya sudah kembali"));
    store.delete_what_is_due(&mut gone, accounts.now);
    report.claim(
        "the vendor still has its messages, until the promised deadline",
        store.messages.len() == 2 && gone.heard.len() == 2,
    );
    Ok(gone)
}

/// The unencrypted messages that the vendor may keep, and when each must be deleted.
struct Store {
    messages: BTreeMap<Name, String>,
    ledger: RetentionLedger<Name>,
}

impl Store {
    fn of(device: &Device, now: Timestamp) -> Result<Self, Error> {
        let mut store = Self { messages: BTreeMap::new(), ledger: RetentionLedger::new(1_000) };
        // What customers wrote, and copies of what the company's other devices wrote.
        for heard in device.heard.iter().chain(&device.copies) {
            let deadline = heard.delete_by.ok_or("a hosted device has promised a deadline")?;
            store.ledger.record(heard.name, deadline, now)?;
            let shown = match heard.content.kind() {
                Kind::Text(text) => text.body.to_string(),
                Kind::Selection(selection) => selection.title.to_string(),
                other => format!("{other:?}"),
            };
            store.messages.insert(heard.name, shown);
        }
        Ok(store)
    }

    fn show(&self, now: Timestamp) {
        tell(&format!("The vendor's store on {}, which it can read:", day(now)));
        for (name, deadline) in self.ledger.entries() {
            let message = self.messages.get(name).map_or("", String::as_str);
            tell(&format!("  │ delete by {} │ {message}", day(deadline)));
        }
    }

    /// Deletes from the store, and from what the hosted device's program still holds of it.
    fn delete_what_is_due(&mut self, device: &mut Device, now: Timestamp) {
        let due: Vec<_> = self.ledger.due(now).copied().collect();
        for name in &due {
            self.messages.remove(name);
        }
        device.heard.retain(|heard| !due.contains(&heard.name));
        device.copies.retain(|copy| !due.contains(&copy.name));
        self.ledger.removed(&due);
    }
}

/// Returns the newest disclosure at the relay. It was verified when the label was made from it.
fn disclosed(accounts: &Accounts) -> Result<Disclosure, Error> {
    accounts.disclosures()?.pop().ok_or_else(|| "there is none".into())
}

fn decide<E: std::error::Error + 'static>(
    accounts: &mut Accounts,
    decision: impl FnOnce(&mut bisik::Conversation, &bisik::Account, Timestamp) -> Result<Option<LabelEvent>, E>,
) -> Result<(), Error> {
    let now = accounts.now;
    let Device { account, conversations, events, .. } = accounts.at_mut(SARI)?;
    let talk = conversations.get_mut(COMPANY).ok_or("no conversation")?;
    events.extend(decision(talk, account, now)?);
    Ok(())
}

fn a_year_and_marketing(vendor: &Identity) -> Result<HostingTerms, Error> {
    let retention = Retention { at_rest: 365 * 86_400, in_use: 3_600, region: Some(Region::new("ID")?) };
    let purposes = Purposes::ANSWERING.with(Purposes::ANALYTICS).with(Purposes::MARKETING);
    terms(vendor, retention, purposes)
}

fn a_day_less(vendor: &Identity) -> Result<HostingTerms, Error> {
    let mut terms = a_year_and_marketing(vendor)?;
    terms.retention.at_rest -= 86_400;
    Ok(terms)
}

fn a_month_for_answers(vendor: &Identity) -> Result<HostingTerms, Error> {
    let retention = Retention { at_rest: 30 * 86_400, in_use: 3_600, region: Some(Region::new("ID")?) };
    terms(vendor, retention, Purposes::ANSWERING)
}

fn terms(vendor: &Identity, retention: Retention, purposes: Purposes) -> Result<HostingTerms, Error> {
    Ok(HostingTerms {
        custody: Custody::Vendor,
        operator: Operator { name: OperatorName::new("Awan Layanan")?, key: *vendor.public() },
        roles: Roles::READ.with(Roles::STORE).with(Roles::ANSWER),
        retention,
        purposes,
    })
}
