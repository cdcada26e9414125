//! Every function and every relation of the store, tried as project 1 on what belongs to project 2, in two stores that
//! differ in nothing but the rows of project 2. What is answered, refused, counted and said must be the same in both:
//! then nothing of project 2 showed, in a row, a number, an error or a notice. And nothing of project 2 moved.

use std::collections::BTreeSet;

use crate::door::{Door, axis};

const FOREIGN: &str = "00000000-0000-0000-0000-000000000021";

/// Project 1 in every store; project 2 where `neighbour`.
async fn furnished(neighbour: bool) -> Door {
    let door = Door::open().await;
    let q = axis(1, 0.0);
    let rows = |project: u32, from: u32| {
        format!(
            "insert into heirloom.memory (id, lesson_id, namespace, project_id, role, topic, content, commit_sha, verified_at,
                 source_type, source_run_id, created_at, updated_at, state_changed_at, valid_from, t_valid_from, embedding, embedding_model, expires_at, metadata)
             select ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid, g, 'project:{project}', {project}, 'r', 't' || g,
                 'apple ' || g || ' {word}', 'c', case when g % 10 < 6 then timestamptz '2024-01-01Z' end, 'imported', 'run', timestamptz '2024-01-01Z' + g * interval '1 minute',
                 '2024-01-01Z', '2024-01-01Z', '2024-01-01Z', '2024-01-01Z', {q}, 'm', case when g % 10 = 9 then timestamptz '2024-06-01Z' end,
                 '{{\"canonical_name\": \"person:ada\"}}'
             from generate_series({from}, {from} + 8) g;
             insert into heirloom.edge (namespace, source_id, target_id, relation, kind, metadata, created_at, valid_from) values ('project:{project}', '00000000-0000-0000-0000-0000000000{from}',
                 '00000000-0000-0000-0000-0000000000{to}', 'SUPERSEDED_BY', 'causal', '{{\"consolidation\": true, \"prior_state\": \"draft\"}}', '2024-01-01Z', '2024-01-01Z');
             insert into heirloom.namespace (name, created_at) values ('project:{project}', '2024-01-01Z');
             insert into heirloom.model_width (namespace, model, dimension) values ('project:{project}', 'm', 4);
             insert into heirloom.tombstone (id, namespace, forgotten_at) values ('00000000-0000-0000-0000-0000000001{from}', 'project:{project}', '2024-01-01Z');
             insert into heirloom.revision (namespace, memory_id, version_n, content, replaced_at) values ('project:{project}', '00000000-0000-0000-0000-0000000000{from}', 1, 'was {word}', '2024-01-01Z');
             insert into heirloom.state_transition (namespace, memory_id, from_state, to_state, at) overriding system value values ('project:{project}', '00000000-0000-0000-0000-0000000000{from}', 'draft', 'candidate', '2024-01-01Z');
             select heirloom.count_words('project:{project}');",
            word = if project == 1 { "pear" } else { "zanzibar" },
            to = from + 1,
        )
    };
    door.run(&rows(1, 11)).await;
    if neighbour {
        door.run(&rows(2, 21)).await;
    }
    door.run(
        "update heirloom.frequency set counted_at = '2024-01-01Z';
         alter sequence heirloom.memory_lesson_id_seq restart with 100;
         set role heirloom_serve; set pgmnemo.tenant_id = '1'",
    )
    .await;
    door
}

