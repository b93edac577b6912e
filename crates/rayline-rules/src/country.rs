//! What follows from a country: its continent, and whether it is of the European Union ("Fields reference",
//! `ip.src.continent`, `ip.src.is_in_european_union`).

/// Continents with their countries (ISO 3166-1), as common tables of addresses have them. `T1` is the Tor network.
const CONTINENTS: [(&str, &str); 8] = [
    (
        "AF",
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE \
         NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
    ),
    ("AN", "AQ BV GS HM TF"),
    (
        "AS",
        "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM \
         PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
    ),
    (
        "EU",
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK \
         MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    ),
    (
        "NA",
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT \
         US VC VG VI",
    ),
    ("OC", "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS"),
    ("SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
    ("T1", "T1"),
];

/// The members, and the parts of them overseas that belong to the Union (Article 355 TFEU).
const EUROPEAN_UNION: &str =
    "AT AX BE BG CY CZ DE DK EE ES FI FR GF GP GR HR HU IE IT LT LU LV MF MQ MT NL PL PT RE RO SE SI SK YT";

/// The continent of a country, two capitals; none of a code that is no country's.
pub fn continent(country: &str) -> Option<&'static str> {
    CONTINENTS.iter().find(|(_, countries)| is_among(country, countries)).map(|(continent, _)| *continent)
}

/// Whether a country is of the European Union.
pub fn is_in_european_union(country: &str) -> bool {
    is_among(country, EUROPEAN_UNION)
}

fn is_among(country: &str, countries: &str) -> bool {
    countries.split_ascii_whitespace().any(|code| code == country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_one_continent() {
        let mut all: Vec<&str> =
            CONTINENTS.iter().flat_map(|(_, countries)| countries.split_ascii_whitespace()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(count > 245, "{count}");
        assert!(all.iter().all(|code| code.len() == 2));
        assert!(EUROPEAN_UNION.split_ascii_whitespace().all(|code| continent(code).is_some()));
        assert_eq!(continent("DE"), Some("EU"));
        assert_eq!(continent("BR"), Some("SA"));
        assert_eq!((continent("XX"), continent(""), continent("D")), (None, None, None));
        assert!(is_in_european_union("SE") && !is_in_european_union("NO") && !is_in_european_union("GB"));
    }
}
