//! Three migrated rows of a team, asked for as its agents would: in words, with the rights of the row's own namespace.

use heirloom_engine::Database;
use heirloom_migrate::MigrateError;
use heirloom_migrate::plan::Plan;
use heirloom_store::{Recall, Scope, Store};
use uuid::Uuid;

use super::dirt;
use crate::error::Result;

/// What came back.
pub(super) struct Asked {
    pub(super) asked: u64,
    pub(super) recalled: u64,
    /// Question and beginning of the answer, for the story.
    pub(super) told: Vec<(String, String)>,
}

/// Rows that recall is allowed to bring: verified or no lesson, in force, in a state that is recalled.
const CANDIDATES: &str = "
    select m.id, m.namespace, m.content
      from heirloom.origin o
      join heirloom.memory m on m.id = o.id and m.namespace = o.namespace
     where o.source = $1
       and (m.kind <> 'lesson' or m.verified_at is not null)
       and coalesce(m.expires_at > now(), true)
       and m.state in ('draft', 'candidate', 'validated', 'canonical')
       and m.content ~ '[[:alpha:]]{4}'
     order by o.written_digest
     limit 3";

const KNOWN: &str = "select m.id, m.namespace from heirloom.origin o \
     join heirloom.memory m on m.id = o.id and m.namespace = o.namespace where o.source = $1 and m.content = $2 limit 1";

/// Asks for three rows of a plan: the three that the story tells, or a fixed sample.
pub(super) async fn three(database: &Database, store: &Store, plan: &Plan, known: bool) -> Result<Asked> {
    let source = plan.origin_source();
    let mut wanted: Vec<(Uuid, String, String)> = Vec::new();
    {
        let client = database.client().await?;
        if known {
            for (question, content) in dirt::KNOWN {
                let row = client.query_opt(KNOWN, &[&source, &content]).await.map_err(MigrateError::from)?;
                wanted.extend(row.map(|row| (row.get(0), row.get(1), question.to_owned())));
            }
        } else {
            for row in client.query(CANDIDATES, &[&source]).await.map_err(MigrateError::from)? {
                let content: String = row.get(2);
                let question: Vec<&str> = content.split_whitespace().take(12).collect();
                wanted.push((row.get(0), row.get(1), question.join(" ")));
            }
        }
    }
    let mut asked = Asked { asked: wanted.len() as u64, recalled: 0, told: Vec::new() };
    for (id, namespace, question) in wanted {
        let ask = Recall { query: Some(question.clone()), limit: Some(5), ..Recall::default() };
        let found = store.recall(&Scope::one(&namespace)?, &ask).await?;
        if let Some(hit) = found.hits.iter().find(|hit| hit.id == id) {
            asked.recalled += 1;
            if known {
                asked.told.push((question, hit.content.clone()));
            }
        }
    }
    Ok(asked)
}
