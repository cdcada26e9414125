//! Who may read whose rows: asked of every tenant before anything of any moves.
//!
//! Servers are told apart by what they say of themselves, not by how a URL spells them: `localhost`, an address and a name are
//! one, and so are two ports of one pooler. A server that does not say goes by its URL.
//!
//! A credential that two tenants share, a superuser and a role that bypasses row-level security are refused unless the tenants
//! file lets them pass by name. Then each tenant's own connection is asked which other tenant's role may read its table, and
//! each that may tries it: it must get no row. A tenant whose database does not answer holds nobody up: it is asked again in
//! its own step, which does not begin without an answer. The others try its rows in their own steps, each with its own
//! credential at its own server, which takes nothing of the one that is silent; where that tells nothing, they are refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heirloom_engine::{Database, Location};
use heirloom_migrate::MigrateError;
use heirloom_migrate::fleet::credential::{self, Credential};
use heirloom_migrate::fleet::probe::{self, Asked, Reader, Tried};
use heirloom_migrate::fleet::runner::{self, Ended, Limits};
use heirloom_migrate::fleet::{Allow, Line, Pulse};
use heirloom_migrate::plan::{Plan, Target};
use heirloom_migrate::source::{Postgres, Relation, Source};

use super::step::{Turn, planned};
use super::{Crew, Fleet, Item, failed, targets};
use crate::error::{Error, Result};

/// How long the slowest may keep the others waiting once they have answered; what did not answer by then is left out.
const GRACE: Duration = Duration::from_millis(900);

/// Every tenant's plan and what it passed, by position in the file; and the lines, by position among those that are meant, of
/// those that are refused before their step begins.
pub struct Gated {
    /// The plans; none of a tenant that has a line.
    plans: Vec<Option<Arc<Plan>>>,
    /// What each passed.
    passed: Vec<Passed>,
    /// Who is refused.
    given: Vec<Option<Line>>,
}

/// Reads every tenant's plan and lets it through the gate, before a step that opens both sides of it.
pub async fn gated(fleet: &Fleet) -> Gated {
    let mut unread = vec![None; fleet.items.len()];
    // One whose template changed since may be retired, where nothing hangs on the template any more: its step looks.
    let read = |(at, item): (usize, &Arc<Item>)| match item.migration().and_then(|_| item.kept_plan()) {
        Ok(plan) => Some(Arc::new(plan)),
        Err(error) => {
            unread[at] = Some(failed(Line::new(item.name()), &error));
            None
        }
    };
    let plans: Vec<Option<Arc<Plan>>> = fleet.items.iter().enumerate().map(read).collect();
    let verdicts = gate(fleet, &plans).await;
    let mut passed = vec![Passed::default(); fleet.items.len()];
    let mut given = Vec::with_capacity(verdicts.len());
    for (at, verdict) in fleet.chosen.iter().zip(verdicts) {
        given.push(match verdict {
            Ok(verdict) => {
                passed[*at] = verdict;
                unread[*at].clone()
            }
            // That there is no plan comes first.
            Err(line) => Some(unread[*at].clone().unwrap_or(*line)),
        });
        if given.last().is_some_and(Option::is_some) {
            // Its step never begins.
            drop(fleet.crew.kept.take(fleet.items[*at].name()));
        }
    }
    Gated { plans, passed, given }
}

impl Gated {
    /// Runs a step for each tenant that was let through, and gives back a line each.
    pub async fn run<F>(self, fleet: &Fleet, step: impl Fn(Turn) -> F) -> Vec<Line>
    where
        F: Future<Output = Result<Line>> + Send + 'static,
    {
        self.run_unless(fleet, |_| None, step).await
    }

