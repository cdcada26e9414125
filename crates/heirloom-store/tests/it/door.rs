//! The SQL door in tests: a session of its own, in plain text, that hears what the server says besides.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use heirloom_engine::testkit::TestDatabase;
use heirloom_store::Store;
use tokio_postgres::{AsyncMessage, NoTls, SimpleQueryMessage};

use crate::installed;

pub(crate) struct Door {
    test: TestDatabase,
    store: Store,
    session: Session,
}

enum Session {
    /// A connection past the pool, because a pooled one keeps notices to itself.
    Server { client: tokio_postgres::Client, said: Arc<Mutex<Vec<String>>> },
    /// The embedded engine has one connection and no address: its notices are not heard.
    Embedded(heirloom_engine::Client),
}

/// A refusal: SQLSTATE and message.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Door {
    pub(crate) async fn open() -> Self {
        let (test, store) = installed().await;
        let session = match test.url() {
            None => Session::Embedded(store.database().client().await.unwrap()),
            Some(url) => {
                let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                let said = Arc::new(Mutex::new(Vec::new()));
                let heard = Arc::clone(&said);
                tokio::spawn(async move {
                    let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
                    while let Some(Ok(message)) = messages.next().await {
                        if let AsyncMessage::Notice(notice) = message {
                            heard.lock().unwrap().push(format!("{}: {}", notice.severity(), notice.message()));
                        }
                    }
                });
                Session::Server { client, said }
            }
        };
        let door = Self { test, store, session };
        door.run("set timezone = 'UTC'").await;
        door
    }

    pub(crate) fn pg(&self) -> &tokio_postgres::Client {
        match &self.session {
            Session::Server { client, .. } => client,
            Session::Embedded(client) => client,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn test(&self) -> &TestDatabase {
        &self.test
    }

    /// Runs statements that must succeed.
    pub(crate) async fn run(&self, sql: &str) {
        if let Err(error) = self.pg().batch_execute(sql).await {
            panic!("{sql}\n{:?}", error.as_db_error());
        }
    }

    /// The rows of a query as text: `|` between columns, one line a row, `-` for NULL.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let messages = match self.pg().simple_query(sql).await {
            Ok(messages) => messages,
            Err(error) => panic!("{sql}\n{:?}", error.as_db_error()),
        };
        let mut rows = Vec::new();
        for message in messages {
            if let SimpleQueryMessage::Row(row) = message {
                let cells: Vec<_> = (0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect();
                rows.push(cells.join("|"));
            }
        }
        rows
    }

    /// The one row of a query.
    pub(crate) async fn row(&self, sql: &str) -> String {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0)
    }

    /// Why a statement is refused.
    pub(crate) async fn refused(&self, sql: &str) -> Refused {
        let error = match self.pg().simple_query(sql).await {
            Ok(_) => panic!("not refused: {sql}"),
            Err(error) => error,
        };
        let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
        Refused { code: error.code().code().to_owned(), message: error.message().to_owned() }
    }

    /// What the server said since the last time, warnings and notices; `None` where it is not heard.
    pub(crate) fn said(&self) -> Option<Vec<String>> {
        match &self.session {
            Session::Server { said, .. } => Some(std::mem::take(&mut said.lock().unwrap())),
            Session::Embedded(_) => None,
        }
    }

    pub(crate) async fn close(self) {
        drop(self.session);
        self.test.close().await;
    }
}

/// A unit vector of 1,024 dimensions along one axis, leaning towards the next, as SQL.
pub(crate) fn axis(at: usize, lean: f32) -> String {
    format!(
        "(select array_agg(case i when {at} then 1 when {next} then {lean} else 0 end order by i)::vector(1024) \
         from generate_series(1, 1024) i)",
        next = at + 1
    )
}
