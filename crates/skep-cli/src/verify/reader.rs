//! How much of a text stands in another.

/// The longest piece of `value` that stands in `shown`, whatever the capitals.
pub(super) fn longest_run(shown: &[u8], value: &[u8]) -> usize {
    let mut of_value = [false; 256];
    for byte in value {
        of_value[usize::from(byte.to_ascii_lowercase())] = true;
    }
    let mut longest = 0;
    // For each letter of the value, how long the run is that ends at it and at the letter before.
    let mut runs = vec![0_usize; value.len() + 1];
    let mut is_any = false;
    for byte in shown {
        if !of_value[usize::from(byte.to_ascii_lowercase())] {
            if is_any {
                runs.fill(0);
                is_any = false;
            }
            continue;
        }
        is_any = true;
        for at in (0..value.len()).rev() {
            let same = value[at].eq_ignore_ascii_case(byte);
            runs[at + 1] = if same { runs[at] + 1 } else { 0 };
            longest = longest.max(runs[at + 1]);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::longest_run;

    proptest! {
        #[test]
        fn a_piece_is_found_wherever_it_stands(
            before in "[0-9]{0,40}", value in "[a-z]{1,40}", from in 0_usize..40, length in 0_usize..40,
        ) {
            let from = from.min(value.len());
            let piece = &value[from..(from + length).min(value.len())];
            let shown = format!("{before}{}{before}", piece.to_uppercase());
            prop_assert!(longest_run(shown.as_bytes(), value.as_bytes()) >= piece.len());
        }
    }

    #[test]
    fn letters_apart_are_no_run() {
        assert_eq!(longest_run(b"a-b-c", b"abc"), 1);
        assert_eq!(longest_run(b"", b"abc"), 0);
        assert_eq!(longest_run(b"xxabxabc", b"abc"), 3);
    }
}
