//! What goes to the terminal: colours, widths, exit codes, and nothing hostile.

pub(crate) mod markdown;

use std::fmt::Write as _;
use std::io::{self, StdoutLock, Write as _};
use std::process::ExitCode;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Fine,
    /// A check failed, or a fault was found.
    Fault,
    /// The command line is wrong.
    Usage,
    /// It could not run, or could not tell.
    CouldNotRun,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Fault => 1,
            Exit::Usage => 2,
            Exit::CouldNotRun => 3,
        })
    }
}

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const BLUE: Style = AnsiColor::Blue.on_default();
pub(crate) const MAGENTA: Style = AnsiColor::Magenta.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Sets for all that follows when colours are used.
pub(crate) fn colour(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Standard output; colours written to it are taken out where nobody wants them.
pub(crate) fn stdout() -> AutoStream<StdoutLock<'static>> {
    AutoStream::auto(io::stdout().lock())
}

/// Whether standard output gets colours.
pub(crate) fn is_colourful() -> bool {
    !matches!(AutoStream::choice(&io::stdout()), anstream::ColorChoice::Never)
}

/// Columns of the terminal at standard output; `None` if it is no terminal.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0).max(20))
}

/// The text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// One line for the person, on standard error.
pub(crate) fn say(message: &str) {
    // standard error may be closed: then there is nobody to tell
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// Says what went wrong, and what may help.
pub(crate) fn fail(message: &str, hint: Option<&str>) {
    say(&format!("{}: {}", styled(RED.bold(), "error"), escaped(message)));
    if let Some(hint) = hint {
        say(&format!("{}: {}", styled(CYAN, "hint"), escaped(hint)));
    }
}

/// Whether a terminal may do something else with it than show it: control characters (C0, DEL, C1), and those that
/// turn the direction of writing or are not seen.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Text from outside, fit for a terminal: what is hostile is shown as `\u{1b}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hostile(letter) {
            let _ = write!(out, "{}", letter.escape_unicode());
        } else {
            out.push(letter);
        }
    }
    out
}

/// JSON from outside, fit for a terminal and still the same JSON: hostile characters can only stand within strings.
pub(crate) fn escaped_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hostile(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_reaches_a_terminal() {
        let hostile = "\x1b[2J\u{9b}31m\r\n\x07\x7f\u{202e}txt.exe\u{200b}";
        assert_eq!(escaped(hostile), r"\u{1b}[2J\u{9b}31m\u{d}\u{a}\u{7}\u{7f}\u{202e}txt.exe\u{200b}");
        assert_eq!(escaped("Grüße, 世界 🌍"), "Grüße, 世界 🌍");
        let json = format!("{{\"a\":\"{}\"}}", "\u{9b}31m\x7f\u{202e}");
        assert_eq!(escaped_json(&json), r#"{"a":"\u009b31m\u007f\u202e"}"#);
        let same: serde_json::Value = serde_json::from_str(&escaped_json(&json)).unwrap();
        assert_eq!(same["a"], "\u{9b}31m\x7f\u{202e}");
    }
}