/// Each function once or more, asked for what is foreign. `$Q` stands for a vector near every row.
const CALLS: &[&str] = &[
    // Said first, so that every call after it is made under a setting that is the owner's alone.
    "select set_config('heirloom.dump', 'on', false), heirloom.owner_dumps()",
    // recall and what it is made of
    "select r.id, r.score from heirloom.recall('zanzibar apple', $Q, null, null) r",
    "select r.id, r.score from heirloom.recall('zanzibar', null, '{project:2}', null, include_unverified => true) r",
    "select r.id, r.score from heirloom.recall('\"zanzibar\" apple', null, '{project:1,project:2}', null) r",
    "select r.id, r.score from heirloom.recall('apple -zanzibar', null, '{project:1,project:2}', null) r",
    "select r.id from heirloom.recall_wide('zanzibar'::tsquery, null, '{zanzibar}', '{1:1}/536870912', '{zanzibar}', true, $Q, null, null, null, '{project:2}', 10, null, true, now(), null, null, null, null, true) r",
    "select heirloom.recall_ghosts('zanzibar apple', null, '{project:1,project:2}')",
    "select heirloom.recall_ghosts(null, $Q, null)",
    "select n.context from heirloom.recall_neighbours(array(select format('(%s,%s)', p, i)::tid from generate_series(0, 9) p, generate_series(1, 60) i), array_fill(1::double precision, array[600]), now(), true, null, null, null, null, null, null, null) n order by 1",
    "select * from heirloom.recall_top('{1}', null, 1, null, true, '{zanzibar}', '{project:1,project:2}')",
    "select * from heirloom.recall_best('{1}', '{0}', null, '{1}', null, '{0}', '{2024-01-01Z}', '{00000000-0000-0000-0000-000000000021}', '{2}', 1, 0, 10)",
    "select * from heirloom.question_vector('{zanzibar,apple}', '{project:1,project:2}')",
    "select * from heirloom.recall_terms('zanzibar')",
    "select heirloom.rare_words('{zanzibar,appl}', '{zanzibar,appl}', 'project:2', 1)",
    "select heirloom.says_something('{zanzibar}', '{project:1,project:2}')",
    "select heirloom.word_candidates('zanzibar'::tsquery, 'project:2', 8000, now(), false, null, null, null, null, null)",
    "select dimension from heirloom.recall_centre(null)",
    "select heirloom.recall_boost(true, 3::smallint, 'draft')",
    "select count(*) from heirloom.memory m where heirloom.is_recallable(m, now(), true, null, null, null, null, null)",
    "select heirloom.namespaces_in_sight()",
    "select heirloom.open_namespaces('{project:1,project:2}', now())",
    "select heirloom.visible_namespaces()",
    "select heirloom.may_see('project:2'), heirloom.may_see('project:1'), heirloom.serves_all()",
    "select count(*) from heirloom.memory m where heirloom.is_listed(m, '{}', '{}', '{}', null, null, null, null, null, null, null, true, '%zanzibar%')",
    // what the doors ask for
    "select * from heirloom.authenticate(decode(repeat('00', 32), 'hex'))",
    "select * from heirloom.idempotent_begin('00000000-0000-0000-0000-000000000021', 'k', decode(repeat('00', 32), 'hex'))",
    "select heirloom.idempotent_finish('00000000-0000-0000-0000-000000000021', 'k', decode(repeat('00', 32), 'hex'), 200, '{}')",
    "select heirloom.idempotent_expire()",
    "select heirloom.whereabouts('00000000-0000-0000-0000-000000000021', 'project:2')",
    "select heirloom.whereabouts('00000000-0000-0000-0000-000000000099', 'project:1')",
    "select * from heirloom.write_memory(false, 'me', decode(repeat('00', 32), 'hex'), false, '00000000-0000-0000-0000-000000000099', 'project:2', 'fact', 'user', null, null, 'zanzibar', 3::smallint, 'draft', null, null, null, null, null, false, null, null, null, null, null, null, null, null, null, 'note', null, null)",
    "select heirloom.model_width('project:2', 'm', 3)",
    "select heirloom.model_width('project:1', 'm', 3)",
    "select heirloom.refuse_width('embedding', 3, 'm', 'project:1', 4)",
    // writing past the doors
    "insert into heirloom.model_width (namespace, model, dimension) values ('project:2', 'm', 3)",
    "insert into heirloom.model_width (namespace, model, dimension) values ('project:2', 'm', 3) on conflict do nothing",
    "update heirloom.model_width set dimension = 5 where namespace = 'project:2'",
    "select heirloom.count_words('project:2')",
    "select heirloom.count_words_if_stale('project:2', 1000)",
    "select heirloom.count_words_if_stale('project:2')",
    "select heirloom.note_transition('project:2', '00000000-0000-0000-0000-000000000021', 'draft', 'candidate', 'me', 'why')",
    "insert into heirloom.namespace (name) values ('project:2')",
    "insert into heirloom.namespace (name) values ('project:2') on conflict (name) do update set expires_at = now()",
    "insert into heirloom.tombstone (id, namespace) values ('00000000-0000-0000-0000-000000000121', 'project:2') on conflict do nothing",
    "insert into heirloom.lexeme (namespace, lexeme, df) values ('project:2', 'zanzibar', 1)",
    "insert into heirloom.frequency (namespace, documents) values ('project:2', 1)",
    "insert into heirloom.revision (namespace, memory_id, version_n, content) values ('project:2', '00000000-0000-0000-0000-000000000021', 2, 'x')",
    "insert into heirloom.edge (namespace, source_id, target_id, relation) values ('project:1', '00000000-0000-0000-0000-000000000011', '00000000-0000-0000-0000-000000000021', 'X')",
    "insert into heirloom.edge (namespace, source_id, target_id, relation) values ('project:2', '00000000-0000-0000-0000-000000000021', '00000000-0000-0000-0000-000000000022', 'X')",
    "insert into heirloom.memory (id, namespace, kind, content) values ('00000000-0000-0000-0000-000000000021', 'project:2', 'fact', 'x') on conflict do nothing",
    "insert into heirloom.memory (id, lesson_id, namespace, kind, content) values ('00000000-0000-0000-0000-000000000021', 21, 'project:1', 'fact', 'mine of the same id') returning id",
    "delete from heirloom.memory where id = '00000000-0000-0000-0000-000000000021' returning namespace",
    "delete from heirloom.memory where namespace = 'project:2' returning id",
    "update heirloom.memory set content = 'x' where content like '%zanzibar%' returning id",
    "select id from heirloom.memory where 1 / (length(content) - length(content) + case when content like '%zanzibar%' then 0 else 1 end) = 1 order by id",
    "update pgmnemo.agent_lesson set project_id = 2 where id = 11",
    "select id from pgmnemo.agent_lesson where id between 21 and 29 order by id",
    "delete from pgmnemo.mem_item where id = 22",
    // the door's own functions
    "select pgmnemo.add_edge(11, 21, 'CAUSED_BY')",
    "select pgmnemo.add_edge(21, 22, 'CAUSED_BY')",
    "select id, project_id from pgmnemo.as_of(now()) order by id",
    "select * from pgmnemo.auto_promote_drafts(false)",
    "select canonical_id, member_ids, size from pgmnemo.consolidate(0.5, true)",
    "select * from pgmnemo.undo_consolidate(22, false)",
    "select * from pgmnemo.undo_consolidate(null, true)",
    "select pgmnemo.entity_key('a', 'b', 'person:ada')",
    "select pgmnemo.evict_expired_lessons(true)",
    "select pgmnemo.evict_expired_lessons()",
    "select pgmnemo.get_temporal_boost()",
    "select pgmnemo.ingest('r', 2, 't21', 'apple 21 zanzibar and a few words more', 3, null, 'c')",
    "select pgmnemo.ingest('r', 1, 't', 'apple near zanzibar and a few words more', 3, $Q, 'c2') > 99",
    "select pgmnemo.ingested(21, 'r', 2, 't21', 'apple 21 zanzibar and a few words more', 3, null, 'c', null, null, null, null, null)",
    "do $$ begin perform set_config('heirloom.ingest_added', extract(epoch from statement_timestamp()) || '|project:2|21', false); end $$; select heirloom.ingest_first()",
    "select pgmnemo.mark_recalled(array[21, 22])",
    "select lesson_id, would_deprecate from pgmnemo.mark_stale(1, 1, false, true)",
    "select lesson_id, score from pgmnemo.recall_fast($Q, null)",
    "select lesson_id, score from pgmnemo.recall_fast($Q, null, null, 2)",
    "select lesson_id, score from pgmnemo.recall_hybrid($Q, 'zanzibar', null)",
    "select lesson_id, score from pgmnemo.recall_hybrid(null, 'zanzibar', null, null, 2)",
    "select lesson_id, score from pgmnemo.recall_lessons(null, 5, null, 2, 'zanzibar')",
    "select lesson_id, score from pgmnemo.recall_lessons(null, null, null, null, 'zanzibar apple')",
    "select lesson_id from pgmnemo.recall_lessons(null, 5, 'nobody', null, 'zanzibar apple')",
    "select lesson_id, score from pgmnemo.recall_lessons_pooled($Q, null, 2)",
    "select lesson_id from pgmnemo.recalled($Q, 'zanzibar', 10, null, 2, null, null, null, null)",
    "select pgmnemo.reinforce(21, 'success')",
    "select pgmnemo.reinforce(array[21, 22]::bigint[], 'success')",
    "select pgmnemo.remember_event('r', 'person:ada', 'met', 'somewhere', p_project_id => 2)",
    "select final_state from pgmnemo.remember_fact('r', 'person:ada', 'likes', 'zanzibar', p_project_id => 2)",
    "select pgmnemo.remember_relation('r', 'person:ada', 'person:bob', 'knows', p_project_id => 2)",
    "select pgmnemo.remembered_state('system', 1, false)",
    "select lesson_count, embedded_count, mem_edge_count, ghost_count, closed_count, expired_count, inactive_count, recallable_count, confidence_mean from pgmnemo.stats()",
    "select pgmnemo.transition_lesson(21, 'candidate')",
    "select * from pgmnemo.traverse_causal_chain(21, 5, null, false, 'both')",
    "select lesson_id from pgmnemo.traverse_temporal_window(21, '1 year')",
    "select lesson_id from pgmnemo.traverse_temporal_window(11, '1 year', true, null, 2)",
    "select pgmnemo.version()",
    // what looks at no row
    "select heirloom.may_hold_credential('a'), heirloom.redact('a'), heirloom.redact_json('{\"a\": 1}'), (select count(*) > 10 from heirloom.redaction_rules())",
    "select heirloom.embedded_text('a', 'b'), heirloom.function_words() is null, heirloom.gate(), heirloom.search_vector('a', 'b', 'c')",
    "select heirloom.searchable('a'), heirloom.setting_flag('pgmnemo.x', true), heirloom.setting_number('pgmnemo.x', 1, 0, 2), heirloom.setting_time('pgmnemo.x')",
    "select heirloom.by_sql_door('imported'), heirloom.by_sql_door(null), heirloom.is_blank(' '), heirloom.project_of('project:2'), heirloom.ingest_says('same', null)",
    "select heirloom.spaced('東'), heirloom.text_config(), heirloom.uuid_v7() is null, heirloom.word_vector('a:1'::tsvector)",
];

