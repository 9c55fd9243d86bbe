//! The variable in which a program looks for a secret, and finds its placeholder.

use super::LeasedSecret;

/// Variables that programs and shells live by: no placeholder takes their place.
const NEVER: [&str; 12] = [
    "HOME", "IFS", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "TZ",
    "USER",
];
/// What others begin with: they load code, lead to the proxy, or are ours.
const LOADS: [&str; 4] = ["LD_", "DYLD_", "BASH_", "SKEP_"];

impl LeasedSecret {
    /// The variable of its name, if that is one: `github-token` in `GITHUB_TOKEN`.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let name = self.secret.to_ascii_uppercase().replace(['-', '.'], "_");
        let is_taken = NEVER.contains(&name.as_str())
            || name.ends_with("_PROXY")
            || LOADS.iter().any(|start| name.starts_with(start))
            || name.starts_with(|first: char| first.is_ascii_digit());
        (!is_taken).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use skep_vault::template::Owner;

    use super::LeasedSecret;

    #[test]
    fn a_secrets_name_is_a_variable_unless_programs_live_by_it() {
        for (secret, expected) in [
            ("GITHUB_TOKEN", Some("GITHUB_TOKEN")),
            ("github-token", Some("GITHUB_TOKEN")),
            ("path", None),
            ("LD_PRELOAD", None),
            ("https_proxy", None),
            ("skep_home", None),
            ("2fa", None),
        ] {
            let secret = LeasedSecret {
                placeholder: String::new(),
                secret: secret.into(),
                owner: Owner::Workspace,
                rules: Vec::new(),
            };
            assert_eq!(secret.variable().as_deref(), expected, "{}", secret.secret);
        }
    }
}
