//! Running an operation for a request: the same write sent twice under one Idempotency-Key happens once.
//!
//! What is kept for a key is the answer, which for every write is ids and counts. An answer that holds a secret (a new
//! token's) is never kept: there the header is refused.
//!
//! The database may go away between a write and its answer, when nobody knows whether the write was committed. So a memory
//! written under a key has an id that follows from the key, and sent again it is the same one; and a claim that could not
//! be given back is remembered here, so that the same request gets in as soon as the database is back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use heirloom_store::{Idempotent, Store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::App;
use super::api;
use super::fault::Fault;
use crate::context::Context;
use crate::explain;
use crate::ops::{Op, Output, Verdict};

const HEADER: &str = "idempotency-key";
const MOST_STRANDED: usize = 4_096;

/// A key of a caller's, for one request.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Claim {
    owner: Uuid,
    key: String,
    digest: [u8; 32],
}

/// Claims whose request has ended and that the database still holds, because it was away.
#[derive(Default)]
pub struct Stranded(Mutex<HashSet<Claim>>);

impl Stranded {
    fn add(&self, claim: &Claim) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever is left out waits until the claim has ended by itself.
        if claims.len() < MOST_STRANDED {
            claims.insert(claim.clone());
        }
    }

    fn take(&self, claim: &Claim) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(claim)
    }
}

impl Claim {
    async fn begin(&self, app: &App, store: &Store) -> Result<Idempotent, Fault> {
        let begun = store.idempotent_begin(self.owner, &self.key, &self.digest).await.map_err(Fault::from);
        // Perhaps it was committed, and only the answer was lost.
        if begun.as_ref().is_err_and(|fault| fault.code == explain::DATABASE_LOST.code) {
            app.stranded.add(self);
        }
        begun
    }

    /// Keeps the answer, or gives the claim back.
    async fn finish(&self, app: &App, store: &Store, answer: Option<&Value>) -> Result<(), Fault> {
        let answer = answer.map(|answer| (200, answer));
        let done = store.idempotent_finish(self.owner, &self.key, &self.digest, answer).await;
        if done.is_err() {
            app.stranded.add(self);
        }
        Ok(done.map(drop)?)
    }
}

/// Runs it.
pub(super) async fn run(
    app: &Arc<App>,
    op: &'static Op,
    context: &Context,
    headers: &HeaderMap,
    arguments: Value,
) -> Result<Response, Fault> {
    let done = |output| Ok(api::answer(op, context.caller(), output));
    let run =
        |arguments| async move { (op.run)(context, arguments).await.map_err(|error| api::fault(op, headers, error)) };
    let Some(key) = headers.get(HEADER).filter(|_| !op.read_only) else {
        let output = run(arguments).await?;
        if op.name.starts_with("token") {
            app.auth.forget();
        }
        return done(output);
    };
    let key = key.to_str().map_err(|_| Fault::bad("Idempotency-Key", "visible ASCII is accepted"))?;
    if op.name.starts_with("token") {
        return Err(Fault::bad("Idempotency-Key", "this answer holds a secret and is not kept; leave the header out"));
    }
    let owner = context.caller().id();
    let digest: [u8; 32] = Sha256::digest(format!("{}\n{arguments}", op.name)).into();
    let claim = Claim { owner, key: key.to_owned(), digest };
    let store = context.store().await?;
    let mut begun = claim.begin(app, &store).await?;
    if begun == Idempotent::InProgress && app.stranded.take(&claim) {
        claim.finish(app, &store, None).await?;
        begun = claim.begin(app, &store).await?;
    }
    match begun {
        Idempotent::Replay { response, .. } => {
            let mut response = done(Output { json: response, text: String::new(), verdict: Verdict::Holds })?;
            response.headers_mut().insert("idempotent-replay", axum::http::HeaderValue::from_static("true"));
            Ok(response)
        }
        Idempotent::Mismatch => {
            let message = "this key was used for another request";
            let fault = Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key", message);
            Err(Fault { field: Some("Idempotency-Key".to_owned()), ..fault })
        }
        Idempotent::InProgress => {
            let fault = Fault::new(StatusCode::CONFLICT, "idempotency-key", "the same request is at work");
            Err(Fault { retry_after: Some(1), field: Some("Idempotency-Key".to_owned()), ..fault })
        }
        Idempotent::Fresh => match run(with_id(op, &claim, arguments)).await {
            Ok(output) => {
                claim.finish(app, &store, Some(&output.json)).await?;
                done(output)
            }
            Err(fault) => {
                // A refusal may be mended and sent again under the same key. That the claim is stranded is no news to
                // whoever is refused.
                drop(claim.finish(app, &store, None).await);
                Err(fault)
            }
        },
    }
}

/// The same memory for the same request under the same key, where the caller names no id.
fn with_id(op: &Op, claim: &Claim, mut arguments: Value) -> Value {
    if op.name == "remember"
        && let Some(fields) = arguments.as_object_mut()
        && fields.get("id").is_none_or(Value::is_null)
    {
        let name = [claim.digest.as_slice(), claim.key.as_bytes()].concat();
        fields.insert("id".to_owned(), json!(Uuid::new_v5(&claim.owner, &name)));
    }
    arguments
}
