//! A look at one TargetGroupBinding.
//!
//! New targets are registered before old ones are taken out. The checkpoint is emptied before the first change and
//! written after the last. What cannot be known, a missing Service or port, keeps what is registered.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    class::{Class, Classified},
    evaluate::{Evaluation, Finalizers, Input, Step},
    ids::{Kind, ObjectRef},
    note::Note,
    plan::{Bindings, OpId, Plan},
};
use fairway_crds::TargetGroupBinding;
use ipnet::IpNet;

use super::{
    FINALIZER, Target, Targets, TargetsModel, TargetsObserved, TargetsOp, TargetsScope, checkpoint,
    checkpoint_of,
};
use crate::{
    endpoints::{self, Endpoint, Unknown},
    facts::{Answer, Query},
};

/// Targets of one call.
const CHUNK: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TargetsError {
    #[error("{0}; registered targets are kept")]
    Unknown(Unknown),
    #[error("spec.targetGroupARN is missing")]
    NoArn,
    #[error("{0} is not supported yet; registered targets are kept")]
    Unsupported(&'static str),
    #[error("target group {0} does not exist")]
    NoTargetGroup(String),
    #[error("the spec cannot be written as JSON")]
    Spec,
}

impl Classified for TargetsError {
    fn class(&self) -> Class {
        match self {
            Self::Unknown(_) | Self::NoArn | Self::Unsupported(_) => Class::Invalid,
            Self::NoTargetGroup(_) => Class::Environment,
            Self::Spec => Class::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "BackendNotFound",
            Self::NoArn => "NoTargetGroupARN",
            Self::Unsupported(_) => "UnsupportedBinding",
            Self::NoTargetGroup(_) => "TargetGroupNotFound",
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

impl Look<'_> {
    fn arn(&self) -> Result<&str, TargetsError> {
        self.binding.spec.target_group_arn.as_deref().ok_or(TargetsError::NoArn)
    }

    fn supported(&self) -> Result<(), TargetsError> {
        let spec = &self.binding.spec;
        if spec.multi_cluster_target_group == Some(true) {
            Err(TargetsError::Unsupported("spec.multiClusterTargetGroup"))
        } else if spec.iam_role_arn_to_assume.is_some() {
            Err(TargetsError::Unsupported("spec.iamRoleArnToAssume"))
        } else {
            Ok(())
        }
    }

    fn registration(&self) -> Result<Step<Targets>, TargetsError> {
        self.supported()?;
        let arn = self.arn()?;
        let endpoints = endpoints::of(self.input.snapshot, self.binding).map_err(TargetsError::Unknown)?;
        let checkpoint = checkpoint::of(&endpoints, &self.binding.spec).map_err(|_| TargetsError::Spec)?;
        let written = checkpoint_of(self.binding);
        let relied_on = self.input.last_good.fingerprint.as_ref() == Some(&checkpoint);
        let Some(targets) = self.targets(&endpoints) else { return Ok(Step::NeedFacts(vec![Query::Vpc])) };
        let model =
            TargetsModel { target_group: arn.to_owned(), targets, checkpoint: Some(checkpoint.clone()) };
        if relied_on && written.as_ref() == Some(&checkpoint) {
            return Ok(self.done(model, Plan::default()));
        }
        match self.input.observed {
            None => Ok(Step::NeedObserved(TargetsScope { target_group: arn.to_owned() })),
            Some(observed) if !observed.found => Err(TargetsError::NoTargetGroup(arn.to_owned())),
            Some(observed) => {
                let plan = self.plan(&model, observed, written.as_ref());
                Ok(self.done(model, plan))
            }
        }
    }

    /// The object goes: its targets go first, then the finalizer.
    fn farewell(&self) -> Result<Step<Targets>, TargetsError> {
        let carried = self.finalized();
        let supported = self.supported();
        let (Ok(arn), true) = (self.arn(), carried && supported.is_ok()) else {
            // Targets that others may share, or that nobody can name, are not touched.
            return Ok(Step::Done(Box::new(self.released(nothing()))));
        };
        let Some(observed) = self.input.observed else {
            return Ok(Step::NeedObserved(TargetsScope { target_group: arn.to_owned() }));
        };
        let model = TargetsModel { target_group: arn.to_owned(), targets: BTreeSet::new(), checkpoint: None };
        let plan = self.plan(&model, observed, None);
        Ok(Step::Done(Box::new(self.released(Evaluation { model: Some(model), plan, ..nothing() }))))
    }

    fn released(&self, evaluation: Evaluation<Targets>) -> Evaluation<Targets> {
        let remove = self.finalized().then(|| (self.about.clone(), FINALIZER.to_owned()));
        let finalizers = Finalizers { add: Vec::new(), remove: remove.into_iter().collect() };
        Evaluation { finalizers, gone: true, ..evaluation }
    }

    fn finalized(&self) -> bool {
        self.binding.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
    }

    /// Endpoints as targets; `None` when the VPC's ranges have to be known first.
    fn targets(&self, endpoints: &BTreeSet<Endpoint>) -> Option<BTreeSet<Target>> {
        let instances = self.binding.spec.target_type.as_deref() == Some("instance");
        if instances || endpoints.is_empty() {
            return Some(endpoints.iter().map(|endpoint| target(endpoint, None)).collect());
        }
        let Answer::Vpc { ipv4, ipv6 } = self.input.facts.get(&Query::Vpc)? else { return None };
        let ranges: Vec<IpNet> = ipv4.iter().chain(ipv6).filter_map(|range| range.parse().ok()).collect();
        let inside = |address: &str| {
            let address = address.parse::<std::net::IpAddr>();
            address.is_ok_and(|address| ranges.iter().any(|range| range.contains(&address)))
        };
        let zone = |endpoint: &Endpoint| (!inside(&endpoint.id)).then(|| "all".to_owned());
        Some(endpoints.iter().map(|endpoint| target(endpoint, zone(endpoint))).collect())
    }

    fn plan(
        &self,
        model: &TargetsModel,
        observed: &TargetsObserved,
        written: Option<&String>,
    ) -> Plan<TargetsOp> {
        let mut plan = Plan::default();
        let mut last: Vec<OpId> = Vec::new();
        let missing = without(&model.targets, &observed.registered);
        let extra = without(&observed.registered, &model.targets);
        let changes = !missing.is_empty() || !extra.is_empty();
        let checkpoint = |checkpoint| TargetsOp::Checkpoint { binding: self.input.unit.clone(), checkpoint };
        if changes && written.is_some() {
            last = vec![plan.push(checkpoint(None), last)];
        }
        let target_group = || model.target_group.clone();
        for targets in chunks(&missing) {
            last = vec![plan.push(TargetsOp::Register { target_group: target_group(), targets }, last)];
        }
        for targets in chunks(&extra) {
            last = vec![plan.push(TargetsOp::Deregister { target_group: target_group(), targets }, last)];
        }
        if model.checkpoint.is_some() && (changes || model.checkpoint.as_ref() != written) {
            plan.push(checkpoint(model.checkpoint.clone()), last);
        }
        plan
    }

    fn done(&self, model: TargetsModel, plan: Plan<TargetsOp>) -> Step<Targets> {
        let fingerprint = model.checkpoint.clone().unwrap_or_default();
        let add = (!self.finalized()).then(|| (self.about.clone(), FINALIZER.to_owned()));
        let finalizers = Finalizers { add: add.into_iter().collect(), remove: Vec::new() };
        Step::Done(Box::new(Evaluation { model: Some(model), plan, fingerprint, finalizers, ..nothing() }))
    }

    fn held(&self, error: &TargetsError) -> Evaluation<Targets> {
        Evaluation { notes: vec![Note::hold(&self.about, error)], ..nothing() }
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
    }
}

fn target(endpoint: &Endpoint, zone: Option<String>) -> Target {
    Target { id: endpoint.id.clone(), port: endpoint.port, zone }
}

/// Targets of `all` that `others` do not have. AWS tells a target by id and port.
fn without(all: &BTreeSet<Target>, others: &BTreeSet<Target>) -> BTreeSet<Target> {
    let known: BTreeSet<(&str, u16)> = others.iter().map(|other| (other.id.as_str(), other.port)).collect();
    all.iter().filter(|target| !known.contains(&(target.id.as_str(), target.port))).cloned().collect()
}

fn chunks(targets: &BTreeSet<Target>) -> Vec<BTreeSet<Target>> {
    let all: Vec<Target> = targets.iter().cloned().collect();
    all.chunks(CHUNK).map(|chunk| chunk.iter().cloned().collect()).collect()
}