    /// The same, where a tenant does not begin while there is a reason to wait. Its line says why; it holds no connection
    /// meanwhile, and others overtake it.
    pub async fn run_unless<F>(
        mut self,
        fleet: &Fleet,
        reason: impl Fn(&Item) -> Option<String>,
        step: impl Fn(Turn) -> F,
    ) -> Vec<Line>
    where
        F: Future<Output = Result<Line>> + Send + 'static,
    {
        let given = std::mem::take(&mut self.given);
        let mut told = HashSet::new();
        let held = |at: usize| {
            let item = &fleet.items[at];
            let Some(reason) = reason(item) else { return false };
            if told.insert(at) {
                drop(fleet.crew.kept.take(item.name()));
                let line = self.plans[at].as_deref().map_or_else(|| Line::new(item.name()), |plan| planned(item, plan));
                fleet.crew.waiting(&line, 0, &reason, true);
            }
            true
        };
        fleet
            .run_unless(given, held, |item, crew, pulse, at| {
                let begun = self.turn(item, crew, pulse, at).map(&step);
                async move { Box::pin(begun?).await }
            })
            .await
    }

    /// What a tenant's step begins with.
    fn turn(&self, item: Arc<Item>, crew: Arc<Crew>, pulse: Pulse, at: usize) -> Result<Turn> {
        let plan = self.plans[at].clone().ok_or_else(|| Error::Bug("a tenant without a plan was begun".to_owned()))?;
        let place = crew.targets.place(item.target()?)?;
        Ok(Turn { item, crew, pulse, place, plan, passed: self.passed[at].clone() })
    }
}

/// What a tenant passed.
#[derive(Clone, Default)]
pub struct Passed {
    /// Others whose rows it could not read.
    pub probed: Option<u64>,
    /// Why something was not found out.
    pub notes: Vec<String>,
    /// Its own database has yet to say who it is, or it has yet to be tried on one that said nothing.
    late: Option<(Arc<Gate>, usize)>,
}

/// What is known of all tenants.
struct Gate {
    items: Vec<Arc<Item>>,
    plans: Vec<Option<Arc<Plan>>>,
    sources: Vec<Option<Credential>>,
    rows: Vec<Rows>,
    asked: Answers,
    crew: Arc<Crew>,
}

/// Where a tenant's rows lie.
enum Rows {
    /// At a server, as its reference says, else its plan.
    At(Credential),
    /// In a file, or beside the store: nobody has a credential for them.
    Apart,
    /// Its reference stands for nothing, and it has no plan.
    Unknown,
}

impl Rows {
    fn of(item: &Item, plan: Option<&Plan>, credential: Option<&Credential>) -> Self {
        match (credential, item.source_url(), plan) {
            (Some(credential), _, _) => Self::At(credential.clone()),
            (None, Ok(_), _) => Self::Apart,
            (None, Err(_), Some(plan)) => Credential::of(&plan.source.display).map_or(Self::Apart, Self::At),
            (None, Err(_), None) => Self::Unknown,
        }
    }
}

