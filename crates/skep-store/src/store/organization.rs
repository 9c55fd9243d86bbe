//! Keys that organizations keep themselves: the keys of their workspaces are wrapped by such a one first, and by
//! the installation's then, so that nothing of them opens without both.
//!
//! Whether an organization has one is said by a row of its own (`state`), and nowhere else: so every node knows
//! it, and an archive does. What was given is held for a short while (`held`).

mod change;
mod held;
mod state;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use skep_authz::Authorized;
use skep_authz::rights::OrgManage;
use skep_crypto::{KeyEncryptionKey, OrganizationKey, Random, VaultKey, WrappedKey};
use skep_domain::{Id, OrganizationId, Timestamp};

use super::Store;
use crate::StoreError;
use crate::access::Announcement;
use crate::backend::Mode;
use crate::scope::ControlKey;
pub(super) use held::Owned;
use held::{Answer, Given};
use state::State;

/// Where organizations keep keys of their own: by names that whoever runs the daemon has given to such places.
#[async_trait]
pub trait OrganizationKeeper: Send + Sync {
    /// What and where a place is, for people; `None` for one that nobody has named.
    fn shown(&self, place: &str) -> Option<String>;

    /// Microseconds that a key from there is used without asking for it again.
    fn age(&self, place: &str) -> i64;

    /// The key to be used from now on: the one that is there, or a fresh one and what wraps it.
    ///
    /// # Errors
    /// [`NotGiven`].
    async fn make(&self, place: &str, random: &dyn Random) -> Result<MadeKey, NotGiven>;

    /// The key that is in force; `wrapped` is what wraps it, where that is kept beside the data.
    ///
    /// # Errors
    /// [`NotGiven`].
    async fn give(&self, place: &str, wrapped: Option<&[u8]>) -> Result<OrganizationKey, NotGiven>;
}

/// A key that an organization begins to use.
pub struct MadeKey {
    /// The key.
    pub key: OrganizationKey,
    /// What only its keeper can unwrap, if that is to be kept beside the data.
    pub wrapped: Option<Vec<u8>>,
}

/// Why a key was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGiven {
    /// Whoever keeps it said no, or has it no more.
    Refused(String),
    /// Nobody said anything: it could not be asked.
    Away(String),
}

/// Why nothing of an organization's workspaces opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The organization withdrew its key here.
    Withdrawn,
    /// Whoever keeps it does not give it any more.
    Refused,
    /// Whoever keeps it has not answered for too long.
    Away,
    /// This daemon was not told where it is kept.
    Unnamed,
}

/// How an organization's own key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The name of the place.
    pub place: String,
    /// What and where that is, if this daemon was told.
    pub shown: Option<String>,
    /// Whether data keys are under it; `false` of one that was given up.
    pub in_force: bool,
    /// Why it is closed, if it is.
    pub closing: Option<Closing>,
    /// What whoever keeps it last said other than the key.
    pub trouble: Option<String>,
    /// When this node asked last.
    pub asked_at: Option<Timestamp>,
    /// When the organization withdrew it.
    pub withdrawn_at: Option<Timestamp>,
    /// Seconds that it is used without asking again.
    pub age_seconds: u64,
    /// Keys of workspaces that are under it.
    pub enclosed: u64,
    /// Workspaces of the organization.
    pub workspaces: u64,
}

/// How old a key is, in parts of what it may be, when [`Store::ask_again`] asks for it.
const ASKED_AGAIN: i64 = 2;
/// Microseconds that a refusal stands, so that not each request asks.
const REFUSED: i64 = 5_000_000;
/// The number under which an organization wraps the key of its records in vaults.
const VAULT_KEY: u32 = 1;

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Withdrawn => "the organization has withdrawn its own key",
            Self::Refused => "whoever keeps the organization's own key does not give it",
            Self::Away => "whoever keeps the organization's own key does not answer",
            Self::Unnamed => "this daemon was not told where the organization's own key is kept",
        })
    }
}

