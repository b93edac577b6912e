//! Where in the code, by a stack trace or the place that an error names: the application's own frame.

use std::sync::LazyLock;

use regex::Regex;

use super::spoken::tidy;

/// How a language writes down where it was.
struct Frames {
    /// What is in every frame.
    needle: &'static str,
    /// One frame, with the groups `file` and `line`.
    regex: &'static str,
    /// Whether the innermost frame comes last.
    is_innermost_last: bool,
}

const LANGUAGES: [Frames; 8] = [
    // Python
    Frames { needle: "File \"", regex: r#"File "(?P<file>[^"\n]+)", line (?P<line>[0-9]+)"#, is_innermost_last: true },
    // .NET
    Frames {
        needle: ":line ",
        regex: r" in (?P<file>[^\n]+?\.[A-Za-z]{2,6}):line (?P<line>[0-9]+)",
        is_innermost_last: false,
    },
    // PHP
    Frames {
        needle: ".php",
        regex: r#"(?: in |#[0-9]+ | at )(?P<file>(?:[A-Za-z]:)?[^\s:("']+\.(?:php|phtml|inc|module))(?:\(| on line |:| line )(?P<line>[0-9]+)"#,
        is_innermost_last: false,
    },
    // Java, Kotlin, Scala: the class is part of what is looked at, for only it tells whose code it is.
    Frames {
        needle: "\tat ",
        regex: r"\tat (?P<class>[A-Za-z_][^\s(]*)\((?P<file>[A-Za-z0-9_$.-]+\.(?:java|kt|scala|groovy)):(?P<line>[0-9]+)\)",
        is_innermost_last: false,
    },
    // Node.js, in a stack
    Frames {
        needle: "at ",
        regex: r"\bat (?:[^\n(]*\()?(?:file://)?(?P<file>(?:node:|[A-Za-z]:)?[^\s():0-9][^\n():]*):(?P<line>[0-9]+):[0-9]+\)?",
        is_innermost_last: false,
    },
    // Node.js, above the line that failed
    Frames { needle: "js:", regex: r"^(?P<file>/[^\s:]+\.[cm]?[jt]sx?):(?P<line>[0-9]+)$", is_innermost_last: false },
    // Ruby
    Frames { needle: ".rb:", regex: r"(?P<file>[^\s:'`(\[]+\.rb):(?P<line>[0-9]+)", is_innermost_last: false },
    // Go
    Frames { needle: ".go:", regex: r"(?P<file>[^\s:(]+\.go):(?P<line>[0-9]+)", is_innermost_last: false },
];

/// What a library's or the language's own file or class has in it, or begins with.
const LIBRARIES: [&str; 26] = [
    "/node_modules/",
    "node:",
    "internal/",
    "/site-packages/",
    "/dist-packages/",
    "/lib/python",
    "<frozen ",
    "<string>",
    "/vendor/",
    "/wp-includes/",
    "/wp-admin/includes/",
    "/usr/share/php",
    "/gems/",
    "/lib/ruby/",
    "<internal:",
    "/go/src/",
    "/pkg/mod/",
    "/usr/lib/go",
    "/_/src/",
    "/app/vendor/",
    "webpack:",
    "phar://",
    "runtime/",
    "net/http/",
    "<anonymous>",
    "reverseproxy.go",
];

/// How the classes of libraries for the Java machine begin.
const PACKAGES: [&str; 32] = [
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "groovy.",
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "org.postgresql.",
    "org.mariadb.",
    "org.jboss.",
    "org.eclipse.",
    "org.thymeleaf.",
    "com.mysql.",
    "com.zaxxer.",
    "com.fasterxml.",
    "com.google.",
    "com.rabbitmq.",
    "io.netty.",
    "io.undertow.",
    "io.lettuce.",
    "io.micrometer.",
    "io.vertx.",
    "redis.clients.",
    "reactor.",
    "okhttp3.",
    "ch.qos.",
];

/// Where it happened, `file:line`. A library's frame is only named if there is no other.
pub(super) fn find(message: &str) -> Option<String> {
    static EXPRESSIONS: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
        LANGUAGES.iter().map(|frames| regex::RegexBuilder::new(frames.regex).multi_line(true).build().ok()).collect()
    });
    // What a JSON log quotes keeps its line ends escaped.
    let unescaped;
    let message = if message.contains("\\n") {
        unescaped = message.replace("\\n", "\n").replace("\\t", "\t");
        &unescaped
    } else {
        message
    };
    let innermost_cause = message.rfind("Caused by: ").and_then(|at| message.get(at..)).unwrap_or_default();
    let mut foreign = None;
    for text in [innermost_cause, message] {
        for (frames, regex) in LANGUAGES.iter().zip(&*EXPRESSIONS) {
            let Some(regex) = regex.as_ref().filter(|_| text.contains(frames.needle)) else { continue };
            let mut own = None;
            for found in regex.captures_iter(text) {
                let (Some(file), Some(line)) = (found.name("file"), found.name("line")) else { continue };
                let whose = found.name("class").unwrap_or(file).as_str();
                let place = || Some(format!("{}:{}", tidy(file.as_str()), line.as_str()));
                if is_library(whose) {
                    // A class of a library says nothing without its stack.
                    foreign = foreign.or_else(|| found.name("class").is_none().then(place).flatten());
                } else if frames.is_innermost_last || own.is_none() {
                    own = place();
                }
            }
            if own.is_some() {
                return own;
            }
        }
    }
    foreign.filter(|place| place.starts_with('/') || place.contains("vendor"))
}

