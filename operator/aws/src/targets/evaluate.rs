//! A look at one TargetGroupBinding.
//!
//! | what is missing          | targets                                    |
//! |--------------------------|--------------------------------------------|
//! | the Service              | none: what is registered is taken out      |
//! | its port or node port    | not known: what is registered is kept      |
//!
//! Nothing is asked of AWS while the checkpoint says that all is registered and no pod waits for its target.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fairway_core::{
    class::{Class, Classified},
    evaluate::{Evaluation, Finalizers, Input, Step},
    ids::{Kind, ObjectRef},
    note::Note,
    plan::{Bindings, Plan},
};
use fairway_crds::TargetGroupBinding;
use ipnet::IpNet;

use super::{
    BoundError, FINALIZER, Target, Targets, TargetsModel, TargetsObserved, TargetsScope, bound,
    change::Change,
    checkpoint, checkpoint_of,
    gate::{self, Gated},
    made_by_a_stack,
};
use crate::{
    endpoints::{self, Endpoint, Slices, Unknown},
    facts::{Answer, Query},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TargetsError {
    #[error("{0}; no target is registered for it")]
    NoService(Unknown),
    #[error("{0}; registered targets are kept")]
    Unknown(Unknown),
    #[error("{0}; registered targets are kept")]
    Bound(BoundError),
    #[error("VPC {0} does not exist")]
    NoVpc(String),
    #[error("{0} targets are wanted and no more than {1} may be registered in one target group")]
    TooMany(usize, usize),
    #[error("the spec cannot be written as JSON")]
    Spec,
}

impl From<BoundError> for TargetsError {
    fn from(error: BoundError) -> Self {
        Self::Bound(error)
    }
}

impl Classified for TargetsError {
    fn class(&self) -> Class {
        match self {
            Self::NoService(_) | Self::Unknown(_) => Class::Invalid,
            Self::Bound(error) => error.class(),
            Self::NoVpc(_) | Self::TooMany(..) => Class::Environment,
            Self::Spec => Class::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoService(_) | Self::Unknown(_) => "BackendNotFound",
            Self::Bound(error) => error.code(),
            Self::NoVpc(_) => "VpcNotFound",
            Self::TooMany(..) => "TooManyTargets",
            Self::Spec => "InternalError",
        }
    }
}

/// The one pure entry of the Targets unit.
pub(super) fn evaluate(input: &Input<'_, Targets>) -> Step<Targets> {
    let Some(binding) = input.snapshot.target_group_bindings.get(input.unit) else {
        return Step::Done(Box::new(Evaluation { gone: true, ..nothing() }));
    };
    let look = Look { input, binding, about: ObjectRef::new(Kind::TargetGroupBinding, input.unit.clone()) };
    let step =
        if binding.metadata.deletion_timestamp.is_some() { look.farewell() } else { look.registration() };
    step.unwrap_or_else(|error| Step::Done(Box::new(look.held(&error))))
}

struct Look<'a> {
    input: &'a Input<'a, Targets>,
    binding: &'a TargetGroupBinding,
    about: ObjectRef,
}

/// What is wanted, and what there is to say of it.
struct Wanted<'a> {
    model: TargetsModel,
    gated: Vec<Gated<'a>>,
    notes: Vec<Note>,
}

