//! A new statement among those that are there: repeated, replaced or contradicted.

use skep_authz::CanWrite;
use skep_domain::{ConflictId, DerivedBy, MemoryId, MemoryState};
use skep_memory::{Relation, Statement, relation, topics};
use skep_store::row::ConflictRow;
use skep_store::{Kept, Memory, NewMemory, StoreError, Tx, Writer};

use crate::App;

/// What became of a new statement.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) kept: Kept,
    /// Whose place it took.
    pub(crate) superseded: Vec<MemoryId>,
    /// What it stands against.
    pub(crate) conflicts: Vec<ConflictId>,
}

/// A known memory that a new one says something about.
struct Related {
    known: MemoryId,
    relation: Relation,
    /// The known one holds from later on: a history may be read after what came of it.
    known_is_newer: bool,
}

/// In the history of what was replaced.
const REPLACED: &str = "a newer statement took its place";
/// In the history of what a model had put into other words.
const SAID_ITSELF: &str = "it was said in so many words";

impl App {
    /// Keeps a statement. A near copy of a known one is not kept again but vouches for it; what it
    /// corrects leaves recall; what it contradicts waits for somebody to say which one holds.
    pub(crate) async fn keep_statement<P: CanWrite>(
        &self,
        tx: &mut Tx<P>,
        writer: &Writer,
        mut new: NewMemory,
    ) -> Result<Settled, StoreError> {
        new.topics = topics(&new.body.text);
        let related = if new.state == MemoryState::Active {
            tx.list_related(writer, &new).await?
        } else {
            Vec::new()
        };
        let copies = |known: &&Memory| is_copy(known, writer, &new);
        let (outdone, others): (Vec<&Memory>, Vec<&Memory>) = related
            .iter()
            .partition(|known| copies(known) && outdoes(&new, known));
        if let Some(copy) = others.iter().find(|known| copies(known)) {
            tx.confirm(writer, copy.id, &new).await?;
            return Ok(Settled::only(Kept::Known(copy.id)));
        }
        let outdone: Vec<MemoryId> = outdone.iter().map(|known| known.id).collect();
        let related: Vec<Related> = others.iter().map(|known| judge(known, &new)).collect();
        let mut settled = Settled::only(tx.put_memory_for(writer, new).await?);
        if let Kept::New(id) = settled.kept {
            let at = self.store.now();
            for known in outdone {
                if tx.supersede(writer, (known, id), SAID_ITSELF, at).await? {
                    settled.superseded.push(known);
                }
            }
            for other in related {
                self.settle(tx, writer, (id, &other), &mut settled).await?;
            }
        }
        Ok(settled)
    }

    async fn settle<P: CanWrite>(
        &self,
        tx: &mut Tx<P>,
        writer: &Writer,
        (id, other): (MemoryId, &Related),
        settled: &mut Settled,
    ) -> Result<(), StoreError> {
        let (older, newer) = if other.known_is_newer {
            (id, other.known)
        } else {
            (other.known, id)
        };
        let at = self.store.now();
        match other.relation {
            Relation::Unrelated | Relation::Duplicate => return Ok(()),
            Relation::Supersedes => {
                let pair = (older, newer);
                if tx.supersede(writer, pair, REPLACED, at).await? {
                    settled.superseded.push(older);
                    return Ok(());
                }
            }
            Relation::Contradicts => {}
        }
        let row = ConflictRow {
            id: self.store.mint(),
            older,
            newer,
            found_at: at,
            resolved: None,
        };
        if tx.put_conflict(row).await? {
            settled.conflicts.push(row.id);
        }
        Ok(())
    }
}

impl Settled {
    fn only(kept: Kept) -> Self {
        Self {
            kept,
            superseded: Vec::new(),
            conflicts: Vec::new(),
        }
    }
}

/// Whether the same writer said it already to the same readers, in other words.
fn is_copy(known: &Memory, writer: &Writer, new: &NewMemory) -> bool {
    known.owner == writer.owner()
        && known.visibility == new.visibility
        && judge(known, new).relation == Relation::Duplicate
}

/// Whether a statement takes the place of its own near copy: what a model put into its own words
/// gives way to who said it, or else the model's words would be vouched for with theirs.
fn outdoes(new: &NewMemory, known: &Memory) -> bool {
    known.body.derived_by == DerivedBy::Model
        && new.body.derived_by != DerivedBy::Model
        && new.trust >= known.trust
}

fn judge(known: &Memory, new: &NewMemory) -> Related {
    let known_is_newer = known.validity.from > new.validity.from;
    let (known_statement, new_statement) = (
        Statement {
            text: &known.body.text,
            trust: known.trust,
            valid_from: known.validity.from,
        },
        Statement {
            text: &new.body.text,
            trust: new.trust,
            valid_from: new.validity.from,
        },
    );
    let relation = if known_is_newer {
        relation(&new_statement, &known_statement)
    } else {
        relation(&known_statement, &new_statement)
    };
    Related {
        known: known.id,
        relation,
        known_is_newer,
    }
}
