//! The evidence: what is in it, what is not, and that the page is a page.

use std::collections::BTreeMap;

use heirloom_migrate::digest::{DigestSum, Key};
use heirloom_migrate::ledger::{RejectTotal, RunState, RunSummary};
use heirloom_migrate::mapping::RejectCode;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::report::{self, Evidence, Parts};
use heirloom_migrate::value::Value;
use heirloom_migrate::verify::{
    Answers, ChunkVerdict, Class, Difference, Explanation, LeftOut, RecallProof, Side, Verification,
};
use uuid::Uuid;

use crate::fake::{case, moment, now, text};

/// What must be in no report: it is content.
const SECRET: &str = "the blue heron lands at dawn";

async fn plan(tenant: &str) -> Plan {
    let times = vec![moment("2026-01-01T00:00:00Z"), Value::Null, moment("2026-01-03T00:00:00Z")];
    let case = case(3)
        .column("content", "text", vec![text(SECRET), text("two"), text("three")])
        .column("created_at", "timestamptz", times)
        .column("layer", "text", vec![text("db"), text("db"), text("api")])
        .column("tsv", "text", vec![Value::Null, Value::Null, Value::Null])
        .column("embedding", "vector(4)", vec![Value::Vector(vec![0.5; 4]), Value::Null, Value::Null])
        .map("topic", "\"layer\"")
        .map("embedding", "{ from = \"embedding\", model = \"text-embedding-3-small\" }")
        .section("[keep]\ndrop = { tsv = \"derived from content\" }");
    let mut plan = case.plan().await;
    tenant.clone_into(&mut plan.tenant);
    plan
}

fn run(plan: &Plan) -> RunSummary {
    RunSummary {
        run_id: plan.run_id,
        name: plan.name.clone(),
        tenant: plan.tenant.clone(),
        source: plan.origin_source(),
        plan_digest: plan.digest.clone(),
        state: RunState::Applied,
        started_at: "2026-11-22T12:00:00.25Z".into(),
        applied_at: Some("2026-11-22T12:00:02Z".into()),
        verified_at: None,
        heirloom: "0.1.0".into(),
        actor: "writer".into(),
        chunks: 2,
        chunks_done: 2,
        rows: 1_805,
        inserted: 1_803,
        updated: 0,
        restored: 0,
        present: 0,
        forgotten: 0,
        conflicts: 0,
        rejected: 2,
        open: 2,
    }
}

fn verification(plan: &Plan) -> Verification {
    let key = Key::random();
    let chunk = |ordinal: u32, rows: u64| {
        let mut sum = DigestSum::default();
        sum.add(key.digest(&ordinal.to_be_bytes()));
        sum.count = rows;
        ChunkVerdict { ordinal, source_rows: rows, expected: sum, found: sum, differences: 0 }
    };
    Verification {
        run_id: plan.run_id,
        name: plan.name.clone(),
        tenant: plan.tenant.clone(),
        plan_digest: plan.digest.clone(),
        source_rows: 1_805,
        expected: 1_803,
        rejected: 2,
        found: 1_802,
        equal: 1_800,
        explained: BTreeMap::from([(Explanation::Edited, 2), (Explanation::Forgotten, 1)]),
        live_rows: 4,
        live: Vec::new(),
        difference_count: 0,
        differences: Vec::new(),
        chunks: vec![chunk(0, 1_000), chunk(1, 803)],
        merkle_root: key.digest(b"root").to_string(),
        not_shown: Vec::new(),
        unseen: 0,
        partly_shown: 0,
        holds: true,
    }
}

fn proof() -> RecallProof {
    let sql = Answers {
        asked: 18,
        recalled: 18,
        left_out: BTreeMap::from([(LeftOut::Ghost, 2)]),
        leak_probes: 20,
        ..Answers::default()
    };
    let doors = ["http", "mcp"].map(|door| (door.to_owned(), sql.clone()));
    RecallProof {
        namespaces: 1,
        namespaces_asked: 1,
        others: 3,
        others_asked: 3,
        sampled: 20,
        sql,
        doors: doors.into(),
        holds: true,
    }
}

async fn evidence(tenant: &str, mend: impl FnOnce(&mut Verification)) -> Evidence {
    let plan = plan(tenant).await;
    let mut verification = verification(&plan);
    mend(&mut verification);
    let rejects = [
        RejectTotal {
            code: RejectCode::Nul,
            field: Some("content".into()),
            column: Some("content".into()),
            open: 1,
            resolved: 0,
        },
        RejectTotal { code: RejectCode::DuplicateKey, field: None, column: None, open: 1, resolved: 3 },
    ];
    Evidence::of(&Parts {
        plan: &plan,
        run: &run(&plan),
        rejects: &rejects,
        verification: Some(&verification),
        recall: Some(&proof()),
        soak: None,
        plan_path: "agents.plan.json",
        heirloom: "0.1.0",
        generated_at: now(),
    })
}

fn differs(verification: &mut Verification) {
    verification.holds = false;
    verification.difference_count = 1;
    verification.differences.push(Difference {
        class: Class::Altered,
        key: vec!["<b>42</b>".into(), "x".into()],
        id: Uuid::from_u128(7),
        chunk: Some(0),
        column: Some("content".into()),
        expected: Some(Side { bytes: Some(3), digest: "d".into(), value: Some(SECRET.into()) }),
        found: None,
    });
}

