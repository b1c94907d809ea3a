//! Places, and a position that is shared for a while.
//!
//! Does not know any clock, nor where anybody is.

use core::fmt;

use zeroize::Zeroize;

use super::names::{bounded, within};
use super::{Content, ContentError, ContentId, Kind, PrivateText, SentAt, limits, wire};

/// A point on Earth, WGS 84. Wiped on drop; `Debug` shows nothing of it.
///
/// ```
/// use bisik::content::Coordinates;
///
/// let monas = Coordinates::from_degrees(-6.175_39, 106.827_15)?;
/// assert!(Coordinates::from_degrees(f64::NAN, 0.0).is_err());
/// # let _ = monas;
/// # Ok::<(), bisik::ContentError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
    accuracy: u32,
}

impl Coordinates {
    /// Latitude −90 to 90 and longitude −180 to 180, in degrees.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] outside of these, and where one is not finite.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Result<Self, ContentError> {
        Self { latitude, longitude, accuracy: 0 }.checked()
    }

    /// The same, known to so many metres: at most half of the equator, 0 for not known.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] above 20,037,508.
    pub fn with_accuracy(mut self, metres: u32) -> Result<Self, ContentError> {
        self.accuracy = metres;
        self.checked()
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(&self) -> f64 {
        self.longitude
    }

    /// How exact it is, in metres; 0 where that is not known.
    #[must_use]
    pub const fn accuracy(&self) -> u32 {
        self.accuracy
    }

    /// P-7.7. No comparison with a number that is none is true.
    fn checked(self) -> Result<Self, ContentError> {
        let on_earth = (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude);
        if !on_earth {
            return Err(ContentError::OutOfRange);
        }
        within(self.accuracy, 0, limits::ACCURACY_M)?;
        Ok(self)
    }

    fn to_wire(&self) -> wire::Coordinates {
        let Self { latitude, longitude, accuracy } = self;
        wire::Coordinates { latitude: *latitude, longitude: *longitude, accuracy_m: *accuracy }
    }

    fn from_wire(wire: Option<&wire::Coordinates>) -> Result<Self, ContentError> {
        let wire::Coordinates { latitude, longitude, accuracy_m } = wire.ok_or(ContentError::Malformed)?;
        Self { latitude: *latitude, longitude: *longitude, accuracy: *accuracy_m }.checked()
    }
}

impl Drop for Coordinates {
    fn drop(&mut self) {
        let Self { latitude, longitude, accuracy } = self;
        latitude.zeroize();
        longitude.zeroize();
        accuracy.zeroize();
    }
}

impl fmt::Debug for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coordinates(..)")
    }
}

/// A place that somebody points at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// Where it is.
    pub at: Coordinates,
    /// What it is called; at most 255 bytes, empty for nothing.
    pub name: PrivateText,
    /// Its address; at most 1,024 bytes, empty for none.
    pub address: PrivateText,
}

impl Location {
    /// A place without a name.
    #[must_use]
    pub fn new(at: Coordinates) -> Self {
        Self { at, name: PrivateText::default(), address: PrivateText::default() }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { at: _, name, address } = self;
        bounded(name.len(), 0, limits::NAME)?;
        bounded(address.len(), 0, limits::ADDRESS)
    }

    pub(super) fn to_wire(&self) -> wire::Location {
        let Self { at, name, address } = self;
        wire::Location { at: Some(at.to_wire()), name: (**name).into(), address: (**address).into() }
    }

    pub(super) fn from_wire(wire: &mut wire::Location) -> Result<Self, ContentError> {
        let wire::Location { at, name, address } = wire;
        let at = Coordinates::from_wire(at.as_ref())?;
        Ok(Self { at, name: PrivateText::take(name), address: PrivateText::take(address) })
    }
}

/// The sender's position will be shared for a while. Names the share by the id of the content that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveStart {
    /// Where the sender is.
    pub at: Coordinates,
    /// For how many seconds: 1 to 86,400.
    pub duration: u32,
}

impl LiveStart {
    pub(super) fn check(&self) -> Result<(), ContentError> {
        within(self.duration, 1, limits::LIVE_S)
    }

