//! From a name as written to what it names, and from one that is misspelt to the one that was meant.

use crate::scheme::{Field, Function};

/// Names that Cloudflare gave up in favour of others and still reads ("Fields reference").
const FORMER: &[(&str, Field)] = &[
    ("ip.geoip.asnum", Field::IpSrcAsnum),
    ("ip.geoip.continent", Field::IpSrcContinent),
    ("ip.geoip.country", Field::IpSrcCountry),
    ("ip.geoip.is_in_european_union", Field::IpSrcIsInEuropeanUnion),
    ("ip.geoip.subdivision_1_iso_code", Field::IpSrcRegionCode),
];

impl Field {
    /// The field of a name, of today or of former times.
    pub fn named(name: &str) -> Option<Self> {
        let former = || FORMER.iter().find(|(former, _)| *former == name).map(|(_, field)| *field);
        Self::ALL.iter().copied().find(|field| field.name() == name).or_else(former)
    }
}

impl Function {
    /// The function of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }
}

/// The known name that was probably meant: at most a third of its letters differ.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, name), name))
        .filter(|(distance, name)| *distance * 3 <= name.len().max(3) && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
