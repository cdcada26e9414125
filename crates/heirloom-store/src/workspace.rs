//! Workspaces: the tree that decides which namespaces a workspace may read and write.
//!
//! Nothing is kept of what was decided: the rights are derived from the tree for each call, so that a workspace that
//! moves to another parent has other rights at once. Deliberately absent: who may ask for which workspace; a door
//! decides that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::Row;

use crate::activity;
use crate::check;
use crate::error::{Result, missing};
use crate::memory::Moment;
use crate::namespace;
use crate::store::Store;
use crate::token::owners_only;
use crate::trip;

/// A workspace as its platform tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutWorkspace {
    /// Its id, as it stands in `workspace:<id>`: letters, digits, `_`, `:`, `.`, `-`; at most 240 bytes.
    pub id: String,
    /// What it is called; may be empty.
    #[serde(default)]
    pub name: String,
    /// Its parent, which must be there; absent for the root of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// A word of the platform's, `online` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its parent; absent for the root of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// A word of the platform's.
    pub status: String,
    /// When it was first told of.
    pub created_at: Moment,
}

/// A workspace in its tree, and what that lets it do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage {
    /// The workspace itself.
    pub workspace: Kin,
    /// The root of its organisation; itself where it has no parent.
    pub root: Named,
    /// Its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Named>,
    /// What it may read: its own, its team's, its organisation's.
    pub readable: Vec<NamespaceOf>,
    /// What it may write: the same, the organisation's only where it is the root.
    pub writable: Vec<NamespaceOf>,
}

/// The workspace that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kin {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its parent's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// A word of the platform's.
    pub status: String,
}

/// A relative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// A namespace as a workspace sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespaceOf {
    /// Such as `team:<id>`.
    pub name: String,
    /// `workspace`, `team` or `org`.
    pub kind: String,
    /// For people: `Team (Research)`.
    pub label: String,
    /// What it is for, in a sentence.
    pub description: String,
}

impl Store {
    /// Puts a workspace into the tree, or changes it. What stays the same writes nothing.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] names the field, a parent that is unknown or a descendant among them;
    /// [`crate::StoreError::Rights`] when this database user does not own the store.
    pub async fn put_workspace(&self, workspace: &PutWorkspace) -> Result<()> {
        check_id("id", &workspace.id)?;
        if !workspace.name.is_empty() {
            check::label("name", Some(&workspace.name))?;
        }
        check::label("status", workspace.status.as_deref())?;
        let status = workspace.status.as_deref().unwrap_or("online");
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().start().await?;
        // Two moves at once could each be right and together make a circle.
        tx.batch_execute("lock table heirloom.workspace in share row exclusive mode").await.map_err(owners_only)?;
        if let Some(parent) = &workspace.parent_id {
            check_id("parent_id", parent)?;
            let line = tx.query(include_str!("../sql/queries/workspace/lineage.sql"), &[parent]).await?;
            if line.is_empty() {
                return Err(check::invalid("parent_id", "a workspace that is not known", "one that was put before"));
            }
            if parent == &workspace.id || line.iter().any(|row| row.get::<_, &str>("id") == workspace.id) {
                return Err(check::invalid("parent_id", "the workspace itself or a descendant of it", "another one"));
            }
        }
        let before = tx.query(include_str!("../sql/queries/workspace/lineage.sql"), &[&workspace.id]).await?;
        let before: Option<Option<String>> = before.first().map(|row| row.get("parent_id"));
        let written = tx
            .execute(
                include_str!("../sql/queries/workspace/put.sql"),
                &[&workspace.id, &workspace.name, &workspace.parent_id, &status],
            )
            .await?;
        if written > 0 {
            let mut details = json!({ "workspace": workspace.id, "parent": workspace.parent_id, "status": status });
            // Another parent is another right to read and write.
            if let Some(before) = before.filter(|before| *before != workspace.parent_id) {
                details["parent_before"] = json!(before);
            }
            activity::note(&tx, "workspace_put", details).await?;
        }
        tx.commit().await?;
        self.tell(&client);
        Ok(())
    }

