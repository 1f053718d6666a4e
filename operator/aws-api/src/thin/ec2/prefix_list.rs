//! Managed prefix lists. Source: EC2 API reference, DescribeManagedPrefixLists.

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// A prefix list of a customer or of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrefixList {
    /// `pl-...`
    pub id: String,
    /// AWS' own are named `com.amazonaws.` and what follows.
    pub name: String,
    /// How many entries it may have; AWS does not tell of its own lists.
    pub max_entries: Option<u32>,
}

impl Decode for PrefixList {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "prefixListId" => self.id = child.text()?,
            "prefixListName" => self.name = child.text()?,
            "maxEntries" => self.max_entries = Some(child.parse()?),
            _ => {}
        }
        Ok(())
    }
}

impl Listed for PrefixList {
    const ACTION: &'static str = "DescribeManagedPrefixLists";
    const SET: &'static str = "prefixListSet";
    const ID_KEY: &'static str = "PrefixListId";
    const PAGE: Option<u32> = Some(100);

    fn id(&self) -> &str {
        &self.id
    }
}

impl Ec2 {
    /// The selected prefix lists, by id.
    pub async fn prefix_lists(&self, select: &Select) -> Result<Vec<PrefixList>, CallError> {
        self.list(select).await
    }
}
