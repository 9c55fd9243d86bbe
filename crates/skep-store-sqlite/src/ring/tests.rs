//! The SQL predicate against the reference model, over random rings and rows.

use rusqlite::{Connection, params};
use skep_crypto::{Random, SeededRandom};
use skep_domain::{
    AgentId, Id, PolicyGroupId, Principal, ProjectBounds, ProjectId, ReadPolicy, Reader,
    ReadingRing, RingFacts, UserId, Visibility,
};
use skep_store::backend::RingValues;
use skep_store::column::principal_kind;

/// A few of everything, so that rows and readers meet often; users and agents share bytes, so that
/// a predicate that forgets the kind is caught.
fn draw(random: &dyn Random, bound: u8) -> u8 {
    random.array::<1>()[0] % bound
}

fn bytes(random: &dyn Random) -> [u8; 16] {
    [draw(random, 4); 16]
}

fn principal(random: &dyn Random) -> Principal {
    match draw(random, 2) {
        0 => Principal::User(UserId::from_bytes(bytes(random))),
        _ => Principal::Agent(AgentId::from_bytes(bytes(random))),
    }
}

fn group(random: &dyn Random) -> PolicyGroupId {
    PolicyGroupId([draw(random, 3); 16])
}

fn facts(random: &dyn Random) -> RingFacts {
    RingFacts {
        owner: principal(random),
        owner_group: (draw(random, 3) > 0).then(|| group(random)),
        visibility: Visibility::ALL[usize::from(draw(random, 3))],
        project: (draw(random, 4) > 0).then(|| project(random)),
    }
}

fn project(random: &dyn Random) -> ProjectId {
    ProjectId::from_bytes([draw(random, 4); 16])
}

fn bounds(random: &dyn Random) -> ProjectBounds {
    let count = usize::from(draw(random, 6).saturating_sub(3));
    let projects: Vec<ProjectId> = (0..count).map(|_| project(random)).collect();
    ProjectBounds::only(&projects).unwrap_or_default()
}

fn ring(random: &dyn Random) -> ReadingRing {
    let policy = match draw(random, 3) {
        0 => ReadPolicy::Isolated,
        1 => ReadPolicy::Shared,
        _ => ReadPolicy::Group(group(random)),
    };
    let reader = match draw(random, 9) {
        0 => Reader::Nobody,
        1..4 => Reader::Human(UserId::from_bytes(bytes(random))),
        _ => Reader::Agent(AgentId::from_bytes(bytes(random)), policy),
    };
    ReadingRing::new(reader).within(bounds(random))
}

fn passing(connection: &Connection, ring: &ReadingRing) -> Vec<i64> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT m.n FROM facts AS m WHERE ?1 IS NULL AND ",
        visibility_predicate!("m"),
        " ORDER BY m.n"
    );
    connection
        .prepare_cached(sql)
        .unwrap()
        .query_map(
            params![
                None::<i64>,
                values.kind,
                values.owner,
                values.least,
                values.group,
                values.packed_projects()
            ],
            |row| row.get(0),
        )
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn t10_the_predicate_agrees_with_the_reference() {
    const ROWS: usize = 600;
    const RINGS: usize = 400;
    let seeded = SeededRandom::new(10);
    let random: &dyn Random = &seeded;
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE facts (n INTEGER, owner_kind INTEGER, owner BLOB, owner_group BLOB,
                 visibility INTEGER, project BLOB) STRICT",
        )
        .unwrap();
    let rows: Vec<RingFacts> = (0..ROWS).map(|_| facts(random)).collect();
    let sql = "INSERT INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    for (n, row) in (0_i64..).zip(&rows) {
        connection
            .prepare_cached(sql)
            .unwrap()
            .execute(params![
                n,
                principal_kind(row.owner),
                row.owner.to_bytes(),
                row.owner_group.map(|group| group.0),
                row.visibility.code(),
                row.project.map(ProjectId::to_bytes)
            ])
            .unwrap();
    }
    let mut passed = 0;
    for _ in 0..RINGS {
        let ring = ring(random);
        let expected: Vec<i64> = (0_i64..)
            .zip(&rows)
            .filter(|(_, row)| ring.allows(row))
            .map(|(n, _)| n)
            .collect();
        passed += expected.len();
        assert_eq!(passing(&connection, &ring), expected, "{ring:?}");
    }
    let share = passed * 100 / (ROWS * RINGS);
    assert!((20..80).contains(&share), "{share} % pass: a lame sample");
}

#[test]
fn t10_what_nobody_knows_passes_for_nobody() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE facts (n, owner_kind, owner, owner_group, visibility, project);
             INSERT INTO facts VALUES
                 (1, 7, zeroblob(16), NULL, 0, NULL),
                 (2, 1, zeroblob(16), NULL, 3, NULL),
                 (3, 1, zeroblob(16), NULL, -1, NULL),
                 (4, 1, zeroblob(16), NULL, NULL, NULL)",
        )
        .unwrap();
    let readers = [
        Reader::Human(UserId::from_bytes([0; 16])),
        Reader::Agent(AgentId::from_bytes([9; 16]), ReadPolicy::Shared),
        Reader::Nobody,
    ];
    for reader in readers {
        let passing = passing(&connection, &ReadingRing::new(reader));
        assert_eq!(passing, Vec::<i64>::new(), "{reader:?}");
    }
}
