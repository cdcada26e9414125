//! The marker of the source against the records, key by key: a mark on a row of which no record says that it was handed down
//! would be taken for a proof by whoever asks the source alone. A row without a mark claims nothing.

use super::Verification;
use super::difference::{Class, Difference};
use super::expected::Work;
use crate::error::Result;
use crate::marker::{BATCH, Mark, without_record};

/// Compares the marks, where the file asks for them and the source has the column. A row that was forgotten since is none of
/// them: recording the comparison takes its mark away.
pub(super) async fn compare(work: &Work<'_>, verification: &mut Verification) -> Result<()> {
    let Some(mark) = Mark::of(&work.file, work.plan) else { return Ok(()) };
    if !mark.is_on(work.source).await? {
        return Ok(());
    }
    for (at, chunk) in work.plan.chunks.iter().enumerate() {
        // The source first: what is handed down in between has its record before its mark is looked for.
        let keys = mark.keys(work.source, &work.plan.reading(&chunk.range, &[])).await?;
        for keys in keys.chunks(BATCH) {
            let target = work.store.database();
            for (key, id, _) in without_record(work.plan, target, &work.mapping.program, keys)
                .await?
                .into_iter()
                .filter(|(_, _, forgotten)| !forgotten)
            {
                if let Some(verdict) = verification.chunks.get_mut(at) {
                    verdict.differences += 1;
                }
                verification.differs(Difference {
                    class: Class::MarkedOnly,
                    key: key.clone(),
                    id,
                    chunk: Some(chunk.ordinal),
                    column: None,
                    expected: None,
                    found: None,
                });
            }
        }
    }
    Ok(())
}
