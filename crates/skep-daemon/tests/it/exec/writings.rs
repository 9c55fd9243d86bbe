//! Ways to write a secret down, through the real daemon.

use serde_json::json;

use super::stand::{Stand, VALUE, shell, stdout};

/// Each way as Perl writes it: `$s` is the secret.
const WAYS: &[(&str, &str)] = &[
    ("plain", "print $s"),
    ("twice", "print $s, $s"),
    (
        "bytewise",
        "for (split //, $s) { print; select(undef, undef, undef, 0.001) }",
    ),
    (
        "crossed",
        "my $h = length($s) / 2; print substr($s, 0, $h); print STDERR substr($s, $h)",
    ),
    ("base640", "use MIME::Base64; print encode_base64($s, '')"),
    (
        "base641",
        "use MIME::Base64; print encode_base64('x' . $s, '')",
    ),
    (
        "base642",
        "use MIME::Base64; print encode_base64('xy' . $s . 'z', '')",
    ),
    (
        "base64lines",
        "use MIME::Base64; my $t = encode_base64($s, ''); $t =~ s/(.{5})/$1\\n/g; print $t",
    ),
    ("hex", "print unpack('H*', $s)"),
    ("upperhex", "print uc unpack('H*', $s)"),
    (
        "percent",
        "$s =~ s/(.)/sprintf('%%%02x', ord $1)/ge; print $s",
    ),
    (
        "json",
        "$s =~ s/(.)/sprintf('\\\\u%04x', ord $1)/ge; print $s",
    ),
    ("html", "$s =~ s/(.)/sprintf('&#%d;', ord $1)/ge; print $s"),
    ("reversed", "print scalar reverse $s"),
    ("upper", "print uc $s"),
    ("spaced", "print join(' ', split //, $s)"),
];

#[test]
fn x02_whatever_way_a_secret_is_written_the_answer_has_none_of_it() {
    let stand = Stand::new("");
    let ways: Vec<&str> = WAYS.iter().map(|(name, _)| *name).collect();
    let each: Vec<String> = WAYS
        .iter()
        .map(|(name, perl)| format!("if ($w eq '{name}') {{ {perl} }}"))
        .collect();
    let script = each.join(" ");
    let script = format!("my $s = $ENV{{TOKEN}}; my $w = $ARGV[0]; $| = 1; {script}");
    let mut template = shell("write", &script);
    template["program"]["path"] = json!("/usr/bin/perl");
    template["program"]["arguments"] =
        json!(["-e", script.replace('{', "{{").replace('}', "}}"), "{way}"]);
    template["program"]["parameters"] = json!([{ "name": "way", "choices": ways }]);
    let _daemon = stand.serve_with(&[template]);
    for (way, _) in WAYS {
        let run = stand.run("write", &json!({ "way": way }));
        assert_eq!(
            run["exit"],
            json!({ "how": "code", "number": 0 }),
            "{way}: {run}"
        );
        let shown = run.to_string();
        let hidden = |text: &str| text.to_lowercase().contains("[redacted:token]");
        assert!(hidden(stdout(&run)), "{way}: {run}");
        // No eight letters of it in a row, however it was written.
        let value: Vec<char> = VALUE.chars().collect();
        for window in value.windows(8) {
            let part: String = window.iter().collect();
            let back: String = part.chars().rev().collect();
            for part in [part, back] {
                assert!(
                    !shown.to_lowercase().contains(&part.to_lowercase()),
                    "{way}: {run}"
                );
            }
        }
        assert_eq!(run["output"]["redaction"], "best-effort");
        assert!(
            run["output"]["redacted"][0]["places"].as_u64().unwrap() > 0,
            "{way}"
        );
    }
}

#[test]
fn x02_what_is_not_covered_is_said_with_each_answer() {
    let stand = Stand::new("");
    let rotated = shell("rotate", "printf %s \"$TOKEN\" | tr a-zA-Z n-za-mN-ZA-M");
    let _daemon = stand.serve_with(&[rotated]);
    let run = stand.run("rotate", &json!({}));
    // It went through: that is why the answer says so.
    assert_eq!(stdout(&run), "gx_9sD2zK7iYe4fJo8mXq1p");
    let uncovered = run["output"]["uncovered"].as_array().unwrap();
    let names: Vec<&str> = uncovered
        .iter()
        .map(|way| way["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"ciphered") && names.contains(&"compressed"),
        "{names:?}"
    );
    assert_eq!(run["output"]["redaction"], "best-effort");
}
