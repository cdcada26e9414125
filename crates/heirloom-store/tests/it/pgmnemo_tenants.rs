//! Tenants of the SQL door: what a project sees, what the service role sees, and that nothing else shows through.

use crate::door::{Door, axis};

/// Two projects with two lessons each and one without a project; then the serving role.
async fn furnished() -> Door {
    let door = Door::open().await;
    let q = axis(1, 0.0);
    door.run(&format!(
        "insert into pgmnemo.agent_lesson (id, role, project_id, topic, lesson_text, embedding, commit_sha, verified_at, expires_at) values
             (11, 'r', 1, 'a', 'apple of one', {q}, 'c', now(), null), (12, 'r', 1, 'b', 'pear of one', {q}, 'c', now(), '2020-01-01Z'),
             (21, 'r', 2, 'a', 'apple of two', {q}, 'c', now(), null), (22, 'r', 2, 'b', 'pear of two', {q}, 'c', now(), '2020-01-01Z'),
             (31, 'r', null, 'a', 'apple of none', {q}, 'c', now(), null);
         insert into pgmnemo.memory_ingest_log (source_origin, min_id, max_id) values ('mem.item', 1, 5)"
    ))
    .await;
    door
}

const SEEN: &str = "select coalesce(string_agg(id::text, ',' order by id), '') from pgmnemo.agent_lesson";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_sees_itself_and_only_service_sees_all() {
    let door = furnished().await;
    for (role, tenant, seen) in [
        ("heirloom_serve", Some("1"), "11,12"),
        ("heirloom_serve", Some("2"), "21,22"),
        ("heirloom_serve", Some(""), ""),
        ("heirloom_serve", None, ""),
        ("heirloom_serve", Some("01"), ""),
        ("heirloom_serve", Some(" 1"), ""),
        ("heirloom_serve", Some("abc"), ""),
        ("heirloom_serve", Some("1,project:2"), ""),
        ("heirloom_service", Some(""), "11,12,21,22,31"),
        ("heirloom_service", None, "11,12,21,22,31"),
        ("heirloom_service", Some("2"), "21,22"),
    ] {
        door.run(&tenant.map_or("reset pgmnemo.tenant_id".to_owned(), |t| format!("set pgmnemo.tenant_id = '{t}'")))
            .await;
        door.run(&format!("set role {role}")).await;
        assert_eq!(door.row(SEEN).await, seen, "{role} {tenant:?}");
        door.run("reset role").await;
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_or_absent_project_is_refused_on_insert_and_update() {
    let door = furnished().await;
    door.run("set role heirloom_serve; set pgmnemo.tenant_id = '1'").await;
    for project in ["2", "null"] {
        for sql in [
            format!(
                "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha) values ('r', {project}, 't', 'x', 'c')"
            ),
            format!(
                "insert into pgmnemo.mem_item (role, project_id, topic, lesson_text, commit_sha) values ('r', {project}, 't', 'x', 'c')"
            ),
            format!(
                "select pgmnemo.ingest('r', {project}, 't', 'a lesson of more than twenty characters', p_commit_sha => 'c')"
            ),
            format!("update pgmnemo.agent_lesson set project_id = {project} where id = 11"),
            format!("select pgmnemo.remember_event('r', 'person:ada', 'met', 'somewhere', p_project_id => {project})"),
        ] {
            let refused = door.refused(&sql).await;
            assert_eq!(refused.code, "42501", "{sql}: {}", refused.message);
        }
    }
    door.run("select pgmnemo.ingest('r', 1, 't', 'a lesson of more than twenty characters', p_commit_sha => 'c')")
        .await;
    for view in ["agent_lesson", "mem_item"] {
        assert_eq!(
            door.rows(&format!("update pgmnemo.{view} set importance = 1 where id in (21, 31) returning id")).await,
            [""; 0]
        );
        assert_eq!(door.rows(&format!("delete from pgmnemo.{view} where id in (21, 31) returning id")).await, [""; 0]);
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_shows_counts_or_changes_a_foreign_row() {
    let door = furnished().await;
    door.run("update pgmnemo.agent_lesson set verified_at = null where id = 21").await;
    door.run("select pgmnemo.add_edge(21, 22, 'CAUSED_BY')").await;
    door.run("create temp table before as select * from heirloom.memory where project_id is distinct from 1").await;
    door.run("grant select on before to heirloom_serve; set role heirloom_serve; set pgmnemo.tenant_id = '1'").await;
    door.said();
    let q = axis(1, 0.0);
    for (call, wanted) in [
        ("recall_lessons(null, null, null, null, 'apple')".to_owned(), "1"),
        ("recall_lessons(null, null, null, 2, 'apple')".to_owned(), "0"),
        (format!("recall_lessons({q}, null)"), "1"),
        (format!("recall_hybrid({q}, 'apple', null)"), "1"),
        (format!("recall_fast({q}, null)"), "1"),
        (format!("recall_lessons_pooled({q}, null)"), "1"),
        ("as_of(now())".to_owned(), "2"),
        ("mem_item".to_owned(), "2"),
        ("mem_edge".to_owned(), "0"),
        ("consolidate()".to_owned(), "0"),
        ("traverse_causal_chain(21)".to_owned(), "0"),
        ("traverse_causal_chain(22, direction => 'both')".to_owned(), "0"),
        ("traverse_temporal_window(21)".to_owned(), "0"),
        ("undo_consolidate(21, false)".to_owned(), "0"),
        ("mark_stale(-1, 1, false, false)".to_owned(), "2"),
        ("auto_promote_drafts(false)".to_owned(), "0"),
    ] {
        assert_eq!(door.row(&format!("select count(*) from pgmnemo.{call}")).await, wanted, "{call}");
    }
    assert_eq!(
        door.row(
            "select lesson_count, ghost_count, mem_edge_count, embedded_count, expired_count from pgmnemo.stats()"
        )
        .await,
        "2|0|0|2|1"
    );
    let heard = door.said().unwrap_or_default();
    assert!(heard.iter().all(|said| !said.contains("unverified")), "the foreign ghost is not counted: {heard:?}");
    assert_eq!(door.row("select pgmnemo.evict_expired_lessons()").await, "1", "its own");
    assert_eq!(door.row("select pgmnemo.reinforce(array[21, 22, 31]::bigint[], 'success')").await, "0");
    door.run("select pgmnemo.mark_recalled(array[11, 21, 31])").await;
    for (call, message) in [
        ("transition_lesson(21, 'candidate')", "lesson 21 not found"),
        ("transition_lesson(4711, 'candidate')", "lesson 4711 not found"),
        ("reinforce(21, 'success')", "pgmnemo.reinforce: lesson 21 not found"),
        ("add_edge(11, 21, 'CAUSED_BY')", "lesson 21 not found"),
        ("add_edge(11, 4711, 'CAUSED_BY')", "lesson 4711 not found"),
    ] {
        let refused = door.refused(&format!("select pgmnemo.{call}")).await;
        assert_eq!(refused.message, message, "a foreign lesson reads as one that is not there");
    }
    assert_eq!(door.refused("select * from pgmnemo.memory_ingest_log").await.code, "42501");
    door.run("reset role").await;
    assert_eq!(
        door.row("select count(*) from (select * from heirloom.memory where project_id is distinct from 1 except table before) x").await,
        "0", "nothing of the others moved"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_login_sees_its_namespaces_whatever_it_sets() {
    let door = furnished().await;
    door.run("insert into heirloom.bound_role values (session_user, '{project:1}'); set role heirloom_serve").await;
    for set in ["set pgmnemo.tenant_id = '2'", "set heirloom.namespaces = 'project:2'", "reset pgmnemo.tenant_id"] {
        door.run(set).await;
        assert_eq!(door.row(SEEN).await, "11,12", "{set}");
    }
    assert_eq!(door.refused("update heirloom.bound_role set namespaces = '{project:2}'").await.code, "42501");
    door.run("reset role; set role heirloom_service; reset heirloom.namespaces").await;
    assert_eq!(door.row(SEEN).await, "11,12", "nor by the service role");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_projects_of_a_session_never_widen_what_the_store_itself_serves() {
    let door = furnished().await;
    door.run("set role heirloom_serve; set pgmnemo.tenant_id = '1'; set heirloom.namespaces = 'team:a'").await;
    assert_eq!(door.row(SEEN).await, "", "a named namespace comes first");
    door.run("reset role; reset all; do $$ begin execute format('alter database %I set pgmnemo.tenant_id = ''1''', current_database()); end $$").await;
    let nobody = heirloom_store::Scope::new(Vec::<String>::new()).unwrap();
    let found = if door.test().url().is_some() {
        door.store().recall(&nobody, &crate::world::words("apple")).await.unwrap().hits.len()
    } else {
        0
    };
    assert_eq!(found, 0, "a scope of nothing sees nothing");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_forced_views_are_the_invokers_and_the_comparison_uses_the_index() {
    let door = furnished().await;
    assert_eq!(
        door.row("select count(*) from pg_class where relnamespace = 'pgmnemo'::regnamespace and relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions), false)").await,
        "0"
    );
    assert_eq!(
        door.row(
            "select string_agg(oid::regprocedure::text, ',') from pg_proc where pronamespace = 'pgmnemo'::regnamespace
             and (prosecdef or (prosqlbody is null and not coalesce(array_to_string(proconfig, ' ') like '%search_path=pg_catalog%', false)))"
        )
        .await,
        "-", "no function runs with its owner's rights or with a search_path of the caller"
    );
    door.run(
        "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha) select 'r', g, 't', 'x', 'c' from generate_series(100, 3000) g;
         analyze heirloom.memory; set role heirloom_serve; set pgmnemo.tenant_id = '1'",
    )
    .await;
    let plan = door.rows("explain (costs off) select count(*) from pgmnemo.agent_lesson").await.join("\n");
    assert!(plan.contains("Index"), "{plan}");
    let by_key = door
        .rows("explain (costs off) select 1 from heirloom.memory where namespace = 'project:1' and version_key = 5")
        .await
        .join("\n");
    assert!(by_key.contains("Index Cond") && by_key.contains("version_key = "), "{by_key}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_serving_role_would_see_every_tenant_is_refused() {
    let door = Door::open().await;
    // Roles belong to the cluster, so the grant stays in a transaction that ends with the look.
    door.run("begin; grant heirloom_service to heirloom_serve").await;
    let roles = door.rows(include_str!("../../sql/queries/schema/roles.sql")).await;
    door.run("rollback").await;
    let [audit, serve] = roles.as_slice() else { panic!("{roles:?}") };
    assert!(audit.starts_with("heirloom_audit|") && audit.ends_with("|f"), "{audit}");
    assert!(serve.starts_with("heirloom_serve|") && serve.ends_with("|t"), "{serve}");
    door.close().await;
}
