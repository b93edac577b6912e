//! `[zone.maintenance]`.

use rayline_verdict::Moment;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::document::{At, Fields, shown};
use crate::plan::{Maintenance, MaintenancePage};

use super::file::read_file;

/// The longest page, in bytes, as of other pages.
const LONGEST: u64 = 1_500_000;

/// What visitors get instead of the zone; `None` while it is served.
pub(super) fn read(fields: &Fields<'_>) -> Option<Maintenance> {
    let enabled: bool = fields.take("enabled");
    let maintenance = Maintenance {
        retry_after: fields.take("retry_after"),
        allow: fields.take("allow"),
        until: fields.optional("until").and_then(|at| moment(fields, &at)),
        paths: fields.take::<Vec<At<String>>>("paths").into_iter().filter_map(|at| path(fields, at)).collect(),
        page: fields.optional("page").and_then(|at| page(fields, &at)),
    };
    enabled.then_some(maintenance)
}

fn moment(fields: &Fields<'_>, written: &At<String>) -> Option<Moment> {
    let read = OffsetDateTime::parse(&written.value, &Rfc3339).ok();
    let since = read.and_then(|moment| i64::try_from(moment.unix_timestamp_nanos()).ok());
    since.map(Moment).or_else(|| {
        let problem = written.place.error(format!("`{}` is no moment", shown(&written.value)));
        fields.report.refuse(problem.hint("write it as `2026-11-21T23:00:00Z`, with the zone of its time"))
    })
}

fn path(fields: &Fields<'_>, written: At<String>) -> Option<String> {
    if written.value.starts_with('/') {
        return Some(written.value);
    }
    let problem = written.place.error(format!("`{}` is no beginning of a path", shown(&written.value)));
    fields.report.refuse(problem.hint("a path begins with `/`"))
}

fn page(fields: &Fields<'_>, written: &At<String>) -> Option<MaintenancePage> {
    let bytes = read_file(written, LONGEST, fields.report)?;
    match String::from_utf8(bytes) {
        Ok(html) => Some(MaintenancePage { path: fields.report.source.path(&written.value), html: html.into() }),
        Err(_) => {
            let problem = written.place.error(format!("`{}` is not UTF-8 text", shown(&written.value)));
            fields.report.refuse(problem.hint("save the page as UTF-8"))
        }
    }
}
