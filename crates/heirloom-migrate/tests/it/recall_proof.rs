//! The recall proof against a real store: what comes back, what is rightly left out, and what leaks.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::plan::{NamespaceCount, Plan};
use heirloom_migrate::verify::{Door, LeftOut, Question, RecallProof, Seen, recall_proof};
use heirloom_store::bulk::{self, Row};
use heirloom_store::{MAX_HITS, Memory, Moment, Origin, Recall, Remember, Scope, Store};
use uuid::Uuid;

use crate::fake::case;
use crate::support::installed;

const HOME: &str = "workspace:home";
const NEXT_DOOR: &str = "workspace:next-door";

async fn store() -> (TestDatabase, Store) {
    let database = installed(4).await;
    let store = Store::open(database.database()).await.unwrap();
    (database, store)
}

/// A plan that hands down to these namespaces.
async fn plan(namespaces: &[&str]) -> Plan {
    let mut plan = case(3).plan().await;
    plan.namespaces = namespaces.iter().map(|&name| NamespaceCount { namespace: name.into(), rows: 1 }).collect();
    plan
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn fact(number: u128, namespace: &str, content: &str) -> Memory {
    Memory { kind: "fact".into(), ..Memory::new(id(number), namespace, content) }
}

async fn hand_down(store: &Store, plan: &Plan, memories: Vec<Memory>) {
    let allowed: Vec<String> = plan.namespaces.iter().map(|count| count.namespace.clone()).collect();
    let row = |memory: Memory| {
        let number = u8::try_from(memory.id.as_u128() % 251).unwrap();
        let origin = Origin {
            run_id: plan.run_id,
            source: plan.origin_source(),
            source_key: format!("[\"{number}\"]"),
            source_row: "{}".into(),
            source_digest: [number; 16],
            written_digest: [number; 16],
        };
        Row { memory, origin }
    };
    let rows: Vec<Row> = memories.into_iter().map(row).collect();
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    bulk::load(&tx, store.meta(), &rows, &allowed).await.unwrap();
    tx.commit().await.unwrap();
}

async fn behind(store: &Store, sql: &str) {
    store.database().client().await.unwrap().batch_execute(sql).await.unwrap();
}

async fn prove(plan: &Plan, store: &Store) -> RecallProof {
    recall_proof(plan, store, 100, &[]).await.unwrap()
}

#[tokio::test]
async fn rows_come_back_to_their_namespace_and_to_nobody_else() {
    let ((database, store), plan) = (store().await, plan(&[HOME, NEXT_DOOR]).await);
    hand_down(
        &store,
        &plan,
        vec![
            fact(1, HOME, "The cache is warmed at startup, see docs/cache.md"),
            fact(2, HOME, "木曜日の会議は十時"),
            fact(3, HOME, "https://example.org/a/path?with=query"),
            fact(4, NEXT_DOOR, "The cache is warmed at startup, see docs/cache.md"),
        ],
    )
    .await;
    let proof = prove(&plan, &store).await;
    assert!(proof.holds, "{proof:?}");
    assert_eq!((proof.sampled, proof.sql.asked, proof.sql.recalled, proof.sql.leak_probes), (4, 4, 4, 4));
    assert_eq!(prove(&plan, &store).await, proof, "the same sample on every run");
    let one = recall_proof(&plan, &store, 1, &[]).await.unwrap();
    assert_eq!((one.sampled, one.holds), (2, true), "a namespace gives at most the sample");
    database.close().await;
}

#[tokio::test]
async fn rows_rightly_left_out_are_counted_by_reason() {
    let ((database, store), plan) = (store().await, plan(&[HOME]).await);
    let past = Some(Moment::Micros(0));
    let future = Some(Moment::Micros(32_503_680_000_000_000));
    let lesson =
        Memory { role: Some("r".into()), topic: Some("t".into()), ..Memory::new(id(2), HOME, "a ghost lesson") };
    hand_down(
        &store,
        &plan,
        vec![
            fact(1, HOME, "here to stay"),
            lesson,
            Memory { expires_at: past, ..fact(3, HOME, "expired long ago") },
            Memory { is_active: false, ..fact(4, HOME, "switched off") },
            Memory { state: "archived".into(), ..fact(5, HOME, "archived since") },
            Memory { valid_from: future, ..fact(6, HOME, "valid in another century") },
            fact(7, HOME, "… — 🙂"),
        ],
    )
    .await;
    let proof = prove(&plan, &store).await;
    assert!(proof.holds, "{proof:?}");
    assert_eq!((proof.sampled, proof.sql.asked, proof.sql.recalled), (7, 1, 1));
    use LeftOut::{Expired, Ghost, Inactive, NoWords, NotYetValid, State};
    let reasons: Vec<LeftOut> = proof.sql.left_out.keys().copied().collect();
    assert_eq!(reasons, [Expired, Ghost, Inactive, State, NotYetValid, NoWords]);
    assert!(proof.sql.left_out.values().all(|count| *count == 1));
    database.close().await;
}

#[tokio::test]
async fn a_row_that_a_stranger_sees_is_a_leak() {
    let ((database, store), plan) = (store().await, plan(&[HOME]).await);
    hand_down(&store, &plan, vec![fact(1, HOME, "the heron lands at dawn"), fact(2, HOME, "nothing to see")]).await;
    // Another tenant of the same store, that this plan knows nothing of.
    let live = Remember {
        namespace: NEXT_DOOR.into(),
        content: "the heron of somebody else".into(),
        kind: Some("fact".into()),
        ..Remember::default()
    };
    store.remember(&Scope::one(NEXT_DOOR).unwrap(), &live).await.unwrap();
    assert!(prove(&plan, &store).await.holds);
    let copy = "insert into heirloom.memory (id, namespace, kind, content) \
        select id, 'workspace:next-door', kind, content from heirloom.memory where content like '%dawn'";
    behind(&store, copy).await;
    let proof = prove(&plan, &store).await;
    assert!(!proof.holds && proof.sql.recalled == 2, "{proof:?}");
    let leaks: Vec<_> =
        proof.sql.leaks.iter().map(|leak| (leak.id, leak.namespace.as_str(), leak.seen_as.as_str())).collect();
    assert_eq!(leaks, [(id(1), HOME, NEXT_DOOR)]);
    assert!(!serde_json::to_string(&proof).unwrap().contains("heron"), "no content in the result");
    database.close().await;
}

/// Sixty of the plan, and as many that others brought.
#[tokio::test]
async fn of_many_namespaces_each_is_asked_and_how_many_others_is_said() {
    let names: Vec<String> = (0..60).map(|at| format!("team:n{at:02}")).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let ((database, store), plan) = (store().await, plan(&named).await);
    let rows = names.iter().zip(1..).flat_map(|(name, at)| {
        [fact(at, name, &format!("heron {at} lands at dawn")), fact(at + 100, name, &format!("otter {at} dives"))]
    });
    hand_down(&store, &plan, rows.collect()).await;
    let proof = recall_proof(&plan, &store, 2, &[]).await.unwrap();
    assert!(proof.holds, "{proof:?}");
    assert_eq!((proof.namespaces, proof.namespaces_asked, proof.sampled), (60, 60, 60), "each is asked for one row");
    assert_eq!((proof.others, proof.others_asked, proof.sql.leak_probes), (59, 50, 60));
    // The last one's rows, everywhere: whoever of the others is asked as sees them.
    behind(
        &store,
        "insert into heirloom.memory (id, namespace, kind, content)
         select m.id, n.name, m.kind, m.content
           from heirloom.memory as m cross join heirloom.namespace as n
          where m.namespace = 'team:n59' and n.name <> 'team:n59'",
    )
    .await;
    let proof = recall_proof(&plan, &store, 2, &[]).await.unwrap();
    let leaked = proof.sql.leaks.iter().filter(|leak| leak.namespace == "team:n59").count();
    assert!(!proof.holds && leaked == 50, "{proof:?}");
    database.close().await;
}

/// A door to the store that is built wrongly in one way.
struct Broken<'a>(&'a Store, Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Refuses everybody.
    Deaf,
    /// Asks in every namespace it knows of, whoever comes.
    Wide,
    /// Takes the namespaces of the question for those of who asks.
    Credulous,
    /// None.
    Sound,
}

