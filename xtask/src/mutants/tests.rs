//! Rows, how they are woven, and whether the checked-in ones fit.

use super::runner::first_red;
use super::table::{self, Mutant};
use super::weave::{place, replaced, switched};
use crate::tree;

fn row(name: &str, find: &str, replace: &str) -> Mutant {
    Mutant {
        name: name.into(),
        file: "a.rs".into(),
        find: find.into(),
        replace: replace.into(),
        package: "a".into(),
        filter: "all()".into(),
        apart: false,
        table: String::new(),
    }
}

const TEXT: &str = "fn f() {\n    check(a)?;\n    a == b && c == d\n}\n// a == b\n";

#[test]
fn a_row_fits_only_where_its_text_stands_once() {
    let table = [
        ("c == d", Ok(38..44)),
        ("«a == b» && c", Ok(28..34)),
        ("a == b", Err("its text is there 2 times")),
        ("x == y", Err("its text is not there")),
        ("«a == b", Err("one « and one » mark what is replaced")),
        ("»a == b«", Err("« comes before »")),
    ];
    for (find, expected) in table {
        let expected = expected.map_err(str::to_owned);
        let found = place(&row("m", find, ""), TEXT);
        assert_eq!(found, expected, "{find}");
    }
    assert!(place(&row("m", "", ""), TEXT).is_err());
}

#[test]
fn rows_are_switches_and_rows_on_one_piece_share_it() {
    let [one, two] = [row("one", "c == d", "true"), row("two", "c == d", "false")];
    let gone = row("gone", "    «check(a)?;»\n", "");
    let woven = switched(TEXT, &[&one, &gone, &two]).unwrap();
    let on = |name: &str| {
        format!("if std::env::var_os(\"SKEP_MUTANT\").is_some_and(|on| on == \"{name}\")")
    };
    let expected = format!(
        "fn f() {{\n    {} {{  }} else {{ check(a)?; }}\n    a == b && ({} {{ true }} else {} {{ false }} else {{ c == d }})\n}}\n// a == b\n",
        on("gone"),
        on("one"),
        on("two")
    );
    assert_eq!(woven, expected);
}

#[test]
fn a_row_inside_another_is_refused_and_one_apart_stands_for_good() {
    let outer = row("outer", "a == b && c == d", "true");
    let inner = row("inner", "c == d", "true");
    let refused = switched(TEXT, &[&inner, &outer]).unwrap_err();
    assert!(refused.to_string().contains("`outer` holds another"));
    assert!(replaced(TEXT, &inner).unwrap().contains("a == b && true"));
}

#[test]
fn the_test_that_noticed_is_named() {
    let said = "    Starting 3 tests\n        PASS [ 0.1s] a::it one\n        FAIL [   0.2s] (2/3) a::it oauth::two\n     TIMEOUT [ 60s] a::it three\n";
    assert_eq!(first_red(said), "oauth::two");
    assert_eq!(first_red("nothing"), "a test");
}

#[test]
fn each_attack_on_access_has_a_mutant_and_each_row_fits() {
    let root = tree::root().unwrap();
    let problems = super::check(&root).unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    let rows = table::read(&root).unwrap();
    for attack in (1..=20).map(|n| format!("a{n:02}-")) {
        let covered = rows.iter().any(|row| row.name.starts_with(&attack));
        assert!(covered, "{attack}");
    }
}
