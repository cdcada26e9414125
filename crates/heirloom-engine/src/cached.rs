//! Statements that are asked again and again: each is parsed once a connection, and planned anew only while that pays.
//!
//! Deliberately absent: statements of the moment, which would fill the cache, and databases that are not ours: between us and
//! a source may stand a pooler that gives each transaction another connection.

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

/// A connection of a store, or a transaction on it, that remembers what it has parsed.
pub trait Cached {
    /// The rows of a statement.
    ///
    /// # Errors
    /// The database's refusal.
    fn query_cached(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// The only row of a statement.
    ///
    /// # Errors
    /// The database's refusal, or another number of rows.
    fn query_one_cached(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<Row, Error>> + Send;

    /// The row of a statement, where there is one.
    ///
    /// # Errors
    /// The database's refusal, or more rows than one.
    fn query_opt_cached(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send;

    /// How many rows a statement wrote.
    ///
    /// # Errors
    /// The database's refusal.
    fn execute_cached(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}

impl<C: GenericClient + Sync> Cached for C {
    async fn query_cached(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        self.query(&self.prepare_cached(sql).await?, values).await
    }

    async fn query_one_cached(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
        self.query_one(&self.prepare_cached(sql).await?, values).await
    }

    async fn query_opt_cached(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Error> {
        self.query_opt(&self.prepare_cached(sql).await?, values).await
    }

    async fn execute_cached(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        self.execute(&self.prepare_cached(sql).await?, values).await
    }
}
