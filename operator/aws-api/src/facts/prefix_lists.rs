//! How many entries prefix lists may have: as so many permissions of a security group they count.
//!
//! Of its own lists AWS tells a weight in the VPC guide and not by its API; those that weigh more than one are below.
//! Who may not look at prefix lists is told nothing, and they count as one.

use fairway_aws::facts::Answer;

use crate::Aws;
use crate::fault::Fault;
use crate::thin::ec2::{PrefixList, Select};

/// By the end of the name. Source: VPC user guide, AWS-managed prefix list weight.
const WEIGHTS: [(&str, usize); 5] = [
    (".cloudfront.origin-facing", 55),
    (".route53-healthchecks", 25),
    (".vpc-lattice", 10),
    (".s3express", 6),
    (".groundstation", 5),
];

impl Aws {
    pub(super) async fn read_prefix_list(&self, id: &str) -> Result<Answer, Fault> {
        let select = Select::all().filter("prefix-list-id", [id]);
        let lists = match self.ec2("DescribeManagedPrefixLists", self.ec2.prefix_lists(&select)).await {
            Ok(lists) => lists,
            Err(fault) if fault.is(&["UnauthorizedOperation"]) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        Ok(Answer::PrefixList(lists.iter().find(|list| list.id == id).and_then(entries)))
    }
}

fn entries(list: &PrefixList) -> Option<usize> {
    let own = || WEIGHTS.iter().find(|(end, _)| list.name.ends_with(end)).map(|(_, weight)| *weight);
    list.max_entries.and_then(|most| usize::try_from(most).ok()).or_else(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_weighs_what_it_may_hold_and_those_of_aws_what_the_guide_says() {
        let list = |name: &str, max_entries| PrefixList {
            id: "pl-1".to_owned(),
            name: name.to_owned(),
            max_entries,
        };
        let cases = [
            (list("offices", Some(20)), Some(20)),
            (list("com.amazonaws.global.cloudfront.origin-facing", None), Some(55)),
            (list("com.amazonaws.us-east-1.s3", None), None),
        ];
        for (list, wanted) in cases {
            assert_eq!(entries(&list), wanted, "{}", list.name);
        }
    }
}
