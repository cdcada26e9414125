//! A tenant's own migration file: the template with what the tenants file says of it. The result is an ordinary migration
//! file, which lies beside its plan and which every command takes.

use toml::{Table, Value};

use super::file::{Tenant, TenantsFile};
use crate::error::{MigrateError, Place, Result};
use crate::file::{At, MigrationFile};

/// Makes the text of a tenant's migration file and reads it. `template` is the name and text of the file it is made of;
/// `path` is where it will lie.
///
/// # Errors
/// [`MigrateError::File`] where template or tenants file are wrong: in the template where the fault is there already.
pub fn migration(
    file: &TenantsFile,
    tenant: &Tenant,
    template: Option<(&str, &str)>,
    path: &str,
) -> Result<MigrationFile> {
    let text = text(file, tenant, template)?;
    MigrationFile::parse(path, &text).map_err(|error| alone(template).unwrap_or(error))
}

/// What is wrong with the template by itself, at its own place. What it merely lacks is the tenants' to give.
fn alone(template: Option<(&str, &str)>) -> Option<MigrateError> {
    let (name, text) = template?;
    match MigrationFile::parse(name, text) {
        Err(MigrateError::File { what, .. }) if what.ends_with("is missing") => None,
        Err(error) => Some(error),
        Ok(_) => None,
    }
}

fn text(file: &TenantsFile, tenant: &Tenant, template: Option<(&str, &str)>) -> Result<String> {
    let mut root: Table = match template {
        None => Table::new(),
        Some((name, text)) => text.parse().map_err(|_| not_toml(name, text))?,
    };
    let name = tenant.name.value.clone();
    // The name goes to the top, and the tenant is part of the ids.
    root.remove("name");
    root.remove("tenant");
    let mut made = Table::new();
    made.insert("name".into(), name.clone().into());
    made.insert("tenant".into(), name.into());
    made.extend(root);
    {
        let source = section(&mut made, "source", &tenant.name.place)?;
        put(source, "url", tenant.source.as_ref());
        put(source, "preset", tenant.preset.as_ref());
        if let Some(key) = &tenant.key {
            source.insert("key".into(), Value::Array(key.value.iter().cloned().map(Value::String).collect()));
        }
        if let Some(table) = &tenant.table {
            source.remove("query");
            put(source, "table", Some(table));
        }
        if let Some(tree) = &tenant.tree {
            let place = tree.place.clone();
            put(section(source, "tree", &place)?, "table", Some(tree));
        }
        if let Some(filter) = &tenant.filter {
            filtered(source, filter)?;
        }
    }
    if let Some(target) = &tenant.target {
        put(section(&mut made, "target", &target.place)?, "url", Some(target));
    }
    if let Some(template) = &tenant.namespace {
        // A template stands alone; a value map of the migration file's is of no use beside it.
        let mut table = Table::new();
        table.insert("template".into(), template.value.clone().into());
        made.insert("namespace".into(), Value::Table(table));
    }
    if let Some(budget) = &tenant.budget {
        put(section(&mut made, "reject", &budget.place)?, "budget", Some(budget));
    }
    let of = template.map_or_else(String::new, |(name, _)| format!("{name} and "));
    let head = format!("# Made by `heirloom fleet plan` of {of}{}: change those, not this.\n", file.path);
    let body = toml::to_string(&made).map_err(|error| MigrateError::Io {
        path: file.path.clone(),
        reason: format!("the migration file of {} cannot be written as TOML: {error}", tenant.name.value),
    })?;
    Ok(head + &body)
}

/// The rows of a table that a condition is true of, as a query.
fn filtered(source: &mut Table, filter: &At<String>) -> Result<()> {
    let fail = |what: &str, accepted: &str| {
        Err(MigrateError::File { place: filter.place.clone(), what: what.into(), accepted: accepted.into() })
    };
    let Some(table) = source.get("table").and_then(Value::as_str).map(str::to_owned) else {
        return fail(
            "a filter without a table",
            "write table = \"schema.name\" beside it, or a query in the migration file",
        );
    };
    if !source.contains_key("key") {
        return fail(
            "a filter without a key",
            "write key = [\"…\"] beside it: what is filtered has no primary key of its own",
        );
    }
    if source.contains_key("mark") {
        return fail(
            "a filter beside `mark`",
            "remove `mark` from the migration file: a filtered table is read as a query, and a query cannot be marked",
        );
    }
    source.remove("table");
    source.insert("query".into(), format!("select * from {table} where ({})", filter.value).into());
    Ok(())
}

