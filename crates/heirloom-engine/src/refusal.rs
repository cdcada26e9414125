//! An error of the driver in words that can be shown: the SQLSTATE and its name always, the server's sentence only
//! where it cannot hold a value of a row, and the objects the server names. The only place that makes such words.
//!
//! Deliberately absent: the server's detail, hint, context and query, which quote rows and statements freely.

use std::error::Error as _;
use std::fmt;

use tokio_postgres::error::DbError;

/// Classes whose sentences speak of names, rights and resources. Any other (a value that cannot be cast, a key that is
/// there twice, a function that raises) may quote a row.
const SPEAKABLE: [&str; 13] = ["08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"];

/// Conditions by their names in PostgreSQL's appendix A: those that a migration or a store meets.
const CONDITIONS: &[(&str, &str)] = &[
    ("0A000", "feature_not_supported"),
    ("21000", "cardinality_violation"),
    ("22000", "data_exception"),
    ("22001", "string_data_right_truncation"),
    ("22003", "numeric_value_out_of_range"),
    ("22007", "invalid_datetime_format"),
    ("22008", "datetime_field_overflow"),
    ("22012", "division_by_zero"),
    ("22021", "character_not_in_repertoire"),
    ("22023", "invalid_parameter_value"),
    ("22030", "duplicate_json_object_key_value"),
    ("22P02", "invalid_text_representation"),
    ("22P03", "invalid_binary_representation"),
    ("22P04", "bad_copy_file_format"),
    ("22P05", "untranslatable_character"),
    ("23001", "restrict_violation"),
    ("23502", "not_null_violation"),
    ("23503", "foreign_key_violation"),
    ("23505", "unique_violation"),
    ("23514", "check_violation"),
    ("23P01", "exclusion_violation"),
    ("25001", "active_sql_transaction"),
    ("25006", "read_only_sql_transaction"),
    ("25P02", "in_failed_sql_transaction"),
    ("25P03", "idle_in_transaction_session_timeout"),
    ("25P04", "transaction_timeout"),
    ("28000", "invalid_authorization_specification"),
    ("28P01", "invalid_password"),
    ("3D000", "invalid_catalog_name"),
    ("3F000", "invalid_schema_name"),
    ("40001", "serialization_failure"),
    ("40P01", "deadlock_detected"),
    ("42501", "insufficient_privilege"),
    ("42601", "syntax_error"),
    ("42703", "undefined_column"),
    ("42704", "undefined_object"),
    ("42710", "duplicate_object"),
    ("42804", "datatype_mismatch"),
    ("42883", "undefined_function"),
    ("42P01", "undefined_table"),
    ("42P06", "duplicate_schema"),
    ("42P07", "duplicate_table"),
    ("44000", "with_check_option_violation"),
    ("53100", "disk_full"),
    ("53200", "out_of_memory"),
    ("53300", "too_many_connections"),
    ("53400", "configuration_limit_exceeded"),
    ("54000", "program_limit_exceeded"),
    ("55000", "object_not_in_prerequisite_state"),
    ("55006", "object_in_use"),
    ("55P03", "lock_not_available"),
    ("57014", "query_canceled"),
    ("57P01", "admin_shutdown"),
    ("57P02", "crash_shutdown"),
    ("57P03", "cannot_connect_now"),
    ("57P04", "database_dropped"),
    ("57P05", "idle_session_timeout"),
    ("58000", "system_error"),
    ("58030", "io_error"),
    ("58P01", "undefined_file"),
    ("P0001", "raise_exception"),
    ("XX000", "internal_error"),
    ("XX001", "data_corrupted"),
    ("XX002", "index_corrupted"),
];

/// Classes, for a condition that has no line above.
const CLASSES: &[(&str, &str)] = &[
    ("08", "connection_exception"),
    ("21", "cardinality_violation"),
    ("22", "data_exception"),
    ("23", "integrity_constraint_violation"),
    ("25", "invalid_transaction_state"),
    ("26", "invalid_sql_statement_name"),
    ("28", "invalid_authorization_specification"),
    ("38", "external_routine_exception"),
    ("39", "external_routine_invocation_exception"),
    ("40", "transaction_rollback"),
    ("42", "syntax_error_or_access_rule_violation"),
    ("53", "insufficient_resources"),
    ("54", "program_limit_exceeded"),
    ("55", "object_not_in_prerequisite_state"),
    ("57", "operator_intervention"),
    ("58", "system_error"),
    ("F0", "config_file_error"),
    ("HV", "fdw_error"),
    ("P0", "plpgsql_error"),
    ("XX", "internal_error"),
];

