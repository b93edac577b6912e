//! PHP-FPM behind nginx: what fails in the application, between the two, and for want of workers.

use std::time::{Duration, Instant};

use rayline_lab::servers::{Nginx, PhpFpm};

use super::scene::{Watched, blamed, edge, fine, passed, started};

/// nginx in front of it, which waits a second for PHP, and a minute below `/patient`.
fn nginx_before(php: &PhpFpm) -> Option<Nginx> {
    let to_php = php.for_nginx();
    started(Nginx::start(&format!(
        "server {{ listen @HTTP@; fastcgi_read_timeout 1s; location / {{ {to_php} }}
         location /patient/ {{ fastcgi_read_timeout 60s; rewrite ^/patient(.*)$ $1 break; {to_php} }} }}"
    )))
}

#[test]
fn a_fatal_error_passes_and_is_the_applications() {
    let scripts = [
        ("good.php", "<?php echo 'hello from PHP ', $_SERVER['HTTP_CF_RAY'];"),
        ("fatal.php", "<?php echo 'half a page'; not_a_function();"),
    ];
    let Some(php) = started(PhpFpm::start(1, &scripts)) else { return };
    let Some(nginx) = nginx_before(&php) else { return };
    let edge = edge(&nginx, "");
    let (reply, _) = fine(edge.curl("/good.php"), 200);
    assert_eq!(reply.text(), format!("hello from PHP {}", reply.field("cf-ray").unwrap()));
    let (reply, _) = passed(edge.curl("/fatal.php"), 500);
    assert!(nginx.file("access.log").contains(&format!("500 {}", reply.field("cf-ray").unwrap())));
    assert!(php.file("php.log").contains("not_a_function"), "{}", php.file("php.log"));
}

#[test]
fn a_stopped_fpm_is_named_as_the_origins_own_502() {
    let Some(mut php) = started(PhpFpm::start(1, &[("good.php", "<?php echo 'hello';")])) else { return };
    let Some(nginx) = nginx_before(&php) else { return };
    let ours = edge(&nginx, "");
    fine(ours.curl("/good.php"), 200);
    php.stop().unwrap();
    let (reply, record) = blamed(ours.curl("/good.php"), 502, "origin.wait.error_status");
    assert_eq!(record["OriginResponseStatus"], 502, "{record:#}");
    let proxy_status = reply.field("proxy-status").unwrap();
    assert!(proxy_status.contains("received-status=502") && !proxy_status.contains("error="), "{proxy_status}");
    let theirs = edge(&nginx, "origin_error_page_pass_thru = \"on\"");
    let (reply, _) = passed(theirs.curl("/good.php"), 502);
    assert!(reply.text().contains("<center>nginx"), "{}", reply.text());
}

#[test]
fn an_exhausted_pool_is_the_origins_whoever_loses_patience_first() {
    let busy = "<?php touch('@FOLDER@/busy'); sleep(60);";
    let Some(php) = started(PhpFpm::start(1, &[("busy.php", busy), ("good.php", "<?php echo 'hello';")])) else {
        return;
    };
    let Some(nginx) = nginx_before(&php) else { return };
    let edge = edge(&nginx, "proxy_read_timeout = 2");
    let occupant = Watched::start(&edge.curl("/patient/busy.php"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while !php.folder().join("busy").exists() {
        assert!(Instant::now() < deadline, "PHP does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    // nginx gives up after a second and says so; below `/patient` it waits, and the edge gives up.
    let (_, record) = blamed(edge.curl("/good.php"), 504, "origin.wait.error_status");
    assert_eq!(record["OriginResponseStatus"], 504, "{record:#}");
    let (_, record) = blamed(edge.curl("/patient/good.php"), 524, "origin.wait.timed_out");
    assert_eq!(record["OriginResponseStatus"], 0, "{record:#}");
    assert_eq!(occupant.end(), 0, "the one who holds the worker gets a 524 too");
}
