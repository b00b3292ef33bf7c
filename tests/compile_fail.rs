//! What a mistake looks like: each case below `trybuild/` must fail to compile with the text beside it.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the texts anew.

#[test]
fn mistakes_are_reported_at_the_users_tokens() {
    trybuild::TestCases::new().compile_fail("trybuild/*/*.rs");
}
