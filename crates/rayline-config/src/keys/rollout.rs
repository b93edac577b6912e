//! The keys of how a version comes into use: gradual rollout, and maintenance of a zone.

use std::time::Duration;

use super::{Key, Kind, Otherwise, Section};

use Otherwise::{Default, Nothing};

const SECOND: Duration = Duration::from_secs(1);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

pub(crate) static ROLLOUT: Section = Section {
    path: "rollout",
    doc: "How a version is rolled out by `rayline config apply FILE --rollout`: to a share of the visitors first, then to more. \
          What stands here in the version that runs holds for the one that is rolled out",
    keys: &[
        Key {
            name: "steps",
            kind: Kind::List(&Kind::Decimal { min: 0.01, max: 100.0 }),
            otherwise: Default("[1, 5, 25, 50, 100]"),
            doc: "Percent of the visitors, step by step, rising; at 100 it has come into use and nothing is left to compare it with",
        },
        Key {
            name: "dwell",
            kind: Kind::Time { min: SECOND, max: WEEK },
            otherwise: Default("\"10m\""),
            doc: "How long each step lasts at least",
        },
        Key {
            name: "min_requests",
            kind: Kind::Whole { min: 10, max: 1_000_000_000, unit: "" },
            otherwise: Default("100"),
            doc: "How many requests either version must have served in a step before the next begins",
        },
        Key {
            name: "promote",
            kind: Kind::Switch,
            otherwise: Default("\"on\""),
            doc: "Whether the next step begins by itself if all is well; if not, `rayline config rollout promote` begins it",
        },
    ],
    later: &[],
};

pub(crate) static MAINTENANCE: Section = Section {
    path: "zone.maintenance",
    doc: "Maintenance: visitors get 503 with `Retry-After`, and nothing is asked of the origin",
    keys: &[
        Key {
            name: "enabled",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether the zone is in maintenance",
        },
        Key {
            name: "retry_after",
            kind: Kind::Time { min: SECOND, max: MONTH },
            otherwise: Default("\"5m\""),
            doc: "What `Retry-After` says, in whole seconds",
        },
        Key {
            name: "allow",
            kind: Kind::List(&Kind::Text("an address or a network such as `\"10.0.0.0/8\"`")),
            otherwise: Default("[]"),
            doc: "Who is served all the same",
        },
        Key {
            name: "until",
            kind: Kind::Text("a moment such as `\"2026-11-21T23:00:00Z\"`"),
            otherwise: Nothing { means: "until it is switched off", example: "\"2026-11-21T23:00:00Z\"" },
            doc: "When it ends by itself. `Retry-After` says no more than what is left",
        },
        Key {
            name: "paths",
            kind: Kind::List(&Kind::Text("the beginning of a path such as `\"/shop/\"`")),
            otherwise: Default("[]"),
            doc: "Which paths are in maintenance, by their beginnings; none named means all",
        },
        Key {
            name: "page",
            kind: Kind::Text("the path of an HTML file"),
            otherwise: Nothing { means: "the edge's own page", example: "\"pages/maintenance.html\"" },
            doc: "What people see; it may contain `::RAY_ID::`, `::CLIENT_IP::` and `::GEO::`. Programs that ask for JSON get \
                  the edge's own answer",
        },
    ],
    later: &[],
};
