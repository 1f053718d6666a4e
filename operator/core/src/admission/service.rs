//! Services: a class for those of type LoadBalancer that name none, where an installation asks for it.

use k8s_openapi::api::core::v1::Service;

use super::{Answer, Change, Edit};
use crate::read::ReadConfig;

/// What the API server is answered about a Service: a new one without a class gets ours. The class of a Service cannot
/// be changed while it is of type LoadBalancer, so one that is there already is left alone.
#[must_use]
pub fn service(config: &ReadConfig, change: Change<'_, Service>) -> Answer {
    let spec = change.new.spec.as_ref();
    let balanced = spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer");
    let class = spec.and_then(|spec| spec.load_balancer_class.as_deref()).unwrap_or_default();
    if change.old.is_some() || !balanced || !class.is_empty() {
        return Answer::allow();
    }
    Answer::edit(vec![Edit::set("/spec/loadBalancerClass", config.load_balancer_class.as_str())])
}
