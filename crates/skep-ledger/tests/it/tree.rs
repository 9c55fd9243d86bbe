//! Trees and proofs: against the values that certificate transparency publishes, and against a tree that is made by
//! the definition of RFC 6962.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use skep_ledger::{
    EMPTY_ROOT, Frontier, Hash, complete, consistency_path, inclusion_path, join, leaf_hash,
    node_hash, perfect, verify_consistency, verify_inclusion,
};

/// The leaves of the reference implementation of certificate transparency.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// And the roots of the first so many of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    let digits = pairs.iter().map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn hash(hex: &str) -> Hash {
    bytes(hex).try_into().unwrap()
}

fn published() -> Vec<Hash> {
    LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect()
}

/// MTH of RFC 6962, §2.1, word for word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

fn grown(leaves: &[Hash]) -> Frontier {
    let mut tree = Frontier::default();
    for leaf in leaves {
        tree.push(*leaf, |_, _, _| {});
    }
    tree
}

fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    let path = inclusion_path(index as u64, leaves.len() as u64).unwrap();
    let ranges = path.iter();
    ranges
        .map(|range| naive(&leaves[range.start as usize..range.end as usize]))
        .collect()
}

fn consistency(leaves: &[Hash], old: usize) -> Vec<Hash> {
    let path = consistency_path(old as u64, leaves.len() as u64).unwrap();
    let ranges = path.iter();
    ranges
        .map(|range| naive(&leaves[range.start as usize..range.end as usize]))
        .collect()
}

#[test]
fn trees_have_the_published_roots() {
    assert_eq!(Frontier::default().root(), EMPTY_ROOT);
    let leaves = published();
    for (at, root) in ROOTS.iter().enumerate() {
        assert_eq!(grown(&leaves[..=at]).root(), hash(root), "{at}");
    }
}

