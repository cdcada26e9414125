//! Everything Heirloom can do: one entry of [`ALL`] each, one file each, file path = command path.
//!
//! An operation is a flat struct that is clap arguments, JSON and a JSON Schema at once, plus `run`. Doors iterate
//! [`ALL`] and hold no behaviour; every door runs an operation from its JSON form. Deliberately absent: printing, and
//! anything that only one door could use.

use std::future::Future;
use std::pin::Pin;

use heirloom_store::Right;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Error, Result};

pub mod apply;
pub mod audit;
pub mod compat;
pub mod completions;
pub mod config;
pub mod demo;
pub(crate) mod desk;
pub mod detect;
pub mod doctor;
pub mod fleet;
pub mod forget;
pub mod history;
pub mod keep;
pub mod links;
pub mod list;
pub mod man;
pub mod mcp;
pub(crate) mod migration;
pub mod namespaces;
pub mod origin;
mod pages;
pub mod plan;
pub mod plugin;
pub mod recall;
pub mod reembed;
pub mod rejects;
pub mod remember;
pub mod report;
pub mod retire;
pub mod revise;
pub mod run;
pub mod serve;
mod shared;
pub mod show;
pub mod soak;
pub mod stats;
pub mod status;
pub mod token;
pub mod transition;
pub mod unretire;
pub mod up;
pub mod upkeep;
pub mod verify;
mod watch;
pub mod whoami;
pub mod workspace;

/// Every operation, in the order in which help lists them.
pub static ALL: &[Op] = &[
    Op::of::<up::Up>(),
    Op::of::<demo::Demo>(),
    Op::of::<detect::Detect>(),
    Op::of::<plan::MakePlan>(),
    Op::of::<apply::Apply>(),
    Op::of::<verify::Verify>(),
    Op::of::<status::Status>(),
    Op::of::<run::show::ShowRun>(),
    Op::of::<run::compare::CompareRun>(),
    Op::of::<run::evidence::RunEvidence>(),
    Op::of::<run::retry::RetryRun>(),
    Op::of::<rejects::list::ListRejects>(),
    Op::of::<rejects::export::ExportRejects>(),
    Op::of::<rejects::retry::RetryRejects>(),
    Op::of::<report::write::Report>(),
    Op::of::<report::check::CheckReport>(),
    Op::of::<soak::start::StartSoak>(),
    Op::of::<soak::sweep::SweepSoak>(),
    Op::of::<soak::status::SoakStatusOf>(),
    Op::of::<retire::Retire>(),
    Op::of::<unretire::Unretire>(),
    Op::of::<audit::anchor::AnchorAudit>(),
    Op::of::<audit::check::CheckAudit>(),
    Op::of::<audit::list::ListAudit>(),
    Op::of::<fleet::plan::PlanFleet>(),
    Op::of::<fleet::apply::ApplyFleet>(),
    Op::of::<fleet::verify::VerifyFleet>(),
    Op::of::<fleet::soak::SoakFleet>(),
    Op::of::<fleet::retire::RetireFleet>(),
    Op::of::<fleet::status::FleetStatus>(),
    Op::of::<fleet::report::FleetReport>(),
    Op::of::<remember::Remember>(),
    Op::of::<recall::Recall>(),
    Op::of::<show::Show>(),
    Op::of::<origin::Origin>(),
    Op::of::<history::History>(),
    Op::of::<links::Links>(),
    Op::of::<list::List>(),
    Op::of::<namespaces::Namespaces>(),
    Op::of::<stats::Stats>(),
    Op::of::<revise::Revise>(),
    Op::of::<keep::Keep>(),
    Op::of::<transition::Transition>(),
    Op::of::<forget::Forget>(),
    Op::of::<upkeep::Upkeep>(),
    Op::of::<reembed::Reembed>(),
    Op::of::<doctor::Doctor>(),
    Op::of::<config::ShowConfig>(),
    Op::of::<whoami::Whoami>(),
    Op::of::<token::create::CreateToken>(),
    Op::of::<token::list::ListTokens>(),
    Op::of::<token::revoke::RevokeToken>(),
    Op::of::<workspace::put::PutWorkspace>(),
    Op::of::<workspace::list::ListWorkspaces>(),
    Op::of::<workspace::remove::RemoveWorkspace>(),
    Op::of::<serve::Serve>(),
    Op::of::<mcp::serve::ServeMcp>(),
    Op::of::<mcp::install::InstallMcp>(),
    Op::of::<mcp::call::CallTool>(),
    Op::of::<plugin::Plugin>(),
    Op::of::<compat::memory_backfill::MemoryBackfill>(),
    Op::of::<completions::Completions>(),
    Op::of::<man::Man>(),
];

