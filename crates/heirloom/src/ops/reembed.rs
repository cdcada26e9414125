//! `heirloom reembed`: vectors for the memories that lack one, or another model for those that have one.
//!
//! Resumable: what was made is kept beside the memories, so whoever is stopped or killed goes on from there. Recall reads
//! the old vectors until every memory of a namespace has a new one; then they are exchanged in one transaction. No
//! connection is held while the provider works.

use clap::Args;
use heirloom_store::{Made, ModelState, Scope, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Progress};
use crate::embed::{Embedding, Patience};
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output, shared};
use crate::text::{Table, count, counted, line};

/// Arguments of `heirloom reembed`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reembed {
    /// Only this namespace (can be repeated) [default: those of the settings, else all]
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// How many texts a request carries, 1 to 2,048 [default: embedding.batch]
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Say what there is to do; ask nobody and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
    /// Exchange another model's vectors for the new ones once all are made
    #[arg(long)]
    #[serde(default)]
    pub switch: bool,
}

/// What became of a namespace.
#[derive(Debug, Serialize)]
struct Namespace {
    namespace: String,
    memories: u64,
    /// Vectors made by this call.
    made: u64,
    /// Memories whose live vector this call wrote.
    moved: u64,
    /// Memories that still lack a vector of the model.
    missing: u64,
    /// Memories the model has no vector for.
    without: u64,
    /// `done`, `missing`, `ready` (made, and another model's are live: --switch exchanges them).
    state: &'static str,
}

/// What became of all of them.
#[derive(Debug, Serialize)]
struct Answer {
    model: String,
    /// Width of the model's vectors; absent when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
    checked_only: bool,
    namespaces: Vec<Namespace>,
}

/// How often memories may change under our hands before a later run takes them in.
const ROUNDS: usize = 8;

impl Operation for Reembed {
    const NAME: &'static str = "reembed";
    const SUMMARY: &'static str = "Make missing vectors, or change the model that made them";
    const DETAIL: &'static str = "Asks the embedding provider of the settings. Memories without a vector get one. Where another \
                                  model's vectors are live, the new ones are made beside them and recall goes on with \
                                  the old; --switch exchanges them, a namespace at a time, once all are there. Stopped or \
                                  killed, it goes on where it was.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        if let Some(batch) = self.batch.filter(|batch| !(1..=2_048).contains(batch)) {
            return Err(Error::Argument {
                argument: "--batch",
                what: format!("{batch} was found"),
                accepted: "a number from 1 to 2048 is accepted".to_owned(),
            });
        }
        let Some(provider) = context.embedding().await? else {
            return Err(Error::Config {
                origin: format!("{} (embedding.provider)", context.config().origin("embedding.provider")),
                what: "none was found".to_owned(),
                accepted: "to make vectors, set it to openai-compatible or model2vec".to_owned(),
            });
        };
        let provider = provider.clone();
        let provider = match self.batch {
            Some(batch) => provider.in_batches_of(batch),
            None => provider,
        };
        let store = context.store().await?;
        let namespaces = self.chosen(context)?;
        let states = store.reembed_state(provider.model(), provider.known_width(), namespaces.as_deref()).await?;
        let mut answer = Answer {
            model: provider.model().to_owned(),
            dimension: None,
            checked_only: self.check_only,
            namespaces: Vec::new(),
        };
        if self.check_only {
            answer.namespaces = states.iter().map(|state| Namespace::of(state, 0, 0)).collect();
            return answer.output();
        }
        if states.iter().any(|state| state.missing > 0 || state.waits()) {
            let work = Work::new(context, &store, &provider, self.switch).await?;
            for state in states {
                answer.namespaces.push(work.namespace(state).await?);
            }
            answer.dimension = Some(work.width);
            let done: Vec<String> =
                answer.namespaces.iter().filter(|one| one.moved > 0).map(|one| one.namespace.clone()).collect();
            if !done.is_empty() {
                // A new model gets its centre.
                let kept = store.upkeep(Some(&done)).await?;
                kept.graphs_spilled.iter().for_each(|spilled| tracing::warn!("{spilled}"));
            }
        } else {
            answer.namespaces = states.iter().map(|state| Namespace::of(state, 0, 0)).collect();
        }
        answer.output()
    }
}

impl Reembed {
    /// The namespaces of the call, of the settings, or all of the store.
    fn chosen(&self, context: &Context) -> Result<Option<Vec<String>>> {
        if self.namespaces.is_empty() && context.config().caller.namespaces.is_empty() {
            return Ok(None);
        }
        Ok(Some(shared::scope(context, &self.namespaces)?.namespaces().to_vec()))
    }
}

/// One run of the provider over the store.
struct Work<'a> {
    context: &'a Context,
    store: &'a Store,
    provider: &'a Embedding,
    width: usize,
    switch: bool,
}

impl<'a> Work<'a> {
    /// Asks the provider how wide its vectors are, which also shows that it is there.
    async fn new(context: &'a Context, store: &'a Store, provider: &'a Embedding, switch: bool) -> Result<Self> {
        let width = provider.width(store.meta().dimension).await?;
        Ok(Self { context, store, provider, width, switch })
    }

