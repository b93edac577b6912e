//! The explain pages' Markdown for a terminal: headings, paragraphs, lists, code. No more of Markdown than they use.

use std::iter;

use anstyle::Style;

use super::{BOLD, CYAN, DIM};

/// Lines longer than this are hard to read, however wide the terminal.
const MOST_COLUMNS: usize = 100;

/// The text with colours, wrapped to `width` columns.
pub(crate) fn render(markdown: &str, width: usize) -> String {
    let mut page = Page { out: String::new(), width: width.min(MOST_COLUMNS), block: None, next_number: 1 };
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match fence {
            Some(_) if text.starts_with("```") => fence = None,
            Some(fenced) => page.code(line, fenced),
            None if text.starts_with("```") => {
                page.end_block();
                fence = Some(indent);
            }
            None => page.text(text, indent),
        }
    }
    page.end_block();
    page.out
}

struct Page {
    out: String,
    width: usize,
    block: Option<Block>,
    /// The number that continues the ordered list, so that a wrapped line such as `408. Then` does not.
    next_number: u32,
}

/// A paragraph or list item whose lines are being gathered.
struct Block {
    indent: usize,
    /// `1.` or `-`.
    marker: String,
    text: String,
}

impl Page {
    fn text(&mut self, text: &str, indent: usize) {
        if text.is_empty() {
            self.end_block();
            self.out.push('\n');
        } else if let Some(heading) = text.strip_prefix("## ").or_else(|| text.strip_prefix("# ")) {
            self.end_block();
            self.next_number = 1;
            self.out.push_str(&format!("{BOLD}{heading}{BOLD:#}\n"));
        } else if let Some(rest) = text.strip_prefix(&format!("{}. ", self.next_number)) {
            self.end_block();
            self.block = Some(Block { indent, marker: format!("{}.", self.next_number), text: rest.to_owned() });
            self.next_number += 1;
        } else if let Some(rest) = text.strip_prefix("- ") {
            self.end_block();
            self.block = Some(Block { indent, marker: "-".to_owned(), text: rest.to_owned() });
        } else if let Some(block) = &mut self.block {
            block.text.push(' ');
            block.text.push_str(text);
        } else {
            self.block = Some(Block { indent, marker: String::new(), text: text.to_owned() });
        }
    }

    fn code(&mut self, line: &str, fence_indent: usize) {
        let written = line.len() - line.trim_start().len();
        let code = line.get(written.min(fence_indent)..).unwrap_or_default();
        self.out.push_str(&format!("{:fence_indent$}  {CYAN}{code}{CYAN:#}\n", ""));
    }

    fn end_block(&mut self) {
        let Some(Block { indent, marker, text }) = self.block.take() else { return };
        self.out.extend(iter::repeat_n(' ', indent));
        let mut hang = indent;
        if !marker.is_empty() {
            self.out.push_str(&format!("{DIM}{marker}{DIM:#} "));
            hang += marker.len() + 1;
        }
        let mut column = hang;
        for (place, word) in words(&text).enumerate() {
            if place > 0 && column + 1 + word.columns > self.width {
                self.out.push('\n');
                self.out.extend(iter::repeat_n(' ', hang));
                column = hang;
            } else if place > 0 {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(&word.styled);
            column += word.columns;
        }
        self.out.push('\n');
    }
}

struct Word {
    styled: String,
    columns: usize,
}

/// The words of a paragraph; what stands in backticks is code, also across words.
fn words(text: &str) -> impl Iterator<Item = Word> {
    const CODE: Style = CYAN;
    text.split_whitespace().scan(false, |in_code, word| {
        let mut styled = String::new();
        let mut columns = 0;
        for (place, piece) in word.split('`').enumerate() {
            *in_code ^= place > 0;
            columns += piece.chars().count();
            if *in_code && !piece.is_empty() {
                styled.push_str(&format!("{CODE}{piece}{CODE:#}"));
            } else {
                styled.push_str(piece);
            }
        }
        Some(Word { styled, columns })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# a.code
521 · A title

## Fix it
Look at `the \"code\"` here, and mind the
408. It is not an item.
1. First, with words that go on for a while
   and a block:
   ```sh
   ss -ltn
     indented
   ```
2. Second
   - inner
";

    #[test]
    fn a_page_is_laid_out_for_the_width() {
        let plain = anstream::adapter::strip_str(&render(PAGE, 30)).to_string();
        let expected = "\
a.code
521 · A title

Fix it
Look at the \"code\" here, and
mind the 408. It is not an
item.
1. First, with words that go
   on for a while and a block:
     ss -ltn
       indented
2. Second
   - inner
";
        assert_eq!(plain, expected);
    }

    #[test]
    fn headings_and_code_stand_out() {
        let page = render(PAGE, 80);
        assert!(page.contains("\x1b[1mFix it\x1b[0m\n"), "{page:?}");
        assert!(page.contains("\x1b[36mthe\x1b[0m \x1b[36m\"code\"\x1b[0m here"), "{page:?}");
        assert!(page.contains("     \x1b[36mss -ltn\x1b[0m\n"), "{page:?}");
    }
}
