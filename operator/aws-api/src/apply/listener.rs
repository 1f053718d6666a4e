//! Listeners.

use aws_sdk_elasticloadbalancingv2::types::{
    Action as WireAction, Certificate, Listener as Wire, ProtocolEnum,
};
use fairway_aws::model::{Action, Attributes, Listener, Ref, TargetGroup};
use fairway_aws::observed::ListenerSeen;
use fairway_core::plan::{Bindings, Handle};
use fairway_engine::ports::{Applied, Refusal};

use super::{Done, Failed, claim, ids};
use crate::Aws;
use crate::fault::Fault;
use crate::wire;

impl Aws {
    pub(super) async fn create_listener(&self, spec: &Listener, ids: &Bindings) -> Done {
        let balancer = ids::find(ids, &spec.load_balancer)?;
        let actions = self.encode_actions(&spec.default_actions, ids).await?;
        let request = self
            .elbv2
            .create_listener()
            .load_balancer_arn(&balancer)
            .port(i32::from(spec.port))
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .set_default_actions(Some(actions))
            .set_ssl_policy(spec.ssl_policy.clone())
            .set_certificates(default_certificate(spec, ids)?)
            .set_mutual_authentication(spec.client_certificates.as_ref().map(wire::listener::encode_mutual))
            .set_alpn_policy(spec.alpn_policy.clone().map(|policy| vec![policy]))
            .set_tags(wire::tags::encode(&spec.tags));
        // AWS answers with an existing listener of equal settings, which is not worth a look: a load balancer is
        // ours whole.
        let seen = match self.elb("CreateListener", request.send()).await {
            Ok(answer) => decoded(answer.listeners().first(), spec.tags.clone())?,
            Err(fault) if fault.is(&["DuplicateListener"]) => {
                self.own_listener(spec, &balancer, fault).await?
            }
            Err(fault) => return Err(fault.into()),
        };
        let handle = Handle { id: seen.arn.clone(), ready: true, ..Handle::default() };
        self.record_balancer(&balancer, move |balancer| {
            // Rules of a listener that was made before and is found again are not forgotten.
            let known = balancer.seen.listeners.get(&seen.port).filter(|known| known.arn == seen.arn);
            let rules = known.map(|known| known.rules.clone()).unwrap_or_default();
            balancer.seen.listeners.insert(seen.port, ListenerSeen { rules, ..seen.clone() });
        });
        Ok(Applied::Produced { key: spec.reference().key(), handle })
    }

    /// Actions as AWS takes them, with the ids and secrets that they name.
    pub(super) async fn encode_actions(
        &self,
        actions: &[Action],
        ids: &Bindings,
    ) -> Result<Vec<WireAction>, Failed> {
        let clients = self.clients(actions).await?;
        let known = wire::action::Known { arn_of: &arns(ids), clients: &clients };
        Ok(wire::action::encode(actions, &known)?)
    }

    /// The listener that is there on this port, if it is ours.
    async fn own_listener(
        &self,
        spec: &Listener,
        balancer: &str,
        fault: Fault,
    ) -> Result<ListenerSeen, Failed> {
        let request = self.elbv2.describe_listeners().load_balancer_arn(balancer);
        let answer = self.elb("DescribeListeners", request.send()).await?;
        let on_port = |listener: &&Wire| listener.port() == Some(i32::from(spec.port));
        let found = answer.listeners().iter().find(on_port).ok_or(fault)?;
        let arn = wire::required("ListenerArn", found.listener_arn())?.to_owned();
        let tags = self.read_tags(std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        self.record_balancer(balancer, |balancer| balancer.listeners = None);
        if !claim::is_ours(&spec.tags, &tags) {
            return Err(claim::taken("listener", spec.reference().name()).into());
        }
        Ok(decoded(Some(found), tags)?)
    }

    pub(super) async fn modify_listener(&self, arn: &str, spec: &Listener, ids: &Bindings) -> Done {
        let actions = self.encode_actions(&spec.default_actions, ids).await?;
        let request = self
            .elbv2
            .modify_listener()
            .listener_arn(arn)
            .port(i32::from(spec.port))
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .set_default_actions(Some(actions))
            .set_ssl_policy(spec.ssl_policy.clone())
            .set_certificates(default_certificate(spec, ids)?)
            .set_mutual_authentication(spec.client_certificates.as_ref().map(wire::listener::encode_mutual))
            .set_alpn_policy(spec.alpn_policy.clone().map(|policy| vec![policy]));
        let answer = self.elb("ModifyListener", request.send()).await?;
        let now = decoded(answer.listeners().first(), spec.tags.clone())?;
        self.record_listener(arn, move |listener| {
            listener.protocol = now.protocol;
            listener.default_actions.clone_from(&now.default_actions);
            listener.ssl_policy.clone_from(&now.ssl_policy);
            listener.alpn_policy.clone_from(&now.alpn_policy);
            listener.client_certificates.clone_from(&now.client_certificates);
            let first = now.certificates.first();
            let others = listener.certificates.iter().filter(|arn| Some(*arn) != first);
            listener.certificates = first.into_iter().chain(others).cloned().collect();
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn modify_listener_attributes(&self, arn: &str, attributes: &Attributes) -> Done {
        let request = self
            .elbv2
            .modify_listener_attributes()
            .listener_arn(arn)
            .set_attributes(wire::tags::encode_listener(attributes));
        let answer = self.elb("ModifyListenerAttributes", request.send()).await?;
        let all = wire::tags::decode_listener(answer.attributes());
        let asked = attributes.clone();
        self.record_listener(arn, move |listener| {
            listener.attributes.extend(asked.clone());
            listener.attributes.extend(all.clone());
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn delete_listener(&self, arn: &str) -> Done {
        let request = self.elbv2.delete_listener().listener_arn(arn);
        match self.elb("DeleteListener", request.send()).await {
            Err(fault) if !fault.is(&["ListenerNotFound", "LoadBalancerNotFound"]) => {
                return Err(fault.into());
            }
            Ok(_) | Err(_) => {}
        }
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            if let Some(balancer) = region.balancer_of(&arn) {
                balancer.seen.listeners.retain(|_, listener| listener.arn != arn);
            }
        });
        Ok(Applied::Removed)
    }

    pub(super) fn record_listener(
        &self,
        arn: &str,
        change: impl Fn(&mut ListenerSeen) + Send + Sync + 'static,
    ) {
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            if let Some(listener) = region.listener(&arn) {
                change(listener);
            }
        });
    }
}

/// Finds the ARNs of target groups.
pub(super) fn arns(ids: &Bindings) -> impl Fn(&Ref<TargetGroup>) -> Result<String, Refusal> + '_ {
    |group| ids::find(ids, group)
}

fn decoded(listener: Option<&Wire>, tags: fairway_aws::model::Tags) -> Result<ListenerSeen, Fault> {
    let listener = wire::required("Listeners", listener)?;
    wire::required("a known protocol", wire::listener::decode(listener, tags)?)
}

fn default_certificate(spec: &Listener, ids: &Bindings) -> Result<Option<Vec<Certificate>>, Refusal> {
    let first = spec.certificates.first().map(|first| ids::find(ids, first)).transpose()?;
    Ok(first.map(|arn| vec![Certificate::builder().certificate_arn(arn).build()]))
}
