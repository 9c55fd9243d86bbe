//! In-process daemon, personas, clocks and scratch directories for tests.

mod clock;
mod daemon;
mod front;
pub mod issuer;
pub mod model;
mod newcomer;
mod postbox;
mod raw;
mod redis;
mod replay;
mod scratch;
mod site;
mod team_store;
mod tenant;
pub mod timing;
mod vault;
mod visitor;
mod wire;

pub use clock::{ManualClock, StoppedWatch};
pub use daemon::{TestDaemon, people};
pub use front::TlsFront;
pub use issuer::{Issuer, Say};
pub use newcomer::{Newcomer, Pass};
pub use postbox::Postbox;
pub use raw::{Reply, Request};
pub use redis::{RedisServer, Watch};
pub use replay::Pace;
pub use scratch::{MemoryRootKey, Scratch};
pub use site::{Page, Site};
pub use skep_test_programs::{mcp, program};
pub use team_store::TeamStore;
pub use tenant::{Tenant, open_impatient_store, open_store};
pub use visitor::Visitor;
pub use wire::{TestTimer, Wired};
