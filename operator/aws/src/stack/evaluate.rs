//! A look at one stack: read, lower, and, unless all is as it was applied last, observe and compare.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fairway_core::{
    evaluate::{Evaluation, Finalizers, Input, Step},
    ids::{Key, ObjectRef, sha256_hex},
    intent::Intent,
    note::Note,
    plan::{Bindings, Plan, ResourceKey, Wait},
    proof::Proof,
    read::{self, ReadConfig},
};
use fairway_crds::TargetGroupBinding;

use super::{
    StackOp, Stacks,
    adopt::{Adopted, adopt, named},
    awaited,
    ease::ease,
    handles,
    lost::{Lost, Memory},
    plan::{self, Planning},
    protected, remembered,
    secrets::Told,
    status,
};
use crate::{
    compare::{self, Claimed, certificate::Matched},
    facts::Query,
    lower::{LowerError, Lowered, Scene, lower},
    model::{Binding, Certificate, LoadBalancer, Ref, ResourceKind, SecurityGroup, StackModel},
    observed::{LoadBalancerSeen, Names, StackObserved, StackScope},
    tags,
};

/// How long until a change that takes several looks goes on.
const NEXT_STEP: Duration = Duration::from_secs(1);

/// The one pure entry of the Stack unit.
pub(super) fn evaluate(input: &Input<'_, Stacks>) -> Step<Stacks> {
    let words = ReadConfig {
        ingress_class: input.config.ingress_class.clone(),
        load_balancer_class: input.config.load_balancer_class.clone(),
    };
    let (intent, notes) = read::intent(input.snapshot, &words, input.unit, input.last_good);
    let scene = Scene::new(input.config, input.unit, input.facts)
        .with_certificates(input.snapshot, &input.last_good.resources);
    let Some(lowered) = lower(&scene, &intent, input.last_good) else {
        return Step::NeedFacts(scene.asked());
    };
    let labels = tags::labels(input.unit);
    let objects = compare::binding::of_stack(&input.snapshot.target_group_bindings, &labels);
    let look = Look { input, fingerprint: fingerprint(&lowered.model), intent, notes, lowered, objects };
    if let Some(evaluation) = look.as_applied_last() {
        return Step::Done(Box::new(evaluation));
    }
    let Some(observed) = input.observed else { return Step::NeedObserved(look.scope()) };
    match look.hold_back(scene, observed).and_then(|look| look.compare(observed)) {
        Ok(evaluation) => Step::Done(Box::new(evaluation)),
        Err(asked) => Step::NeedFacts(asked),
    }
}

struct Look<'a> {
    input: &'a Input<'a, Stacks>,
    intent: Intent,
    notes: Vec<Note>,
    lowered: Lowered,
    fingerprint: String,
    objects: BTreeMap<Key, &'a TargetGroupBinding>,
}