/// Every element that is opened is closed, in order; no reader of HTML would have to guess.
fn well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "before {:?}", &after[..after.len().min(40)]),
            None if name == "!doctype" || name == "meta" => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[tokio::test]
async fn the_page_is_well_formed_and_loads_nothing() {
    let all = [evidence("acme", |_| {}).await, evidence("globex", differs).await];
    for evidence in [&all[..], &all[..1], &[]] {
        let page = report::html("Agents, handed down", evidence);
        well_formed(&page);
        for outside in ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "http://", "https://", "onload"]
        {
            assert!(!page.contains(outside), "{outside}");
        }
    }
    // For whoever wants to look at it.
    let room = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(room.join("report.html"), report::html("Agents, handed down", &all)).unwrap();
    std::fs::write(room.join("report-holds.html"), report::html("Agents, handed down", &all[..1])).unwrap();
}

#[tokio::test]
async fn names_and_keys_are_text_not_markup() {
    let page = report::html("<b>title</b>", &[evidence("<b>tenant</b> & 'co'", differs).await]);
    well_formed(&page);
    assert!(!page.contains("<b>"), "a name became markup");
    for shown in ["&lt;b&gt;title", "&lt;b&gt;tenant&lt;/b&gt; &amp; &#39;co&#39;", "&lt;b&gt;42&lt;/b&gt;, x"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn content_is_in_neither_form() {
    let all = [evidence("acme", differs).await];
    assert!(!report::json(&all).contains("heron") && !report::html("t", &all).contains("heron"));
}

#[tokio::test]
async fn json_comes_back_as_it_was() {
    let all = vec![evidence("acme", |_| {}).await, evidence("globex", differs).await];
    let json = report::json(&all);
    assert_eq!(serde_json::from_str::<Vec<Evidence>>(&json).unwrap(), all);
    assert_eq!(report::json(&all), json, "the same evidence gives the same bytes");
}

#[tokio::test]
async fn the_verdict_says_what_holds_and_what_does_not() {
    let good = evidence("acme", |_| {}).await;
    let bad = evidence("globex", differs).await;
    assert!(good.holds && !bad.holds);
    let page = report::html("t", std::slice::from_ref(&good));
    let verdict = "All 1,805 rows are accounted for: 1,800 equal in every column; \
        3 changed since, each for a recorded reason; and 2 set aside and kept. \
        Beside them the store holds 4 rows that did not come from here.";
    assert!(page.contains(verdict), "{}", &page[page.find("verdict good").unwrap()..][..300]);
    let page = report::html("t", &[good, bad]);
    assert!(page.contains("1 of 2 migrations is not proven: 1 difference that nothing explains."));
    assert!(report::html("t", &[]).contains("nothing was proven"));
}

/// The cells of the first line of the table of tenants, by their heading.
fn tenant_line(page: &str) -> BTreeMap<String, String> {
    let cells = |tag: &str, text: &str| -> Vec<String> {
        text.split(&format!("<{tag}"))
            .skip(1)
            .map(|rest| rest.split_once('>').unwrap().1.split("</").next().unwrap().to_owned())
            .collect()
    };
    let table = page.split("<table").nth(1).unwrap().split("</table>").next().unwrap();
    let (head, body) = table.split_once("<tbody>").unwrap();
    cells("th", &head.replace("<thead", "")).into_iter().zip(cells("td", body)).collect()
}

#[tokio::test]
async fn live_rows_and_recorded_changes_are_counted_as_explained() {
    let one = evidence("acme", |_| {}).await;
    assert_eq!(one.counts.explained, Some(7), "3 with a recorded reason, 4 written live");
    let page = report::html("t", &[one]);
    assert_eq!(tenant_line(&page).get("Explained").map(String::as_str), Some("7"), "{:?}", tenant_line(&page));
}

#[tokio::test]
async fn what_was_not_compared_is_not_proven() {
    let plan = plan("acme").await;
    let run = run(&plan);
    let parts = Parts {
        plan: &plan,
        run: &run,
        rejects: &[],
        verification: None,
        recall: None,
        soak: None,
        plan_path: "agents.plan.json",
        heirloom: "0.1.0",
        generated_at: now(),
    };
    let evidence = Evidence::of(&parts);
    assert!(!evidence.holds && evidence.counts.equal.is_none());
    assert!(report::html("t", &[evidence]).contains("This migration is not proven: it has not been verified."));
    let leaking = RecallProof { holds: false, ..proof() };
    let verification = verification(&plan);
    let asked_as = |proof: &RecallProof| {
        let parts = Parts { verification: Some(&verification), recall: Some(proof), ..parts };
        report::html("t", &[Evidence::of(&parts)])
    };
    assert!(asked_as(&proof()).contains("Asked for with everybody else&#39;s rights, 20 times, none came back."));
    let some = asked_as(&RecallProof { others: 119, others_asked: 50, ..proof() });
    assert!(some.contains("Asked for with the rights of 50 of 119 other namespaces, 20 times, none came back."));
    let evidence = Evidence::of(&Parts { verification: Some(&verification), recall: Some(&leaking), ..parts });
    assert!(!evidence.holds, "a failed recall proof is a failed migration");
}