    /// Takes a workspace out of the tree; its children become roots. Its memories stay.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when there is none; [`crate::StoreError::Rights`] when this database user does
    /// not own the store.
    pub async fn remove_workspace(&self, id: &str) -> Result<()> {
        check_id("id", id)?;
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().start().await?;
        let gone =
            tx.execute(include_str!("../sql/queries/workspace/remove.sql"), &[&id]).await.map_err(owners_only)?;
        if gone == 0 {
            return Err(missing("workspace", id));
        }
        activity::note(&tx, "workspace_remove", json!({ "workspace": id })).await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(())
    }

    /// Every workspace, oldest first.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`] or [`crate::StoreError::Engine`] when the database cannot be asked.
    pub async fn list_workspaces(&self) -> Result<Vec<Workspace>> {
        let client = self.database().client().await?;
        let rows = trip::ask(&client, trip::AUDIT, include_str!("../sql/queries/workspace/list.sql"), &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Workspace {
                    id: row.try_get("id")?,
                    name: row.try_get("name")?,
                    parent_id: row.try_get("parent_id")?,
                    status: row.try_get("status")?,
                    created_at: row.try_get("created_at")?,
                })
            })
            .collect()
    }

    /// What a workspace may read and write now. One round trip.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when there is no such workspace.
    pub async fn lineage(&self, id: &str) -> Result<Lineage> {
        // What can be no id is an unknown one.
        if check_id("id", id).is_err() {
            return Err(missing("workspace", id));
        }
        let client = self.database().client().await?;
        let statement = include_str!("../sql/queries/workspace/lineage.sql");
        let rows = trip::ask(&client, trip::AUDIT, statement, &[&id]).await?;
        let line = rows.iter().map(Kin::from_row).collect::<Result<Vec<_>>>()?;
        Lineage::of(&line).ok_or_else(|| missing("workspace", id))
    }
}

fn check_id(field: &'static str, id: &str) -> Result<()> {
    if id.len() <= 240 && namespace::validate(&format!("workspace:{id}")).is_ok() {
        return Ok(());
    }
    Err(check::invalid(field, "no id", "1 to 240 letters, digits, `_`, `:`, `.` or `-`, such as a uuid"))
}

impl Kin {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            parent_id: row.try_get("parent_id")?,
            status: row.try_get("status")?,
        })
    }

    fn named(&self) -> Named {
        Named { id: self.id.clone(), name: self.name.clone() }
    }
}

impl Lineage {
    /// From a line of ancestors, nearest first, the workspace itself at its head.
    fn of(line: &[Kin]) -> Option<Self> {
        let workspace = line.first()?;
        let last = line.last()?;
        // A line that bites its tail has no root: the least id of the circle stands for it, the same for all in it.
        let circle = last.parent_id.as_ref().and_then(|parent| line.iter().position(|kin| kin.id == *parent));
        let root = match circle {
            Some(start) => line[start..].iter().min_by(|a, b| a.id.cmp(&b.id))?,
            None => last,
        };
        let parent = workspace.parent_id.as_ref().and_then(|id| line.get(1).filter(|kin| kin.id == *id));
        let team = parent.unwrap_or(workspace);
        let readable =
            vec![namespace_of("workspace", workspace), namespace_of("team", team), namespace_of("org", root)];
        let mut writable = readable.clone();
        if workspace.parent_id.is_some() {
            writable.pop();
        }
        Some(Self {
            workspace: workspace.clone(),
            root: root.named(),
            parent: parent.map(Kin::named),
            readable,
            writable,
        })
    }
}

fn namespace_of(kind: &str, kin: &Kin) -> NamespaceOf {
    let (word, description) = match kind {
        "workspace" => ("Workspace", "This workspace's private memories"),
        "team" => ("Team", "Memories shared across team members (parent + siblings)"),
        _ => ("Org", "Org-wide memories visible to every workspace under this root"),
    };
    let called = match (kin.name.as_str(), kind) {
        ("", "org") => kin.id.clone(),
        ("", _) => kin.id.chars().take(8).collect(),
        (name, _) => name.to_owned(),
    };
    NamespaceOf {
        name: format!("{kind}:{}", kin.id),
        kind: kind.to_owned(),
        label: format!("{word} ({called})"),
        description: description.to_owned(),
    }
}
