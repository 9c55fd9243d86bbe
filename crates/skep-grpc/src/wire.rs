//! The messages and the two ends of `skep.auth.v1`, as written from `proto/skep/auth/v1/auth.proto`.
#![expect(
    clippy::allow_attributes,
    clippy::pedantic,
    reason = "written by tonic-prost-build, which has its own habits"
)]

include!("wire/skep.auth.v1.rs");
include!("wire/descriptor.rs");
