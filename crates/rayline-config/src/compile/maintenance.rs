//! `[zone.maintenance]`.

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
        paths: fields.take::<Vec<At<String>>>("paths").into_iter().filter_map(|at| path(fields, at)).collect(),
        page: fields.optional("page").and_then(|at| page(fields, &at)),
    };
    enabled.then_some(maintenance)
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
