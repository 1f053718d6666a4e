//! Which resources of a kind are asked for.

use super::super::query::Query;

/// The most values that one filter, or one list of ids, may have.
/// Source: EC2 API reference, Filter ("up to 200 filter values").
const MOST: usize = 200;

/// A selection by ids, by filters, or both: a resource must be among the ids and pass every filter.
///
/// A list without entries selects nothing. AWS takes an empty list for no condition at all, so such a selection is
/// never sent. Lists longer than AWS allows are asked for in parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    ids: Option<Vec<String>>,
    filters: Vec<(String, Vec<String>)>,
}

impl Select {
    /// Every resource of the kind in the region.
    pub fn all() -> Self {
        Self::default()
    }

    /// The resources with these ids; an unknown id is an error.
    pub fn ids<I: IntoIterator<Item: Into<String>>>(ids: I) -> Self {
        Self { ids: Some(ids.into_iter().map(Into::into).collect()), filters: Vec::new() }
    }

    /// Of these, the ones whose attribute `name` (`vpc-id`, `tag:Name`) is one of `values`.
    pub fn filter<I: IntoIterator<Item: Into<String>>>(mut self, name: impl Into<String>, values: I) -> Self {
        self.filters.push((name.into(), values.into_iter().map(Into::into).collect()));
        self
    }

    /// Whether it can match nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.as_ref().is_some_and(Vec::is_empty)
            || self.filters.iter().any(|(_, values)| values.is_empty())
    }

    /// Whether ids are named; AWS then allows no page size.
    pub(crate) fn has_ids(&self) -> bool {
        self.ids.is_some()
    }

    /// The same selection in parts that AWS accepts. A resource can match several parts.
    pub(crate) fn split(self) -> Vec<Self> {
        if let Some(ids) = self.ids.as_ref().filter(|ids| ids.len() > MOST) {
            let part = |ids: &[String]| Self { ids: Some(ids.to_vec()), filters: self.filters.clone() };
            return ids.chunks(MOST).map(part).flat_map(Self::split).collect();
        }
        let Some(at) = self.filters.iter().position(|(_, values)| values.len() > MOST) else {
            return vec![self];
        };
        let mut rest = self;
        let (name, values) = rest.filters.remove(at);
        let part = |values: &[String]| rest.clone().filter(name.clone(), values.to_vec());
        values.chunks(MOST).map(part).flat_map(Self::split).collect()
    }

    pub(crate) fn write(&self, id_key: &str, query: &mut Query) {
        query.put_list(id_key, self.ids.as_deref().unwrap_or_default());
        for (at, (name, values)) in (1..).zip(&self.filters) {
            query.put(format!("Filter.{at}.Name"), name);
            query.put_list(&format!("Filter.{at}.Value"), values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<String> {
        (0..count).map(|n| n.to_string()).collect()
    }

    #[test]
    fn long_lists_are_split_and_lose_nothing() {
        let parts = Select::ids(numbers(401)).filter("a", numbers(201)).filter("b", ["x"]).split();
        assert_eq!(parts.len(), 6, "three parts of the ids, two of the filter");
        for part in &parts {
            assert!(part.ids.as_ref().unwrap().len() <= MOST);
            assert!(part.filters.iter().all(|(_, values)| values.len() <= MOST));
            assert!(part.filters.contains(&("b".to_owned(), vec!["x".to_owned()])));
        }
        let ids: std::collections::BTreeSet<_> = parts.iter().flat_map(|p| p.ids.clone().unwrap()).collect();
        let values: std::collections::BTreeSet<_> = parts
            .iter()
            .flat_map(|p| p.filters.iter().filter(|(name, _)| name == "a").flat_map(|(_, v)| v.clone()))
            .collect();
        assert_eq!((ids.len(), values.len()), (401, 201));
    }

    #[test]
    fn an_empty_list_selects_nothing() {
        assert!(Select::ids(Vec::<String>::new()).is_empty());
        assert!(Select::all().filter("vpc-id", Vec::<String>::new()).is_empty());
        assert!(!Select::all().is_empty());
    }
}
