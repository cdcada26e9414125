//! The demo itself: legacy tables, then plan → apply → verify → recall on each, live writes, a second apply, a row changed
//! by hand, and the evidence. It uses the libraries as a user's migration does; only the changed row is written by hand.

use std::path::{Path, PathBuf};
use std::time::Instant;

use heirloom_engine::{Database, Location, Options};
use heirloom_migrate::MigrateError;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Stop};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::finding;
use heirloom_migrate::ledger;
use heirloom_migrate::plan::{self, Limits, Plan, Severity};
use heirloom_migrate::report::{self, Evidence, Parts};
use heirloom_migrate::source::{self, Source};
use heirloom_migrate::verify::{self, Verification, VerifyRequest};
use heirloom_store::{Remember, Scope, Store, UpOptions};

use super::story::{DemoReport, Noted, Recalled, Tampered, TenantStory, Timings};
use super::tenants::TENANTS;
use super::{asking, guide, legacy};
use crate::error::{Error, Result};

/// Two things the largest team remembers after the migration.
const LIVE: [&str; 2] = [
    "The old memory table is frozen since the handover; new notes go to the store only.",
    "Count proof for the handover: compare ids, not totals, because we keep writing.",
];

/// One team's migration, as far as it is.
struct Case {
    name: String,
    path: PathBuf,
    plan: Plan,
    source: Box<dyn Source>,
    story: TenantStory,
    last: Option<Verification>,
}

/// Tells the whole story in a throw-away embedded store, or in the one of `data`, and writes the evidence into `out`.
///
/// # Errors
/// What the libraries refuse. A promise that did not hold is no error: see [`DemoReport::holds`].
pub async fn run(data: Option<&Path>, out: &Path, note: &(dyn Fn(&str) + Sync)) -> Result<DemoReport> {
    let started = Instant::now();
    std::fs::create_dir_all(out).map_err(Error::file(out))?;
    let location = data.map_or(Location::Temporary, |dir| Location::Embedded(dir.to_owned()));
    let database = Database::open(&location, &Options::default()).await?;
    let told = tell(&database, out, note, started).await;
    let closed = database.close().await;
    let report = told?;
    closed?;
    Ok(report)
}

async fn tell(database: &Database, out: &Path, note: &(dyn Fn(&str) + Sync), started: Instant) -> Result<DemoReport> {
    let mut timings = Timings::default();
    note("creating the teams' own tables");
    create_tables(database).await?;
    let store = Store::up(database, &UpOptions::default()).await?;
    timings.create = started.elapsed().as_secs_f64();

    let step = Instant::now();
    note("planning");
    let mut cases = Vec::new();
    for tenant in &TENANTS {
        cases.push(Case::plan(database, out, tenant.name, &legacy::migration_file(tenant)).await?);
    }
    cases.push(Case::plan(database, out, guide::NAME, &guide::migration_file()).await?);
    timings.plan = step.elapsed().as_secs_f64();

    let step = Instant::now();
    for case in &mut cases {
        note(&format!("handing down {}", case.name));
        let applied = case.apply(&store).await?;
        case.story.migrated = applied.inserted;
        case.story.rejected = applied.rejected;
        case.story.skipped = applied.present + applied.forgotten;
    }
    timings.apply = step.elapsed().as_secs_f64();

    let step = Instant::now();
    for case in &mut cases {
        note(&format!("verifying {}", case.name));
        let found = case.verify(&store).await?;
        case.story.verified = found.equal;
        case.story.unexplained = found.difference_count;
    }
    timings.verify = step.elapsed().as_secs_f64();

    let live = write_live(&store, &cases).await?;
    let step = Instant::now();
    for case in &mut cases {
        case.story.rerun_written = case.apply(&store).await?.written;
    }
    timings.rerun = step.elapsed().as_secs_f64();

    note("changing a row of each by hand");
    let mut tampered = None;
    for case in &mut cases {
        let found = case.tamper(database, &store).await?;
        tampered = tampered.or(found);
    }
    note("recalling");
    let mut recalled = Vec::new();
    for case in &mut cases {
        let asked = asking::three(database, &store, &case.plan, case.name == TENANTS[0].name).await?;
        case.story.asked = asked.asked;
        case.story.recalled = asked.recalled;
        recalled.extend(asked.told.into_iter().map(|(query, content)| Recalled { query, content }));
    }
    for case in &mut cases {
        case.finish(database, &store).await?;
    }
    let (report, report_json) = write_evidence(database, out, &cases).await?;
    timings.total = started.elapsed().as_secs_f64();
    Ok(DemoReport {
        store: match database.kind() {
            heirloom_engine::Kind::Embedded(Some(dir)) => format!("the store in {}", dir.display()),
            _ => "an embedded store".to_owned(),
        },
        findings: findings(&cases),
        rejects: rejects(&cases),
        tenants: cases.into_iter().map(|case| case.story).collect(),
        live,
        tampered,
        recalled,
        timings,
        report,
        report_json,
    })
}

