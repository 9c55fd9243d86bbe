//! Guessing at the codes that devices show, against a model of the rule: a code that waits is dead at
//! the fifth wrong entry of anybody, and after ten minutes.

use std::sync::Arc;

use skep_app::{App, AppError, DeviceStart, OAuthCode, OAuthError};
use skep_authz::Caller;
use skep_crypto::{Random, SeededRandom};
use skep_test_support::Visitor;

use crate::world::World;

/// Wrong entries that end a code.
const WRONG: u32 = 5;
const LIFE_SECONDS: i64 = 600;

/// A code that somebody's device shows.
struct Shown {
    code: String,
    wrong: u32,
    began: i64,
}

struct Attack {
    world: World,
    app: Arc<App>,
    caller: Caller,
    random: SeededRandom,
    shown: Vec<Shown>,
    now: i64,
    looked_at: u32,
}

impl Attack {
    async fn new(seed: u64) -> Self {
        let world = World::new().await;
        let app = Arc::new(world.start());
        app.set_issuer("http://127.0.0.1:3850".into());
        let visitor = Visitor::of(&world.store, &world.a).await.unwrap();
        let cookie = visitor.cookie.split_once('=').unwrap().1;
        let caller = app.authenticate_browser(cookie.as_bytes()).await.unwrap();
        Self {
            world,
            app,
            caller,
            random: SeededRandom::new(seed),
            shown: Vec::new(),
            now: 0,
            looked_at: 0,
        }
    }

    fn below(&self, most: u32) -> u32 {
        let random: &dyn Random = &self.random;
        u32::from_be_bytes(random.array()) % most
    }

    /// A device begins, as far as the cap lets it.
    async fn begin(&mut self) {
        let start = DeviceStart {
            client: "skep-cli",
            device: None,
            resource: None,
        };
        let grant = self.app.start_device(start).await.unwrap();
        self.shown.push(Shown {
            code: grant.user_code,
            wrong: 0,
            began: self.now,
        });
    }

    /// Enters a code, and holds what comes back against the model.
    async fn enter(&mut self, code: &str) {
        let known = self.shown.iter().position(|shown| shown.code == code);
        let waits = known.is_some_and(|at| self.waits(&self.shown[at]));
        let outcome = self.app.review_device(&self.caller, code).await;
        match outcome {
            Ok(_) => assert!(waits, "{code} is dead"),
            Err(OAuthError::Refused { code: why, .. }) => {
                assert!(!waits, "{code} waits");
                assert_eq!(why, OAuthCode::InvalidGrant);
                self.looked_at += 1;
                for shown in &mut self.shown {
                    shown.wrong += 1;
                }
            }
            Err(OAuthError::App(AppError::Denied(denied))) => panic!("{denied}"),
            Err(other) => panic!("{other}"),
        }
    }

    fn waits(&self, shown: &Shown) -> bool {
        shown.wrong < WRONG && self.now < shown.began + LIFE_SECONDS
    }

    /// One step of the attack: mostly a guess, now and then a code that was seen somewhere, a device
    /// that begins, or time that goes by.
    async fn step(&mut self) {
        match self.below(64) {
            0 | 1 => self.begin().await,
            // One of the last four: those before are dead by any count of guesses.
            2..=8 if !self.shown.is_empty() => {
                let back = self.below(self.shown.len().min(4) as u32) as usize;
                let at = self.shown.len() - 1 - back;
                let code = self.shown[at].code.clone();
                self.enter(&code).await;
            }
            9 => {
                let seconds = i64::from(self.below(120));
                self.world.clock.advance_seconds(seconds);
                self.now += seconds;
            }
            _ => {
                let guess = self.guess();
                self.enter(&guess).await;
            }
        }
        // What died stays dead; the last hundred are enough to try that with.
        if self.shown.len() > 200 {
            self.shown.drain(..100);
        }
    }

    fn guess(&self) -> String {
        const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
        let letters = (0..8).map(|_| char::from(LETTERS[self.below(20) as usize]));
        letters.collect()
    }
}

async fn guesses(count: u32) {
    let mut attack = Attack::new(16).await;
    while attack.looked_at < count {
        attack.step().await;
    }
    // Whoever has to wait for the end of the attack is let in like before it.
    attack.begin().await;
    let code = attack.shown.last().unwrap().code.clone();
    attack.enter(&code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_of_two_thousand_guesses_five_are_looked_at_for_each_code() {
    guesses(2_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "each guess is a transaction, so these take minutes"]
async fn a16_of_a_hundred_thousand_guesses_five_are_looked_at_for_each_code() {
    guesses(100_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_a_thousand_codes_wait_and_no_more() {
    let mut attack = Attack::new(17).await;
    let start = DeviceStart {
        client: "skep-cli",
        device: None,
        resource: None,
    };
    for _ in 0..1_000 {
        attack.begin().await;
    }
    let one_more = attack.app.start_device(start).await;
    assert!(matches!(one_more, Err(OAuthError::Unavailable)));
    // They end: nobody keeps others out for longer than a code is remembered.
    attack.world.clock.advance_seconds(2 * LIFE_SECONDS);
    attack.begin().await;
}