#[test]
fn proofs_are_the_published_ones() {
    let leaves = published();
    let hashes = |hex: &[&str]| hex.iter().map(|hex| hash(hex)).collect::<Vec<Hash>>();
    assert_eq!(
        inclusion(&leaves, 0),
        hashes(&[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ])
    );
    assert_eq!(
        inclusion(&leaves, 5),
        hashes(&[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
    assert_eq!(
        consistency(&leaves, 6),
        hashes(&[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
    assert_eq!(
        consistency(&leaves[..5], 2),
        hashes(&[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ])
    );
}

#[test]
fn each_leaf_of_each_small_tree_is_proved_and_no_other() {
    let leaves: Vec<Hash> = (0_u8..40).map(|n| leaf_hash(&[n])).collect();
    for size in 1..=leaves.len() {
        let (tree, of) = (&leaves[..size], size as u64);
        let root = naive(tree);
        for at in 0..size {
            let proof = inclusion(tree, at);
            let verdict = |leaf, at, of, proof: &[Hash]| {
                verify_inclusion(leaf, (at, of), &root, proof).is_ok()
            };
            let at = at as u64;
            let leaf = tree[at as usize];
            assert!(verdict(leaf, at, of, &proof), "{at} of {size}");
            assert!(!verdict(leaf_hash(b"other"), at, of, &proof));
            for other in (0..of + 2).filter(|other| *other != at) {
                assert!(
                    !verdict(leaf, other, of, &proof),
                    "{at} as {other} of {size}"
                );
            }
            let longer = [&proof[..], &[leaf]].concat();
            assert!(!verdict(leaf, at, of, &longer));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!verdict(leaf, at, of, shorter));
            }
            for step in 0..proof.len() {
                let mut other = proof.clone();
                other[step][31] ^= 1;
                assert!(!verdict(leaf, at, of, &other));
            }
        }
    }
}

#[test]
fn l05_a_tree_begins_with_each_it_grew_from_and_with_no_fork_of_it() {
    let leaves: Vec<Hash> = (0_u8..40).map(|n| leaf_hash(&[n])).collect();
    for size in 1..=leaves.len() {
        let tree = &leaves[..size];
        let new = (size as u64, &naive(tree));
        for old in 1..=size {
            let proof = consistency(tree, old);
            let before = naive(&tree[..old]);
            verify_consistency((old as u64, &before), new, &proof).unwrap();
            // Another head of the same size was shown to somebody else.
            let mut forked = tree[..old].to_vec();
            forked[old / 2] = leaf_hash(b"what they saw");
            let forked = naive(&forked);
            assert!(verify_consistency((old as u64, &forked), new, &proof).is_err());
            for other in (1..=size).filter(|other| *other != old) {
                let verdict = verify_consistency((other as u64, &before), new, &proof);
                assert!(verdict.is_err(), "{old} as {other} of {size}");
            }
            for step in 0..proof.len() {
                let mut other = proof.clone();
                other[step][0] ^= 1;
                assert!(verify_consistency((old as u64, &before), new, &other).is_err());
            }
            let longer = [&proof[..], &[before]].concat();
            assert!(verify_consistency((old as u64, &before), new, &longer).is_err());
        }
        verify_consistency((0, &EMPTY_ROOT), new, &[]).unwrap();
        assert!(verify_consistency((0, new.1), new, &[]).is_err());
    }
}

fn sizes() -> impl Strategy<Value = (usize, usize, usize)> {
    (1_usize..700).prop_flat_map(|size| (Just(size), 0..size, 1..=size))
}

proptest! {
    #[test]
    fn a_tree_that_grows_is_the_tree_of_the_definition((size, index, old) in sizes(), seed in any::<u64>()) {
        let leaves: Vec<Hash> = (0..size)
            .map(|n| leaf_hash(&(seed ^ n as u64).to_le_bytes()))
            .collect();
        let mut tree = Frontier::default();
        for leaf in &leaves {
            tree.push(*leaf, |level, position, hash| {
                let (from, to) = ((position << level) as usize, ((position + 1) << level) as usize);
                assert_eq!(hash, naive(&leaves[from..to]));
            });
        }
        let root = naive(&leaves);
        prop_assert_eq!(tree.root(), root);
        prop_assert_eq!(Frontier::from_bytes(size as u64, &tree.to_bytes()).unwrap(), tree);
        prop_assert!(Frontier::from_bytes(size as u64 + 1, &[]).is_none());
        let proof = inclusion(&leaves, index);
        prop_assert!(verify_inclusion(leaves[index], (index as u64, size as u64), &root, &proof).is_ok());
        let proof = consistency(&leaves, old);
        let before = naive(&leaves[..old]);
        prop_assert!(verify_consistency((old as u64, &before), (size as u64, &root), &proof).is_ok());
    }

    #[test]
    fn what_is_looked_up_for_a_range_is_its_root((size, index, _) in sizes()) {
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_le_bytes())).collect();
        for range in inclusion_path(index as u64, size as u64).unwrap() {
            let parts: Vec<Hash> = complete(&range).into_iter().map(|node| {
                let of = node.leaves();
                perfect(leaves[of.start as usize..of.end as usize].to_vec()).unwrap()
            }).collect();
            prop_assert_eq!(join(&parts), naive(&leaves[range.start as usize..range.end as usize]));
        }
    }

    #[test]
    fn no_proof_is_long_and_none_panics(
        index in any::<u64>(), size in any::<u64>(), old in any::<u64>(),
        proof in prop::collection::vec(any::<Hash>(), 0..70),
    ) {
        let _ = verify_inclusion([0; 32], (index, size), &[1; 32], &proof);
        let _ = verify_consistency((old, &[0; 32]), (size, &[1; 32]), &proof);
        if let Some(path) = inclusion_path(index, size) {
            prop_assert!(path.len() <= 64);
        }
        if let Some(path) = consistency_path(old, size) {
            prop_assert!(path.len() <= 65);
        }
    }
}
