//! Statements, written where they are used and listed here.

/// Every module that has statements.
pub(crate) const MODULES: &[&[Statement]] = &[
    crate::answer::STATEMENTS,
    crate::capture::STATEMENTS,
    crate::conflict::STATEMENTS,
    crate::consent::STATEMENTS,
    crate::distil::STATEMENTS,
    crate::distributed::STATEMENTS,
    crate::erase::STATEMENTS,
    crate::guard::STATEMENTS,
    crate::index::STATEMENTS,
    crate::injection::STATEMENTS,
    crate::lease::STATEMENTS,
    crate::member::STATEMENTS,
    crate::memory::STATEMENTS,
    crate::model::STATEMENTS,
    crate::node::STATEMENTS,
    crate::ontology::STATEMENTS,
    crate::participant::STATEMENTS,
    crate::project::STATEMENTS,
    crate::proof::STATEMENTS,
    crate::removal::STATEMENTS,
    crate::review::STATEMENTS,
    crate::rights::STATEMENTS,
    crate::rows::STATEMENTS,
    crate::session::STATEMENTS,
    crate::snapshot::STATEMENTS,
    crate::exec::STATEMENTS,
    crate::skill::STATEMENTS,
    crate::template::STATEMENTS,
    crate::source::STATEMENTS,
    crate::time::STATEMENTS,
    crate::turn::STATEMENTS,
    crate::upkeep::STATEMENTS,
];

/// A statement that a node may send. Made by `statements!` alone, so that none is missed by whoever looks
/// at them all.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// Its module and its own name.
    pub name: &'static str,
    /// What is sent, with `$1` and so on for values.
    pub text: &'static str,
    /// Whether one plan serves all values, which saves up to a millisecond each time: for what goes by keys,
    /// and is read in the same way however large the workspace. Rows that are put in as they come always are.
    pub(crate) is_planned_once: bool,
}

/// Whether it puts rows in as they come: there is one way to do that.
pub(crate) const fn is_plain_insert(text: &str) -> bool {
    begins_at(text, 0, "INSERT INTO") && !holds(text, "SELECT")
}

/// Whether a declaration says just that.
pub(crate) const fn is_word(said: &str, word: &str) -> bool {
    assert!(
        said.len() == word.len() && begins_at(said, 0, word),
        "no such word"
    );
    true
}

const fn holds(text: &str, word: &str) -> bool {
    let mut at = 0;
    while at + word.len() <= text.len() {
        if begins_at(text, at, word) {
            return true;
        }
        at += 1;
    }
    false
}

const fn begins_at(text: &str, at: usize, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let mut offset = 0;
    while offset < word.len() {
        if at + offset >= text.len() || text[at + offset] != word[offset] {
            return false;
        }
        offset += 1;
    }
    true
}

/// Everything that a node may send, but for `BEGIN`, `COMMIT` and `ROLLBACK`.
pub fn all() -> impl Iterator<Item = Statement> {
    MODULES
        .iter()
        .chain(crate::control::ALL)
        .copied()
        .flatten()
        .copied()
        .chain(crate::archive::all())
}

/// Statements of a module, as constants of its own unless they say otherwise, and all of them as `STATEMENTS`.
/// `NAME [once]` is planned once.
macro_rules! statements {
    ($($(#[$doc:meta])* $vis:vis $name:ident $([$once:ident])? = $text:expr;)*) => {
        $($(#[$doc])*
        $vis const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            text: $text,
            is_planned_once: $crate::statement::is_plain_insert($text)
                $(|| $crate::statement::is_word(stringify!($once), "once"))?,
        };)*

        /// For [`$crate::statement::all`].
        pub(crate) const STATEMENTS: &[$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;
