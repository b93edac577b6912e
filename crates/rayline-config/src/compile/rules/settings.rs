//! Actions that change how a request is treated, or what becomes of its answer: `set_config`, `set_cache_settings`,
//! `serve_error`, `compress_response`, `log_custom_field`.

use std::sync::Arc;
use std::time::Duration;

use rayline_rules::ruleset::{
    Action, BrowserTtl, CacheSettings, Compression, EdgeTtl, LogFields, ServeError, SetConfig, TtlMode,
};

use super::actions::content_type;
use super::kinds::Algorithm;
use super::{headers, within};
use crate::compile::file::read_file;
use crate::document::{At, Fields, shown};
use crate::plan::SslMode;

/// The longest page of `serve_error`, in bytes ("Custom error rules").
const LONGEST_ERROR: usize = 10_000;

/// The longest page in a file, in bytes ("Custom error assets").
const LONGEST_ASSET: u64 = 1_500_000;

/// Leaves a problem where an action has no parameter at all.
fn says_something(parameters: &Fields<'_>, rule: &Fields<'_>, action: &str) -> Option<()> {
    if !parameters.keys().is_empty() {
        return Some(());
    }
    let problem = rule.place.error(format!("`{action}` does not say what is to be changed"));
    rule.report.refuse(problem.hint("add `action_parameters`"))
}

pub(super) fn set_config(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let settings = SetConfig {
        ssl: parameters.optional("ssl").map(|mode: SslMode| mode.as_str().into()),
        always_use_https: parameters.optional("always_use_https"),
        browser_check: parameters.optional("bic"),
        hotlink_protection: parameters.optional("hotlink_protection"),
        server_timing: parameters.optional("server_timing"),
        origin_error_page_pass_thru: parameters.optional("origin_error_page_pass_thru"),
        read_timeout: parameters.optional("read_timeout"),
        max_upload_bytes: parameters.optional("max_upload").map(|megabytes: u64| megabytes << 20),
    };
    says_something(parameters, rule, "set_config")?;
    Some(Action::SetConfig(Box::new(settings)))
}

pub(super) fn set_cache_settings(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let settings = CacheSettings {
        cache: parameters.optional("cache"),
        edge_ttl: parameters.optional_table("edge_ttl").and_then(|table| edge_ttl(&table)),
        browser_ttl: parameters.optional_table("browser_ttl").and_then(|table| {
            let (mode, default) = mode_and_default(&table)?;
            Some(BrowserTtl { mode, default })
        }),
        origin_error_page_passthru: parameters.optional("origin_error_page_passthru"),
        respect_strong_etags: parameters.optional("respect_strong_etags"),
        origin_cache_control: parameters.optional("origin_cache_control"),
        read_timeout: parameters.optional("read_timeout"),
        disable_stale_while_updating: parameters
            .optional_table("serve_stale")
            .and_then(|table| table.required("disable_stale_while_updating")),
    };
    says_something(parameters, rule, "set_cache_settings")?;
    Some(Action::SetCacheSettings(Box::new(settings)))
}

/// `mode` and `default` of a time to live, which has to be there where the mode needs one.
fn mode_and_default(fields: &Fields<'_>) -> Option<(TtlMode, Option<Duration>)> {
    let mode: Option<At<TtlMode>> = fields.required("mode");
    let default: Option<Duration> = fields.optional("default");
    let mode = mode?;
    if mode.value == TtlMode::OverrideOrigin && default.is_none() && fields.written("default").is_none() {
        let problem = mode.place.error("`override_origin` does not say how long");
        return fields.report.refuse(problem.hint("add `default`, in seconds"));
    }
    Some((mode.value, default))
}

fn edge_ttl(fields: &Fields<'_>) -> Option<EdgeTtl> {
    let by_status: Vec<_> = fields.tables("status_code_ttl").iter().filter_map(status_code_ttl).collect();
    let (mode, default) = mode_and_default(fields)?;
    Some(EdgeTtl { mode, default, status_code_ttl: by_status })
}

