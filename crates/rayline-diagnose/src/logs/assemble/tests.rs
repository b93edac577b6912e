use super::*;

/// What the entries of a text say.
fn messages(text: &str, source: Source) -> Vec<(Source, Option<Level>, String)> {
    let mut assembler = Assembler::new(source);
    let mut pieces: Vec<Piece> =
        text.lines().zip(1..).filter_map(|(line, number)| assembler.push(line, number)).collect();
    pieces.extend(assembler.finish());
    pieces.into_iter().map(|piece| (piece.entry.source, piece.entry.level, piece.entry.message)).collect()
}

fn check(text: &str, source: Source, wanted: &[(Source, Option<Level>, &str)]) {
    let found = messages(text, source);
    let found: Vec<_> = found.iter().map(|(source, level, message)| (*source, *level, message.as_str())).collect();
    assert_eq!(found, wanted, "{text}");
}

#[test]
fn a_trace_belongs_to_its_error() {
    check(
        "[2026-11-21 10:58:18 +0000] [7] [INFO] Booting\n\
         [2026-11-21 10:58:18 +0000] [7] [ERROR] Error handling request /cart\n\
         Traceback (most recent call last):\n  File \"/srv/app.py\", line 13, in app\n    x()\nValueError: no\n\
         [2026-11-21 10:58:19 +0000] [7] [INFO] Bye",
        Source::Unknown,
        &[
            (Source::Gunicorn, Some(Level::Info), "Booting"),
            (
                Source::Gunicorn,
                Some(Level::Error),
                "Error handling request /cart\nTraceback (most recent call last):\n  File \"/srv/app.py\", line 13, in app\n    x()\nValueError: no",
            ),
            (Source::Gunicorn, Some(Level::Info), "Bye"),
        ],
    );
}

#[test]
fn a_crash_behind_peace_stands_by_itself() {
    check(
        "[2026-11-21 10:58:18 +0000] [7] [INFO] Booting\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'",
        Source::Unknown,
        &[
            (Source::Gunicorn, Some(Level::Info), "Booting"),
            (
                Source::Python,
                Some(Level::Error),
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'",
            ),
        ],
    );
    check(
        "listening on 3000\n/srv/server.js:6\n  throw error;\n        ^\n\nError: connect ECONNREFUSED 127.0.0.1:6379\n    at a (node:net:1:2) {\n  errno: -111\n}\nlistening on 3000",
        Source::Node,
        &[
            (Source::Node, None, "listening on 3000"),
            (
                Source::Node,
                Some(Level::Error),
                "/srv/server.js:6\n  throw error;\n        ^\n\nError: connect ECONNREFUSED 127.0.0.1:6379\n    at a (node:net:1:2) {\n  errno: -111\n}",
            ),
            (Source::Node, None, "listening on 3000"),
        ],
    );
}

#[test]
fn the_details_of_a_database_belong_to_its_error() {
    check(
        "2026-11-21 11:01:48.835 UTC [4618] shop@shop FATAL:  password authentication failed for user \"shop\"\n\
         2026-11-21 11:01:48.835 UTC [4618] shop@shop DETAIL:  User \"shop\" has no password.\n\
         \tConnection matched line 2\n\
         2026-11-21 11:01:48.835 UTC [4619] LOG:  checkpoint",
        Source::Unknown,
        &[
            (
                Source::PostgreSql,
                Some(Level::Critical),
                "password authentication failed for user \"shop\"\nDETAIL:  User \"shop\" has no password.\n\tConnection matched line 2",
            ),
            (Source::PostgreSql, Some(Level::Info), "checkpoint"),
        ],
    );
}

