//! Lists: all pages of all parts of a selection, or an error.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::query::Query;
use super::super::xml::{Decode, Element, Malformed};
use super::{Ec2, Select};

/// A resource kind that has a Describe operation.
pub(crate) trait Listed: Decode {
    /// The operation.
    const ACTION: &'static str;
    /// The element that holds the items.
    const SET: &'static str;
    /// How ids are spelled in the request.
    const ID_KEY: &'static str;
    /// The largest page that AWS allows; `None` when the operation has no pages.
    const PAGE: Option<u32>;

    /// AWS' id.
    fn id(&self) -> &str;

    /// Reads the resources out of the set.
    fn read_set(set: Element<'_, '_>) -> Result<Vec<Self>, Malformed> {
        set.items()
    }
}

struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

impl<T: Listed> Decode for Page<T> {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "nextToken" => self.next = child.optional()?,
            name if name == T::SET => self.items = T::read_set(child)?,
            _ => {}
        }
        Ok(())
    }
}

impl Ec2 {
    /// The selected resources, each once, in the order of their ids.
    pub(crate) async fn list<T: Listed>(&self, select: &Select) -> Result<Vec<T>, CallError> {
        let mut found = BTreeMap::new();
        if select.is_empty() {
            return Ok(Vec::new());
        }
        for part in select.clone().split() {
            for item in self.list_part::<T>(&part).await? {
                if item.id().is_empty() {
                    return Err(self.wire.unreadable(T::ACTION, "an item has no id"));
                }
                found.insert(item.id().to_owned(), item);
            }
        }
        Ok(found.into_values().collect())
    }

    async fn list_part<T: Listed>(&self, select: &Select) -> Result<Vec<T>, CallError> {
        let mut query = Query::default();
        select.write(T::ID_KEY, &mut query);
        if let (Some(most), false) = (T::PAGE, select.has_ids()) {
            query.put("MaxResults", self.page.unwrap_or(most).min(most).to_string());
        }
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut request = query.clone();
            if let Some(token) = &token {
                request.put("NextToken", token);
            }
            let page: Page<T> = self.call(T::ACTION, &request).await?;
            all.extend(page.items);
            token = match self.wire.next_page(T::ACTION, token, page.next)? {
                None => return Ok(all),
                next => next,
            };
        }
    }
}
