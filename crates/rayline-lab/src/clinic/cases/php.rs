//! PHP-FPM behind the origin's nginx: the script, the pool, and the way between.

use super::proxies::logged;
use super::{ANY_5XX, ANY_502, ANY_504};
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::servers::{Nginx, PhpFpm, Pool};

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("php_fpm_stopped", "PHP-FPM is stopped", stopped, STATUS)
        .because(&["server.upstream_refused", "server.stopped"], "connect() failed (111")
        .seen(&[
            rayline(502).origin().logs(),
            rayline(502).origin(),
            nginx(502).origin().logs(),
            nginx(502).or(ANY_502),
            bare(502).origin().logs(),
        ]),
    Case::new("php_pool_exhausted", "all workers of PHP-FPM are busy", exhausted, STATUS)
        .because(&["server.pool_exhausted"], "server reached pm.max_children")
        .seen(&[rayline(504).origin().logs(), nginx(504).origin().logs(), nginx(504).or(ANY_504)]),
    Case::new("php_fatal", "a PHP script calls a function that is not there", fatal, STATUS)
        .because(&["app.php_fatal"], "PHP Fatal error")
        .seen(&[rayline(500).origin().logs(), rayline(500).or(ANY_5XX), nginx(500).origin().logs(), bare(500).logs()]),
    Case::new("php_fatal_shown", "a PHP script fails, and shows it to visitors", shown, STATUS)
        .because(&["app.php_fatal"], "PHP Fatal error")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin(), nginx(500).or(ANY_5XX)]),
    Case::new(
        "php_blank",
        "a PHP script fails after its header is out, and visitors see a blank page",
        blank,
        "origin.wait.blank",
    )
    .because(&["app.php_fatal"], "PHP Fatal error")
    .seen(&[rayline(200).origin().logs(), nginx(200).origin().logs(), bare(200).logs()]),
    Case::new("php_exit", "a PHP script ends before it writes anything", exit, "origin.wait.blank")
        .seen(&[rayline(200).origin().logs(), nginx(200).origin()]),
    Case::new("php_memory", "a PHP script takes more memory than it may", memory, STATUS)
        .because(&["app.php_memory"], "Allowed memory size")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("php_time", "a PHP script runs longer than it may", time, STATUS)
        .because(&["app.php_time"], "Maximum execution time")
        .seen(&[nginx(500).origin().logs()]),
    Case::new("php_parse", "a PHP script has a syntax error", parse, STATUS)
        .because(&["app.php_fatal"], "PHP Parse error")
        .seen(&[rayline(500).origin().logs(), nginx(500).logs()]),
    Case::new("php_extension", "a PHP script needs an extension that is not installed", extension, STATUS)
        .because(&["app.module_missing"], "ssh2_connect")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("php_killed", "a worker of PHP-FPM is killed while it answers", killed, STATUS)
        .because(&["server.worker_killed"], "exited on signal 9")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("php_crashed", "a worker of PHP-FPM crashes while it answers", crashed, STATUS)
        .because(&["server.worker_crashed"], "exited on signal 11")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("php_terminated", "PHP-FPM ends a script that takes too long", terminated, STATUS)
        .because(&["app.worker_timeout"], "execution timed out")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new(
        "php_killed_midway",
        "a worker of PHP-FPM is killed in the middle of its answer",
        midway,
        "origin.receive.truncated",
    )
    .because(&["server.worker_killed"], "exited on signal 9")
    .seen(&[rayline(200).origin().logs(), nginx(200).origin().logs()]),
    Case::new("php_permission", "a PHP script may not write where it must", permission, STATUS)
        .because(&["server.permission_denied", "app.php_fatal"], "Permission denied")
        .seen(&[rayline(500).origin().logs()]),
];

/// PHP-FPM with one script, behind nginx, which waits a second for it, and a minute below `/patient`.
pub(super) fn script(text: &str, lines: &str, extensions: &[&str]) -> Result<Site, Unbuilt> {
    let scripts = [("cart.php", text), ("quick.php", "<?php echo 'Welcome';")];
    let php = PhpFpm::start_pool(&Pool { children: 3, lines, extensions, own_log: true, scripts: &scripts })?;
    behind_nginx(php)
}