impl Look<'_> {
    fn registration(&self) -> Result<Step<Targets>, TargetsError> {
        let query = bound::query(&self.binding.spec)?;
        let answer = self.input.facts.get(&query);
        let Some(binding) = bound::filled(self.binding, answer)? else {
            return Ok(Step::NeedFacts(vec![query]));
        };
        bound::plausible(&binding.spec)?;
        let (endpoints, notes) = self.endpoints(&binding)?;
        let checkpoint = checkpoint::of(&endpoints, &self.binding.spec).map_err(|_| TargetsError::Spec)?;
        let vpc = self.vpc(&binding).filter(|_| !endpoints.is_empty());
        let ranges = match vpc.as_ref().map(|query| self.ranges(&binding, query)).transpose()? {
            None => None,
            Some(Some(ranges)) => Some(ranges),
            Some(None) => return Ok(Step::NeedFacts(vpc.into_iter().collect())),
        };
        let targets = endpoints.iter().map(|endpoint| target(endpoint, ranges.as_deref())).collect();
        let gated = gate::of(self.input.snapshot, &self.input.unit.name, &endpoints);
        let model = TargetsModel { targets, checkpoint: Some(checkpoint), ..model(&binding) };
        let wanted = Wanted { model, gated, notes };
        if self.is_settled(&wanted) {
            return Ok(self.done(wanted, Plan::default(), None));
        }
        // What a stack made says what AWS said when the group was made.
        if !made_by_a_stack(self.binding) {
            match answer {
                Some(Answer::BoundGroup(Some(group))) => bound::agrees(&self.binding.spec, group)?,
                Some(_) => return Err(BoundError::NoTargetGroup(wanted.model.target_group).into()),
                None => return Ok(Step::NeedFacts(vec![query])),
            }
        }
        self.compared(wanted)
    }

    /// Whether all is registered as the checkpoint says, and no pod waits.
    fn is_settled(&self, wanted: &Wanted<'_>) -> bool {
        let checkpoint = wanted.model.checkpoint.as_ref();
        let relied_on = self.input.last_good.fingerprint.as_ref() == checkpoint;
        let written = checkpoint_of(self.binding).as_ref() == checkpoint;
        relied_on && written && !wanted.gated.iter().any(Gated::waits)
    }

    fn compared(&self, wanted: Wanted<'_>) -> Result<Step<Targets>, TargetsError> {
        let Some(observed) = self.input.observed else {
            return Ok(Step::NeedObserved(scope(&wanted.model, &wanted.gated)));
        };
        if !observed.found {
            return Err(BoundError::NoTargetGroup(wanted.model.target_group).into());
        }
        let written = checkpoint_of(self.binding);
        let change = self.change(&wanted, observed, written.as_ref());
        let again =
            change.leaves_pods_waiting().then(|| Duration::from_secs(self.input.config.health_period));
        let plan = change.plan();
        Ok(self.done(wanted, plan, again))
    }

    /// The object goes: its targets go first, then the finalizer.
    fn farewell(&self) -> Result<Step<Targets>, TargetsError> {
        let released = || Ok(Step::Done(Box::new(self.released(nothing()))));
        let Ok(query) = bound::query(&self.binding.spec) else { return released() };
        if !self.finalized() {
            return released();
        }
        let binding = match bound::filled(self.binding, self.input.facts.get(&query)) {
            Ok(Some(binding)) => binding,
            Ok(None) => return Ok(Step::NeedFacts(vec![query])),
            // Nothing is registered in a group that does not exist.
            Err(_) => return released(),
        };
        let endpoints = self.behind(&binding).unwrap_or_default();
        let gated = gate::of(self.input.snapshot, &self.input.unit.name, &endpoints);
        let wanted = Wanted { model: model(&binding), gated, notes: Vec::new() };
        let Some(observed) = self.input.observed else {
            return Ok(Step::NeedObserved(scope(&wanted.model, &[])));
        };
        let plan = self.change(&wanted, observed, None).plan();
        Ok(Step::Done(Box::new(self.released(Evaluation { model: Some(wanted.model), plan, ..nothing() }))))
    }

    fn change<'b>(
        &'b self,
        wanted: &'b Wanted<'b>,
        observed: &'b TargetsObserved,
        written: Option<&'b String>,
    ) -> Change<'b> {
        let most = self.input.config.max_targets;
        Change {
            unit: self.input.unit,
            model: &wanted.model,
            observed,
            written,
            gated: &wanted.gated,
            most: if most == 0 { usize::MAX } else { most },
        }
    }

    fn released(&self, evaluation: Evaluation<Targets>) -> Evaluation<Targets> {
        let remove = self.finalized().then(|| (self.about.clone(), FINALIZER.to_owned()));
        let finalizers = Finalizers { add: Vec::new(), remove: remove.into_iter().collect() };
        Evaluation { finalizers, gone: true, ..evaluation }
    }

    fn finalized(&self) -> bool {
        self.binding.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
    }

    fn behind(&self, binding: &TargetGroupBinding) -> Result<BTreeSet<Endpoint>, Unknown> {
        endpoints::of(self.input.snapshot, &Slices::of(self.input.snapshot), binding)
    }

    /// What is to be registered. A Service that is gone has nothing behind it.
    fn endpoints(
        &self,
        binding: &TargetGroupBinding,
    ) -> Result<(BTreeSet<Endpoint>, Vec<Note>), TargetsError> {
        let most = self.input.config.max_targets;
        match self.behind(binding) {
            Ok(endpoints) if most != 0 && endpoints.len() > most => {
                let error = TargetsError::TooMany(endpoints.len(), most);
                Ok((endpoints, vec![Note::warn(&self.about, &error)]))
            }
            Ok(endpoints) => Ok((endpoints, Vec::new())),
            Err(error @ Unknown::NoService(_)) => {
                Ok((BTreeSet::new(), vec![Note::warn(&self.about, &TargetsError::NoService(error))]))
            }
            Err(error) => Err(TargetsError::Unknown(error)),
        }
    }

    /// Asks which addresses are inside the group's VPC; instances are inside by their nature.
    fn vpc(&self, binding: &TargetGroupBinding) -> Option<Query> {
        let spec = &binding.spec;
        let of_other = || spec.vpc_id.clone().filter(|vpc| *vpc != self.input.config.vpc).map(Query::VpcOf);
        (spec.target_type.as_deref() != Some("instance")).then(|| of_other().unwrap_or(Query::Vpc))
    }

    /// Address ranges of the group's VPC; `None`: the answer to the query is needed.
    fn ranges(
        &self,
        binding: &TargetGroupBinding,
        query: &Query,
    ) -> Result<Option<Vec<IpNet>>, TargetsError> {
        let assumed = bound::role(&binding.spec).is_some();
        let ranges = match (self.input.facts.get(query), query) {
            (Some(Answer::Vpc { ipv4, ipv6 }), _) => [ipv4.as_slice(), ipv6].concat(),
            (Some(Answer::VpcOf(Some(ranges))), _) => ranges.clone(),
            // The VPC of another account is not told: nothing here is inside it.
            (Some(Answer::VpcOf(None)), _) if assumed => Vec::new(),
            (Some(Answer::VpcOf(None)), Query::VpcOf(vpc)) => return Err(TargetsError::NoVpc(vpc.clone())),
            _ => return Ok(None),
        };
        Ok(Some(ranges.iter().filter_map(|range| range.parse().ok()).collect()))
    }

    fn done(
        &self,
        wanted: Wanted<'_>,
        plan: Plan<super::TargetsOp>,
        again: Option<Duration>,
    ) -> Step<Targets> {
        let Wanted { model, notes, .. } = wanted;
        let fingerprint = model.checkpoint.clone().unwrap_or_default();
        let add = (!self.finalized()).then(|| (self.about.clone(), FINALIZER.to_owned()));
        let finalizers = Finalizers { add: add.into_iter().collect(), remove: Vec::new() };
        let model = Some(model);
        Step::Done(Box::new(Evaluation { model, plan, fingerprint, finalizers, notes, again, ..nothing() }))
    }

    fn held(&self, error: &TargetsError) -> Evaluation<Targets> {
        Evaluation { notes: vec![Note::hold(&self.about, error)], ..nothing() }
    }
}