#[test]
fn what_php_says_through_others_is_put_together() {
    check(
        "[21-Nov-2026 11:01:12] WARNING: [pool www] child 3660 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  x in /a.php:6\"\n\
         [21-Nov-2026 11:01:12] WARNING: [pool www] child 3660 said into stderr: \"Stack trace:\"\n\
         [21-Nov-2026 11:01:12] WARNING: [pool www] child 3660 said into stderr: \"#0 {main}\"\n\
         [21-Nov-2026 11:01:12] WARNING: [pool www] child 3661 said into stderr: \"NOTICE: PHP message: y\"",
        Source::Unknown,
        &[
            (
                Source::PhpFpm,
                Some(Level::Warning),
                "[pool www] child 3660 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  x in /a.php:6\"\nStack trace:\n#0 {main}",
            ),
            (
                Source::PhpFpm,
                Some(Level::Warning),
                "[pool www] child 3661 said into stderr: \"NOTICE: PHP message: y\"",
            ),
        ],
    );
    let found = messages(
        "2026/11/21 11:01:12 [error] 1#1: *2 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  x\n\
         Stack trace:\n#0 {main}\" while reading, client: 192.0.2.1, server: s, request: \"GET /a HTTP/1.1\", host: \"h\"",
        Source::Unknown,
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn what_containers_and_units_write_is_put_together() {
    let docker = |text: &str| {
        text.lines()
            .map(|line| {
                let line = serde_json::Value::from(format!("{line}\n"));
                format!("{{\"log\":{line},\"stream\":\"stderr\",\"time\":\"2026-11-21T10:00:00Z\"}}\n")
            })
            .collect::<String>()
    };
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'";
    check(
        &docker(&format!("ready\n{trace}\nready")),
        Source::Unknown,
        &[
            (Source::Docker, None, "ready"),
            (Source::Python, Some(Level::Error), trace),
            (Source::Docker, None, "ready"),
        ],
    );
    let java = "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)\nCaused by: java.io.IOException: x\n\tat a.D.e(D.java:5)";
    check(&docker(java), Source::Unknown, &[(Source::Java, Some(Level::Error), java)]);
    let unit =
        |text: &str| text.lines().map(|line| format!("Nov 21 10:00:00 web app[7]: {line}\n")).collect::<String>();
    check(&unit(trace), Source::Unknown, &[(Source::Python, Some(Level::Error), trace)]);
    // The line before it names the worker, and those of the trace no process but the one that wrote them all.
    let told = format!("[2026-11-21 10:00:00 +0000] [8] [ERROR] Error handling request /\n{trace}");
    let whole = format!("Error handling request /\n{trace}");
    check(&unit(&told), Source::Unknown, &[(Source::Gunicorn, Some(Level::Error), &whole)]);
    let rails =
        "F, [2026-11-21T10:00:00.1 #7] FATAL -- : ActionView::Template::Error (x):\n    1: a\n\napp/views/a.erb:1";
    let wanted = "ActionView::Template::Error (x):\n    1: a\n\napp/views/a.erb:1";
    check(rails, Source::Unknown, &[(Source::Ruby, Some(Level::Critical), wanted)]);
}

#[test]
fn a_slow_log_keeps_its_stack() {
    let text = "[21-Nov-2026 11:01:12]  [pool www] pid 12\nscript_filename = /a.php\n[0x00007f1] sleep() /a.php:3\n\n[21-Nov-2026 11:01:13]  [pool www] pid 12\nscript_filename = /a.php";
    let found = messages(text, Source::Unknown);
    let first = "[pool www] pid 12\nscript_filename = /a.php\n[0x00007f1] sleep() /a.php:3";
    assert_eq!((found.len(), found[0].2.as_str()), (2, first));
}

#[test]
fn an_access_line_takes_nothing_along() {
    let text = "192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1\nServer a/b is DOWN";
    assert_eq!(messages(text, Source::Unknown).len(), 2);
}

proptest::proptest! {
    #[test]
    fn no_lines_panic(text in "([\\[\\]{}\"A-Za-z0-9/:. #*=é-]{0,30}\n){0,20}") {
        let _ = messages(&text, Source::Unknown);
    }
}
