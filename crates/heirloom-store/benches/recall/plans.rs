//! The plans of the statements recall is made of, as the serving role gets them: a scope read whole, and the two
//! candidate searches of an indexed one. What heirloom.recall runs inside is not shown by EXPLAIN of the call itself.

use heirloom_store::Store;

pub(crate) async fn print(store: &Store, namespace: &str, indexed: bool) {
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute(&format!(
        "set local role heirloom_serve; set local heirloom.namespaces = '{namespace}'; set local enable_seqscan = off; \
         set local search_path = pg_catalog, {}; set local jit = off",
        store.meta().vector_schema
    ))
    .await
    .unwrap();
    let shown = "heirloom.is_recallable(m, now(), false, null, null, null, null, null)";
    let signs = format!(
        "(select m.sign_bits from heirloom.memory m where m.namespace = '{namespace}' and m.sign_bits is not null limit 1)"
    );
    let mut statements = vec![(
        "read whole",
        format!(
            "select m.id from heirloom.memory m where m.namespace = '{namespace}' and {shown} order by m.source_run_id, m.created_at, m.id"
        ),
    )];
    if indexed {
        statements = vec![
            // Asked by the auditing role inside heirloom.word_candidates, after the policy's question.
            (
                "words",
                format!(
                    "select m.id from heirloom.memory m where m.namespace = '{namespace}' and m.content_tsv @@ 'ask | museum'::tsquery limit 8000"
                ),
            ),
            (
                "signs",
                format!(
                    "select m.id from heirloom.memory m where m.namespace = '{namespace}' and {shown} order by m.sign_bits <~> {signs} limit 100"
                ),
            ),
        ];
    } else {
        tx.batch_execute("set local enable_bitmapscan = off").await.unwrap();
    }
    for (name, statement) in statements {
        if name == "words" {
            tx.batch_execute("set local role heirloom_audit").await.unwrap();
        }
        let plan =
            tx.query(&format!("explain (analyze, costs off, timing off, summary off) {statement}"), &[]).await.unwrap();
        println!("    plan, {name}:");
        for line in plan.iter().map(|row| row.get::<_, String>(0)).filter(|line| !line.contains("Filter: ")) {
            println!("      {}", line.chars().take(150).collect::<String>());
        }
        if name == "words" {
            tx.batch_execute("set local role heirloom_serve").await.unwrap();
        }
    }
    tx.rollback().await.unwrap();
}
