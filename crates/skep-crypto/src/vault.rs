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
        let info = of_records(b"skep vault records v1", class, place);
        DataKey::from_bytes(kdf::derive(self.bytes(), &[], &info))
    }

    /// The same for records that `own` is needed for as well: HKDF-Extract takes the one as its salt and the other
    /// as its input, so that neither of the two opens anything alone.
    #[must_use]
    pub fn records_with(&self, own: &Self, class: &str, place: &[&[u8]]) -> DataKey {
        let info = of_records(b"skep vault records of an organization v1", class, place);
        DataKey::from_bytes(kdf::derive(self.bytes(), own.bytes(), &info))
    }

    /// The same key once more, for whoever keeps one and lends one.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(Zeroizing::new(*self.bytes()))
    }

    /// Reads one that was sealed whole.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(bytes.first_chunk::<32>().filter(|_| bytes.len() == 32)?);
        Some(Self(key))
    }

    /// The 32 bytes, for whoever seals them whole.
    #[must_use]
    pub fn raw(&self) -> crate::Plain<Vec<u8>> {
        crate::Plain::new(self.bytes().to_vec())
    }

    /// The key of the names of files, which say nothing of what is in them.
    #[must_use]
    pub fn names(&self) -> MacKey {
        MacKey::from_bytes(&kdf::derive(self.bytes(), &[], b"skep vault names v1"))
    }
}

/// What tells the keys of records apart.
fn of_records(label: &[u8], class: &str, place: &[&[u8]]) -> Vec<u8> {
    let mut info = label.to_vec();
    frame::push_part(&mut info, class.as_bytes());
    for part in place {
        frame::push_part(&mut info, part);
    }
    info
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

    #[test]
    fn x09_a_record_of_two_keys_needs_both() {
        let random = SeededRandom::new(2);
        let [host, own, other] = [(); 3].map(|()| VaultKey::generate(&random));
        let id = Identity {
            table: "vault",
            column: "secret",
            workspace: [0; 16],
            row: [2; 16],
        };
        let place: &[&[u8]] = &[b"o", b"w"];
        let sealed = host
            .records_with(&own, "secret", place)
            .seal(&random, &id, b"value");
        let opens = |key: crate::DataKey| key.open(&id, &sealed).is_ok();
        assert!(opens(host.again().records_with(
            &own.again(),
            "secret",
            place
        )));
        assert!(!opens(host.records("secret", place)));
        assert!(!opens(own.records("secret", place)));
        assert!(!opens(host.records_with(&other, "secret", place)));
        assert!(!opens(other.records_with(&own, "secret", place)));
        assert!(!opens(host.records_with(&own, "setting", place)));
        assert!(!opens(host.records_with(&own, "secret", &[b"ow"])));
        assert!(VaultKey::parse(own.raw().expose()).is_some());
        assert!(VaultKey::parse(b"short").is_none());
    }
}
