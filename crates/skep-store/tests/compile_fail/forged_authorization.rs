//! A right cannot be made up: its fields are private and it has no constructor.
use skep_authz::{Authorized, rights::MemoryRead};

fn main() {
    let _: Authorized<MemoryRead> = Authorized {
        organization: unreachable!(),
        workspace: unreachable!(),
        principal: None,
        ring: unreachable!(),
        right: std::marker::PhantomData,
    };
}
