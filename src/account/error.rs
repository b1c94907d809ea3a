//! Why an account does nothing before it has recovered.

/// The primary device was shown a list of its account that it did not sign. It was restored from a backup, or its key is
/// in other hands: [recover](crate::Account::recover) first. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverFirstError;

bisik_core::error_texts! {
    RecoverFirstError => "account.recover_first", "the account has a list that its primary device did not sign"
}
