//! Places, and live location sharing.
//!
//! Reads no clock and no position: the application passes both in.

use core::fmt;
use core::num::NonZeroU32;

use zeroize::Zeroize;

use super::names::{bounded, within};
use super::{Content, ContentError, ContentId, Kind, PersonId, PrivateText, Reference, SentAt, limits, wire};
use bisik_core::primitives::secret::Secret;

/// A point on Earth in WGS 84. Wiped on drop; `Debug` shows none of it.
///
/// ```
/// use bisik::content::Coordinates;
///
/// let monas = Coordinates::from_degrees(-6.175_39, 106.827_15)?;
/// assert!(Coordinates::from_degrees(f64::NAN, 0.0).is_err());
/// # let _ = monas;
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
    accuracy: Option<NonZeroU32>,
}

impl Coordinates {
    /// Returns a point from its latitude (−90 to 90) and longitude (−180 to 180), in degrees.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] for values outside these ranges, including infinities and NaN.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Result<Self, ContentError> {
        Self { latitude, longitude, accuracy: None }.checked()
    }

    /// Sets the accuracy in metres: at most half the equator.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] above 20,037,508.
    pub fn with_accuracy(mut self, metres: NonZeroU32) -> Result<Self, ContentError> {
        self.accuracy = Some(metres);
        self.checked()
    }

    /// Returns the latitude in degrees north.
    #[must_use]
    pub const fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Returns the longitude in degrees east.
    #[must_use]
    pub const fn longitude(&self) -> f64 {
        self.longitude
    }

    /// Returns the accuracy in metres, or `None` if unknown.
    #[must_use]
    pub const fn accuracy(&self) -> Option<NonZeroU32> {
        self.accuracy
    }

    /// Checks the ranges. NaN fails every comparison, so it is rejected here too. Requirement P-7.7.
    fn checked(self) -> Result<Self, ContentError> {
        let on_earth = (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude);
        if !on_earth {
            return Err(ContentError::OutOfRange);
        }
        within(wire::zero_for_none(self.accuracy), 0, limits::ACCURACY_M)?;
        Ok(self)
    }

    /// Returns `latitude ‖ longitude ‖ u32(accuracy)`, for digests. Protobuf does not keep the sign of a zero, so a zero
    /// has none here.
    pub(super) fn to_bytes(&self) -> Secret<20> {
        let [latitude, longitude] = [self.latitude, self.longitude].map(|degrees| (degrees + 0.0).to_be_bytes());
        let accuracy = wire::zero_for_none(self.accuracy).to_be_bytes();
        let mut bytes = Secret::zero();
        let parts = latitude.iter().chain(&longitude).chain(&accuracy);
        bytes.expose_mut().iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    pub(super) fn to_wire(&self) -> wire::Coordinates {
        let Self { latitude, longitude, accuracy } = self;
        wire::Coordinates { latitude: *latitude, longitude: *longitude, accuracy_m: wire::zero_for_none(*accuracy) }
    }

    pub(super) fn from_wire(wire: Option<&wire::Coordinates>) -> Result<Self, ContentError> {
        let wire::Coordinates { latitude, longitude, accuracy_m } = wire.ok_or(ContentError::Malformed)?;
        Self { latitude: *latitude, longitude: *longitude, accuracy: NonZeroU32::new(*accuracy_m) }.checked()
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

/// A place on the map.
///
/// ```
/// use bisik::content::{Coordinates, Location};
///
/// let mut stall = Location::new(Coordinates::from_degrees(-6.2, 106.8)?);
/// stall.name = "Kopi Pojok".into();
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// Its position.
    pub at: Coordinates,
    /// Its name: at most 255 bytes, or empty.
    pub name: PrivateText,
    /// Its address: at most 1,024 bytes, or empty.
    pub address: PrivateText,
}

impl Location {
    /// Returns a place without a name.
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

/// The start of live location sharing. The id of the content that holds it names the share.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveStart {
    /// The sender's position.
    pub at: Coordinates,
    /// Duration in seconds: 1 to 86,400.
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

/// A new position of the sender. [`LiveShare::update`] returns whether it is newer than the last one.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveUpdate {
    /// The id of the content that started the share.
    pub share: ContentId,
    /// The sequence number: from 1, and greater than that of every earlier update.
    pub sequence: u32,
    /// The position.
    pub at: Coordinates,
}

impl LiveUpdate {
    /// Returns the content that started the share, given the sender of the update. Look up this reference and no other.
    /// Requirement P-7.22.
    #[must_use]
    pub fn share_of(&self, sender: &PersonId) -> Reference {
        Reference { author: sender.clone(), id: self.share }
    }

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

/// The end of live location sharing before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveStop {
    /// The id of the content that started the share.
    pub share: ContentId,
}

impl LiveStop {
    /// Returns the content that started the share, given the sender of the stop. Look up this reference and no other.
    /// Requirement P-7.22.
    #[must_use]
    pub fn share_of(&self, sender: &PersonId) -> Reference {
        Reference { author: sender.clone(), id: self.share }
    }
}

/// A receiver's view of one live location share. Late and duplicated updates do not move it back, and nobody but the
/// person who started it moves or stops it.
///
/// The application stores the four plain fields with its messages.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, Coordinates, ContentMeta, Kind, LiveShare, LiveStart, LiveUpdate, PersonId, SentAt};
///
/// let at = Coordinates::from_degrees(-6.2, 106.8)?;
/// let meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let start = Content::new(meta, Kind::LiveStart(LiveStart { at: at.clone(), duration: 900 }))?;
///
/// let (ana, eve) = (PersonId::new(b"ana")?, PersonId::new(b"eve")?);
/// let mut share = LiveShare::follow(&start, &ana).expect("it starts one");
/// let update = |sequence| LiveUpdate { share: start.id(), sequence, at: at.clone() };
/// assert!(share.update(&update(2), &ana));
/// assert!(!share.update(&update(1), &ana), "late");
/// assert!(!share.update(&update(3), &eve), "it is Ana's position");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveShare {
    /// The content that started the share.
    pub start: Reference,
    /// When it ends by itself, by the sender's clock.
    pub until: SentAt,
    /// The sequence number of the newest update; `None` if there was none.
    pub last: Option<NonZeroU32>,
    /// Whether the sender has stopped it.
    pub stopped: bool,
}