fn behind_nginx(php: PhpFpm) -> Result<Site, Unbuilt> {
    let to_php = php.for_nginx();
    let site = logged(Nginx::start(&format!(
        "server {{ listen @HTTP@; access_log @FOLDER@/visitors.log combined; fastcgi_buffering off;
           location / {{ fastcgi_read_timeout 10s; {to_php} }}
           location /hasty/ {{ fastcgi_read_timeout 1s; rewrite ^/hasty(.*)$ $1 break; {to_php} }}
           location /patient/ {{ fastcgi_read_timeout 60s; rewrite ^/patient(.*)$ $1 break; {to_php} }} }}"
    ))?);
    let (errors, fpm) = (php.folder().join("php.log"), php.folder().join("error.log"));
    Ok(site.asked("/cart.php").log(errors).log(fpm).keeping(php))
}

fn stopped() -> Result<Site, Unbuilt> {
    let mut php = PhpFpm::start(1, &[("cart.php", "<?php echo 'Welcome';")])?;
    php.stop()?;
    behind_nginx(php)
}

fn exhausted() -> Result<Site, Unbuilt> {
    let scripts = [("busy.php", "<?php sleep(60);"), ("cart.php", "<?php echo 'Welcome';")];
    let lines =
        "pm = dynamic\npm.max_children = 1\npm.start_servers = 1\npm.min_spare_servers = 1\npm.max_spare_servers = 1";
    let php = PhpFpm::start_pool(&Pool { children: 1, lines, extensions: &[], own_log: true, scripts: &scripts })?;
    Ok(behind_nginx(php)?.asked("/hasty/cart.php").occupied("/patient/busy.php")?)
}

pub(super) const FATAL: &str =
    "<?php\nfunction total($items) {\n    return array_sum_of($items);\n}\necho '<p>', total([1, 2]);\n";

fn fatal() -> Result<Site, Unbuilt> {
    script(FATAL, "", &[])
}

fn shown() -> Result<Site, Unbuilt> {
    let failing =
        "<?php\nhttp_response_code(500);\nfunction total($items) { return array_sum_of($items); }\ntotal([1]);\n";
    script(failing, "php_admin_flag[display_errors] = on", &[])
}

fn blank() -> Result<Site, Unbuilt> {
    script("<?php\nfastcgi_finish_request();\narray_sum_of([1]);\n", "", &[])
}

fn exit() -> Result<Site, Unbuilt> {
    script("<?php\nif (!isset($_GET['id'])) exit();\necho '<p>', $_GET['id'];\n", "", &[])
}

fn memory() -> Result<Site, Unbuilt> {
    let text = "<?php\n$rows = [];\nwhile (true) {\n    $rows[] = str_repeat('x', 100000);\n}\n";
    script(text, "php_admin_value[memory_limit] = 8M", &[])
}

fn time() -> Result<Site, Unbuilt> {
    let text = "<?php\nfor ($i = 0; ; $i++) {\n    $x = sqrt($i);\n}\n";
    // PHP counts the processor's time, of which there may be little.
    Ok(script(text, "php_admin_value[max_execution_time] = 1", &[])?.options(["--timeout", "15s"]))
}

fn parse() -> Result<Site, Unbuilt> {
    script("<?php\n$total = 1\n$tax = 2;\n", "", &[])
}

fn extension() -> Result<Site, Unbuilt> {
    script("<?php\n$session = ssh2_connect('files.example.com', 22);\n", "", &[])
}

fn killed() -> Result<Site, Unbuilt> {
    script("<?php\nposix_kill(getmypid(), 9);\nsleep(5);\n", "", &["posix"])
}

fn crashed() -> Result<Site, Unbuilt> {
    script("<?php\nposix_kill(getmypid(), 11);\nsleep(5);\n", "", &["posix"])
}

fn midway() -> Result<Site, Unbuilt> {
    let text = "<?php\nob_end_clean();\nheader('Content-Length: 5000');\necho '<p>half a page';\nflush();\nusleep(50000);\n\
                posix_kill(getmypid(), 9);\nsleep(5);\n";
    script(text, "", &["posix"])
}

fn terminated() -> Result<Site, Unbuilt> {
    script("<?php\nwhile (true) {\n    usleep(10000);\n}\n", "request_terminate_timeout = 1s", &[])
}

/// Workers are nobody, if they can be; nobody may write into the root of the file system.
fn permission() -> Result<Site, Unbuilt> {
    let text = "<?php\n$page = '/page.html';\nif (file_put_contents($page, 'x') === false) {\n    \
                throw new RuntimeException('the cache cannot be written');\n}\n";
    let user = if crate::process::is_root() { "user = nobody\ngroup = nogroup" } else { "" };
    script(text, user, &[])
}
