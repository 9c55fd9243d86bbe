//! The values that nobody may get, and what they could be written as.

/// A value that no interface may give back. It holds what escapes differ on.
pub(crate) const VALUE: &str = "cnry-7f3a9Q/+x&81\"Zt";
/// One without anything that escapes differ on.
pub(crate) const PLAIN: &str = "cnryplain4b1d77e0c2";

/// Nothing of a value in any of the forms that are looked for.
pub(crate) fn assert_no_value(what: &str, text: &str) {
    use base64ct::Encoding;
    for value in [VALUE, PLAIN] {
        let bytes = value.as_bytes();
        let mut forms = vec![value.to_owned(), value.chars().rev().collect()];
        let mut hex = String::new();
        for byte in bytes {
            hex.push_str(&format!("{byte:02x}"));
        }
        forms.push(hex);
        for skip in 0..3 {
            let mut shifted = vec![b'x'; skip];
            shifted.extend_from_slice(bytes);
            let coded = base64ct::Base64Unpadded::encode_string(&shifted);
            forms.push(coded[4..coded.len() - 4].to_owned());
        }
        forms.push(value.replace('"', "\\\""));
        for form in forms {
            assert!(!text.contains(&form), "{what} holds {form}:\n{text}");
            assert!(
                !text.contains(&form.to_uppercase()),
                "{what} holds {form}, in capitals"
            );
        }
    }
}