/// Groups of operations whose name has two words, with the summary of the group. The group's name alone means the
/// operation named here.
pub static GROUPS: &[(&str, &str, &str)] = &[
    ("fleet", "Plan, apply, verify and report for many tenants at once", "fleet status"),
    ("run", "Show, compare and prove runs of migrations from the ledger", "run show"),
    ("rejects", "List rows that were set aside, export them, try them again", "rejects list"),
    ("mcp", "Serve agents over MCP, or set up a client for it", "mcp serve"),
    ("workspace", "List, place and remove workspaces, the tree that gives rights", "workspace list"),
    ("token", "List, make and revoke the tokens of HTTP and MCP", "token list"),
    ("compat", "Commands of other platforms, on this engine", "compat memory-backfill"),
    ("report", "Write the evidence of migrations, and check it", "report write"),
    ("soak", "Watch old and new side by side, day after day", "soak status"),
    ("audit", "Check and list the chain that proves each step", "audit check"),
];

/// What an operation gives back: data for a program and text for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The result as JSON, the same for every door.
    pub json: Value,
    /// The result as text for a terminal of 80 columns, ending with a line break unless it is empty.
    pub text: String,
    /// Whether what was asked for holds.
    pub verdict: Verdict,
}

/// Whether what was asked for holds, and whether asking again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// A check failed or a gate refused: exit code 3.
    Fails,
    /// Nothing failed but what may succeed later, such as a database that is down: exit code 4.
    NotNow,
}

impl Output {
    /// A result that holds.
    ///
    /// # Errors
    /// [`Error::Bug`] when the value has no JSON form.
    pub fn new(value: &impl Serialize, text: impl Into<String>) -> Result<Self> {
        let json = serde_json::to_value(value).map_err(|error| Error::Bug(format!("a result has no JSON: {error}")))?;
        Ok(Self { json, text: text.into(), verdict: Verdict::Holds })
    }

    /// The same result, holding or not.
    #[must_use]
    pub fn holding(self, holds: bool) -> Self {
        Self { verdict: if holds { Verdict::Holds } else { Verdict::Fails }, ..self }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }
}

/// Which doors an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Doors {
    /// The command line.
    pub cli: bool,
    /// `/api/v1`.
    pub http: bool,
    /// The MCP tools.
    pub mcp: bool,
}

impl Doors {
    /// Every door.
    pub const ALL: Self = Self { cli: true, http: true, mcp: true };
    /// The command line and HTTP: what people do, agents do not.
    pub const PEOPLE: Self = Self { cli: true, http: true, mcp: false };
    /// The command line alone.
    pub const CLI: Self = Self { cli: true, http: false, mcp: false };
}

/// One operation: a flat struct of arguments and what it does.
pub trait Operation: clap::Args + Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static {
    /// The words of the command.
    const NAME: &'static str;
    /// One line, imperative, no full stop.
    const SUMMARY: &'static str;
    /// More for the help page: paragraphs, examples.
    const DETAIL: &'static str = "";
    /// Which doors lead here.
    const DOORS: Doors;
    /// Whether it leaves every database as it was.
    const READ_ONLY: bool;
    /// What a token needs for it: by default to read where it only reads, to write elsewhere.
    const RIGHT: Right = if Self::READ_ONLY { Right::Read } else { Right::Write };
    /// Whether it looks at [`Context::cancel`] and ends by itself; otherwise the door drops it.
    const FINISHES: bool = false;
    /// Whether help leaves it out.
    const HIDDEN: bool = false;

    /// Does it.
    fn run(self, context: &Context) -> impl Future<Output = Result<Output>> + Send;
}

/// A running operation.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Output>> + Send + 'a>>;

