//! Keys and tokens by the formats that their issuers publish.

use super::Finding;
use super::shape::{entropy, is_placeholder};
use regex::Regex;

/// What must hold of a match beyond its pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
    /// The prefix is distinctive: whatever stands before it, this is one.
    Any,
    /// No letter, digit or mark of a longer word may stand before it.
    Edge,
}

/// Name, demand on the left, pattern; the secret is the first group, or else the whole match.
///
/// Patterns are ASCII: no Unicode class, so that the automaton never leaves its fast path.
#[rustfmt::skip]
const RULES: &[(&str, Left, &str)] = &[
    ("skep-token",            Left::Any,  r"skep_(?:it|pat|sk|rk|rt|at)_[A-Za-z0-9_-]{16,}"),
    ("jwt",                   Left::Any,  r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("anthropic-key",         Left::Any,  r"sk-ant-[A-Za-z0-9_-]{20,}"),
    ("openrouter-key",        Left::Edge, r"sk-or-v1-[0-9a-f]{32,}"),
    ("openai-key",            Left::Edge, r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}"),
    ("openai-key",            Left::Edge, r"sk-[A-Za-z0-9]{20,}"),
    ("aws-access-key-id",     Left::Edge, r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    ("aws-secret-key",        Left::Any,  r#"(?:AKIA|ASIA)[A-Z2-7]{16}[\s"',;:|/]{1,6}([A-Za-z0-9/+]{40})"#),
    ("github-token",          Left::Any,  r"gh[pousr]_[A-Za-z0-9]{30,}"),
    ("github-token",          Left::Any,  r"github_pat_[A-Za-z0-9_]{40,}"),
    ("gitlab-token",          Left::Any,  r"gl(?:pat|ptt|dt|rt|cbt|soat|agent|ft|imt|oas)-[A-Za-z0-9_.-]{20,}"),
    ("slack-token",           Left::Any,  r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("slack-token",           Left::Any,  r"xapp-[0-9]-[A-Za-z0-9-]{20,}"),
    ("slack-webhook",         Left::Any,  r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})"),
    ("stripe-key",            Left::Any,  r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("stripe-webhook-secret", Left::Any,  r"whsec_[A-Za-z0-9+/]{24,}"),
    ("google-api-key",        Left::Edge, r"AIza[A-Za-z0-9_-]{35}"),
    ("google-oauth-secret",   Left::Any,  r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    ("google-oauth-token",    Left::Edge, r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("npm-token",             Left::Any,  r"npm_[A-Za-z0-9]{36,}"),
    ("pypi-token",            Left::Any,  r"pypi-[A-Za-z0-9_-]{50,}"),
    ("crates-io-token",       Left::Edge, r"cio[A-Za-z0-9]{32}"),
    ("rubygems-key",          Left::Any,  r"rubygems_[0-9a-f]{40,}"),
    ("docker-token",          Left::Any,  r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    ("huggingface-token",     Left::Edge, r"hf_[A-Za-z0-9]{30,}"),
    ("sendgrid-key",          Left::Any,  r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,}"),
    ("mailgun-key",           Left::Edge, r"key-[0-9a-f]{32}"),
    ("mailchimp-key",         Left::Edge, r"[0-9a-f]{32}-us[0-9]{1,2}"),
    ("twilio-key",            Left::Edge, r"SK[0-9a-f]{32}"),
    ("telegram-token",        Left::Any,  r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("discord-webhook",       Left::Any,  r"discord(?:app)?\.com/api/webhooks/([0-9]{16,20}/[A-Za-z0-9_-]{40,})"),
    ("digitalocean-token",    Left::Any,  r"do[opr]_v1_[0-9a-f]{40,}"),
    ("shopify-token",         Left::Any,  r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("square-token",          Left::Any,  r"sq0(?:atp|csp)-[A-Za-z0-9_-]{20,}"),
    ("vault-token",           Left::Edge, r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("terraform-token",       Left::Any,  r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}"),
    ("grafana-token",         Left::Any,  r"gl(?:sa|c)_[A-Za-z0-9+/_=]{32,}"),
    ("newrelic-key",          Left::Any,  r"NR(?:AK|JS|II|RA)-[A-Za-z0-9]{24,}"),
    ("sentry-token",          Left::Any,  r"sntry[su]_[A-Za-z0-9+/=_]{40,}"),
    ("databricks-token",      Left::Edge, r"dapi[0-9a-f]{32}"),
    ("doppler-token",         Left::Any,  r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{32,}"),
    ("linear-key",            Left::Any,  r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("notion-token",          Left::Edge, r"ntn_[A-Za-z0-9]{40,}"),
    ("postman-key",           Left::Any,  r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("atlassian-token",       Left::Any,  r"ATATT3[A-Za-z0-9_=-]{40,}"),
    ("planetscale-token",     Left::Any,  r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}"),
    ("supabase-token",        Left::Any,  r"sb(?:p|_secret)_[A-Za-z0-9_-]{20,}"),
    ("netlify-token",         Left::Any,  r"nfp_[A-Za-z0-9]{32,}"),
    ("tailscale-key",         Left::Any,  r"tskey-[a-z]{3,12}-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}"),
    ("cloudflare-token",      Left::Edge, r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}"),
    ("groq-key",              Left::Edge, r"gsk_[A-Za-z0-9]{40,}"),
    ("xai-key",               Left::Edge, r"xai-[A-Za-z0-9]{40,}"),
    ("perplexity-key",        Left::Edge, r"pplx-[A-Za-z0-9]{40,}"),
    ("replicate-token",       Left::Edge, r"r8_[A-Za-z0-9]{36,}"),
    ("age-secret-key",        Left::Any,  r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("onepassword-token",     Left::Any,  r"ops_eyJ[A-Za-z0-9_=-]{40,}"),
    ("azure-storage-key",     Left::Any,  r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})"),
    ("azure-sas",             Left::Edge, r"sig=([A-Za-z0-9%+/]{30,}(?:%3[dD]|=){0,2})"),
];

/// The compiled table.
#[derive(Debug)]
pub(super) struct Tokens {
    rules: Vec<(&'static str, Left, Regex)>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let compile = |(name, left, pattern): &(&'static str, Left, &str)| {
            (*name, *left, compile(&format!("(?-u){pattern}")))
        };
        Self {
            rules: RULES.iter().map(compile).collect(),
        }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.rules.iter().map(|(name, ..)| *name).collect();
        names.dedup();
        names
    }

    pub(super) fn find(&self, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for (name, left, regex) in &self.rules {
            for captures in regex.captures_iter(text) {
                let Some(secret) = captures.get(1).or_else(|| captures.get(0)) else {
                    continue;
                };
                let start = captures
                    .get(0)
                    .map_or(secret.start(), |whole| whole.start());
                let is_edge = *left == Left::Any || is_left_edge(text, start);
                if is_edge && is_plausible(secret.as_str()) {
                    found.push(Finding {
                        rule: name,
                        range: secret.range(),
                    });
                }
            }
        }
        found
    }
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and a test compiles each"
)]
pub(super) fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Whether a token may begin at `start`: an escaped line break such as `\n` does not join it to a word.
pub(super) fn is_left_edge(text: &str, start: usize) -> bool {
    let before = &text.as_bytes()[..start];
    match before {
        [] | [.., b'\\', b'n' | b't' | b'r'] => true,
        [.., last] => !(last.is_ascii_alphanumeric() || matches!(last, b'_' | b'-')),
    }
}

/// Examples and masks keep the format but not the randomness.
fn is_plausible(token: &str) -> bool {
    let tail = &token[token.len().min(4)..];
    let tail = tail
        .split_once(['_', '-', '.'])
        .map_or(tail, |(_, rest)| if rest.len() >= 12 { rest } else { tail });
    !is_placeholder(token)
        && entropy(tail) >= 2.5
        && tail
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
