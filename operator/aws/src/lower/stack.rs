//! A whole stack: every member in its order, those that cannot be lowered held.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use fairway_core::{
    evaluate::LastGood,
    ids::ObjectRef,
    intent::{Ask, HttpProtocol, Intent, Member},
    note::Note,
};

use super::{
    Because, LowerError, Lowering, Scene, Stop,
    frontend::Frontend,
    group::Group,
    ingress, security_group,
    service::{self, Whole},
};
use crate::model::StackModel;

/// What came of lowering a stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lowered {
    pub(crate) model: StackModel,
    /// Why no subnets were found: an error only if there is no load balancer that has some.
    pub(crate) no_subnets: Option<LowerError>,
    /// Whether subnets were asked for, so that an existing load balancer is moved to them.
    pub(crate) subnets_given: bool,
    /// The same two of what stands in front; an error goes to who asked for that.
    pub(crate) no_frontend_subnets: Option<(ObjectRef, LowerError)>,
    pub(crate) frontend_subnets_given: bool,
    /// Whether the name was asked for, so that no other can be taken.
    pub(crate) name_given: bool,
    /// Entries that prefix lists may have, by id.
    pub(crate) entries: BTreeMap<String, usize>,
    pub(crate) notes: Vec<Note>,
    /// Readings that are good, by member.
    pub(crate) good: BTreeMap<String, Member>,
    /// Whether something cannot be lowered and has no last good reading: then nothing may be deleted.
    pub(crate) frozen: bool,
    /// Who asked for what.
    pub(crate) because: Because,
    /// Members whose certificates are awaited and of which nothing is known to be there: no address is published for them, as
    /// one that is published says that there is something to lose.
    pub(crate) absent: BTreeSet<ObjectRef>,
}

impl Lowered {
    /// The same, with what another one requests.
    pub(crate) fn requesting(mut self, other: Self) -> Self {
        let requested = other.model.certificates.into_iter().filter(|(_, own)| own.request().is_some());
        for (name, own) in requested {
            self.model.certificates.entry(name).or_insert(own);
        }
        self.because = self.because.or(other.because);
        self
    }
}

/// Lowers a stack; `None` when the scene has questions.
pub(crate) fn lower(scene: &Scene<'_>, intent: &Intent, last_good: &LastGood) -> Option<Lowered> {
    let mut refused = Refused::default();
    // Each round refuses a member or its last good reading more, so there are at most twice as many rounds as members.
    for _ in 0..=2 * intent.members.len() {
        match attempt(scene, intent, last_good, &refused) {
            Attempt::Asked => return None,
            Attempt::Refuse(members) => refused.add(members),
            Attempt::Done(lowered) => return Some(*lowered),
        }
    }
    Some(Lowered { frozen: true, ..Lowered::default() })
}

/// Members that cannot be followed, by object.
#[derive(Default)]
struct Refused {
    errors: BTreeMap<String, LowerError>,
    /// Those whose last good reading cannot be followed either.
    kept: BTreeSet<String>,
}

impl Refused {
    fn add(&mut self, members: Vec<(ObjectRef, LowerError)>) {
        for (member, error) in members {
            let id = member.to_string();
            match self.errors.entry(id) {
                Entry::Vacant(new) => drop(new.insert(error)),
                Entry::Occupied(known) => drop(self.kept.insert(known.key().clone())),
            }
        }
    }
}

enum Attempt {
    Asked,
    Refuse(Vec<(ObjectRef, LowerError)>),
    Done(Box<Lowered>),
}

/// What a stack is made of: Ingresses that share a load balancer, or one Service.
#[derive(Default)]
struct Assembly {
    group: Group,
    service: Option<Whole>,
}

impl Assembly {
    fn add(&mut self, scene: &Scene<'_>, member: &Member) -> Lowering<()> {
        match &member.ask {
            Ask::Http(ask) => Ok(self.group.join(ingress::part(scene, member, ask)?)?),
            Ask::L4(ask) => {
                self.service = Some(service::whole(scene, member, ask)?);
                Ok(())
            }
        }
    }
}

