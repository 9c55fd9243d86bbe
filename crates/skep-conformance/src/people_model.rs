//! Random histories of membership and consent against a naive model: after every step, each reader
//! sees exactly what the model says.

use skep_authz::rights::{MemoryRead, SessionCapture, SessionRead};
use skep_crypto::{Random, SeededRandom};
use skep_domain::{MemoryId, ParticipantId, RingFacts, SessionId, Visibility};
use skep_store::{MemoryFilter, Observed, Tx};

use crate::Harness;
use crate::people::{consent, derive, observe, own};
use crate::sample::{fresh, new_session, new_turn};
use crate::world::{Persona, World};

const STEPS: usize = 160;
const PEOPLE: usize = Persona::ALL.len();

/// Id, owner, pairs of subject and observer.
type Kept = (MemoryId, usize, Vec<(usize, usize)>);

#[derive(Default)]
struct Model {
    /// Author of each turn, per session.
    turns: [Vec<usize>; 2],
    /// Session, who, from, to.
    stays: Vec<(usize, usize, u64, Option<u64>)>,
    /// Subject, observer, given.
    consents: Vec<(usize, Option<usize>, bool)>,
    memories: Vec<Kept>,
}

impl Model {
    /// The second session is the colleague's own, the first is shared with the workspace.
    fn owner(session: usize) -> usize {
        [Persona::Human as usize, Persona::Colleague as usize][session]
    }

    fn sees_turn(&self, reader: usize, session: usize, ordinal: u64) -> bool {
        if reader == Self::owner(session) {
            return true;
        }
        let mut members = self
            .stays
            .iter()
            .filter(|stay| stay.0 == session)
            .peekable();
        if members.peek().is_none() {
            let facts = RingFacts {
                owner: Persona::ALL[Self::owner(session)].principal(),
                owner_group: None,
                visibility: Visibility::Workspace,
                project: None,
            };
            return Persona::ALL[reader].ring().allows(&facts);
        }
        members.any(|stay| {
            stay.1 == reader && stay.2 <= ordinal && stay.3.is_none_or(|to| ordinal < to)
        })
    }

    fn consents(&self, subject: usize, observer: usize) -> bool {
        let mut given = false;
        for entry in &self.consents {
            if entry.0 == subject && (entry.1.is_none() || entry.1 == Some(observer)) {
                given = entry.2;
            }
        }
        given
    }

    fn sees_memory(&self, reader: usize, memory: &Kept) -> bool {
        let facts = RingFacts {
            owner: Persona::ALL[memory.1].principal(),
            owner_group: Persona::ALL[memory.1].ring().group(),
            visibility: Visibility::Workspace,
            project: None,
        };
        Persona::ALL[reader].ring().allows(&facts)
            && memory.2.iter().all(|pair| self.consents(pair.0, pair.1))
    }
}

struct Stage<H> {
    world: World<H>,
    people: Vec<ParticipantId>,
    sessions: [SessionId; 2],
    random: SeededRandom,
    model: Model,
}

pub(crate) async fn t12_windows_and_consent_agree_with_a_naive_model<H: Harness>() {
    let world = World::<H>::new().await;
    let mut people = Vec::new();
    for persona in Persona::ALL {
        people.push(own(&world, &world.ours, persona).await);
    }
    let mut sessions = Vec::new();
    for owner in [Persona::Human, Persona::Colleague] {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, owner).await;
        let new = new_session(world.store(), "meeting");
        sessions.push(tx.put_session(&new).await.unwrap());
        tx.commit().await.unwrap();
    }
    let mut stage = Stage {
        world,
        people,
        sessions: [sessions[0], sessions[1]],
        random: SeededRandom::new(12),
        model: Model::default(),
    };
    let mut shown = (0, 0);
    for step in 0..STEPS {
        stage.step(step).await;
        let (seen, hidden) = stage.compare(step).await;
        shown = (shown.0 + seen, shown.1 + hidden);
    }
    let share = shown.0 * 100 / (shown.0 + shown.1);
    assert!((15..85).contains(&share), "{share} % shown: a lame sample");
}

impl<H: Harness> Stage<H> {
    fn draw(&self, bound: usize) -> usize {
        let random: &dyn Random = &self.random;
        usize::from(random.array::<1>()[0]) % bound
    }

    async fn step(&mut self, step: usize) {
        match self.draw(12) {
            0..3 => self.say(step).await,
            3..5 => self.join().await,
            5 => self.leave().await,
            6..9 => self.consent().await,
            9..11 => self.observe(step).await,
            _ => self.derive(step).await,
        }
    }

    async fn say(&mut self, step: usize) {
        let (session, author) = (self.draw(2), self.draw(PEOPLE));
        let mut turn = new_turn(self.world.store(), &format!("e-{step}"));
        turn.author = Some(self.people[author]);
        let mut tx: Tx<SessionCapture> = self.world.begin(&self.world.ours, Persona::Human).await;
        tx.append_turns(self.sessions[session], &[turn])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.model.turns[session].push(author);
    }