/// A group that nothing is registered in, and that is to go.
fn model(binding: &TargetGroupBinding) -> TargetsModel {
    TargetsModel {
        target_group: binding.spec.target_group_arn.clone().unwrap_or_default(),
        role: bound::role(&binding.spec),
        shared: binding.spec.multi_cluster_target_group == Some(true),
        targets: BTreeSet::new(),
        checkpoint: None,
    }
}

fn scope(model: &TargetsModel, gated: &[Gated<'_>]) -> TargetsScope {
    TargetsScope {
        target_group: model.target_group.clone(),
        role: model.role.clone(),
        health: gated.iter().any(Gated::waits),
        record: model.shared,
    }
}

fn nothing() -> Evaluation<Targets> {
    Evaluation {
        model: None,
        plan: Plan::default(),
        bindings: Bindings::new(),
        notes: Vec::new(),
        finalizers: Finalizers::default(),
        status: Vec::new(),
        good: BTreeMap::new(),
        fingerprint: String::new(),
        gone: false,
        again: None,
    }
}

/// An endpoint as a target; outside the ranges of its VPC it is in all zones. Without ranges it is inside.
fn target(endpoint: &Endpoint, ranges: Option<&[IpNet]>) -> Target {
    let inside = |ranges: &[IpNet]| {
        let address = endpoint.id.parse::<std::net::IpAddr>();
        address.is_ok_and(|address| ranges.iter().any(|range| range.contains(&address)))
    };
    let zone = ranges.is_some_and(|ranges| !inside(ranges)).then(|| "all".to_owned());
    Target { id: endpoint.id.clone(), port: endpoint.port, zone }
}