async fn create_tables(database: &Database) -> Result<()> {
    let mut client = database.client().await?;
    let there: Option<String> = client
        .query_one(
            "select min(nspname)::text from pg_namespace where nspname = any ($1)",
            &[&TENANTS.iter().map(|tenant| tenant.schema).chain([guide::SCHEMA]).collect::<Vec<_>>()],
        )
        .await
        .map_err(MigrateError::from)?
        .get(0);
    if let Some(schema) = there {
        return Err(Error::Argument {
            argument: "--data",
            what: format!("this database already has a schema {schema}, as the demo would make it"),
            accepted: "name an empty directory, or leave --data out".into(),
        });
    }
    for tenant in &TENANTS {
        legacy::create_case_a(&mut client, tenant).await.map_err(MigrateError::from)?;
    }
    guide::create_case_b(&mut client).await.map_err(MigrateError::from)?;
    Ok(())
}

impl Case {
    async fn plan(database: &Database, out: &Path, name: &str, toml: &str) -> Result<Self> {
        let file = out.join(format!("{name}.toml"));
        std::fs::write(&file, toml).map_err(Error::file(&file))?;
        let migration = MigrationFile::parse(&file.display().to_string(), toml)?;
        let source = source::open(&migration.source.url.value, database).await?;
        let plan = plan::make(plan::Request {
            foreign: None,
            file: &migration,
            source: source.as_ref(),
            target: database,
            heirloom: env!("CARGO_PKG_VERSION"),
            now: jiff::Timestamp::now(),
            limits: Limits::default(),
            progress: &mut |_| {},
        })
        .await?;
        let path = Plan::path_for(&file);
        plan.write(&path)?;
        let story = TenantStory {
            name: name.to_owned(),
            source_rows: plan.counts.rows,
            migrated: 0,
            rejected: 0,
            skipped: 0,
            explained: 0,
            verified: 0,
            rerun_written: 0,
            tamper_found: false,
            recalled: 0,
            asked: 0,
            unexplained: 0,
            in_store: 0,
        };
        Ok(Self { name: name.to_owned(), path, plan, source, story, last: None })
    }

    async fn apply(&self, store: &Store) -> Result<Applied> {
        Ok(apply::run(ApplyRequest {
            foreign: None,
            plan: &self.plan,
            source: self.source.as_ref(),
            store,
            heirloom: env!("CARGO_PKG_VERSION"),
            stop: Stop::default(),
            check_only: false,
            options: apply::Options::default(),
            progress: &mut |_| {},
        })
        .await?)
    }

    async fn verify(&self, store: &Store) -> Result<Verification> {
        Ok(verify::run(VerifyRequest {
            foreign: None,
            plan: &self.plan,
            source: self.source.as_ref(),
            store,
            show_content: false,
            progress: &mut |_, _| {},
        })
        .await?)
    }

    /// Changes one letter of one row behind the store's back, lets verify find it, and puts it back.
    async fn tamper(&mut self, database: &Database, store: &Store) -> Result<Option<Tampered>> {
        const VICTIM: &str = "select o.id, o.namespace, m.content from heirloom.origin o \
             join heirloom.memory m on m.id = o.id and m.namespace = o.namespace where o.source = $1 order by o.id limit 1";
        // The trigger that would note the time of a change is told that times are given.
        const CHANGE: &str = "update heirloom.memory set content = $3 where id = $1 and namespace = $2";
        let source = self.plan.origin_source();
        let client = database.client().await?;
        let row = client.query_one(VICTIM, &[&source]).await.map_err(MigrateError::from)?;
        let (id, namespace, content): (uuid::Uuid, String, String) = (row.get(0), row.get(1), row.get(2));
        let changed = format!("{content}?");
        client.batch_execute("set heirloom.times_given = 'on'").await.map_err(MigrateError::from)?;
        client.execute(CHANGE, &[&id, &namespace, &changed]).await.map_err(MigrateError::from)?;
        drop(client);
        let found = self.verify(store).await?;
        let client = database.client().await?;
        client.execute(CHANGE, &[&id, &namespace, &content]).await.map_err(MigrateError::from)?;
        client.batch_execute("reset heirloom.times_given").await.map_err(MigrateError::from)?;
        let named = match found.differences.as_slice() {
            [one] if one.id == id && one.column.as_deref() == Some("content") => {
                Some(Tampered { tenant: self.name.clone(), key: one.key.join(", "), column: "content".to_owned() })
            }
            _ => None,
        };
        self.story.tamper_found = named.is_some() && !found.holds;
        Ok(named)
    }

