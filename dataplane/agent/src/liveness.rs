//! Who lives, as far as this agent can know.
//!
//! Clocks of other machines are not trusted, and an API server that is away says nothing about nodes. Time is
//! therefore counted by our own renewals as they come back through the watch: while they do, the server takes
//! writes and tells us of them, and a node that shows no renewal of its own meanwhile has stopped. While they do
//! not, nobody is declared dead.
//!
//! | time             | seconds | why                                                                          |
//! |------------------|---------|------------------------------------------------------------------------------|
//! | between renewals | 2       | see [`crate::lease`]                                                         |
//! | counted at most  | 3       | for one renewal of our own: a pause (of us or of the server) is nobody's death |
//! | silence          | 6       | three renewals in a row                                                      |

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use fairway_metal::election::Peers;
use jiff::Timestamp;

/// See the module's table.
const STEP: Duration = Duration::from_secs(3);
/// See the module's table.
const SILENCE: Duration = Duration::from_secs(6);

/// One renewal that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Whose.
    pub(crate) node: String,
    /// Which process on it.
    pub(crate) holder: String,
    /// Compared for difference only.
    pub(crate) renewed: Option<Timestamp>,
}

/// What was heard of the Leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// One is there.
    Beat(Beat),
    /// One was given back.
    Released(String),
    /// These nodes' Leases are all there are.
    Listed(BTreeSet<String>),
}

/// The nodes' agents, by what was heard of their Leases.
#[derive(Debug)]
pub(crate) struct Liveness {
    node: String,
    holder: String,
    clock: Duration,
    last: Option<Instant>,
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    beat: Beat,
    at: Duration,
    trust: Trust,
}

/// Whether one renewal is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Full,
    /// It was dead: a single renewal may be one that was under way when it died, and was delivered late.
    AfterOneMore,
}

impl Liveness {
    /// Knows nobody. `holder` is this process on `node`.
    pub(crate) fn new(node: &str, holder: &str) -> Self {
        Self {
            node: node.to_owned(),
            holder: holder.to_owned(),
            clock: Duration::ZERO,
            last: None,
            seen: BTreeMap::new(),
        }
    }

    /// Takes in what was heard at `now`.
    pub(crate) fn hear(&mut self, heard: Heard, now: Instant) {
        match heard {
            Heard::Beat(beat) => self.beat(beat, now),
            Heard::Released(node) => drop(self.seen.remove(&node)),
            Heard::Listed(nodes) => self.seen.retain(|node, _| nodes.contains(node)),
        }
    }

    /// When our own renewal last came back: since then, nothing is known of the others.
    pub(crate) const fn in_touch(&self) -> Option<Instant> {
        self.last
    }

    fn is_silent(&self, seen: &Seen) -> bool {
        self.clock.saturating_sub(seen.at) >= SILENCE
    }

    /// Who is alive, and who died.
    pub(crate) fn peers(&self) -> Peers {
        let mut peers = Peers::default();
        for (node, seen) in &self.seen {
            let dead = self.is_silent(seen) || seen.trust == Trust::AfterOneMore;
            let nodes = if dead { &mut peers.dead } else { &mut peers.alive };
            nodes.insert(node.clone());
        }
        peers
    }

    fn beat(&mut self, beat: Beat, now: Instant) {
        let own = beat.node == self.node;
        // What an earlier process on this node left says nothing about this one.
        let stale = own && beat.holder != self.holder;
        let before = self.seen.get(&beat.node);
        if stale || before.is_some_and(|seen| seen.beat == beat) {
            return;
        }
        let returns = before.is_some_and(|seen| seen.beat.holder == beat.holder && self.is_silent(seen));
        let trust = if returns { Trust::AfterOneMore } else { Trust::Full };
        if own {
            let passed = self.last.replace(now).map(|last| now.saturating_duration_since(last));
            self.clock += passed.unwrap_or_default().min(STEP);
        }
        self.seen.insert(beat.node.clone(), Seen { beat, at: self.clock, trust });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renewals at seconds of a test's own clock.
    struct Story {
        liveness: Liveness,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            Self { liveness: Liveness::new("n1", "n1-a"), start: Instant::now() }
        }

        fn beat(&mut self, node: &str, second: u64) -> &mut Self {
            self.beat_of(node, &format!("{node}-a"), second)
        }

        fn beat_of(&mut self, node: &str, holder: &str, second: u64) -> &mut Self {
            let renewed = Timestamp::from_second(i64::try_from(second).unwrap()).ok();
            let beat = Beat { node: node.to_owned(), holder: holder.to_owned(), renewed };
            self.liveness.hear(Heard::Beat(beat), self.start + Duration::from_secs(second));
            self
        }

        fn alive(&self) -> Vec<String> {
            self.liveness.peers().alive.into_iter().collect()
        }

        fn dead(&self) -> Vec<String> {
            self.liveness.peers().dead.into_iter().collect()
        }
    }

    #[test]
    fn a_node_that_is_silent_for_three_renewals_is_dead() {
        let mut story = Story::new();
        story.beat("n2", 0).beat("n1", 0).beat("n1", 2).beat("n2", 2).beat("n1", 4).beat("n1", 6);
        assert_eq!(story.alive(), ["n1", "n2"]);
        story.beat("n1", 8);
        assert_eq!((story.alive(), story.dead()), (vec!["n1".to_owned()], vec!["n2".to_owned()]));
        story.beat("n2", 9);
        assert_eq!(story.dead(), ["n2"], "one renewal may have been under way when it died");
        story.beat("n2", 11);
        assert_eq!(story.alive(), ["n1", "n2"]);
    }

    #[test]
    fn a_new_process_on_a_node_that_died_is_alive_at_once() {
        let mut story = Story::new();
        story.beat("n2", 0).beat("n1", 0).beat("n1", 2).beat("n1", 4).beat("n1", 6);
        assert_eq!(story.dead(), ["n2"]);
        story.beat_of("n2", "n2-b", 7);
        assert_eq!(story.alive(), ["n1", "n2"]);
    }

    #[test]
    fn nobody_dies_while_our_own_renewals_do_not_come_back() {
        let mut story = Story::new();
        story.beat("n1", 0).beat("n2", 0).beat("n1", 2).beat("n2", 2);
        story.beat("n1", 600);
        assert_eq!(story.alive(), ["n1", "n2"], "the server was away; others renew within seconds");
        story.beat("n2", 601).beat("n1", 602);
        assert_eq!(story.alive(), ["n1", "n2"]);
    }

    #[test]
    fn the_same_renewal_seen_again_is_no_sign_of_life() {
        let mut story = Story::new();
        story.beat("n2", 0).beat("n1", 0).beat("n1", 2).beat("n1", 4).beat("n2", 0).beat("n1", 6);
        assert_eq!(story.dead(), ["n2"]);
    }

    #[test]
    fn a_lease_given_back_is_neither_alive_nor_dead() {
        let mut story = Story::new();
        story.beat("n1", 0).beat("n2", 0).beat("n3", 0);
        story.liveness.hear(Heard::Released("n2".to_owned()), story.start);
        story.liveness.hear(Heard::Listed(BTreeSet::from(["n1".to_owned()])), story.start);
        assert_eq!((story.alive(), story.dead()), (vec!["n1".to_owned()], vec![]));
    }

    #[test]
    fn an_earlier_process_on_this_node_does_not_count() {
        let mut story = Story::new();
        story.beat_of("n1", "n1-before", 0);
        assert!(story.alive().is_empty());
        story.beat("n1", 1);
        assert_eq!(story.alive(), ["n1"]);
    }
}
