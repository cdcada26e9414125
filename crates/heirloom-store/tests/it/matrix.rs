//! What docs/reference/visibility.md says of each memory and of each door, read from the page itself, and the rows that try
//! it: every combination is one. The tests of the binary read the same file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../../../docs/reference/visibility.md");

/// What a value of a dimension does to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    Yes,
    No,
    /// Only where ghosts are asked for.
    Unverified,
    /// Only where the state is asked for.
    Named,
}

/// A dimension: its values as the page writes them, the SQL that makes a row so, and what the page says of it.
struct Dimension {
    values: Vec<(&'static str, &'static str, Shown)>,
}

/// (dimension, value, SQL column values): what the page's words mean.
const MEANING: [(&str, &[(&str, &str)]); 6] = [
    (
        "state",
        &[
            ("draft", "'draft'"),
            ("candidate", "'candidate'"),
            ("validated", "'validated'"),
            ("canonical", "'canonical'"),
            ("conflicted", "'conflicted'"),
            ("deprecated", "'deprecated'"),
            ("superseded", "'superseded'"),
            ("archived", "'archived'"),
            ("rejected", "'rejected'"),
        ],
    ),
    (
        "expiry",
        &[
            ("none", "null::timestamptz"),
            ("later", "now() + interval '1 hour'"),
            ("this instant", "now()"),
            ("before", "now() - interval '1 hour'"),
        ],
    ),
    (
        "validity",
        &[
            ("open", "now() - interval '1 hour', null::timestamptz"),
            ("ends later", "now() - interval '1 hour', now() + interval '1 hour'"),
            ("not begun", "now() + interval '1 hour', null"),
            ("ended", "now() - interval '2 hours', now() - interval '1 hour'"),
        ],
    ),
    ("verification", &[("verified", "now()"), ("ghost", "null::timestamptz")]),
    ("activity", &[("active", "true"), ("inactive", "false")]),
    ("tenant", &[("own", "'project:1'"), ("own, namespace expired", "'project:3'"), ("another's", "'project:2'")]),
];

/// The rows of the page's tables.
fn rows() -> Vec<Vec<&'static str>> {
    PAGE.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn dimensions() -> Vec<Dimension> {
    let mut said = BTreeSet::new();
    let rows = rows();
    let dimensions = MEANING
        .iter()
        .map(|(dimension, values)| Dimension {
            values: values
                .iter()
                .map(|(value, sql)| {
                    let row = rows
                        .iter()
                        .find(|row| row[0] == *dimension && row[1] == *value)
                        .unwrap_or_else(|| panic!("the page has no row `| {dimension} | {value} |`"));
                    said.insert((row[0], row[1]));
                    let shown = match row[2] {
                        "yes" => Shown::Yes,
                        "no" => Shown::No,
                        "with ghosts" => Shown::Unverified,
                        "where named" => Shown::Named,
                        other => panic!("the page says `{other}` of {dimension} {value}"),
                    };
                    (*value, *sql, shown)
                })
                .collect(),
        })
        .collect();
    let in_page = rows.iter().filter(|row| MEANING.iter().any(|(dimension, _)| row[0] == *dimension)).count();
    assert_eq!(in_page, said.len(), "the page says nothing that is not tried");
    dimensions
}

/// One row of the matrix.
pub(crate) struct Cell {
    /// Its values, as the page writes them.
    pub(crate) name: String,
    sql: String,
    says: Vec<Shown>,
}

impl Cell {
    /// Whether recall shows it to somebody who asks for ghosts, and to somebody who names the states that have to be.
    pub(crate) fn is_shown(&self, ghosts: bool, named: bool) -> bool {
        self.says.iter().all(|says| match says {
            Shown::Yes => true,
            Shown::No => false,
            Shown::Unverified => ghosts,
            Shown::Named => named,
        })
    }
}

/// Every combination; the first has the number 1.
pub(crate) fn cells() -> Vec<Cell> {
    let mut all = vec![Cell { name: String::new(), sql: String::new(), says: Vec::new() }];
    for dimension in dimensions() {
        let with = |cell: &Cell, (value, column, says): &(&str, &str, Shown)| Cell {
            name: format!("{} / {value}", cell.name),
            sql: format!("{}, {column}", cell.sql),
            says: [cell.says.as_slice(), &[*says]].concat(),
        };
        all = all.iter().flat_map(|cell| dimension.values.iter().map(move |value| with(cell, value))).collect();
    }
    assert_eq!(all.len(), 9 * 4 * 4 * 2 * 2 * 3);
    all
}

/// The statements that write them, as an owner: their ids end in their numbers, their topics are `t` and their numbers, and
/// each says `xyzzy` and has a vector that points the first way.
pub(crate) fn written(cells: &[Cell]) -> String {
    let mut values = String::new();
    for (n, cell) in (1..).zip(cells) {
        write!(values, "{}({n}{})", if n == 1 { "" } else { "," }, cell.sql).unwrap();
    }
    format!(
        "insert into heirloom.memory (id, lesson_id, namespace, project_id, role, topic, content, commit_sha, source_type,
             state, expires_at, t_valid_from, t_valid_to, verified_at, is_active, embedding, created_at)
         select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n, home, split_part(home, ':', 2)::integer,
             'r', 't' || n, 'xyzzy 東京', 'c', 'imported', state, expires_at, since, coalesce(until, 'infinity'), verified_at,
             active, (array[1]::real[] || array_fill(0::real, array[1023]))::vector(1024), now() - interval '3 hours'
         from (values {values}) x(n, state, expires_at, since, until, verified_at, active, home);
         insert into heirloom.namespace (name, expires_at) values ('project:3', now())"
    )
}

/// The number at the end of an id or a topic.
pub(crate) fn number(text: &str) -> Option<usize> {
    text.rsplit(['-', 't']).next().and_then(|digits| digits.parse().ok())
}

/// Whether the page says that a door can ask for ghosts, and that it can name states.
pub(crate) fn door(name: &str) -> (bool, bool) {
    let row = rows().into_iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("the page has no door {name}"));
    (row[1] != "never", row[2] != "never")
}
