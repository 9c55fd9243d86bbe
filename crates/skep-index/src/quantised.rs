//! A unit vector in one byte per component, and its form in storage.

/// Codes lie in ±127, so that negation is exact and no product needs a special case.
const LARGEST: f32 = 127.0;

/// Bytes before the codes: the scale as a little-endian `f32`.
const HEADER: usize = 4;

/// A vector of length one; component `i` is about `codes[i] * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    scale: f32,
    codes: Box<[i8]>,
}

impl Quantised {
    /// Scales `vector` to length one and rounds its components. A vector of zeros, or one with a
    /// component that is not finite, becomes zeros: it is near to nothing.
    #[must_use]
    pub fn of(vector: &[f32]) -> Self {
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        let largest = vector.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        if !norm.is_normal() || !largest.is_normal() {
            let codes = vec![0; vector.len()].into_boxed_slice();
            return Self { scale: 0.0, codes };
        }
        let step = largest / LARGEST;
        let codes = vector
            .iter()
            .map(|x| (x / step).round().clamp(-LARGEST, LARGEST) as i8)
            .collect();
        let scale = step / norm;
        Self { scale, codes }
    }

    /// The bytes that storage seals.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.codes.len());
        bytes.extend(self.scale.to_le_bytes());
        bytes.extend(self.codes.iter().map(|code| code.cast_unsigned()));
        bytes
    }

    /// Reads the bytes back; `None` if no quantiser wrote them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (scale, codes) = Self::parts_of_bytes(bytes)?;
        let codes = codes.iter().map(|code| code.cast_signed()).collect();
        Some(Self { scale, codes })
    }

    /// Scale and codes where they stand in the bytes of storage; `None` if no quantiser wrote them.
    pub(crate) fn parts_of_bytes(bytes: &[u8]) -> Option<(f32, &[u8])> {
        const LEAST: u8 = i8::MIN.cast_unsigned();
        let (scale, codes) = bytes.split_first_chunk::<HEADER>()?;
        let scale = f32::from_le_bytes(*scale);
        let sound = (0.0..=1.0).contains(&scale) && !codes.contains(&LEAST);
        sound.then_some((scale, codes))
    }

    /// Puts together what [`Self::scale`] and [`Self::codes`] told.
    pub(crate) fn from_parts(scale: f32, codes: Box<[i8]>) -> Self {
        Self { scale, codes }
    }

    /// How many components.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.codes.len()
    }

    /// What one step of a code is worth.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The components in steps, each in ±127.
    #[must_use]
    pub fn codes(&self) -> &[i8] {
        &self.codes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Quantised;

    proptest! {
        #[test]
        fn components_are_within_half_a_step(vector in prop::collection::vec(-9.0f32..9.0, 1..300)) {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            prop_assume!(norm > 1e-3);
            let quantised = Quantised::of(&vector);
            for (x, &code) in vector.iter().zip(quantised.codes()) {
                let error = (x / norm - f32::from(code) * quantised.scale()).abs();
                prop_assert!(error <= quantised.scale() * 0.501);
            }
            prop_assert_eq!(Quantised::from_bytes(&quantised.to_bytes()), Some(quantised));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(read) = Quantised::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn what_has_no_direction_is_near_to_nothing() {
        for vector in [
            [0.0, 0.0],
            [f32::NAN, 1.0],
            [f32::INFINITY, 1.0],
            [1e-44, 0.0],
        ] {
            assert!(Quantised::of(&vector).scale() <= 0.0, "{vector:?}");
        }
    }
}
