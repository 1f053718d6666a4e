//! Whose each record set of a zone is, as its ownership records say.
//!
//! A record set is looked up by its name (with the wildcard replacement), exact type and set identifier; an alias A
//! also under CNAME, as releases before v0.22 wrote it; every type but AAAA also without a type, as releases before
//! v0.12 wrote it. The first that is found decides. No hit: nobody's, and never touched.
//!
//! Errors: none; a text that cannot be read claims nothing.

use std::collections::BTreeMap;

use crate::{
    config::TxtNaming,
    name::Name,
    record::{Content, RecordSet, RecordType},
    txt::Claim,
};

/// One ownership record of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark<'a> {
    /// As the zone holds it: a deletion has to repeat it.
    pub record: &'a RecordSet,
    /// What its first value says.
    pub claim: Claim,
    /// The record's name that it speaks for, with the wildcard replacement still in place.
    pub name: Name,
    /// `None`: every type but AAAA.
    pub kind: Option<RecordType>,
}

/// Whose a record set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing<'z, 'a> {
    /// Ours, by this mark: the only record sets that can be changed or deleted.
    Ours(&'z Mark<'a>),
    /// Another owner's.
    Theirs(String),
    /// Nobody's that is known.
    Unowned,
}

/// A zone's record sets and whose they are.
#[derive(Debug)]
pub struct Registry<'a> {
    owner: String,
    naming: TxtNaming,
    apex: Name,
    records: BTreeMap<Name, Vec<&'a RecordSet>>,
    marks: BTreeMap<Name, Vec<Mark<'a>>>,
}

impl<'a> Registry<'a> {
    /// Reads a zone. The order of the records means nothing.
    #[must_use]
    pub fn read(owner: &str, naming: &TxtNaming, apex: &Name, zone: &'a [RecordSet]) -> Self {
        let mut sorted: Vec<&RecordSet> = zone.iter().collect();
        sorted.sort();
        let mut records: BTreeMap<Name, Vec<&RecordSet>> = BTreeMap::new();
        let mut marks: BTreeMap<Name, Vec<Mark<'_>>> = BTreeMap::new();
        for record in sorted {
            if let Some(mark) = mark(record, naming, apex) {
                marks.entry(mark.name.clone()).or_default().push(mark);
            }
            records.entry(record.name.clone()).or_default().push(record);
        }
        Self { owner: owner.to_owned(), naming: naming.clone(), apex: apex.clone(), records, marks }
    }

    /// Our owner id.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Whose a record set is.
    #[must_use]
    pub fn standing(&self, record: &RecordSet) -> Standing<'_, 'a> {
        match self.mark_of(record) {
            Some(mark) => self.standing_of(mark),
            None => Standing::Unowned,
        }
    }

    /// Whose an ownership record itself is, whatever it speaks for. An ordinary text is nobody's.
    #[must_use]
    pub fn claim(&self, txt: &RecordSet) -> Standing<'_, 'a> {
        let mark = self.marks.values().flatten().find(|mark| mark.record.key() == txt.key());
        mark.map_or(Standing::Unowned, |mark| self.standing_of(mark))
    }

