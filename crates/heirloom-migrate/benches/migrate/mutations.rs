//! Every kind of damage planted in a verified target, as the tests have them, and what is no damage: how many are found.

use heirloom_migrate::verify::Verification;
use heirloom_store::UpOptions;

use crate::Line;
use crate::ground::Ground;
use crate::mutation_kinds::{FILE, KINDS, REPRESENTATIONS, legacy, named, planted};

/// Damage planted among so many rows, and named to row and column; alarms over what is the same in another form.
pub(crate) async fn line(rows: u32) -> Line {
    let ground = Ground::of(&legacy(rows), rows.into(), FILE, UpOptions { dimension: 4, ..UpOptions::default() }).await;
    let plan = ground.plan().await;
    ground.apply(&plan, 1).await;
    let mut alarms = usize::from(!ground.verify(&plan).await.holds);
    for change in REPRESENTATIONS {
        ground.sql(change).await;
        alarms += usize::from(!ground.verify(&plan).await.holds);
    }
    let (statements, expected) = planted(rows, async |query| ground.one(&query).await).await;
    for statement in statements {
        ground.sql(&statement).await;
    }
    let verification: Verification = ground.verify(&plan).await;
    ground.close().await;
    let found = named(&verification);
    // What was found beside what was planted is an alarm too.
    alarms += found.difference(&expected).count();
    let missed = expected.difference(&found).count();
    Line {
        what: "kinds of mutation planted in a verified target",
        found: format!(
            "{} of {} found, {alarms} false alarms, {rows} rows",
            KINDS.len() - missed.min(KINDS.len()),
            KINDS.len()
        ),
        bar: "24 found, 0 false alarms",
        holds: missed == 0 && alarms == 0,
    }
}
