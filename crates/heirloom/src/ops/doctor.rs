//! `heirloom doctor`: the environment as it is, for a person and for a report of a fault.
//!
//! Changes nothing and creates nothing: an embedded store that is not there yet is reported, not made.

use std::borrow::Cow;

use clap::Args;
use heirloom_engine::{Database, Kind, Location, OwnerRecord};
use heirloom_store::schema::STORE;
use heirloom_store::{Meta, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attach;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::explain;
use crate::ops::up::missing_rights;
use crate::ops::{Doors, Op, Operation, Output};
use crate::text::{Table, count, counted};
use crate::upkept;

const OLDEST_SERVER: i32 = 150_000;

/// Arguments of `heirloom doctor`: none.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Note,
    Failed,
}

/// One check.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Check {
    name: Cow<'static, str>,
    verdict: Verdict,
    found: String,
    hint: Option<String>,
}

/// The report.
#[derive(Debug, Serialize)]
struct Report {
    heirloom: &'static str,
    platform: String,
    store: Option<String>,
    settings: Vec<Setting>,
    checks: Vec<Check>,
}

/// A setting that is not a default.
#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    from: String,
}

impl Operation for Doctor {
    const NAME: &'static str = "doctor";
    const SUMMARY: &'static str = "Check versions, database, roles and settings";
    const DETAIL: &'static str =
        "Changes nothing. Exit code 3 when a check fails. With --json it is what to attach to a report.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let mut checks = Vec::new();
        let location = context.location();
        let store = location.as_ref().ok().map(Location::display);
        match location {
            Ok(location) if location.is_there() => match context.database().await {
                Ok(database) => look(database, &mut checks).await?,
                Err(error) => match attach::owner_of(&error) {
                    Some(owner) => {
                        checks.extend(asked(context, owner).await.unwrap_or_else(|error| vec![refused(&error)]))
                    }
                    None => checks.push(refused(&error)),
                },
            },
            Ok(location) => checks.push(check(
                "database",
                Verdict::Note,
                format!("there is no store in {} yet", location.display()),
                Some("`heirloom up` makes one"),
            )),
            Err(error) => checks.push(refused(&error)),
        }
        let settings = context.config().origins.iter();
        let report = Report {
            heirloom: env!("CARGO_PKG_VERSION"),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            store,
            settings: settings.map(|(name, from)| Setting { name, from: from.clone() }).collect(),
            checks,
        };
        let holds = report.checks.iter().all(|check| check.verdict != Verdict::Failed);
        Ok(Output::new(&report, text(&report, holds))?.holding(holds))
    }
}

fn check(name: &'static str, verdict: Verdict, found: impl Into<String>, hint: Option<&str>) -> Check {
    Check { name: Cow::Borrowed(name), verdict, found: found.into(), hint: hint.map(str::to_owned) }
}

/// What the process that has the embedded store open finds out about it; the settings stay those of this command.
async fn asked(context: &Context, owner: &OwnerRecord) -> Result<Vec<Check>> {
    #[derive(Deserialize)]
    struct Told {
        checks: Vec<Check>,
    }
    let op = Op::find(Doctor::NAME).ok_or_else(|| Error::Bug("there is no doctor".to_owned()))?;
    let told = attach::run(context, owner, op, serde_json::json!({})).await?.json;
    let told: Told = serde_json::from_value(told).map_err(|_| {
        Error::Temporary(format!("the process {} answers what this version does not understand", owner.pid))
    })?;
    let found = format!("open in another process: Heirloom {}, process {}", owner.version, owner.pid);
    Ok([vec![check("owner", Verdict::Note, found, None)], told.checks].concat())
}

fn refused(error: &Error) -> Check {
    let explained = explain::explain(error);
    check("database", Verdict::Failed, explained.message, explained.hints.first().map(String::as_str))
}