fn put(table: &mut Table, key: &str, word: Option<&At<String>>) {
    if let Some(word) = word {
        table.insert(key.into(), word.value.clone().into());
    }
}

fn section<'t>(root: &'t mut Table, name: &str, place: &Place) -> Result<&'t mut Table> {
    match root.entry(name).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(table) => Ok(table),
        _ => Err(MigrateError::File {
            place: place.clone(),
            what: format!("`{name}` of the migration file is no table"),
            accepted: format!("write [{name}] in it"),
        }),
    }
}

/// The template is not TOML: said at its own place, in the words of the migration file's reader.
fn not_toml(name: &str, text: &str) -> MigrateError {
    MigrationFile::parse(name, text)
        .err()
        .unwrap_or_else(|| MigrateError::Io { path: name.to_owned(), reason: "it is not TOML".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Budget, NamespaceSpec};
    use crate::source::Relation;

    const TEMPLATE: &str = "name = \"all\"\n[source]\nurl = \"store\"\npreset = \"molecule-v1\"\nkey = [\"id\"]\n[reject]\nbudget = \"3\"\n";

    fn made(tenant: &str, template: Option<&str>) -> Result<MigrationFile> {
        let file = TenantsFile::parse("t.toml", &format!("[[tenant]]\nname = \"one\"\n{tenant}")).unwrap();
        migration(&file, &file.tenants[0], template.map(|text| ("agents.toml", text)), "tenants/one.toml")
    }

    #[test]
    fn a_tenant_is_the_template_with_its_own_words() {
        let file = made(
            "source = \"env:ONE\"\ntable = \"one.agent_memories\"\ntree = \"one.workspaces\"\ntarget = \"env:T\"\nbudget = \"0.5%\"\n",
            Some(TEMPLATE),
        )
        .unwrap();
        assert_eq!((file.name.as_str(), file.tenant.as_deref()), ("one", Some("one")));
        assert_eq!((file.source.url.value.as_str(), file.target.unwrap().value.as_str()), ("env:ONE", "env:T"));
        assert_eq!(file.source.relation.value, Relation::Table("one.agent_memories".into()));
        assert_eq!(file.source.tree.unwrap().table.value, "one.workspaces");
        assert_eq!(file.budget, Budget::Percent(0.5));
        assert!(matches!(file.namespace, NamespaceSpec::Values { .. }), "the preset's");
        assert!(file.text.starts_with("# Made by `heirloom fleet plan` of agents.toml and t.toml: change those"));
    }

    #[test]
    fn a_preset_is_template_enough() {
        let file = made("source = \"env:ONE\"\npreset = \"molecule-v1\"\nnamespace = \"custom:one\"\n", None).unwrap();
        assert!(matches!(file.namespace, NamespaceSpec::Template(_)));
        assert_eq!(file.source.relation.value, Relation::Table("public.agent_memories".into()));
    }

    #[test]
    fn a_filter_becomes_a_query_and_needs_a_key() {
        let file = made("source = \"env:ONE\"\ntable = \"m\"\nfilter = \"t = 1 or t = 2\"\n", Some(TEMPLATE)).unwrap();
        assert_eq!(file.source.relation.value, Relation::Query("select * from m where (t = 1 or t = 2)".into()));
        let said = |tenant: &str, template: Option<&str>| made(tenant, template).unwrap_err().to_string();
        assert!(said("filter = \"x\"\n", None).starts_with("t.toml:3:10: a filter without a table"));
        assert!(said("table = \"m\"\nfilter = \"x\"\n", None).starts_with("t.toml:4:10: a filter without a key"));
        let marked = TEMPLATE.replace("[reject]", "mark = \"migrated_at\"\n[reject]");
        assert!(
            said("table = \"m\"\nfilter = \"x\"\n", Some(&marked)).starts_with("t.toml:4:10: a filter beside `mark`")
        );
    }

    #[test]
    fn a_fault_of_the_template_is_said_in_the_template() {
        let said = |template: &str| made("source = \"env:ONE\"\n", Some(template)).unwrap_err().to_string();
        assert!(said("name = ").starts_with("agents.toml:1:8: this is not TOML"));
        assert!(said("[source]\npreset = \"molecule-v2\"\n").starts_with("agents.toml:2:10: no preset `molecule-v2`"));
        // What the template alone lacks and the tenant does not give either.
        assert!(said("[map]\ncontent = \"c\"\n").starts_with("tenants/one.toml:1:1: [source] table is missing"));
    }
}
