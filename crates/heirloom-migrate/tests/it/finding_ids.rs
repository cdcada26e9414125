//! Ids that other memories have: nothing that came from elsewhere is written over.

use heirloom_migrate::plan::{Plan, Severity};
use heirloom_store::{Remember, Scope};

use crate::support::Ground;

const LEGACY: &str = "
    create table note (id uuid primary key, body text);
    insert into note select gen_random_uuid(), 'note ' || g from generate_series(1, 5) g;
    create table draft as select id, 'draft of ' || body as body from note order by body limit 2;
    alter table draft add primary key (id);
";

fn file(name: &str, source: &str, id: &str) -> String {
    format!(
        "name = \"{name}\"\ntenant = \"acme\"\n[source]\nurl = \"store\"\n{source}\n[namespace]\ntemplate = \"custom:{name}\"\n\
         [map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n{id}"
    )
}

const KEY: &str = "[id]\nfrom = \"key\"\n";

fn taken(plan: &Plan) -> Option<u64> {
    let found = plan.findings.iter().find(|finding| finding.id == "id-taken")?;
    assert_eq!(found.severity, Severity::Danger);
    found.rows
}

#[tokio::test(flavor = "multi_thread")]
async fn id_taken() {
    let ground = Ground::new(LEGACY).await;
    let notes = ground.plan(&file("notes", "table = \"note\"", KEY), 3).await.unwrap();
    assert_eq!(taken(&notes), None);
    assert_eq!(ground.apply(&notes).await.unwrap().inserted, 5);

    // Two drafts have the keys of two notes.
    let drafts = ground.plan(&file("drafts", "table = \"draft\"", KEY), 3).await.unwrap();
    assert_eq!((drafts.counts.present, drafts.counts.taken, taken(&drafts)), (0, 2, Some(2)));
    let applied = ground.apply(&drafts).await.unwrap();
    assert_eq!((applied.inserted, applied.updated, applied.conflicts), (0, 0, 2));
    assert_eq!(ground.one("select count(*) from heirloom.memory where content like 'draft%'").await, "0");
    assert_eq!(ground.one("select count(*) from heirloom_migrate.conflict").await, "2");
    assert!(!ground.verify(&drafts).await.unwrap().holds, "rows that are not there are found");

    // Its own rows are its own on a second look, also where the store has changed them or the source has.
    ground.sql("update note set body = body || '!' where id in (select id from note order by body limit 1)").await;
    let again = ground.plan(&file("notes", "table = \"note\"", KEY), 3).await.unwrap();
    assert_eq!((again.counts.present, again.counts.taken), (5, 0));
    assert_eq!(ground.apply(&again).await.unwrap().updated, 1);
    assert!(ground.verify(&again).await.unwrap().holds);

    // A memory that nobody handed down is as little to be written over.
    ground.sql("create table one (id uuid primary key, body text)").await;
    let new: Remember =
        serde_json::from_value(serde_json::json!({ "namespace": "custom:one", "content": "Mine.", "kind": "fact" }))
            .unwrap();
    let mine = ground.store.remember(&Scope::one("custom:one").unwrap(), &new).await.unwrap().id;
    ground.sql(&format!("insert into one values ('{mine}', 'theirs')")).await;
    let one = ground.plan(&file("one", "table = \"one\"", KEY), 3).await.unwrap();
    assert_eq!(taken(&one), Some(1));
    assert_eq!(ground.apply(&one).await.unwrap().conflicts, 1);
    ground.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_one_tenant_have_rows_of_their_own_and_may_be_mended() {
    let ground = Ground::new(
        "create table note (id bigint primary key, body text, mood text);
         insert into note select g, 'note ' || g, case when g > 3 then 'bad' else 'good' end from generate_series(1, 6) g;
         create table task as select id, 'task ' || id as body from note where id < 3",
    )
    .await;
    let source = |query: &str| format!("query = \"{query}\"\nkey = [\"id\"]");
    let notes = source("select id, body from note where mood = 'good'");
    let notes = ground.plan(&file("notes", &notes, ""), 3).await.unwrap();
    assert_eq!(ground.apply(&notes).await.unwrap().inserted, 3);
    let tasks = ground.plan(&file("tasks", &source("select id, body from task"), ""), 3).await.unwrap();
    assert_eq!((tasks.counts.present, tasks.counts.taken), (0, 0));
    assert_eq!(ground.apply(&tasks).await.unwrap().inserted, 2);
    assert!(ground.verify(&notes).await.unwrap().holds);
    assert!(ground.verify(&tasks).await.unwrap().holds);

    // The same query, wider: what is there is known again.
    let wider = ground.plan(&file("notes", &source("select id, body from note"), ""), 3).await.unwrap();
    assert_eq!((wider.counts.present, wider.counts.taken), (3, 0));
    let applied = ground.apply(&wider).await.unwrap();
    assert_eq!((applied.inserted, applied.present), (3, 3));
    assert!(ground.verify(&wider).await.unwrap().holds);
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "8");
    ground.db.close().await;
}
