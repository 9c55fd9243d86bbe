//! Statements, written where they are used and known to one test.

/// The text of a statement. Made by [`statements!`] alone, so that none is missed by the test that prepares
/// them all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    /// For whoever has to find it.
    #[cfg(test)]
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
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

/// Statements of a module, as constants, and all of them as `STATEMENTS`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])*
        const $name: $crate::statement::Statement = $crate::statement::Statement {
            #[cfg(test)]
            name: concat!(module_path!(), "::", stringify!($name)),
            text: $text,
            is_planned_once: false,
        };)*

        /// For the test that prepares them.
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;
