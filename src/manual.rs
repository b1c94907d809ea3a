//! The documents of the project, as they are in `docs/`.
//!
//! The [specification](spec) defines the protocol; [formats] defines what is stored. [`threat_model`] states what is
//! promised against whom, [`persistence`] how to store state, and [`errors`] what to do about every error. [`design`]
//! gives the reasons for the API. [`interop`] specifies the protocol that the feature of that name implements.

// Documents use reference links and define the labels at their end, for readers of the repository. CommonMark takes the
// first definition of a label, so those of manual.links.md, which name the modules below, win here.

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
    #[doc = include_str!("../docs/spec/test-vectors.md")]
    pub mod test_vectors {}

    #[doc = include_str!("manual.links.md")]
    #[doc = include_str!("../docs/spec/rationale.md")]
    pub mod rationale {}
}

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