/// Judges every tenant that is meant: what it passed, or the line it fails with. `plans` are by position in the file.
async fn gate(fleet: &Fleet, plans: &[Option<Arc<Plan>>]) -> Vec<std::result::Result<Passed, Box<Line>>> {
    let sources: Vec<Option<Credential>> = fleet.items.iter().map(|item| item.source_credential()).collect();
    let writers: Vec<Option<Credential>> = fleet.items.iter().map(|item| item.target_credential()).collect();
    let homes = homes(plans);
    let lie = |at: usize| Rows::of(&fleet.items[at], plans[at].as_deref(), sources[at].as_ref());
    let gate = Arc::new(Gate {
        rows: (0..fleet.items.len()).map(lie).collect(),
        items: fleet.items.clone(),
        plans: plans.to_vec(),
        asked: ask(fleet, plans, &sources).await,
        sources,
        crew: Arc::clone(&fleet.crew),
    });
    let read_at = |at: usize| gate.system(at).map(ToOwned::to_owned);
    let written_at = |at: usize| plans[at].as_ref().and_then(|plan| plan.target.store_id).map(|id| id.to_string());
    let (reading, writing) = (shared(&gate.sources, read_at), shared(&writers, written_at));
    let step = |nth: usize, pulse: Pulse| {
        let at = fleet.chosen[nth];
        let item = &fleet.items[at];
        let apart = shares(fleet, item, reading[at], Allow::SharedSource, "reads its source")
            .and_then(|()| shares(fleet, item, writing[at], Allow::SharedTarget, "writes"))
            .and_then(|()| alone(fleet, item, plans[at].as_deref(), at, &homes))
            .and_then(|()| roles(item, plans[at].as_deref()));
        let gate = Arc::clone(&gate);
        async move {
            apart?;
            gate.pass(at, &pulse).await
        }
    };
    let ended = runner::run(fleet.chosen.len(), fleet.limits, &fleet.crew.stop, step, |_, _| {}).await;
    let verdicts = fleet.chosen.iter().zip(ended).map(|(&at, end)| match end {
        Ended::Done(Ok(passed)) => Ok(passed),
        Ended::Done(Err(error)) => {
            let item = &fleet.items[at];
            let line = plans[at].as_deref().map_or_else(|| Line::new(item.name()), |plan| planned(item, plan));
            Err(Box::new(failed(line, &error)))
        }
        lost => Err(Box::new(fleet.lost(at, &lost))),
    });
    verdicts.collect()
}

impl Passed {
    /// Asks a tenant whose database did not answer in time once more, and tries one on those that did not answer, in its own
    /// step, where it keeps nobody waiting: who it is, is said by its source, which is open there.
    ///
    /// # Errors
    /// When it still does not answer, and as [`gate`] refuses.
    pub(super) async fn settled(self, source: &dyn Source, pulse: &Pulse) -> Result<Self> {
        let Some((gate, at)) = &self.late else { return Ok(self) };
        let (relation, _) = gate.relation(*at);
        gate.judge(*at, &Reader::from(&source.identity(&relation).await?), pulse).await
    }

    /// Says in a tenant's line what it passed.
    pub(super) fn tell(self, line: &mut Line) {
        line.probed = self.probed;
        line.notes = self.notes;
    }
}

/// For each of several credentials, the first other one that is the same: by its URL, or as the same user at one place,
/// whatever the URLs call that.
fn shared(credentials: &[Option<Credential>], place: impl Fn(usize) -> Option<String>) -> Vec<Option<usize>> {
    let mut users: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (at, one) in credentials.iter().enumerate() {
        if let (Some(one), Some(place)) = (one, place(at)) {
            users.entry((one.user(), place)).or_default().push(at);
        }
    }
    let mut shared = credential::shared(credentials);
    for together in users.values() {
        for at in together {
            let other = together.iter().copied().find(|other| other != at);
            shared[*at] = shared[*at].or(other);
        }
    }
    shared
}

impl Gate {
    /// The server that a tenant reads from, by its own account.
    fn system(&self, at: usize) -> Option<&str> {
        self.answer(at)?.system.as_deref()
    }

    /// Whether two tenants read from one server: by its own account, else by their URLs, where these are the same. `None`
    /// where one does not say and their URLs differ.
    fn one_server(&self, at: usize, mine: &Credential, other: usize, theirs: &Credential) -> Option<bool> {
        match (self.system(at), self.system(other)) {
            (Some(one), Some(other)) => Some(one == other),
            _ => (mine.server() == theirs.server()).then_some(true),
        }
    }

    /// What another tenant's own connection said; `None` of one that gave no answer.
    fn answer(&self, other: usize) -> Option<&Asked> {
        self.asked.get(&other)?.as_ref().ok()
    }

    async fn pass(self: &Arc<Self>, at: usize, pulse: &Pulse) -> Result<Passed> {
        let silent =
            |other: &usize| *other != at && matches!(self.rows[*other], Rows::At(_)) && self.answer(*other).is_none();
        match (&self.sources[at], self.answer(at)) {
            // A file's, the target's own connection: nobody was given a credential.
            (None, _) => Ok(Passed::default()),
            (Some(_), Some(said)) if !(0..self.rows.len()).any(|other| silent(&other)) => {
                self.judge(at, &said.me, pulse).await
            }
            (Some(_), _) => Ok(Passed { late: Some((Arc::clone(self), at)), ..Passed::default() }),
        }
    }

