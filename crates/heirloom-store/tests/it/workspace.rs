//! Workspaces: what the tree says is derived anew each time, whatever shape the tree has.

use heirloom_store::{Lineage, NamespaceOf, PutWorkspace, StoreError};

use crate::installed;
use crate::world::{behind, number};

fn workspace(id: &str, parent: Option<&str>) -> PutWorkspace {
    PutWorkspace { id: id.to_owned(), name: id.to_uppercase(), parent_id: parent.map(str::to_owned), status: None }
}

fn names(namespaces: &[NamespaceOf]) -> String {
    namespaces.iter().map(|namespace| namespace.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn rights(lineage: &Lineage) -> (String, String) {
    (names(&lineage.readable), names(&lineage.writable))
}

fn both(all: &str) -> (String, String) {
    (all.to_owned(), all.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_says_who_reads_and_writes_what() {
    let (test, store) = installed().await;
    for (id, parent) in [("root", None), ("mid", Some("root")), ("leaf", Some("mid")), ("alone", None)] {
        store.put_workspace(&workspace(id, parent)).await.unwrap();
    }
    let root = store.lineage("root").await.unwrap();
    assert_eq!(rights(&root), both("workspace:root team:root org:root"));
    assert!(root.parent.is_none() && root.root.id == "root" && root.workspace.status == "online");
    let mid = store.lineage("mid").await.unwrap();
    assert_eq!(names(&mid.readable), "workspace:mid team:root org:root");
    assert_eq!(names(&mid.writable), "workspace:mid team:root");
    let leaf = store.lineage("leaf").await.unwrap();
    assert_eq!(names(&leaf.readable), "workspace:leaf team:mid org:root");
    assert_eq!((leaf.root.name.as_str(), leaf.parent.unwrap().name.as_str()), ("ROOT", "MID"));
    let labels: Vec<_> = leaf.readable.iter().map(|namespace| namespace.label.as_str()).collect();
    assert_eq!(labels, ["Workspace (LEAF)", "Team (MID)", "Org (ROOT)"]);

    // Another parent is another right, from the next call on; the line that says so is there.
    store.put_workspace(&workspace("leaf", Some("alone"))).await.unwrap();
    let leaf = store.lineage("leaf").await.unwrap();
    assert_eq!(names(&leaf.readable), "workspace:leaf team:alone org:alone");
    let moved = "select count(*) from heirloom.activity where action = 'workspace_put' \
                 and details ->> 'parent_before' = 'mid' and details ->> 'parent' = 'alone'";
    assert_eq!(number(&store, moved).await, 1);
    // The same again writes nothing.
    let lines = number(&store, "select count(*) from heirloom.activity").await;
    store.put_workspace(&workspace("leaf", Some("alone"))).await.unwrap();
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, lines);

    // A purged parent leaves roots.
    store.remove_workspace("alone").await.unwrap();
    assert_eq!(rights(&store.lineage("leaf").await.unwrap()), both("workspace:leaf team:leaf org:leaf"));
    for gone in ["alone", "nobody", "", "a b", "a\0"] {
        assert!(matches!(store.lineage(gone).await, Err(StoreError::NotFound { what: "workspace", .. })), "{gone:?}");
    }
    assert!(matches!(store.remove_workspace("alone").await, Err(StoreError::NotFound { .. })));
    let listed: Vec<_> = store.list_workspaces().await.unwrap().into_iter().map(|workspace| workspace.id).collect();
    assert_eq!(listed, ["root", "mid", "leaf"]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_without_a_name_are_called_by_their_ids() {
    let (test, store) = installed().await;
    let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    store.put_workspace(&PutWorkspace { name: String::new(), ..workspace(id, None) }).await.unwrap();
    let labels: Vec<_> =
        store.lineage(id).await.unwrap().readable.into_iter().map(|namespace| namespace.label).collect();
    assert_eq!(labels, ["Workspace (0f0e0d0c)".to_owned(), "Team (0f0e0d0c)".to_owned(), format!("Org ({id})")]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_bites_its_tail_or_never_ends_is_answered_all_the_same() {
    let (test, store) = installed().await;
    for (id, parent) in [("c", None), ("b", Some("c")), ("a", Some("b")), ("below", Some("b"))] {
        store.put_workspace(&workspace(id, parent)).await.unwrap();
    }
    for parent in ["a", "b", "c"] {
        match store.put_workspace(&workspace("c", Some(parent))).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, "parent_id"),
            other => panic!("{parent}: {other:?}"),
        }
    }
    behind(&store, "update heirloom.workspace set parent_id = 'a' where id = 'c'").await;
    for id in ["a", "b", "c", "below"] {
        let lineage = store.lineage(id).await.unwrap();
        assert_eq!(lineage.root.id, "a", "{id}");
        assert_eq!(lineage.writable.len(), 2, "nobody is the root of a circle");
    }
    behind(
        &store,
        "insert into heirloom.workspace (id, name, parent_id, status)
         select 'deep' || n, '', case when n > 0 then 'deep' || n - 1 end, 'online' from generate_series(0, 80) n
         order by n",
    )
    .await;
    let deep = store.lineage("deep80").await.unwrap();
    assert_eq!((deep.root.id.as_str(), deep.writable.len()), ("deep31", 2));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_cannot_be_is_refused() {
    let (test, store) = installed().await;
    let long = "a".repeat(241);
    let cases = [
        ("id", workspace("", None)),
        ("id", workspace("a b", None)),
        ("id", workspace("a,b", None)),
        ("id", workspace(&long, None)),
        ("parent_id", workspace("a", Some("nobody"))),
        ("parent_id", workspace("a", Some("a"))),
        ("parent_id", workspace("a", Some(""))),
        ("name", PutWorkspace { name: "a\0".to_owned(), ..workspace("a", None) }),
        ("status", PutWorkspace { status: Some(" ".to_owned()), ..workspace("a", None) }),
    ];
    for (wanted, workspace) in cases {
        match store.put_workspace(&workspace).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    assert_eq!(number(&store, "select count(*) from heirloom.workspace").await, 0);
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 0);
    test.close().await;
}