/// What kind of trouble it is, as far as what to do about it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The connection ended, or the server shuts down.
    Lost,
    /// Another session holds what is needed, or won.
    Contended,
    /// The server ended the statement: a timeout, or somebody.
    Cancelled,
    /// The disk of the server is full.
    DiskFull,
    /// Memory, connections or another limit of the server.
    Resources,
    /// The session may only read.
    ReadOnly,
    /// A right is missing.
    Rights,
    /// User, password or database name.
    Login,
    /// A table, column, function or schema is not there.
    Undefined,
    /// A value broke a rule: class 22, 23, 54, or a trigger raised.
    Value,
    /// The server's files are damaged or cannot be read.
    Damaged,
    /// Anything else.
    Other,
}

/// An error of the driver, without anything that may be content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SQLSTATE, when it was the server that refused.
    pub code: Option<String>,
    /// What kind of trouble it is.
    pub trouble: Trouble,
    words: String,
}

impl Refusal {
    /// Reads an error of the driver.
    pub fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) => {
                let code = db.code().code();
                Self { code: Some(code.to_owned()), trouble: trouble(code), words: words(db) }
            }
            None => Self { code: None, trouble: local_trouble(error), words: local_words(error) },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// The name of a condition; that of its class where it has no line here.
pub fn condition(code: &str) -> &'static str {
    let find = |list: &[(&str, &'static str)], key: &str| list.iter().find(|(at, _)| *at == key).map(|(_, name)| *name);
    find(CONDITIONS, code).or_else(|| find(CLASSES, code.get(..2).unwrap_or_default())).unwrap_or("unknown_condition")
}

fn words(db: &DbError) -> String {
    let code = db.code().code();
    let mut said = vec![format!("SQLSTATE {code}, {}", condition(code))];
    match (db.schema(), db.table()) {
        (Some(schema), Some(table)) => said.push(format!("table {schema}.{table}")),
        (Some(schema), None) => said.push(format!("schema {schema}")),
        (None, Some(table)) => said.push(format!("table {table}")),
        (None, None) => {}
    }
    let named = [("column", db.column()), ("type", db.datatype()), ("constraint", db.constraint())];
    said.extend(named.into_iter().filter_map(|(what, name)| name.map(|name| format!("{what} {name}"))));
    let said = said.join(", ");
    if SPEAKABLE.contains(&code.get(..2).unwrap_or_default()) {
        format!("{} ({said})", db.message())
    } else {
        format!("{said}; the server's sentence is left out, it may quote a row")
    }
}

/// The driver's words. Of the causes only the network's: one that speaks of a value could quote it.
fn local_words(error: &tokio_postgres::Error) -> String {
    match error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn local_trouble(error: &tokio_postgres::Error) -> Trouble {
    let is_network = error.source().is_some_and(|cause| cause.downcast_ref::<std::io::Error>().is_some());
    if error.is_closed() || is_network { Trouble::Lost } else { Trouble::Other }
}

fn trouble(code: &str) -> Trouble {
    match (code, code.get(..2).unwrap_or_default()) {
        ("42501", _) => Trouble::Rights,
        ("25006", _) => Trouble::ReadOnly,
        ("53100", _) => Trouble::DiskFull,
        ("57014" | "25P04", _) => Trouble::Cancelled,
        ("25P03", _) | (_, "08" | "57") => Trouble::Lost,
        ("55P03" | "55006", _) | (_, "40") => Trouble::Contended,
        ("42P01" | "42703" | "42704" | "42883", _) | (_, "3F") => Trouble::Undefined,
        ("58030" | "58P01" | "58P02" | "XX001" | "XX002", _) => Trouble::Damaged,
        (_, "28" | "3D") => Trouble::Login,
        (_, "53") => Trouble::Resources,
        ("P0001", _) | (_, "21" | "22" | "23" | "44" | "54") => Trouble::Value,
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_without_a_line_has_the_name_of_its_class() {
        assert_eq!(condition("42501"), "insufficient_privilege");
        assert_eq!(condition("22019"), "data_exception");
        assert_eq!(condition("ZZ999"), "unknown_condition");
    }

    #[test]
    fn what_to_do_differs_by_class_and_by_condition() {
        for (code, expected) in [
            ("42501", Trouble::Rights),
            ("42P01", Trouble::Undefined),
            ("42601", Trouble::Other),
            ("53100", Trouble::DiskFull),
            ("53300", Trouble::Resources),
            ("57P01", Trouble::Lost),
            ("57014", Trouble::Cancelled),
            ("55P03", Trouble::Contended),
            ("40P01", Trouble::Contended),
            ("25006", Trouble::ReadOnly),
            ("23505", Trouble::Value),
            ("28P01", Trouble::Login),
            ("XX001", Trouble::Damaged),
        ] {
            assert_eq!(trouble(code), expected, "{code}");
        }
    }
}