    async fn namespace(&self, before: ModelState) -> Result<Namespace> {
        let (model, name) = (self.provider.model(), before.namespace);
        let only = [name.clone()];
        let scope = Scope::new(&only)?;
        let actor = &self.context.config().caller.actor;
        let scope = if actor.is_empty() { scope } else { scope.by(actor)? };
        let (mut made, mut moved) = (0, 0);
        for _ in 0..ROUNDS {
            made += self.fill(&name, before.memories).await?;
            let Some(state) = self.store.reembed_state(model, Some(self.width), Some(&only)).await?.pop() else {
                break;
            };
            // Where no other model's vector is live there is nothing to exchange.
            let exchange = state.waits() && (self.switch || state.others == 0);
            if state.missing == 0 && !exchange {
                break;
            }
            if state.missing > 0 {
                continue;
            }
            if let Some(count) = self.store.reembed_switch(&scope, &name, model, self.width).await? {
                moved += count;
                break;
            }
        }
        let after = self.store.reembed_state(model, Some(self.width), Some(&only)).await?.pop();
        let empty = || ModelState {
            namespace: name.clone(),
            memories: 0,
            live: 0,
            others: 0,
            beside: 0,
            without: 0,
            missing: 0,
            to_empty: 0,
        };
        Ok(Namespace::of(&after.unwrap_or_else(empty), made, moved))
    }

    /// Makes what is missing in a namespace, in the order of the ids.
    async fn fill(&self, namespace: &str, memories: u64) -> Result<u64> {
        let (model, limit) = (self.provider.model(), self.provider.batch());
        let (mut after, mut made) = (None, 0);
        loop {
            if self.context.cancel().is_cancelled() {
                return Err(Error::Interrupted);
            }
            let due = self.store.reembed_due(namespace, model, self.width, after, limit).await?;
            let Some(last) = due.last() else { return Ok(made) };
            after = Some(last.id);
            let (mut texts, mut rest) = (Vec::with_capacity(due.len()), Vec::with_capacity(due.len()));
            for due in due {
                texts.push(due.text);
                rest.push((due.id, due.sha256));
            }
            // Whoever waits for a slow provider can still be asked to stop: what was made before is kept.
            let vectors = tokio::select! {
                vectors = self.provider.many(&texts, self.store.meta().dimension, Patience::Bulk) => vectors?,
                () = self.context.cancel().cancelled() => return Err(Error::Interrupted),
            };
            self.provider.expect_width(&vectors, self.width)?;
            let vectors: Vec<Made> =
                rest.into_iter().zip(vectors).map(|((id, sha256), embedding)| Made { id, sha256, embedding }).collect();
            self.store.reembed_keep(namespace, model, &vectors).await?;
            made += vectors.len() as u64;
            let label = namespace.to_owned();
            self.context.watch().progress(&Progress { label, done: made, total: memories, rejected: 0 });
        }
    }
}

impl Namespace {
    fn of(state: &ModelState, made: u64, moved: u64) -> Self {
        Self {
            namespace: state.namespace.clone(),
            memories: state.memories,
            made,
            moved,
            missing: state.missing,
            without: state.without,
            state: match state {
                state if state.missing > 0 => "missing",
                state if state.waits() => "ready",
                _ => "done",
            },
        }
    }
}

impl Answer {
    fn output(self) -> Result<Output> {
        let mut table = Table::new(&["namespace", ">memories", ">made", ">missing", "state"]);
        for one in &self.namespaces {
            table.row([
                line(&one.namespace, 32),
                count(one.memories),
                count(one.made),
                count(one.missing),
                one.state.to_owned(),
            ]);
        }
        let mut text = format!("Model {}\n\n", line(&self.model, 70));
        if self.namespaces.is_empty() {
            text.push_str("There are no memories to embed.\n");
        } else {
            text.push_str(&table.render());
        }
        let of = |state: &str| self.namespaces.iter().filter(|one| one.state == state).count() as u64;
        let without: u64 = self.namespaces.iter().map(|one| one.without).sum();
        if without > 0 {
            let memories = if without == 1 { "memory".to_owned() } else { "memories".to_owned() };
            let sentence = format!("\nThe model has no vector for {} {memories}; words find them.", count(without));
            text.push_str(&shared::wrapped(&sentence));
        }
        if of("ready") > 0 {
            let what = format!(
                "\nReady in {}, where recall still goes by another model's vectors.",
                counted(of("ready"), "namespace")
            );
            text.push_str(&shared::wrapped(&what));
            text.push_str("Next: `heirloom reembed --switch`, then name the model in the settings\n");
        }
        if of("missing") > 0 {
            let next = if self.checked_only { "Next: `heirloom reembed`." } else { "Written meanwhile; run it again." };
            text.push_str(&format!("\n{next}\n"));
        }
        // A check reports; a run that left something undone says so.
        let holds = self.checked_only || of("missing") == 0;
        Ok(Output::new(&self, text)?.holding(holds))
    }
}
