//! Public identifiers: one macro for all of them. [`IdError`]: what is none.

/// The bytes or the text are not an identifier of this kind: they are longer or shorter, or the text has something else
/// than hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

crate::error_texts! {
    IdError => "id.malformed", "the bytes or the text are not an identifier"
}

/// Declares a public identifier of 16 bytes, or of as many as stand behind its name. The call lists the methods with
/// their documentation; `generate` only if the identifier is drawn at random.
///
/// `Display` shows all of it as hexadecimal digits, which `FromStr` reads. `Debug` shows the first four bytes, which are
/// enough to tell two identifiers apart in a log.
///
/// ```
/// bisik_core::id! {
///     /// The name of a call.
///     pub struct CallId;
///     /// A name received in a signal.
///     pub fn from_bytes(bytes);
///     /// Its 16 bytes.
///     pub fn as_bytes();
///     /// A new name from 16 bytes of `rng`.
///     pub fn generate(rng);
/// }
///
/// assert_eq!(format!("{:?}", CallId::from_bytes([0xA5; 16])), "CallId(a5a5a5a5..)");
/// assert_eq!(CallId::from_bytes([0xA5; 16]).to_string(), "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
/// let id = CallId::generate(&mut rand::rng());
/// assert_eq!((id.to_string().parse(), CallId::try_from(id.as_ref())), (Ok(id), Ok(id)));
/// assert_eq!(CallId::generate(&mut rand::rng()).as_bytes().len(), CallId::LENGTH);
///
/// bisik_core::id! {
///     /// The name of a file.
///     pub struct FileHash: 32;
///     /// A name received in a message.
///     pub fn from_bytes(bytes);
///     /// Its 32 bytes.
///     pub fn as_bytes();
/// }
/// assert_eq!(FileHash::from_bytes([0xA5; 32]).as_bytes().len(), FileHash::LENGTH);
/// ```
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* pub struct $name:ident;
     $($methods:tt)*) => {
        $crate::id! {
            $(#[$doc])*
            pub struct $name: 16;
            $($methods)*
        }
    };
    ($(#[$doc:meta])* pub struct $name:ident: $length:literal;
     $(#[$from:meta])* pub fn from_bytes(bytes);
     $(#[$bytes:meta])* pub fn as_bytes();
     $($(#[$generate:meta])* pub fn generate(rng);)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; Self::LENGTH]);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            $(#[$from])*
            #[must_use]
            pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
                Self(bytes)
            }

            $(#[$bytes])*
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
                &self.0
            }

            $($(#[$generate])*
            #[must_use]
            pub fn generate(rng: &mut (impl ::rand_core::CryptoRng + ?Sized)) -> Self {
                let mut bytes = [0; Self::LENGTH];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            })?
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        $crate::hex_text! {
            $name: $length, or $crate::id::IdError = $crate::id::IdError;
            from |bytes| Ok($name::from_bytes(bytes));
            to |id| id.0;
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, "{}({a:02x}{b:02x}{c:02x}{d:02x}..)", stringify!($name))
            }
        }
    };
}
