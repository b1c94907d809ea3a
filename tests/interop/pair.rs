//! Two devices with a session between them.

use bisik::StorageKey;
use bisik::interop::signal::{Accepted, Ciphertext, DecryptError, Identity, PreKeys, Reinitiated, Session, Trust};
use rand::RngExt;

/// One device: its identity, its published pre-keys, and its session with the other device, if any.
pub struct Device {
    pub identity: Identity,
    pub keys: PreKeys,
    pub session: Option<Session>,
}

impl Device {
    pub fn new() -> Self {
        let rng = &mut rand::rng();
        let identity = Identity::generate(rng);
        let mut keys = PreKeys::generate(&identity, rng);
        keys.replenish(100, rng).unwrap();
        Self { identity, keys, session: None }
    }

    /// Initiates, or initiates again, with or without one of the other device's one-time keys.
    pub fn initiate(&mut self, other: &Self, one_time: bool) {
        let rng = &mut rand::rng();
        let id = (1..=100).find(|id| one_time && other.keys.one_time(*id).is_some());
        let bundle = other.keys.bundle(&other.identity, 3, id).unwrap();
        let bundle = bundle.verify(Trust::Pinned(&other.identity.public())).unwrap();
        match &mut self.session {
            Some(session) => session.reinitiate(&self.identity, &bundle, rng).unwrap(),
            None => self.session = Some(Session::initiate(&self.identity, &bundle, rng).unwrap()),
        }
    }

    pub fn write(&mut self, plaintext: &[u8]) -> Ciphertext {
        self.session().encrypt(plaintext, &mut rand::rng()).unwrap()
    }

    /// Decrypts as an application does: in the session; if the message opens another, as a pre-key message.
    pub fn read(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        // As over the network.
        let message = Ciphertext::from_parts(message.kind(), message.as_bytes()).unwrap();
        let Some(session) = &mut self.session else {
            let Accepted { session, plaintext, used } =
                Session::accept(&self.identity, &self.keys, &message, Trust::OnFirstUse).unwrap();
            self.keys.remove(used);
            self.session = Some(session);
            return Ok(plaintext);
        };
        match session.decrypt(&message) {
            Err(DecryptError::OpensNewSession) => {
                let Reinitiated { plaintext, used } =
                    session.accept_reinitiated(&self.identity, &self.keys, &message).unwrap();
                self.keys.remove(used);
                Ok(plaintext)
            }
            other => other,
        }
    }

    pub fn session(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }

    /// The session sealed with a repeating generator: equal bytes mean equal states.
    pub fn image(&mut self) -> Vec<u8> {
        image(self.session())
    }
}

pub fn image(session: &mut Session) -> Vec<u8> {
    session.seal(&StorageKey::from_bytes([1; 32]), b"image", &mut crate::rng::ConstantRng(0)).unwrap().into_bytes()
}

/// Two devices that have sent messages both ways.
pub fn pair() -> (Device, Device) {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let hello = a.write(b"hello");
    assert_eq!(b.read(&hello).unwrap(), b"hello");
    let answer = b.write(b"answer");
    assert_eq!(a.read(&answer).unwrap(), b"answer");
    (a, b)
}

/// A plaintext of random length and content.
pub fn words() -> Vec<u8> {
    let rng = &mut rand::rng();
    (0..rng.random_range(0..100)).map(|_| rng.random()).collect()
}
