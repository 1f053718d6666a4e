//! LoadBalancerState objects: what a unit's reports show.

use std::{collections::BTreeMap, time::Duration};

use fairway_core::{
    ids::{Key, StackId},
    report::{PublishedAddress, StateReport},
    snapshot::Snapshot,
};
use fairway_crds::{
    ANNOUNCED, LastPlan, LoadBalancerAddress, LoadBalancerState, LoadBalancerStateSpec,
    LoadBalancerStateStatus,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{Writer, params};
use crate::error::{ClusterError, status};

/// Seconds: a drift check that found nothing is remembered at most this late, and costs no write before.
const WORTH_A_WRITE: i64 = 600;

impl Writer {
    /// Brings the state of a stack to `wanted`, creating it when there is none and leaving it alone when it shows that
    /// already.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn state(
        &self,
        stack: &StackId,
        present: Option<&LoadBalancerState>,
        mut wanted: LoadBalancerStateStatus,
    ) -> Result<(), ClusterError> {
        wanted.conditions.retain(|condition| self.is_ours(condition));
        let api: Api<LoadBalancerState> = Api::all(self.client.clone());
        let name = stack.state_name();
        let failed = |error| ClusterError::new(format!("LoadBalancerState {name}"), error);
        if present.is_none() {
            let spec = LoadBalancerStateSpec {
                stack: stack.to_string(),
                provider: stack.provider.as_str().to_owned(),
            };
            match api.create(&PostParams::default(), &LoadBalancerState::new(&name, spec)).await {
                Ok(_) => {}
                Err(error) if status(&error) == Some(409) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if present.and_then(|state| state.status.as_ref()).is_some_and(|present| self.same(present, &wanted))
        {
            return Ok(());
        }
        // Applied, not merged: entries of maps that are not wanted any more have to go.
        let patch = json!({
            "apiVersion": LoadBalancerState::api_version(&()), "kind": LoadBalancerState::kind(&()),
            "metadata": {"name": name}, "status": wanted,
        });
        let applied = api.patch_status(&name, &params().force(), &Patch::Apply(&patch)).await;
        applied.map(drop).map_err(failed)
    }

    /// Says something in a stack's state as `manager`: one condition a code, in place of what it said before. `false`:
    /// the stack has no state.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn say(
        &self,
        snapshot: &Snapshot,
        stack: &StackId,
        manager: &str,
        texts: &BTreeMap<String, String>,
    ) -> Result<bool, ClusterError> {
        let name = stack.state_name();
        let Some(state) = snapshot.states.get(&Key::cluster(&name)) else { return Ok(false) };
        let before = state.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let said = texts
            .iter()
            .map(|(code, text)| condition(before, code.clone(), true, code.clone(), text.clone()));
        let patch = json!({
            "apiVersion": LoadBalancerState::api_version(&()), "kind": LoadBalancerState::kind(&()),
            "metadata": {"name": name}, "status": {"conditions": said.collect::<Vec<_>>()},
        });
        let api: Api<LoadBalancerState> = Api::all(self.client.clone());
        let manager = PatchParams::apply(manager).force();
        match api.patch_status(&name, &manager, &Patch::Apply(&patch)).await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            Err(error) => Err(ClusterError::new(format!("LoadBalancerState {name}"), error)),
        }
    }

    /// Deletes the state of a stack. One that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn forget(&self, stack: &StackId) -> Result<(), ClusterError> {
        let api: Api<LoadBalancerState> = Api::all(self.client.clone());
        match api.delete(&stack.state_name(), &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("LoadBalancerState {}", stack.state_name()), error)),
        }
    }

    /// Every state, read from the server and not from a watch: for decisions that must see what was just written.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn states(&self) -> Result<Vec<LoadBalancerState>, ClusterError> {
        let api: Api<LoadBalancerState> = Api::all(self.client.clone());
        let listed = api.list(&kube::api::ListParams::default()).await;
        listed.map(|list| list.items).map_err(|error| ClusterError::new("LoadBalancerStates", error))
    }

    /// Two statuses that differ only in when they were looked at are the same, until the difference is worth a write.
    fn same(&self, present: &LoadBalancerStateStatus, wanted: &LoadBalancerStateStatus) -> bool {
        let seen = |status: &LoadBalancerStateStatus| {
            status.fingerprint_observed_at.as_ref().map(|at| at.0.as_second())
        };
        let aged = match (seen(present), seen(wanted)) {
            (Some(before), Some(now)) => now - before > WORTH_A_WRITE,
            (before, now) => before.is_some() != now.is_some(),
        };
        let timeless = |status: &LoadBalancerStateStatus| {
            let mut status = status.clone();
            status.fingerprint_observed_at = None;
            status.conditions.retain(|condition| self.is_ours(condition));
            if let Some(plan) = status.last_plan.as_mut() {
                plan.made_at = None;
            }
            status
        };
        !aged && timeless(present) == timeless(wanted)
    }

    /// Agents write one condition themselves, others some: they are left to them.
    fn is_ours(&self, condition: &Condition) -> bool {
        condition.type_ != ANNOUNCED && !self.others.contains(&condition.type_.as_str())
    }
}

