//! A text with holes, split once and filled often. It knows nothing of what fills them.

/// What stands between the holes, each piece with the hole behind it.
#[derive(Clone, Debug)]
pub(crate) struct Template<S> {
    pieces: Vec<(Box<str>, Option<S>)>,
}

impl<S: Copy> Template<S> {
    /// Splits `text` at `tokens`, all of which begin with `opening`. What only looks like a token stays as it is.
    pub(crate) fn parse(text: &str, opening: &str, tokens: &[(&str, S)]) -> Self {
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut from = 0;
        while let Some(place) = text.get(from..).and_then(|rest| rest.find(opening)).map(|offset| from + offset) {
            let rest = text.get(place..).unwrap_or_default();
            match tokens.iter().find(|(token, _)| rest.starts_with(token)) {
                Some((token, slot)) => {
                    pieces.push((text.get(start..place).unwrap_or_default().into(), Some(*slot)));
                    from = place + token.len();
                    start = from;
                }
                // Tokens are ASCII, so the byte behind the first is a boundary.
                None => from = place + 1,
            }
        }
        pieces.push((text.get(start..).unwrap_or_default().into(), None));
        Self { pieces }
    }

    /// Writes the text, with `fill` called at each hole.
    pub(crate) fn render(&self, out: &mut Vec<u8>, mut fill: impl FnMut(S, &mut Vec<u8>)) {
        for (piece, slot) in self.pieces() {
            out.extend_from_slice(piece.as_bytes());
            if let Some(slot) = slot {
                fill(slot, out);
            }
        }
    }

    /// The text, in pieces, each with the hole behind it.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&str, Option<S>)> {
        self.pieces.iter().map(|(piece, slot)| (&**piece, *slot))
    }

    /// The holes, in order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = S> {
        self.pieces.iter().filter_map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_known_tokens_only() {
        let tokens = [("::A::", 'a'), ("::B::", 'b')];
        for (text, expected) in [
            ("", ""),
            ("no token", "no token"),
            ("::A::", "[a]"),
            ("x::A::::B::y", "x[a][b]y"),
            (":::A:: ::C:: ::a:: ::A:", ":[a] ::C:: ::a:: ::A:"),
            ("ä::B::ö", "ä[b]ö"),
        ] {
            let mut out = Vec::new();
            Template::parse(text, "::", &tokens)
                .render(&mut out, |slot, out| out.extend_from_slice(format!("[{slot}]").as_bytes()));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text}");
        }
    }
}
