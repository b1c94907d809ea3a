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

#[cfg(test)]
mod tests {
    use core::error::Error;
    use std::string::ToString;

    #[derive(Debug)]
    struct Inner;

    crate::error_texts! {
        Inner => "test.inner", "the inner part failed"
    }

    #[derive(Debug)]
    enum Outer {
        Unit,
        Tuple(u8),
        Fields { _number: u8 },
        Holder(Inner),
    }

    crate::error_texts! {
        Outer {
            Unit => "test.outer.unit", "the unit failed";
            Tuple => "test.outer.tuple", "the tuple failed";
            Fields => "test.outer.fields", "the fields failed";
            Holder(error) => "test.outer.holder", "the holder failed";
        }
    }

    #[test]
    fn each_variant_has_its_code_and_text_and_the_error_that_it_holds() {
        let all = [Outer::Unit, Outer::Tuple(1), Outer::Fields { _number: 1 }, Outer::Holder(Inner)];
        assert_eq!(
            all.each_ref().map(Outer::code),
            ["test.outer.unit", "test.outer.tuple", "test.outer.fields", "test.outer.holder"]
        );
        assert_eq!(all[3].to_string(), "the holder failed");
        assert!(all[..3].iter().all(|error| error.source().is_none()));
        assert_eq!(all[3].source().unwrap().to_string(), "the inner part failed");
        assert_eq!(Inner.code(), "test.inner");
        assert!(matches!(all[1], Outer::Tuple(1)));
    }
}
