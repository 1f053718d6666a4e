//! Which clients may come, by port. Members of a stack that share a port say the same or nothing; the later of two that
//! contradict is held, as on AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use fairway_core::{
    class::{Class, Classified},
    evaluate::LastGood,
    ids::ObjectRef,
    intent::{Ask, Intent, Member},
    note::Note,
    settings::{Sourced, Unreadable, alb},
};
use ipnet::IpNet;

/// Ranges of client addresses.
pub(crate) type Ranges = BTreeSet<IpNet>;

/// Why a member cannot be served with those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientsError {
    /// An earlier member lets others in on the same port.
    #[error("{key}: {value} contradicts {first_value} on port {port}, which {first} asks for")]
    Disagree {
        /// Key as the later member wrote it.
        key: String,
        /// What the later member asks for.
        value: String,
        /// What the earlier one asks for.
        first_value: String,
        /// Where they meet.
        port: u16,
        /// The earlier one.
        first: ObjectRef,
    },
    /// A value that was kept cannot be read any more.
    #[error(transparent)]
    Unreadable(#[from] Box<Unreadable>),
}

impl Classified for ClientsError {
    fn class(&self) -> Class {
        match self {
            Self::Disagree { .. } => Class::Conflict,
            Self::Unreadable(error) => error.class(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Disagree { .. } => "ConflictingSetting",
            Self::Unreadable(error) => error.code(),
        }
    }
}

/// The intent without members that contradict an earlier one: such a member is served as it was before, if that fits.
pub(crate) fn agree(mut intent: Intent, last_good: &LastGood) -> (Intent, Vec<Note>) {
    let (mut doors, mut notes) = (Doors::default(), Vec::new());
    for member in mem::take(&mut intent.members) {
        let Err(error) = doors.join(&member) else {
            intent.members.push(member);
            continue;
        };
        notes.push(Note::hold(&member.object, &error));
        let kept = last_good.members.get(&member.object.to_string());
        match kept.filter(|kept| kept.uid == member.uid && doors.join(kept).is_ok()) {
            Some(kept) => intent.members.push(Member { held: true, ..kept.clone() }),
            None => intent.unreadable.push(member.object),
        }
    }
    (intent, notes)
}

/// Who may come to each port, of an intent whose members agree. A port that is not named is open to everybody.
pub(crate) fn by_port(intent: &Intent) -> BTreeMap<u16, Ranges> {
    let mut doors = Doors::default();
    // Who does not agree is not in the intent.
    intent.members.iter().for_each(|member| drop(doors.join(member)));
    doors.0.into_iter().map(|(port, asked)| (port, asked.value)).collect()
}

/// What members said so far.
#[derive(Debug, Clone, Default)]
struct Doors(BTreeMap<u16, Sourced<Ranges>>);

impl Doors {
    /// Adds a member; after an error nothing has been added.
    fn join(&mut self, member: &Member) -> Result<(), ClientsError> {
        let Ask::Http(ask) = &member.ask else { return Ok(()) };
        let Some(asked) = member.settings.get(&alb::INBOUND_CIDRS)? else { return Ok(()) };
        let asked = Sourced { value: Ranges::from_iter(asked.value), from: asked.from };
        let mut next = self.0.clone();
        for port in ask.listens.iter().map(|listen| listen.port.get()) {
            let first = next.entry(port).or_insert_with(|| asked.clone());
            if first.value != asked.value {
                return Err(disagree(port, first, &asked));
            }
        }
        self.0 = next;
        Ok(())
    }
}

fn disagree(port: u16, first: &Sourced<Ranges>, later: &Sourced<Ranges>) -> ClientsError {
    let spelled =
        |ranges: &Ranges| ranges.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
    ClientsError::Disagree {
        key: later.from.key.clone(),
        value: spelled(&later.value),
        first_value: spelled(&first.value),
        port,
        first: first.from.object.clone(),
    }
}

#[cfg(test)]
mod tests {
    use fairway_core::{
        ids::{Key, ProviderKind, StackId, StackKey},
        read::{self, ReadConfig},
        snapshot::Snapshot,
    };
    use serde_json::{Value, json};