    async fn join(&mut self) {
        let (session, who) = (self.draw(2), self.draw(PEOPLE));
        let from = self.draw(self.model.turns[session].len() + 1) as u64;
        let is_in = |stay: &(usize, usize, u64, Option<u64>)| {
            (stay.0, stay.1, stay.3) == (session, who, None)
        };
        let expected = !self.model.stays.iter().any(is_in);
        let mut tx: Tx<SessionCapture> = self.world.begin(&self.world.ours, Persona::Human).await;
        let now = self.world.store().now();
        let opened = tx.open_window(self.sessions[session], self.people[who], from, now);
        assert_eq!(opened.await.unwrap(), expected);
        tx.commit().await.unwrap();
        if expected {
            self.model.stays.push((session, who, from, None));
        }
    }

    async fn leave(&mut self) {
        let (session, who) = (self.draw(2), self.draw(PEOPLE));
        let to = self.draw(self.model.turns[session].len() + 1) as u64;
        let mut tx: Tx<SessionCapture> = self.world.begin(&self.world.ours, Persona::Human).await;
        let now = self.world.store().now();
        let closed = tx.close_window(self.sessions[session], self.people[who], to, now);
        let closed = closed.await.unwrap();
        tx.commit().await.unwrap();
        let stay = self
            .model
            .stays
            .iter_mut()
            .find(|stay| (stay.0, stay.1, stay.3) == (session, who, None));
        assert_eq!(closed, stay.is_some());
        if let Some(stay) = stay {
            stay.3 = Some(to.max(stay.2));
        }
    }

    async fn consent(&mut self) {
        let (subject, given) = (self.draw(PEOPLE), self.draw(3) > 0);
        let observer = (self.draw(2) == 0).then(|| self.draw(PEOPLE));
        let by = observer.map(|observer| self.people[observer]);
        consent(&self.world, self.people[subject], by, given).await;
        self.model.consents.push((subject, observer, given));
    }

    async fn observe(&mut self, step: usize) {
        let (subject, observer) = (self.draw(PEOPLE), self.draw(PEOPLE));
        let seen_as = Observed {
            subject: self.people[subject],
            observer: self.people[observer],
        };
        let text = format!("statement {step}");
        let id = observe(&self.world, Persona::ALL[observer], seen_as, &text).await;
        let pairs = vec![(subject, observer)];
        self.model.memories.push((id, observer, pairs));
    }

    async fn derive(&mut self, step: usize) {
        let owner = self.draw(PEOPLE);
        let isolated = Persona::ALL[owner].principal();
        let (mut parents, mut pairs) = (Vec::new(), Vec::new());
        for memory in &self.model.memories {
            // An agent builds on its own memories; a human on what a human reads.
            let own = Persona::ALL[memory.1].principal() == isolated || owner < 2;
            if parents.len() < 2 && own && self.model.sees_memory(owner, memory) {
                parents.push(memory.0);
                pairs.extend(memory.2.iter().copied());
            }
        }
        let text = format!("conclusion {step}");
        let kept = derive(&self.world, Persona::ALL[owner], &parents, &text).await;
        self.model
            .memories
            .push((fresh(kept.unwrap()), owner, pairs));
    }

    async fn compare(&self, step: usize) -> (usize, usize) {
        let mut shown = (0, 0);
        let ids: Vec<MemoryId> = self.model.memories.iter().map(|one| one.0).collect();
        for (reader, persona) in Persona::ALL.iter().enumerate() {
            let mut tx: Tx<SessionRead> = self.world.begin(&self.world.ours, *persona).await;
            for (at, session) in self.sessions.iter().enumerate() {
                let authors = self.model.turns[at].iter().enumerate();
                let expected: Vec<(u64, ParticipantId)> = authors
                    .map(|(ordinal, author)| (ordinal as u64, self.people[*author]))
                    .filter(|(ordinal, _)| self.model.sees_turn(reader, at, *ordinal))
                    .collect();
                let turns = tx.list_turns(*session, 0, 200).await.unwrap();
                let seen: Vec<(u64, ParticipantId)> = turns
                    .iter()
                    .map(|turn| (turn.ordinal, turn.turn.author.unwrap()))
                    .collect();
                assert_eq!(seen, expected, "step {step}, {persona:?}, session {at}");
                shown.0 += seen.len();
                shown.1 += self.model.turns[at].len() - seen.len();
            }
            let mut tx: Tx<MemoryRead> = self.world.begin(&self.world.ours, *persona).await;
            let visible = tx.authorize(&ids, &MemoryFilter::default()).await.unwrap();
            let seen: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
            let memories = self.model.memories.iter();
            let expected: Vec<MemoryId> = memories
                .filter(|memory| self.model.sees_memory(reader, memory))
                .map(|memory| memory.0)
                .collect();
            assert_eq!(seen, expected, "step {step}, {persona:?}");
            shown.0 += seen.len();
            shown.1 += ids.len() - seen.len();
        }
        shown
    }
}
