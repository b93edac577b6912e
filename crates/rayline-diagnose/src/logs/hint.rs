//! The line of configuration that adds the Ray ID to a server's log, so that the next failure joins exactly.

use std::collections::HashMap;
use std::path::Path;

use super::gather::Access;
use super::source::Source;

/// What to add, if no line of any access log has a Ray ID; `written` are the writers of all files, for access logs whose own
/// lines do not tell whose they are.
pub(super) fn hint(access: &HashMap<Source, Access>, written: &[Source]) -> Option<String> {
    if access.values().any(|access| access.rays > 0) {
        return None;
    }
    let (&source, access) = access.iter().max_by_key(|(source, access)| (access.lines, **source))?;
    let other = || written.iter().copied().find(|source| matches!(source, Source::Nginx | Source::Apache));
    let source = if source == Source::Unknown { other().unwrap_or(source) } else { source };
    line(source, &access.path)
}

fn line(source: Source, path: &Path) -> Option<String> {
    let path = path.display();
    Some(match source {
        Source::Nginx => format!(
            "log_format ray '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
             \"$http_referer\" \"$http_user_agent\" $http_cf_ray'; access_log {path} ray;"
        ),
        Source::Apache => format!(
            "LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\" %{{CF-Ray}}i\" ray\n\
             CustomLog {path} ray"
        ),
        Source::Caddy => "log_append cf_ray {header.CF-Ray}".to_owned(),
        Source::HaProxy => "http-request capture req.hdr(CF-Ray) len 24".to_owned(),
        Source::Gunicorn => {
            "--access-logformat '%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(b)s \"%(f)s\" \"%(a)s\" %({cf-ray}i)s'".to_owned()
        }
        Source::Uwsgi => {
            "log-format = %(addr) - %(user) [%(ltime)] \"%(method) %(uri) %(proto)\" %(status) %(size) %(var.HTTP_CF_RAY)"
                .to_owned()
        }
        Source::Tomcat | Source::Java => {
            "pattern=\"%h %l %u %t &quot;%r&quot; %s %b %{CF-Ray}i\" in the `AccessLogValve` of `server.xml`".to_owned()
        }
        Source::Node => "log `req.headers['cf-ray']` with each request".to_owned(),
        Source::Ruby => "config.log_tags = [->(request) { request.headers['CF-Ray'] }]".to_owned(),
        Source::Unknown
        | Source::PhpFpm
        | Source::Php
        | Source::Python
        | Source::Go
        | Source::DotNet
        | Source::MySql
        | Source::PostgreSql
        | Source::Redis
        | Source::Kernel
        | Source::Systemd
        | Source::Docker
        | Source::Rayline => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_for_the_server_with_the_most_lines() {
        let access = |lines, rays| Access { path: "/l/access.log".into(), lines, rays };
        let logs = HashMap::from([(Source::HaProxy, access(1, 0)), (Source::Unknown, access(9, 0))]);
        assert_eq!(hint(&logs, &[]), None);
        let found = hint(&logs, &[Source::Php, Source::Nginx]).unwrap();
        assert!(found.contains("$http_cf_ray") && found.ends_with("access_log /l/access.log ray;"), "{found}");
        assert_eq!(hint(&HashMap::from([(Source::Nginx, access(9, 1))]), &[]), None);
        assert_eq!(hint(&HashMap::new(), &[Source::Nginx]), None);
    }
}