    use super::*;

    fn ingress(name: &str, ports: &str, ranges: &str) -> Value {
        let mut annotations = json!({"alb.ingress.kubernetes.io/group.name": "shop"});
        annotations["alb.ingress.kubernetes.io/listen-ports"] = json!(ports);
        if !ranges.is_empty() {
            annotations["alb.ingress.kubernetes.io/inbound-cidrs"] = json!(ranges);
        }
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
               "metadata": {"name": name, "uid": name, "annotations": annotations},
               "spec": {"ingressClassName": "metal", "defaultBackend": backend}})
    }

    fn intent(ingresses: &[Value]) -> Intent {
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "metal"},
                           "spec": {"controller": "fairway.dev/in-cluster"}});
        let mut snapshot = Snapshot::default();
        ingresses.iter().chain([&class]).for_each(|object| snapshot.add(object).unwrap());
        let stack = StackId::new(ProviderKind::InCluster, StackKey::Group("shop".to_owned()));
        let (intent, notes) = read::intent(&snapshot, &ReadConfig::default(), &stack, &LastGood::default());
        let errors: Vec<&Note> = notes.iter().filter(|note| note.held).collect();
        assert!(errors.is_empty() && intent.members.len() == ingresses.len(), "{errors:?}");
        intent
    }

    fn names(intent: &Intent) -> Vec<(&str, bool)> {
        intent.members.iter().map(|member| (member.object.key.name.as_str(), member.held)).collect()
    }

    fn ranges(texts: &[&str]) -> Ranges {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    const PLAIN: &str = r#"[{"HTTP": 80}]"#;
    const BOTH: &str = r#"[{"HTTP": 80}, {"HTTPS": 443}]"#;

    #[test]
    fn a_port_is_open_to_whom_its_members_name_together() {
        let members = [
            ingress("a", PLAIN, ""),
            ingress("b", BOTH, "10.0.0.0/8, fd00::/8"),
            ingress("c", PLAIN, "fd00::/8, 10.1.2.3/8"),
            ingress("d", r#"[{"HTTP": 8080}]"#, "192.0.2.0/24"),
            ingress("e", r#"[{"HTTP": 8081}]"#, ""),
        ];
        let (agreed, notes) = agree(intent(&members), &LastGood::default());
        assert!(notes.is_empty() && agreed.members.len() == members.len(), "{notes:?}");
        let inner = ranges(&["10.0.0.0/8", "fd00::/8"]);
        let want = BTreeMap::from([(80, inner.clone()), (443, inner), (8080, ranges(&["192.0.2.0/24"]))]);
        assert_eq!(by_port(&agreed), want);
    }

    #[test]
    fn who_contradicts_is_held_or_not_served_and_opens_nothing() {
        let before = [ingress("a", PLAIN, "10.0.0.0/8"), ingress("b", BOTH, "")];
        let after = [ingress("a", PLAIN, "10.0.0.0/8"), ingress("b", BOTH, "0.0.0.0/0")];
        let want = BTreeMap::from([(80, ranges(&["10.0.0.0/8"]))]);

        let (agreed, notes) = agree(intent(&after), &LastGood::default());
        assert_eq!((names(&agreed), agreed.unreadable.len()), (vec![("a", false)], 1));
        assert_eq!(by_port(&agreed), want);
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert_eq!((note.about.key.clone(), note.held), (Key::new("default", "b"), true));
        assert_eq!(
            (note.code.as_str(), note.message.as_str()),
            (
                "ConflictingSetting",
                "alb.ingress.kubernetes.io/inbound-cidrs: 0.0.0.0/0 contradicts 10.0.0.0/8 on port 80, which Ingress default/a asks for"
            )
        );

        let last_good = LastGood { members: read::good(&intent(&before)), ..LastGood::default() };
        let (agreed, notes) = agree(intent(&after), &last_good);
        assert_eq!((names(&agreed), notes.len()), (vec![("a", false), ("b", true)], 1));
        assert_eq!(by_port(&agreed), want);
    }
}
