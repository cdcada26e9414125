//! Many tenants side by side: a step for each, so many at a time, and none that waits for another's trouble.
//!
//! Every tenant is a task of its own: its error, its panic and its silence end its own line and nobody else's. A tenant that
//! takes longer than half a second, because it is silent, slow or large, lends its place to the next and keeps working. One
//! that is paused has none, and is given one again before another begins. One that stays silent beyond all patience is given up.
//! Deliberately absent: what a step does, databases, printing.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};

use super::pulse::Pulse;
use crate::apply::Stop;

/// Time after which a tenant's place is lent, whether it works or waits: which of both it does is not seen from here. With
/// [`LOOK`] it stays below the second that one may cost another.
const LEND: Duration = Duration::from_millis(500);

/// How often it is looked who takes long.
const LOOK: Duration = Duration::from_millis(100);

/// How many at a time, and how long a silence is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tenants at work; as many again may have lent their place and go on, so that there are never more than twice as many.
    /// Those that a database has yet to let in do not count, nor those that are paused.
    pub parallel: usize,
    /// Longest silence of a tenant before it is given up.
    pub patience: Duration,
}

/// How a tenant's step ended.
#[derive(Debug)]
pub enum Ended<R> {
    /// It came to its end, well or not.
    Done(R),
    /// It showed no sign of life for too long and was given up.
    Silent(Duration),
    /// A fault of the program.
    Panicked,
    /// It was not begun, because it was asked to stop.
    NotBegun,
}

struct Running {
    at: usize,
    pulse: Pulse,
    handle: AbortHandle,
}

/// Runs a step for each of `count` tenants, in their order, and gives back how each ended. `step` makes the step of the
/// tenant at a position; `done` is told of each end as it comes.
pub async fn run<R, F>(
    count: usize,
    limits: Limits,
    stop: &Stop,
    step: impl FnMut(usize, Pulse) -> F,
    done: impl FnMut(usize, &Ended<R>),
) -> Vec<Ended<R>>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    run_unless(count, limits, stop, |_| false, step, done).await
}

/// The same, where a tenant may be `held` back before it begins: it is asked again and again, and others overtake it.
pub async fn run_unless<R, F>(
    count: usize,
    limits: Limits,
    stop: &Stop,
    mut held: impl FnMut(usize) -> bool,
    mut step: impl FnMut(usize, Pulse) -> F,
    mut done: impl FnMut(usize, &Ended<R>),
) -> Vec<Ended<R>>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let mut ended: Vec<Option<Ended<R>>> = (0..count).map(|_| None).collect();
    let mut waiting: VecDeque<usize> = (0..count).collect();
    let mut running: HashMap<Id, Running> = HashMap::new();
    let mut tasks: JoinSet<R> = JoinSet::new();
    let parallel = limits.parallel.max(1);
    loop {
        while has_room(&running, parallel) {
            let Some(back) = running.values().find(|one| one.pulse.wants()) else { break };
            back.pulse.seat();
        }
        while !stop.asked() && has_room(&running, parallel) {
            let Some(at) = waiting.iter().position(|at| !held(*at)).and_then(|next| waiting.remove(next)) else {
                break;
            };
            let pulse = Pulse::default();
            let handle = tasks.spawn(step(at, pulse.clone()));
            running.insert(handle.id(), Running { at, pulse, handle });
        }
        if running.is_empty() && (waiting.is_empty() || stop.asked()) {
            break;
        }
        tokio::select! {
            Some(joined) = tasks.join_next_with_id() => {
                let (id, end) = match joined {
                    Ok((id, result)) => (id, Ended::Done(result)),
                    Err(error) => (error.id(), Ended::Panicked),
                };
                // One that was given up has ended already.
                if let Some(Running { at, .. }) = running.remove(&id) {
                    done(at, &end);
                    ended[at] = Some(end);
                }
            },
            () = tokio::time::sleep(LOOK) => {
                let lost: Vec<Id> =
                    running.iter().filter(|(_, one)| one.pulse.silence() > limits.patience).map(|(id, _)| *id).collect();
                for id in lost {
                    if let Some(Running { at, pulse, handle }) = running.remove(&id) {
                        handle.abort();
                        let end = Ended::Silent(pulse.silence());
                        done(at, &end);
                        ended[at] = Some(end);
                    }
                }
            }
        }
    }
    ended.into_iter().map(|end| end.unwrap_or(Ended::NotBegun)).collect()
}