async fn look(database: &Database, checks: &mut Vec<Check>) -> Result<()> {
    let row = {
        let client = database.client().await?;
        client
            .query_one(include_str!("../../sql/queries/doctor.sql"), &[])
            .await
            .map_err(heirloom_engine::EngineError::from)?
    };
    let kind = if database.is_embedded() { "embedded" } else { "server" };
    let (user, is_super): (String, Option<bool>) = (row.get("connected_as"), row.get("connected_super"));
    let rights = if is_super == Some(true) { ", a superuser; work on memories is done as heirloom_serve" } else { "" };
    checks.push(check("database", Verdict::Ok, format!("{kind}; answers; connected as {user}{rights}"), None));
    checks.push(server(row.get("server_version"), row.get("server_number")));
    checks.push(vector(row.get("vector_installed"), row.get("vector_available")));
    if row.get("store_there") {
        checks.push(serving(row.get("serve_bypasses"), row.get("serve_owns")));
        checks.push(protected(&row.get::<_, Vec<String>>("unprotected")));
        let meta = Store::inspect(database).await;
        let is_current = matches!(&meta, Ok(Some(meta)) if meta.schema_version == STORE.known());
        checks.push(schema(meta));
        if is_current {
            checks.push(granted(&missing_rights(database).await?));
            checks.extend(waiting(database).await);
        }
        checks.extend(counts(database).await);
    } else {
        checks.push(check(
            "store",
            Verdict::Note,
            "there is none in this database yet",
            Some("`heirloom up` installs it"),
        ));
    }
    if let Kind::Embedded(_) = database.kind() {
        checks.push(check(
            "durability",
            Verdict::Note,
            "the embedded store survives a crash of the process, not a power cut (fsync is off)",
            Some("where that matters, set DATABASE_URL to a PostgreSQL server"),
        ));
    }
    Ok(())
}

fn schema(meta: heirloom_store::Result<Option<Meta>>) -> Check {
    match meta.map_err(Error::from) {
        Ok(None) => check("schema", Verdict::Failed, "the store's schema is incomplete", Some("run `heirloom up`")),
        Ok(Some(meta)) if meta.schema_version < STORE.known() => {
            let found = format!("version {}, this binary needs {}", meta.schema_version, STORE.known());
            check("schema", Verdict::Failed, found, Some("run `heirloom up`"))
        }
        Ok(Some(meta)) => {
            let (version, dimension, language) = (meta.schema_version, meta.dimension, &meta.language);
            let found = format!("version {version}, {dimension} dimensions, {language}, store {}", meta.store_id);
            check("schema", Verdict::Ok, found, None)
        }
        Err(error) => {
            let explained = explain::explain(&error);
            check("schema", Verdict::Failed, explained.message, explained.hints.first().map(String::as_str))
        }
    }
}

/// How much there is, as the role that may see all and change nothing. `None` when we may not become it: an ordinary
/// user of a server need not be allowed to count what is not theirs.
async fn counts(database: &Database) -> Option<Check> {
    let mut client = database.client().await.ok()?;
    let tx = client.build_transaction().read_only(true).start().await.ok()?;
    tx.batch_execute("set local role heirloom_audit").await.ok()?;
    let row = tx.query_one(include_str!("../../sql/queries/counts.sql"), &[]).await.ok()?;
    let of = |name: &str, noun: &str| counted(u64::try_from(row.get::<_, i64>(name)).unwrap_or(0), noun);
    let memories = row.get::<_, i64>("memories");
    let memories = format!("{} {}", count(memories.unsigned_abs()), if memories == 1 { "memory" } else { "memories" });
    let found = format!("{memories} in {}, {}", of("namespaces", "namespace"), of("tombstones", "tombstone"));
    Some(check("contents", Verdict::Ok, found, None))
}

/// What upkeep has left to do that only the owner may. `None` when there is nothing, and when we may not look.
async fn waiting(database: &Database) -> Option<Check> {
    let waiting = Store::open(database).await.ok()?.waiting().await.ok()?;
    let found = upkept::waits(waiting.namespaces, waiting.models)?;
    Some(check("upkeep", Verdict::Note, found, Some(upkept::CURE)))
}

