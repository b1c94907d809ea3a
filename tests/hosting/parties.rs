//! A customer with several devices, a business, three operators, and the disclosures they make.

use bisik::device::{AccountKey, Custody, DeviceCertificate, DeviceDirectory, DeviceTerms, FromOwnDevice, Primary};
use bisik::hosting::{
    ClosedDevice, Decision, Disclosure, DisclosureDraft, Evidence, HostedDevice, HostingTerms, Label, LabelEvent,
    LabelState, Operator, OperatorName, Presented, Purposes, Retention, Roles, SharedDecision, Transition, Unverified,
    VerifiedDisclosure,
};
use bisik::{Accepted, DisclosureHash, Identity, IdentityKey, PreKeys, Session, Timestamp, Trust};
use ed25519_dalek::{Signer, SigningKey};

use bisik_testkit::{ConstantRng, SeededRng};

pub const DAY: u64 = 24 * 60 * 60;
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

// Identities, by the byte that their secrets are made of.
pub const CUSTOMER: u8 = 1;
pub const TABLET: u8 = 2;
pub const BUSINESS: u8 = 10;
pub const OTHER_BUSINESS: u8 = 11;
pub const LAPTOP: u8 = 12;
pub const AWAN: u8 = 20;
pub const JARING: u8 = 21;
pub const TETANGGA: u8 = 22;
pub const HOSTED: u8 = 30;
pub const NEW_HOSTED: u8 = 31;

pub fn identity(number: u8) -> Identity {
    Identity::generate(&mut ConstantRng(number))
}

pub fn key(number: u8) -> IdentityKey {
    *identity(number).public()
}

pub fn account(number: u8) -> AccountKey {
    AccountKey::of(&identity(number))
}

pub fn after(days: u64) -> Timestamp {
    NOW.plus_seconds(days * DAY)
}

/// A signature by `number`, made without the library.
pub fn signature(number: u8, label: &str, text: &[u8]) -> [u8; 64] {
    let whole = [label.as_bytes(), &key(number).to_bytes(), text].concat();
    SigningKey::from_bytes(&[number; 32]).sign(&whole).to_bytes()
}

/// The default terms of the vendor Awan: stores and reads, for 30 days, to answer.
pub fn vendor() -> HostingTerms {
    HostingTerms {
        custody: Custody::Vendor,
        operator: operator(AWAN),
        roles: Roles::STORE.with(Roles::READ),
        retention: Retention::THIRTY_DAYS,
        purposes: Purposes::ANSWERING,
    }
}

pub fn platform() -> HostingTerms {
    HostingTerms { custody: Custody::Platform, operator: operator(JARING), ..vendor() }
}

pub fn interop() -> HostingTerms {
    HostingTerms { custody: Custody::ForeignClient, operator: operator(TETANGGA), ..vendor() }
}

/// The same terms, with messages kept for this many days.
pub fn kept_for(days: u64, terms: &HostingTerms) -> HostingTerms {
    let retention = Retention { at_rest: days * DAY, ..terms.retention };
    HostingTerms { retention, ..terms.clone() }
}

pub fn operator(number: u8) -> Operator {
    let name = match number {
        AWAN => "Awan Pesan",
        JARING => "Jaring",
        TETANGGA => "Tetangga",
        _ => "Operator",
    };
    Operator { name: OperatorName::new(name).unwrap(), key: key(number) }
}

/// All parties sign.
pub fn assemble(draft: DisclosureDraft, business: u8, hosted: u8) -> Disclosure {
    let operator = (20..30).map(identity).find(|one| *one.public() == draft.terms().operator.key).unwrap();
    let countersigned = draft.countersign(&operator).unwrap();
    countersigned.prove(&identity(hosted)).unwrap().sign(&identity(business)).unwrap()
}

/// The first disclosure of a hosted device of the business, for 90 days from `issued`.
pub fn first_at(hosted: u8, terms: HostingTerms, issued: Timestamp) -> Disclosure {
    let expires = issued.plus_seconds(90 * DAY);
    let draft = DisclosureDraft::new(account(BUSINESS), key(hosted), terms, issued, expires).unwrap();
    assemble(draft, BUSINESS, hosted)
}

