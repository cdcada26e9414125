//! The visibility matrix: state × expiry × validity × verification × activity × tenant × door, every combination a row,
//! each shown or not as the table of docs/reference/visibility.md says. The expectation is read from that page, so the
//! page cannot say anything else than what happens.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use heirloom_store::{Recall, Scope};

use crate::door::{Door, axis};
use crate::world::words;

const PAGE: &str = include_str!("../../../../docs/reference/visibility.md");

/// What a value of a dimension does to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shown {
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

fn dimensions() -> Vec<Dimension> {
    let mut said = BTreeSet::new();
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
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

/// Every combination: how it is named, its SQL values, and what each of its values says.
fn combinations() -> Vec<(String, String, Vec<Shown>)> {
    let mut all = vec![(String::new(), String::new(), Vec::new())];
    for dimension in dimensions() {
        all = all
            .into_iter()
            .flat_map(|(name, sql, shown)| {
                dimension
                    .values
                    .iter()
                    .map(|(value, column, says)| {
                        let mut shown = shown.clone();
                        shown.push(*says);
                        (format!("{name} / {value}"), format!("{sql}, {column}"), shown)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_recalled_or_not_as_the_page_says_by_every_door() {
    let door = Door::open().await;
    let combinations = combinations();
    assert_eq!(combinations.len(), 9 * 4 * 4 * 2 * 2 * 3);
    let q = axis(1, 0.0);
    let mut values = String::new();
    for (n, (_, sql, _)) in combinations.iter().enumerate() {
        write!(values, "{}({}{sql})", if n == 0 { "" } else { "," }, n + 1).unwrap();
    }
    door.run(&format!(
        "insert into heirloom.memory (id, lesson_id, namespace, project_id, role, topic, content, commit_sha, source_type,
             state, expires_at, t_valid_from, t_valid_to, verified_at, is_active, embedding, created_at)
         select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n, home, split_part(home, ':', 2)::integer,
             'r', 't' || n, 'xyzzy 東京', 'c', 'imported', state, expires_at, since, coalesce(until, 'infinity'), verified_at,
             active, v.q, now() - interval '3 hours'
         from (values {values}) x(n, state, expires_at, since, until, verified_at, active, home), (select {q} as q) v;
         insert into heirloom.namespace (name, expires_at) values ('project:3', now());
         insert into heirloom.bound_role values (session_user, '{{project:1,project:3}}');
         set role heirloom_serve"
    ))
    .await;

    let ids = "select coalesce(string_agg(id::text, ','), '') from";
    let lessons = "select coalesce(string_agg(lesson_id::text, ','), '') from";
    let v = "(array[1]::real[] || array_fill(0::real, array[1023]))::vector(1024)";
    let mut doors = Vec::new();
    for also in ["null", "'{deprecated,superseded,archived,rejected}'"] {
        for ghosts in [false, true] {
            for (text, vector) in [("'xyzzy'", "null"), ("'東京'", "null"), ("null", v), ("'xyzzy'", v)] {
                doors.push((
                    format!(
                        "{ids} heirloom.recall({text}, {vector}, array['project:1', 'project:2', 'project:3'], null, null, {ghosts}, also_states => {also})"
                    ),
                    ghosts,
                    also != "null",
                ));
            }
        }
    }
    for ghosts in [false, true] {
        for call in [
            "recall_lessons(null, null, null, null, 'xyzzy')".to_owned(),
            format!("recall_lessons({v}, null)"),
            format!("recall_lessons({v}, null, null, null, 'xyzzy')"),
            "recall_hybrid(null, 'xyzzy', null)".to_owned(),
            format!("recall_hybrid({v}, 'xyzzy', null)"),
            format!("recall_fast({v}, null)"),
            format!("recall_lessons_pooled({v}, null)"),
        ] {
            doors.push((format!("{lessons} pgmnemo.{call}"), ghosts, false));
        }
    }
    // Read whole, and as a namespace that has indexes is read.
    for wide in [false, true] {
        if wide {
            door.run(
                "reset role; insert into heirloom.frequency as f (namespace, documents, is_indexed)
                 select 'project:' || n, 1152, true from generate_series(1, 3) n
                 on conflict (namespace) do update set is_indexed = true; set role heirloom_serve",
            )
            .await;
        }
        for (call, ghosts, named) in &doors {
            door.run(&format!("set pgmnemo.include_unverified = '{ghosts}'")).await;
            let found: BTreeSet<usize> = door
                .row(call)
                .await
                .split(',')
                .filter_map(|id| id.rsplit('-').next().and_then(|id| id.parse().ok()))
                .collect();
            for (n, (name, _, shown)) in combinations.iter().enumerate() {
                let wanted = shown.iter().all(|says| match says {
                    Shown::Yes => true,
                    Shown::No => false,
                    Shown::Unverified => *ghosts,
                    Shown::Named => *named,
                });
                assert_eq!(found.contains(&(n + 1)), wanted, "{name}: {call}, ghosts {ghosts}, wide {wide}");
            }
        }
    }
    door.run("reset role; delete from heirloom.bound_role").await;
    if door.test().url().is_some() {
        // The store's own door.
        let scope = Scope::new(["project:1", "project:3"]).unwrap();
        for include_unverified in [false, true] {
            let asked = Recall { include_unverified, limit: Some(1_000), ..words("xyzzy") };
            let found: BTreeSet<i64> =
                door.store().recall(&scope, &asked).await.unwrap().hits.iter().map(|hit| hit.lesson_id).collect();
            let wanted: BTreeSet<i64> = (1..)
                .zip(&combinations)
                .filter(|(_, (_, _, shown))| {
                    shown.iter().all(|says| *says == Shown::Yes || (*says == Shown::Unverified && include_unverified))
                })
                .map(|(n, _)| n)
                .collect();
            assert_eq!(found, wanted);
        }
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_answers_until_the_instant_it_expires_and_is_listed_afterwards() {
    let door = Door::open().await;
    door.run(
        "insert into heirloom.memory (id, namespace, kind, content) values
             ('00000000-0000-0000-0000-000000000001', 'team:a', 'fact', 'apple of a'),
             ('00000000-0000-0000-0000-000000000002', 'team:b', 'fact', 'apple of b');
         insert into heirloom.memory (namespace, kind, role, topic, content) values ('team:a', 'lesson', 'r', 't', 'apple ghost');
         insert into heirloom.namespace (name, expires_at) values ('team:a', '2999-01-01Z'), ('team:b', null)",
    )
    .await;
    for (at, wanted) in [("2998-12-31 23:59:59.999999Z", "2"), ("2999-01-01Z", "1")] {
        for names in ["array['team:a', 'team:b']", "null"] {
            assert_eq!(
                door.row(&format!("select count(*) from heirloom.recall('apple', null, {names}, at => '{at}')")).await,
                wanted,
                "{at}"
            );
        }
    }
    assert_eq!(door.row("select heirloom.recall_ghosts('apple', null, '{team:a}')").await, "1");
    door.run("update heirloom.namespace set expires_at = now() where name = 'team:a'").await;
    for at in ["1970-01-01Z", "now"] {
        let sql = format!("select count(*) from heirloom.recall('apple', null, '{{team:a}}', at => '{at}')");
        assert_eq!(door.row(&sql).await, "0", "looking back does not open it again");
    }
    assert_eq!(
        door.row("select heirloom.recall_ghosts('apple', null, '{team:a}')").await,
        "0",
        "nor are its ghosts counted"
    );
    assert_eq!(door.row("select count(*) from heirloom.memory where namespace = 'team:a'").await, "2");
    if door.test().url().is_some() {
        let scope = Scope::one("team:a").unwrap();
        let page = door.store().list(&scope, &heirloom_store::List::default()).await.unwrap();
        assert_eq!(page.items.len(), 2, "listing shows what is kept");
    }
    door.run("update heirloom.namespace set expires_at = null").await;
    assert_eq!(
        door.row("select count(*) from heirloom.recall('apple', null, '{team:a}')").await,
        "1",
        "and it comes back"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_and_repetition_of_namespaces_move_nothing() {
    let door = Door::open().await;
    door.run(
        "insert into heirloom.memory (namespace, kind, content, source_run_id)
         select 'team:' || chr(97 + g % 3), 'fact', 'apple ' || g || repeat(' pear', g % 4), 's' || g % 5 from generate_series(1, 60) g",
    )
    .await;
    let asked = |names: &str| {
        format!(
            "select string_agg(id || ' ' || score, ',' order by score desc, created_at desc, id) from heirloom.recall('apple pear', null, {names}, null)"
        )
    };
    let wanted = door.row(&asked("'{team:a,team:b,team:c}'")).await;
    for names in [
        "'{team:c,team:b,team:a}'",
        "'{team:a,team:a,team:b,team:c,team:b}'",
        "array['team:b', null, 'team:c', 'team:a']",
    ] {
        assert_eq!(door.row(&asked(names)).await, wanted, "{names}");
    }
    assert_eq!(door.row("select count(*) from heirloom.recall('apple', null, '{team:a,team:a}', null)").await, "20");
    door.close().await;
}