impl LiveShare {
    /// Starts to follow a share of `author`, the authenticated sender. Returns `None` if `content` does not start one.
    #[must_use]
    pub fn follow(content: &Content, author: &PersonId) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "one kind starts a share; any later kind starts none here")]
        match content.kind() {
            Kind::LiveStart(LiveStart { duration, .. }) => {
                let sent = content.sent().as_unix_milliseconds();
                let until = sent.saturating_add(u64::from(*duration).saturating_mul(1_000)).min(limits::SENT_MS);
                let until = SentAt::from_unix_milliseconds(until).ok()?;
                Some(Self { start: content.reference(author), until, last: None, stopped: false })
            }
            _ => None,
        }
    }

    /// Returns whether an update by `sender` should be shown: it is of this share, newer than all before, and the share
    /// has not been stopped. Requirements P-7.11 and P-7.22.
    pub fn update(&mut self, update: &LiveUpdate, sender: &PersonId) -> bool {
        let sequence = NonZeroU32::new(update.sequence);
        let news = !self.stopped && self.is_of(update.share, sender) && sequence > self.last;
        if news {
            self.last = sequence;
        }
        news
    }

    /// Marks the share as stopped. Returns `false` if `stop` by `sender` refers to another share. Requirement P-7.22.
    pub fn stop(&mut self, stop: LiveStop, sender: &PersonId) -> bool {
        let ours = self.is_of(stop.share, sender);
        self.stopped |= ours;
        ours
    }

    fn is_of(&self, share: ContentId, sender: &PersonId) -> bool {
        share == self.start.id && *sender == self.start.author
    }
}
