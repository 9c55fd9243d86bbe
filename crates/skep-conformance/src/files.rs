//! Files that somebody keeps among their memories: found by where they stand.

use skep_authz::rights::MemoryRead;
use skep_domain::{FilePath, MemoryId, Visibility};
use skep_store::Tx;

use crate::Harness;
use crate::sample::new_memory;
use crate::time::{put, supersede};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;
/// More versions than a look for what is related goes through.
const MANY: usize = 70;

fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}

async fn put_file<H: Harness>(
    world: &World<H>,
    who: Persona,
    (at, version): (&str, usize),
    visibility: Visibility,
) -> MemoryId {
    let mut memory = new_memory(world.store(), &format!("{at} {version}"));
    memory.visibility = visibility;
    memory.body.path = Some(path(at));
    put(world, who, memory).await
}

pub(crate) async fn t10_a_file_is_found_where_it_stands_by_who_may_see_it<H: Harness>() {
    use Visibility::{Private, Workspace};
    let world = World::<H>::new().await;
    let quiet = put_file(&world, HUMAN, ("/memories/a/quiet", 0), Private).await;
    let open = put_file(&world, HUMAN, ("/memories/open", 0), Workspace).await;
    // A file of the same name that is somebody else's is another file.
    put_file(&world, Persona::Colleague, ("/memories/open", 1), Workspace).await;
    let mut busy = put_file(&world, HUMAN, ("/memories/a/b/busy", 0), Private).await;
    for version in 1..MANY {
        let next = put_file(&world, HUMAN, ("/memories/a/b/busy", version), Private).await;
        assert!(supersede(&world, (&world.ours, HUMAN), (busy, next)).await);
        busy = next;
    }
    let tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let owner = tx.principal().unwrap();
    drop(tx);
    for (tenant, who, all) in [
        (&world.ours, HUMAN, vec![busy, open, quiet]),
        (&world.ours, Persona::Colleague, vec![open]),
        (&world.ours, Persona::Shared, vec![open]),
        (&world.ours, Persona::Isolated, vec![]),
        (&world.theirs, HUMAN, vec![]),
    ] {
        let mut tx: Tx<MemoryRead> = world.begin(tenant, who).await;
        for (folder, inside) in [
            ("/memories", vec![busy, open, quiet]),
            ("/memories/a", vec![busy, quiet]),
            ("/memories/a/b", vec![busy]),
            ("/memories/open", vec![]),
            ("/memories/none", vec![]),
        ] {
            let files = tx.list_files(owner, &path(folder), 200).await.unwrap();
            let ids: Vec<MemoryId> = files.iter().map(|file| file.id).collect();
            let seen: Vec<MemoryId> = all
                .iter()
                .copied()
                .filter(|id| inside.contains(id))
                .collect();
            assert_eq!(ids, seen, "{who:?} {folder}");
        }
        for (at, id) in [("/memories/open", open), ("/memories/a/b/busy", busy)] {
            let found = tx.get_file(owner, &path(at)).await.unwrap();
            let seen = all.contains(&id).then_some(id);
            assert_eq!(found.map(|file| file.id), seen, "{who:?} {at}");
        }
        let file = tx.get_file(owner, &path("/memories/a")).await.unwrap();
        assert!(file.is_none(), "a folder is no file");
        let some = tx.list_files(owner, &path("/memories"), 2).await.unwrap();
        assert_eq!(some.len(), all.len().min(2), "{who:?}");
    }
}
