//! A look at what the stacks of a cluster share.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    evaluate::{Evaluation, Finalizers, Input, LastGood, Step},
    ids::{Key, ProviderKind, StackId, sha256_hex},
    intent::{Ask, Intent, Member},
    note::Note,
    plan::{Bindings, Handle, OpId, Plan, ResourceKey},
    read::{self, ReadConfig},
    settings::{Provenance, alb, nlb},
    snapshot::Snapshot,
};

use super::{
    Network, NetworkModel, NetworkObserved, NetworkOp, NetworkScope, RULE_DESCRIPTION,
    rules::{self, Asking, RulesError},
};
use crate::{
    compare,
    config::Quota,
    facts::{Answer, Interface, Query},
    lower,
    model::{Permission, SecurityGroup, SecurityGroupRef},
    naming,
    observed::SecurityGroupSeen,
    ownership::{Owned, Taken},
    tags,
};

const BACKEND_DESCRIPTION: &str = "[k8s] Shared Backend SecurityGroup for LoadBalancer";

/// The one pure entry of the Network unit.
pub(super) fn evaluate(input: &Input<'_, Network>) -> Step<Network> {
    let (asking, mut notes) = match rules::asking(input.snapshot, input.facts) {
        Ok(asking) => asking,
        Err(queries) => return Step::NeedFacts(queries),
    };
    let (addresses, instances) = rules::wanted_interfaces(&asking);
    let nobody = addresses.is_empty() && instances.is_empty();
    let query = Query::Interfaces { addresses, instances };
    let interfaces = match input.facts.get(&query) {
        Some(Answer::Interfaces(interfaces)) => interfaces.as_slice(),
        _ if nobody => &[],
        _ => return Step::NeedFacts(vec![query]),
    };
    let (rules, more) = rules::rules(input.config, input.snapshot, &asking, interfaces);
    notes.extend(more);
    let asked_by = asked_by(input, &asking);
    let model = NetworkModel { backend: (!asked_by.is_empty()).then(|| backend(input)), rules };
    let fingerprint = fingerprint(&model);
    let look = Look { input, asking, interfaces, asked_by, model, notes, fingerprint };
    match (look.as_applied_last(), input.observed) {
        (Some(evaluation), _) => Step::Done(Box::new(evaluation)),
        (None, Some(observed)) => Step::Done(Box::new(look.compare(observed))),
        (None, None) => Step::NeedObserved(look.scope()),
    }
}

/// Whose load balancer carries, or is about to carry, the shared group: those with bindings, else the first stack that
/// needs it. Nobody: it is not needed.
fn asked_by(input: &Input<'_, Network>, asking: &[Asking<'_>]) -> Vec<Provenance> {
    let bound: Vec<Provenance> =
        asking.iter().filter(|one| one.made_by_a_stack()).map(Asking::provenance).collect();
    if !bound.is_empty() {
        return bound;
    }
    let words = ReadConfig {
        ingress_class: input.config.ingress_class.clone(),
        load_balancer_class: input.config.load_balancer_class.clone(),
    };
    let stacks = read::stacks(input.snapshot, &words);
    let of_aws = stacks.into_iter().filter(|stack| stack.provider == ProviderKind::Aws);
    let mut needs = of_aws.map(|stack| needed_by(input.snapshot, &words, &stack));
    needs.find(|needs| !needs.is_empty()).unwrap_or_default()
}

/// Members of a stack whose load balancer carries the group, and those that were served once and cannot be read now.
///
/// Groups that one of them gave come alone, unless rules for them are asked for. Which members the load balancer is made
/// of, its state says: what a held one gives, the load balancer does not have.
fn needed_by(snapshot: &Snapshot, words: &ReadConfig, stack: &StackId) -> Vec<Provenance> {
    let state = snapshot.states.get(&Key::cluster(&stack.state_name()));
    let last_good = LastGood::of(state.and_then(|state| state.status.as_ref()));
    let Intent { members, unreadable, leaving, .. } = read::intent(snapshot, words, stack, &last_good).0;
    let served: Vec<Member> = last_good.members.into_values().collect();
    let members = if served.is_empty() { members } else { served };
    let carried = !members.iter().any(gives_groups) || members.iter().any(manages_rules);
    let carriers = members.iter().filter(|_| carried);
    let once = unreadable.iter().filter(|object| read::is_finalized(snapshot, object, stack));
    let unknown = once.chain(leaving.iter().map(|one| &one.object));
    let unknown = unknown.map(|object| Provenance { object: object.clone(), key: "spec".to_owned() });
    carriers.map(lower::written_by).chain(unknown).collect()
}

