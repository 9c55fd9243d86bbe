//! Rows put into the text of a file.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, ensure};

use super::table::Mutant;

/// Which mutant is on.
pub(super) const SWITCH: &str = "SKEP_MUTANT";

/// Where the piece is that a row replaces.
///
/// # Errors
/// When the text of the row does not stand there exactly once.
pub(super) fn place(row: &Mutant, text: &str) -> Result<Range<usize>, String> {
    let find = row.find.trim_matches('\n');
    let (before, piece, after) = match (find.split_once('«'), find.matches(['«', '»']).count()) {
        (None, 0) => ("", find, ""),
        (Some((before, rest)), 2) => {
            let (piece, after) = rest.split_once('»').ok_or("« comes before »")?;
            (before, piece, after)
        }
        _ => return Err("one « and one » mark what is replaced".into()),
    };
    let whole = format!("{before}{piece}{after}");
    let mut found = text.match_indices(&whole);
    match (found.next(), found.count()) {
        (Some((at, _)), 0) if !whole.is_empty() => {
            let start = at + before.len();
            Ok(start..start + piece.len())
        }
        (None, _) => Err("its text is not there".into()),
        (Some(_), more) => Err(format!("its text is there {} times", more + 1)),
    }
}

/// The text with every row behind its switch.
pub(super) fn switched(text: &str, rows: &[&Mutant]) -> Result<String> {
    let mut places: BTreeMap<(usize, usize), Vec<&Mutant>> = BTreeMap::new();
    for row in rows {
        let place = place(row, text).map_err(|why| anyhow!("mutant `{}`: {why}", row.name))?;
        places
            .entry((place.start, place.end))
            .or_default()
            .push(row);
    }
    let mut out = text.to_owned();
    let mut free = text.len();
    for ((start, end), rows) in places.iter().rev() {
        let first = rows.first().context("a place has a row")?;
        ensure!(
            *end <= free,
            "mutant `{}` holds another one: mark the same piece in both, or set `apart`",
            first.name
        );
        free = *start;
        out.replace_range(start..end, &either(&text[*start..*end], rows));
    }
    Ok(out)
}

/// The text with one row for good.
pub(super) fn replaced(text: &str, row: &Mutant) -> Result<String> {
    let place = place(row, text).map_err(|why| anyhow!("mutant `{}`: {why}", row.name))?;
    let mut out = text.to_owned();
    out.replace_range(place, &row.replace);
    Ok(out)
}

/// The piece, unless one of the switches is on.
fn either(piece: &str, rows: &[&Mutant]) -> String {
    let mut out = String::new();
    for row in rows {
        out.push_str(&format!(
            "if std::env::var_os(\"{SWITCH}\").is_some_and(|on| on == \"{}\") {{ {} }} else ",
            row.name, row.replace
        ));
    }
    out.push_str(&format!("{{ {piece} }}"));
    let ends = |text: &str| text.trim_end().ends_with([';', '}']);
    let statement = ends(piece)
        && rows
            .iter()
            .all(|row| row.replace.is_empty() || ends(&row.replace));
    if statement { out } else { format!("({out})") }
}
