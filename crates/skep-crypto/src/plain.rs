//! `Plain<T>`: a secret in memory that cannot be printed, copied or left behind.

use zeroize::Zeroize;

/// A secret value, wiped when dropped.
///
/// It has no `Debug`, `Display`, `Clone` or `Serialize`, so a secret cannot slip into a log, an
/// error or an answer; reading it takes a visible [`Plain::expose`].
///
/// ```compile_fail,E0277
/// let secret = skep_crypto::Plain::new(String::from("hunter2"));
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail,E0277
/// let secret = skep_crypto::Plain::new(String::from("hunter2"));
/// println!("{secret}");
/// ```
///
/// ```compile_fail,E0599
/// let secret = skep_crypto::Plain::new(String::from("hunter2"));
/// let copy = secret.clone();
/// ```
///
/// ```
/// let secret = skep_crypto::Plain::new(String::from("hunter2"));
/// assert_eq!(secret.expose(), "hunter2");
/// ```
pub struct Plain<T: Zeroize>(T);

impl<T: Zeroize> Plain<T> {
    /// Takes charge of `value`. Copies made before this call are the caller's to wipe.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Plain<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use zeroize::Zeroize;

    use super::Plain;

    struct Witness(Arc<AtomicBool>);

    impl Zeroize for Witness {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_dropped_secret_is_wiped() {
        let wiped = Arc::new(AtomicBool::new(false));
        drop(Plain::new(Witness(Arc::clone(&wiped))));
        assert!(wiped.load(Ordering::SeqCst));
    }
}