    pub(super) fn to_wire(&self) -> wire::LiveStart {
        let Self { at, duration } = self;
        wire::LiveStart { at: Some(at.to_wire()), duration_s: *duration }
    }

    pub(super) fn from_wire(wire: &wire::LiveStart) -> Result<Self, ContentError> {
        let wire::LiveStart { at, duration_s } = wire;
        Ok(Self { at: Coordinates::from_wire(at.as_ref())?, duration: *duration_s })
    }
}

/// Where the sender is now. [`LiveShare::update`] says whether it is news.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveUpdate {
    /// The id of the content that started it.
    pub share: ContentId,
    /// From 1, and greater than that of every earlier update.
    pub sequence: u32,
    /// Where.
    pub at: Coordinates,
}

impl LiveUpdate {
    pub(super) fn check(&self) -> Result<(), ContentError> {
        within(self.sequence, 1, u32::MAX)
    }

    pub(super) fn to_wire(&self) -> wire::LiveUpdate {
        let Self { share, sequence, at } = self;
        wire::LiveUpdate { share: share.to_wire(), sequence: *sequence, at: Some(at.to_wire()) }
    }

    pub(super) fn from_wire(wire: &wire::LiveUpdate) -> Result<Self, ContentError> {
        let wire::LiveUpdate { share, sequence, at } = wire;
        let at = Coordinates::from_wire(at.as_ref())?;
        Ok(Self { share: ContentId::from_wire(share)?, sequence: *sequence, at })
    }
}

/// The sharing has ended, before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveStop {
    /// The id of the content that started it.
    pub share: ContentId,
}

/// A position that one person shares, as a receiver follows it: late and doubled updates do not move it back. Four plain
/// fields, which the application keeps where it keeps its messages.
///
/// Ask it only about contents of the person who started it: a share is named by its author and its id.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, Coordinates, Envelope, Kind, LiveShare, LiveStart, LiveUpdate, SentAt};
///
/// let at = Coordinates::from_degrees(-6.2, 106.8)?;
/// let envelope = Envelope::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let start = Content::new(envelope, Kind::LiveStart(LiveStart { at: at.clone(), duration: 900 }))?;
///
/// let mut share = LiveShare::follow(&start).expect("it starts one");
/// let update = |sequence| LiveUpdate { share: start.id(), sequence, at: at.clone() };
/// assert!(share.update(&update(2)));
/// assert!(!share.update(&update(1)), "late");
/// # Ok::<(), bisik::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveShare {
    /// The id of the content that started it.
    pub id: ContentId,
    /// When it ends by itself, by the sender's clock.
    pub until: SentAt,
    /// The sequence number of the newest update; 0 when there was none.
    pub last: u32,
    /// Whether the sender has stopped it.
    pub stopped: bool,
}

impl LiveShare {
    /// Begins to follow; `None` where `content` starts no share.
    #[must_use]
    pub fn follow(content: &Content) -> Option<Self> {
        #[allow(clippy::wildcard_enum_match_arm)] // One kind starts a share, whatever others there will be.
        match content.kind() {
            Kind::LiveStart(LiveStart { duration, .. }) => {
                let sent = content.sent().as_unix_milliseconds();
                let until = sent.saturating_add(u64::from(*duration).saturating_mul(1_000)).min(limits::SENT_MS);
                let until = SentAt::from_unix_milliseconds(until).ok()?;
                Some(Self { id: content.id(), until, last: 0, stopped: false })
            }
            _ => None,
        }
    }

    /// P-7.11. Whether the update is newer than all before, and the share not stopped. Then it is what is to be shown.
    pub fn update(&mut self, update: &LiveUpdate) -> bool {
        let news = !self.stopped && update.share == self.id && update.sequence > self.last;
        if news {
            self.last = update.sequence;
        }
        news
    }

    /// Ends it; `false` where another is meant.
    pub fn stop(&mut self, stop: LiveStop) -> bool {
        let ours = stop.share == self.id;
        self.stopped |= ours;
        ours
    }
}
