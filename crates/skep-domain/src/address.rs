//! How mail addresses are compared.

/// A mail address as it is looked up and counted: found whatever its case, and that is all that is
/// made alike.
#[must_use]
pub fn normal_address(typed: &str) -> String {
    typed.trim().to_lowercase()
}
