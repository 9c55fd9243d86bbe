//! Addresses, names and passwords of people, as they are typed.

use skep_crypto::Plain;
use skep_domain::{PasswordError, PasswordRules};
use skep_store::{User, UserBody};
use unicode_normalization::UnicodeNormalization;

use crate::{App, AppError, Invalid, Rule};

/// Bytes of an address (RFC 5321, section 4.5.3.1.3, less the brackets).
const MAX_ADDRESS: usize = 254;
/// Characters of what somebody is called.
const MAX_NAME: usize = 128;

/// An address that mail could reach: one `@`, something on both sides, nothing invisible. Whether it
/// is theirs, only a letter shows.
pub(super) fn address(text: &str) -> Result<String, AppError> {
    let text: String = text.trim().nfc().collect();
    let sound = text.len() <= MAX_ADDRESS
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
        && text
            .chars()
            .all(|c| !c.is_control() && !c.is_whitespace() && !"<>,;:\\\"()[]".contains(c))
        && text.is_ascii();
    if sound {
        Ok(text)
    } else {
        Err(Invalid::unknown(
            "address",
            "address must be a mail address such as maria@example.org",
        ))
    }
}

/// What somebody wants to be called: a line that can be read.
pub(super) fn name(text: &str) -> Result<String, AppError> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(Invalid::required("name"));
    }
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if text.chars().count() > MAX_NAME || text.chars().any(hidden) {
        return Err(Invalid::unknown(
            "name",
            "name must be a line of at most 128 visible characters",
        ));
    }
    Ok(text)
}

impl App {
    /// Checks a new password and hashes it.
    pub(super) async fn new_password(
        &self,
        password: &str,
        own: &[&str],
    ) -> Result<String, AppError> {
        let normal = PasswordRules::check(password, own).map_err(refused)?;
        self.hashing
            .hash(Plain::new(normal), self.store.nonce())
            .await
    }

    /// What is known of somebody with another password.
    pub(super) fn with_password(user: &User, password: String) -> UserBody {
        UserBody {
            password: Some(password),
            ..user.body.clone()
        }
    }
}

pub(super) fn refused(error: PasswordError) -> AppError {
    AppError::Invalid(Invalid {
        field: "password".into(),
        rule: match error {
            PasswordError::TooLong => Rule::TooLong,
            _ => Rule::Invalid,
        },
        message: error.to_string(),
    })
}
