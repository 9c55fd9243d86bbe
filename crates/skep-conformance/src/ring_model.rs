//! A million random decisions of the store, each beside the reference model of the ring.

use skep_authz::rights::{MemoryRead, SessionCapture};
use skep_crypto::{InstallToken, Plain, Random, SeededRandom};
use skep_domain::{
    AgentId, Id, MemoryId, MemoryKind, MemoryState, OrganizationId, PolicyGroupId, Principal,
    ReadPolicy, Reader, ReadingRing, RingFacts, Role, UserId, Visibility, WorkspaceId,
};
use skep_store::{MemoryFilter, NewCredential, NewWorkspace, PageOf, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory};
use crate::world::{World, parse};

/// Readers, memories: their product is the number of cases.
const READERS: usize = 100;
const MEMORIES: usize = 10_000;
/// What one statement authorizes.
const CANDIDATES: usize = 200;
/// Ids of humans and of agents are drawn from as many values, the same for both kinds, so that a
/// store which forgets the kind is caught.
const IDS: u8 = 60;
const GROUPS: u8 = 4;

/// Somebody who owns and reads.
struct Member {
    principal: Principal,
    ring: ReadingRing,
    token: Plain<String>,
}

/// A memory and what the model needs to know of it.
struct Row {
    id: MemoryId,
    facts: RingFacts,
    kind: MemoryKind,
    state: MemoryState,
}

impl Row {
    fn is_for(&self, ring: &ReadingRing, filter: &MemoryFilter) -> bool {
        let fits = filter.kinds.is_empty() || filter.kinds.contains(&self.kind);
        ring.allows(&self.facts) && self.state.is_recallable() && fits
    }
}

pub(crate) async fn t10_a_million_random_decisions_agree_with_the_model<H: Harness>() {
    let world = World::<H>::new().await;
    let seeded = SeededRandom::new(0x710);
    let random: &dyn Random = &seeded;
    let members = put_members(&world, random).await;
    let rows = put_memories(&world, random, &members).await;
    let mut passed = 0;
    for member in &members {
        passed += check_candidates(&world, random, member, &rows).await;
        check_listing(&world, member, &rows).await;
    }
    let share = passed * 100 / (READERS * MEMORIES);
    assert!((10..60).contains(&share), "{share} % pass: a lame sample");
}

/// A workspace of its own, with a hundred members of every policy.
async fn put_members<H: Harness>(world: &World<H>, random: &dyn Random) -> Vec<Member> {
    let members: Vec<Member> = (0..READERS).map(|n| member(n, random)).collect();
    let credentials = members.iter().map(|member| NewCredential {
        key: world.store().token_credential(&parse(&member.token)),
        principal: member.principal,
        role: Role::Operator,
        policy: match member.ring.reader() {
            Reader::Agent(_, policy) => policy,
            Reader::Human(_) | Reader::Nobody => ReadPolicy::Isolated,
        },
    });
    let new = NewWorkspace {
        organization: OrganizationId::from_bytes(random.array()),
        workspace: WorkspaceId::from_bytes(random.array()),
        name: "default".into(),
        credentials: credentials.collect(),
    };
    world.store().put_workspace(new).await.unwrap();
    members
}

fn member(n: usize, random: &dyn Random) -> Member {
    let bytes = [u8::try_from(n).unwrap() % IDS; 16];
    let (principal, reader) = if n < usize::from(IDS) {
        let agent = AgentId::from_bytes(bytes);
        let policy = match draw(random, 4) {
            0 => ReadPolicy::Isolated,
            1 => ReadPolicy::Shared,
            _ => ReadPolicy::Group(PolicyGroupId([draw(random, GROUPS); 16])),
        };
        (Principal::Agent(agent), Reader::Agent(agent, policy))
    } else {
        let user = UserId::from_bytes(bytes);
        (Principal::User(user), Reader::Human(user))
    };
    Member {
        principal,
        ring: ReadingRing::new(reader),
        token: InstallToken::mint(random).text(),
    }
}

/// Each member writes its share, in a transaction of its own.
async fn put_memories<H: Harness>(
    world: &World<H>,
    random: &dyn Random,
    members: &[Member],
) -> Vec<Row> {
    let mut rows = Vec::with_capacity(MEMORIES);
    for (n, member) in members.iter().enumerate() {
        let mut tx: Tx<SessionCapture> = world.begin_with(&member.token).await;
        for m in 0..MEMORIES / READERS {
            let mut memory = new_memory(world.store(), &format!("{n} {m}"));
            memory.kind = MemoryKind::ALL[usize::from(draw(random, 7))];
            memory.visibility = Visibility::ALL[usize::from(draw(random, 3))];
            if draw(random, 5) == 0 {
                memory.state = MemoryState::Quarantined;
            }
            let facts = RingFacts {
                owner: member.principal,
                owner_group: member.ring.group(),
                visibility: memory.visibility,
                project: None,
            };
            let (kind, state) = (memory.kind, memory.state);
            let id = fresh(tx.put_memory(memory).await.unwrap());
            rows.push(Row {
                id,
                facts,
                kind,
                state,
            });
        }
        tx.commit().await.unwrap();
    }
    rows
}

/// Every memory as a candidate of this reader, in chunks, each with a filter of its own.
async fn check_candidates<H: Harness>(
    world: &World<H>,
    random: &dyn Random,
    member: &Member,
    rows: &[Row],
) -> usize {
    let mut passed = 0;
    let mut tx: Tx<MemoryRead> = world.begin_with(&member.token).await;
    for chunk in rows.chunks(CANDIDATES) {
        let filter = MemoryFilter {
            kinds: match draw(random, 3) {
                0 => vec![MemoryKind::ALL[usize::from(draw(random, 7))]],
                _ => Vec::new(),
            },
            ..MemoryFilter::default()
        };
        let ids: Vec<MemoryId> = chunk.iter().map(|row| row.id).collect();
        let visible = tx.authorize(&ids, &filter).await.unwrap();
        let seen: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
        let expected = chunk.iter().filter(|row| row.is_for(&member.ring, &filter));
        let expected: Vec<MemoryId> = expected.map(|row| row.id).collect();
        assert_eq!(seen, expected, "{:?} with {filter:?}", member.ring);
        passed += seen.len();
    }
    passed
}

/// The first pages of the listing hold the newest that the model allows, and nothing else.
async fn check_listing<H: Harness>(world: &World<H>, member: &Member, rows: &[Row]) {
    let filter = MemoryFilter::default();
    let mut tx: Tx<MemoryRead> = world.begin_with(&member.token).await;
    let newest = rows.iter().rev();
    let expected: Vec<MemoryId> = newest
        .filter(|row| row.is_for(&member.ring, &filter))
        .map(|row| row.id)
        .collect();
    let mut before = None;
    for expected in expected.chunks(20).take(2) {
        let page = PageOf { limit: 20, before };
        let listed = tx.list_memories(&filter, page).await.unwrap();
        let listed: Vec<MemoryId> = listed.iter().map(|memory| memory.id).collect();
        assert_eq!(listed, expected, "{:?}", member.ring);
        let facts = tx.list_memory_facts(&filter, page).await.unwrap();
        let facts: Vec<MemoryId> = facts.iter().map(|facts| facts.id).collect();
        assert_eq!(facts, expected, "facts for {:?}", member.ring);
        before = listed.last().copied();
    }
}

fn draw(random: &dyn Random, bound: u8) -> u8 {
    random.array::<1>()[0] % bound
}
