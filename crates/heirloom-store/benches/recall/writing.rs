//! What writing costs: one memory through the store, and the share of a bulk load that goes into what recall ranks by.

use std::time::Instant;

use heirloom_store::{Remember, Scope, Store, bulk};

use crate::collection::Collection;

pub(crate) async fn run(store: &Store, collection: Option<&Collection>) {
    let texts: Vec<String> = match collection {
        Some(collection) => collection.turns.iter().map(|turn| turn.text.clone()).collect(),
        None => (0..2_760)
            .map(|n| format!("Sentence {n} of many that were made up for the bench, one after another."))
            .collect(),
    };
    let scope = Scope::one("team:writing").unwrap();
    let vector = vec![0.5_f32; 384];
    let mut times = Vec::new();
    for text in texts.iter().take(500) {
        let new = Remember {
            namespace: "team:writing".to_owned(),
            content: text.clone(),
            kind: Some("fact".to_owned()),
            embedding: Some(vector.clone()),
            ..Remember::default()
        };
        let start = Instant::now();
        store.remember(&scope, &new).await.unwrap();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "Writing\n  one memory, from call to commit: median {:.2} ms, 99 % below {:.2} ms",
        times[250], times[495]
    );

    let mut seconds = [f64::MAX; 2];
    for round in 0..6 {
        let bare = round % 2 == 1;
        let namespace = format!("team:bulk{round}");
        let rows: Vec<bulk::Row> = texts
            .iter()
            .map(|text| {
                // As many bytes without a word: nothing to rank by.
                let content = if bare { ".".repeat(text.len()) } else { text.clone() };
                let mut memory = heirloom_store::Memory::new(uuid::Uuid::new_v4(), &namespace, content);
                memory.kind = "fact".to_owned();
                memory.embedding = Some(vector.clone());
                let origin = heirloom_store::Origin {
                    run_id: uuid::Uuid::from_u128(7),
                    source: "postgres:legacy/public.notes".to_owned(),
                    source_key: "[\"1\"]".to_owned(),
                    source_row: format!("{{\"text\": \"{}\"}}", text.len()),
                    source_digest: [1; 16],
                    written_digest: [2; 16],
                };
                bulk::Row { memory, origin }
            })
            .collect();
        let mut client = store.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let start = Instant::now();
        bulk::load(&tx, store.meta(), &rows, std::slice::from_ref(&namespace)).await.unwrap();
        tx.commit().await.unwrap();
        let took = start.elapsed().as_secs_f64();
        seconds[usize::from(bare)] = seconds[usize::from(bare)].min(took);
        client.batch_execute(&format!("delete from heirloom.memory where namespace = '{namespace}'; delete from heirloom.origin where namespace = '{namespace}'")).await.unwrap();
    }
    println!(
        "  {} rows by the bulk loader: {:.2} s ({:.0} µs each), without what recall ranks by {:.2} s: a share of {:.0} %\n",
        texts.len(),
        seconds[0],
        seconds[0] * 1e6 / texts.len() as f64,
        seconds[1],
        100.0 * (seconds[0] - seconds[1]) / seconds[0]
    );
}
