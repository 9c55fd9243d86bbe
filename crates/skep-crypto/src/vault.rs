//! Keys of a vault: one for each number, and under it one for each place and class.

use zeroize::Zeroizing;

use crate::{DataKey, MacKey, Random, frame, kdf};

/// 32 random bytes behind the records of a host's vault. Wiped when dropped.
pub struct VaultKey(Zeroizing<[u8; 32]>);

impl VaultKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of the records of one class in one place (HKDF-SHA-256): what is sealed as one class,
    /// or for one place, opens as no other.
    #[must_use]
    pub fn records(&self, class: &str, place: &[&[u8]]) -> DataKey {
        let mut info = b"skep vault records v1".to_vec();
        frame::push_part(&mut info, class.as_bytes());
        for part in place {
            frame::push_part(&mut info, part);
        }
        DataKey::from_bytes(kdf::derive(self.bytes(), &[], &info))
    }

    /// The key of the names of files, which say nothing of what is in them.
    #[must_use]
    pub fn names(&self) -> MacKey {
        MacKey::from_bytes(&kdf::derive(self.bytes(), &[], b"skep vault names v1"))
    }
}

#[cfg(test)]
mod tests {
    use super::VaultKey;
    use crate::{Identity, SeededRandom};

    #[test]
    fn x07_a_record_of_one_class_opens_as_no_other() {
        let random = SeededRandom::new(1);
        let key = VaultKey::generate(&random);
        let id = Identity {
            table: "vault",
            column: "record",
            workspace: [1; 16],
            row: [2; 16],
        };
        let sealed = key
            .records("secret", &[b"o", b"w"])
            .seal(&random, &id, b"value");
        let opens = |key: &VaultKey, class: &str, place: &[&[u8]]| {
            key.records(class, place).open(&id, &sealed).is_ok()
        };
        assert!(opens(&key, "secret", &[b"o", b"w"]));
        assert!(!opens(&key, "setting", &[b"o", b"w"]));
        assert!(!opens(&key, "secret", &[b"o", b"x"]));
        assert!(!opens(&key, "secret", &[b"o"]));
        assert!(!opens(&key, "secret", &[b"ow"]));
        assert!(!opens(
            &VaultKey::generate(&random),
            "secret",
            &[b"o", b"w"]
        ));
    }
}