impl Broken<'_> {
    async fn seen(&self, namespaces: &[&str], words: &str) -> Vec<Seen> {
        let recall = Recall { query: Some(words.to_owned()), limit: Some(MAX_HITS), ..Recall::default() };
        let hits = self.0.recall(&Scope::new(namespaces.iter().copied()).unwrap(), &recall).await.unwrap().hits;
        hits.into_iter().map(|hit| Seen { id: hit.id, namespace: hit.namespace, content: hit.content }).collect()
    }
}

#[async_trait::async_trait]
impl Door for Broken<'_> {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn most(&self) -> i64 {
        MAX_HITS
    }

    async fn ask(
        &self,
        rights: &[String],
        namespaces: &[String],
        question: Question<'_>,
    ) -> heirloom_migrate::Result<Option<Vec<Seen>>> {
        let asked: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        Ok(match self.1 {
            Fault::Deaf => None,
            Fault::Wide => Some(self.seen(&[HOME, NEXT_DOOR], question.words).await),
            Fault::Sound if rights != namespaces => None,
            Fault::Credulous | Fault::Sound => Some(self.seen(&asked, question.words).await),
        })
    }
}

#[tokio::test]
async fn every_door_is_asked_and_each_fault_of_one_is_named() {
    let ((database, store), plan) = (store().await, plan(&[HOME]).await);
    hand_down(&store, &plan, vec![fact(1, HOME, "the heron lands at dawn"), fact(2, HOME, "nothing to see")]).await;
    let asked = async |fault| recall_proof(&plan, &store, 100, &[&Broken(&store, fault)]).await.unwrap();
    let sound = asked(Fault::Sound).await;
    assert!(sound.holds && sound.doors["broken"] == sound.sql, "{sound:?}");
    let deaf = asked(Fault::Deaf).await;
    assert!(!deaf.holds && deaf.sql == sound.sql, "{deaf:?}");
    assert_eq!((deaf.doors["broken"].not_found.len(), deaf.doors["broken"].recalled), (2, 0));
    let wide = asked(Fault::Wide).await;
    assert!(!wide.holds && wide.doors["broken"].leaks.iter().any(|leak| leak.id == id(1)), "{wide:?}");
    let credulous = asked(Fault::Credulous).await;
    let told: Vec<_> = credulous.doors["broken"].leaks.iter().map(|leak| (leak.id, leak.seen_as.as_str())).collect();
    assert!(!credulous.holds && told.contains(&(id(1), "others who ask for it by its name")), "{told:?}");
    database.close().await;
}

#[tokio::test]
async fn a_row_that_recall_cannot_find_is_named() {
    let ((database, store), plan) = (store().await, plan(&[HOME]).await);
    hand_down(&store, &plan, vec![fact(1, HOME, "the heron lands at dawn"), fact(2, HOME, "nothing to see")]).await;
    // The row is there, and the function that every door calls no longer brings it.
    let broken = "create or replace function heirloom.recall_terms(query_text text, out lexemes text[], \
        out required tsquery, out refused tsquery) language sql stable as $$ select array['noth'], null::tsquery, null::tsquery $$";
    behind(&store, broken).await;
    let proof = prove(&plan, &store).await;
    assert!(!proof.holds, "{proof:?}");
    assert_eq!((proof.sql.not_found, proof.sql.recalled), (vec![id(1)], 1));
    database.close().await;
}

#[tokio::test]
async fn nothing_asked_is_nothing_proven() {
    let ((database, store), plan) = (store().await, plan(&[HOME]).await);
    let proof = prove(&plan, &store).await;
    assert!(!proof.holds && proof.sampled == 0);
    database.close().await;
}