    async fn judge(&self, at: usize, me: &Reader, pulse: &Pulse) -> Result<Passed> {
        role(&self.items[at], "reads the source", me)?;
        self.tried(at, me, pulse).await
    }

    /// Lets one tenant try to read every other whose table it may read by its rights.
    async fn tried(&self, at: usize, me: &Reader, pulse: &Pulse) -> Result<Passed> {
        let item = &self.items[at];
        let Some(mine) = &self.sources[at] else { return Ok(Passed::default()) };
        // Who was let pass as one of these reads the others by nature.
        if me.superuser || me.bypass_rls || item.allows(Allow::ReadsOthers) {
            return Ok(Passed::default());
        }
        let (mut probed, mut unknown) = (0, Vec::new());
        // By database, so that each is opened once; and whether it is surely there that the rows lie.
        let mut doors: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
        for other in (0..self.items.len()).filter(|other| *other != at) {
            let theirs = match &self.rows[other] {
                Rows::Apart => continue,
                Rows::Unknown => {
                    unknown.push((
                        other,
                        "its source is not given and it has no plan, so nobody knows where they lie".to_owned(),
                    ));
                    continue;
                }
                Rows::At(credential) => credential,
            };
            let (together, answer) = (self.one_server(at, mine, other, theirs), self.answer(other));
            if theirs.user() == mine.user() && together == Some(true) {
                // Let pass by `shared-source`: the same role.
                continue;
            }
            let alike = theirs.database() == mine.database() && self.relation(at) == self.relation(other);
            match (together, answer) {
                // Another server, and another credential: it was never given this one.
                (Some(false), _) => probed += 1,
                (_, Some(answer)) if !answer.readers.iter().any(|role| role == mine.user()) => probed += 1,
                // Its URL says another server. What can be tried here are its own rows, or what is called the same.
                (None, _) if alike || theirs.user() == mine.user() => probed += 1,
                (Some(true), None) if alike && !is_fixed(&self.relation(at)) => {
                    unknown.push((
                        other,
                        "it gave no answer, and what names them names other rows for another role".to_owned(),
                    ));
                }
                _ => doors.entry(theirs.database()).or_default().push((other, together == Some(true))),
            }
        }
        // It may have let in as many of this role as it does.
        if !doors.is_empty() {
            drop(self.crew.kept.take(item.name()));
        }
        for (database, others) in doors {
            let rows: Vec<_> = others.iter().map(|(other, _)| self.relation(*other)).collect();
            let mut sign = || pulse.beat();
            let tried =
                probe::try_read(item.source_url()?, database, &rows, self.crew.connect_timeout, &mut sign).await;
            for (((other, surely), rows), tried) in others.iter().zip(&rows).zip(tried) {
                let name = self.items[*other].name();
                match tried {
                    Tried::Refused | Tried::Nothing => probed += 1,
                    Tried::Read => {
                        return refuse(
                            format!("The role {} of {} can read rows of {name}", mine.user(), item.name()),
                            format!(
                                "revoke what it may read there, or write allow = [\"{}\"] for it",
                                Allow::ReadsOthers.word()
                            ),
                        );
                    }
                    // Where there is no such table, there are no rows.
                    Tried::Absent(_) if is_fixed(rows) => probed += 1,
                    // Its URL says another server, and here nothing says otherwise.
                    Tried::Absent(_) | Tried::Unclear(_) if !surely => probed += 1,
                    Tried::Absent(why) | Tried::Unclear(why) => unknown.push((*other, why)),
                }
            }
        }
        let mut passed = Passed { probed: Some(probed), ..Passed::default() };
        if let [(first, why), rest @ ..] = unknown.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let rows = format!("rows of {}{more} is not known: {why}", self.items[*first].name());
            if !item.allows(Allow::UntriedOthers) {
                return refuse(
                    format!("Whether the role {} of {} can read {rows}", mine.user(), item.name()),
                    format!("mend that, or write allow = [\"{}\"] for it", Allow::UntriedOthers.word()),
                );
            }
            passed.notes.push(format!("whether it can read {rows}"));
        }
        Ok(passed)
    }

    fn relation(&self, at: usize) -> (Relation, String) {
        relation(&self.items[at], self.plans[at].as_deref())
    }
}

