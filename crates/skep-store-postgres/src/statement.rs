//! Statements, written where they are used and listed here.

/// Every module that has statements.
pub(crate) const MODULES: &[&[Statement]] = &[
    crate::capture::STATEMENTS,
    crate::conflict::STATEMENTS,
    crate::consent::STATEMENTS,
    crate::distil::STATEMENTS,
    crate::distributed::STATEMENTS,
    crate::guard::STATEMENTS,
    crate::index::STATEMENTS,
    crate::injection::STATEMENTS,
    crate::lease::STATEMENTS,
    crate::member::STATEMENTS,
    crate::memory::STATEMENTS,
    crate::model::STATEMENTS,
    crate::ontology::STATEMENTS,
    crate::participant::STATEMENTS,
    crate::project::STATEMENTS,
    crate::removal::STATEMENTS,
    crate::review::STATEMENTS,
    crate::rows::STATEMENTS,
    crate::session::STATEMENTS,
    crate::snapshot::STATEMENTS,
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
    /// Whether one plan serves all values.
    pub(crate) is_planned_once: bool,
}

impl Statement {
    /// Planned once for all values, which saves a millisecond each time: for what goes by ids, and is read in
    /// the same way however large the workspace.
    pub(crate) const fn planned_once(mut self) -> Self {
        self.is_planned_once = true;
        self
    }
}

/// Everything that a node may send, but for `BEGIN`, `COMMIT` and `ROLLBACK`.
pub fn all() -> impl Iterator<Item = Statement> {
    MODULES
        .iter()
        .chain(crate::control::ALL)
        .copied()
        .flatten()
        .copied()
}

/// Statements of a module, as constants, and all of them as `STATEMENTS`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])*
        const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            text: $text,
            is_planned_once: false,
        };)*

        /// For [`$crate::statement::all`].
        pub(crate) const STATEMENTS: &[$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;
