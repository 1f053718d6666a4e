//! Runs `e2e/behaviours/*.json` against the world: the emulator runs the same list, and both must agree.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Map, Value};

use crate::{
    wire::{CallError, call},
    world::{Aws, Seed},
};

type Variables = BTreeMap<String, Value>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../e2e/behaviours")
}

fn read(path: &PathBuf) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_world_behaves_as_the_emulator_does() {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut held, mut wrong) = (0, Vec::new());
    for behaviour in files.iter().flat_map(|file| read(file)["behaviours"].as_array().unwrap().clone()) {
        let name = behaviour["name"].as_str().unwrap().to_owned();
        match run(&behaviour) {
            Ok(()) => held += 1,
            Err(problem) => wrong.push(format!("{name}: {problem}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), held + wrong.len(), wrong.join("\n"));
    assert!(held >= 140, "only {held} behaviours were found");
}

fn run(behaviour: &Value) -> Result<(), String> {
    let seed: Seed = serde_json::from_value(read(&folder().join("world/seed.json"))).unwrap();
    let mut aws = Aws::seeded(seed);
    let mut variables: Variables =
        serde_json::from_value(read(&folder().join("world/variables.json"))).unwrap();
    for (number, one) in behaviour["steps"].as_array().unwrap().iter().enumerate() {
        step(&mut aws, &mut variables, one).map_err(|problem| format!("step {}: {problem}", number + 1))?;
    }
    Ok(())
}

fn step(aws: &mut Aws, variables: &mut Variables, step: &Value) -> Result<(), String> {
    if let Some(seconds) = step.get("advance") {
        aws.now += seconds.as_u64().unwrap();
        return Ok(());
    }
    if let Some(settings) = step.get("settings") {
        return settings.as_object().unwrap().iter().try_for_each(|(key, value)| set(aws, key, value));
    }
    for count in 1..=step.get("times").map_or(1, |times| times.as_u64().unwrap()) {
        variables.insert("i".to_owned(), count.into());
        let with = fill(&step["with"], variables);
        let answer = call(aws, step["call"].as_str().unwrap(), &with);
        let expected = step.get("error").and_then(Value::as_str);
        let answer = match (answer, expected) {
            (Err(CallError::Aws(error)), Some(code)) if error.code == code => continue,
            (Err(error), _) => return Err(format!("{error} (expected {expected:?})")),
            (Ok(_), Some(code)) => return Err(format!("expected {code}")),
            (Ok(answer), None) => answer,
        };
        for (path, want) in step.get("expect").and_then(Value::as_object).into_iter().flatten() {
            let (want, have) = (fill(want, variables), at(&answer, path));
            if !matches(have.as_ref(), &want) {
                return Err(format!("{path}: {have:?} is not {want}"));
            }
        }
        for (name, path) in step.get("save").and_then(Value::as_object).into_iter().flatten() {
            let found = at(&answer, path.as_str().unwrap()).ok_or_else(|| format!("nothing at {path}"))?;
            variables.insert(name.replace("${i}", &count.to_string()), found);
        }
    }
    Ok(())
}

fn set(aws: &mut Aws, key: &str, value: &Value) -> Result<(), String> {
    let settings = &mut aws.settings;
    let place = match key {
        "provisioning_seconds" => &mut settings.provisioning,
        "target_initial_seconds" => &mut settings.target_initial,
        "interface_linger_seconds" => &mut settings.interface_linger,
        "change_pending_seconds" => &mut settings.change_pending,
        "zone_busy_seconds" => &mut settings.zone_busy,
        "quotas" => {
            settings.quotas = serde_json::from_value(value.clone()).unwrap();
            return Ok(());
        }
        other => return Err(format!("no setting {other}")),
    };
    *place = value.as_u64().unwrap();
    Ok(())
}

fn fill(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').and_then(|name| variables.get(name)) {
            Some(found) => found.clone(),
            None => Value::String(variables.iter().fold(text.clone(), |text, (name, found)| {
                let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                text.replace(&format!("${{{name}}}"), &found)
            })),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, variables)).collect(),
        Value::Object(fields) => match fields.get("$each") {
            Some(times) => (1..=times.as_u64().unwrap())
                .map(|count| {
                    let mut variables = variables.clone();
                    variables.insert("i".to_owned(), count.into());
                    fill(&fields["of"], &variables)
                })
                .collect(),
            None => {
                let filled = fields.iter().map(|(key, value)| (key.clone(), fill(value, variables)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
        },
        other => other.clone(),
    }
}

/// What is at a path; null is nothing.
fn at(value: &Value, path: &str) -> Option<Value> {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let found = match (key, value) {
        ("", _) => return Some(value.clone()).filter(|value| !value.is_null()),
        ("#", Value::Array(items)) => return Some(items.len().into()),
        ("*", Value::Array(items)) => return Some(items.iter().filter_map(|item| at(item, rest)).collect()),
        (index, Value::Array(items)) => items.get(index.parse::<usize>().unwrap()),
        (key, value) => value.get(key),
    };
    at(found?, rest)
}

fn matches(have: Option<&Value>, want: &Value) -> bool {
    let matcher = want.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    match matcher.map(|(name, value)| (name.as_str(), value)) {
        Some(("absent", _)) => have.is_none(),
        Some(("contains", part)) => match have {
            Some(Value::Array(items)) => items.contains(part),
            Some(Value::String(text)) => text.contains(part.as_str().unwrap()),
            _ => false,
        },
        Some(("not", other)) => have.is_some_and(|have| have != other),
        Some(("starts_with", start)) => {
            have.and_then(Value::as_str).is_some_and(|text| text.starts_with(start.as_str().unwrap()))
        }
        Some(("unordered", items)) => {
            let sorted = |value: &Value| {
                let mut texts: Vec<String> = value.as_array().unwrap().iter().map(Value::to_string).collect();
                texts.sort();
                texts
            };
            have.is_some_and(|have| have.is_array() && sorted(have) == sorted(items))
        }
        _ => have == Some(want),
    }
}