pub fn first(hosted: u8, terms: HostingTerms) -> VerifiedDisclosure {
    verified(&first_at(hosted, terms, NOW))
}

/// The following disclosure, issued a second later.
pub fn following(previous: &VerifiedDisclosure, hosted: u8, terms: HostingTerms) -> VerifiedDisclosure {
    let issued = previous.disclosure().issued().plus_seconds(1);
    let expires = issued.plus_seconds(90 * DAY);
    let draft = DisclosureDraft::following(previous.disclosure(), terms, issued, expires).unwrap();
    verified(&assemble(draft, BUSINESS, hosted))
}

pub fn verified(disclosure: &Disclosure) -> VerifiedDisclosure {
    disclosure.clone().verify(disclosure.account(), None, disclosure.issued()).unwrap()
}

pub fn own(number: u8, custody: Custody) -> HostedDevice<'static> {
    HostedDevice { key: key(number), custody, automated: false, disclosure: None, presented: Presented::Nothing }
}

/// The business' own phone.
pub fn phone() -> HostedDevice<'static> {
    own(BUSINESS, Custody::Business)
}

/// A hosted device, as an honest list and an honest relay show it.
pub fn hosted(verified: &VerifiedDisclosure) -> HostedDevice<'_> {
    HostedDevice {
        key: *verified.disclosure().device(),
        custody: verified.disclosure().terms().custody,
        automated: false,
        disclosure: Some(verified.hash()),
        presented: Presented::Verified(verified),
    }
}

/// One of the customer's devices, and its conversation with the business.
#[derive(Clone)]
pub struct CustomerDevice {
    pub device: u8,
    pub state: LabelState,
    pub now: Timestamp,
    /// The label that the user was shown last.
    pub shown: Label,
}

impl CustomerDevice {
    pub fn new() -> Self {
        Self::of(CUSTOMER)
    }

    pub fn of(device: u8) -> Self {
        Self { device, state: LabelState::new(account(BUSINESS)), now: NOW.plus_seconds(10), shown: Label::Unknown }
    }

    /// A conversation in which the user agreed to this disclosure.
    pub fn hosted(disclosure: &VerifiedDisclosure) -> Self {
        let mut customer = Self::new();
        let _ = customer.see(&[phone(), hosted(disclosure)]);
        let _ = customer.consent(disclosure);
        customer.now = customer.now.plus_seconds(10);
        customer
    }

    pub fn label(&self) -> Label {
        self.state.label(self.now)
    }

    /// P-11.15. Applies a transition, after checking the rules that hold for all of them.
    pub fn take(&mut self, transition: Transition) -> (Option<LabelEvent>, Vec<ClosedDevice>) {
        let Transition { state, event, closed } = transition;
        if let Some(change) = event.as_ref().map(LabelEvent::change) {
            assert_ne!(change.old, change.new, "an event for nothing");
            assert_eq!((change.old, change.at), (self.shown, self.now));
            self.shown = change.new;
        }
        let (label, expired) = (state.label(self.now), Label::Unverified { why: Unverified::Expired });
        assert!(label == self.shown || label == expired, "{label:?} without an event, after {:?}", self.shown);
        self.state = state;
        (event, closed)
    }

