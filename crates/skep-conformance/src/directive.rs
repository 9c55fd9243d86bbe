//! Standing texts: versions of each place, and which of them counts.

use skep_authz::rights::{GatewayConfigure, SettingRead, WorkspaceManage};
use skep_store::{DirectivePlace, Mode};

use crate::Harness;
use crate::door::door;
use crate::world::{Persona, Tenant, World};

const PLACES: [DirectivePlace; 2] = [DirectivePlace::Organization, DirectivePlace::Workspace];

async fn draft<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    (place, text): (DirectivePlace, &str),
) -> u32 {
    let right = world
        .authorized::<GatewayConfigure>(tenant, Persona::Human)
        .await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let version = tx.put_directive(place, (text, "hash")).await.unwrap();
    tx.commit().await.unwrap();
    version
}

async fn promote<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    place: DirectivePlace,
    version: u32,
) {
    let right = world
        .authorized::<WorkspaceManage>(tenant, Persona::Human)
        .await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    tx.put_promotion(place, version).await.unwrap();
    tx.commit().await.unwrap();
}

async fn in_force<H: Harness>(world: &World<H>, tenant: &Tenant) -> Vec<(u32, String)> {
    let mut tx = door(world.store(), Mode::Read).await;
    let place = (tenant.organization, tenant.workspace);
    let found = tx.list_directives_in_force(place).await.unwrap();
    found
        .into_iter()
        .map(|one| (one.version, one.text))
        .collect()
}

pub(crate) async fn directives_have_versions_and_the_one_named_last_counts<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (&world.ours, &world.theirs);
    for place in PLACES {
        assert_eq!(draft(&world, theirs, (place, "theirs")).await, 1);
        for (text, version) in [("first", 1), ("second", 2), ("third", 3)] {
            assert_eq!(draft(&world, ours, (place, text)).await, version);
        }
    }
    assert_eq!(in_force(&world, ours).await, [], "drafts do nothing");
    promote(&world, ours, DirectivePlace::Workspace, 3).await;
    promote(&world, ours, DirectivePlace::Organization, 2).await;
    let both = [(2, "second".to_owned()), (3, "third".to_owned())];
    assert_eq!(in_force(&world, ours).await, both);
    assert_eq!(in_force(&world, theirs).await, []);
    promote(&world, ours, DirectivePlace::Workspace, 0).await;
    promote(&world, ours, DirectivePlace::Organization, 1).await;
    assert_eq!(in_force(&world, ours).await, [(1, "first".to_owned())]);

    let right = world.authorized::<SettingRead>(ours, Persona::Human).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let all = tx
        .list_directives(DirectivePlace::Workspace, 2)
        .await
        .unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|one| (one.version, one.text.as_str()))
        .collect();
    assert_eq!(all, [(3, "third"), (2, "second")]);
    let one = tx
        .get_directive(DirectivePlace::Workspace, 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((one.text.as_str(), one.sha256.as_str()), ("second", "hash"));
    assert_eq!(
        tx.get_directive(DirectivePlace::Workspace, 9)
            .await
            .unwrap(),
        None
    );
    let said = tx
        .list_promotions(DirectivePlace::Organization, 9)
        .await
        .unwrap();
    let said: Vec<_> = said.iter().map(|one| one.version).collect();
    assert_eq!(said, [1, 2]);
}
