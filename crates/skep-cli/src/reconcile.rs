//! What a provider says that it served, beside what was recorded here: pure, on the pages of the providers' own usage
//! interfaces.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use skep_api::Instant;
use skep_api::budget::UsageDay;

/// What cannot be compared, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is no page of usage.
    Form,
    /// It adds up all models.
    NoModel,
    /// It adds up all days.
    NoDay,
}

/// Tokens, and calls where a provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Side {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<u64>,
    /// All that was read, cached or not.
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) output: u64,
}

/// A day and model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) day: String,
    pub(crate) model: String,
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
    /// Calls of ours whose tokens the provider did not say: it is there that a difference is to be expected.
    pub(crate) estimated: u64,
    pub(crate) agrees: bool,
}

/// What a provider says, by day and model.
pub(crate) type Billed = BTreeMap<(String, String), Side>;

#[derive(Deserialize)]
struct Page {
    data: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    /// OpenAI's.
    start_time: Option<i64>,
    /// Anthropic's.
    starting_at: Option<String>,
    #[serde(default)]
    results: Vec<Served>,
}

/// The fields of both: each provider has some of them.
#[derive(Deserialize)]
struct Served {
    model: Option<String>,
    num_model_requests: Option<u64>,
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    input_cached_tokens: u64,
    #[serde(default)]
    uncached_input_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation: BTreeMap<String, u64>,
    #[serde(default)]
    output_tokens: u64,
}

/// Reads the pages that `/v1/organization/usage/completions` of OpenAI or `/v1/organizations/usage_report/messages` of
/// Anthropic answered with, one after the other.
pub(crate) fn read(text: &str) -> Result<Billed, Unread> {
    let mut billed = Billed::new();
    for page in serde_json::Deserializer::from_str(text).into_iter::<Page>() {
        for bucket in page.map_err(|_| Unread::Form)?.data {
            let day = day_of(&bucket)?;
            for served in bucket.results {
                let model = served.model.clone().ok_or(Unread::NoModel)?;
                let side = billed.entry((day.clone(), model)).or_default();
                *side = side.and(served.side());
            }
        }
    }
    if billed.is_empty() {
        return Err(Unread::Form);
    }
    Ok(billed)
}

fn day_of(bucket: &Bucket) -> Result<String, Unread> {
    let at = match (bucket.start_time, &bucket.starting_at) {
        (Some(seconds), _) => {
            let micros = seconds.checked_mul(1_000_000).ok_or(Unread::NoDay)?;
            Instant::from_micros(micros).to_string()
        }
        (None, Some(text)) => {
            let at: Instant = text.parse().map_err(|_| Unread::NoDay)?;
            at.to_string()
        }
        (None, None) => return Err(Unread::NoDay),
    };
    at.get(..10).map(str::to_owned).ok_or(Unread::NoDay)
}

impl Served {
    fn side(&self) -> Side {
        let created = self.cache_creation.values().copied();
        let created = created.fold(0, u64::saturating_add);
        let cache_read = self
            .input_cached_tokens
            .saturating_add(self.cache_read_input_tokens);
        let input = [
            self.input_tokens,
            self.uncached_input_tokens,
            self.cache_read_input_tokens,
            created,
        ];
        Side {
            calls: self.num_model_requests,
            input: input.into_iter().fold(0, u64::saturating_add),
            cache_read,
            output: self.output_tokens,
        }
    }
}

impl Side {
    fn and(self, other: Self) -> Self {
        let calls = match (self.calls, other.calls) {
            (None, None) => None,
            (one, two) => Some(one.unwrap_or(0).saturating_add(two.unwrap_or(0))),
        };
        Self {
            calls,
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            output: self.output.saturating_add(other.output),
        }
    }

    fn agrees(self, theirs: Self) -> bool {
        let calls = theirs.calls.is_none_or(|calls| self.calls == Some(calls));
        calls && (self.input, self.output) == (theirs.input, theirs.output)
    }
}

/// The first and the last day that a provider says something of.
pub(crate) fn span(billed: &Billed) -> Option<(&str, &str)> {
    let (first, _) = billed.keys().next()?;
    let (last, _) = billed.keys().next_back()?;
    Some((first, last))
}

/// Both, day by day and model by model, for the days that the provider's pages cover.
pub(crate) fn compare(ours: &[UsageDay], provider: &str, theirs: &Billed) -> Vec<Row> {
    let covered =
        |day: &str| span(theirs).is_some_and(|(first, last)| (first..=last).contains(&day));
    let ours: Vec<&UsageDay> = ours
        .iter()
        .filter(|row| row.provider == provider && covered(&row.day))
        .collect();
    let names: BTreeSet<&str> = ours.iter().map(|row| row.model.as_str()).collect();
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for ((day, model), side) in theirs {
        let row = row_of(&mut rows, day, called(&names, model));
        row.theirs = row.theirs.and(*side);
    }
    for used in ours {
        let row = row_of(&mut rows, &used.day, &used.model);
        row.ours = row.ours.and(Side {
            calls: Some(used.calls),
            input: used.input,
            cache_read: used.cache_read,
            output: used.output,
        });
        row.estimated = row.estimated.saturating_add(used.estimated);
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    for row in &mut rows {
        row.ours.calls = row.ours.calls.or(Some(0));
        row.agrees = row.ours.agrees(row.theirs);
    }
    rows
}

fn row_of<'a>(
    rows: &'a mut BTreeMap<(String, String), Row>,
    day: &str,
    model: &str,
) -> &'a mut Row {
    let key = (day.to_owned(), model.to_owned());
    rows.entry(key).or_insert_with(|| Row {
        day: day.to_owned(),
        model: model.to_owned(),
        ours: Side::default(),
        theirs: Side::default(),
        estimated: 0,
        agrees: false,
    })
}