    /// The last comparison: what the evidence shows.
    async fn finish(&mut self, database: &Database, store: &Store) -> Result<()> {
        let found = self.verify(store).await?;
        self.story.explained = found.live_rows;
        self.story.unexplained += found.difference_count;
        let namespaces: Vec<&str> = self.plan.namespaces.iter().map(|count| count.namespace.as_str()).collect();
        let client = database.client().await?;
        let count: i64 = client
            .query_one("select count(*) from heirloom.memory where namespace = any ($1)", &[&namespaces])
            .await
            .map_err(MigrateError::from)?
            .get(0);
        self.story.in_store = count.unsigned_abs();
        self.last = Some(found);
        Ok(())
    }
}

/// The largest team goes on remembering.
async fn write_live(store: &Store, cases: &[Case]) -> Result<Vec<(String, String)>> {
    let Some(case) = cases.first() else { return Ok(Vec::new()) };
    let Some(namespace) = case.plan.namespaces.iter().map(|count| &count.namespace).min() else {
        return Ok(Vec::new());
    };
    let mut live = Vec::new();
    for content in LIVE {
        let new = Remember {
            namespace: namespace.clone(),
            content: content.to_owned(),
            kind: Some("fact".to_owned()),
            ..Remember::default()
        };
        let done = store.remember(&Scope::one(namespace)?, &new).await?;
        live.push((case.name.clone(), done.id.to_string()));
    }
    Ok(live)
}

async fn write_evidence(database: &Database, out: &Path, cases: &[Case]) -> Result<(PathBuf, PathBuf)> {
    let mut evidence = Vec::new();
    for case in cases {
        let client = database.client().await?;
        let Some(run) = ledger::find_run(&client, case.plan.run_id).await? else { continue };
        let rejects = ledger::reject_counts(&client, &case.plan.origin_source()).await?;
        evidence.push(Evidence::of(&Parts {
            plan: &case.plan,
            run: &run,
            rejects: &rejects,
            verification: case.last.as_ref(),
            recall: None,
            soak: None,
            plan_path: &case.path.display().to_string(),
            heirloom: env!("CARGO_PKG_VERSION"),
            generated_at: jiff::Timestamp::now(),
        }));
    }
    let (page, json) = (out.join("evidence.html"), out.join("evidence.json"));
    let title = "What was handed down, and the proof";
    std::fs::write(&page, report::html(title, &evidence)).map_err(Error::file(&page))?;
    std::fs::write(&json, report::json(&evidence)).map_err(Error::file(&json))?;
    let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    Ok((whole(page), whole(json)))
}

/// What a finding is about, in few words: the whole sentence stands in the evidence.
fn title(id: &str) -> Option<&'static str> {
    finding::ALL.iter().find(|check| check.id == id).map(|check| check.title)
}

/// Findings of all plans that concern rows, the most severe first, each once for the team where it weighs most.
fn findings(cases: &[Case]) -> Vec<Noted> {
    let mut all: Vec<(Severity, Noted)> = Vec::new();
    for case in cases {
        for finding in &case.plan.findings {
            let noted = Noted {
                id: finding.id.clone(),
                tenant: case.name.clone(),
                rows: finding.rows,
                what: title(&finding.id).unwrap_or(&finding.what).to_owned(),
            };
            match all.iter_mut().find(|(_, other)| other.id == noted.id) {
                Some((_, other)) if other.rows < noted.rows => *other = noted,
                Some(_) => {}
                None => all.push((finding.severity, noted)),
            }
        }
    }
    all.retain(|(_, noted)| noted.rows.is_some());
    all.sort_by_key(|(severity, _)| *severity);
    all.into_iter().map(|(_, noted)| noted).collect()
}

fn rejects(cases: &[Case]) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = Vec::new();
    for reject in cases.iter().flat_map(|case| &case.plan.rejects) {
        let code = serde_json::to_value(reject.code).ok().and_then(|code| code.as_str().map(str::to_owned));
        let code = code.unwrap_or_default();
        match all.iter_mut().find(|(known, _)| *known == code) {
            Some((_, rows)) => *rows += reject.count,
            None => all.push((code, reject.count)),
        }
    }
    all
}
