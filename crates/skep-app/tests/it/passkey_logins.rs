//! Coming in with passkeys, as somebody would attack it who holds an answer, a challenge or a passkey
//! that is meant for something else.

use std::sync::Arc;

use serde_json::Value;
use skep_app::{
    App, AppError, AuditDesk, Ceremony, Credentials, FirstAdmin, LoggedIn, LoginStep,
    PeopleSettings,
};
use skep_authz::{Caller, Denied};
use skep_crypto::PasswordCost;
use tokio::task::JoinSet;

use crate::passkeys::{Device, ORIGIN, create, device, get, party};
use crate::world::World;

const ADDRESS: &str = "maria@hive.example";
const PASSWORD: &str = "plover anvil tuba";

struct House {
    world: World,
    app: Arc<App>,
    /// The first administrator, just logged in with the password alone.
    maria: Caller,
    /// Writes the record, without which nobody comes in.
    _desk: JoinSet<()>,
}

impl House {
    async fn new() -> Self {
        let world = World::new().await;
        let people = PeopleSettings {
            party: Some(party()),
            cost: PasswordCost::LEAST,
            ..PeopleSettings::default()
        };
        let app = Arc::new(world.start().with_people(people));
        let mut desk = JoinSet::new();
        desk.spawn(AuditDesk::new(Arc::clone(&app)).run());
        let token = app.issue_setup_token().await.unwrap().unwrap();
        let first = FirstAdmin::new(
            token.expose().clone(),
            ADDRESS.into(),
            "Maria".into(),
            PASSWORD.into(),
        );
        let maria = app.set_up(&first).await.unwrap();
        let maria = whose(&app, &maria).await;
        Self {
            world,
            app,
            maria,
            _desk: desk,
        }
    }

    /// Lets a device make a passkey for Maria; she has another session after that.
    async fn enrol(&mut self, device: &mut Device) {
        let begun = self.app.begin_passkey(&self.maria, Some(PASSWORD)).await;
        let begun = begun.unwrap();
        let answer = create(device, ORIGIN, &begun.options).await;
        let kept = self
            .app
            .finish_passkey(&self.maria, begun.ceremony.expose(), "a device", &answer)
            .await;
        let (codes, renewed) = kept.unwrap();
        assert!(codes.is_some_and(|codes| codes.0.len() == 10));
        self.maria = whose(&self.app, &renewed.expect("another session")).await;
    }

    async fn owed(&self) -> String {
        let credentials = Credentials::new(ADDRESS.into(), PASSWORD.into());
        match self.app.log_in(&credentials).await.unwrap() {
            LoginStep::Owed { pending, .. } => pending.expose().clone(),
            LoginStep::In(_) => panic!("a second factor is owed"),
        }
    }

    async fn finish(&self, begun: &Ceremony, answer: &Value) -> Result<LoggedIn, AppError> {
        let ceremony = begun.ceremony.expose();
        self.app.finish_passkey_login(ceremony, answer).await
    }
}

async fn whose(app: &App, session: &LoggedIn) -> Caller {
    let cookie = session.cookie.expose().as_bytes();
    app.authenticate_browser(cookie).await.unwrap()
}

fn is_refused<T>(outcome: &Result<T, AppError>) -> bool {
    matches!(outcome, Err(AppError::Denied(Denied::InvalidCredential)))
}

/// What to ask a device for, with the challenge of another ceremony.
fn asking_for(options: &Value, other: &Ceremony) -> Value {
    let mut options = options.clone();
    options["challenge"] = other.options["challenge"].clone();
    options
}

#[tokio::test]
async fn a19_a_passkey_is_enrolled_comes_in_and_is_both_factors() {
    let mut house = House::new().await;
    let mut phone = device(true);
    let before = house.maria.clone();
    house.enrol(&mut phone).await;
    assert_ne!(before.credential(), house.maria.credential());
    let begun = house.app.begin_passkey_login().await.unwrap();
    let answer = get(&mut phone, ORIGIN, &begun.options).await;
    let session = house.finish(&begun, &answer).await.unwrap();
    let caller = whose(&house.app, &session).await;
    caller.require_step_up(house.app.now()).unwrap();
    // As the second step of a login, and to show it again.
    let pending = house.owed().await;
    let begun = house.app.begin_passkey_second(&pending).await.unwrap();
    let answer = get(&mut phone, ORIGIN, &begun.options).await;
    let second = house
        .app
        .finish_passkey_second(&pending, begun.ceremony.expose(), &answer)
        .await;
    second.unwrap();
    house.world.clock.advance_seconds(301);
    assert!(caller.require_step_up(house.app.now()).is_err());
    let begun = house.app.begin_passkey_step_up(&caller).await.unwrap();
    let answer = get(&mut phone, ORIGIN, &begun.options).await;
    let again = house
        .app
        .finish_passkey_step_up(&caller, begun.ceremony.expose(), &answer)
        .await;
    let again = whose(&house.app, &again.unwrap().unwrap()).await;
    again.require_step_up(house.app.now()).unwrap();
}

