//! [`Emoji`]: what users compare on two screens, in linking and in calls.

/// One emoji of a short authentication string, with a name to read aloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Emoji {
    /// The emoji, one code point.
    pub symbol: &'static str,
    /// Its name, in English.
    pub name: &'static str,
}

impl Emoji {
    /// The emoji that six bits choose.
    pub(crate) fn of(bits: u8) -> Self {
        let (symbol, name) = EMOJI.get(usize::from(bits % 64)).copied().unwrap_or_default();
        Self { symbol, name }
    }
}

/// The 64 emoji in order. They are easy to distinguish by look and by name, and each is one code point without a
/// variation selector.
const EMOJI: [(&str, &str); 64] = [
    ("\u{1f42f}", "tiger"),
    ("\u{1f435}", "monkey"),
    ("\u{1f418}", "elephant"),
    ("\u{1f40a}", "crocodile"),
    ("\u{1f422}", "turtle"),
    ("\u{1f40d}", "snake"),
    ("\u{1f438}", "frog"),
    ("\u{1f433}", "whale"),
    ("\u{1f419}", "octopus"),
    ("\u{1f980}", "crab"),
    ("\u{1f41e}", "ladybird"),
    ("\u{1f41d}", "bee"),
    ("\u{1f989}", "owl"),
    ("\u{1f427}", "penguin"),
    ("\u{1f413}", "rooster"),
    ("\u{1f98b}", "butterfly"),
    ("\u{1f335}", "cactus"),
    ("\u{1f334}", "palm"),
    ("\u{1f33b}", "sunflower"),
    ("\u{1f344}", "mushroom"),
    ("\u{1f33d}", "maize"),
    ("\u{1f955}", "carrot"),
    ("\u{1f34c}", "banana"),
    ("\u{1f347}", "grapes"),
    ("\u{1f353}", "strawberry"),
    ("\u{1f349}", "melon"),
    ("\u{1f34d}", "pineapple"),
    ("\u{1f35e}", "bread"),
    ("\u{1f9c0}", "cheese"),
    ("\u{1f95a}", "egg"),
    ("\u{1f369}", "doughnut"),
    ("\u{1f382}", "cake"),
    ("\u{1f30b}", "volcano"),
    ("\u{1f308}", "rainbow"),
    ("\u{1f319}", "moon"),
    ("\u{1f525}", "fire"),
    ("\u{26a1}", "lightning"),
    ("\u{26f5}", "sailboat"),
    ("\u{1f682}", "train"),
    ("\u{1f6b2}", "bicycle"),
    ("\u{1f680}", "rocket"),
    ("\u{1f681}", "helicopter"),
    ("\u{1f69c}", "tractor"),
    ("\u{2693}", "anchor"),
    ("\u{1f3e0}", "house"),
    ("\u{26fa}", "tent"),
    ("\u{1f5fc}", "tower"),
    ("\u{1f3a1}", "wheel"),
    ("\u{1f511}", "key"),
    ("\u{1f528}", "hammer"),
    ("\u{1f514}", "bell"),
    ("\u{23f0}", "clock"),
    ("\u{1f4f7}", "camera"),
    ("\u{1f392}", "backpack"),
    ("\u{1f453}", "glasses"),
    ("\u{1f45f}", "shoe"),
    ("\u{1f3a9}", "hat"),
    ("\u{1f302}", "umbrella"),
    ("\u{1f388}", "balloon"),
    ("\u{1f381}", "gift"),
    ("\u{1f3b8}", "guitar"),
    ("\u{1f941}", "drum"),
    ("\u{1f3c6}", "trophy"),
    ("\u{26bd}", "football"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_emoji_and_no_name_is_there_twice() {
        assert_eq!(EMOJI.iter().map(|(symbol, _)| symbol).collect::<BTreeSet<_>>().len(), 64);
        assert_eq!(EMOJI.iter().map(|(_, name)| name).collect::<BTreeSet<_>>().len(), 64);
        assert!(EMOJI.iter().all(|(symbol, _)| symbol.chars().count() == 1));
    }
}
