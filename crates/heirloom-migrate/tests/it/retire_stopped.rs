//! What a retirement leaves behind that ended in between, and what the next step makes of it.

use heirloom_migrate::retire::Phase;

use crate::soak_ground::{DAY, Watched, legacy};
use crate::support::said;

/// The ledger takes no such entry, until [`has_room`].
async fn has_no_room(watched: &Watched, what: &str) {
    let refuse = format!(
        "create or replace function no_room() returns trigger language plpgsql as 'begin raise exception ''no room''; end';
         create trigger no_room before insert on heirloom_migrate.audit for each row when (new.what = '{what}')
         execute function no_room()"
    );
    watched.ground.sql(&refuse).await;
}

async fn has_room(watched: &Watched) {
    watched.ground.sql("drop trigger no_room on heirloom_migrate.audit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_write_down_his_own_step_is_not_told_that_somebody_else_took_it() {
    let mut watched = Box::pin(Watched::soaked(&legacy(20), 7, 1)).await;
    has_no_room(&watched, "retired").await;
    // The second time it takes up what the first time did.
    for _ in 0..2 {
        let told = said(watched.retire().await);
        assert!(told.contains("P0001") && !told.contains("nothing was written"), "{told}");
        assert_eq!(watched.ground.one("select to_regclass('note')").await, "NULL");
    }
    has_room(&watched).await;
    assert_eq!(watched.retire().await.unwrap().phase, Phase::Kept);
    watched.pass(7 * DAY);
    has_no_room(&watched, "dropped").await;
    for _ in 0..2 {
        let told = said(watched.retire().await);
        assert!(told.contains("P0001") && !told.contains("nothing was written"), "{told}");
        assert_eq!(watched.ground.one("select count(*) from pg_class where relname like 'note%'").await, "0");
    }
    has_room(&watched).await;
    assert_eq!(watched.retire().await.unwrap().phase, Phase::Dropped);
    assert!(watched.unretire().await.unwrap().from_archive);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_came_back_is_not_written_down_as_dropped() {
    for is_dropped in [false, true] {
        let mut watched = Box::pin(Watched::soaked(&legacy(20), 7, 1)).await;
        assert!(watched.retire().await.unwrap().holds);
        watched.pass(7 * DAY);
        if is_dropped {
            has_no_room(&watched, "dropped").await;
            assert!(watched.retire().await.is_err());
            has_room(&watched).await;
        }
        has_no_room(&watched, "unretired").await;
        assert!(watched.unretire().await.is_err());
        has_room(&watched).await;
        assert_eq!(watched.ground.one("select count(*) from note").await, "20");
        let done = watched.retire().await.unwrap();
        let gate = done.gates.iter().find(|gate| gate.id == "table").unwrap();
        assert!(!gate.met && gate.found.ends_with("is not there, and public.note is"), "{gate:?}");
        assert_eq!((done.phase, done.holds), (Phase::Kept, false));
        assert_eq!(watched.ground.one("select count(*) from heirloom_migrate.audit where what = 'dropped'").await, "0");
        if !is_dropped {
            // Who has the table back uses it.
            watched.ground.sql("update note set body = body || '!' where id = 3").await;
        }
        assert_eq!(watched.unretire().await.unwrap().from_archive, is_dropped);
        assert_eq!(watched.state().await, "soaking");
        watched.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_killed_archives_left_is_taken_away_once_the_table_is() {
    let mut watched = Box::pin(Watched::soaked(&legacy(20), 7, 1)).await;
    let place = watched.manifest();
    let (dir, name) = (place.parent().unwrap(), place.file_name().unwrap().to_string_lossy().into_owned());
    let id = "0123456789abcdef0123456789abcdef";
    let rows = name.replace(".json", ".zst");
    let (left, others) = (
        [format!("{id}.{name}"), format!("{id}.{rows}"), format!("{id}.{rows}.{id}.part")],
        [format!("before.{name}"), format!("{id}.other.{rows}"), "notes.txt".to_owned()],
    );
    left.iter().chain(&others).for_each(|name| std::fs::write(dir.join(name), "rows").unwrap());
    let there = || {
        let mut names: Vec<String> =
            std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let before = there();
    assert!(watched.would_retire().await.unwrap().holds);
    assert_eq!(there(), before, "looking takes nothing away");
    assert!(watched.retire().await.unwrap().holds);
    let mut after = [others.as_slice(), &[name, rows]].concat();
    after.sort();
    assert_eq!(there(), after);
    watched.close().await;
}
