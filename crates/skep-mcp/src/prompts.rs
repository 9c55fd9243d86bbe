//! Prompts: what a person asks for by name, where a client shows prompts as commands.

use rmcp::model::{JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::tools::{Tool, Trouble};

/// Those that there are.
pub(crate) fn all() -> Vec<Prompt> {
    let question = PromptArgument::new("question")
        .with_description("What to look for.")
        .with_required(true);
    let session = PromptArgument::new("session")
        .with_description("A session, ses_…; the latest sessions if left out.")
        .with_required(false);
    vec![
        Prompt::new(
            "recall",
            Some("What is remembered of something, put before the model."),
            Some(vec![question]),
        )
        .with_title("Recall"),
        Prompt::new(
            "catch_up",
            Some("Where earlier work stopped, put before the model."),
            Some(vec![session]),
        )
        .with_title("Catch up"),
    ]
}

/// The messages of one; `None` if there is none of that name.
pub(crate) async fn get(
    daemon: &impl Daemon,
    name: &str,
    given: &JsonObject,
) -> Result<Option<Vec<PromptMessage>>, Trouble> {
    let text = |argument: &str| given.get(argument).and_then(Value::as_str);
    let (tool, arguments, asks) = match name {
        "recall" => {
            let question = text("question").unwrap_or_default();
            let arguments = json!({ "query": question, "full": true });
            let asks = "What follows is what Skep remembers of what I ask. Take it into account:";
            (Tool::MemorySearch, arguments, asks)
        }
        "catch_up" => {
            let arguments =
                text("session").map_or_else(|| json!({}), |id| json!({ "session": id }));
            let asks = "What follows is where earlier work stopped. Sum up what is open:";
            (Tool::SessionContext, arguments, asks)
        }
        _ => return Ok(None),
    };
    let Value::Object(arguments) = arguments else {
        return Ok(None);
    };
    let found = tool.call(daemon, arguments).await?;
    Ok(Some(vec![PromptMessage::new_text(
        Role::User,
        format!("{asks}\n\n{}", found.text),
    )]))
}
