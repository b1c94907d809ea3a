//! [`error_texts!`](crate::error_texts): what every error type implements, written as one table beside it.

/// Implements `Display`, `Error` and `code()` for an error type, from one line for each variant: its code and its text.
///
/// The matches are exhaustive: a variant without a line does not compile. A variant that holds another error names it, and
/// that becomes the source: `List(error) => ..`. A struct has one line without a name. tests/house/errors.rs compares the
/// tables with docs/errors.md.
#[macro_export]
macro_rules! error_texts {
    ($error:ident => $code:literal, $text:expr) => {
        $crate::error_texts!(@impl $error { Self { .. } => $code, $text; } {});
    };
    ($error:ident { $($variant:ident $(($source:ident))? => $code:literal, $text:expr;)+ }) => {
        $crate::error_texts!(@impl $error {
            $(Self::$variant { .. } => $code, $text;)+
        } {
            $($(Self::$variant($source) => $source;)?)+
        });
    };
    (@impl $error:ident { $($variant:pat => $code:literal, $text:expr;)+ } { $($holder:pat => $source:ident;)* }) => {
        impl $error {
            /// The stable name of this error, for logs, metrics and other languages: words joined by dots, unique in the
            /// whole library. A later version may add codes; it never changes one or gives it to another error.
            /// docs/errors.md lists all.
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
