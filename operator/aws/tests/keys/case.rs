//! Cases of `e2e/keys`; its README says what their fields mean. `e2e/lib/keys.py` makes the same objects.

use std::{collections::BTreeMap, fs};

use fairway_core::settings::alb;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::support::repository;

/// Ids and ARNs by what stands for them.
pub(crate) type Known = BTreeMap<String, String>;

/// Which of the two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value2 {
    From,
    To,
}

/// Where a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Default)]
pub(crate) enum Place {
    Class,
    #[default]
    Ingress,
    Service,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Places {
    One(Place),
    Several(Vec<Place>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Path {
    path: String,
    path_type: Option<String>,
    service: Option<String>,
    port: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    prefix: String,
    cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(skip)]
    pub file: String,
    #[serde(skip)]
    pub prefix: String,
    #[serde(skip)]
    pub place: Place,
    #[serde(default)]
    pub name: String,
    pub key: String,
    #[serde(default)]
    tail: String,
    #[serde(rename = "where")]
    on: Option<Places>,
    from: Value,
    to: Value,
    #[serde(default)]
    with: Map<String, Value>,
    #[serde(default)]
    class: Map<String, Value>,
    beside: Option<Map<String, Value>>,
    tls: Option<String>,
    #[serde(default)]
    paths: Vec<Path>,
    /// What is evaluated here is always made anew.
    #[serde(default, rename = "fresh")]
    _fresh: bool,
    #[serde(default)]
    pub sees: Vec<String>,
    pub refused: Option<String>,
}

/// All cases, in the order of their files' names.
pub(crate) fn all() -> Vec<Case> {
    let folder = repository("e2e/keys");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
        .into_iter()
        .flat_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let File { prefix, cases } =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            cases.into_iter().flat_map(move |case| case.placed(&file, &prefix))
        })
        .collect()
}

impl Case {
    /// One case for each place.
    fn placed(self, file: &str, prefix: &str) -> Vec<Self> {
        let places = match &self.on {
            None => vec![Place::Ingress],
            Some(Places::One(place)) => vec![*place],
            Some(Places::Several(places)) => places.clone(),
        };
        let name = |place| if self.name.is_empty() { called(&self.key, place) } else { self.name.clone() };
        places
            .into_iter()
            .map(|place| {
                let (file, prefix, name) = (file.to_owned(), prefix.to_owned(), name(place));
                Self { file, prefix, place, name, ..self.clone() }
            })
            .collect()
    }

    fn value(&self, which: Value2) -> &Value {
        match which {
            Value2::From => &self.from,
            Value2::To => &self.to,
        }
    }

    /// The objects with one of the values; `masked` spells the key as one that has no row.
    pub(crate) fn objects(&self, which: Value2, known: &Known, masked: bool) -> Vec<Value> {
        let annotation = |key: &str| format!("{}{key}", alb::PREFIX);
        let own = format!("{}{}{}", if masked { "without-a-row." } else { "" }, self.key, self.tail);
        let own = (format!("{}{own}", self.prefix), json!(text(self.value(which))));
        let mut annotations: Map<String, Value> = Map::new();
        annotations.insert(annotation("target-type"), json!("ip"));
        annotations.extend(self.with.iter().map(|(key, value)| (annotation(key), json!(text(value)))));
        let beside = self.beside.as_ref().map(|asked| {
            let mut beside = annotations.clone();
            beside.extend(asked.iter().map(|(key, value)| (annotation(key), json!(text(value)))));
            self.ingress(&format!("{}-beside", self.name), beside)
        });
        let mut service = Map::new();
        match self.place {
            Place::Ingress => annotations.extend([own]),
            Place::Service => service.extend([own]),
            Place::Class => {
                // The class speaks; an annotation of the same meaning would be overruled anyway.
                annotations.retain(|key, _| !(self.key == "targetType" && key.ends_with("/target-type")));
            }
        }
        let mut objects = vec![self.ingress(&self.name, annotations), self.service(service)];
        objects.extend(beside);
        if self.place == Place::Class || !self.class.is_empty() {
            objects.extend(self.class(which, masked));
        }
        let all = known
            .iter()
            .fold(json!(objects).to_string(), |all, (name, id)| all.replace(&format!("${{{name}}}"), id));
        serde_json::from_str(&all.replace("${name}", &self.name)).unwrap()
    }

    fn ingress(&self, name: &str, annotations: Map<String, Value>) -> Value {
        let own = Path { path: "/".to_owned(), path_type: None, service: None, port: None };
        let paths = if self.paths.is_empty() { vec![own] } else { self.paths.clone() };
        let paths: Vec<Value> = paths
            .into_iter()
            .map(|path| {
                let port = path.port.unwrap_or(json!(80));
                let port = if port.is_string() { json!({"name": port}) } else { json!({"number": port}) };
                json!({
                    "path": path.path, "pathType": path.path_type.as_deref().unwrap_or("Prefix"),
                    "backend": {"service": {"name": path.service.as_ref().unwrap_or(&self.name), "port": port}}
                })
            })
            .collect();
        let class = self.place == Place::Class || !self.class.is_empty();
        let tls: Vec<Value> = self.tls.iter().map(|secret| json!({"secretName": secret})).collect();
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations},
            "spec": {
                "ingressClassName": if class { &self.name } else { "alb" },
                "tls": tls,
                "rules": [{"host": format!("{name}.example.com"), "http": {"paths": paths}}]
            }
        })
    }

    fn service(&self, annotations: Map<String, Value>) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": self.name, "namespace": "default", "annotations": annotations},
            "spec": {
                "type": "NodePort", "selector": {"app": "web"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}]
            }
        })
    }

    fn class(&self, which: Value2, masked: bool) -> Vec<Value> {
        let mut spec = self.class.clone();
        if self.place == Place::Class && !masked {
            let mut fields: Vec<&str> = self.key.split('.').collect();
            let first = fields.remove(0);
            let value =
                fields.iter().rev().fold(self.value(which).clone(), |value, field| json!({*field: value}));
            spec.insert(first.to_owned(), value);
        }
        let group = "elbv2.k8s.aws";
        let params = json!({"apiGroup": group, "kind": "IngressClassParams", "name": self.name});
        vec![
            json!({"apiVersion": format!("{group}/v1beta1"), "kind": "IngressClassParams",
                   "metadata": {"name": self.name}, "spec": spec}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": self.name},
                   "spec": {"controller": "ingress.k8s.aws/alb", "parameters": params}}),
        ]
    }
}

/// A case's name, which is also its objects'.
fn called(key: &str, place: Place) -> String {
    let plain: String =
        key.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    match place {
        Place::Ingress => plain.to_owned(),
        Place::Service => format!("{plain}-service"),
        Place::Class => format!("{plain}-class"),
    }
}

/// A value as an annotation has it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
