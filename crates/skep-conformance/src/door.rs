//! Who stands at the door: humans are found by the whole of their address, and by nothing near it.

use skep_store::{DoorTx, Mode, Store, StoreError, UserBody};

use crate::Harness;
use crate::world::World;

#[expect(
    clippy::disallowed_methods,
    reason = "the suite stands in the door to see what it lets through"
)]
pub(crate) async fn door(store: &Store, mode: Mode) -> DoorTx {
    store.begin_door(mode).await.unwrap()
}

fn of(address: &str) -> UserBody {
    UserBody {
        name: format!("who reads {address}"),
        address: Some(address.into()),
        ..UserBody::default()
    }
}

/// One at each of many addresses, and none between, before or after them.
pub(crate) async fn a19_an_address_finds_its_owner_and_nobody_near<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx = door(world.store(), Mode::Write).await;
    assert!(tx.get_user_of_address("a@x").await.unwrap().is_none());
    assert!(!tx.has_users().await.unwrap());
    let address = |number: u32| format!("person-{number}@example.org");
    let mut made = Vec::new();
    for number in 0..20 {
        let id = tx.mint();
        tx.put_user(id, &of(&address(number))).await.unwrap();
        made.push(id);
    }
    tx.commit().await.unwrap();

    let mut tx = door(world.store(), Mode::Write).await;
    assert!(tx.has_users().await.unwrap());
    for (number, id) in (0..).zip(&made) {
        let cased = address(number).to_uppercase();
        let found = tx.get_user_of_address(&cased).await.unwrap().unwrap();
        assert_eq!((found.id, found.body), (*id, of(&address(number))));
    }
    for number in 20..200 {
        let found = tx.get_user_of_address(&address(number)).await.unwrap();
        assert!(found.is_none(), "{number}");
    }
    let id = tx.mint();
    let taken = tx.put_user(id, &of("Person-3@Example.org")).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
}

/// Who changes an address is found by the new one only, and a change made to what was read before is refused.
pub(crate) async fn a19_a_changed_address_is_the_only_one<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx = door(world.store(), Mode::Write).await;
    let id = tx.mint();
    tx.put_user(id, &of("old@example.org")).await.unwrap();
    let other = tx.mint();
    tx.put_user(other, &of("other@example.org")).await.unwrap();
    let read = tx.get_user(id).await.unwrap().unwrap();
    assert!(tx.update_user(&read, &of("new@example.org")).await.unwrap());
    let stale = tx.update_user(&read, &of("late@example.org")).await;
    assert!(!stale.unwrap(), "made to a version that is no more");
    for (address, owner) in [("new", Some(id)), ("old", None), ("late", None)] {
        let whole = format!("{address}@example.org");
        let found = tx.get_user_of_address(&whole).await.unwrap();
        assert_eq!(found.map(|user| user.id), owner, "{address}");
    }
    tx.commit().await.unwrap();

    let mut tx = door(world.store(), Mode::Write).await;
    let read = tx.get_user(id).await.unwrap().unwrap();
    let taken = tx.update_user(&read, &of("other@example.org")).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
}
