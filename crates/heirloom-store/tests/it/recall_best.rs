//! The end of recall: looking at few rows gives what looking at all of them would.

use crate::installed;

/// Three hundred rows of made-up matches, boosts and neighbours; `$1` steers how steeply matches fall, so that the rows
/// beyond the best are sometimes within reach of a boost and sometimes not.
const COMPARED: &str = "
    with made as (
        select array_agg(power(random(), steep) order by g) as lexicals,
            array_agg(case when random() < 0.8 then random() end order by g) as semantics,
            array_agg(round((random() * 0.11 - 0.04)::numeric, 2)::double precision order by g) as boosts,
            array_agg(case when random() < 0.9 then timestamptz '2024-01-01Z' + (random() * 9)::int * interval '1 day' end order by g)
                as times,
            array_agg(gen_random_uuid() order by g) as ids,
            array_agg((random() * 5)::bigint order by g) as sessions
        from generate_series(1, 300) g, (select $1::double precision as steep) s
    ),
    matched as (
        select g as number,
            coalesce(lexicals[g] * 0.6, 0) + coalesce(greatest(semantics[g], 0) * $2::double precision, 0) as match
        from made, generate_series(1, 300) g
    ),
    top as (select number, match from matched order by match desc, number limit 41),
    lifted as materialized (
        select (random() * 299)::int + 1 as number, random() as context from generate_series(1, 60)
    ),
    few as (
        select array_agg(number) as numbers, array_agg(context) as contexts
        from (
            select number, sum(context) as context
            from (select number, 0::double precision as context from top union all table lifted) u
            group by number
        ) u
    ),
    every as (
        select array_agg(g) as numbers, array_agg(coalesce(l.context, 0)) as contexts
        from generate_series(1, 300) g
        left join (select number, sum(context) as context from lifted group by number) l on l.number = g
    )
    select k, (
            select array_agg((b.number, b.score, b.context)::text)
            from heirloom.recall_best(
                f.numbers, f.contexts, (select min(match) from top), lexicals, semantics, boosts, times, ids, sessions, 0.6, $2, k
            ) b
        ) is not distinct from (
            select array_agg((b.number, b.score, b.context)::text)
            from heirloom.recall_best(
                e.numbers, e.contexts, null, lexicals, semantics, boosts, times, ids, sessions, 0.6, $2, k
            ) b
        ) as same,
        (select count(*) from heirloom.recall_best(
            f.numbers, f.contexts, (select min(match) from top), lexicals, semantics, boosts, times, ids, sessions, 0.6, $2, k
        )) as found
    from made, few f, every e, unnest(array[0, 1, 2, 10, 40, 41, 42, 100, 299, 300, 301, null]) k";

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_are_looked_at_only_where_no_other_can_be_among_the_best() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    client.execute("select setseed(0.5)", &[]).await.unwrap();
    for steep in [0.1, 1.0, 4.0, 30.0] {
        for meaning in [0.0, 0.4] {
            for row in client.query(COMPARED, &[&steep, &meaning]).await.unwrap() {
                let (k, same, found): (Option<i32>, bool, i64) = (row.get(0), row.get(1), row.get(2));
                assert!(same, "steepness {steep}, meaning {meaning}, k {k:?}");
                assert!(k.is_none_or(|k| found == i64::from(k).min(300) || found >= 250), "k {k:?}: {found} rows");
            }
        }
    }
    drop(client);
    test.close().await;
}