fn is_library(whose: &str) -> bool {
    // Tomcat compiles an application's pages into this package.
    !whose.starts_with("org.apache.jsp.") && is_of_a_package(whose)
}

fn is_of_a_package(whose: &str) -> bool {
    LIBRARIES.iter().any(|mark| whose.contains(mark)) || PACKAGES.iter().any(|package| whose.starts_with(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applications_own_frame_is_named() {
        for (message, place) in [
            (
                "in /var/www/shop/vendor/db.php:3\nStack trace:\n#0 /var/www/shop/cart.php(12): q()",
                Some("/var/www/shop/cart.php:12"),
            ),
            ("syntax error in /var/www/a.php on line 3", Some("/var/www/a.php:3")),
            (
                "File \"/srv/app.py\", line 3, in a\n  File \"/srv/b.py\", line 4\n  File \"/usr/lib/python3.11/x.py\", line 5",
                Some("/srv/b.py:4"),
            ),
            (
                "Error\n    at x (node:fs:1:2)\n    at /srv/node_modules/pg/x.js:3:4\n    at f (/srv/a.js:5:6)",
                Some("/srv/a.js:5"),
            ),
            ("Error\n    at x (node:fs:1:2)", None),
            (
                "x\n\tat org.apache.A.b(A.java:1)\n\tat shop.Cart.total(Cart.java:7)\nCaused by: y\n\tat shop.Order.z(Order.java:9)",
                Some("Order.java:9"),
            ),
            ("   at Shop.Cart.Total() in /src/Cart.cs:line 12", Some("/src/Cart.cs:12")),
            ("/usr/lib/ruby/gems/3.1/x.rb:1:in `a'\napp/models/cart.rb:5:in `total'", Some("app/models/cart.rb:5")),
            (
                "goroutine 1:\nmain.f()\n\t/usr/local/go/src/x.go:1 +0x1\nmain.g()\n\t/srv/main.go:17 +0x2",
                Some("/srv/main.go:17"),
            ),
            ("{\"stack\":\"Error: x\\n    at f (/srv/a.js:5:6)\"}", Some("/srv/a.js:5")),
            ("nothing here at 12:30:10", None),
        ] {
            assert_eq!(find(message).as_deref(), place, "{message}");
        }
    }
}
