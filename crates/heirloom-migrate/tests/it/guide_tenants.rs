//! The second seed's section 6: the tenant of a row is its project, and the project is the namespace. No bypass: a row
//! that says nothing about its tenant is set aside.

use heirloom_migrate::mapping::RejectCode;
use heirloom_migrate::value::Value;

use crate::mapping_support::{guide, text};

#[test]
fn project_id_becomes_the_namespace() {
    for name in ["project_id", "project"] {
        for (declared, value) in [("integer", Value::Int(42)), ("text", text("42"))] {
            let memory = guide(&[(name, declared, value)]).unwrap().memory;
            assert_eq!((memory.namespace.as_str(), memory.project_id), ("project:42", Some(42)), "{name} {declared}");
        }
    }
}

#[test]
fn two_projects_are_two_namespaces() {
    let namespace = |slug: &str| guide(&[("project", "text", text(slug))]).unwrap().memory.namespace;
    assert_eq!(namespace("apollo"), "project:apollo");
    assert_ne!(namespace("apollo"), namespace("Apollo"));
}

#[test]
fn a_row_without_a_project_is_set_aside() {
    for value in [Value::Null, text("")] {
        let reject = guide(&[("project", "text", value)]).unwrap_err();
        assert_eq!((reject.code, reject.field.as_deref()), (RejectCode::NamespaceMissing, Some("namespace")));
        assert_eq!(reject.column.as_deref(), Some("project"));
    }
}

#[test]
fn a_project_that_could_reach_into_another_tenant_is_set_aside() {
    for slug in ["42,project:7", "a b", "ünïcode", "x'; drop table", &"x".repeat(300)] {
        let reject = guide(&[("project", "text", text(slug))]).unwrap_err();
        assert_eq!(reject.code, RejectCode::NamespaceInvalid, "{slug:?}");
    }
}

#[test]
fn a_project_id_in_the_one_column_or_the_other_is_found() {
    let both = [("project_id", "integer", Value::Null), ("project", "text", text("apollo"))];
    assert_eq!(guide(&both).unwrap().memory.namespace, "project:apollo");
}
