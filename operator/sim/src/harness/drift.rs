//! What somebody changes in AWS behind our back is found and put right within one drift period.

use super::{Outcome, Run, Wiring, dump, paused};
use crate::{faults::Faults, operator::DRIFT_PERIOD, scenario::Scenario, world::Aws};

/// Plays a scenario to its last step, lets `meddle` change AWS without anybody being told, and lets one drift period
/// pass: then everything must be as before.
pub fn repairs(scenario: &Scenario, wiring: Wiring, meddle: impl FnOnce(&mut Aws)) -> Outcome {
    paused(async { Run::new(scenario, Faults::default(), wiring).suffer(scenario, meddle).await })
}

impl Run {
    async fn suffer(mut self, scenario: &Scenario, meddle: impl FnOnce(&mut Aws)) -> Outcome {
        self.start(0);
        for step in &scenario.steps {
            self.take(step);
            self.rest(&step.say, Some(step), None).await;
        }
        let before = dump::lines(&self.sim.lock());
        meddle(&mut self.sim.lock().aws);
        if dump::lines(&self.sim.lock()) == before {
            self.problem("nothing was changed behind our back".to_owned());
        }
        self.wait(DRIFT_PERIOD.as_secs()).await;
        let after = dump::lines(&self.sim.lock());
        for line in before.difference(&after) {
            self.problem(format!("not repaired: {line}"));
        }
        for line in after.difference(&before) {
            self.problem(format!("still there: {line}"));
        }
        self.finish()
    }
}
