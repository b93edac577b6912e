//! Words, blocks and quotes, as nginx and Caddy write them: directives with arguments, each with its line.

use std::iter::Peekable;
use std::str::CharIndices;

/// How deep blocks may be nested.
const DEEPEST: usize = 32;

/// Whose grammar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// A directive ends at `;`, and `{` and `}` are signs wherever they stand.
    Nginx,
    /// A directive ends with its line, and a `{` opens a block only as the last word of it.
    Caddy,
}

/// A directive: its name, its arguments, and what stands in its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    /// The name first.
    pub(super) words: Vec<String>,
    /// From 1.
    pub(super) line: usize,
    pub(super) block: Option<Vec<Self>>,
}

impl Directive {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    pub(super) fn argument(&self, place: usize) -> &str {
        self.arguments().get(place).map_or("", String::as_str)
    }

    /// What stands in its block.
    pub(super) fn inside(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The directive on one line, for whoever is told of it.
    pub(super) fn shown(&self) -> String {
        let block = if self.block.is_some() { " { … }" } else { "" };
        format!("{}{block}", self.words.join(" "))
    }
}

/// Where reading stopped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    /// `;`, or the end of a line.
    End,
}

/// Everything that was read, and where that stopped if not at the end.
pub(super) fn parse(text: &str, grammar: Grammar) -> (Vec<Directive>, Option<Unread>) {
    let mut reader = Reader { text, characters: text.char_indices().peekable(), line: 1, began: 1, grammar };
    // whatever was open is closed where reading stopped
    let mut open: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let mut siblings: Vec<Directive> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut began = 1;
    let mut unread = None;
    loop {
        let line = reader.line;
        let token = match reader.token(words.is_empty()) {
            Ok(Some(token)) => token,
            Ok(None) => break,
            Err(why) => {
                unread = Some(Unread { line, why });
                break;
            }
        };
        match token {
            Token::Word(word) => {
                if words.is_empty() {
                    began = reader.began;
                }
                words.push(word);
            }
            Token::End => {
                if !words.is_empty() {
                    siblings.push(Directive { words: std::mem::take(&mut words), line: began, block: None });
                }
            }
            Token::Open if open.len() >= DEEPEST => {
                unread = Some(Unread { line, why: "blocks are nested too deeply" });
                break;
            }
            Token::Open => {
                let line = if words.is_empty() { line } else { began };
                let directive = Directive { words: std::mem::take(&mut words), line, block: None };
                open.push((directive, std::mem::take(&mut siblings)));
            }
            Token::Close => {
                if !words.is_empty() {
                    siblings.push(Directive { words: std::mem::take(&mut words), line: began, block: None });
                }
                let Some((mut directive, above)) = open.pop() else {
                    unread = Some(Unread { line, why: "a `}` closes nothing" });
                    break;
                };
                directive.block = Some(std::mem::replace(&mut siblings, above));
                siblings.push(directive);
            }
        }
    }
    if !words.is_empty() {
        siblings.push(Directive { words, line: began, block: None });
    }
    if unread.is_none() && !open.is_empty() {
        unread = Some(Unread { line: reader.line, why: "a `{` is not closed" });
    }
    while let Some((mut directive, above)) = open.pop() {
        directive.block = Some(std::mem::replace(&mut siblings, above));
        siblings.push(directive);
    }
    (siblings, unread)
}

struct Reader<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    line: usize,
    /// The line of the last token.
    began: usize,
    grammar: Grammar,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let (_, c) = self.characters.next()?;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn peek(&mut self) -> Option<char> {
        self.characters.peek().map(|(_, c)| *c)
    }

    /// The rest of the text.
    fn rest(&mut self) -> &str {
        let at = self.characters.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text.get(at..).unwrap_or_default()
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.next();
        }
    }

    /// The next token; `is_first` where a directive would begin.
    fn token(&mut self, is_first: bool) -> Result<Option<Token>, &'static str> {
        loop {
            let Some(c) = self.peek() else { return Ok(None) };
            self.began = self.line;
            match (c, self.grammar) {
                ('\n', Grammar::Caddy) => {
                    self.next();
                    return Ok(Some(Token::End));
                }
                ('\\', Grammar::Caddy) if self.rest().starts_with("\\\n") || self.rest().starts_with("\\\r\n") => {
                    while self.next() != Some('\n') {}
                }
                (c, _) if c.is_whitespace() => {
                    self.next();
                }
                ('#', _) => self.skip_line(),
                (';', Grammar::Nginx) => {
                    self.next();
                    return Ok(Some(Token::End));
                }
                ('{', Grammar::Nginx) => {
                    self.next();
                    return Ok(Some(Token::Open));
                }
                ('}', Grammar::Nginx) => {
                    self.next();
                    return Ok(Some(Token::Close));
                }
                ('{', Grammar::Caddy) if self.ends_line("{") => {
                    self.next();
                    return Ok(Some(Token::Open));
                }
                ('}', Grammar::Caddy) if is_first => {
                    self.next();
                    return Ok(Some(Token::Close));
                }
                ('"', _) | ('\'', Grammar::Nginx) | ('`', Grammar::Caddy) => return self.quoted(c).map(Some),
                _ => return Ok(Some(Token::Word(self.word()))),
            }
        }
    }

    /// Whether nothing but white space, or a comment, follows `sign` on its line.
    fn ends_line(&mut self, sign: &str) -> bool {
        let rest = self.rest();
        let behind = rest.strip_prefix(sign).unwrap_or_default().lines().next().unwrap_or_default().trim_start();
        behind.is_empty() || behind.starts_with('#')
    }

    fn quoted(&mut self, quote: char) -> Result<Token, &'static str> {
        self.next();
        let mut word = String::new();
        while let Some(c) = self.next() {
            match c {
                c if c == quote => return Ok(Token::Word(word)),
                '\\' if quote != '`' && self.peek() == Some(quote) => word.extend(self.next()),
                c => word.push(c),
            }
        }
        Err("a quote is not closed")
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek() {
            let ends = match self.grammar {
                // `${name}` is one word
                Grammar::Nginx => {
                    matches!(c, ';' | '{' | '}') && !(c == '{' && word.ends_with('$')) && !is_open_variable(&word)
                }
                Grammar::Caddy => false,
            };
            if c.is_whitespace() || ends {
                break;
            }
            if c == '\\' && self.grammar == Grammar::Nginx {
                self.next();
                match self.peek() {
                    Some(escaped) if escaped.is_whitespace() || matches!(escaped, ';' | '{' | '}' | '"' | '\'') => {}
                    _ => word.push('\\'),
                }
                word.extend(self.next());
                continue;
            }
            word.extend(self.next());
        }
        word
    }
}

/// Whether a `${` in it is not closed.
fn is_open_variable(word: &str) -> bool {
    word.rfind("${").is_some_and(|at| word.get(at..).is_some_and(|rest| !rest.contains('}')))
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