fn attempt(scene: &Scene<'_>, intent: &Intent, last_good: &LastGood, refused: &Refused) -> Attempt {
    let mut assembly = Assembly::default();
    let mut lowered = Lowered { frozen: !intent.unreadable.is_empty(), ..Lowered::default() };
    let mut asked = false;
    for member in &intent.members {
        let id = member.object.to_string();
        let result = match refused.errors.get(&id) {
            Some(error) => Err(Stop::Error(error.clone())),
            None => match scene.awaits(&id) {
                Some(awaiting) => Err(Stop::Error(awaiting.error.clone())),
                None => assembly.add(scene, member),
            },
        };
        match result {
            Ok(()) => {
                lowered.good.insert(id, Member { held: false, ..member.clone() });
            }
            Err(Stop::Asked) => asked = true,
            Err(Stop::Error(error)) => {
                lowered.notes.push(Note::hold(&member.object, &error));
                let awaiting = scene.awaits(&id).filter(|_| !refused.errors.contains_key(&id));
                let kept = last_good.members.get(&id).filter(|_| !refused.kept.contains(&id));
                let kept = kept.filter(|kept| awaiting.is_some() || **kept != *member);
                let kept = kept.map(|kept| Member { held: true, ..kept.clone() });
                let unserved = awaiting.is_some_and(|awaiting| !awaiting.served);
                if awaiting.is_some() && kept.is_none() {
                    lowered.absent.insert(member.object.clone());
                }
                let kept = kept.or_else(|| plain(member).filter(|_| unserved));
                match kept.map(|kept| (assembly.add(scene, &kept), kept)) {
                    Some((Ok(()), kept)) => {
                        lowered.good.insert(id, Member { held: false, ..kept });
                    }
                    Some((Err(Stop::Asked), _)) => asked = true,
                    _ => lowered.frozen |= !unserved,
                }
            }
        }
    }
    if asked {
        return Attempt::Asked;
    }
    let settled = |object: &ObjectRef| {
        let id = object.to_string();
        let now = lowered.good.get(&id);
        now.is_some() && now == last_good.members.get(&id)
    };
    // Who goes leaves room for others: limits are judged without them.
    let rivals = assembly.group.two_defaults();
    if !rivals.is_empty() {
        return Attempt::Refuse(rivals);
    }
    let redirect = assembly.group.redirect_to_nothing();
    let Ok(combined) = assembly.group.combine_frontend(scene) else { return Attempt::Asked };
    let mut refusals = assembly.group.excess(scene, settled);
    refusals.extend(redirect);
    refusals.extend(combined.refused);
    // Who was refused before has its last good reading in its place, which stays whatever it needs.
    refusals.retain(|(member, _)| !refused.errors.contains_key(&member.to_string()));
    // But what no listener can be made of stays for nobody.
    refusals.extend(assembly.group.without_certificate());
    if refusals.is_empty() {
        finish(scene, intent, &assembly, (lowered, combined.frontend))
    } else {
        Attempt::Refuse(refusals)
    }
}

/// What a new member can be served of before it has a certificate: its plain listeners, unless they redirect to the others.
fn plain(member: &Member) -> Option<Member> {
    let Ask::Http(ask) = &member.ask else { return None };
    let mut ask = ask.clone();
    ask.listens.retain(|listen| listen.protocol == HttpProtocol::Http);
    let some = !ask.listens.is_empty() && ask.ssl_redirect.is_none();
    some.then(|| Member { held: true, ask: Ask::Http(ask), ..member.clone() })
}

fn finish(
    scene: &Scene<'_>,
    intent: &Intent,
    assembly: &Assembly,
    (mut lowered, frontend): (Lowered, Option<Frontend>),
) -> Attempt {
    lowered.notes.extend(assembly.group.notes().cloned());
    let (front, doors, rest) = match &assembly.service {
        Some(whole) => {
            let front = whole.front(scene);
            let rest = whole.build(scene, front.name());
            (front, whole.doors(), rest.unwrap_or_default())
        }
        None if assembly.group.is_empty() => return Attempt::Done(Box::new(lowered)),
        None => {
            let front = assembly.group.front(scene);
            let rest = assembly.group.build(scene, front.name());
            (front, assembly.group.doors(), rest)
        }
    };
    let subnets = match front.subnets(scene) {
        Ok(subnets) => Ok(subnets),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Asked) => return Attempt::Asked,
    };
    lowered.no_subnets = subnets.as_ref().err().cloned();
    lowered.subnets_given = front.ask.subnets.is_some();
    lowered.name_given = front.ask.name.is_some();
    let front_ask = front.ask.clone();
    lowered.entries = security_group::entries(scene, &doors);
    lowered.model = front.complete(scene, &doors, subnets, rest);
    if let Some(frontend) = &frontend {
        frontend.complete(scene, &mut lowered.model);
        lowered.no_frontend_subnets = frontend.no_subnets();
        lowered.frontend_subnets_given = frontend.subnets_given();
    }
    lowered.because = Because::of(intent, &assembly.group, &front_ask, &lowered.model);
    lowered.because.frontend(&lowered.model, frontend.map(|frontend| frontend.written()).unwrap_or_default());
    Attempt::Done(Box::new(lowered))
}
