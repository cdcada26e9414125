//! What was set aside on the way into a pgmnemo is handed down once it is mended; and how loud ghosts are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heirloom_migrate::apply::{self, Retried};
use heirloom_migrate::failpoint::Failpoints;
use tracing::span;

use crate::pgmnemo_ground::{Beside, LEGACY, file};

async fn retry(beside: &Beside, plan: &heirloom_migrate::plan::Plan) -> Retried {
    let target = beside.target(&plan.file.text);
    apply::retry(plan, beside.ground.source.as_ref(), &beside.ground.store, Some(&target), Failpoints::default())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_comes_when_it_is_mended() {
    let beside = Beside::new(LEGACY).await;
    let toml = file("").replace("budget = \"1\"", "budget = \"2\"");
    let plan = beside.plan(&toml, 8).await.unwrap();
    let theirs = "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id)
                  values ('agent-1', 'layer', 'theirs', 'c1', 2)";
    beside.sql(theirs).await;
    assert_eq!(beside.apply(&plan).await.unwrap().rejected, 2);
    // At the source the empty one is mended; over there the one that would have been hidden is gone.
    beside.ground.sql("update lesson set body = 'mended', mood = 'active' where id = 41").await;
    beside.sql("delete from pgmnemo.agent_lesson where lesson_text = 'theirs'").await;
    assert_eq!(retry(&beside, &plan).await, Retried { tried: 2, handed_down: 2, still_rejected: 0, left: 0 });
    assert_eq!(
        beside.one("select count(*) || ' ' || count(distinct doc_ref) from pgmnemo.agent_lesson").await,
        "41 41"
    );
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.equal, found.rejected), (41, 0));
    let again = retry(&beside, &plan).await;
    assert_eq!((again.tried, again.handed_down), (0, 0));
    beside.close().await;
}

/// Counts warnings of the adapter.
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, of: &tracing::Metadata<'_>) -> bool {
        *of.level() == tracing::Level::WARN && of.target().starts_with("heirloom_migrate::target")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn ghosts_are_warned_of_once_a_statement() {
    let beside = Beside::new(LEGACY).await;
    beside.ground.sql("update lesson set sha = null, layer = 'layer ' || id").await;
    let plan = beside.plan(&file("gate = \"warn\""), 20).await.unwrap();
    assert_eq!(plan.chunks.len(), 3);
    let count = Arc::new(AtomicUsize::new(0));
    let guard = tracing::subscriber::set_default(Warnings(Arc::clone(&count)));
    beside.apply(&plan).await.unwrap();
    drop(guard);
    // Forty rows in two statements; the third chunk has none.
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson where commit_sha is null").await, "40");
    beside.close().await;
}
