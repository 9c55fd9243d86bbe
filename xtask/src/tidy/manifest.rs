//! A crate's manifest: named like its folder, under the house lints.

use toml::{Table, Value};

use crate::problem::Problem;

/// Crates that write the lints out, and the one lint in which they may differ.
const OWN_LINTS: &[(&str, &str)] = &[("skep-simd", "unsafe_code")];

/// Checks a crate's manifest against the root's, which holds the house lints.
pub(super) fn check(path: &str, text: &str, root: &str) -> Vec<Problem> {
    let (Ok(manifest), Ok(root)) = (text.parse::<Table>(), root.parse::<Table>()) else {
        return vec![Problem::new(path, "manifest", "is not TOML")];
    };
    let problem = |message: String| Problem::new(path, "manifest", message);
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let name = at(&manifest, &["package", "name"])
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut problems = Vec::new();
    if name != folder {
        let message = format!("crate `{name}` lives in folder `{folder}`: give both one name");
        problems.push(problem(message));
    }
    match OWN_LINTS.iter().find(|(own, _)| *own == name) {
        Some((_, but)) => {
            let drifted = house_lints(&root).filter(|(group, lint, level)| {
                lint != but && at(&manifest, &["lints", group, lint]) != Some(*level)
            });
            problems.extend(drifted.map(|(group, lint, _)| {
                problem(format!(
                    "`{group}.{lint}` differs from the workspace's lints"
                ))
            }));
        }
        None if at(&manifest, &["lints", "workspace"]) == Some(&Value::Boolean(true)) => {}
        None => problems.push(problem("has no `[lints] workspace = true`".to_owned())),
    }
    problems
}

/// Group, name and level of each lint of the workspace.
fn house_lints(root: &Table) -> impl Iterator<Item = (&str, &str, &Value)> {
    let groups = at(root, &["workspace", "lints"]).and_then(Value::as_table);
    groups.into_iter().flatten().flat_map(|(group, lints)| {
        let lints = lints.as_table().into_iter().flatten();
        lints.map(move |(lint, level)| (group.as_str(), lint.as_str(), level))
    })
}

fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::check;

    const ROOT: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nunused = \"deny\"\n";

    #[test]
    fn a_crate_outside_the_house_lints_is_red() {
        let sound = "[package]\nname = \"skep-a\"\n[lints]\nworkspace = true\n";
        let own = "[package]\nname = \"skep-simd\"\n[lints.rust]\n";
        let table = [
            ("crates/skep-a/Cargo.toml", sound.to_owned(), 0),
            ("crates/skep-b/Cargo.toml", sound.to_owned(), 1),
            (
                "crates/skep-a/Cargo.toml",
                "[package]\nname = \"skep-a\"".to_owned(),
                1,
            ),
            ("crates/skep-a/Cargo.toml", "[".to_owned(), 1),
            (
                "crates/skep-simd/Cargo.toml",
                format!("{own}unused = \"deny\""),
                0,
            ),
            (
                "crates/skep-simd/Cargo.toml",
                format!("{own}unused = \"warn\""),
                1,
            ),
            (
                "crates/skep-simd/Cargo.toml",
                format!("{own}unsafe_code = \"deny\""),
                1,
            ),
        ];
        for (path, text, count) in table {
            assert_eq!(check(path, &text, ROOT).len(), count, "{path}: {text}");
        }
    }
}