#[tokio::test]
async fn a19_an_answer_to_a_ceremony_is_good_once_and_for_five_minutes() {
    let mut house = House::new().await;
    // Without a counter nothing but the ceremony says that an answer came before.
    let mut key = device(false);
    house.enrol(&mut key).await;
    let begun = house.app.begin_passkey_login().await.unwrap();
    let answer = get(&mut key, ORIGIN, &begun.options).await;
    house.finish(&begun, &answer).await.unwrap();
    assert!(is_refused(&house.finish(&begun, &answer).await), "again");
    let begun = house.app.begin_passkey_login().await.unwrap();
    let answer = get(&mut key, ORIGIN, &begun.options).await;
    house.world.clock.advance_seconds(301);
    assert!(is_refused(&house.finish(&begun, &answer).await), "late");
}

#[tokio::test]
async fn a19_a_counter_that_goes_back_lets_nobody_in() {
    let mut house = House::new().await;
    let mut phone = device(true);
    house.enrol(&mut phone).await;
    let [first, second] = [
        house.app.begin_passkey_login().await.unwrap(),
        house.app.begin_passkey_login().await.unwrap(),
    ];
    let earlier = get(&mut phone, ORIGIN, &first.options).await;
    let later = get(&mut phone, ORIGIN, &second.options).await;
    house.finish(&second, &later).await.unwrap();
    assert!(
        is_refused(&house.finish(&first, &earlier).await),
        "as a copy of the device would answer"
    );
}

#[tokio::test]
async fn a19_an_answer_for_one_purpose_is_none_for_another() {
    let mut house = House::new().await;
    let mut key = device(false);
    house.enrol(&mut key).await;
    let login = house.app.begin_passkey_login().await.unwrap();
    let enrol = house.app.begin_passkey(&house.maria, None).await.unwrap();
    let step = house.app.begin_passkey_step_up(&house.maria).await.unwrap();
    for other in [&enrol, &step] {
        let answer = get(&mut key, ORIGIN, &asking_for(&login.options, other)).await;
        assert!(is_refused(&house.finish(other, &answer).await));
    }
    // What anybody may begin shows nobody's factor.
    let answer = get(&mut key, ORIGIN, &login.options).await;
    let ceremony = login.ceremony.expose();
    let stepped = house
        .app
        .finish_passkey_step_up(&house.maria, ceremony, &answer)
        .await;
    assert!(matches!(stepped, Err(AppError::Invalid(_))));
    let pending = house.owed().await;
    let login = house.app.begin_passkey_login().await.unwrap();
    let answer = get(&mut key, ORIGIN, &login.options).await;
    let ceremony = login.ceremony.expose();
    let second = house
        .app
        .finish_passkey_second(&pending, ceremony, &answer)
        .await;
    assert!(is_refused(&second));
}

#[tokio::test]
async fn a19_a_passkey_of_somebody_else_is_nobodys_second_factor() {
    let mut house = House::new().await;
    let (mut own, mut theirs) = (device(false), device(false));
    house.enrol(&mut own).await;
    let jonas = joined(&house).await;
    let begun = house.app.begin_passkey(&jonas, Some(PASSWORD)).await;
    let begun = begun.unwrap();
    let answer = create(&mut theirs, ORIGIN, &begun.options).await;
    let ceremony = begun.ceremony.expose();
    let stolen = house
        .app
        .finish_passkey(&house.maria, ceremony, "not hers", &answer)
        .await;
    assert!(stolen.is_err(), "begun by another");
    let begun = house.app.begin_passkey(&jonas, Some(PASSWORD)).await;
    let begun = begun.unwrap();
    let answer = create(&mut theirs, ORIGIN, &begun.options).await;
    let ceremony = begun.ceremony.expose();
    let kept = house
        .app
        .finish_passkey(&jonas, ceremony, "his", &answer)
        .await;
    kept.unwrap();
    let pending = house.owed().await;
    let begun = house.app.begin_passkey_second(&pending).await.unwrap();
    let mut open = begun.options.clone();
    open.as_object_mut().unwrap().remove("allowCredentials");
    let answer = get(&mut theirs, ORIGIN, &open).await;
    let ceremony = begun.ceremony.expose();
    let second = house
        .app
        .finish_passkey_second(&pending, ceremony, &answer)
        .await;
    assert!(is_refused(&second));
}

/// A member of Maria's organization, who logged in with a password.
async fn joined(house: &House) -> Caller {
    use skep_app::{Accepted, NewInvite};
    use skep_domain::OrganizationRole;
    let new = NewInvite {
        address: "jonas@hive.example".into(),
        role: OrganizationRole::Member,
        workspace_role: Some(skep_domain::Role::Operator),
    };
    let right = house.maria.authorize().unwrap();
    let invited = house.app.invite(right, &house.maria, new).await.unwrap();
    let accepted = Accepted::new(
        invited.token.expose().clone(),
        "Jonas".into(),
        PASSWORD.into(),
    );
    match house.app.accept_invite(&accepted).await.unwrap() {
        LoginStep::In(session) => whose(&house.app, &session).await,
        LoginStep::Owed { .. } => panic!("no second factor yet"),
    }
}
