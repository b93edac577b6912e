//! `[[zone]]` and its settings.

use std::sync::Arc;
use std::time::SystemTime;

use rayline_rules::ZoneRules;

use super::certificates::read_certificate;
use super::records::{WrittenRecord, read_name, read_record};
use super::rules::{Named, read_zone_rules};
use super::{client_identity, error_pages, maintenance};
use crate::certificate::Certificate;
use crate::document::{At, Fields, Place};
use crate::plan::{ClientIdentity, ErrorPages, Limits, Maintenance, Settings, SslMode, Zone};

/// A zone with the places that later checks point at.
#[derive(Debug)]
pub(super) struct WrittenZone {
    /// `None` where it is missing or no name.
    pub(super) name: Option<At<String>>,
    /// The header.
    pub(super) place: Place,
    paused: bool,
    pub(super) settings: Settings,
    /// Where `always_use_https` was written.
    pub(super) always_use_https: Place,
    pub(super) records: Vec<WrittenRecord>,
    pub(super) certificates: Vec<At<Arc<Certificate>>>,
    client_identity: Option<Arc<ClientIdentity>>,
    error_pages: ErrorPages,
    rules: Option<Arc<ZoneRules>>,
    maintenance: Option<Maintenance>,
}

impl WrittenZone {
    /// The zone of the plan, unless it has no name.
    pub(super) fn to_zone(&self) -> Option<Zone> {
        Some(Zone {
            name: self.name.as_ref()?.value.clone(),
            paused: self.paused,
            settings: self.settings.clone(),
            records: self.records.iter().map(|written| written.record.clone()).collect(),
            certificates: self.certificates.iter().map(|at| Arc::clone(&at.value)).collect(),
            client_identity: self.client_identity.clone(),
            error_pages: self.error_pages.clone(),
            rules: self.rules.clone().filter(|_| !self.paused),
            maintenance: self.maintenance.clone().filter(|_| !self.paused),
        })
    }
}

/// Every zone. Names are read first: a record may turn out to belong to another zone.
pub(super) fn read_zones(zones: &[Fields<'_>], limits: &Limits, named: &Named, now: SystemTime) -> Vec<WrittenZone> {
    let names: Vec<Option<At<String>>> = zones.iter().map(read_zone_name).collect();
    let known: Vec<&str> = names.iter().flatten().map(|at| at.value.as_str()).collect();
    let read = |(fields, name): (&Fields<'_>, &Option<At<String>>)| {
        let written = fields.table("settings");
        let place_of = |key| written.written(key).unwrap_or_default();
        let settings = read_settings(&written, limits);
        let tls_client_auth = At { value: settings.tls_client_auth, place: place_of("tls_client_auth") };
        WrittenZone {
            name: name.clone(),
            place: fields.place.clone(),
            paused: fields.take("paused"),
            always_use_https: place_of("always_use_https"),
            rules: read_zone_rules(fields, &settings, named),
            settings,
            records: fields
                .tables("dns_records")
                .iter()
                .filter_map(|record| read_record(record, name.as_ref().map(|at| at.value.as_str()), &known))
                .collect(),
            certificates: fields
                .tables("certificates")
                .iter()
                .filter_map(|certificate| read_certificate(certificate, now))
                .collect(),
            client_identity: client_identity::read(fields, &tls_client_auth, now),
            error_pages: error_pages::read(&fields.table("error_pages")),
            maintenance: maintenance::read(&fields.table("maintenance")),
        }
    };
    zones.iter().zip(&names).map(read).collect()
}

fn read_zone_name(fields: &Fields<'_>) -> Option<At<String>> {
    let written: At<String> = fields.required("name")?;
    Some(At { value: read_name(&written.value, &written, fields.report)?, ..written })
}

/// `[zone.settings]`.
pub(crate) fn read_settings(fields: &Fields<'_>, limits: &Limits) -> Settings {
    let report = fields.report;
    let development: At<bool> = fields.take("development_mode");
    if development.value {
        let problem = development.place.warning("there is no cache to bypass in this version");
        report.push(problem.hint("leave it out"));
    }
    let ssl: At<SslMode> = fields.take("ssl");
    let always_use_https: At<bool> = fields.take("always_use_https");
    if ssl.value == SslMode::Off && always_use_https.value {
        let message = "`always_use_https` cannot be on where `ssl` is `off`: each would redirect to the other";
        let problem = always_use_https.place.error(message).hint("set `ssl` to another mode, or leave this off");
        report.push(problem.related(&ssl.place, "redirects to HTTP"));
    }
    let tls_client_auth: At<bool> = fields.take("tls_client_auth");
    if matches!(ssl.value, SslMode::Off | SslMode::Flexible) && tls_client_auth.value {
        let message = format!(
            "`tls_client_auth` does nothing where `ssl` is `{}`: origins are reached by HTTP, without certificates",
            ssl.value.as_str()
        );
        let problem = tls_client_auth.place.warning(message);
        let hint = "set `ssl` to `strict`, `full` or `origin_pull`, or leave this off";
        report.push(problem.hint(hint).related(&ssl.place, "reaches origins by HTTP"));
    }
    Settings {
        ssl: ssl.value,
        proxy_read_timeout: fields.take("proxy_read_timeout"),
        always_use_https: always_use_https.value,
        min_tls_version: fields.take("min_tls_version"),
        origin_max_http_version: fields.take("origin_max_http_version"),
        origin_h2_max_streams: fields.take("origin_h2_max_streams"),
        http2: fields.take("http2"),
        websockets: fields.take("websockets"),
        ip_geolocation: fields.take("ip_geolocation"),
        tls_client_auth: tls_client_auth.value,
        development_mode: development.value,
        origin_http_port: fields.take("origin_http_port"),
        origin_https_port: fields.take("origin_https_port"),
        origin_error_page_pass_thru: fields.take("origin_error_page_pass_thru"),
        max_upload_bytes: fields
            .optional("max_upload")
            .map_or(limits.request_body_bytes, |megabytes: u64| megabytes << 20),
        server_timing: fields.take("server_timing"),
        browser_check: fields.take("browser_check"),
        hotlink_protection: fields.take("hotlink_protection"),
        challenge_ttl: fields.take("challenge_ttl"),
    }
}
