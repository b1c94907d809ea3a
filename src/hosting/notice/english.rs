//! The notices in English.

use super::texts::Texts;

pub(super) const TEXTS: Texts = Texts {
    verified: "Messages with {business} are end-to-end encrypted: your devices and those that it lists as its own can read them.",
    devices_changed: "{business} uses other devices than before. Messages are end-to-end encrypted, as they were.",
    own_hosting: "Another party can read messages with {business}, on your side: your own account has a device that an operator \
        runs for it. Messages are encrypted up to that device, but not end-to-end.",
    hosting_ended: "Messages with {business} are end-to-end encrypted from now on. The operator receives no new ones.",
    verified_again: "It is known again who can read messages with {business}.",
    hosting_disclosed: "{business} has a device that another party, the operator, runs for it. The operator would receive your messages and \
        could read all of them. They would be encrypted up to that device, but not end-to-end.",
    disclosure_changed: "What you are asked about {business} has changed. Another party, the operator, would receive your messages and \
        could read all of them. They would be encrypted up to its device, but not end-to-end.",
    terms_worsened: "What you agreed to for {business} no longer holds. Another party, the operator, would receive your messages and could \
        read all of them. They would be encrypted up to its device, but not end-to-end.",
    consented: "You agreed that another party, the operator, receives your messages to {business} and can read all of them.",
    consent_carried_over: "The terms of the operator that reads your messages to {business} have changed. They are no worse than those that \
        you agreed to.",
    refused: "You refused that another party reads your messages to {business}.",
    withdrawn: "You took your consent back. The operator that read your messages to {business} receives no more. It may keep those that it \
        has for as long as it said.",
    unverified: "It is not known who would read messages to {business}.",
    devices: [
        "{business} says that these are a person's own devices.",
        "{business} says that these are devices of a business, in its own hands.",
        "{business} says that a server which it runs itself is among them.",
    ],
    automated: "{business} says that a program answers on one of them.",
    out_of_date: "What was known about its devices is out of date.",
    contradicted: "What its account says about its devices is missing, is wrong, or contradicts what it said before.",
    worse_than_agreed: "Worse than what you agreed to: {what}.",
    worse: [
        "another operator",
        "keys further from the business",
        "it does more with messages",
        "it uses messages for more",
        "it has messages for longer",
        "it keeps messages elsewhere",
    ],
    operator: "The operator calls itself {operator}. It chose that name itself, and it was not checked.",
    number: "The operator's number is {number}. Another operator, even of the same name, has another number.",
    custody: [
        "The device's keys are with a company that works for {business}.",
        "The device's keys are with the operator of this messaging network.",
        "The device's keys are with another messaging service.",
    ],
    roles: "With messages the operator does this: {what}.",
    role: ["stores them", "reads them", "answers them in the name of {business}"],
    purposes: "Messages are used for: {what}.",
    no_purpose: "Messages are used for nothing except passing them on.",
    purpose: ["answering them", "statistics", "the business' own marketing"],
    kept: "The operator has each message {longest}: in storage {at_rest}, in memory and queues {in_use}.",
    region: "The place where it keeps messages: {region}.",
    no_region: "The place where it keeps messages is not said.",
    unknown_region: "The place where it keeps messages has only a code: {region}.",
    claim: "All this is what {business} and its partners say. It cannot be checked whether it is true, or is kept to.",
    sent_end_to_end: "Messages are sent.",
    sent_with_own_hosting: "Messages are sent. To end this, remove that device from your account.",
    sent_with_consent: "Messages are sent. You can take your consent back at any time.",
    waits_for_decision: "Nothing is sent until you decide.",
    stays_refused: "Nothing is sent. You can change your mind at any time.",
    waits_for_evidence: "Nothing is sent until it is known who would read it.",
    units: [["year", "years"], ["day", "days"], ["hour", "hours"], ["minute", "minutes"], ["second", "seconds"]],
    exactly: "for {time}",
    at_most: "for up to {time} (exactly {seconds} seconds)",
    ages: "for more than 1000 years (exactly {seconds} seconds)",
    forever: "for ever",
    not_at_all: "not at all",
    nameless: "this account",
    country: |row| row.1,
};
