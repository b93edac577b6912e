//! Regular expressions: those of nginx (PCRE) as this edge's, which look neither ahead nor back.

/// The same expression without the one kind of looking ahead that is in everybody's configuration: `(?!text)`, with nothing
/// behind it that narrows more, as in `/\.(?!well-known)`.
pub(super) fn translated(regex: &str) -> String {
    without_lookahead(regex).unwrap_or_else(|| regex.to_owned())
}

fn without_lookahead(regex: &str) -> Option<String> {
    let (before, rest) = regex.split_once("(?!")?;
    let (text, behind) = rest.split_once(')')?;
    let is_literal = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/'));
    (is_literal && matches!(behind, "" | ".*" | ".*$")).then(|| format!("{before}{}", other_than(text)))
}

/// What does not begin with this text: `ab` as `(?:[^a]|a(?:[^b]|$)|$)`.
fn other_than(text: &str) -> String {
    let mut whole = String::new();
    for c in text.chars().rev() {
        let deeper = if whole.is_empty() { String::new() } else { format!("|{c}{whole}") };
        whole = format!("(?:[^{c}]{deeper}|$)");
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_to_follow_is_spelled_out() {
        assert_eq!(translated(r"/\.(?!ab).*"), r"/\.(?:[^a]|a(?:[^b]|$)|$)");
        for same in [r"/\.(?!a.b)", r"/\.(?!ab)c", "(?=a)", r"\.php$", "(?!"] {
            assert_eq!(translated(same), same);
        }
    }
}
