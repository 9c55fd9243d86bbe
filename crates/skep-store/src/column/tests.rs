//! What does not fit a column is damage, and never something near to it.

use skep_domain::{AgentId, Id, JobState, MemoryId, Principal, UserId};

use super::{Columns, Value, code, id, ids, principal, principal_option, sealed, time_option};
use crate::StoreError;

#[derive(Clone, Copy)]
enum Cell {
    Null,
    Number(i64),
    Flag(bool),
    Bytes(&'static [u8]),
    Text(&'static str),
}

struct Row(Vec<Cell>);

macro_rules! cells {
    ($($name:ident: $ty:ty = $kind:ident;)*) => {
        impl Columns<StoreError> for Row {
            $(fn $name(&self, at: usize) -> Result<Option<$ty>, StoreError> {
                match self.0[at] {
                    Cell::Null => Ok(None),
                    Cell::$kind(held) => Ok(Some(held)),
                    _ => Err(super::damaged()),
                }
            })*
        }
    };
}

cells! {
    number: i64 = Number;
    flag: bool = Flag;
    bytes: &[u8] = Bytes;
    text: &str = Text;
}

fn is_damage<T>(read: Result<T, StoreError>) -> bool {
    matches!(read.err(), Some(StoreError::Damaged(_)))
}

fn fits<T: Value>(cell: Cell) -> bool {
    match Row(vec![cell]).get::<T>(0) {
        Ok(_) => true,
        Err(StoreError::Damaged(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_does_not_fit_is_damage() {
    let (few, many) = (Cell::Number(255), Cell::Number(256));
    assert!(fits::<u8>(few) && !fits::<u8>(many) && fits::<u32>(many));
    let (below, above) = (Cell::Number(-1), Cell::Number(1 << 32));
    assert!(!fits::<u8>(below) && !fits::<u32>(below) && !fits::<u64>(below));
    assert!(fits::<i64>(below) && fits::<u64>(above) && !fits::<u32>(above));
    assert!(fits::<[u8; 16]>(Cell::Bytes(&[1; 16])));
    for length in [0, 15, 17] {
        let bytes = &[1; 17][..length];
        assert!(!fits::<[u8; 16]>(Cell::Bytes(bytes)), "{length}");
        assert!(!fits::<Option<[u8; 16]>>(Cell::Bytes(bytes)), "{length}");
        assert!(fits::<Vec<u8>>(Cell::Bytes(bytes)), "{length}");
    }
    assert!(fits::<bool>(Cell::Flag(false)) && fits::<String>(Cell::Text("")));
    assert!(!fits::<i64>(Cell::Text("1")) && !fits::<String>(Cell::Bytes(b"1")));
}

#[test]
fn nothing_is_read_where_nothing_may_be_and_nowhere_else() {
    let row = Row(vec![Cell::Null, Cell::Null]);
    assert!(is_damage(row.get::<u64>(0)) && row.get::<Option<u64>>(0).unwrap().is_none());
    assert!(is_damage(row.get::<bool>(0)) && row.get::<Option<bool>>(0).unwrap().is_none());
    assert!(is_damage(row.get::<String>(0)) && row.get::<Option<String>>(0).unwrap().is_none());
    assert!(is_damage(id::<MemoryId, _>(&row, 0)) && is_damage(sealed(&row, 0)));
    assert!(time_option(&row, 0).unwrap().is_none());
    assert!(is_damage(principal(&row, 0)));
    assert!(principal_option(&row, 0, "whose").unwrap().is_none());
}

#[test]
fn codes_and_kinds_that_nobody_knows_are_damage() {
    let held = |kind| Row(vec![Cell::Number(kind), Cell::Bytes(&[7; 16])]);
    let known = [
        Principal::User(UserId::from_bytes([7; 16])),
        Principal::Agent(AgentId::from_bytes([7; 16])),
    ];
    for (kind, known) in (0..).zip(known) {
        assert_eq!(principal(&held(kind), 0).unwrap(), known);
        assert_eq!(i64::from(super::principal_kind(known)), kind);
    }
    assert!(is_damage(principal(&held(2), 0)));
    assert!(is_damage(principal_option(&held(2), 0, "whose")));
    assert!(code(&held(0), 0, JobState::from_code, "a state").is_ok());
    assert!(is_damage(code(
        &held(99),
        0,
        JobState::from_code,
        "a state"
    )));
}

#[test]
fn packed_ids_are_whole() {
    let of = |bytes| ids::<MemoryId, _>(&Row(vec![Cell::Bytes(bytes)]), 0, "ids");
    assert!(of(&[]).unwrap().is_empty());
    assert_eq!(of(&[3; 32]).unwrap(), [MemoryId::from_bytes([3; 16]); 2]);
    assert!(is_damage(of(&[3; 31])));
}
