//! [`error_texts!`](crate::error_texts): the trait implementations of every error type, from one table beside the type.

/// Implements `Display`, `Error` and `code()` for an error type. The table has one line for each variant: code and
/// text.
///
/// The matches are exhaustive, so a variant without a line does not compile. For a variant that holds another error,
/// `List(error) => ..` makes that error the source. A struct has one line without a variant. tests/house/errors.rs
/// compares the tables with `bisik::manual::errors`.
///
/// ```
/// use core::error::Error;
///
/// #[derive(Debug)]
/// pub struct ListError;
///
/// bisik_core::error_texts! {
///     ListError => "example.list", "the list is malformed"
/// }
///
/// #[derive(Debug)]
/// pub enum LinkError {
///     WrongStep(u8),
///     Exhausted { tries: u8 },
///     List(ListError),
///     Internal,
/// }
///
/// bisik_core::error_texts! {
///     LinkError {
///         WrongStep => "example.link.wrong_step", "the message is not the one that is due";
///         Exhausted => "example.link.exhausted", "no try is left";
///         List(error) => "example.link.list", "the list is refused";
///         @Internal => "example.link.internal";
///     }
/// }
///
/// let refused = LinkError::List(ListError);
/// assert_eq!((refused.code(), refused.to_string().as_str()), ("example.link.list", "the list is refused"));
/// assert_eq!(refused.source().map(ToString::to_string), Some("the list is malformed".into()));
///
/// assert_eq!(LinkError::WrongStep(1).code(), "example.link.wrong_step");
/// assert!(LinkError::Exhausted { tries: 3 }.source().is_none());
/// ```
#[macro_export]
macro_rules! error_texts {
    ($error:ident => $code:literal, $text:expr) => {
        $crate::error_texts!(@impl $error { Self { .. } => $code, $text; } {});
    };
    ($error:ident {
        $($variant:ident $(($source:ident))? => $code:literal, $text:expr;)+
        $(@$internal:ident => $internal_code:literal;)?
    }) => {
        $(impl From<$crate::internal::InternalError> for $error {
            fn from($crate::internal::InternalError: $crate::internal::InternalError) -> Self {
                Self::$internal
            }
        })?

        $crate::error_texts!(@impl $error {
            $(Self::$variant { .. } => $code, $text;)+
            $(Self::$internal => $internal_code, $crate::internal::InternalError::TEXT;)?
        } {
            $($(Self::$variant($source) => $source;)?)+
        });
    };
    (@impl $error:ident { $($variant:pat => $code:literal, $text:expr;)+ } { $($holder:pat => $source:ident;)* }) => {
        impl $error {
            /// The stable name of this error, for logs, metrics and other languages: words joined by dots, unique in
            /// the whole library. A later version may add codes; it never changes one or gives it to another error.
            /// `bisik::manual::errors` lists all.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $($variant => $code,)+
                }
            }
        }

        impl ::core::fmt::Display for $error {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(match self {
                    $($variant => $text,)+
                })
            }
        }

        impl ::core::error::Error for $error {
            fn source(&self) -> Option<&(dyn ::core::error::Error + 'static)> {
                $(if let $holder = self {
                    return Some($source);
                })*
                None
            }
        }
    };
}
