//! What a request refers to that its provider keeps. It keeps that for the account, and an account is shared by everybody
//! in the organization: whoever knows an id could read what somebody else was answered. And nobody can say before
//! the call how much there is to read. So a request has to hold all that it is about.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Misread, place, present, wrong};

const PREVIOUS: &str = "is refused: answers are kept in the account that your whole organization shares, where whoever knows an id \
     could read another's; send the whole conversation as input";
const CONVERSATION: &str = "is refused: conversations are kept in the account that your whole organization shares, where whoever \
     knows an id could read another's; send the whole conversation as input";
const BACKGROUND: &str = "is refused: such an answer is kept in the account that your whole organization shares and is fetched by its \
     id; ask for a stream";
const STORE: &str = "is refused: the answer would be kept in the account that your whole organization shares; leave it out, or say \
     false";
const PROMPT: &str = "is refused: it names a text that the provider keeps, of which nobody here knows how long it is; send \
     instructions and input";
const ITEM: &str = "holds an item that is only the id of one that the provider keeps, in the account that your whole organization \
     shares; send the item itself, and ask for reasoning with include: [\"reasoning.encrypted_content\"]";
const CONTAINER: &str = "names a container that the provider keeps, in the account that your whole organization shares; let each \
     call have one of its own";

/// What of a request for a response leads elsewhere.
#[derive(Deserialize)]
struct Refers<'a> {
    #[serde(default)]
    previous_response_id: Option<IgnoredAny>,
    #[serde(default)]
    conversation: Option<IgnoredAny>,
    #[serde(default)]
    prompt: Option<IgnoredAny>,
    #[serde(default)]
    background: Option<bool>,
    #[serde(borrow, default, deserialize_with = "present")]
    store: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<Vec<Tool<'a>>>,
}

/// What of a tool may lead to a container.
#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, default)]
    container: Option<&'a RawValue>,
    #[serde(default)]
    environment: Option<Named>,
}

/// Something that may have an id.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<IgnoredAny>,
    #[serde(default)]
    container_id: Option<IgnoredAny>,
}

/// What of an item says whether it is all there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
    content: Option<IgnoredAny>,
    arguments: Option<IgnoredAny>,
    input: Option<IgnoredAny>,
    output: Option<IgnoredAny>,
    action: Option<IgnoredAny>,
    actions: Option<IgnoredAny>,
    operation: Option<IgnoredAny>,
    encrypted_content: Option<IgnoredAny>,
    tools: Option<IgnoredAny>,
    queries: Option<IgnoredAny>,
    code: Option<IgnoredAny>,
    result: Option<IgnoredAny>,
}

/// Where a request for a response says whether its answer is kept, if it does; it may only say no.
///
/// # Errors
/// [`Misread`] for one that is not all there.
pub(super) fn check_response(text: &str) -> Result<Option<Range<usize>>, Misread> {
    let refers: Refers<'_> = serde_json::from_str(text).map_err(|_| Misread::Json)?;
    for (is_there, field, problem) in [
        (
            refers.previous_response_id.is_some(),
            "previous_response_id",
            PREVIOUS,
        ),
        (refers.conversation.is_some(), "conversation", CONVERSATION),
        (refers.prompt.is_some(), "prompt", PROMPT),
        (refers.background == Some(true), "background", BACKGROUND),
    ] {
        if is_there {
            return Err(wrong(field, problem));
        }
    }
    let store = refers.store.map(RawValue::get);
    if !matches!(store, None | Some("false" | "null")) {
        return Err(wrong("store", STORE));
    }
    let input = refers
        .input
        .map(RawValue::get)
        .filter(|input| input.starts_with('['));
    if let Some(input) = input {
        let items: Vec<Item> = serde_json::from_str(input)
            .map_err(|_| wrong("input", "must be text or an array of items"))?;
        if !items.iter().all(Item::is_all_there) {
            return Err(wrong("input", ITEM));
        }
    }
    if refers.tools.is_some_and(|all| all.iter().any(Tool::leads)) {
        return Err(wrong("tools", CONTAINER));
    }
    Ok(store.map(|piece| place(text, piece)))
}

/// The container of a request in Anthropic's dialect.
///
/// # Errors
/// [`Misread`] for one that is there already.
pub(super) fn check_container(container: Option<&RawValue>) -> Result<(), Misread> {
    match container {
        Some(container) if leads(container) => Err(wrong("container", CONTAINER)),
        _ => Ok(()),
    }
}

/// Whether a container is one that is there already: its id, or an object with one. What cannot be read is.
fn leads(container: &RawValue) -> bool {
    serde_json::from_str(container.get()).map_or(true, |named: Named| {
        named.id.or(named.container_id).is_some()
    })
}

impl Tool<'_> {
    fn leads(&self) -> bool {
        let elsewhere = |named: &Named| named.id.is_some() || named.container_id.is_some();
        self.container.is_some_and(leads) || self.environment.as_ref().is_some_and(elsewhere)
    }
}

impl Item {
    /// Whether it holds what it is about. Of a kind that is not known here, it does if there is no id to
    /// look it up by.
    fn is_all_there(&self) -> bool {
        let own = match self.kind.as_deref() {
            None if self.role.is_none() => return false,
            Some("item_reference") => return false,
            _ if self.id.is_none() => return true,
            None | Some("message") => self.content,
            Some("reasoning" | "compaction") => self.encrypted_content,
            Some("function_call" | "mcp_call" | "mcp_approval_request" | "tool_search_call") => {
                self.arguments
            }
            Some("custom_tool_call") => self.input,
            Some("web_search_call" | "local_shell_call" | "shell_call") => self.action,
            Some("computer_call") => self.action.or(self.actions),
            Some("apply_patch_call") => self.operation,
            Some("file_search_call") => self.queries,
            Some("code_interpreter_call") => self.code,
            Some("image_generation_call") => self.result,
            Some("mcp_list_tools" | "tool_search_output") => self.tools,
            Some(kind) if kind.ends_with("_call_output") => self.output,
            Some(_) => None,
        };
        own.is_some()
    }
}