/// Whether a relation is the same one whoever names it: a table with its schema.
fn is_fixed((relation, qualified): &(Relation, String)) -> bool {
    matches!(relation, Relation::Table(_)) && qualified.contains('.')
}

/// What a plan found of the roles on both sides.
///
/// # Errors
/// [`MigrateError::Refused`] for a superuser or a role that bypasses row-level security and is not let pass.
pub(super) fn roles(item: &Item, plan: Option<&Plan>) -> Result<()> {
    let Some(plan) = plan else { return Ok(()) };
    if !item.reads_target() {
        role(item, "reads the source", &Reader::from(&plan.source.identity))?;
    }
    if matches!(item.target, Ok(Location::Server(_))) {
        role(item, "writes", &Reader::from(&plan.target.identity))?;
    }
    Ok(())
}

/// Who writes now. The embedded engine has one user, whom nobody but this process is.
///
/// # Errors
/// As [`roles`].
pub(super) fn store_roles(item: &Item, target: &Target, database: &Database) -> Result<()> {
    if database.is_embedded() { Ok(()) } else { role(item, "writes", &Reader::from(&target.identity)) }
}

fn role(item: &Item, does: &str, reader: &Reader) -> Result<()> {
    let (why, word) = match (reader.superuser, reader.bypass_rls) {
        (true, _) if !item.allows(Allow::Superuser) => ("is a superuser", Allow::Superuser),
        (false, true) if !item.allows(Allow::BypassRls) => ("bypasses row-level security", Allow::BypassRls),
        _ => return Ok(()),
    };
    refuse(
        format!("The role {} that {does} for {} {why}", reader.role, item.name()),
        format!("give the tenant a role that is neither, or write allow = [\"{}\"] for it", word.word()),
    )
}

fn shares(fleet: &Fleet, item: &Item, other: Option<usize>, word: Allow, does: &str) -> Result<()> {
    match other {
        Some(other) if !item.allows(word) => refuse(
            format!("{} {does} with the credential of {}", item.name(), fleet.items[other].name()),
            format!("give each tenant a role of its own, or write allow = [\"{}\"] for it", word.word()),
        ),
        _ => Ok(()),
    }
}

/// By what a plan's store is known: its place, and its id where it was there when the plan was made. A tenant planned before
/// meets one planned later at the place.
fn stores(plan: &Plan) -> impl Iterator<Item = String> {
    [Some(plan.target.display.clone()), plan.target.store_id.map(|id| id.to_string())].into_iter().flatten()
}

/// Which tenants hand rows down to which namespaces, a store each.
fn homes(plans: &[Option<Arc<Plan>>]) -> BTreeMap<(String, &str), Vec<usize>> {
    let mut homes: BTreeMap<(String, &str), Vec<usize>> = BTreeMap::new();
    for (at, plan) in plans.iter().enumerate() {
        let Some(plan) = plan else { continue };
        for store in stores(plan) {
            for home in &plan.namespaces {
                homes.entry((store.clone(), home.namespace.as_str())).or_default().push(at);
            }
        }
    }
    homes
}