impl Look<'_> {
    /// Nothing to do and nothing to observe: the model is the one that was applied last, the objects of the cluster that
    /// belong to it are still there, and it is remembered how the load balancer is reached.
    fn as_applied_last(&self) -> Option<Evaluation<Stacks>> {
        let model = &self.lowered.model;
        let balancer = model.load_balancer.as_ref()?;
        let same = self.input.last_good.fingerprint.as_ref() == Some(&self.fingerprint);
        if !(same && self.is_bound(model) && self.intent.leaving.is_empty()) {
            return None;
        }
        let state = self.input.snapshot.states.get(&Key::cluster(&self.input.unit.state_name()));
        let state = state.and_then(|state| state.status.as_ref());
        let front = model.frontend.as_ref().map(|front| front.load_balancer.name.as_str());
        let (name, front) = remembered::names((&balancer.name, front), state)?;
        let key = |name: &str| ResourceKey::new(LoadBalancer::KIND, name);
        let bindings = remembered::handles((&key(name), front.map(key)), state, self.input.last_good)?;
        Some(self.evaluation(named(model, name, front), Plan::default(), bindings, Vec::new()))
    }

    /// Whether the objects are those of the model, one for one. What a look has taken over under another name (the target
    /// group of a successor) is bound under that name.
    fn is_bound(&self, model: &StackModel) -> bool {
        let mut left = self.objects.clone();
        let under = |key: &Key, want: &Binding| {
            let (key, target_group) = (key.clone(), Ref::new(key.name.clone()));
            Binding { key, target_group, ..want.clone() }
        };
        let as_wanted = |want: &Binding, object: &TargetGroupBinding| {
            compare::binding::as_wanted(want, object, None, None)
        };
        let (own, renamed): (Vec<&Binding>, Vec<&Binding>) =
            model.bindings.values().partition(|want| left.contains_key(&want.key));
        let own =
            own.into_iter().all(|want| left.remove(&want.key).is_some_and(|object| as_wanted(want, object)));
        let renamed = renamed.into_iter().all(|want| {
            let fits = |(key, object): (&Key, &&TargetGroupBinding)| {
                let fits = key.namespace == want.key.namespace && as_wanted(&under(key, want), object);
                fits.then(|| key.clone())
            };
            let found = left.iter().find_map(fits);
            found.and_then(|key| left.remove(&key)).is_some()
        });
        own && renamed && left.is_empty()
    }

    fn scope(&self) -> StackScope {
        let model = &self.lowered.model;
        StackScope {
            marks: tags::marks(self.input.config, self.input.unit),
            names: Names {
                load_balancers: self.balancers(),
                target_groups: model.target_groups.keys().cloned().collect(),
                security_groups: self.groups(model),
            },
            kinds: model.load_balancers().map(|balancer| balancer.kind).collect(),
            addons: model.load_balancer.iter().flat_map(|balancer| balancer.addons.asked()).collect(),
            certificates: self.certificates(),
        }
    }

    /// ARNs of the certificates that were made. Nothing is looked for where none was and none is wanted.
    fn certificates(&self) -> Option<BTreeSet<String>> {
        let recorded = self.input.last_good.resources.iter();
        let recorded = recorded.filter(|(key, _)| Certificate::name_in(key).is_some());
        let recorded: BTreeSet<String> = recorded.map(|(_, arn)| arn.clone()).collect();
        (!recorded.is_empty() || !self.lowered.model.certificates.is_empty()).then_some(recorded)
    }

    /// The name that is wanted, and those of the load balancers that were made: one that lost its tags is found by it.
    fn balancers(&self) -> BTreeSet<String> {
        let wanted = self.lowered.model.load_balancers();
        let wanted: BTreeSet<String> = wanted.map(|wanted| wanted.name.clone()).collect();
        if wanted.is_empty() { wanted } else { self.recorded::<LoadBalancer>().chain(wanted).collect() }
    }

    /// The same of security groups.
    fn groups(&self, model: &StackModel) -> BTreeSet<String> {
        let wanted = model.own_groups().map(|own| own.name.clone());
        wanted.chain(self.recorded::<SecurityGroup>()).collect()
    }

    /// Names of what was made of a kind.
    fn recorded<K: ResourceKind>(&self) -> impl Iterator<Item = String> {
        let keys = self.input.last_good.resources.keys();
        keys.filter_map(|key| K::name_in(key).map(str::to_owned))
    }

    /// The same, with members as they were last good whose certificates are awaited, or what has to be known for it.
    fn hold_back(self, scene: Scene<'_>, observed: &StackObserved) -> Result<Self, Vec<Query>> {
        let claimed = Claimed::of(observed, &tags::marks(self.input.config, self.input.unit));
        let matched = Matched::of(&self.lowered.model, &claimed, &tags::resource_key(self.input.unit));
        let waiting =
            awaited::members(&self.lowered, &matched, (self.input.snapshot, &claimed), self.input.config.dns);
        if waiting.is_empty() {
            return Ok(self);
        }
        let scene = scene.with_awaiting(waiting);
        let Some(held) = lower(&scene, &self.intent, self.input.last_good) else { return Err(scene.asked()) };
        let lowered = held.requesting(self.lowered);
        Ok(Self { lowered, ..self })
    }

    /// The way from what is there, or what has to be known before it can be said.
    fn compare(&self, observed: &StackObserved) -> Result<Evaluation<Stacks>, Vec<Query>> {
        let told = Told::of(&self.lowered.model, &self.input.last_good.resources);
        let observed = &told.mark(observed);
        let marks = tags::marks(self.input.config, self.input.unit);
        let resource_key = tags::resource_key(self.input.unit);
        let claimed = Claimed::of(observed, &marks);
        let memory = Memory { marks: &marks, recorded: &self.input.last_good.resources };
        let lost = Lost::of(observed, &claimed, memory);
        let mut bindings = handles::of(&claimed, observed, self.objects.keys());
        bindings.extend(lost.handles.clone());
        bindings.extend(told.bindings(self.lowered.frozen));
        let quotas = &self.input.config.quotas;
        let adopted = adopt(&self.lowered, (&claimed, &lost), (quotas, &resource_key));
        let certificates = Matched::of(&self.lowered.model, &claimed, &resource_key);
        bindings.extend(certificates.handles());
        bindings.extend(self.proofs(&certificates));
        let Adopted { mut model, left_out, settled } = match adopted {
            Ok(adopted) => adopted,
            Err(problem) => return Ok(self.held(bindings, &problem)),
        };
        if let Some(seen) = protected::find(&model, &claimed).filter(|_| !self.lowered.frozen) {
            return Ok(self.stays(bindings, seen, (&claimed, &resource_key)));
        }
        certificates.hold_back(&mut model, &claimed);
        let standing = protected::in_front(&model, &claimed, (&resource_key, left_out.is_some()));
        let standing = standing.cloned();
        certificates.resolve(&mut model);
        let eased = ease(&model, &claimed, self.input.facts, &self.published())?;
        let shown = eased.shown.as_ref().map(|name| status::wishes(&self.intent, &named(&model, name, None)));
        let claimed = claimed.without_groups(&eased.kept);
        let objects = self.without_objects_of(&eased.kept);
        let planned = plan::plan(&Planning {
            config: self.input.config,
            memory,
            resource_key: &resource_key,
            model: &eased.model,
            observed,
            claimed: &claimed,
            certificates: &certificates,
            lost: &lost,
            objects: &objects,
            frozen: self.lowered.frozen || eased.keeps_all,
            standing: standing.as_ref(),
            farewell: &self.farewell(),
            because: self.lowered.because.clone(),
            told: told.operation(self.lowered.frozen),
        });
        let held = planned.problems.iter().flat_map(|problem| self.blame(problem));
        let told = planned.advice.iter().flat_map(|advice| self.tell(advice));
        let left_out = left_out.iter().map(|(object, problem)| Note::hold(object, problem));
        let stays = standing.iter().filter(|seen| protected::is_protected(seen));
        let stays =
            stays.flat_map(|seen| self.blame(&LowerError::DeletionProtected { name: seen.name.clone() }));
        let notes = held.chain(told).chain(left_out).chain(stays).chain(self.waiting(&eased.waits)).collect();
        let mut evaluation = self.evaluation(model, planned.plan, bindings, notes);
        evaluation.status = shown.unwrap_or(evaluation.status);
        standing.iter().for_each(|seen| protected::show(&mut evaluation.status, seen));
        Ok(if settled { evaluation } else { unfinished(evaluation) })
    }

    /// DNS names that statuses show.
    fn published(&self) -> BTreeSet<String> {
        let last = self.input.last_good;
        last.addresses.keys().chain(&last.hostname).map(|name| name.to_lowercase()).collect()
    }

    /// What Amazon looks for before it issues certificates, and again when it renews them.
    fn proofs(&self, certificates: &Matched) -> Bindings {
        let requested = certificates.kept.iter().filter(|_| self.input.config.dns);
        let requested = requested.filter_map(|(name, seen)| Some((name, seen.get().request()?)));
        let proofs = requested.flat_map(|(name, request)| {
            let asked = self.lowered.because.get(&Ref::<Certificate>::new(name).key());
            asked.into_iter().flat_map(|asked| {
                request.records.iter().map(move |(name, value)| {
                    let (object, name) = (asked.object.clone(), name.clone());
                    Proof { object, name, value: value.clone() }.handle()
                })
            })
        });
        proofs.collect()
    }

    /// Objects that left and are served elsewhere now have to be live there before anything of theirs goes.
    fn farewell(&self) -> Vec<Wait> {
        let moved = self.intent.leaving.iter().filter(|leaving| leaving.successor.is_some());
        moved.map(|leaving| Wait::SuccessorLive(leaving.object.clone())).collect()
    }

    /// The stack as a whole cannot be changed.
    fn held(&self, bindings: Bindings, problem: &LowerError) -> Evaluation<Stacks> {
        let notes = self.blame(problem);
        let held = self.evaluation(StackModel::default(), Plan::default(), bindings, notes);
        Evaluation { model: None, status: Vec::new(), fingerprint: String::new(), gone: false, ..held }
    }

    /// All of the stack has to go and cannot: not even what could goes, and the address stays published.
    fn stays(
        &self,
        bindings: Bindings,
        seen: &LoadBalancerSeen,
        (claimed, resource_key): (&Claimed, &str),
    ) -> Evaluation<Stacks> {
        let problem = LowerError::DeletionProtected { name: seen.name.clone() };
        let notes = self.intent.leaving.iter().map(|leaving| Note::hold(&leaving.object, &problem)).collect();
        let held = self.evaluation(StackModel::default(), Plan::default(), bindings, notes);
        let finalizers = Finalizers { remove: Vec::new(), ..held.finalizers };
        let status = protected::wishes(&self.intent, claimed, resource_key);
        Evaluation { model: None, status, finalizers, fingerprint: String::new(), gone: false, ..held }
    }

    /// A problem of the load balancer is every member's.
    fn blame(&self, problem: &LowerError) -> Vec<Note> {
        self.intent.members.iter().map(|member| Note::hold(&member.object, problem)).collect()
    }

    /// The stack's objects but those of some target groups.
    fn without_objects_of(&self, groups: &BTreeSet<String>) -> BTreeMap<Key, &TargetGroupBinding> {
        let mut objects = self.objects.clone();
        objects.retain(|_, object| !groups.iter().any(|group| compare::binding::names(object, group)));
        objects
    }

    /// Who asked for what has to wait is told for what.
    fn waiting(&self, waits: &[(ResourceKey, String)]) -> impl Iterator<Item = Note> {
        let told = waits.iter().flat_map(|(key, group)| {
            let problem = LowerError::TargetsUnhealthy(group.clone());
            let asked = self.lowered.because.get(key).into_iter();
            asked.map(move |from| Note::hold(&from.object, &problem))
        });
        told.collect::<BTreeSet<_>>().into_iter()
    }

    /// What has no effect on the load balancer, every member should know.
    fn tell(&self, advice: &LowerError) -> Vec<Note> {
        self.intent.members.iter().map(|member| Note::warn(&member.object, advice)).collect()
    }

    fn evaluation(
        &self,
        model: StackModel,
        plan: Plan<StackOp>,
        bindings: Bindings,
        more: Vec<Note>,
    ) -> Evaluation<Stacks> {
        let notes: BTreeSet<Note> =
            self.notes.iter().chain(&self.lowered.notes).chain(&more).cloned().collect();
        let wanted = !self.intent.members.is_empty() || !self.intent.unreadable.is_empty();
        let mut status = status::wishes(&self.intent, &model);
        status.retain(|wish| !self.lowered.absent.contains(&wish.object));
        Evaluation {
            status,
            model: Some(model),
            plan,
            bindings,
            notes: notes.into_iter().collect(),
            finalizers: self.finalizers(),
            good: self.lowered.good.clone(),
            fingerprint: self.fingerprint.clone(),
            gone: !wanted && !self.lowered.frozen,
            again: None,
        }
    }

    fn finalizers(&self) -> Finalizers {
        let carries = |object: &ObjectRef, finalizer: &str| self.carries(object, finalizer);
        let missing = self.intent.members.iter().filter(|member| !carries(&member.object, &member.finalizer));
        let add = missing.map(|member| (member.object.clone(), member.finalizer.clone())).collect();
        let finalizer = read::finalizer(self.input.unit);
        let leaving = self.intent.leaving.iter().filter(|_| !self.lowered.frozen);
        let remove = leaving.map(|leaving| (leaving.object.clone(), finalizer.clone())).collect();
        Finalizers { add, remove }
    }

    fn carries(&self, object: &ObjectRef, finalizer: &str) -> bool {
        let snapshot = self.input.snapshot;
        let meta = match object.kind {
            fairway_core::ids::Kind::Ingress => {
                snapshot.ingresses.get(&object.key).map(|ingress| &ingress.metadata)
            }
            _ => snapshot.services.get(&object.key).map(|service| &service.metadata),
        };
        let carried = meta.and_then(|meta| meta.finalizers.as_ref());
        carried.is_some_and(|carried| carried.iter().any(|carried| carried == finalizer))
    }
}

/// What is applied makes room for what comes next.
fn unfinished(evaluation: Evaluation<Stacks>) -> Evaluation<Stacks> {
    Evaluation { fingerprint: String::new(), again: Some(NEXT_STEP), ..evaluation }
}

/// SHA-256 of the model as it was lowered without observation.
fn fingerprint(model: &StackModel) -> String {
    let text = serde_json::to_string(model).unwrap_or_default();
    sha256_hex([text.as_str()])
}
