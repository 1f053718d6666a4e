//! The table of keys: each with its row, where it is written, and the case that shows what it does.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use fairway_core::{
    ids::ProviderKind,
    settings::{Origin, Row, alb, own},
};
use serde_json::Value;

use super::{
    case::{Case, Place},
    support::repository,
};

const ROWS: &str = "operator/core/src/settings/alb.rs";
const OWN_ROWS: &str = "operator/core/src/settings/own.rs";
const FIELDS: &str = "operator/core/src/read/params.rs";
const SCHEMA: &str = "crds/yaml/ingressclassparams.elbv2.k8s.aws.yaml";
/// Decides whose the Ingress is, before any row is read.
const SELECTOR: (&str, &str) = ("namespaceSelector", "operator/core/src/read/class.rs");

/// One line of the table.
struct Line {
    place: Place,
    key: String,
    /// Where the code knows it.
    row: String,
    honoured: bool,
}

/// Every key that can be written, annotations first.
fn lines() -> Vec<Line> {
    written(ROWS, "alb", alb::ROWS).chain(written(OWN_ROWS, "own", own::ROWS)).chain(fields()).collect()
}

/// Annotations of one dialect, whose rows are in `file`.
fn written(
    file: &str,
    module: &'static str,
    rows: &'static [&'static dyn Row],
) -> impl Iterator<Item = Line> {
    let code = fs::read_to_string(repository(file)).unwrap();
    rows.iter().flat_map(move |row| {
        let places = row.origins().iter().filter_map(|origin| match origin {
            Origin::Ingress => Some(Place::Ingress),
            Origin::Service => Some(Place::Service),
            Origin::ClassParams => None,
        });
        let (constant, row) = (constant(&code, module, row.key()), *row);
        places.map(move |place| Line {
            place,
            key: row.key().to_owned(),
            row: constant.clone(),
            honoured: row.honoured_by().contains(&ProviderKind::Aws),
        })
    })
}

/// The constant that declares a row; a row that is not read has none.
fn constant(code: &str, module: &str, key: &str) -> String {
    let own = format!("= \"{key}\",");
    let name = code.lines().find(|line| line.contains(&own)).and_then(|line| line.trim().split(':').next());
    name.map_or_else(|| "none".to_owned(), |name| format!("`{module}::{name}`"))
}

/// Fields of class parameters, to the depth at which cases name them.
fn fields() -> Vec<Line> {
    let schema: Value = serde_saphyr::from_str(&fs::read_to_string(repository(SCHEMA)).unwrap()).unwrap();
    let spec =
        &schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let code = fs::read_to_string(repository(FIELDS)).unwrap();
    let mut paths = Vec::new();
    for (name, field) in spec.as_object().unwrap() {
        match field["properties"].as_object().filter(|_| *name != SELECTOR.0) {
            Some(inner) => paths.extend(inner.keys().map(|inner| format!("{name}.{inner}"))),
            None => paths.push(name.clone()),
        }
    }
    let row = |path: &str| {
        if path == SELECTOR.0 {
            return format!("`{}`", SELECTOR.1);
        }
        // Of a field that has one inner field, and of the two spellings, the code names the one.
        let outer = path.split('.').next().unwrap().replace("PrefixLists", "prefixLists");
        let names = [format!("\"spec.{path}\""), format!("\"spec.{outer}\"")];
        let at = names.iter().find_map(|name| code.find(name.as_str()));
        let before = &code[..at.unwrap_or_else(|| panic!("{FIELDS} does not read {path}"))];
        let constant = before.rsplit("alb::").next().unwrap().split('.').next().unwrap();
        format!("`alb::{constant}`")
    };
    paths.into_iter().map(|key| Line { place: Place::Class, row: row(&key), key, honoured: true }).collect()
}

fn by_key(cases: &[Case]) -> BTreeMap<(Place, &str), &Case> {
    cases.iter().map(|case| ((case.place, case.key.as_str()), case)).collect()
}

/// What is missing on either side.
pub(crate) fn problems(cases: &[Case]) -> Vec<String> {
    let (lines, known) = (lines(), by_key(cases));
    let mut problems = Vec::new();
    for line in &lines {
        match known.get(&(line.place, line.key.as_str())) {
            None if line.honoured => problems.push(format!("{} on {:?} has no case", line.key, line.place)),
            Some(case) if !line.honoured => {
                problems.push(format!("{}: nobody honours {} on {:?}", case.file, line.key, line.place));
            }
            _ => {}
        }
    }
    for case in cases {
        let is_row = lines.iter().any(|line| (line.place, &line.key) == (case.place, &case.key));
        if !is_row {
            problems.push(format!("{}: {} on {:?} is no row", case.file, case.key, case.place));
        }
        if case.sees.is_empty() == case.refused.is_none() {
            problems.push(format!("{}: {} must say either `sees` or `refused`", case.file, case.name));
        }
        if cases.iter().filter(|other| other.name == case.name).count() > 1 {
            problems.push(format!("{}: two cases are called {}", case.file, case.name));
        }
    }
    problems
}

/// The page as `docs/reference/keys.md` holds it.
pub(crate) fn page(cases: &[Case]) -> String {
    let (lines, known) = (lines(), by_key(cases));
    let mut page = format!(
        "# Keys of Ingresses, and what shows that they work\n\nEvery annotation under `{}` or `{}`, on an Ingress or on a \
         Service behind one, and every field of IngressClassParams: its row in the settings table ([rows](../../{ROWS}), \
         [our own](../../{OWN_ROWS}), [fields](../../{FIELDS})), \
         and the case of [e2e/keys](../../e2e/keys) that changes its value. Each case is a test of its own in \
         `e2e/scenarios/test_keys.py`, which sees AWS differ in what the last column names and nowhere else (or the refusal that \
         it names), and `operator/aws/tests/keys` shows that nothing differs without the row. Generated; do not edit.\n\nA key that \
         ends with a dot is a family.\n",
        alb::PREFIX,
        own::PREFIX
    );
    for (place, title) in [
        (Place::Ingress, "On an Ingress"),
        (Place::Service, "On a Service behind an Ingress"),
        (Place::Class, "IngressClassParams"),
    ] {
        write!(
            page,
            "\n## {title}\n\n| key | row | case | shown by | what differs |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for line in lines.iter().filter(|line| line.place == place) {
            let (case, test, seen) = match known.get(&(line.place, line.key.as_str())) {
                Some(case) => {
                    let patterns = case.sees.iter().map(|path| format!("`{}`", path.replace('|', "/")));
                    let refused = case.refused.iter().map(|reason| format!("refused: `{reason}`"));
                    let seen = patterns.chain(refused).collect::<Vec<_>>().join(", ");
                    let file = format!("[{0}](../../e2e/keys/{0})", case.file);
                    (file, format!("`test_key[{}]`", case.name), seen)
                }
                None => ("nobody yet".to_owned(), String::new(), String::new()),
            };
            writeln!(page, "| `{}` | {} | {case} | {test} | {seen} |", line.key, line.row).unwrap();
        }
    }
    page
}
