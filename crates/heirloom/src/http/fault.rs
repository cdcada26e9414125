//! How a door says no: one value, worn in the shape of the door it leaves by.
//!
//! Statuses come from `explain`. No fault holds SQL, content or a credential; what is ours alone is logged by its code
//! and told as "internal".

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::explain;

/// Seconds after which a standby may have become the primary.
const PROMOTION: u64 = 30;

/// The form of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// RFC 9457, `application/problem+json`.
    Problem,
    /// The memory plugin's `{code, message}`.
    Plugin,
    /// The platform's `{error}`.
    Workspace,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The status.
    pub status: StatusCode,
    /// A stable name: one of `explain::CASES`, or one of HTTP's own.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// The field of the request it is about.
    pub field: Option<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u64>,
}

impl Fault {
    /// A refusal that HTTP itself gives a reason for.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, hints: Vec::new(), retry_after: None }
    }

    /// 400, with the field.
    pub fn bad(field: &str, message: impl Into<String>) -> Self {
        let fault = Self::new(StatusCode::BAD_REQUEST, "invalid-value", message);
        Self { field: Some(field.to_owned()).filter(|field| !field.is_empty()), ..fault }
    }

    /// 404 for a place that is not there.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-route", "no route")
    }

    /// 401.
    pub fn unauthorised(message: &str) -> Self {
        let fault = Self::new(StatusCode::UNAUTHORIZED, "unauthorised", message);
        let hint = "send `Authorization: Bearer TOKEN`; `heirloom token create` makes one";
        Self { hints: vec![hint.to_owned()], ..fault }
    }

    /// 405, or 404 where the door says so.
    pub fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "method not allowed")
    }

    /// The answer in a door's form.
    pub fn answer(self, shape: Shape) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let (kind, body) = match shape {
            Shape::Problem => ("application/problem+json", self.problem()),
            Shape::Plugin => ("application/json", self.plugin()),
            Shape::Workspace => ("application/json", self.workspace()),
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        (self.status, headers, format!("{body}\n")).into_response()
    }

    fn problem(&self) -> Value {
        let mut problem = Map::new();
        problem.insert("type".to_owned(), json!(format!("urn:heirloom:error:{}", self.code)));
        problem.insert("title".to_owned(), json!(self.status.canonical_reason().unwrap_or("Error")));
        problem.insert("status".to_owned(), json!(self.status.as_u16()));
        problem.insert("code".to_owned(), json!(self.code));
        problem.insert("detail".to_owned(), json!(self.message));
        if let Some(field) = &self.field {
            problem.insert("field".to_owned(), json!(field));
        }
        if !self.hints.is_empty() {
            problem.insert("hints".to_owned(), json!(self.hints));
        }
        Value::Object(problem)
    }

    fn plugin(&self) -> Value {
        match &self.field {
            Some(field) => json!({
                "code": self.plugin_code(), "message": self.message, "details": { "field": field },
            }),
            None => json!({ "code": self.plugin_code(), "message": self.message }),
        }
    }

    /// The five codes the plugin's contract knows.
    fn plugin_code(&self) -> &'static str {
        match self.status.as_u16() {
            401 | 403 => "forbidden",
            404 => "not_found",
            429 | 502..=504 => "unavailable",
            500.. => "internal",
            _ => "bad_request",
        }
    }

    fn workspace(&self) -> Value {
        match self.retry_after {
            Some(seconds) if self.status == StatusCode::TOO_MANY_REQUESTS => {
                json!({ "error": self.message, "retry_after": seconds })
            }
            _ if self.status == StatusCode::SERVICE_UNAVAILABLE => {
                json!({ "error": self.message, "code": "platform_unavailable" })
            }
            _ => json!({ "error": self.message }),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let case = explain::case(&error);
        let status = StatusCode::from_u16(explain::status(&case)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let read_only = case == explain::DATABASE_READ_ONLY;
        let soon = if read_only { PROMOTION } else { 1 };
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(soon);
        if status.is_server_error() {
            // The words of a server's refusal stay here: they may name hosts, roles and tables.
            tracing::warn!(code = case.code, error = %error, "a request failed");
            let message = match retry_after {
                Some(_) if read_only => {
                    "the database of this server takes no writes: it is a read-only standby, or its login may only read"
                }
                Some(_) => "the memory store cannot answer now; ask again in a moment",
                None => "internal error; the log of the server has its code",
            };
            // For `/api/v1`, whose form alone shows hints; the other doors take no such header.
            let again = match read_only {
                true => "send it to a server on the primary; what only reads is answered here".to_owned(),
                false => "a write may be sent again under its id or its Idempotency-Key".to_owned(),
            };
            let hints = retry_after.map(|_| again).into_iter().collect();
            return Self { retry_after, hints, ..Self::new(status, case.code, message) };
        }
        let explained = explain::explain_field(&error);
        Self {
            status,
            code: case.code,
            message: explained.message,
            field: explain::field(&error).map(str::to_owned),
            // A hint of the command line helps a person, and is of no use to a program; it costs little.
            hints: explained.hints,
            retry_after,
        }
    }
}

impl From<heirloom_store::StoreError> for Fault {
    fn from(error: heirloom_store::StoreError) -> Self {
        Error::from(error).into()
    }
}
