//! What zones can say about a name.

/// The code of every note of this crate. Zones write them as conditions of stacks, and who writes a stack's other
/// conditions leaves these alone.
pub const CODES: [&str; 7] = [
    "ApexCname",
    "HostnameConflict",
    "InvalidHostname",
    "InvalidTtl",
    "NoZone",
    "OwnershipNameTooLong",
    "RecordConflict",
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every code that a source file gives, as it is spelled in `Classified::code`.
    fn given(directory: &Path, codes: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                given(&path, codes);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let bodies = text.split("fn code(&self) -> &'static str {\n").skip(1);
            for body in bodies.map(|rest| rest.split("\n    }").next().unwrap()) {
                codes.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_that_this_crate_gives_is_listed() {
        let mut codes = BTreeSet::new();
        given(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
        assert_eq!(codes, CODES.map(str::to_owned).into());
    }
}
