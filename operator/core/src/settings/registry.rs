//! All rows of all dialects: which annotation is meant, and what may be done with it.

use super::{Origin, Row, alb, dns, in_cluster, nlb, own};

/// A set of annotations that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// `alb.ingress.kubernetes.io`
    Alb,
    /// `service.beta.kubernetes.io`
    Nlb,
    /// `external-dns.kubernetes.io`, and `external-dns.alpha.kubernetes.io`
    Dns,
    /// `fairway.dev`
    Own,
    /// Parameters of in-cluster classes.
    InCluster,
}

impl Dialect {
    /// All of them, in the order of the reference page.
    pub const ALL: [Self; 5] = [Self::Alb, Self::Nlb, Self::Dns, Self::Own, Self::InCluster];

    /// Its rows.
    #[must_use]
    pub fn rows(self) -> &'static [&'static dyn Row] {
        match self {
            Self::Alb => alb::ROWS,
            Self::Nlb => nlb::ROWS,
            Self::Dns => dns::ROWS,
            Self::Own => own::ROWS,
            Self::InCluster => in_cluster::ROWS,
        }
    }

    /// What its annotations start with, strongest first.
    #[must_use]
    pub const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Alb => &[alb::PREFIX],
            Self::Nlb => &[nlb::PREFIX],
            Self::Dns => &[dns::PREFIX, dns::FORMER_PREFIX],
            Self::Own => &[own::PREFIX],
            Self::InCluster => &[],
        }
    }

    /// The row that a key (without prefix) means.
    #[must_use]
    pub fn find(self, key: &str) -> Option<&'static dyn Row> {
        let exact = self.rows().iter().find(|row| row.key() == key);
        exact.or_else(|| self.rows().iter().find(|row| is_of_family(**row, key))).copied()
    }

    /// The annotation that is spelled most like `key`, if one is near enough to be meant.
    #[must_use]
    pub fn nearest(self, key: &str) -> Option<&'static str> {
        let written = |row: &&&'static dyn Row| *row.origins() != [Origin::ClassParams];
        let near = self.rows().iter().filter(written).map(|row| (distance(row.key(), key), row.key()));
        near.min().filter(|(distance, nearest)| *distance <= 2.max(nearest.len() / 3)).map(|(_, key)| key)
    }
}

/// Whether the row is a family and `key` one of its members.
fn is_of_family(row: &dyn Row, key: &str) -> bool {
    let family = row.key();
    family.ends_with(['.', '-']) && key.strip_prefix(family).is_some_and(|tail| !tail.is_empty())
}

/// How many characters have to be added, removed or replaced.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for (right, pair) in to.iter().zip(row.windows(2)) {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let before = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(left != *right)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// The reference page of all rows, as `docs/reference/settings.md` holds it.
#[must_use]
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Settings\n\nEvery annotation and class parameter that Fairway knows. Generated from the rows of the settings \
         table; do not edit.\n\nAn annotation that is not honoured by the provider of an object gives a Warning event. \
         A key that ends with a dot or a dash is a family: anything may follow.\n",
    );
    for dialect in Dialect::ALL {
        let title = match dialect.prefixes() {
            [] => "Class parameters of in-cluster classes".to_owned(),
            prefixes => prefixes.iter().map(|prefix| format!("`{prefix}`")).collect::<Vec<_>>().join(", "),
        };
        page.push_str(&format!(
            "\n## {title}\n\n| key | written on | honoured by | example | meaning |\n|---|---|---|---|---|\n"
        ));
        for row in dialect.rows() {
            page.push_str(&line(*row));
        }
    }
    page
}

fn line(row: &dyn Row) -> String {
    let origins: Vec<&str> = row.origins().iter().map(|origin| origin.as_str()).collect();
    let honoured: Vec<&str> = row.honoured_by().iter().map(|provider| provider.as_str()).collect();
    let honoured = if honoured.is_empty() { "nobody yet".to_owned() } else { honoured.join(", ") };
    let example = if row.example().is_empty() { String::new() } else { format!("`{}`", row.example()) };
    format!("| `{}` | {} | {honoured} | {example} | {} |\n", row.key(), origins.join(", "), row.doc())
}

#[cfg(test)]
mod tests;
