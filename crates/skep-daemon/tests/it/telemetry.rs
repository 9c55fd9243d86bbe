//! A collector is told of model calls, and of nothing that was said in them.

use serde_json::{Value, json};

use crate::collector::Collector;
use crate::home::Home;

const WORD: &str = "canary-whale-7719";

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or(Value::Null)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn x10_a_collector_is_told_of_calls_and_not_what_was_said() {
    let collector = Collector::start(200);
    let home = Home::new();
    home.put(
        "skep.toml",
        &format!(
            "[telemetry]\ncollector = \"http://{}\"\n",
            collector.address
        ),
    );
    let daemon = home.serve();
    let mock = json!({ "name": "harbour", "kind": "mock", "models": ["echo", "e*"] }).to_string();
    home.post("/api/v1/providers", &mock).unwrap();
    let key = json!({ "label": WORD, "permissions": ["gateway:use"] }).to_string();
    let key = body(&home.post("/api/v1/keys", &key).unwrap());
    let token = key["secret"].as_str().unwrap();
    let models = ["echo", "echo", "e-canary-name"];
    let paths = ["/v1/chat/completions", "/v1/messages", "/v1/messages"];
    for (path, (model, stream)) in paths
        .into_iter()
        .zip(models.into_iter().zip([false, true, false]))
    {
        let call = json!({
            "model": format!("harbour/{model}"), "max_tokens": 64, "stream": stream,
            "messages": [{ "role": "user", "content": WORD }],
        });
        let answer = home.post_as(path, token, &call.to_string()).unwrap();
        assert!(answer.contains(WORD), "{answer}");
    }
    assert!(daemon.stop().success());
    let told = collector.everything();
    for expected in [
        "chat echo",
        "chat other",
        "gen_ai.usage.input_tokens",
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
    ] {
        assert!(holds(&told, expected), "{expected}");
    }
    let who = body(&whoami(&home, token));
    let ids = ["workspace", "organization", "principal", "credential"];
    let ids: Vec<&str> = ids.iter().filter_map(|name| who[name].as_str()).collect();
    assert!(ids.len() > 1, "{who}");
    for hidden in ids
        .into_iter()
        .chain([WORD, token, "skep_sk", "harbour", "e-canary-name"])
    {
        assert!(!holds(&told, hidden), "{hidden}");
    }
}

/// Who the key is, as another run of the daemon says it.
fn whoami(home: &Home, token: &str) -> String {
    home.put("skep.toml", "");
    let daemon = home.serve();
    let answer = home.get_as("/api/v1/whoami", token).unwrap();
    assert!(daemon.stop().success());
    answer
}
