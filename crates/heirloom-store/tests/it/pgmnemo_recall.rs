//! The recall functions of the SQL door: signatures, filters, notices, and what they never do.

use crate::door::{Door, axis};

const COLUMNS: [&str; 12] = [
    "lesson_id",
    "score",
    "role",
    "project_id",
    "topic",
    "lesson_text",
    "importance",
    "metadata",
    "commit_sha",
    "artifact_hash",
    "verified_at",
    "created_at",
];

/// Six lessons of two projects and two roles, four with vectors.
async fn furnished() -> Door {
    let door = Door::open().await;
    for (n, (role, project, topic, text, vector)) in [
        ("dev", 1, "security", "rotate the signing keys after a compromise", Some(1)),
        ("dev", 1, "security", "tokens expire after an hour", Some(2)),
        ("qa", 1, "tests", "rotating logs breaks the fixture", Some(3)),
        ("dev", 2, "security", "rotate the other keys", Some(1)),
        ("dev", 1, "database", "statement_cache_mode must be off behind a pooler", None),
        ("qa", 1, "tests", "数据库连接池在高负载下会耗尽", None),
    ]
    .into_iter()
    .enumerate()
    {
        let vector = vector.map_or("null".to_owned(), |at| axis(at * 10, 0.0));
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (id, role, project_id, topic, lesson_text, embedding, commit_sha, verified_at)
             values ({}, '{role}', {project}, '{topic}', '{text}', {vector}, 'c{n}', now())",
            n + 1
        ))
        .await;
    }
    door
}