    pub fn see(&mut self, devices: &[HostedDevice<'_>]) -> Option<LabelEvent> {
        self.see_all(devices).0
    }

    pub fn see_all(&mut self, devices: &[HostedDevice<'_>]) -> (Option<LabelEvent>, Vec<ClosedDevice>) {
        let expires = self.now.plus_seconds(30 * DAY);
        let transition = self.state.observe(Evidence::Devices { expires, devices, own: &[] }, self.now);
        self.take(transition)
    }

    pub fn tick(&mut self) -> Option<LabelEvent> {
        let transition = self.state.tick(self.now);
        self.take(transition).0
    }

    pub fn consent(&mut self, shown: &VerifiedDisclosure) -> (Option<LabelEvent>, Decision) {
        let device = identity(self.device);
        let (transition, decision) = self.state.consent(shown.hash(), &account(CUSTOMER), &device, self.now).unwrap();
        (self.take(transition).0, decision)
    }

    pub fn refuse(&mut self, shown: &VerifiedDisclosure) -> (Option<LabelEvent>, Decision) {
        let device = identity(self.device);
        let (transition, decision) = self.state.refuse(shown.hash(), &account(CUSTOMER), &device, self.now).unwrap();
        (self.take(transition).0, decision)
    }

    pub fn withdraw(&mut self, agreed: &VerifiedDisclosure) -> (Option<LabelEvent>, Decision) {
        let device = identity(self.device);
        let (transition, decision) = self.state.withdraw(agreed.hash(), &account(CUSTOMER), &device, self.now).unwrap();
        (self.take(transition).0, decision)
    }

    pub fn adopt(&mut self, decision: &Decision, about: &VerifiedDisclosure) -> Option<LabelEvent> {
        let shared = Wire::new().share(decision, about.disclosure());
        let transition = self.state.adopt(&shared, &own_list(), self.now).unwrap();
        self.take(transition).0
    }

    pub fn can_send(&self) -> bool {
        self.state.permit(self.now).is_ok()
    }

    /// Whether a message may go to `hosted` in a session under `disclosure`.
    pub fn can_send_to(&self, hosted: u8, disclosure: impl Into<Option<DisclosureHash>>) -> bool {
        self.state.permit(self.now).is_ok_and(|permit| permit.allows(&key(hosted), disclosure.into()))
    }
}

/// The customer's device list: phone and tablet.
pub fn own_list() -> DeviceDirectory {
    listed(&[TABLET])
}

/// The customer's device list: the phone and these, all in the customer's own hands.
pub fn listed(others: &[u8]) -> DeviceDirectory {
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut primary = Primary::new(&identity(CUSTOMER), terms, NOW);
    for other in others {
        let certificate = DeviceCertificate::sign(&identity(*other), &account(CUSTOMER), primary.next_index(), terms);
        primary.add(&identity(CUSTOMER), certificate, NOW).unwrap();
    }
    primary.directory()
}

/// A session between two of the customer's devices: the only source of a `FromOwnDevice`.
pub struct Wire {
    directory: DeviceDirectory,
    sender: Session,
    receiver: Session,
    rng: SeededRng,
}

impl Wire {
    /// From the tablet.
    pub fn new() -> Self {
        Self::from(TABLET, DeviceTerms::own_held(Custody::Person).unwrap())
    }

    pub fn from(device: u8, terms: DeviceTerms) -> Self {
        let rng = &mut SeededRng::new(7);
        let (phone, other) = (identity(CUSTOMER), identity(device));
        let mut primary = Primary::new(&phone, DeviceTerms::own_held(Custody::Person).unwrap(), NOW);
        let certificate = DeviceCertificate::sign(&other, &account(CUSTOMER), primary.next_index(), terms);
        primary.add(&phone, certificate, NOW).unwrap();
        let mut keys = PreKeys::generate(&phone, NOW, rng);
        let bundle = keys.bundle().verify(Trust::Pinned(phone.public()), NOW).unwrap();
        let mut sender = Session::initiate(&other, &bundle, NOW, rng).unwrap();
        let hello = sender.encrypt(b"", rng).unwrap();
        let Accepted { session: mut receiver, used, .. } =
            Session::accept(&phone, &keys, &hello, Trust::Pinned(other.public()), NOW).unwrap();
        keys.remove(used);
        // Own devices believe each other once the session is confirmed.
        let answer = receiver.encrypt(b"", rng).unwrap();
        assert!(sender.decrypt(&other, &answer).unwrap().confirms);
        Self { directory: primary.directory(), sender, receiver, rng: rng.clone() }
    }

    pub fn share(&mut self, decision: &Decision, disclosure: &Disclosure) -> FromOwnDevice<SharedDecision> {
        let shared = SharedDecision { decision: decision.clone(), disclosure: disclosure.clone() };
        let message = self.sender.encrypt(&shared.to_bytes(), &mut self.rng).unwrap();
        let phone = identity(CUSTOMER);
        let own = self.directory.own(&phone, NOW).unwrap();
        let received = own.decrypt(&phone, &mut self.receiver, &message).unwrap();
        received.try_map(|bytes| SharedDecision::from_bytes(&bytes)).unwrap()
    }
}
