//! The command line of the rules language.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use rayline_rules::ruleset::Phase;

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Hold an expression against a request, and show what each of its parts is worth
    #[command(
        long_about = "Hold an expression against a request, and show what each of its parts is worth. No request is sent.\n\n\
                      The request is a URL, for a plain GET, or a file (`-` is standard input) with a JSON object: {method, url, \
                      headers, client_ip, country, body, response: {status, headers}}. All but `url` may be left out; what is \
                      not said is not there. `headers` has a text per name, or an array of them. Without `country`, that of \
                      `client_ip` is looked up as the edge does it. Parts of multipart bodies are not taken apart.\n\n\
                      --json prints {result, trace}; each term of the trace is {text, reached, value, parts}. An expression that \
                      does not compile gives {problem: {severity, message, path, file, start, end, hint}}.\n\n\
                      Exits with 0 if the expression is true or false, 1 if it does not compile, 3 if the request or a list \
                      cannot be read.",
        after_help = "Examples:\n  \
                      rayline rules test 'http.host eq \"shop.example\"' --request https://shop.example/cart\n  \
                      rayline rules test 'ip.src in $office' --request request.json --list office=office.txt\n  \
                      rayline rules test 'http.response.code ge 500' --request failed.json --phase http_custom_errors\n  \
                      rayline rules test --json 'ssl' --request https://shop.example/ | jq .result"
    )]
    Test(RulesTestArgs),

    /// List every field and function, and why some are not known here
    #[command(
        long_about = "List every field with its type and the stage from which it is known, those of Cloudflare's that this edge \
                      does not know with the reason, and every function with what it takes and gives.\n\n\
                      --json prints {fields: [{name, type, known, reason, doc}], functions: [{name, call, gives, \
                      only_in_values, doc}]}; `known` is `request`, `body`, `response` or null.",
        after_help = "Examples:\n  \
                      rayline rules fields\n  \
                      rayline rules fields body\n  \
                      rayline rules fields --json | jq -r '.fields[].name'"
    )]
    Fields(RulesFieldsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RulesTestArgs {
    /// The expression
    #[arg(value_name = "EXPR")]
    pub(crate) expression: String,
    /// The request: a URL, or a file with a JSON object
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) request: String,
    /// A list that the expression names, and the file with its items, one a line; several times
    #[arg(long = "list", value_name = "NAME=FILE")]
    pub(crate) lists: Vec<NamedList>,
    /// The phase in which the rule stands, which limits what it may ask for [default: whatever the request says]
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub(crate) phase: Option<Phase>,
}

#[derive(Debug, Args)]
pub(crate) struct RulesFieldsArgs {
    /// Only those with this in their name
    #[arg(value_name = "PART")]
    pub(crate) part: Option<String>,
}

/// `NAME=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedList {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

impl FromStr for NamedList {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text.split_once('=').ok_or("a list is NAME=FILE")?;
        let name = name.strip_prefix('$').unwrap_or(name);
        let is_name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_' || char == '.';
        match !name.is_empty() && name.chars().all(is_name) {
            true if !file.is_empty() => Ok(Self { name: name.to_owned(), file: file.into() }),
            true => Err("there is no file behind `=`"),
            false => Err("the name of a list has lower-case letters, digits and `_`"),
        }
    }
}

fn phase(text: &str) -> Result<Phase, String> {
    Phase::named(text).ok_or_else(|| {
        let names: Vec<_> = Phase::ALL.iter().map(|phase| phase.name()).collect();
        format!("the phases are {}", names.join(", "))
    })
}
