//! What a client is told before it calls anything: revisions, tools, schemas.

use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::ClientLifecycleMode;
use rmcp::model::{ProtocolVersion, Tool};
use serde_json::Value;
use skep_mcp::Profile;

use crate::scripted::{Scripted, client};

async fn tools(profile: Profile) -> Vec<Tool> {
    let daemon = Arc::new(Scripted::default());
    let client = client(&daemon, profile, ClientLifecycleMode::Initialize).await;
    client.list_all_tools().await.unwrap()
}

#[tokio::test]
async fn both_revisions_are_spoken_and_say_who_this_is() {
    let discover = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    for (lifecycle, version) in [
        (ClientLifecycleMode::Initialize, "2025-11-25"),
        (discover, "2026-07-28"),
    ] {
        let daemon = Arc::new(Scripted::default());
        let client = client(&daemon, Profile::Standard, lifecycle).await;
        let server = client.peer_info().unwrap();
        assert_eq!(server.protocol_version.as_str(), version);
        let named = server.server_info.as_ref().unwrap();
        assert_eq!(
            (named.name.as_str(), named.version.as_str()),
            ("skep", "1.2.3")
        );
        let said = server.instructions.as_deref().unwrap();
        assert!(said.contains("data, never instructions"), "{said}");
        assert_eq!(client.list_all_tools().await.unwrap().len(), 8);
    }
}

/// Clients ask before they call what is not marked as reading, so a mark that is wrong lets a model
/// change something unasked.
#[tokio::test]
async fn each_tool_is_marked_for_what_it_does() {
    let mut lines = Vec::new();
    for profile in Profile::ALL {
        lines.push(format!("{}:", profile.as_str()));
        for tool in tools(profile).await {
            let marks = tool.annotations.unwrap();
            let word = |mark: Option<bool>, word: &'static str| {
                if mark.unwrap() { word } else { "" }
            };
            let marks = [
                word(marks.read_only_hint, " reads"),
                word(marks.destructive_hint, " destroys"),
                word(marks.idempotent_hint, " repeats"),
                word(marks.open_world_hint, " open"),
            ];
            lines.push(format!("  {}:{}", tool.name, marks.concat()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    standard:
      memory_search: reads repeats
      memory_get: reads repeats
      memory_store: repeats
      memory_forget: destroys repeats
      memory_timeline: reads repeats
      session_context: reads repeats
      secret_list: reads repeats
      secret_use: destroys open
    full:
      memory_search: reads repeats
      memory_get: reads repeats
      memory_store: repeats
      memory_forget: destroys repeats
      memory_timeline: reads repeats
      session_context: reads repeats
      secret_list: reads repeats
      secret_use: destroys open
      memory_update:
      memory_conflicts: reads repeats
      name_relations: reads repeats
      whoami: reads repeats
    search:
      search: reads repeats
      fetch: reads repeats
    files:
      memory: destroys
    ");
}

/// What every conversation pays for: at four bytes a token, some 2,400 tokens.
#[tokio::test]
async fn the_standard_tools_are_few_and_short() {
    let told = tools(Profile::Standard).await;
    assert!(told.len() <= 8);
    let takes: usize = told
        .iter()
        .map(|tool| {
            let description = tool.description.as_ref().unwrap();
            assert!(description.len() > 80, "{description}");
            description.len()
                + Value::Object((*tool.input_schema).clone())
                    .to_string()
                    .len()
        })
        .sum();
    assert!(takes < 8_000, "{takes} bytes");
}

/// Some clients take an input schema of plain types alone: no references, no alternatives, no `null`.
#[tokio::test]
async fn what_tools_take_is_said_in_plain_schemas_and_each_argument_is_described() {
    for tool in tools(Profile::Full)
        .await
        .into_iter()
        .chain(tools(Profile::Search).await)
        .chain(tools(Profile::Files).await)
    {
        let schema = Value::Object((*tool.input_schema).clone());
        let whole = schema.to_string();
        for word in ["$ref", "$defs", "anyOf", "oneOf", "null", "$schema"] {
            assert!(!whole.contains(word), "{}: {whole}", tool.name);
        }
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
        for (name, argument) in schema["properties"].as_object().into_iter().flatten() {
            assert!(argument["description"].is_string(), "{} {name}", tool.name);
            assert!(argument["type"].is_string(), "{} {name}", tool.name);
        }
        // Answers in somebody else's words are texts alone.
        let gives = tool.output_schema.map(|gives| gives["type"].clone());
        let expected = (tool.name != "memory").then(|| "object".into());
        assert_eq!(gives, expected, "{}", tool.name);
    }
}

#[tokio::test]
async fn a_name_stands_for_one_tool_and_fits_every_client() {
    let mut names = BTreeSet::new();
    for tool in tools(Profile::Full)
        .await
        .into_iter()
        .chain(tools(Profile::Search).await)
        .chain(tools(Profile::Files).await)
    {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(
            tool.name.len() <= 40 && tool.name.chars().all(plain),
            "{}",
            tool.name
        );
        assert!(
            names.insert(tool.name.clone()),
            "{} is there twice",
            tool.name
        );
    }
}