fn has_room(running: &HashMap<Id, Running>, parallel: usize) -> bool {
    let seated = || running.values().filter(|one| !one.pulse.has_left());
    let lends = |one: &&Running| one.pulse.age() > LEND;
    let let_in = |one: &&Running| !(one.pulse.is_knocking() && one.pulse.silence() > LEND);
    let at_work = seated().filter(|one| !lends(one)).count();
    let lent = seated().filter(lends).filter(let_in).count();
    at_work < parallel && at_work + lent < parallel * 2
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const PATIENT: Limits = Limits { parallel: 2, patience: Duration::from_secs(60) };

    #[tokio::test]
    async fn no_more_are_at_work_than_may_be_and_all_come_to_their_end() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ended = run(
            20,
            PATIENT,
            &Stop::default(),
            |at, _| {
                let (now, most) = (now.clone(), most.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    at
                }
            },
            |_, _| {},
        )
        .await;
        assert!(ended.iter().enumerate().all(|(at, end)| matches!(end, Ended::Done(value) if *value == at)));
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_silent_tenant_lends_its_place_and_is_given_up_in_the_end() {
        let mut order = Vec::new();
        let ended = run(
            3,
            Limits { parallel: 1, patience: Duration::from_secs(3) },
            &Stop::default(),
            |at, _| async move {
                if at == 0 {
                    std::future::pending::<()>().await;
                }
            },
            |at, _| order.push(at),
        )
        .await;
        assert!(matches!(ended[0], Ended::Silent(_)), "{ended:?}");
        assert!(ended[1..].iter().all(|end| matches!(end, Ended::Done(()))), "{ended:?}");
        assert_eq!(order, [1, 2, 0], "the silent one was overtaken by all who came after it");
    }

    #[tokio::test]
    async fn a_panic_is_one_tenants_own() {
        let ended = run(3, PATIENT, &Stop::default(), |at, _| async move { assert_ne!(at, 1) }, |_, _| {}).await;
        assert!(matches!(ended.as_slice(), [Ended::Done(()), Ended::Panicked, Ended::Done(())]), "{ended:?}");
    }

    #[tokio::test]
    async fn a_stop_lets_what_has_begun_come_to_its_end() {
        let stop = Stop::default();
        let asked = stop.clone();
        let ended = run(
            5,
            Limits { parallel: 1, ..PATIENT },
            &stop,
            |at, _| {
                let asked = asked.clone();
                async move {
                    if at == 1 {
                        asked.ask();
                    }
                }
            },
            |_, _| {},
        )
        .await;
        let done = ended.iter().filter(|end| matches!(end, Ended::Done(()))).count();
        assert_eq!((done, ended.iter().filter(|end| matches!(end, Ended::NotBegun)).count()), (2, 3));
    }

    #[tokio::test]
    async fn those_who_wait_to_be_let_in_take_nobodys_place() {
        let knocking = |at: usize, pulse: Pulse| async move {
            pulse.knock(at < 10);
            if at < 10 {
                std::future::pending::<()>().await;
            }
        };
        let limits = Limits { parallel: 2, patience: Duration::from_secs(4) };
        let done = run(12, limits, &Stop::default(), knocking, |_, _| {}).await;
        assert_eq!(done.iter().filter(|end| matches!(end, Ended::Done(()))).count(), 2, "{done:?}");
        assert_eq!(done.iter().filter(|end| matches!(end, Ended::Silent(_))).count(), 10, "{done:?}");
    }

    #[tokio::test]
    async fn a_tenant_that_is_slow_and_alive_lends_its_place_too() {
        let (others, mut order) = (Arc::new(AtomicUsize::new(0)), Vec::new());
        let limits = Limits { parallel: 1, patience: Duration::from_secs(60) };
        let step = |at: usize, pulse: Pulse| {
            let others = Arc::clone(&others);
            async move {
                others.fetch_add(usize::from(at > 0), Ordering::SeqCst);
                // Whoever waited for it would wait for ten seconds.
                for _ in 0..200 {
                    if at > 0 || others.load(Ordering::SeqCst) == 3 {
                        break;
                    }
                    pulse.beat();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        run(4, limits, &Stop::default(), step, |at, _| order.push(at)).await;
        assert_eq!(order, [1, 2, 3, 0]);
    }

    #[tokio::test]
    async fn paused_ones_have_no_place_and_come_back_no_more_at_a_time_than_may_be() {
        let (begun, now, most) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let step = |_, pulse: Pulse| {
            let (begun, now, most) = (Arc::clone(&begun), Arc::clone(&now), Arc::clone(&most));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                // All are paused until the last has begun: whoever held a place while he is would keep it from that one.
                pulse.leave();
                while begun.load(Ordering::SeqCst) < 9 || !pulse.take() {
                    pulse.beat();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let ended = run(9, Limits { parallel: 2, ..PATIENT }, &Stop::default(), step, |_, _| {}).await;
        assert!(ended.iter().all(|end| matches!(end, Ended::Done(()))), "{ended:?}");
        assert_eq!((begun.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (9, 2));
    }

    #[tokio::test]
    async fn one_that_is_held_back_is_overtaken_and_begins_when_it_may() {
        let (others, mut order) = (AtomicUsize::new(0), Vec::new());
        let held = |at: usize| at == 0 && others.load(Ordering::SeqCst) < 2;
        let count = |at: usize, _: &Ended<()>| {
            others.fetch_add(1, Ordering::SeqCst);
            order.push(at);
        };
        let limits = Limits { parallel: 1, ..PATIENT };
        run_unless(3, limits, &Stop::default(), held, |_, _| async {}, count).await;
        assert_eq!(order, [1, 2, 0]);
        // Nobody waits for one that never may, once a stop was asked for.
        let stop = Stop::default();
        let ended = run_unless(2, limits, &stop, |at| at == 0, |_, _| async {}, |_, _: &Ended<()>| stop.ask()).await;
        assert!(matches!(ended.as_slice(), [Ended::NotBegun, Ended::Done(())]), "{ended:?}");
    }

    #[tokio::test]
    async fn however_many_take_long_there_are_never_more_than_twice_as_many_as_may_be_at_work() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let step = |_, pulse: Pulse| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pulse.kept(tokio::time::sleep(LEND * 3)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let limits = Limits { parallel: 1, patience: Duration::from_secs(60) };
        run(5, limits, &Stop::default(), step, |_, _| {}).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
