//! `skepd key rotate-root`: another root key, and everything under it, in steps that a kill cannot come between.
//!
//! | step | what is done | left by a kill after it |
//! |---|---|---|
//! | stage | the new key is kept beside the old one | nothing starts until this is run again |
//! | store | one transaction wraps the installation and each workspace anew | as above; the old key opens nothing there |
//! | vault | `vault/keys` is replaced whole | as above |
//! | promote | the new key takes the old one's place | a start works, once the next step is done |
//! | tidy | the copy beside it goes | nothing |
//!
//! Each looks at what is there, and does what is left: so the way on after a kill is to run it again.

use std::path::Path;

use anyhow::{Context, bail};
use skep_crypto::{CryptoError, Plain, Random, RootKey, RootKeyProvider, SystemRandom};
use skep_vault::Vault;

use super::verbs::open_everything;
use super::{Root, Slot};
use crate::config::Config;
use crate::{files, local, process, vault};

/// What is done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "where only a kill, and a test, stops")
    )]
    Stage,
    Store,
    Vault,
    Promote,
    Tidy,
}

/// A key that somebody holds in memory.
struct Given(RootKey);

/// The two keys.
struct Pair {
    old: RootKey,
    new: RootKey,
}

impl RootKeyProvider for Given {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        Ok(Some(self.0.again()))
    }

    fn create(&self, _: &dyn Random) -> Result<RootKey, CryptoError> {
        Ok(self.0.again())
    }
}

/// All steps. `new_key_file` has the key that another node of the same database has changed to, or one for a
/// place that only others can put it into.
pub(super) async fn rotate(
    root: &Root,
    new_key_file: Option<&Path>,
    home: &Path,
    config: &Config,
) -> anyhow::Result<()> {
    let opened = up_to(Step::Tidy, root, new_key_file, home, config).await?;
    process::say(&format!(
        "a new root key is in force and opens {opened}. The old one opens nothing of that any more; it still \
         opens copies that were made before.\nBring a copy of the new one to where the old one's was (`skepd key \
         export --to FILE`)."
    ));
    if let Some(how) = root.keeper().read_only() {
        process::say(&format!(
            "Before the next start the new key has to be where the old one is, in the place of it: {how}"
        ));
    }
    if config.store.is_shared() {
        process::say(
            "Other nodes of this database start again when they have it too: on each of them `skepd key rotate-root \
             --new-key-file FILE`, with what `skepd key export` writes here.",
        );
    }
    Ok(())
}

/// The steps from the first one to this one, each done as far as it is not.
async fn up_to(
    last: Step,
    root: &Root,
    new_key_file: Option<&Path>,
    home: &Path,
    config: &Config,
) -> anyhow::Result<String> {
    let pair = stage(root, new_key_file, home, config).await?;
    if last < Step::Store {
        return Ok(String::new());
    }
    let given = Given(pair.old.again());
    let party = local::party(home, config, &given).await?;
    let changed = party.change_root(&pair.old, &pair.new).await;
    let changed =
        changed.context("wrapping the keys of the store anew; nothing of it was changed")?;
    if last < Step::Vault {
        return Ok(String::new());
    }
    let locks = [&pair.old, &pair.new].map(|key| vault::lock(key, &changed.keys));
    let [from, to] = &locks;
    Vault::change_lock(home, from, to, &SystemRandom)
        .context("wrapping the keys of the vault anew")?;
    // Before the old one is given up.
    let given = Given(pair.new.again());
    let opened = open_everything(&given, &pair.new, home, config).await?;
    let is_writable = root.keeper().read_only().is_none();
    if is_writable && last >= Step::Promote {
        root.keeper().keep(Slot::Current, &pair.new)?;
        if last >= Step::Tidy {
            root.keeper().forget(Slot::Next)?;
        }
    }
    Ok(opened.in_words())
}

