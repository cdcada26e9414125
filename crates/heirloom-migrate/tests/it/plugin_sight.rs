//! What verify sees of a plugin that shows a hundred memories at a time, and what it says it does not see.

use heirloom_migrate::verify::Class;
use serde_json::json;

use crate::plugin_ground::{Beside, LEGACY};

/// Rows of one namespace beyond what one answer shows: their own words find them.
const MANY: &str = "
    insert into note (id, team, body)
    select md5(g::text)::uuid, 'many', 'note ' || g || ' of the shard ' || 1000 + g from generate_series(1001, 1130) g;
";

fn classes(found: &heirloom_migrate::verify::Verification) -> Vec<(Class, Option<&str>)> {
    let mut all: Vec<_> = found.differences.iter().map(|one| (one.class, one.column.as_deref())).collect();
    all.sort_by_key(|(class, column)| (format!("{class:?}"), *column));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_named_where_all_is_shown_and_where_it_is_not() {
    let beside = Beside::new(&format!("{LEGACY}{MANY}")).await;
    let plan = beside.plan(50).await.unwrap();
    assert_eq!(beside.apply(&plan, 8).await.unwrap().inserted, 160);
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.equal, found.unseen, found.partly_shown), (160, 0, 1));
    for row in ["3", "1002"] {
        let whole = beside.fake.there().memories.clone();
        for (field, damage) in [
            ("content", json!(format!("note {row} of another text altogether"))),
            ("kind", json!("summary")),
            ("source", json!("agent")),
            ("pin", json!(true)),
            ("expires_at", json!("2099-01-01T00:00:00Z")),
            ("expires_at", json!("soon")),
            ("propagation", json!({ "n": 1.5 })),
        ] {
            beside.change(row, |memory| memory[field] = damage.clone()).await;
            let found = beside.verify(&plan).await.unwrap();
            assert_eq!(classes(&found), [(Class::Altered, Some(field))], "{row}: {damage}");
            assert_eq!((found.unseen, found.equal), (0, 159));
            beside.fake.there().memories.clone_from(&whole);
        }
        // Taken away, or moved to where nobody looks for it.
        beside.forget(row).await;
        assert_eq!(classes(&beside.verify(&plan).await.unwrap()), [(Class::Missing, None)], "{row}");
        beside.fake.there().memories.clone_from(&whole);
        beside.change(row, |memory| memory["namespace"] = json!("team:elsewhere")).await;
        assert_eq!(classes(&beside.verify(&plan).await.unwrap()), [(Class::Missing, None)], "{row}");
        beside.fake.there().memories.clone_from(&whole);
    }
    // No difference: another zone, another order, and what the contract takes for nothing.
    beside.change("8", |memory| memory["expires_at"] = json!("2099-03-01T08:00:00.000001+08:00")).await;
    beside.change("3", |memory| memory["propagation"] = json!({ "b": [1, null], "a": 0, "n": 1 })).await;
    beside.change("2", |memory| memory["propagation"] = json!({})).await;
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds && found.equal == 160, "{:#?}", found.differences);
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_search_shows_is_counted_and_nothing_is_said_of_it() {
    // Two hundred that say the same, and one without a word that a search takes up.
    let twins = "
        insert into note (id, team, body) select md5('twin ' || g)::uuid, 'twins', 'always the very same words' from generate_series(1, 200) g;
        insert into note (id, team, body) values (md5('signs')::uuid, 'twins', '-- ?? --');
    ";
    let beside = Beside::new(&format!("{LEGACY}{twins}")).await;
    let plan = beside.plan(300).await.unwrap();
    assert_eq!(beside.apply(&plan, 8).await.unwrap().inserted, 231);
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.equal + found.unseen, found.partly_shown), (231, 1));
    assert!((100..=101).contains(&found.unseen), "{}", found.unseen);
    // One of them goes away at the source: what is there of it nobody shows, or it is named.
    beside.ground.sql("delete from note where id = md5('twin 7')::uuid").await;
    let found = beside.verify(&plan).await.unwrap();
    assert_eq!(found.equal + found.unseen + found.difference_count, 231);
    // What changed at the source and cannot be seen over there is not written over unseen.
    beside.ground.sql("update note set pinned = true where team = 'twins'").await;
    let failed = beside.apply(&plan, 8).await.unwrap_err().to_string();
    assert!(failed.contains("rows would be set aside"), "{failed}");
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_memories_are_asked_for_by_fewer_at_a_time() {
    // A hundred of these are more than one answer may hold.
    let long = "
        insert into note (id, team, body)
        select md5('long ' || g)::uuid, 'long', 'longword' || chr(97 + g % 26) || chr(97 + g / 26) || ' ' || repeat('x', 100000)
        from generate_series(0, 109) g;
    ";
    let beside = Beside::new(&format!("{LEGACY}{long}")).await;
    let plan = beside.plan(50).await.unwrap();
    assert_eq!(beside.apply(&plan, 4).await.unwrap().inserted, 140);
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.equal, found.unseen), (140, 0));
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_s_changes_are_told_apart() {
    let beside = Beside::new(&format!("{LEGACY}{MANY}")).await;
    let plan = beside.plan(50).await.unwrap();
    beside.apply(&plan, 8).await.unwrap();
    // At the source alone; there alone; on both sides; taken away over there.
    let bang = "update note set body = body || ' indeed' where id in (md5('1')::uuid, md5('3')::uuid, md5('5')::uuid, md5('1001')::uuid, md5('1003')::uuid)";
    beside.ground.sql(bang).await;
    for row in ["2", "3", "1003"] {
        beside.change(row, |memory| memory["content"] = json!(format!("note {row} edited"))).await;
    }
    beside.forget("4").await;
    beside.forget("5").await;
    let applied = beside.apply(&plan, 8).await.unwrap();
    // The third of the many shows itself by a word that it still has.
    assert_eq!((applied.updated, applied.conflicts, applied.forgotten, applied.inserted), (2, 2, 1, 0));
    {
        let there = beside.fake.there();
        let said =
            |row: &str| there.memories.values().filter(|(_, m)| m["content"].as_str().unwrap().contains(row)).count();
        assert_eq!((said("indeed"), said("edited"), there.memories.len()), (2, 3, 158));
    }
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.differences.iter().any(|one| one.class == Class::Missing));
    assert!(found.differences.iter().any(|one| one.class == Class::SourceChanged));
    // Gone at the source, and still there: named where the namespace is shown whole, counted where it is not.
    beside.ground.sql("delete from note where id in (md5('6')::uuid, md5('1006')::uuid)").await;
    let found = beside.verify(&plan).await.unwrap();
    let left = found.differences.iter().filter(|one| one.class == Class::Unexpected).count() as u64;
    assert_eq!(left + found.unseen, 2);
    assert!(left >= 1);
    beside.ground.close().await;
}
