//! Continents, and the European Union, by country (ISO 3166-1, United Nations M49).

/// Countries of each continent, two letters each.
const CONTINENTS: [(&str, &str); 8] = [
    (
        "AF",
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE \
         NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
    ),
    ("AN", "AQ BV GS HM TF"),
    (
        "AS",
        "AE AF AM AZ BD BH BN BT CC CN CX CY GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP \
         OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE",
    ),
    (
        "EU",
        "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT \
         NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    ),
    (
        "NA",
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT \
         US VC VG VI",
    ),
    ("OC", "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"),
    ("SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
    ("T1", "T1"),
];

const EUROPEAN_UNION: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// The continent of a country, two letters; empty if it is of none, as `XX` is.
pub fn continent(country: &str) -> &'static str {
    CONTINENTS.iter().find(|(_, countries)| holds(countries, country)).map_or("", |(continent, _)| continent)
}

/// Whether a country is a member of the European Union.
pub fn is_in_european_union(country: &str) -> bool {
    holds(EUROPEAN_UNION, country)
}

fn holds(countries: &str, country: &str) -> bool {
    countries.split(' ').any(|other| other.eq_ignore_ascii_case(country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_is_of_one_continent() {
        let all: Vec<&str> = CONTINENTS.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        assert!(all.iter().all(|country| country.len() == 2));
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert!(EUROPEAN_UNION.split(' ').all(|country| matches!(continent(country), "EU" | "AS")));
        assert_eq!(EUROPEAN_UNION.split(' ').count(), 27);
    }

    #[test]
    fn of_known_and_unknown_countries() {
        assert_eq!(["de", "NZ", "BR", "XX", ""].map(continent), ["EU", "OC", "SA", "", ""]);
        assert!(is_in_european_union("CY") && !is_in_european_union("GB") && !is_in_european_union("XX"));
    }
}
