//! Walks the clauses of a statement and tells, for each query in it, which tables it names and
//! how often it compares or inserts a column.

use crate::tidy::sql_words::Word;

/// One query: a statement, or a query inside one.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) tables: Vec<String>,
    /// How often the column is compared, joined on, or stands in an insert's column list.
    pub(super) mentions: usize,
    /// A table's name is not written out.
    pub(super) interpolated: bool,
}

/// Where in a statement the walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clause {
    /// A table's name comes next.
    Table(Target),
    From,
    InsertedTable,
    /// Conditions: what is compared here scopes the query.
    Condition,
    InsertColumns,
    Other,
}

/// What a table's name stands after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    From,
    Insert,
    Update,
}

/// The queries in a statement, innermost first. Definitions (of tables, indexes) hold none.
pub(super) fn scopes(words: &[Word], column: &str) -> Vec<Scope> {
    if is_definition(words) {
        return Vec::new();
    }
    let mut walk = Walk {
        column,
        level: Level::new(Clause::Other),
        around: Vec::new(),
        done: Vec::new(),
    };
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        walk.step(word, before, words.get(at + 1));
    }
    while !walk.around.is_empty() {
        walk.leave();
    }
    walk.finish_query();
    walk.done
}

fn is_definition(words: &[Word]) -> bool {
    let opens = |names: &[&str]| words.first().is_some_and(|word| word.is_one_of(names));
    let holds_queries = words
        .iter()
        .take(4)
        .any(|word| word.is_one_of(&["trigger", "view"]));
    opens(&["alter", "drop", "pragma"]) || (opens(&["create"]) && !holds_queries)
}

struct Walk<'c> {
    column: &'c str,
    /// The parentheses the walk is in, or the statement itself.
    level: Level,
    /// The levels around it, outermost first.
    around: Vec<Level>,
    done: Vec<Scope>,
}

struct Level {
    clause: Clause,
    scope: Scope,
    /// A verb was seen: the level is a query of its own, not a part of the one around it.
    query: bool,
}

impl Level {
    fn new(clause: Clause) -> Self {
        Self {
            clause,
            scope: Scope::default(),
            query: false,
        }
    }
}

impl Walk<'_> {
    fn step(&mut self, word: &Word, before: Option<&Word>, after: Option<&Word>) {
        match word {
            Word::Mark('(') => self.enter(),
            Word::Mark(')') => self.leave(),
            Word::Mark(',') if self.level.clause == Clause::From => {
                self.level.clause = Clause::Table(Target::From);
            }
            Word::Hole => self.hole(),
            // The first half of `main.turn` is not the table's name.
            Word::Name(name) if after != Some(&Word::Mark('.')) => {
                self.name(name, before, after);
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &str, before: Option<&Word>, after: Option<&Word>) {
        let then = |names: &[&str]| after.is_some_and(|word| word.is_one_of(names));
        match name {
            "select" => self.begin_query(Clause::Other),
            "insert" | "delete" | "replace" if then(&["into", "from", "or"]) => {
                self.begin_query(Clause::Other);
            }
            "update" if !then(&["of", "on", "set"]) => {
                self.begin_query(Clause::Table(Target::Update));
            }
            "from" if before.is_some_and(|word| word.is("distinct")) => {}
            "from" | "join" => self.level.clause = Clause::Table(Target::From),
            "into" => self.level.clause = Clause::Table(Target::Insert),
            "where" | "having" | "using" => self.level.clause = Clause::Condition,
            "on" if !then(&["conflict"]) => self.level.clause = Clause::Condition,
            "set" | "values" | "order" | "group" | "limit" | "returning" | "conflict" => {
                self.level.clause = Clause::Other;
            }
            // `UPDATE OR IGNORE turn`: still before the table.
            "or" | "ignore" | "replace" | "abort" | "fail" | "rollback" => {}
            _ => self.plain_name(name),
        }
    }

    fn plain_name(&mut self, name: &str) {
        match self.level.clause {
            Clause::Table(target) => {
                self.level.scope.tables.push(name.to_owned());
                self.level.clause = match target {
                    Target::From => Clause::From,
                    Target::Insert => Clause::InsertedTable,
                    Target::Update => Clause::Other,
                };
            }
            Clause::Condition | Clause::InsertColumns if name == self.column => {
                self.level.scope.mentions += 1;
            }
            _ => {}
        }
    }

    fn hole(&mut self) {
        if matches!(self.level.clause, Clause::Table(_)) {
            self.level.scope.interpolated = true;
            self.level.clause = Clause::From;
        }
    }

    fn enter(&mut self) {
        let inside = match self.level.clause {
            Clause::InsertedTable => Clause::InsertColumns,
            Clause::Condition => Clause::Condition,
            // `FROM (a JOIN b …)`; a query in parentheses sets its own clause.
            Clause::Table(_) => {
                self.level.clause = Clause::From;
                Clause::Table(Target::From)
            }
            _ => Clause::Other,
        };
        let outer = std::mem::replace(&mut self.level, Level::new(inside));
        self.around.push(outer);
    }

    fn leave(&mut self) {
        if self.around.is_empty() {
            return;
        }
        if self.level.query {
            self.finish_query();
        }
        if let Some(outer) = self.around.pop() {
            let inner = std::mem::replace(&mut self.level, outer).scope;
            self.level.scope.tables.extend(inner.tables);
            self.level.scope.mentions += inner.mentions;
            self.level.scope.interpolated |= inner.interpolated;
        }
    }

    fn begin_query(&mut self, clause: Clause) {
        self.finish_query();
        self.level.query = true;
        self.level.clause = clause;
    }

    fn finish_query(&mut self) {
        let scope = std::mem::take(&mut self.level.scope);
        if !scope.tables.is_empty() || scope.interpolated {
            self.done.push(scope);
        }
    }
}
