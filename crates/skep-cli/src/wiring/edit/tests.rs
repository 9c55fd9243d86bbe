//! Entries of ours in files as people have them.

use proptest::prelude::*;

use super::{EditError, Entry, Shape, is_bare, ours, with, without};

fn entry(event: &'static str, matcher: Option<&'static str>) -> Entry {
    Entry {
        event,
        command: format!("/bin/skep hook claude {event}"),
        timeout: 5,
        matcher,
    }
}

fn entries() -> Vec<Entry> {
    vec![entry("SessionStart", None), entry("Stop", Some("*"))]
}

fn is_ours(command: &str) -> bool {
    command.contains("skep hook claude")
}

/// What people have: nothing, comments, one line, tabs, CRLF, hooks of others, trailing commas.
const FILES: &[&str] = &[
    "",
    "{}",
    "{\n}\n",
    "{\"model\":\"opus\"}",
    "{\r\n  \"x\": [1, 2]\r\n}\r\n",
    "{\n\t\"hooks\": {\"Stop\": []}\n}\n",
    "{\n  // mine\n  \"hooks\": {\n    \"Stop\": [ {\"hooks\": [ {\"type\": \"command\",\"command\":\"say  'done'\"} ]} ]\n  },\n  \"z\": null\n}\n",
    "{\n    \"hooks\": {\n        \"Notification\": [\n            {\"matcher\": \"\", \"hooks\": [{\"type\": \"command\", \"command\": \"beep\"}]},\n        ],\n    },\n}\n",
];

#[test]
fn entries_stand_once_whatever_is_there() {
    for shape in [Shape::Grouped, Shape::Flat] {
        for text in FILES {
            let once = with(text, shape, &entries(), &is_ours).unwrap();
            let twice = with(&once.text, shape, &entries(), &is_ours).unwrap();
            assert_eq!(once.text, twice.text, "{text}");
            assert!(twice.made.is_empty() && !twice.made_hooks, "{text}");
            assert_eq!(once.text.matches("skep hook claude Stop").count(), 1);
            assert_eq!(ours(&once.text, &is_ours).unwrap().len(), 2, "{text}");
            for foreign in ["say  'done'", "\"beep\"", "// mine", "\"model\":\"opus\""] {
                assert_eq!(once.text.contains(foreign), text.contains(foreign));
            }
        }
    }
}

#[test]
fn an_older_entry_of_ours_is_replaced_and_others_in_its_group_stay() {
    let text = r#"{"hooks": {"Stop": [{"hooks": [
        {"type": "command", "command": "beep"},
        {"type": "command", "command": "/old/skep hook claude Stop", "timeout": 60}
    ]}], "Gone": [{"hooks": [{"command": "/old/skep hook claude Gone"}]}]}}"#;
    let edited = with(text, Shape::Grouped, &entries(), &is_ours).unwrap();
    assert!(!edited.text.contains("/old/"), "{}", edited.text);
    assert!(edited.text.contains("\"beep\""), "{}", edited.text);
    assert_eq!(edited.made, ["SessionStart"]);
}

#[test]
fn what_cannot_be_understood_is_left_alone() {
    for (text, what) in [
        ("[]", "the whole file"),
        ("\"x\"", "the whole file"),
        ("{\"hooks\": 1}", "hooks"),
        ("{\"hooks\": {\"Stop\": {}}}", "hooks.Stop"),
    ] {
        let refused = with(text, Shape::Grouped, &entries(), &is_ours);
        assert_eq!(refused, Err(EditError::Shape(what.into())), "{text}");
    }
    for text in ["{", "{\"a\": }", "\u{0}", "{} {}"] {
        let refused = with(text, Shape::Grouped, &entries(), &is_ours);
        assert!(matches!(refused, Err(EditError::Unreadable(_))), "{text}");
    }
}

#[test]
fn taking_out_leaves_what_others_wrote_meanwhile() {
    for text in FILES {
        let edited = with(text, Shape::Grouped, &entries(), &is_ours).unwrap();
        let between = edited.text.replacen(
            "\"SessionStart\": [",
            "\"SessionStart\": [{ \"hooks\":[{\"command\": \"theirs\"}] }, ",
            1,
        );
        assert_ne!(between, edited.text);
        let left = without(&between, &edited.made, edited.made_hooks, &is_ours).unwrap();
        assert!(!left.contains("skep hook"), "{left}");
        assert!(
            left.contains("{ \"hooks\":[{\"command\": \"theirs\"}] }"),
            "{left}"
        );
        let left = without(&edited.text, &edited.made, edited.made_hooks, &is_ours).unwrap();
        assert_eq!(is_bare(&left), is_bare(text), "{text}: {left}");
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(Into::into),
        "[a-z \"\\\\/{}\\[\\],:\u{e9}]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-z\"{}:]{1,6}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Read as JSON, a file is after taking out what it was before putting in.
    #[test]
    fn putting_in_and_taking_out_changes_nothing(
        rest in prop::collection::btree_map("[a-z]{1,5}", value(), 0..4),
        pretty in any::<bool>(),
    ) {
        let all = serde_json::Value::Object(rest.into_iter().collect());
        let text = if pretty { serde_json::to_string_pretty(&all) } else { serde_json::to_string(&all) };
        let text = text.unwrap();
        if let Ok(edited) = with(&text, Shape::Grouped, &entries(), &is_ours) {
            let left = without(&edited.text, &edited.made, edited.made_hooks, &is_ours).unwrap();
            let left: serde_json::Value = serde_json::from_str(&left).unwrap();
            prop_assert_eq!(left, all);
        }
    }
}