/// The ids a call returns, in order.
async fn ids(door: &Door, call: &str) -> String {
    door.rows(&format!("select lesson_id from pgmnemo.{call}")).await.join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_and_result_columns_are_those_of_pgmnemo() {
    let door = Door::open().await;
    for (name, arguments, results) in [
        (
            "recall_lessons",
            "query_embedding vector, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, \
             project_id_filter integer DEFAULT NULL::integer, query_text text DEFAULT NULL::text, \
             as_of_ts timestamp with time zone DEFAULT NULL::timestamp with time zone, exclude_dag_id text DEFAULT NULL::text, \
             p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real",
            [&COLUMNS[..], &["vec_score", "bm25_score", "rrf_score", "confidence", "match_confidence"]].concat(),
        ),
        (
            "recall_hybrid",
            "query_embedding vector, query_text text, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, \
             project_id_filter integer DEFAULT NULL::integer, vec_weight double precision DEFAULT 0.4, \
             bm25_weight double precision DEFAULT 0.4, rrf_k integer DEFAULT 60, exclude_dag_id text DEFAULT NULL::text, \
             p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real",
            [
                &COLUMNS[..2],
                &["vec_score", "bm25_score", "rrf_score"],
                &COLUMNS[2..],
                &["confidence", "match_confidence", "retrieval_source"],
            ]
            .concat(),
        ),
        (
            "recall_fast",
            "query_embedding vector, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, \
             project_id_filter integer DEFAULT NULL::integer, exclude_dag_id text DEFAULT NULL::text, \
             p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real",
            COLUMNS.to_vec(),
        ),
        (
            "recall_lessons_pooled",
            "query_embedding vector, k integer DEFAULT 10, app_id integer DEFAULT NULL::integer, p_min_score real DEFAULT NULL::real",
            COLUMNS.to_vec(),
        ),
    ] {
        let found = door
            .row(&format!(
                "select pg_get_function_arguments(oid), provolatile, prosecdef,
                     (select string_agg(n, ',' order by i) from unnest(proargnames, proargmodes) with ordinality a (n, m, i) where m = 't')
                 from pg_proc where pronamespace = 'pgmnemo'::regnamespace and proname = '{name}'"
            ))
            .await;
        assert_eq!(found, format!("{arguments}|s|f|{}", results.join(",")));
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_only_finds_matching_rows_only_with_scores_whatever_their_ids_and_vectors() {
    let door = furnished().await;
    assert_eq!(ids(&door, "recall_lessons(NULL::vector(1024), 5, NULL, 1, 'rotation of keys')").await, "1,3");
    assert_eq!(ids(&door, "recall_lessons(null, 5, null, 1, '连接池')").await, "6");
    assert_eq!(ids(&door, "recall_lessons(null, 5, null, 1, 'cache mode')").await, "5");
    let asked = ids(
        &door,
        "recall_lessons(null, 5, null, 1, 'How should we handle token rotation after a key compromise, please?')",
    )
    .await;
    assert!(asked.starts_with('1') && asked.contains('2') && asked.contains('3'), "{asked}");
    assert_eq!(ids(&door, "recall_lessons(null, 5, null, 1, 'zebra')").await, "");
    let nulls = "select count(*) filter (where score is null), count(vec_score), count(match_confidence)
                 from pgmnemo.recall_lessons(null, 5, null, 1, 'rotation')";
    assert_eq!(door.row(nulls).await, "0|0|2");
    door.run(
        "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha, verified_at)
         select 'dev', 3, 'bias', case when g > 35 then 'needle and needle again' else 'a needle among ' || g || ' other straws' end,
             'b' || g, now() from generate_series(1, 40) g",
    )
    .await;
    let best = door.rows("select lesson_text from pgmnemo.recall_lessons(null, 5, null, 3, 'needle')").await;
    assert_eq!(best, ["needle and needle again"; 5], "the rows that say it twice, though they came last");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_only_and_hybrid_and_the_filters_of_role_and_project() {
    let door = furnished().await;
    let q = axis(10, 0.1);
    assert_eq!(ids(&door, &format!("recall_lessons({q}, 10, null, 1)")).await, "1");
    assert_eq!(ids(&door, &format!("recall_lessons({q}, 10)")).await, "4,1");
    assert_eq!(ids(&door, &format!("recall_lessons({q}, 10, null, 1, 'tokens')")).await.len(), 3, "one by each side");
    assert_eq!(
        ids(&door, &format!("recall_hybrid({q}, 'tokens', role_filter => 'qa', project_id_filter => 1)")).await,
        ""
    );
    assert_eq!(ids(&door, "recall_lessons(null, 10, 'qa', 1, 'rotate')").await, "3");
    assert_eq!(ids(&door, &format!("recall_fast({q}, 5)")).await, "4,1");
    assert_eq!(
        door.row(&format!("select bool_and(abs(score - 0.995) < 0.001) from pgmnemo.recall_fast({q}, 5)")).await,
        "t",
        "the cosine"
    );
    assert_eq!(ids(&door, &format!("recall_lessons_pooled({q}, app_id => 2)")).await, "4");
    assert_eq!(
        door.row(&format!("select vec_score > 0.9, match_confidence > 0.9, bm25_score > 0, retrieval_source from pgmnemo.recall_hybrid({q}, 'signing', 5, null, 1)")).await,
        "t|t|t|ann", "a lexical hit has its true cosine"
    );
    assert_eq!(
        ids(&door, &format!("recall_hybrid({q}, 'tokens', 5, null, 1, 0)")).await,
        "2",
        "no weight on the vector"
    );
    assert_eq!(
        ids(&door, &format!("recall_hybrid({q}, 'tokens', 5, null, 1, 0.4, 0)")).await,
        "1",
        "no weight on words"
    );
    assert_eq!(ids(&door, &format!("recall_hybrid({q}, 'tokens', 5, null, 1, 1, 3)")).await, "2,1");
    assert_eq!(ids(&door, &format!("recall_hybrid({q}, 'tokens', 5, null, 1, 3, 1)")).await, "1,2");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_refused_by_name() {
    let door = furnished().await;
    let zero = "array_fill(0::real, array[1024])::vector";
    for (call, code, starts) in [
        ("recall_fast(null)".to_owned(), "P0001", "pgmnemo.recall_fast: query_embedding IS NULL"),
        (
            "recall_hybrid(null, null)".to_owned(),
            "P0001",
            "pgmnemo.recall_hybrid: query_embedding and query_text are both NULL",
        ),
        ("recall_hybrid(null, '  ')".to_owned(), "P0001", "pgmnemo.recall_hybrid:"),
        ("recall_lessons(null, -1, null, 1, 'x')".to_owned(), "2201W", "k is -1"),
        (
            "recall_lessons('[1,2,3]')".to_owned(),
            "22000",
            "different vector dimensions: this store has 1024, query_embedding has 3",
        ),
        (format!("recall_lessons({zero})"), "22000", "query_embedding is a zero vector"),
        ("recall_hybrid(null, 'x', vec_weight => -1)".to_owned(), "22023", "vec_weight and bm25_weight are"),
    ] {
        let refused = door.refused(&format!("select * from pgmnemo.{call}")).await;
        assert_eq!(refused.code, code, "{call}: {}", refused.message);
        assert!(refused.message.starts_with(starts), "{call}: {}", refused.message);
    }
    assert_eq!(ids(&door, "recall_lessons(null)").await, "", "nothing asked, nothing found");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn k_of_zero_is_none_null_is_all_and_more_than_forty_are_returned() {
    let door = Door::open().await;
    door.run(&format!(
        "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, embedding, commit_sha, verified_at)
         select 'r', 1, 't' || g, 'apple ' || g, {}, 'c', now() from generate_series(1, 120) g",
        axis(1, 0.5)
    ))
    .await;
    let q = axis(1, 0.0);
    for (k, wanted) in [("0", "0"), ("1", "1"), ("100", "100"), ("null", "120"), ("2000000000", "120")] {
        for call in [
            format!("recall_lessons(null, {k}, null, 1, 'apple')"),
            format!("recall_lessons({q}, {k})"),
            format!("recall_hybrid({q}, 'apple', {k})"),
            format!("recall_fast({q}, {k})"),
        ] {
            assert_eq!(door.row(&format!("select count(*) from pgmnemo.{call}")).await, wanted, "{call}");
        }
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_vector_alone_every_lesson_is_ranked_on_which_side_of_the_mean_it_lies() {
    let door = Door::open().await;
    // All near each other, so that signs around their mean put half of them beyond a right angle.
    door.run(
        "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, embedding, commit_sha, verified_at)
         select case when g % 20 = 0 then 'rare' else 'r' end, 1, 't' || g, 'lesson ' || g,
             (select array_agg((0.8 + sin(g * 7 + at * 13) / 2)::real)::vector from generate_series(1, 1024) at), 'c', now()
         from generate_series(1, 260) g",
    )
    .await;
    let q = "(select embedding from heirloom.memory where topic = 't7')";
    for (call, wanted) in [
        (format!("recall_fast({q}, 260)"), "260"),
        (format!("recall_fast({q}, null)"), "260"),
        (format!("recall_fast({q}, 20, 'rare')"), "13"),
        (format!("recall_lessons({q}, null)"), "260"),
        ("recall_hybrid(null, 'lesson', null, null, 1, 0.5, 0.5)".to_owned(), "260"),
    ] {
        assert_eq!(door.row(&format!("select count(*) from pgmnemo.{call}")).await, wanted, "{call}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ghosts_are_left_out_counted_by_a_notice_and_shown_on_request_in_any_spelling() {
    let door = furnished().await;
    door.run("update pgmnemo.agent_lesson set verified_at = null where id = 2").await;
    let call = "recall_lessons(null, 5, null, 1, 'tokens')";
    for off in ["", "off", "False", "0", "n"] {
        door.run(&format!("set pgmnemo.include_unverified = '{off}'")).await;
        door.said();
        assert_eq!(ids(&door, call).await, "", "{off}");
        if let Some(said) = door.said() {
            assert_eq!(
                said,
                [
                    "NOTICE: pgmnemo: query_embedding IS NULL -- falling back to text-only recall; no semantic similarity",
                    "NOTICE: pgmnemo: 1 matching lesson(s) are unverified (verified_at IS NULL) and excluded by default. \
                     SET pgmnemo.include_unverified = 'on' to see them."
                ]
            );
        }
    }
    door.run("set pgmnemo.include_unverified = 'on'").await;
    door.said();
    door.run(&format!("select * from pgmnemo.recall_hybrid({}, 'tokens', vec_weight => 0)", axis(1, 0.0))).await;
    assert_eq!(door.said().unwrap_or_default(), Vec::<String>::new(), "a vector that was given is not missing");
    for on in ["on", "ON", "true", "t", "1", "yes", "y", "tru", " on "] {
        door.run(&format!("set pgmnemo.include_unverified = '{on}'")).await;
        assert_eq!(ids(&door, call).await, "2", "{on}");
    }
    door.run("set pgmnemo.include_unverified = 'bananas'").await;
    let refused = door.refused(&format!("select * from pgmnemo.{call}")).await;
    assert_eq!(refused.code, "22023");
    assert!(
        refused.message.starts_with("pgmnemo.include_unverified is 'bananas': it takes on or off"),
        "{}",
        refused.message
    );
    door.run("reset pgmnemo.include_unverified").await;
    door.said();
    assert_eq!(ids(&door, "recall_lessons(null, 5, null, 1, 'zebra')").await, "");
    assert_eq!(
        door.said().unwrap_or_default().iter().filter(|said| said.contains("unverified")).count(),
        0,
        "no ghost matches"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_leaves_out_what_is_expired_closed_inactive_or_retired() {
    let door = Door::open().await;
    let q = axis(1, 0.0);
    let states = ["draft", "candidate", "validated", "canonical", "conflicted"];
    let mut hidden: Vec<String> =
        ["deprecated", "superseded", "archived", "rejected"].map(|s| format!("state = '{s}'")).into();
    hidden.extend(
        [
            "expires_at = now()",
            "expires_at = '2020-01-01Z'",
            "is_active = false",
            "t_valid_to = '2020-02-01Z'",
            "t_valid_from = '2999-01-01Z'",
            "verified_at = null",
        ]
        .map(str::to_owned),
    );
    let shown = states.map(|s| format!("state = '{s}'"));
    for (n, set) in shown.iter().chain(&hidden).enumerate() {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, embedding, commit_sha, verified_at, created_at)
             values ('r', 1, 't{n}', 'apple', {q}, 'c', now(), '2020-01-01Z');
             update pgmnemo.agent_lesson set {set} where topic = 't{n}'"
        ))
        .await;
    }
    for call in [
        "recall_lessons(null, null, null, 1, 'apple')".to_owned(),
        format!("recall_lessons({q}, null)"),
        format!("recall_lessons({q}, null, query_text => 'apple')"),
        format!("recall_hybrid({q}, 'apple', null)"),
        "recall_hybrid(null, 'apple', null)".to_owned(),
        format!("recall_fast({q}, null)"),
        format!("recall_lessons_pooled({q}, null)"),
    ] {
        for set in ["on", "off"] {
            door.run(&format!("set pgmnemo.disable_hybrid = '{set}'")).await;
            assert_eq!(door.row(&format!("select count(*) from pgmnemo.{call}")).await, "5", "{call}");
        }
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_back_works_on_every_path_and_does_not_leak() {
    let door = Door::open().await;
    let q = axis(1, 0.0);
    for (text, created) in [("apple old", "2020-01-01Z"), ("apple new", "2021-01-01Z")] {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, embedding, commit_sha, verified_at, created_at)
             values ('r', 1, 't', '{text}', {q}, 'c', now(), '{created}')"
        ))
        .await;
    }
    door.run("begin").await;
    for call in
        [format!("{q}, 5, null, 1"), "null, 5, null, 1, 'apple'".to_owned(), format!("{q}, 5, null, 1, 'apple'")]
    {
        let back = format!("select lesson_text from pgmnemo.recall_lessons({call}{}as_of_ts => '2020-06-01Z')", ", ");
        assert_eq!(door.row(&back).await, "apple old", "{call}");
        assert_eq!(
            door.row(&format!("select lesson_text from pgmnemo.recall_lessons({call})")).await,
            "apple new",
            "and back again"
        );
    }
    door.run("commit; set pgmnemo.as_of_timestamp = '2020-06-01Z'").await;
    for call in [format!("recall_hybrid({q}, 'apple')"), format!("recall_fast({q})")] {
        assert_eq!(door.row(&format!("select lesson_text from pgmnemo.{call}")).await, "apple old");
    }
    assert_eq!(door.rows("select lesson_text from pgmnemo.as_of('2020-06-01Z')").await, ["apple old"]);
    assert_eq!(door.rows("select lesson_text from pgmnemo.mem_item").await, ["apple new"]);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dag_content_type_and_minimal_score_filter() {
    let door = furnished().await;
    door.run("update pgmnemo.agent_lesson set source_dag_id = 'dag-1', content_type = 'fact' where id = 1").await;
    let base = "recall_lessons(null, 5, null, 1, 'rotate'";
    for (more, wanted) in [
        ("", "1,3"),
        (", exclude_dag_id => 'dag-1'", "3"),
        (", exclude_dag_id => 'dag-2'", "1,3"),
        (", p_content_types => '{fact,event}'", "1"),
        (", p_content_types => '{}'", ""),
        (", p_min_score => 0.0", "1,3"),
        (", p_min_score => 1.1", ""),
    ] {
        let mut found: Vec<_> = door.rows(&format!("select lesson_id from pgmnemo.{base}{more})")).await;
        found.sort();
        assert_eq!(found.join(","), wanted, "{more}");
    }
    assert_eq!(ids(&door, &format!("recall_fast({}, p_min_score => 0.5)", axis(10, 0.1))).await, "4,1");
    assert_eq!(ids(&door, &format!("recall_fast({}, p_min_score => 0.999)", axis(10, 0.1))).await, "");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_may_be_quoted_and_alternative() {
    let door = furnished().await;
    assert!(ids(&door, "recall_lessons(null, 5, null, 1, 'zebra or tokens')").await.contains('2'));
    assert!(ids(&door, "recall_lessons(null, 5, null, 1, '\"signing keys\"')").await.starts_with('1'));
    assert!(ids(&door, "recall_lessons(null, 5, null, 1, 'rotate keys')").await.starts_with('1'));
    assert_eq!(
        ids(&door, "recall_lessons(null, 5, null, 1, 'tokens \"signing keys\"')").await,
        "1",
        "it must be there"
    );
    for question in
        ["\"signing keys\" OR tokens", "tokens OR \"signing keys\"", "zebra OR \"signing keys\" OR \"tokens\""]
    {
        let found = ids(&door, &format!("recall_lessons(null, 5, null, 1, '{question}')")).await;
        assert!(found.contains('1') && found.contains('2'), "{question}: {found}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_have_their_effect_and_none_needs_to_be_set() {
    let door = furnished().await;
    let q = axis(10, 0.1);
    door.run("set pgmnemo.disable_hybrid = 'on'").await;
    assert_eq!(ids(&door, &format!("recall_lessons({q}, 5, null, 1, 'tokens')")).await, "1", "the vector alone ranks");
    assert_eq!(door.row("select hybrid_enabled from pgmnemo.stats()").await, "f");
    door.run("reset pgmnemo.disable_hybrid; reset all").await;
    assert_eq!(
        door.row("select hybrid_enabled, recency_weight from pgmnemo.stats()").await,
        "t|0",
        "RESET leaves nothing broken"
    );

    door.run("update pgmnemo.agent_lesson set created_at = now() - '80 days'::interval, topic = 'tests' where id = 1")
        .await;
    let first = "select (array_agg(lesson_id))[1] from pgmnemo.recall_lessons(null, 5, null, 1, 'rotate compromise')";
    assert_eq!(door.row(first).await, "1");
    door.run("set pgmnemo.recency_weight = '5'").await;
    assert_eq!(door.row(first).await, "3", "the newer one");
    door.run("set pgmnemo.temporal_boost = '0'").await;
    assert_eq!(door.row(first).await, "1");
    for (set, boost) in [("2.5", "2.5"), ("90", "20"), ("-1", "0"), ("", "1")] {
        door.run(&format!("set pgmnemo.temporal_boost = '{set}'")).await;
        assert_eq!(door.row("select pgmnemo.get_temporal_boost()").await, boost);
    }
    for (name, value) in [("recency_weight", "much"), ("temporal_boost", "NaN"), ("disable_hybrid", "perhaps")] {
        door.run(&format!("set pgmnemo.{name} = '{value}'")).await;
        let refused = door.refused("select * from pgmnemo.recall_lessons(null, 5, null, 1, 'rotate')").await;
        assert_eq!(refused.code, "22023", "{name}: {}", refused.message);
        door.run(&format!("reset pgmnemo.{name}")).await;
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_never_writes_and_works_read_only_and_without_a_search_path() {
    let door = furnished().await;
    let q = axis(10, 0.1);
    door.run("create temp table before as select * from heirloom.memory").await;
    door.run(&format!("create temp table question as select {q} as q")).await;
    door.run("begin read only; set local statement_timeout = '50s'; set local search_path = ''").await;
    for call in [
        "recall_lessons((select q from pg_temp.question), 5, null, 1, 'rotate')",
        "recall_lessons(null, 5, null, 1, 'rotate')",
        "recall_hybrid((select q from pg_temp.question), 'rotate')",
        "recall_fast((select q from pg_temp.question))",
        "recall_lessons_pooled((select q from pg_temp.question))",
        "as_of(now())",
        "stats()",
        "mem_item",
        "traverse_causal_chain(1)",
        "traverse_temporal_window(1)",
        "consolidate()",
        "undo_consolidate()",
        "mark_stale()",
        "auto_promote_drafts()",
    ] {
        door.rows(&format!("select * from pgmnemo.{call}")).await;
    }
    assert_eq!(door.row("show statement_timeout").await, "50s");
    door.run("commit").await;
    assert_eq!(door.row("select count(*) from (table before except select * from heirloom.memory) x").await, "0");
    let writers = door.row(
        "select string_agg(proname, ',' order by proname) from pg_proc where pronamespace = 'pgmnemo'::regnamespace
         and provolatile <> 'v' and prosrc ~* '\\m(insert into|update|delete from|set_config)\\M'",
    );
    assert_eq!(writers.await, "-");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_none_is_refused_by_the_name_of_its_setting() {
    let door = Door::open().await;
    for value in ["bananas", "2026-13-01", "1"] {
        door.run(&format!("set pgmnemo.as_of_timestamp = '{value}'")).await;
        let refused = door.refused("select * from pgmnemo.recall_lessons(null, 5, null, null, 'x')").await;
        assert_eq!(refused.code, "22007");
        assert_eq!(
            refused.message,
            format!("pgmnemo.as_of_timestamp is '{value}': it takes a moment, as 2026-01-31 12:00:00+00")
        );
    }
    door.run("set pgmnemo.as_of_timestamp = ' '").await;
    door.run("select * from pgmnemo.recall_lessons(null, 5, null, null, 'x')").await;
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_another_width_and_one_of_zeros_are_refused_whatever_the_scope_holds() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (project_id, role, topic, lesson_text, commit_sha, verified_at)
             values (1, 'r', 't', 'rotate the keys', 'c', now())",
    )
    .await;
    let zeros = "array_fill(0::real, array[1024])::vector";
    for _ in ["no vector in the scope", "a vector in the scope"] {
        for (text, namespaces) in
            [("'keys'", "'{project:1}'"), ("null", "'{project:1}'"), ("'keys'", "'{team:nobody}'")]
        {
            let refused =
                door.refused(&format!("select * from heirloom.recall({text}, '[1,2,3]', {namespaces})")).await;
            assert_eq!(
                (refused.code.as_str(), refused.message.as_str()),
                (
                    "22000",
                    "query_embedding has 3 dimensions: accepted are the 1024 of this store, and NULL to ask by text"
                )
            );
            let refused = door.refused(&format!("select * from heirloom.recall({text}, {zeros}, {namespaces})")).await;
            assert_eq!(refused.code, "22000");
            assert!(
                refused.message.contains("a zero vector, which points nowhere: accepted are"),
                "{}",
                refused.message
            );
        }
        door.run(&format!("update pgmnemo.agent_lesson set embedding = {}", axis(1, 0.0))).await;
    }
    let found = format!("select count(*) from heirloom.recall('keys', {}, '{{project:1}}')", axis(1, 0.0));
    assert_eq!(door.row(&found).await, "1");
    door.close().await;
}
