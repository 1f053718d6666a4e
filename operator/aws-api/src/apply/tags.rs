//! Tags: one call to set, one to remove. Security groups have theirs from EC2, certificates from ACM.

use fairway_aws::stack::Retag;
use fairway_engine::ports::Applied;

use super::Done;
use crate::Aws;
use crate::wire;

impl Aws {
    pub(super) async fn set_tags(&self, retag: &Retag) -> Done {
        if retag.id.starts_with("sg-") {
            self.set_group_tags(retag).await
        } else if retag.id.contains(":acm:") {
            self.set_certificate_tags(retag).await
        } else {
            self.set_elb_tags(retag).await
        }
    }

    async fn set_elb_tags(&self, retag: &Retag) -> Done {
        if let Some(tags) = wire::tags::encode(&retag.set) {
            let request = self.elbv2.add_tags().resource_arns(&retag.id).set_tags(Some(tags));
            self.elb("AddTags", request.send()).await?;
        }
        if !retag.remove.is_empty() {
            let keys = retag.remove.iter().cloned().collect();
            let request = self.elbv2.remove_tags().resource_arns(&retag.id).set_tag_keys(Some(keys));
            self.elb("RemoveTags", request.send()).await?;
        }
        let retag = retag.clone();
        self.inventory.region.record(move |region| {
            if let Some(tags) = region.tags(&retag.id) {
                tags.extend(retag.set.clone());
                tags.retain(|key, _| !retag.remove.contains(key));
            }
        });
        Ok(Applied::Changed)
    }

    async fn set_group_tags(&self, retag: &Retag) -> Done {
        let id = [retag.id.clone()];
        if !retag.set.is_empty() {
            self.ec2("CreateTags", self.ec2.create_tags(&id, &retag.set)).await?;
        }
        if !retag.remove.is_empty() {
            let keys: Vec<String> = retag.remove.iter().cloned().collect();
            self.ec2("DeleteTags", self.ec2.delete_tags(&id, &keys)).await?;
        }
        let retag = retag.clone();
        self.inventory.security_groups.record(move |groups| {
            if let Some(group) = groups.get_mut(&retag.id) {
                group.tags.extend(retag.set.clone());
                group.tags.retain(|key, _| !retag.remove.contains(key));
            }
        });
        Ok(Applied::Changed)
    }
}
