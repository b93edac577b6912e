//! Snippets: `(name) { … }`, and `import name` where they are used.

use std::collections::HashMap;

use crate::import::syntax::Directive;

/// How deep snippets may use snippets.
const DEEPEST: usize = 8;
/// Directives that all uses together may bring.
const MOST: usize = 10_000;

/// The snippets of a text, by their names.
pub(super) struct Snippets {
    known: HashMap<String, Vec<Directive>>,
    left: usize,
}

impl Snippets {
    /// Takes the snippets out of what was read.
    pub(super) fn take_from(directives: &mut Vec<Directive>) -> Self {
        let mut known = HashMap::new();
        directives.retain(|directive| {
            let name = directive.name().strip_prefix('(').and_then(|name| name.strip_suffix(')'));
            name.is_none_or(|name| known.insert(name.to_owned(), directive.inside().to_vec()).is_some())
        });
        Self { known, left: MOST }
    }

    /// The directives with what each `import` stands for. One of another file, or with arguments, stays.
    pub(super) fn expand(&mut self, directives: Vec<Directive>) -> Vec<Directive> {
        self.expand_below(directives, 0)
    }

    fn expand_below(&mut self, directives: Vec<Directive>, depth: usize) -> Vec<Directive> {
        let mut expanded = Vec::with_capacity(directives.len());
        for mut directive in directives {
            if let Some(inside) = self.meant(&directive, depth) {
                expanded.extend(self.expand_below(inside, depth + 1));
                continue;
            }
            directive.block = directive.block.map(|block| self.expand_below(block, depth));
            expanded.push(directive);
        }
        expanded
    }

    /// What an `import` stands for.
    fn meant(&mut self, directive: &Directive, depth: usize) -> Option<Vec<Directive>> {
        let [name] = directive.arguments() else { return None };
        let inside = self.known.get(name).filter(|_| directive.name() == "import" && depth < DEEPEST)?;
        self.left = self.left.checked_sub(inside.len().max(1))?;
        Some(inside.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::syntax::{Grammar, parse};

    fn expanded(text: &str) -> Vec<String> {
        let (mut directives, _) = parse(text, Grammar::Caddy);
        let mut snippets = Snippets::take_from(&mut directives);
        let expanded = snippets.expand(directives);
        expanded.iter().flat_map(Directive::inside).map(Directive::shown).collect()
    }

    #[test]
    fn what_is_imported_stands_where_it_is_used() {
        let text =
            "(a) {\n  encode gzip\n  import b\n}\n(b) {\n  log\n}\nx.test {\n  import a\n  import c\n  import a 1\n}\n";
        assert_eq!(expanded(text), ["encode gzip", "log", "import c", "import a 1"]);
    }

    #[test]
    fn what_imports_itself_ends() {
        let text = "(a) {\n  import a\n  import a\n  log\n}\nx.test {\n  import a\n}\n";
        assert!(expanded(text).len() <= MOST);
    }
}
