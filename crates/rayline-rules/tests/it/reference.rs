//! The reference page says what the tables say.

use expect_test::expect_file;
use rayline_rules::reference::reference;

#[test]
fn the_reference_page_is_current() {
    expect_file!["../../../../docs/rules-language.md"].assert_eq(&reference());
}