fn alone(
    fleet: &Fleet,
    item: &Item,
    plan: Option<&Plan>,
    at: usize,
    homes: &BTreeMap<(String, &str), Vec<usize>>,
) -> Result<()> {
    let Some(plan) = plan.filter(|_| !item.allows(Allow::SharedNamespace)) else { return Ok(()) };
    let stores: Vec<String> = stores(plan).collect();
    for home in &plan.namespaces {
        let others = stores.iter().filter_map(|store| homes.get(&(store.clone(), home.namespace.as_str()))).flatten();
        if let Some(other) = others.copied().find(|other| *other != at) {
            return refuse(
                format!(
                    "{} and {} both hand rows down to the namespace {}",
                    item.name(),
                    fleet.items[other].name(),
                    home.namespace
                ),
                format!(
                    "give each a namespace of its own, or write allow = [\"{}\"] for it",
                    Allow::SharedNamespace.word()
                ),
            );
        }
    }
    Ok(())
}

type Answers = HashMap<usize, std::result::Result<Asked, String>>;

/// Asks every tenant who it is, where its server is, and who else may read its table: URLs do not say who lies beside whom.
async fn ask(fleet: &Fleet, plans: &[Option<Arc<Plan>>], sources: &[Option<Credential>]) -> Answers {
    let mut roles: Vec<String> = sources.iter().flatten().map(|credential| credential.user().to_owned()).collect();
    roles.sort_unstable();
    roles.dedup();
    // Who reads a file, or over the target's own connection, shares no server with anybody.
    let reads = fleet.chosen.iter().any(|at| sources[*at].is_some());
    let meant: Vec<usize> = (0..fleet.items.len()).filter(|at| reads && sources[*at].is_some()).collect();
    let timeout = fleet.crew.connect_timeout;
    // Those whose own steps begin first.
    let first = &fleet.chosen[..fleet.chosen.len().min(fleet.crew.kept.most())];
    let step = |nth: usize, pulse: Pulse| {
        let at = meant[nth];
        let item = Arc::clone(&fleet.items[at]);
        let (relation, qualified) = relation(&item, plans[at].as_deref());
        let (roles, crew) = (roles.clone(), Arc::clone(&fleet.crew));
        let goes_on = first.contains(&at);
        async move {
            pulse.knock(true);
            let url = item.source_url()?;
            let (location, options) = (Location::Server(url.to_owned()), Postgres::options());
            let shown = heirloom_engine::redact_url(url);
            let open = || targets::in_time(Database::open(&location, &options), timeout, &shown);
            let database = crew.kept.opened(open).await?;
            pulse.knock(false);
            let asked = probe::ask(&database, &relation, &qualified, &roles).await?;
            let left = if goes_on { crew.kept.keep(item.name(), database) } else { Some(database) };
            if let Some(database) = left {
                database.close().await?;
            }
            Ok::<_, Error>(asked)
        }
    };
    let limits = Limits { parallel: fleet.limits.parallel, patience: GRACE };
    let ended = runner::run(meant.len(), limits, &fleet.crew.stop, step, |_, _| {}).await;
    meant
        .iter()
        .zip(ended)
        .map(|(at, end)| {
            let answer = match end {
                Ended::Done(Ok(asked)) => Ok(asked),
                Ended::Done(Err(error)) => Err(error.to_string()),
                Ended::Silent(_) => Err("its database did not answer in time".to_owned()),
                Ended::Panicked | Ended::NotBegun => Err("it was not asked".to_owned()),
            };
            (*at, answer)
        })
        .collect()
}

/// What a tenant's rows are read from: by its plan, else by its migration file.
fn relation(item: &Item, plan: Option<&Plan>) -> (Relation, String) {
    match plan {
        Some(plan) => (plan.source.relation.clone(), plan.source.table.name.clone()),
        None => match item.migration.as_ref().map(|file| file.source.relation.value.clone()) {
            Ok(Relation::Table(name)) => (Relation::Table(name.clone()), name),
            Ok(query) => (query, String::new()),
            Err(_) => (Relation::Query("select".to_owned()), String::new()),
        },
    }
}

fn refuse<T>(what: String, cure: String) -> Result<T> {
    Err(MigrateError::Refused { what, cure }.into())
}