impl Closing {
    /// One word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
            Self::Away => "away",
            Self::Unnamed => "unnamed",
        }
    }
}

impl Store {
    /// Asks here for the keys of organizations that have one.
    #[must_use]
    pub fn with_organization_keys(mut self, keeper: Arc<dyn OrganizationKeeper>) -> Self {
        self.owned.keeper = Some(keeper);
        // An earlier process may have been killed before it came to that.
        self.owned.unscrubbed.store(true, Ordering::SeqCst);
        self
    }

    /// Sees to it that what a data key was wrapped into before it was enclosed is left nowhere in the store's
    /// files, since the root key alone opens that. Call it every now and then: it does something only after a
    /// change, and while somebody reads it has to be tried again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn scrub_keys(&self) -> Result<(), StoreError> {
        if !self.owned.unscrubbed.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let scrubbed = self.backend.scrub_installation(&ControlKey::new()).await;
        if !matches!(scrubbed, Ok(true)) {
            self.owned.unscrubbed.store(true, Ordering::SeqCst);
        }
        scrubbed.map(|_| ())
    }

    /// Sees to it that what was erased of the installation's own rows is left nowhere in the store's files.
    /// `false` while somebody reads there still: whoever looks every few seconds tries it again.
    pub async fn scrub_installation(&self) -> bool {
        self.owned.unscrubbed.store(true, Ordering::SeqCst);
        self.scrub_keys().await.is_ok() && !self.owned.unscrubbed.load(Ordering::SeqCst)
    }

    /// After a change of what data keys are wrapped into.
    async fn leave_nothing_behind(&self) {
        self.owned.unscrubbed.store(true, Ordering::SeqCst);
        // What fails is tried again by whoever looks every few seconds.
        let _later = self.scrub_keys().await;
    }

    /// Withdraws the organization's own key: nothing of its workspaces opens from this moment on, whatever its
    /// keeper says. `false` when it was withdrawn before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has none. When this fails otherwise, this node has forgotten the key for
    /// the moment, and nothing says so to later ones.
    pub async fn withdraw_key(
        &self,
        authorized: Authorized<OrgManage>,
    ) -> Result<bool, StoreError> {
        let organization = authorized.organization();
        // What is in memory goes first: that needs nobody.
        self.close(organization, None);
        let now = self.clock.now();
        let is_new = self
            .change_state(organization, |state| {
                let is_new = state.withdrawn_at.is_none();
                state.withdrawn_at.get_or_insert(now);
                is_new
            })
            .await?;
        self.close(organization, Some(Closing::Withdrawn));
        Ok(is_new)
    }

    /// Takes back that the organization has withdrawn its key. Its keeper is asked with the next use.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has none.
    pub async fn restore_key(&self, authorized: Authorized<OrgManage>) -> Result<bool, StoreError> {
        let organization = authorized.organization();
        let is_new = self
            .change_state(organization, |state| state.withdrawn_at.take().is_some())
            .await?;
        self.close(organization, None);
        Ok(is_new)
    }

    /// Changes the row of an organization that has a key of its own in force.
    async fn change_state<T>(
        &self,
        organization: OrganizationId,
        change: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Write)
            .await?;
        let state = self.read_state(&mut *rows, organization).await?;
        let Some(mut state) = state.filter(|state| state.in_force.is_some()) else {
            return Err(StoreError::Refused(NO_KEY.into()));
        };
        let changed = change(&mut state);
        self.write_state(&mut *rows, organization, &state).await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        Ok(changed)
    }

    /// How the organization's own key stands; `None` when it never had one. Asks its keeper unless that was done
    /// a moment ago.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn own_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OwnKey>, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Read)
            .await?;
        let Some(state) = self.read_state(&mut *rows, organization).await? else {
            return Ok(None);
        };
        let keys = rows.wrapped_keys().await?;
        drop(rows);
        let own = keys.iter().filter(|(whose, _, _)| *whose == organization);
        let enclosed = own.clone().filter(|(_, _, key)| key.is_layered()).count();
        let place = state.place().to_owned();
        let age = self.age_of(&place);
        let closing = match self.own(organization, age / ASKED_AGAIN).await {
            Ok(_) => None,
            Err(StoreError::Closed(closing)) => Some(closing),
            Err(other) => return Err(other),
        };
        let (asked_at, trouble) = self.owned.one(organization).told();
        let keeper = self.owned.keeper.as_ref();
        Ok(Some(OwnKey {
            organization,
            shown: keeper.and_then(|keeper| keeper.shown(&place)),
            place,
            in_force: state.in_force.is_some(),
            closing,
            trouble,
            asked_at,
            withdrawn_at: state.withdrawn_at,
            age_seconds: u64::try_from(age / 1_000_000).unwrap_or(0),
            enclosed: enclosed as u64,
            workspaces: own.count() as u64,
        }))
    }

    /// The same of every organization that has, or had, a key of its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn own_keys(&self) -> Result<Vec<OwnKey>, StoreError> {
        let mut organizations: Vec<_> = self.workspaces().await?;
        organizations.dedup_by_key(|(organization, _)| *organization);
        let mut all = Vec::new();
        for (organization, _) in organizations {
            let is_told = all
                .iter()
                .any(|one: &OwnKey| one.organization == organization);
            if !is_told && let Some(one) = self.own_key(organization).await? {
                all.push(one);
            }
        }
        Ok(all)
    }

    /// The key that an organization's records in a vault are sealed with as well; `None` when it never had a key
    /// of its own.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn vault_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<VaultKey>, StoreError> {
        let given = self.own(organization, i64::MAX).await?;
        Ok(given.and_then(|given| given.vault.as_deref().map(VaultKey::again)))
    }

    /// Those that keep a key of their own, or may since something was said, to be asked again.
    #[must_use]
    pub fn known_owners(&self) -> Vec<OrganizationId> {
        let mut known = self.owned.known();
        known.retain(|organization| self.owned.one(*organization).may_own());
        known
    }

    /// Counts how often opened keys were forgotten: when it has risen, an organization of which nothing was known
    /// may keep one by now.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.open_keys().round
    }

    /// Whether nothing of this organization may be in memory: its key is not given, or is held for too long. What
    /// nothing is known of since something was said is not closed: ask.
    #[must_use]
    pub fn is_closed(&self, organization: OrganizationId) -> bool {
        let one = self.owned.find(organization);
        one.is_some_and(|one| one.is_closed(self.clock.now(), |place| self.age_of(place)))
    }

    /// Sees that what was begun may go on: a transaction holds keys that were given when it was begun.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn check_open(&self, organization: OrganizationId) -> Result<(), StoreError> {
        match self.owned.find(organization).filter(|one| one.may_own()) {
            Some(_) => self.own(organization, i64::MAX).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Waits until a key is not given any more, or is given again.
    pub async fn key_moved(&self) {
        self.owned.bell.notified().await;
    }

    /// Asks again for a key that is held and about to be too old, and encloses what was made meanwhile without
    /// it. Call it every few seconds: what is not asked for lives in memory.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn ask_again(&self, organization: OrganizationId) -> Result<(), StoreError> {
        let place = self.owned.one(organization).place();
        let age = place.map_or(i64::MAX, |place| self.age_of(&place));
        let before = self.owned.one(organization).asked_at();
        let given = self.own(organization, age / ASKED_AGAIN).await?;
        let is_anew = self.owned.one(organization).asked_at() != before;
        match given.and_then(|given| given.lock) {
            Some(lock) if is_anew => self.enclose_rest(organization, &lock).await.map(|_| ()),
            _ => Ok(()),
        }
    }

    /// What wraps the keys of an organization's workspaces, asked for at most `age` ago, or as long ago as its
    /// place allows; `None` when it has no key of its own.
    pub(super) async fn own(
        &self,
        organization: OrganizationId,
        age: i64,
    ) -> Result<Option<Given>, StoreError> {
        let one = self.owned.one(organization);
        let of_place = |place: &str| self.age_of(place);
        loop {
            if let Some(answer) = one.fresh(self.clock.now(), of_place, age) {
                return answer.into_result();
            }
            let _asking = one.asking.lock().await;
            if let Some(answer) = one.fresh(self.clock.now(), of_place, age) {
                return answer.into_result();
            }
            // Nobody knows how long the next answer takes.
            if one.is_too_old(self.clock.now(), of_place) {
                self.close(organization, Some(Closing::Away));
            }
            // An answer is as old as the question, and counts unless something was said meanwhile.
            let (round, since) = (one.round(), self.clock.now());
            let answer = self.ask(organization).await?;
            let Some(kept) = one.keep(round, since, answer) else {
                continue;
            };
            let kept = kept.into_result();
            if kept.is_err() {
                self.forget_own(organization);
            }
            if one.has_moved(kept.is_ok()) {
                self.owned.bell.notify_one();
            }
            return kept;
        }
    }

    /// Reads whether there is such a key, and asks for it. Errors are those of the store.
    async fn ask(&self, organization: OrganizationId) -> Result<Answer, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Read)
            .await?;
        let state = self.read_state(&mut *rows, organization).await?;
        drop(rows);
        let Some(state) = state else {
            return Ok(Answer::nothing());
        };
        let Some(in_force) = &state.in_force else {
            let vault = VaultKey::parse(&state.vault).map(Arc::new);
            return Ok(Answer::given_up(vault));
        };
        if state.withdrawn_at.is_some() {
            return Ok(Answer::closed(&in_force.place, Closing::Withdrawn, None));
        }
        let keeper = self.owned.keeper.as_ref();
        let Some(keeper) = keeper.filter(|keeper| keeper.shown(&in_force.place).is_some()) else {
            return Ok(Answer::closed(&in_force.place, Closing::Unnamed, None));
        };
        let given = keeper.give(&in_force.place, in_force.wrapped.as_deref());
        Ok(match given.await {
            Ok(key) => opened(organization, &key, &state),
            Err(NotGiven::Refused(why)) => {
                Answer::closed(&in_force.place, Closing::Refused, Some(why))
            }
            Err(NotGiven::Away(why)) => Answer::closed(&in_force.place, Closing::Away, Some(why)),
        })
    }

    fn age_of(&self, place: &str) -> i64 {
        let keeper = self.owned.keeper.as_ref();
        keeper.map_or(0, |keeper| keeper.age(place))
    }

    /// Forgets what is held of an organization's key, and for how long it is known to be closed.
    fn close(&self, organization: OrganizationId, closing: Option<Closing>) {
        self.owned
            .one(organization)
            .forget(closing.map(|closing| (closing, self.clock.now())));
        self.forget_own(organization);
        self.owned.bell.notify_one();
    }

    /// Forgets what is held of all of them: another node changed something.
    pub(super) fn close_all(&self) {
        for organization in self.owned.known() {
            self.owned.one(organization).forget(None);
        }
        self.owned.bell.notify_one();
    }

    /// Forgets the opened keys of its workspaces.
    fn forget_own(&self, organization: OrganizationId) {
        self.open_keys()
            .forget_where(|held| held.whose == organization);
    }
}

const NO_KEY: &str = "the organization keeps no key of its own";

/// What follows from a key, if it is the one in force.
fn opened(organization: OrganizationId, key: &OrganizationKey, state: &State) -> Answer {
    let lock = KeyEncryptionKey::of_organization(key, organization.to_bytes());
    let place = state.place();
    let another = || {
        let why = "what was given is another key than the one in force".to_owned();
        Answer::closed(place, Closing::Refused, Some(why))
    };
    if state
        .in_force
        .as_ref()
        .is_none_or(|in_force| in_force.name != lock.name())
    {
        return another();
    }
    let vault = WrappedKey::from_bytes(state.vault.clone());
    match lock.unwrap_vault(&vault, VAULT_KEY) {
        Ok(vault) => Answer::given(place, lock, vault),
        Err(_) => another(),
    }
}
