//! Running an operation for a request: the same write sent twice under one Idempotency-Key happens once.
//!
//! What is kept for a key is the answer, which for every write is ids and counts. An answer that holds a secret (a new
//! token's) is never kept: there the header is refused.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use heirloom_store::Idempotent;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::App;
use super::api;
use super::fault::Fault;
use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::ops::{Op, Output, Verdict};

const HEADER: &str = "idempotency-key";

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
    let owner = match context.caller() {
        Caller::Owner(_) => Uuid::nil(),
        Caller::Token(token) => token.id,
        // What the person asked for is not replayed to a program that may see less.
        Caller::Guest(_) => Uuid::max(),
    };
    let digest: [u8; 32] = Sha256::digest(format!("{}\n{arguments}", op.name)).into();
    let store = context.store().await?;
    let stored = |error| Fault::from(Error::Store(error));
    match store.idempotent_begin(owner, key, &digest).await.map_err(stored)? {
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
        Idempotent::Fresh => match run(arguments).await {
            Ok(output) => {
                let kept = store.idempotent_finish(owner, key, &digest, Some((200, &output.json))).await;
                kept.map_err(stored)?;
                done(output)
            }
            Err(fault) => {
                // A refusal may be mended and sent again under the same key.
                store.idempotent_finish(owner, key, &digest, None).await.map_err(stored)?;
                Err(fault)
            }
        },
    }
}