/// The key in force and the one that is to be, which is kept before anything is wrapped under it.
async fn stage(
    root: &Root,
    new_key_file: Option<&Path>,
    home: &Path,
    config: &Config,
) -> anyhow::Result<Pair> {
    let old = root.current()?;
    let old = old.with_context(|| format!("there is no root key in {}", root.shown()))?;
    let given = new_key_file.map(read).transpose()?;
    let keeper = root.keeper();
    let staged = keeper
        .load(Slot::Next)
        .context("the root key that is about to be")?;
    if let Some(new) = staged {
        if given.is_some_and(|given| !given.is(&new)) {
            bail!(
                "a change to another root key than the one in --new-key-file is under way: finish that first, \
                 without the flag"
            );
        }
        return Ok(Pair { old, new });
    }
    // What could not be finished is not begun. On another node the store may be under the new one already.
    let mut opens = open_everything(&Given(old.again()), &old, home, config).await;
    if let (Err(_), Some(new)) = (&opens, &given) {
        let party = Given(new.again());
        let there = local::party(home, config, &party)
            .await?
            .installation()
            .await;
        if there.is_ok_and(|there| there.is_some()) {
            opens = Ok(super::verbs::Opened::default());
        }
    }
    opens?;
    if let Some(how) = keeper.read_only() {
        let Some(new) = given else {
            bail!(
                "a new root key cannot be put there from here. Write one with `skepd key new --to FILE`, run this \
                 with --new-key-file FILE, and then {how}"
            );
        };
        return Ok(Pair { old, new });
    }
    let new = given.unwrap_or_else(|| RootKey::generate(&SystemRandom));
    keeper.keep(Slot::Next, &new)?;
    let again = keeper.load(Slot::Next)?;
    if !again.is_some_and(|again| again.is(&new)) {
        bail!("{} did not give back the new root key", root.shown());
    }
    Ok(Pair { old, new })
}

fn read(path: &Path) -> anyhow::Result<RootKey> {
    let path = std::path::absolute(path).context("finding the file of --new-key-file")?;
    let line: Plain<String> = files::read_line(&path)?;
    RootKey::parse(line.expose().as_bytes()).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use skep_crypto::{RootKey, RootKeyProvider};

    use super::{Step, up_to};
    use crate::config::Config;
    use crate::key::{Root, Slot};
    use crate::{local, vault};

    struct Home(tempfile::TempDir, Config);

    impl Home {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(folder.path(), private).unwrap();
            Self(folder, Config::default())
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn root(&self) -> Root {
            Root::of(self.path(), &self.1).unwrap()
        }

        fn key(&self) -> RootKey {
            self.root().current().unwrap().unwrap()
        }

        /// As a start of the daemon does it.
        async fn opens(&self) -> bool {
            let root = self.root();
            match local::open(self.path(), &self.1, &root).await {
                Ok(opened) => vault::open(self.path(), &root, &opened.store).is_ok(),
                Err(_) => false,
            }
        }

        async fn rotate(&self, last: Step) -> anyhow::Result<String> {
            up_to(last, &self.root(), None, self.path(), &self.1).await
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn x09_a_change_of_the_root_that_stops_after_any_step_goes_on() {
        for last in [
            Step::Stage,
            Step::Store,
            Step::Vault,
            Step::Promote,
            Step::Tidy,
        ] {
            let home = Home::new();
            assert!(home.opens().await);
            let old = home.key();
            home.rotate(last).await.unwrap();
            // Whatever was in memory is gone. Until it is finished nothing is served.
            assert_eq!(home.opens().await, last == Step::Tidy, "{last:?}");
            let refused = home.root().load().err().map(|error| error.to_string());
            assert_eq!(
                refused.is_some_and(|said| said.contains("rotate-root")),
                last != Step::Tidy,
                "{last:?}"
            );
            if last != Step::Tidy {
                home.rotate(Step::Tidy).await.unwrap();
            }
            let new = home.key();
            assert!(!new.is(&old), "{last:?}");
            assert!(home.root().keeper().load(Slot::Next).unwrap().is_none());
            assert!(home.opens().await, "{last:?}");
            // The old one is refused, by the store and by the vault alone too.
            home.root().keeper().keep(Slot::Current, &old).unwrap();
            assert!(!home.opens().await, "{last:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn x09_a_change_of_the_root_that_finds_something_else_changes_nothing() {
        let (home, other) = (Home::new(), Home::new());
        assert!(home.opens().await && other.opens().await);
        let own = home.key();
        home.root()
            .keeper()
            .keep(Slot::Current, &other.key())
            .unwrap();
        let refused = format!("{:#}", home.rotate(Step::Tidy).await.unwrap_err());
        assert!(refused.contains("wrong key"), "{refused}");
        assert!(home.root().keeper().load(Slot::Next).unwrap().is_none());
        home.root().keeper().keep(Slot::Current, &own).unwrap();
        assert!(home.opens().await);
    }
}
