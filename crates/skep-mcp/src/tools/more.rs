//! What only the full profile shows.

use skep_api::RouteId;
use skep_api::access::Whoami;
use skep_api::ontology::{RelationRequest, RelationResponse};
use skep_api::page::Page;
use skep_api::review::Conflict;
use skep_memory::{Room, escaped};

use super::{Answer, Trouble, asked, within};
use crate::arguments;
use crate::daemon::{Ask, Daemon};
use crate::frame::{Shown, framed};
use crate::view::{Asker, Known, KnownRelation, NOTICE, Naming, Note, Pair, Pairs, source};

/// Both sides of fifty pairs.
const PAIRS: Room = Room {
    bytes: 40_000,
    tokens: 8_000,
};
/// Memories and names of one name, of each.
const OF_A_NAME: usize = 30;

pub(super) async fn conflicts(
    daemon: &impl Daemon,
    wanted: arguments::Conflicts,
) -> Result<Answer, Trouble> {
    let limit = within("limit", wanted.limit, 10, (1, 50))?;
    let ask = Ask::of(RouteId::ConflictList).with("limit", Some(limit));
    let page: Page<Conflict> = asked(daemon, ask).await?;
    let shown: Vec<Shown<'_>> = page
        .items
        .iter()
        .flat_map(|pair| {
            let side = |memory| {
                let source = format!("{}, {}", pair.id, source(memory));
                Shown::of(memory, &memory.key, source)
            };
            [side(&pair.older), side(&pair.newer)]
        })
        .collect();
    let text = if shown.is_empty() {
        "No two memories contradict each other, as far as the rules see.".to_owned()
    } else {
        framed(&shown, PAIRS, &mut || daemon.nonce()).text
    };
    let pairs = page.items.into_iter().map(|pair| Pair {
        older: Note::of(&pair.older, &pair.older.key),
        newer: Note::of(&pair.newer, &pair.newer.key),
        id: pair.id,
        resolution: pair.resolution,
    });
    let told = Pairs {
        notice: NOTICE,
        conflicts: pairs.collect(),
    };
    Answer::new(text, &told)
}

pub(super) async fn relations(
    daemon: &impl Daemon,
    wanted: arguments::Name,
) -> Result<Answer, Trouble> {
    let request = RelationRequest { name: wanted.name };
    let found: RelationResponse =
        asked(daemon, Ask::of(RouteId::RelationList).body(&request)?).await?;
    let namings = &found.memories[..found.memories.len().min(OF_A_NAME)];
    let related = &found.relations[..found.relations.len().min(OF_A_NAME)];
    let mut shown: Vec<Shown<'_>> = namings.iter().map(line).collect();
    let provenance = |relation: &'_ skep_api::ontology::Relation| {
        relation.provenance.first().cloned().unwrap_or_default()
    };
    let ids: Vec<String> = related.iter().map(provenance).collect();
    shown.extend(related.iter().zip(&ids).map(|(relation, id)| Shown {
        id,
        kind: "reference",
        trust: "tool",
        source: format!("{} by {} memories", relation.relation, relation.memories),
        text: &relation.name,
    }));
    let text = if shown.is_empty() {
        "No memory speaks of that name.".to_owned()
    } else {
        framed(&shown, PAIRS, &mut || daemon.nonce()).text
    };
    let told = Known {
        notice: NOTICE,
        memories: namings
            .iter()
            .map(|naming| Naming {
                id: naming.id.clone(),
                text: escaped(&naming.key),
            })
            .collect(),
        relations: related
            .iter()
            .map(|relation| KnownRelation {
                name: escaped(&relation.name),
                kind: relation.kind.clone(),
                relation: relation.relation.clone(),
                memories: relation.memories,
            })
            .collect(),
    };
    Answer::new(text, &told)
}

fn line(naming: &skep_api::ontology::Naming) -> Shown<'_> {
    Shown {
        id: &naming.id,
        kind: "reference",
        trust: "external",
        source: "memory".into(),
        text: &naming.key,
    }
}

pub(super) async fn whoami(
    daemon: &impl Daemon,
    _nothing: arguments::Nothing,
) -> Result<Answer, Trouble> {
    let who: Whoami = asked(daemon, Ask::of(RouteId::Whoami)).await?;
    let text = format!(
        "{} in workspace {} of {}, as {}. May: {}.",
        who.principal,
        who.workspace,
        who.organization,
        who.role,
        who.permissions.join(", ")
    );
    let told = Asker {
        principal: who.principal,
        workspace: who.workspace,
        role: who.role,
        permissions: who.permissions,
    };
    Answer::new(text, &told)
}
