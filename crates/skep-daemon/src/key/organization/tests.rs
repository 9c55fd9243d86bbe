//! A real program that keeps an organization's key and begins to refuse, while the clock is ours.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use skep_app::{App, AppError, Closing, KeyDesk, Question, Remember, Settings};
use skep_domain::{Clock, MemoryKind, Visibility};
use skep_index::StaticEmbedder;
use skep_store::{NotGiven, OrganizationKeeper, Store};
use skep_test_support::{ManualClock, MemoryRootKey, Scratch, StoppedWatch, Tenant, open_store};

use super::Places;
use crate::config::Config;

/// Two organizations, one of which keeps its key behind a program.
struct World {
    scratch: Scratch,
    clock: Arc<ManualClock>,
    store: Arc<Store>,
    app: Arc<App>,
    ours: Tenant,
    theirs: Tenant,
}

/// A program that gives the key while `gives` holds 0, and ends with that status otherwise.
fn configured(home: &Path, every: u32) -> Config {
    let tool = |name: &str, script: &str| {
        let path = home.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path.display().to_string()
    };
    let turn = "tr 'A-Za-z' 'N-ZA-Mn-za-m'";
    let gives = home.join("gives").display().to_string();
    let unwrap = format!(
        "read how < {gives}; [ $how = 0 ] || {{ echo 'no: '$how >&2; exit $how; }}; {turn} | base64 -d"
    );
    let text = format!(
        "[organization_keys.acme]\nprovider = \"command\"\ncommand = [{:?}]\nwrap_command = [{:?}]\n\
         ask_every_seconds = {every}\n",
        tool("unwrap", &unwrap),
        tool("wrap", &format!("base64 | {turn}"))
    );
    Config::parse(&text, &[]).unwrap()
}

impl World {
    async fn new(every: u32) -> Self {
        let scratch = Scratch::new();
        let clock = Arc::new(ManualClock::new());
        let config = configured(scratch.path(), every);
        let (data, root) = (scratch.path().join("data"), MemoryRootKey::new(3));
        let store = open_store(&data, &root, Arc::clone(&clock) as Arc<dyn Clock>);
        let store = store.await.unwrap();
        let store = store.with_organization_keys(Places::of(scratch.path(), &config));
        let store = Arc::new(store);
        let ours = Tenant::create(&store, "alpha").await.unwrap();
        let theirs = Tenant::create(&store, "beta").await.unwrap();
        let app = App::new(
            Arc::clone(&store),
            Arc::new(StaticEmbedder::built_in()),
            Arc::new(StoppedWatch),
            Settings::default(),
        );
        let world = Self {
            scratch,
            clock,
            store,
            app: Arc::new(app),
            ours,
            theirs,
        };
        world.gives(0);
        let enclosed = world.store.enclose(world.ours.organization, "acme").await;
        assert_eq!(enclosed.unwrap(), 1);
        for tenant in [&world.ours, &world.theirs] {
            world.remember(tenant).await.unwrap();
            world.recall(tenant).await.unwrap();
        }
        assert_eq!(world.hot().await, 2);
        world
    }

    fn gives(&self, how: u8) {
        fs::write(self.scratch.path().join("gives"), format!("{how}\n")).unwrap();
    }

    async fn remember(&self, tenant: &Tenant) -> Result<(), AppError> {
        let statement = Remember {
            text: "The harbour master of Zanzibarrow listens on port 7411.".into(),
            kind: MemoryKind::Fact,
            project: None,
            visibility: Visibility::Workspace,
            by_agent: false,
            path: None,
        };
        let caller = tenant.caller(&self.store, "owner").await;
        let right = caller.authorize().unwrap();
        self.app.remember(right, statement).await.map(|_| ())
    }

    async fn recall(&self, tenant: &Tenant) -> Result<usize, AppError> {
        let question = Question {
            query: "harbour master".into(),
            items: 10,
            tokens: 4_000,
            as_of: None,
            project: None,
            kinds: Vec::new(),
            hints: Vec::new(),
            deadline_ms: 60_000,
        };
        let caller = tenant.caller(&self.store, "owner").await;
        let right = caller.authorize().unwrap();
        let found = self.app.recall(right, question).await?;
        Ok(found.items.len())
    }