/// Rows, or SQLSTATE with the whole refusal, and what was said meanwhile.
async fn answer(door: &Door, sql: &str) -> String {
    door.said();
    let answered = match door.pg().simple_query(sql).await {
        Ok(messages) => messages
            .iter()
            .map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => {
                    (0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect::<Vec<_>>().join("|")
                }
                tokio_postgres::SimpleQueryMessage::CommandComplete(count) => format!("= {count}"),
                _ => String::new(),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => {
            let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
            // A row that is refused names itself with ids and times of its own.
            let detail = error.detail().filter(|detail| !detail.starts_with("Failing row"));
            format!("{} {} {detail:?} {:?}", error.code().code(), error.message(), error.hint())
        }
    };
    format!("{answered}\n{:?}", door.said().unwrap_or_default())
}

/// Everything of project 2, as the superuser reads it.
const FOREIGN_ROWS: &str = "select md5(string_agg(x, '' order by x)) from (
    select m::text as x from heirloom.memory m where namespace = 'project:2'
    union all select e::text from heirloom.edge e where namespace = 'project:2'
    union all select n::text from heirloom.namespace n where name = 'project:2'
    union all select t::text from heirloom.tombstone t where namespace = 'project:2'
    union all select r::text from heirloom.revision r where namespace = 'project:2'
    union all select s::text from heirloom.state_transition s where namespace = 'project:2'
    union all select l::text from heirloom.lexeme l where namespace = 'project:2'
    union all select w::text from heirloom.model_width w where namespace = 'project:2'
    union all select f::text from heirloom.frequency f where namespace = 'project:2'
    union all select a::text from heirloom.activity a where namespace = 'project:2') y(x)";

