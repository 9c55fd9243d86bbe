//! A new right cannot be declared outside: the trait is sealed.
use skep_authz::Right;
use skep_domain::Permission;

struct Everything;

impl Right for Everything {
    const PERMISSION: Option<Permission> = None;
    const WRITES: bool = true;
}

fn main() {}
