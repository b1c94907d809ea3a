//! The documents of the project, as they are in `docs/`.
//!
//! | page | you want to know |
//! |---|---|
//! | [`persistence`] | what to store, and in which order |
//! | [`server`] | what your server does, and what it learns |
//! | [`errors`] | what an error means and what to do about it |
//! | [`randomness`] | which generator, in async code, and with an older `rand` |
//! | [`threat_model`] | what is promised against whom, and what is not |
//! | [`performance`] | what operations cost |
//! | [`design`] | why the API looks the way it does |
//! | [`spec`] | the protocol: the specification, with numbered requirements |
//! | [`formats`] | the bytes of stored records |
//! | [`interop`] | the protocol that the feature `interop` implements |
//! | [`map`] | where something is in the source |

// Documents use reference links and define the labels at their end, for readers of the repository. CommonMark takes the
// first definition of a label, so those of manual.links.md, which name the modules below, win here, and those of
// manual.pictures.md, which hold whole pictures: rustdoc takes no files along.

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/spec/README.md")]
pub mod spec {
    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/conventions.md")]
    pub mod conventions {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/session.md")]
    pub mod session {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/post-quantum.md")]
    pub mod post_quantum {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/content.md")]
    pub mod content {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/attachments.md")]
    pub mod attachments {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/calls.md")]
    pub mod calls {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/accounts.md")]
    pub mod accounts {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/hosting.md")]
    pub mod hosting {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/conversations.md")]
    pub mod conversations {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/groups.md")]
    pub mod groups {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/chains.md")]
    pub mod chains {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/rooms.md")]
    pub mod rooms {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/statuses.md")]
    pub mod statuses {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/registers.md")]
    pub mod registers {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/test-vectors.md")]
    pub mod test_vectors {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/rationale.md")]
    pub mod rationale {}
}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/guide/server.md")]
pub mod server {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/guide/randomness.md")]
pub mod randomness {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/formats.md")]
pub mod formats {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/threat-model.md")]
pub mod threat_model {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/persistence.md")]
pub mod persistence {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/design.md")]
pub mod design {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/interop.md")]
pub mod interop {}

#[doc = include_str!("manual.pictures.md")]
#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/performance.md")]
pub mod performance {}

#[doc = include_str!("manual.links.md")]
#[doc = include_str!("../docs/map.md")]
pub mod map {}