async fn foreign_rows(door: &Door) -> String {
    door.run("reset role").await;
    let rows = door.row(FOREIGN_ROWS).await;
    door.run("set role heirloom_serve").await;
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_as_if_the_other_tenant_were_not_there() {
    let (alone, beside) = (furnished(false).await, furnished(true).await);
    let before = foreign_rows(&beside).await;
    let relations = beside
        .rows(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname in ('heirloom', 'pgmnemo') and c.relkind in ('r', 'v')
                 and has_any_column_privilege(c.oid, 'select') and c.relname not in ('meta', 'schema_version', 'bound_role', 'model') order by 1",
        )
        .await;
    assert!(relations.len() >= 15, "{relations:?}");
    let mut calls: Vec<String> = relations.iter().map(|relation| format!("select count(*) from {relation}")).collect();
    let q = axis(1, 0.0);
    calls.extend(CALLS.iter().map(|call| call.replace("$Q", &q)));
    for read_only in [true, false] {
        let mode = if read_only {
            "set default_transaction_read_only = on; set search_path = ''"
        } else {
            "reset default_transaction_read_only; reset search_path"
        };
        for door in [&alone, &beside] {
            door.run(mode).await;
        }
        // Without a search path a type needs its schema, and a server names a vector by `public.vector`.
        for call in calls.iter().filter(|call| !read_only || !call.contains("::vector")) {
            let (wanted, found) = (answer(&alone, call).await, answer(&beside, call).await);
            assert_eq!(found, wanted, "read-only {read_only}: {call}");
            let asked = call.contains("zanzibar");
            assert!(asked || !found.contains("zanzibar"), "{call}: {found}");
            assert!(call.contains(FOREIGN) || !found.contains(FOREIGN), "{call}: {found}");
        }
    }
    assert_eq!(foreign_rows(&beside).await, before, "nothing of the other tenant moved");

    let functions: BTreeSet<String> = beside
        .rows(
            "select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
             where n.nspname in ('heirloom', 'pgmnemo') and p.prorettype <> 'trigger'::regtype",
        )
        .await
        .into_iter()
        .collect();
    let untried: Vec<_> =
        functions.iter().filter(|name| !CALLS.iter().any(|call| call.contains(&format!("{name}(")))).collect();
    assert!(untried.is_empty(), "functions that this test does not try: {untried:?}");
    alone.close().await;
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_centre_was_taken_over_is_nobodys_to_read() {
    let door = furnished(true).await;
    assert_eq!(door.refused("select vectors from heirloom.model").await.code, "42501");
    assert_eq!(door.rows("select name from heirloom.model").await, [""; 0]);
    door.close().await;
}
