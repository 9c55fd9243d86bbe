//! What a folder shows: two levels, each with its size.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use skep_domain::FilePath;

/// A file as a folder has it.
pub(super) struct Kept {
    pub(super) path: FilePath,
    /// Of its version now.
    pub(super) id: String,
    pub(super) bytes: u64,
}

/// The files and folders up to two levels below a folder. A folder is as large as what is in it.
pub(super) fn listing(given: &str, at: &FilePath, files: &[Kept]) -> String {
    let given = given.strip_suffix('/').unwrap_or(given);
    let mut told = format!(
        "Here're the files and directories up to 2 levels deep in {given}, excluding hidden items and node_modules:"
    );
    let mut sizes: BTreeMap<Vec<&str>, u64> = BTreeMap::from([(Vec::new(), 0)]);
    for file in files {
        let names: Vec<&str> = at
            .below(&file.path)
            .map(|below| below.split('/').collect())
            .unwrap_or_default();
        for depth in 0..=names.len().min(2) {
            *sizes.entry(names[..depth].to_vec()).or_default() += file.bytes;
        }
    }
    for (names, bytes) in sizes {
        // Writing to a String cannot fail.
        let _infallible = write!(told, "\n{}\t{at}", size(bytes));
        for name in names {
            let _infallible = write!(told, "/{name}");
        }
    }
    told
}

/// As people read sizes: `512B`, `5.5K`, `1.2M`.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (bytes * 10 + unit / 2) / unit;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_024 => format!("{bytes}B"),
        1_024..1_048_576 => format!("{}K", tenths(1_024)),
        _ => format!("{}M", tenths(1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::FilePath;

    use super::{Kept, listing, size};

    fn kept(path: &str, bytes: u64) -> Kept {
        Kept {
            path: FilePath::parse(path).unwrap(),
            id: String::new(),
            bytes,
        }
    }

    #[test]
    fn a_folder_shows_two_levels_and_their_sizes() {
        let files = [
            kept("/memories/a.txt", 20),
            kept("/memories/b/c.txt", 5_632),
            kept("/memories/b/d/e.txt", 1),
            kept("/memories/b/d/f/g.txt", 1),
        ];
        let at = FilePath::parse("/memories").unwrap();
        assert_eq!(
            listing("/memories", &at, &files),
            "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and \
             node_modules:\n5.5K\t/memories\n20B\t/memories/a.txt\n5.5K\t/memories/b\n5.5K\t/memories/b/c.txt\n\
             2B\t/memories/b/d"
        );
        assert!(listing("/memories/", &at, &[]).ends_with("node_modules:\n0B\t/memories"));
    }

    #[test]
    fn sizes_are_read_by_people() {
        let sizes = [0, 1_023, 1_024, 5_632, 1_258_291, u64::from(u32::MAX)].map(size);
        assert_eq!(sizes, ["0B", "1023B", "1.0K", "5.5K", "1.2M", "4096.0M"]);
    }
}