fn server(version: String, number: i32) -> Check {
    if number >= OLDEST_SERVER {
        return check("postgresql", Verdict::Ok, version, None);
    }
    check("postgresql", Verdict::Failed, version, Some("PostgreSQL 15 or newer is needed"))
}

fn vector(installed: Option<String>, available: Option<String>) -> Check {
    let new_enough = |version: &str| {
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (0, 7)
    };
    let hint = Some("install pgvector 0.7 or newer on the server");
    match (installed, available) {
        (Some(version), _) if new_enough(&version) => check("pgvector", Verdict::Ok, version, None),
        (Some(version), _) => check("pgvector", Verdict::Failed, format!("{version} is too old"), hint),
        (None, Some(version)) if new_enough(&version) => {
            check("pgvector", Verdict::Ok, format!("{version} is available, not yet installed"), None)
        }
        (None, Some(version)) => check("pgvector", Verdict::Failed, format!("{version} is available, too old"), hint),
        (None, None) => check("pgvector", Verdict::Failed, "the server does not have it", hint),
    }
}

fn serving(bypasses: Option<bool>, owns: i64) -> Check {
    let again = Some("run `heirloom up` again as a user who may create roles");
    match (bypasses, owns) {
        (None, _) => check("roles", Verdict::Failed, "there is no role heirloom_serve", again),
        (Some(true), _) => {
            let hint = Some("alter role heirloom_serve nosuperuser nobypassrls");
            check("roles", Verdict::Failed, "heirloom_serve is superuser or bypasses row-level security", hint)
        }
        (Some(false), 0) => check("roles", Verdict::Ok, "heirloom_serve owns nothing and bypasses nothing", None),
        (Some(false), owns) => {
            let found = format!("heirloom_serve owns {owns} relations; an owner is not held by policies");
            check("roles", Verdict::Failed, found, Some("give them to the user who ran `heirloom up`"))
        }
    }
}

fn protected(unprotected: &[String]) -> Check {
    if unprotected.is_empty() {
        return check("tenants", Verdict::Ok, "row-level security is forced on every table with a namespace", None);
    }
    let found = format!("row-level security is not forced on {}", unprotected.join(", "));
    check("tenants", Verdict::Failed, found, Some("run `heirloom up` again"))
}

/// By the catalog: a restored dump says of every object that it was applied, also of what the server refused.
fn granted(missing: &[&str]) -> Check {
    let Some(first) = missing.first() else {
        return check("rights", Verdict::Ok, "every policy and grant of the roles is there", None);
    };
    let found = match missing.len() {
        1 => format!("missing: {first}"),
        many => format!("{} policies and grants are missing, the first: {first}", count(many as u64)),
    };
    check("rights", Verdict::Failed, found, Some("run `heirloom up` as the owner of the store; it puts them back"))
}

fn text(report: &Report, holds: bool) -> String {
    let mut table = Table::new(&["", "", ""]);
    for check in &report.checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Note => "note",
            Verdict::Failed => "FAILED",
        };
        table.row([check.name.to_string(), verdict.to_owned(), check.found.clone()]);
        if let Some(hint) = &check.hint {
            table.row([String::new(), String::new(), format!("hint: {hint}")]);
        }
    }
    let mut text = format!("Heirloom {} on {}\n", report.heirloom, report.platform);
    text.push_str(&format!("store: {}\n", report.store.as_deref().unwrap_or("nowhere yet")));
    for setting in &report.settings {
        text.push_str(&format!("{} is set by {}\n", setting.name, setting.from));
    }
    text.push('\n');
    text.push_str(&table.render());
    text.push_str(if holds { "\nNothing is wrong.\n" } else { "\nSomething is wrong; see the hints.\n" });
    text
}