fn gives_groups(member: &Member) -> bool {
    let groups = match member.ask {
        Ask::Http(_) => member.settings.get(&alb::SECURITY_GROUPS),
        Ask::L4(_) => member.settings.get(&nlb::SECURITY_GROUPS),
    };
    groups.is_ok_and(|groups| groups.is_some_and(|groups| !groups.value.is_empty()))
}

/// What cannot be read may ask for it.
fn manages_rules(member: &Member) -> bool {
    let managed = match member.ask {
        Ask::Http(_) => member.settings.get(&alb::MANAGE_BACKEND_SECURITY_GROUP_RULES),
        Ask::L4(_) => member.settings.get(&nlb::MANAGE_BACKEND_SECURITY_GROUP_RULES),
    };
    managed.map_or(true, |managed| managed.is_some_and(|managed| managed.value))
}

fn backend(input: &Input<'_, Network>) -> SecurityGroup {
    let mut tags = input.config.default_tags.clone();
    tags.extend(tags::backend_marks(input.config));
    SecurityGroup {
        name: naming::backend_security_group(&input.config.cluster),
        description: BACKEND_DESCRIPTION.to_owned(),
        permissions: BTreeSet::new(),
        tags,
    }
}

fn fingerprint(model: &NetworkModel) -> String {
    let text = serde_json::to_string(model).unwrap_or_default();
    sha256_hex([text.as_str()])
}

fn backend_key() -> ResourceKey {
    ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned())
}

fn handle(id: &str) -> Handle {
    Handle { id: id.to_owned(), ready: true, ..Handle::default() }
}

struct Look<'a> {
    input: &'a Input<'a, Network>,
    asking: Vec<Asking<'a>>,
    interfaces: &'a [Interface],
    asked_by: Vec<Provenance>,
    model: NetworkModel,
    notes: Vec<Note>,
    fingerprint: String,
}