/// What callers here name a model by: providers count it under the version that was in force, such as
/// `gpt-5-2025-08-07` for `gpt-5`.
fn called<'a>(ours: &BTreeSet<&'a str>, theirs: &'a str) -> &'a str {
    if ours.contains(theirs) {
        return theirs;
    }
    let is_version = |rest: &str| {
        let rest = rest.strip_prefix('-').unwrap_or_default();
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let alias = ours
        .iter()
        .find(|name| theirs.strip_prefix(**name).is_some_and(is_version));
    alias.copied().unwrap_or(theirs)
}

#[cfg(test)]
mod tests {
    use super::{Billed, Side, Unread, compare, read};
    use skep_api::budget::UsageDay;

    /// In the shape of OpenAI's `GET /v1/organization/usage/completions?group_by=model`.
    const OPENAI: &str = r#"{"object":"page","data":[
        {"object":"bucket","start_time":1767225600,"end_time":1767312000,"results":[
            {"object":"organization.usage.completions.result","input_tokens":5000,"output_tokens":700,"input_cached_tokens":4000,
             "input_audio_tokens":0,"num_model_requests":5,"project_id":null,"model":"gpt-5-2025-08-07"},
            {"object":"organization.usage.completions.result","input_tokens":10,"output_tokens":1,"input_cached_tokens":0,
             "num_model_requests":1,"model":"gpt-5-mini-2025-08-07"}]},
        {"object":"bucket","start_time":1767312000,"end_time":1767398400,"results":[]}],"has_more":false,"next_page":null}"#;

    /// In the shape of Anthropic's `GET /v1/organizations/usage_report/messages?group_by[]=model`.
    const ANTHROPIC: &str = r#"{"data":[{"starting_at":"2026-01-01T00:00:00Z","ending_at":"2026-01-02T00:00:00Z","results":[
        {"uncached_input_tokens":1500,"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},
         "cache_read_input_tokens":200,"output_tokens":500,"server_tool_use":{"web_search_requests":0},"model":"claude-opus-4-5-20251101"}]}],
        "has_more":true,"next_page":"page_x"}
        {"data":[{"starting_at":"2026-01-01T00:00:00Z","ending_at":"2026-01-02T00:00:00Z","results":[
        {"uncached_input_tokens":1,"cache_read_input_tokens":0,"output_tokens":2,"model":"claude-opus-4-5-20251101"}]}],"has_more":false}"#;

    fn used(provider: &str, model: &str, (calls, input, output): (u64, u64, u64)) -> UsageDay {
        UsageDay {
            day: "2026-01-01".into(),
            workspace: "ws_x".into(),
            principal: None,
            credential: "key_x".into(),
            provider: provider.into(),
            model: model.into(),
            calls,
            estimated: u64::from(calls == 4),
            input,
            output,
            cache_read: 0,
            cache_write: 0,
            reasoning: 0,
            cost: "0.00".into(),
        }
    }

    fn said(ours: &[UsageDay], provider: &str, theirs: &Billed) -> Vec<(String, bool, u64)> {
        let rows = compare(ours, provider, theirs).into_iter();
        rows.map(|row| (row.model, row.agrees, row.estimated))
            .collect()
    }

    #[test]
    fn l06_what_each_provider_says_is_compared_model_by_model() {
        let theirs = read(OPENAI).unwrap();
        let ours = [
            used("openai", "gpt-5", (3, 3_000, 400)),
            used("openai", "gpt-5", (2, 2_000, 300)),
            used("openai", "gpt-5-mini", (1, 10, 1)),
            used("local", "gpt-5", (9, 9, 9)),
        ];
        let told = |model: &str, agrees| (model.to_owned(), agrees, 0);
        assert_eq!(
            said(&ours, "openai", &theirs),
            [told("gpt-5", true), told("gpt-5-mini", true)]
        );
        // A call that is missing here, one that is missing there, and one that was counted otherwise.
        let ours = [
            used("openai", "gpt-5", (4, 5_000, 700)),
            used("openai", "o9", (1, 1, 1)),
        ];
        assert_eq!(
            said(&ours, "openai", &theirs),
            [
                ("gpt-5".to_owned(), false, 1),
                told("gpt-5-mini-2025-08-07", false),
                told("o9", false)
            ]
        );
        let theirs = read(ANTHROPIC).unwrap();
        let side = theirs.values().next().copied();
        let all = Side {
            calls: None,
            input: 3_201,
            cache_read: 200,
            output: 502,
        };
        assert_eq!((theirs.len(), side), (1, Some(all)), "two pages");
        let ours = [used("anthropic", "claude-opus-4-5", (7, 3_201, 502))];
        assert_eq!(
            said(&ours, "anthropic", &theirs),
            [told("claude-opus-4-5", true)]
        );
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let page = |result: &str, start: &str| {
            format!("{{\"data\":[{{{start}\"results\":[{{\"output_tokens\":1{result}}}]}}]}}")
        };
        let (day, model) = ("\"start_time\":0,", ",\"model\":\"m\"");
        assert!(read(&page(model, day)).is_ok());
        for (text, unread) in [
            (String::new(), Unread::Form),
            ("[]".into(), Unread::Form),
            ("{\"data\":[]}".into(), Unread::Form),
            ("{\"data\":[{\"results\":{}}]}".into(), Unread::Form),
            (page(model, ""), Unread::NoDay),
            (
                page(model, "\"start_time\":9223372036854775807,"),
                Unread::NoDay,
            ),
            (page(model, "\"starting_at\":\"today\","), Unread::NoDay),
            (page("", day), Unread::NoModel),
        ] {
            assert_eq!(read(&text), Err(unread), "{text}");
        }
    }
}