fn status_code_ttl(fields: &Fields<'_>) -> Option<(u16, u16, Option<Duration>)> {
    let one: Option<At<u16>> = fields.optional("status_code");
    let several: Option<(At<u16>, At<u16>)> =
        fields.optional_table("status_code_range").map(|range| (range.take("from"), range.take("to")));
    let value: Option<i64> = fields.required("value");
    let (from, to) = match (one, several) {
        (Some(status), None) => (status.value, status.value),
        (None, Some((from, to))) if from.value <= to.value => (from.value, to.value),
        (None, Some((from, to))) => {
            let place = if to.place.span.is_some() { &to.place } else { &from.place };
            let problem = place.error(format!("from {} to {} is no range", from.value, to.value));
            return fields.report.refuse(problem.hint("the first is not above the last"));
        }
        (Some(_), Some(_)) => {
            let problem = fields.place.error("there are both `status_code` and `status_code_range`");
            return fields.report.refuse(problem.hint("leave one of them out"));
        }
        (None, None) if fields.written("status_code").or(fields.written("status_code_range")).is_some() => return None,
        (None, None) => {
            let problem = fields.place.error("there is neither `status_code` nor `status_code_range`");
            return fields.report.refuse(problem.hint("add one of them"));
        }
    };
    // -1 means that it is not stored
    Some((from, to, u64::try_from(value?).ok().map(Duration::from_secs)))
}

pub(super) fn serve_error(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let written: Option<At<String>> = parameters.optional("content");
    let file: Option<At<String>> = parameters.optional("asset_file");
    let content_type = content_type(parameters);
    let status_code: Option<u16> = parameters.optional("status_code");
    let content: Arc<str> = match (written, file) {
        (Some(content), None) => within(content.value, LONGEST_ERROR, &content.place, parameters.report)?.into(),
        (None, Some(file)) => asset(&file, parameters)?,
        (Some(content), Some(file)) => {
            let problem = file.place.error("there are both `content` and `asset_file`");
            return rule.report.refuse(problem.hint("leave one of them out").related(&content.place, "the other"));
        }
        (None, None) if parameters.written("content").or(parameters.written("asset_file")).is_some() => return None,
        (None, None) => {
            let problem = rule.place.error("`serve_error` does not say what is to be served");
            return rule.report.refuse(problem.hint("add `content` or `asset_file` to its `action_parameters`"));
        }
    };
    Some(Action::ServeError(Box::new(ServeError { content, content_type: content_type?, status_code })))
}

/// A page in a file.
fn asset(file: &At<String>, parameters: &Fields<'_>) -> Option<Arc<str>> {
    match String::from_utf8(read_file(file, LONGEST_ASSET, parameters.report)?) {
        Ok(page) => Some(page.into()),
        Err(_) => {
            let problem = file.place.error(format!("`{}` is not UTF-8 text", shown(&file.value)));
            parameters.report.refuse(problem.hint("save the page as UTF-8"))
        }
    }
}

pub(super) fn compress_response(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let mut offered = Vec::new();
    for table in parameters.tables("algorithms") {
        match table.required::<Algorithm>("name") {
            Some(Algorithm::One(one)) => offered.push(one),
            Some(Algorithm::All) => offered.extend([Compression::Zstd, Compression::Brotli, Compression::Gzip]),
            None => {}
        }
    }
    if offered.is_empty() && parameters.written("algorithms").is_none() {
        let problem = rule.place.error("`compress_response` does not say how");
        return rule.report.refuse(problem.hint("add `algorithms = [{ name = \"gzip\" }]` to its `action_parameters`"));
    }
    Some(Action::CompressResponse(offered))
}

pub(super) fn log_custom_field(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let names = |key: &str| {
        let tables = parameters.tables(key);
        let name = |table: &Fields<'_>| {
            let written: At<String> = table.required("name")?;
            // names of cookies are tokens as those of header fields are (RFC 6265 section 4.1.1)
            if headers::is_name(&written.value) {
                return Some(Arc::from(written.value.to_ascii_lowercase()));
            }
            table.report.refuse(written.place.error(format!("`{}` is no name", shown(&written.value))))
        };
        tables.iter().filter_map(name).collect::<Vec<Arc<str>>>()
    };
    let cookies = |key: &str| {
        let tables = parameters.tables(key);
        tables.iter().filter_map(|table| table.required::<String>("name")).map(Arc::from).collect()
    };
    let fields = LogFields {
        request_fields: names("request_fields"),
        response_fields: names("response_fields"),
        cookie_fields: cookies("cookie_fields"),
    };
    says_something(parameters, rule, "log_custom_field")?;
    Some(Action::LogCustomField(Box::new(fields)))
}
