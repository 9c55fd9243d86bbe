//! A crate's manifest: named like its folder, under the house lints.

use toml::{Table, Value};

use crate::problem::Problem;

/// The one crate whose loops need `unsafe`; it writes the lints out itself.
const OWN_LINTS: &[&str] = &["skep-simd"];

pub(super) fn check(path: &str, text: &str) -> Vec<Problem> {
    let Ok(manifest) = text.parse::<Table>() else {
        return vec![Problem::new(path, "manifest", "is not TOML")];
    };
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut problems = Vec::new();
    if name != folder {
        let message = format!("crate `{name}` lives in folder `{folder}`: give both one name");
        problems.push(Problem::new(path, "manifest", message));
    }
    let lints = manifest.get("lints");
    let ours = lints.and_then(|lints| lints.get("workspace")) == Some(&Value::Boolean(true));
    let argued = OWN_LINTS.contains(&name) && lints.is_some();
    if !ours && !argued {
        let message = "has no `[lints] workspace = true`";
        problems.push(Problem::new(path, "manifest", message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_crate_outside_the_house_lints_is_red() {
        let sound = "[package]\nname = \"skep-a\"\n[lints]\nworkspace = true\n";
        let own = "[package]\nname = \"skep-simd\"\n[lints.rust]\nunsafe_code = \"deny\"\n";
        let table = [
            ("crates/skep-a/Cargo.toml", sound, 0),
            ("crates/skep-b/Cargo.toml", sound, 1),
            (
                "crates/skep-a/Cargo.toml",
                "[package]\nname = \"skep-a\"",
                1,
            ),
            ("crates/skep-simd/Cargo.toml", own, 0),
            (
                "crates/skep-simd/Cargo.toml",
                "[package]\nname = \"skep-simd\"",
                1,
            ),
            ("crates/skep-a/Cargo.toml", "[", 1),
        ];
        for (path, text, count) in table {
            assert_eq!(check(path, text).len(), count, "{path}: {text}");
        }
    }
}
