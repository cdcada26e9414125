//! The visibility matrix: state × expiry × validity × verification × activity × tenant × door, every combination a row,
//! each shown or not as the table of docs/reference/visibility.md says. The expectation is read from that page, so the
//! page cannot say anything else than what happens.

use std::collections::BTreeSet;

use heirloom_store::{Recall, Scope};

use crate::door::Door;
use crate::matrix;
use crate::world::words;

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_recalled_or_not_as_the_page_says_by_every_door() {
    let door = Door::open().await;
    let cells = matrix::cells();
    door.run(&format!(
        "{}; insert into heirloom.bound_role values (session_user, '{{project:1,project:3}}'); set role heirloom_serve",
        matrix::written(&cells)
    ))
    .await;

    assert_eq!(matrix::door("`heirloom.recall`"), (true, true));
    assert_eq!(
        matrix::door("`recall_lessons`, `recall_hybrid`, `recall_fast`, `recall_lessons_pooled`"),
        (true, false)
    );
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
            let found: BTreeSet<usize> = door.row(call).await.split(',').filter_map(matrix::number).collect();
            for (n, cell) in (1..).zip(&cells) {
                let wanted = cell.is_shown(*ghosts, *named);
                assert_eq!(found.contains(&n), wanted, "{}: {call}, ghosts {ghosts}, wide {wide}", cell.name);
            }
        }
    }
    door.run("reset role; delete from heirloom.bound_role").await;
    if door.test().url().is_some() {
        // The store's own door.
        let scope = Scope::new(["project:1", "project:3"]).unwrap();
        for include_unverified in [false, true] {
            let asked = Recall { include_unverified, limit: Some(1_000), ..words("xyzzy") };
            let hits = door.store().recall(&scope, &asked).await.unwrap().hits;
            let found: BTreeSet<usize> = hits.iter().filter_map(|hit| usize::try_from(hit.lesson_id).ok()).collect();
            let shown = |cell: &matrix::Cell| cell.is_shown(include_unverified, false);
            let wanted: BTreeSet<usize> = (1..).zip(&cells).filter(|(_, cell)| shown(cell)).map(|(n, _)| n).collect();
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
