//! Maintenance as an order: the configuration's text with it on or off, all else as it was written, comments too.

use rayline_config::Zone;
use rayline_control::{MaintenanceOrder, ZoneMaintenance};
use rayline_verdict::Moment;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// The most that it can last without being switched off, in seconds: a month.
const LONGEST: u64 = 31 * 24 * 60 * 60;

/// A zone's maintenance as it is now.
pub(super) fn described(zone: &Zone, now: Moment) -> ZoneMaintenance {
    let Some(maintenance) = &zone.maintenance else {
        return ZoneMaintenance { zone: zone.name.clone(), ..ZoneMaintenance::default() };
    };
    ZoneMaintenance {
        zone: zone.name.clone(),
        enabled: maintenance.until.is_none_or(|until| until > now),
        until: maintenance.until.map(Moment::to_seconds),
        retry_after_seconds: maintenance.retry_after.as_secs(),
        allow: maintenance.allow.iter().map(ToString::to_string).collect(),
        paths: maintenance.paths.clone(),
    }
}

/// The text after the order, and what is to stand in the version's history.
///
/// # Errors
/// The zone is not there, not named, or written in a way that cannot be changed here; in a sentence.
pub(super) fn edited(text: &str, order: &MaintenanceOrder, now: Moment) -> Result<(String, String), String> {
    let mut document: DocumentMut =
        text.parse().map_err(|error| format!("the configuration cannot be read: {error}"))?;
    let until = order.lasts_seconds.map(|seconds| end(now, seconds)).transpose()?;
    let (name, zone) = zone(&mut document, order.zone.as_deref())?;
    if order.enabled {
        switch_on(zone, order, until.as_deref())?;
    } else {
        switch_off(zone)?;
    }
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    let what = format!("maintenance of {name} {}{until}", if order.enabled { "on" } else { "off" });
    let why = order.signed.comment.trim();
    let comment = if why.is_empty() { what } else { format!("{what}: {why}") };
    Ok((document.to_string(), comment))
}

fn end(now: Moment, seconds: u64) -> Result<String, String> {
    let nanoseconds = (1..=LONGEST).contains(&seconds).then(|| i64::try_from(seconds * 1_000_000_000).ok()).flatten();
    let lasts = nanoseconds.ok_or_else(|| "maintenance lasts from a second to 31 days".to_owned())?;
    Ok(Moment(now.0.saturating_add(lasts)).to_seconds())
}

/// The zone that is meant, with its name.
fn zone<'a>(document: &'a mut DocumentMut, wanted: Option<&str>) -> Result<(String, &'a mut Table), String> {
    let zones = document.get_mut("zone").and_then(Item::as_array_of_tables_mut);
    let zones = zones.ok_or("the configuration has no `[[zone]]` that could be changed")?;
    let names: Vec<String> = zones.iter().map(name).collect();
    let place = match wanted {
        Some(wanted) => names.iter().position(|name| name.eq_ignore_ascii_case(wanted.trim_end_matches('.'))),
        None if names.len() == 1 => Some(0),
        None => return Err(format!("which zone? name one of {}", listed(&names))),
    };
    let found = place.and_then(|place| Some((names.get(place)?.clone(), zones.get_mut(place)?)));
    found.ok_or_else(|| format!("there is no zone `{}`, only {}", wanted.unwrap_or_default(), listed(&names)))
}

fn name(zone: &Table) -> String {
    zone.get("name").and_then(Item::as_str).unwrap_or_default().to_owned()
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn switch_on(zone: &mut Table, order: &MaintenanceOrder, until: Option<&str>) -> Result<(), String> {
    let table = maintenance(zone)?;
    table.insert("enabled", value("on"));
    match until {
        Some(until) => table.insert("until", value(until)),
        // that of the last time is over
        None => table.remove("until"),
    };
    if let Some(retry_after) = &order.retry_after {
        table.insert("retry_after", value(retry_after));
    }
    if let Some(allow) = &order.allow {
        table.insert("allow", value(Array::from_iter(allow)));
    }
    Ok(())
}

/// What is left of the table stays for the next time.
fn switch_off(zone: &mut Table) -> Result<(), String> {
    if !zone.contains_key("maintenance") {
        return Ok(());
    }
    let table = maintenance(zone)?;
    table.remove("until");
    table.insert("enabled", value("off"));
    Ok(())
}

/// `[zone.maintenance]`, which is made if it is not there.
fn maintenance(zone: &mut Table) -> Result<&mut dyn TableLike, String> {
    let item = zone.entry("maintenance").or_insert_with(|| Item::Table(Table::new()));
    item.as_table_like_mut().ok_or_else(|| "`maintenance` is no table".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_262_400_000_000_000);
    const TEXT: &str = "# mine\n[[zone]]\nname = \"shop.test\" # the shop\n[[zone.dns_records]]\ntype = \"A\"\n";

    fn on(order: MaintenanceOrder) -> MaintenanceOrder {
        MaintenanceOrder { enabled: true, ..order }
    }

    #[test]
    fn nothing_else_changes() {
        let order = on(MaintenanceOrder { lasts_seconds: Some(3600), ..MaintenanceOrder::default() });
        let (text, comment) = edited(TEXT, &order, NOW).unwrap();
        let table = "\n[zone.maintenance]\nenabled = \"on\"\nuntil = \"2026-11-21T13:00:00Z\"\n";
        assert_eq!(text, format!("{TEXT}{table}"));
        assert_eq!(comment, "maintenance of shop.test on until 2026-11-21T13:00:00Z");
        let (off, comment) = edited(&text, &MaintenanceOrder::default(), NOW).unwrap();
        assert_eq!(off, format!("{TEXT}\n[zone.maintenance]\nenabled = \"off\"\n"));
        assert_eq!(comment, "maintenance of shop.test off");
        assert_eq!(edited(TEXT, &MaintenanceOrder::default(), NOW).unwrap().0, TEXT);
    }

    #[test]
    fn what_was_written_stays_unless_it_is_ordered_otherwise() {
        let text = "[[zone]]\nname = \"a.test\"\nmaintenance = { retry_after = \"1h\", paths = [\"/x\"] }\n";
        let order = on(MaintenanceOrder { allow: Some(vec!["192.0.2.7".to_owned()]), ..MaintenanceOrder::default() });
        let (edited, _) = edited(text, &order, NOW).unwrap();
        for kept in ["retry_after = \"1h\"", "paths = [\"/x\"]", "enabled = \"on\"", "allow = [\"192.0.2.7\"]"] {
            assert!(edited.contains(kept), "{kept}: {edited}");
        }
    }

    #[test]
    fn which_zone_is_meant_must_be_plain() {
        let two = "[[zone]]\nname = \"a.test\"\n[[zone]]\nname = \"b.test\"\n";
        let of = |zone: Option<&str>| {
            edited(two, &on(MaintenanceOrder { zone: zone.map(str::to_owned), ..MaintenanceOrder::default() }), NOW)
        };
        assert_eq!(of(None).unwrap_err(), "which zone? name one of `a.test`, `b.test`");
        assert_eq!(of(Some("c.test")).unwrap_err(), "there is no zone `c.test`, only `a.test`, `b.test`");
        assert!(of(Some("B.test.")).unwrap().0.ends_with("[zone.maintenance]\nenabled = \"on\"\n"));
        let order = on(MaintenanceOrder { lasts_seconds: Some(u64::MAX), ..MaintenanceOrder::default() });
        assert!(edited(TEXT, &order, NOW).unwrap_err().contains("31 days"));
    }
}
