//! Pages for people: small, written here, without a script but for passkeys, and framed by nobody.

mod account;
mod door;
pub(crate) mod layout;
mod register;
mod sso;

pub(crate) use account::{account, change};
pub(crate) use door::{
    invite, log_in, log_out, login, reset, second, send_invite, send_reset, send_setup, setup,
};
pub(crate) use layout::{passkey_script, style};
pub(crate) use register::{confirm, register, send_confirm, send_register};
pub(crate) use sso::{begin as begin_sso, finish as finish_sso};
