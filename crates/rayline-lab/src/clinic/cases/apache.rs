//! Apache as the origin: its configuration, its pool, and what is behind it.

use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Apache, Place};

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("htaccess", "a .htaccess has a directive that Apache does not know", htaccess, STATUS)
        .because(&["server.configuration"], "Invalid command")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs(), nginx(500).origin()]),
    Case::new("apache_rewrite_loop", "Apache's rewrite rules go in a circle", rewrite_loop, STATUS)
        .because(&["server.configuration"], "AH00124")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("apache_upstream_stopped", "the application behind Apache is stopped", stopped, STATUS)
        .because(&["server.upstream_refused"], "AH00957")
        .seen(&[rayline(503).origin().logs(), nginx(503).origin().logs()]),
    Case::new("apache_pool_exhausted", "all workers of Apache are busy", exhausted, "origin.wait.timed_out")
        .because(&["server.pool_exhausted"], "AH00484")
        .seen(&[rayline(524).origin().logs(), nginx(504).origin().logs()]),
];

const LOGS: &str = "LogFormat \"%h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\" combined
CustomLog @FOLDER@/visitors.log combined
<Directory @FOLDER@/documents>
AllowOverride All
Require all granted
</Directory>
";

/// Apache with these directives and this `.htaccess`.
fn apache(directives: &str, htaccess: &'static str) -> Result<Site, Unbuilt> {
    let prepare = |place: &Place| {
        let documents = place.folder().join("documents");
        std::fs::write(documents.join("index.html"), "<p>Welcome</p>")?;
        if htaccess.is_empty() { Ok(()) } else { std::fs::write(documents.join(".htaccess"), htaccess) }
    };
    let apache = Apache::start(&format!("{LOGS}{directives}"), prepare)?;
    let (errors, visitors) = (apache.folder().join("error.log"), apache.folder().join("visitors.log"));
    Ok(Site::at(apache.http()).log(errors).log(visitors).keeping(apache))
}

fn htaccess() -> Result<Site, Unbuilt> {
    apache("", "ExpiresActiv on\n")
}

fn rewrite_loop() -> Result<Site, Unbuilt> {
    let module = "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n";
    Ok(apache(module, "RewriteEngine on\nRewriteRule ^(.*)$ /x/$1 [L]\n")?.asked("/cart"))
}

fn stopped() -> Result<Site, Unbuilt> {
    apache(&format!("ProxyPass / http://127.0.0.1:{}/\n", free_port()?), "")
}

/// Each of two workers holds a request that the application behind does not answer.
fn exhausted() -> Result<Site, Unbuilt> {
    let behind = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let directives = format!(
        "ServerLimit 1\nThreadsPerChild 2\nMaxRequestWorkers 2\nMinSpareThreads 1\nMaxSpareThreads 2\n\
         ProxyPass /stay http://{}/\n",
        behind.local_addr()?
    );
    Ok(apache(&directives, "")?.awaited(2).keeping(behind).occupied("/stay")?.occupied("/stay")?)
}