/// A report as a state's status, at the present time; `observed_at`, since the Unix epoch, is when the world was last
/// seen to be as the fingerprint says. Conditions keep the time of their last transition.
#[must_use]
pub fn state_status(
    report: &StateReport,
    observed_at: Option<Duration>,
    present: Option<&LoadBalancerStateStatus>,
) -> LoadBalancerStateStatus {
    let before = present.cloned().unwrap_or_default();
    let addresses: Vec<LoadBalancerAddress> = report.addresses.iter().map(address).collect();
    let good = report
        .good
        .iter()
        .filter_map(|(name, member)| Some((name.clone(), serde_json::to_string(member).ok()?)));
    LoadBalancerStateStatus {
        conditions: conditions(report, &before.conditions),
        address: addresses.first().and_then(|first| first.hostname.clone().or_else(|| first.ip.clone())),
        addresses,
        arns: report.bindings.iter().map(|(key, handle)| (key.to_string(), handle.id.clone())).collect(),
        last_plan: if report.plan.is_empty() {
            before.last_plan
        } else {
            Some(LastPlan { made_at: Some(now()), lines: report.plan.clone(), ..LastPlan::default() })
        },
        fingerprint: report.fingerprint.clone(),
        fingerprint_observed_at: report.fingerprint.as_ref().and(observed_at).and_then(time),
        last_good: good.collect(),
        ..before
    }
    .bounded()
}

fn address(address: &PublishedAddress) -> LoadBalancerAddress {
    LoadBalancerAddress {
        hostname: address.hostname.clone(),
        ip: address.ip.clone(),
        hosted_zone_id: address.zone_id.clone(),
    }
}

/// `Ready`, and one condition for every note, by its code.
fn conditions(report: &StateReport, before: &[Condition]) -> Vec<Condition> {
    let mut wanted = vec![(
        "Ready".to_owned(),
        report.ready.status,
        report.ready.reason.clone(),
        report.ready.message.clone(),
    )];
    let mut notes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for note in &report.notes {
        notes.entry(&note.code).or_default().push(note.to_string());
    }
    wanted.extend(
        notes.into_iter().map(|(code, texts)| (code.to_owned(), true, code.to_owned(), texts.join("; "))),
    );
    wanted
        .into_iter()
        .map(|(type_, status, reason, message)| condition(before, type_, status, reason, message))
        .collect()
}

fn condition(
    before: &[Condition],
    type_: String,
    status: bool,
    reason: String,
    message: String,
) -> Condition {
    let status = if status { "True" } else { "False" }.to_owned();
    let kept = before.iter().find(|condition| condition.type_ == type_ && condition.status == status);
    Condition {
        last_transition_time: kept.map_or_else(now, |condition| condition.last_transition_time.clone()),
        message,
        observed_generation: None,
        reason,
        status,
        type_,
    }
}

fn time(since_epoch: Duration) -> Option<Time> {
    let seconds = i64::try_from(since_epoch.as_secs()).ok()?;
    Timestamp::from_second(seconds).ok().map(Time)
}

fn now() -> Time {
    Time(Timestamp::now())
}
