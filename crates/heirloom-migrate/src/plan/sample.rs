//! Up to three rows before and after: an ordinary one, an odd one, and one that is set aside.

use serde_json::{Map, Value as Json};

use super::{Sample, memory_text, shown};
use crate::canon::FIELDS;
use crate::mapping::{Mapped, Reject};
use crate::source::Table;
use crate::value::SourceRow;

/// Keeps the first row of each sort.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    ordinary: Option<Sample>,
    odd: Option<Sample>,
    reject: Option<Sample>,
}

impl Samples {
    /// Takes in one row and what became of it. Odd is a row that something is noted of.
    pub(crate) fn observe(&mut self, table: &Table, row: &SourceRow, result: &Result<Mapped, Reject>) {
        let place = match result {
            Ok(mapped) if mapped.notes.is_empty() => &mut self.ordinary,
            Ok(_) => &mut self.odd,
            Err(_) => &mut self.reject,
        };
        if place.is_none() {
            *place = Some(sample(table, row, result));
        }
    }

    /// The samples, ordinary first.
    pub(crate) fn finish(self) -> Vec<Sample> {
        [self.ordinary, self.odd, self.reject].into_iter().flatten().collect()
    }
}

fn sample(table: &Table, row: &SourceRow, result: &Result<Mapped, Reject>) -> Sample {
    let text = |text: Option<String>| text.map_or(Json::Null, |text| Json::String(shown::cut(&text)));
    let before: Map<String, Json> = table
        .columns
        .iter()
        .zip(&row.values)
        .map(|(column, value)| (column.name.clone(), text(shown::text(value))))
        .collect();
    let after: Map<String, Json> = match result {
        Ok(mapped) => std::iter::once("id")
            .chain(FIELDS)
            .filter_map(|field| Some((field.to_owned(), text(Some(memory_text::field(&mapped.memory, field)?)))))
            .collect(),
        Err(reject) => {
            let code = serde_json::to_value(reject.code).unwrap_or(Json::Null);
            let message = Json::String(reject.message.clone());
            [("rejected".to_owned(), code), ("because".to_owned(), message)].into_iter().collect()
        }
    };
    Sample { key: row.key.clone(), before, after }
}