/// The entry of an operation in [`ALL`].
#[derive(Clone, Copy)]
pub struct Op {
    /// The words of the command; a file of `ops/` with `/` for the space.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// More for the help page.
    pub detail: &'static str,
    /// Which doors lead here.
    pub doors: Doors,
    /// Whether it leaves every database as it was.
    pub read_only: bool,
    /// What a token needs for it.
    pub right: Right,
    /// Whether it ends by itself when asked to stop.
    pub finishes: bool,
    /// Whether help leaves it out.
    pub hidden: bool,
    /// The JSON Schema of its arguments.
    pub schema: fn() -> schemars::Schema,
    /// Runs it from its JSON form.
    pub run: for<'a> fn(&'a Context, Value) -> Running<'a>,
    /// Adds its arguments to a command.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Its JSON form from parsed arguments.
    pub parse: fn(&clap::ArgMatches) -> Result<Value>,
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Op").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Op {
    const fn of<T: Operation>() -> Self {
        Self {
            name: T::NAME,
            summary: T::SUMMARY,
            detail: T::DETAIL,
            doors: T::DOORS,
            read_only: T::READ_ONLY,
            right: T::RIGHT,
            finishes: T::FINISHES,
            hidden: T::HIDDEN,
            schema: || schemars::schema_for!(T),
            run: run_json::<T>,
            arguments: <T as clap::Args>::augment_args,
            parse: parse::<T>,
        }
    }

    /// Whether it may run in the process that has the store open instead of in its own.
    pub fn attaches(&self) -> bool {
        !matches!(self.name, "serve" | "plugin" | "mcp serve" | "mcp install" | "demo" | "doctor")
    }

    /// The fields that are paths.
    pub fn paths(&self) -> Vec<String> {
        let path = clap::builder::ValueParser::path_buf().type_id();
        let command = (self.arguments)(clap::Command::new("paths"));
        let paths = command.get_arguments().filter(|argument| argument.get_value_parser().type_id() == path);
        paths.map(|argument| argument.get_id().to_string()).collect()
    }

    /// The operation of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|op| op.name == name)
    }
}

fn run_json<T: Operation>(context: &Context, arguments: Value) -> Running<'_> {
    Box::pin(async move {
        context.caller().require(T::RIGHT)?;
        let operation: T = from_json(arguments)?;
        let done = operation.run(context).await;
        if !T::READ_ONLY {
            context.happened();
        }
        done
    })
}

/// Arguments from JSON. A refusal names the field and what is accepted, and never repeats the value: it may be content.
pub(crate) fn from_json<T: DeserializeOwned>(arguments: Value) -> Result<T> {
    let (got_object, empty) = (arguments.is_object(), Value::Object(serde_json::Map::new()));
    let arguments = if arguments.is_null() { empty } else { arguments };
    refuse_nul(&arguments)?;
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let text = error.into_inner().to_string();
        let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
        let (field, what) = if text.starts_with("unknown field") {
            (quoted(&text).unwrap_or_default(), "there is no such field")
        } else if text.starts_with("missing field") {
            (quoted(&text).unwrap_or_default(), "it is missing")
        } else {
            (if got_object { path } else { "body".to_owned() }, "this value is not of its type")
        };
        let accepted = match text.rsplit_once("expected ") {
            Some((_, expected)) => format!("accepted: {expected}"),
            None if what == "it is missing" => "give one".to_owned(),
            None => "see the schema".to_owned(),
        };
        Error::Field { field: crate::text::line(&field, 64), what: what.to_owned(), accepted }
    })
}

/// PostgreSQL has no text with NUL in it. Said here of every field that is a text or a list of texts; of what lies deeper
/// the store says it.
fn refuse_nul(arguments: &Value) -> Result<()> {
    let holds = |value: &Value| value.as_str().is_some_and(|text| text.contains('\0'));
    let all = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(holds));
    let mut fields = arguments.as_object().into_iter().flatten();
    match fields.find(|(_, value)| holds(value) || all(value)) {
        Some((field, _)) => Err(Error::Field {
            field: crate::text::line(field, 64),
            what: "it holds a NUL".to_owned(),
            accepted: "text without NUL is accepted".to_owned(),
        }),
        None => Ok(()),
    }
}

fn parse<T: Operation>(matches: &clap::ArgMatches) -> Result<Value> {
    let operation = T::from_arg_matches(matches).map_err(|error| Error::Usage(error.to_string()))?;
    serde_json::to_value(operation).map_err(|error| Error::Bug(format!("arguments have no JSON: {error}")))
}
