//! Which unit is looked at next, under a paused clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    ports::Dice,
    queue::{Queue, Rank},
    reconcile::Next,
};

struct Fixed(u64);

impl Dice for Fixed {
    fn roll(&self) -> u64 {
        self.0
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn queue(roll: u64) -> Arc<Queue<&'static str>> {
    Arc::new(Queue::new(Arc::new(Fixed(roll))))
}

/// Looks until `looks` have been made; answers with when each was, in milliseconds.
async fn run(
    queue: &Queue<&'static str>,
    workers: usize,
    looks: usize,
    next: impl Fn(&str, usize) -> Next + Sync,
) -> Vec<(&'static str, u128)> {
    let (begun, log) = (Instant::now(), Mutex::new(Vec::new()));
    queue
        .work(workers, |unit| {
            let (log, next) = (&log, &next);
            async move {
                let nth = {
                    let mut log = log.lock().unwrap();
                    log.push((unit, begun.elapsed().as_millis()));
                    log.len()
                };
                if nth == looks {
                    queue.close();
                }
                next(unit, nth)
            }
        })
        .await;
    log.into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn membership_comes_before_changes_and_changes_before_resyncs() {
    let queue = queue(0);
    queue.push("resync", Rank::Resync);
    queue.push("change", Rank::Change);
    queue.push("second change", Rank::Change);
    queue.push("members", Rank::Membership);
    queue.push("resync", Rank::Resync);
    assert_eq!(queue.waiting(), 4, "asked for twice, in the queue once");
    let order: Vec<_> = run(&queue, 1, 4, |_, _| Next::OnChange).await.into_iter().map(|(u, _)| u).collect();
    assert_eq!(order, ["members", "change", "second change", "resync"]);
}

#[tokio::test(start_paused = true)]
async fn a_higher_rank_moves_a_unit_forward() {
    let queue = queue(0);
    queue.push("a", Rank::Change);
    queue.push("b", Rank::Resync);
    queue.push("b", Rank::Membership);
    let order: Vec<_> = run(&queue, 1, 2, |_, _| Next::OnChange).await.into_iter().map(|(u, _)| u).collect();
    assert_eq!(order, ["b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn back_off_doubles_from_a_second_to_two_minutes_and_starts_over_after_success() {
    let queue = queue(0);
    queue.push("a", Rank::Change);
    let looks =
        run(&queue, 1, 11, |_, nth| if nth == 10 { Next::Within(SECOND) } else { Next::Backoff(None) }).await;
    let at: Vec<u128> = looks.iter().map(|(_, at)| *at).collect();
    let gaps: Vec<u128> = at.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
    assert_eq!(gaps, [1, 2, 4, 8, 16, 32, 64, 120, 120, 1]);
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_a_back_off_by_at_most_half() {
    for (roll, want) in [(0, 1000), (250, 750), (500, 500)] {
        let queue = queue(roll);
        queue.push("a", Rank::Change);
        let looks = run(&queue, 1, 2, |_, _| Next::Backoff(None)).await;
        assert_eq!(looks[1].1, want, "roll {roll}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_servers_hint_is_honoured_and_slow_goes_up_to_five_minutes() {
    let queue = queue(0);
    queue.push("hinted", Rank::Change);
    let looks = run(&queue, 1, 2, |_, _| Next::Backoff(Some(SECOND * 45))).await;
    assert_eq!(looks[1].1, 45_000);
    let slow = self::queue(0);
    slow.push("slow", Rank::Change);
    let looks = run(&slow, 1, 8, |_, _| Next::Slow).await;
    assert_eq!(looks[1].1, 10_000);
    assert_eq!(looks[7].1 - looks[6].1, 300_000);
}

#[tokio::test(start_paused = true)]
async fn a_push_brings_a_later_look_forward() {
    let queue = queue(0);
    queue.push("a", Rank::Change);
    let pusher = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move {
            sleep(SECOND * 3).await;
            queue.push("a", Rank::Change);
        })
    };
    let looks = run(&queue, 2, 2, |_, _| Next::Within(SECOND * 3600)).await;
    assert_eq!(looks, [("a", 0), ("a", 3000)]);
    pusher.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_unit_is_never_looked_at_twice_at_a_time_and_no_change_is_lost() {
    let queue = queue(0);
    for unit in ["a", "b", "c"] {
        queue.push(unit, Rank::Change);
    }
    let running: Mutex<BTreeMap<&str, u32>> = Mutex::default();
    let looks = Mutex::new(0);
    queue
        .work(3, |unit| {
            let (queue, running, looks) = (&queue, &running, &looks);
            async move {
                let now = *running.lock().unwrap().entry(unit).and_modify(|n| *n += 1).or_insert(1);
                assert_eq!(now, 1, "{unit} is looked at twice at a time");
                // Something changes while the unit is being looked at.
                let nth = {
                    let mut looks = looks.lock().unwrap();
                    *looks += 1;
                    *looks
                };
                if nth <= 6 {
                    queue.push(unit, Rank::Change);
                }
                sleep(SECOND).await;
                *running.lock().unwrap().get_mut(unit).unwrap() -= 1;
                if nth == 9 {
                    queue.close();
                }
                Next::OnChange
            }
        })
        .await;
    assert_eq!(looks.into_inner().unwrap(), 9, "six changes came while a look was under way");
}

#[tokio::test(start_paused = true)]
async fn slow_looks_do_not_keep_membership_waiting() {
    let queue = queue(0);
    for unit in ["slow", "slow too", "waits"] {
        queue.push(unit, Rank::Change);
    }
    let (begun, log) = (Instant::now(), Mutex::new(Vec::new()));
    let pushing = async {
        sleep(SECOND).await;
        queue.push("pods", Rank::Membership);
        queue.push("more pods", Rank::Membership);
        sleep(SECOND * 20).await;
        queue.close();
    };
    let working = queue.work(2, |unit| {
        log.lock().unwrap().push((unit, begun.elapsed().as_secs()));
        async move {
            sleep(if unit.contains("pods") { SECOND } else { SECOND * 10 }).await;
            Next::OnChange
        }
    });
    futures::join!(pushing, working);
    let wanted = [("slow", 0), ("slow too", 0), ("pods", 1), ("more pods", 2), ("waits", 10)];
    assert_eq!(log.into_inner().unwrap(), wanted);
}