impl Look<'_> {
    /// Nothing to do and nothing to observe, if the shared group's id is remembered.
    fn as_applied_last(&self) -> Option<Evaluation<Network>> {
        let LastGood { fingerprint, addresses, .. } = self.input.last_good;
        let id = addresses.get(SecurityGroupRef::BACKEND_KEY);
        let known = self.model.backend.is_none() || id.is_some();
        let settled = fingerprint.as_ref() == Some(&self.fingerprint) && self.notes.is_empty() && known;
        let bindings = id.map(|id| (backend_key(), handle(id))).into_iter().collect();
        settled.then(|| self.evaluation(Plan::default(), bindings, Vec::new()))
    }

    fn scope(&self) -> NetworkScope {
        NetworkScope {
            backend_marks: tags::backend_marks(self.input.config),
            backend_name: naming::backend_security_group(&self.input.config.cluster),
            groups: self.model.rules.keys().cloned().collect(),
            cluster_tag: format!("kubernetes.io/cluster/{}", self.input.config.cluster),
        }
    }

    fn compare(&self, observed: &NetworkObserved) -> Evaluation<Network> {
        let marks = tags::backend_marks(self.input.config);
        let (mut plan, mut notes, mut bindings) = (Plan::default(), Vec::new(), Bindings::new());
        let have = match observed.backend.clone().map(|seen| Owned::claim(seen, &marks)) {
            Some(Ok(owned)) => {
                bindings.insert(backend_key(), handle(&owned.get().id));
                Some(owned)
            }
            Some(Err(foreign)) => {
                notes = self.taken(&foreign);
                None
            }
            None => None,
        };
        if let (None, Some(want), true) = (&have, &self.model.backend, notes.is_empty()) {
            plan.push_waiting(NetworkOp::CreateBackend(want.clone()), [], Vec::new(), self.asked_by.clone());
        }
        let (done, held) = self.rules(&mut plan, observed);
        notes.extend(held);
        // Rules name the shared group as their source: AWS refuses to delete it before they are gone.
        if let (Some(have), None, true) = (have, &self.model.backend, self.notes.is_empty()) {
            plan.push(NetworkOp::DeleteBackend(have), done);
        }
        self.evaluation(plan, bindings, notes)
    }

    /// Rules are allowed before others are revoked; what cannot be decided revokes nothing.
    /// A group that cannot have all of them gets none, and those who ask are told.
    fn rules(&self, plan: &mut Plan<NetworkOp>, observed: &NetworkObserved) -> (Vec<OpId>, Vec<Note>) {
        let (mut done, mut notes) = (Vec::new(), Vec::new());
        let none = BTreeSet::new();
        let groups: BTreeSet<&String> = self.model.rules.keys().chain(observed.groups.keys()).collect();
        for group in groups {
            let want = self.model.rules.get(group).unwrap_or(&none);
            let have = observed.groups.get(group).map(ours).unwrap_or_default();
            let missing = compare::security_group::without(want, &have);
            let extra = compare::security_group::without(&have, want);
            let mut last = Vec::new();
            if !missing.is_empty() {
                let because = rules::asked_by(self.input.config, &self.asking, self.interfaces, group);
                if let Some(error) = self.too_many(group, observed, missing.len()) {
                    notes.extend(because.iter().map(|asked| Note::hold(&asked.object, &error)));
                    continue;
                }
                let op = NetworkOp::Authorize { group: group.clone(), permissions: missing };
                last.push(plan.push_waiting(op, [], Vec::new(), because));
            }
            if !extra.is_empty() && self.notes.is_empty() {
                let op = NetworkOp::Revoke { group: group.clone(), permissions: extra };
                last.push(plan.push(op, last.clone()));
            }
            done.extend(last);
        }
        (done, notes)
    }

    /// Whether a group has no room for so many more, beside what is in it and what is yet to be revoked.
    fn too_many(&self, group: &str, observed: &NetworkObserved, more: usize) -> Option<RulesError> {
        let needed = observed.groups.get(group).map_or(0, |seen| seen.permissions.len()) + more;
        let quota = Quota::SecurityGroupRules;
        let most = self.input.config.quotas.most(quota);
        let error =
            || RulesError::LimitExceeded { group: group.to_owned(), needed, most, quota: quota.as_str() };
        (needed > most).then(error)
    }

    fn taken(&self, foreign: &SecurityGroupSeen) -> Vec<Note> {
        let error = Taken::new("security group", &foreign.name);
        let bindings = self.input.snapshot.target_group_bindings.keys();
        let about = |key: &Key| {
            fairway_core::ids::ObjectRef::new(fairway_core::ids::Kind::TargetGroupBinding, key.clone())
        };
        bindings.map(|key| Note::warn(&about(key), &error)).collect()
    }

    fn evaluation(&self, plan: Plan<NetworkOp>, bindings: Bindings, more: Vec<Note>) -> Evaluation<Network> {
        Evaluation {
            model: Some(self.model.clone()),
            plan,
            bindings,
            notes: self.notes.iter().cloned().chain(more).collect(),
            finalizers: Finalizers::default(),
            status: Vec::new(),
            good: BTreeMap::new(),
            fingerprint: self.fingerprint.clone(),
            gone: false,
            again: None,
        }
    }
}

/// Rules with our description.
fn ours(seen: &SecurityGroupSeen) -> BTreeSet<Permission> {
    let described = seen.permissions.iter().filter(|rule| rule.description == RULE_DESCRIPTION);
    described.cloned().collect()
}
