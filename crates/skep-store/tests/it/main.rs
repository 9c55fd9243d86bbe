//! Misuse that must not compile. Each case is a security test: if one begins to compile, the types
//! no longer guard what they say they guard.

#[test]
fn t02_misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