    /// A mark without an owner is nobody's.
    fn standing_of<'z>(&'z self, mark: &'z Mark<'a>) -> Standing<'z, 'a> {
        match mark.claim.owner() {
            Some(owner) if owner == self.owner => Standing::Ours(mark),
            Some(owner) => Standing::Theirs(owner.to_owned()),
            None => Standing::Unowned,
        }
    }

    /// Everything published that is ours, with its mark.
    pub fn ours<'z>(&'z self) -> impl Iterator<Item = (&'a RecordSet, &'z Mark<'a>)> {
        let published = self.records.values().flatten().filter(|set| set.kind.is_published());
        published.filter_map(|set| match self.standing(set) {
            Standing::Ours(mark) => Some((*set, mark)),
            Standing::Theirs(_) | Standing::Unowned => None,
        })
    }

    /// All record sets at a name.
    #[must_use]
    pub fn at(&self, name: &Name) -> &[&'a RecordSet] {
        self.records.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Names at which something is published.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.records
            .iter()
            .filter(|(_, sets)| sets.iter().any(|set| set.kind.is_published()))
            .map(|(name, _)| name)
    }

    /// Our marks that speak for a name, of every type and set identifier.
    pub fn marks_for<'z>(&'z self, name: &Name) -> impl Iterator<Item = &'z Mark<'a>> {
        let marks = self.marks.get(&self.naming.replace_wildcard(name));
        let marks = marks.filter(|_| !self.belongs_to_wildcard(name));
        marks.into_iter().flatten().filter(|mark| self.is_ours(mark))
    }

    /// Our marks that speak for nothing that is there. One that could also be read as a mark of an older generation for
    /// something that is there is not among them.
    pub fn orphans<'z>(&'z self) -> impl Iterator<Item = &'z Mark<'a>> {
        self.marks.values().flatten().filter(|mark| {
            let Some(kind) = mark.kind.as_ref().filter(|kind| kind.is_published()) else { return false };
            let untyped = Name::observed(&format!("{}-{}", kind.as_str().to_lowercase(), mark.name));
            let (label, rest) = mark.name.split_first();
            let wildcard = Name::observed(&format!("*.{rest}"));
            let replaced = !self.naming.wildcard.is_empty() && label == self.naming.wildcard.to_lowercase();
            let speaks =
                |name: &Name| self.at(name).iter().any(|set| set.kind.is_published() && mark.covers(set));
            let speaking = speaks(&mark.name) || (replaced && speaks(&wildcard));
            let of_older_generation = self.at(&untyped).iter().any(|set| set.kind.is_published());
            self.is_ours(mark) && !speaking && !of_older_generation
        })
    }

    /// The name as marks spell it.
    #[must_use]
    pub fn spelled(&self, name: &Name) -> Name {
        self.naming.replace_wildcard(name)
    }

    /// Whether the name shares its ownership name with something that is there: the wildcard that it spells, or a
    /// record of ours that is spelled like the wildcard.
    #[must_use]
    pub fn shares_mark(&self, name: &Name) -> bool {
        let spelled = self.spelled(name);
        let ours = |set: &&&RecordSet| matches!(self.standing(set), Standing::Ours(_));
        self.belongs_to_wildcard(name)
            || (spelled != *name
                && !self.records.contains_key(name)
                && self.at(&spelled).iter().filter(ours).any(|set| set.kind.is_published()))
    }

    fn is_ours(&self, mark: &Mark<'a>) -> bool {
        mark.claim.owner() == Some(&self.owner)
    }

    /// Where the ownership of a record set is kept when it is written afresh.
    #[must_use]
    pub fn txt_name(&self, record: &RecordSet) -> Name {
        self.naming.txt_name(&record.name, &record.kind, &self.apex)
    }

    fn mark_of<'z>(&'z self, record: &RecordSet) -> Option<&'z Mark<'a>> {
        if self.belongs_to_wildcard(&record.name) {
            return None;
        }
        let marks = self.marks.get(&self.naming.replace_wildcard(&record.name))?;
        let find = |kind: Option<&RecordType>| {
            marks.iter().find(|mark| {
                mark.kind.as_ref() == kind && mark.record.set_identifier() == record.set_identifier()
            })
        };
        let generations = generations(record);
        generations.into_iter().find_map(|kind| find(kind.as_ref()))
    }

    /// With a wildcard replacement, `any.example.com` and `*.example.com` share an ownership name. It is the
    /// wildcard's while there is one; external-dns would take both for owned.
    fn belongs_to_wildcard(&self, name: &Name) -> bool {
        let (label, rest) = name.split_first();
        !self.naming.wildcard.is_empty()
            && label == self.naming.wildcard.to_lowercase()
            && self.records.contains_key(&Name::observed(&format!("*.{rest}")))
    }
}

impl Mark<'_> {
    /// Whether the mark can speak for a record set of its name.
    #[must_use]
    pub fn covers(&self, record: &RecordSet) -> bool {
        self.record.set_identifier() == record.set_identifier() && generations(record).contains(&self.kind)
    }
}

/// Under which types the ownership of a record set may be kept, newest generation first.
fn generations(record: &RecordSet) -> Vec<Option<RecordType>> {
    let mut kinds = vec![Some(record.kind.clone())];
    if record.kind == RecordType::A && matches!(record.content, Content::Alias(_)) {
        kinds.push(Some(RecordType::Cname));
    }
    if record.kind != RecordType::Aaaa {
        kinds.push(None);
    }
    kinds
}

fn mark<'a>(record: &'a RecordSet, naming: &TxtNaming, apex: &Name) -> Option<Mark<'a>> {
    let claim = first_value(record).and_then(Claim::parse)?;
    let subject = naming.subject(&record.name, apex)?;
    Some(Mark { record, claim, name: subject.name, kind: subject.kind })
}

/// The first value of a TXT record set: the only one in which ownership is looked for.
fn first_value(record: &RecordSet) -> Option<&str> {
    match &record.content {
        Content::Values { values, .. } if record.kind == RecordType::Txt => {
            values.first().map(String::as_str)
        }
        Content::Values { .. } | Content::Alias(_) => None,
    }
}
