//! What has a text and the traits of serde is public: a type that is not listed here gets neither unnoticed.

use std::collections::BTreeSet;

use super::files;

/// Every type that a macro of texts or of serde is called for, and why its bytes are no secret.
const PUBLIC: &[(&str, &str)] = &[
    ("AccountKey", "the name of an account"),
    ("ActHash", "a hash of a signed act, which members name"),
    ("ActId", "a part of that hash"),
    ("BlockId", "a name in the caller's store"),
    ("BundleId", "a server names bundles by it"),
    ("CallAdmission", "a public key, for a server"),
    ("CallLocator", "a name that a server is told"),
    ("CallId", "a name, which proves nothing"),
    ("ChainId", "in every message of a group, in the clear"),
    ("Ciphertext", "encrypted"),
    ("ContentId", "a name, which proves nothing"),
    ("ConversationId", "a hash of two account keys"),
    ("DeviceCertificate", "a part of a published list"),
    ("DeviceList", "published"),
    ("Disclosure", "published"),
    ("DisclosureHash", "a part of a published list"),
    ("Envelope", "encrypted; its addresses are for the relay"),
    ("EntryHash", "a hash of a signed entry, which members name"),
    ("GroupId", "the name of a group, which proves nothing"),
    ("GroupMessage", "encrypted"),
    ("IdentityKey", "the name of a device"),
    ("ListId", "a server names lists by it"),
    ("MessageId", "a name, which proves nothing"),
    ("PreKeyBundle", "published"),
    ("PublicKey", "public, of a ratchet or of the Signal protocol"),
    ("StayId", "the name of a membership, which proves nothing"),
    ("Timestamp", "a moment; written by hand, as a number"),
];

/// The beginnings of what gives a type a text or the traits of serde.
const GIVERS: &[&str] = &["hex_text! {\n", "base64_text! {\n", "serde_text!("];

#[test]
fn only_public_values_have_a_text_and_the_traits_of_serde() {
    let mut found = BTreeSet::new();
    for (file, source) in files::sources() {
        let code: String =
            source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
        for giver in GIVERS {
            found.extend(code.split(giver).skip(1).map(|rest| (file.clone(), name(rest))));
        }
        // Of the macro for ids the type stands on its second line, after its documentation.
        for rest in code.split("::id! {\n").skip(1) {
            found.insert((file.clone(), name(rest.split("pub struct ").nth(1).unwrap())));
        }
        for of in ["Serialize for ", "Deserialize<'de> for "] {
            found.extend(code.split(of).skip(1).map(|rest| (file.clone(), name(rest))));
        }
        assert!(!code.contains("derive(Serialize") && !code.contains(", Serialize"), "{file} derives a trait of serde");
    }
    // What the macros themselves say.
    found.retain(|(file, name)| !(name.starts_with('$') && file.starts_with("crates/core/src/")));
    let found: BTreeSet<_> = found.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(found, PUBLIC.iter().map(|(name, _)| *name).collect());
}

/// The name at the beginning of a text.
fn name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '$').collect()
}