    /// Workspaces with an index in memory.
    async fn hot(&self) -> u64 {
        let caller = self.theirs.caller(&self.store, "owner").await;
        let right = caller.authorize().unwrap();
        self.app.status(right).await.unwrap().hot.workspaces
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x09_a_program_that_begins_to_refuse_closes_and_empties_memory_within_its_bound() {
    for (how, every, closing) in [
        (1, 60, Closing::Refused),
        (75, 60, Closing::Away),
        (3, 5, Closing::Refused),
    ] {
        let world = World::new(every).await;
        let (desk, mut closed) = (KeyDesk::new(Arc::clone(&world.app)), HashSet::new());
        world.gives(how);
        desk.look(&mut closed).await;
        assert!(world.recall(&world.ours).await.is_ok(), "it is held");
        // Nobody asks for anything; the desk looks.
        world.pass(i64::from(every) / 2 + 1);
        desk.look(&mut closed).await;
        let is_away = closing == Closing::Away;
        assert_eq!(world.hot().await, if is_away { 2 } else { 1 }, "{how}");
        assert_eq!(world.recall(&world.ours).await.is_ok(), is_away, "{how}");
        world.pass(i64::from(every) / 2 + 1);
        desk.look(&mut closed).await;
        assert_eq!(world.hot().await, 1, "{how}");
        assert!(closed.contains(&world.ours.organization) && closed.len() == 1);
        for refused in [
            world.recall(&world.ours).await.map(|_| ()),
            world.remember(&world.ours).await,
        ] {
            assert!(
                matches!(refused, Err(AppError::Closed(found)) if found == closing),
                "{how}"
            );
        }
        assert_eq!(world.hot().await, 1, "nor by who asked in vain");
        assert_eq!(world.recall(&world.theirs).await.unwrap(), 1);
        // Given again.
        world.gives(0);
        world.pass(6);
        desk.look(&mut closed).await;
        assert!(closed.is_empty());
        assert_eq!(world.recall(&world.ours).await.unwrap(), 1);
        assert_eq!(world.hot().await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x09_what_each_place_says_is_told_apart() {
    let scratch = Scratch::new();
    let home = scratch.path();
    let file = home.join("own.key");
    let text = format!(
        "[organization_keys.f]\nprovider = \"file\"\nfile = {file:?}\n\
         [organization_keys.p]\nprovider = \"passphrase\"\nlocked_file = {:?}\npassphrase_file = {:?}\nmemory_mib = 8\n\
         [organization_keys.slow]\nprovider = \"command\"\ncommand = [\"/bin/sleep\", \"600\"]\ntimeout_seconds = 1\n\
         [organization_keys.none]\nprovider = \"command\"\ncommand = [\"/no/such/program\"]\n\
         [organization_keys.odd]\nprovider = \"command\"\ncommand = [\"/bin/echo\", \"odd\"]\n\
         [organization_keys.bare]\nprovider = \"command\"\ncommand = [\"/bin/cat\"]\nwrap_command = [\"/bin/cat\"]\n",
        home.join("own.locked"),
        home.join("words"),
    );
    let places = Places::of(home, &Config::parse(&text, &[]).unwrap());
    let random = skep_crypto::SeededRandom::new(1);
    fs::write(home.join("words"), "plover anvil tuba harbour\n").unwrap();
    fs::set_permissions(home.join("words"), fs::Permissions::from_mode(0o600)).unwrap();
    for name in ["f", "p"] {
        let made = places.make(name, &random).await.map_err(drop).unwrap();
        let given = places.give(name, None).await.map_err(drop).unwrap();
        assert!(given.is(&made.key), "{name}");
        // The same one is used from now on.
        let again = places.make(name, &random).await.map_err(drop).unwrap();
        assert!(given.is(&again.key), "{name}");
    }
    // The passphrase is asked for anew each time, and not remembered.
    fs::write(home.join("words"), "another one altogether\n").unwrap();
    assert!(matches!(
        places.give("p", None).await,
        Err(NotGiven::Refused(_))
    ));
    fs::remove_file(home.join("words")).unwrap();
    assert!(matches!(
        places.give("p", None).await,
        Err(NotGiven::Refused(_))
    ));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        places.give("f", None).await,
        Err(NotGiven::Away(_))
    ));
    fs::remove_file(&file).unwrap();
    assert!(matches!(
        places.give("f", None).await,
        Err(NotGiven::Refused(_))
    ));
    for name in ["slow", "none"] {
        assert!(
            matches!(places.give(name, None).await, Err(NotGiven::Away(_))),
            "{name}"
        );
    }
    assert!(matches!(
        places.give("odd", None).await,
        Err(NotGiven::Refused(_))
    ));
    // What does not wrap is none.
    assert!(matches!(
        places.make("bare", &random).await,
        Err(NotGiven::Refused(_))
    ));
    assert!(places.shown("nobody").is_none());
}
