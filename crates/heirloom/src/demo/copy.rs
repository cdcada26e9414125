//! Writing rows by text COPY: one stream a table, so that thousands of rows take a fraction of a second.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::Transaction;

/// Lines in PostgreSQL's text COPY form.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    fresh: bool,
}

impl Lines {
    /// No lines yet.
    pub(super) fn new() -> Self {
        Self { text: String::new(), fresh: true }
    }

    /// Adds a field; `None` is SQL NULL.
    pub(super) fn field(&mut self, value: Option<&str>) -> &mut Self {
        if !self.fresh {
            self.text.push('\t');
        }
        self.fresh = false;
        let Some(value) = value else {
            self.text.push_str("\\N");
            return self;
        };
        for c in value.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{b}' => self.text.push_str("\\v"),
                '\u{c}' => self.text.push_str("\\f"),
                c => self.text.push(c),
            }
        }
        self
    }

    /// Adds a field in its display form; `None` is SQL NULL.
    pub(super) fn show(&mut self, value: Option<impl std::fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.field(Some(&value.to_string())),
            None => self.field(None),
        }
    }

    /// Adds a vector; `None` is SQL NULL.
    pub(super) fn vector(&mut self, value: Option<&[f32]>) -> &mut Self {
        let Some(value) = value else { return self.field(None) };
        let mut text = String::with_capacity(value.len() * 12);
        for (n, x) in value.iter().enumerate() {
            let sep = if n == 0 { '[' } else { ',' };
            // Writing to a string cannot fail; the shortest form of a float reads back to the same bits.
            let _ = write!(text, "{sep}{x}");
        }
        text.push(']');
        self.field(Some(&text))
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        self.text.push('\n');
        self.fresh = true;
    }

    /// The lines so far.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Commits what went well and rolls back what did not, at once: a transaction that is only dropped rolls back whenever
/// its connection is next used, and the embedded engine does not take kindly to being closed before that.
///
/// # Errors
/// The error of `result`, or the server's refusal to commit.
pub(super) async fn end<T>(
    transaction: deadpool_postgres::Transaction<'_>,
    result: Result<T, tokio_postgres::Error>,
) -> Result<T, tokio_postgres::Error> {
    match result {
        Ok(value) => transaction.commit().await.map(|()| value),
        Err(error) => {
            // The first error says what went wrong; a connection that cannot even roll back adds nothing to it.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Sends lines to `copy … from stdin`, and returns how many rows there were.
///
/// # Errors
/// Whatever the server says about a line.
pub(super) async fn send(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &str,
    text: String,
) -> Result<u64, tokio_postgres::Error> {
    let sink = transaction.copy_in(&format!("copy {table} ({columns}) from stdin")).await?;
    let mut sink = std::pin::pin!(sink);
    // Pieces of a megabyte: the embedded engine reads a message whole.
    let bytes = Bytes::from(text);
    for start in (0..bytes.len()).step_by(1 << 20) {
        sink.send(bytes.slice(start..bytes.len().min(start + (1 << 20)))).await?;
    }
    sink.finish().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_empty_and_backslashes_stay_apart() {
        let mut lines = Lines::new();
        lines
            .field(None)
            .field(Some(""))
            .field(Some("\\N"))
            .field(Some("a\tb\r\nc"))
            .show(Some(7))
            .vector(Some(&[0.5, -1.0]));
        lines.end();
        assert_eq!(lines.into_text(), "\\N\t\t\\\\N\ta\\tb\\r\\nc\t7\t[0.5,-1]\n");
    }
}
