//! The map keeps lengths and products; estimates are near the products that they stand for.

use proptest::prelude::*;

use super::{ROWS, Sketches, Turn, tables_for};
use crate::top::Top;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    (1usize..200).prop_flat_map(|dim| {
        let side = || prop::collection::vec(-1.0f32..1.0, dim);
        (side(), side())
    })
}

proptest! {
    #[test]
    fn turning_keeps_products((a, b) in pair()) {
        let (mut turned_a, mut turned_b) = (a.clone(), b.clone());
        let turn = Turn::new(a.len());
        turn.apply(&mut turned_a);
        turn.apply(&mut turned_b);
        prop_assert!((dot(&a, &b) - dot(&turned_a, &turned_b)).abs() < 1e-3);
    }

    #[test]
    fn what_a_snapshot_keeps_is_the_same_again(
        slots in prop::collection::vec(0u32..100, 1..20),
        dim in 1usize..40,
    ) {
        let mut sketches = Sketches::new(vec![0.1; dim].into());
        for &slot in &slots {
            let codes: Vec<i8> = (0..dim).map(|at| (at as u32 * 7 + slot) as i8 / 2).collect();
            sketches.put(slot, &codes, 0.01);
        }
        sketches.remove(slots[0]);
        let (mean, factors, blocks) = sketches.parts();
        prop_assert_eq!(blocks.len(), Sketches::bytes_for(dim, factors.len()));
        let again = Sketches::from_parts(mean.to_vec(), factors, blocks).unwrap();
        prop_assert_eq!(again.parts().2, blocks);
        let query = vec![0.3; dim];
        let ask = |from: &Sketches| from.scan(&query).take_part(9, &|slot| slot % 2 == 0);
        prop_assert_eq!(ask(&again), ask(&sketches));
        prop_assert!(ask(&again).iter().all(|&(_, slot)| slot != slots[0] && slots.contains(&slot)));
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let mut sketches = Sketches::new(vec![0.0; 16].into());
    sketches.put(40, &[5; 16], 0.05);
    let (mean, factors, blocks) = sketches.parts();
    let read = |mean: &[f32], factors: &[f32], blocks: &[u8]| {
        Sketches::from_parts(mean.to_vec(), factors, blocks).is_some()
    };
    assert!(read(mean, factors, blocks));
    assert!(!read(mean, factors, &blocks[1..]));
    assert!(!read(mean, &factors[..32], blocks));
    assert!(!read(&[f32::NAN; 16], factors, blocks));
    assert!(!read(mean, &[f32::INFINITY; 64], blocks));
    assert!(!read(mean, &[-1.0; 64], blocks));
}

/// The error of an estimate is about the length of the row over the root of the dimension.
#[test]
fn estimates_are_near_the_products() {
    let dim = 256;
    let value = |seed: usize, at: usize| {
        let bits = (seed * 7_919 + at * 104_729 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (bits >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let unit = |seed: usize| {
        let vector: Vec<f32> = (0..dim).map(|at| value(seed, at)).collect();
        let length = dot(&vector, &vector).sqrt();
        vector.iter().map(|x| x / length).collect::<Vec<f32>>()
    };
    let mut sketches = Sketches::new(vec![0.0; dim].into());
    let rows: Vec<crate::Quantised> = (0..200)
        .map(|seed| crate::Quantised::of(&unit(seed)))
        .collect();
    for (slot, row) in (0..).zip(&rows) {
        sketches.put(slot, row.codes(), row.scale());
    }
    let query = unit(3);
    for (estimate, slot) in sketches.scan(&query).take_part(200, &|_| true) {
        let exact = dot(&query, &unit(slot as usize));
        assert!(
            (estimate - exact).abs() < 0.25,
            "{slot}: {estimate} for {exact}"
        );
    }
    assert_eq!(tables_for(dim), 64);
}

#[test]
fn threads_that_share_a_scan_find_what_one_finds() {
    const ROOM: usize = 50;
    let mut sketches = Sketches::new(vec![0.0; 16].into());
    for slot in 0..3 * (super::SHARE * ROWS) as u32 + 5 {
        let code = |at: u32| (slot.wrapping_mul(0x9E37_79B9).rotate_left(at * 2) & 0x7F) as i8 - 64;
        let codes: Vec<i8> = (0..16).map(code).collect();
        sketches.put(slot, &codes, 0.005);
    }
    let query: Vec<f32> = (0..16u8).map(|at| f32::from(at % 5) - 2.0).collect();
    let field = |slot: u32| !slot.is_multiple_of(3);
    let (alone, shared) = (sketches.scan(&query), sketches.scan(&query));
    let parts = std::thread::scope(|scope| {
        let other = scope.spawn(|| shared.take_part(ROOM, &field));
        [shared.take_part(ROOM, &field), other.join().unwrap()]
    });
    let mut merged = Top::new(ROOM, f32::MIN, &field);
    for (score, slot) in parts.into_iter().flatten() {
        merged.offer(score, slot);
    }
    let mut expected = Top::new(ROOM, f32::MIN, &field);
    for (score, slot) in alone.take_part(ROOM, &field) {
        expected.offer(score, slot);
    }
    assert_eq!(merged.into_sorted(), expected.into_sorted());
    assert!(alone.take_part(ROOM, &field).is_empty(), "nothing is left");
}
