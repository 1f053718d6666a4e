//! Further certificates of a listener: those that clients ask for by name.

use aws_sdk_elasticloadbalancingv2::types::Certificate;
use fairway_engine::ports::Applied;

use super::Done;
use crate::Aws;

impl Aws {
    pub(super) async fn add_certificates(&self, listener: &str, arns: &[String]) -> Done {
        let request =
            self.elbv2.add_listener_certificates().listener_arn(listener).set_certificates(wire(arns));
        self.elb("AddListenerCertificates", request.send()).await?;
        let added = arns.to_vec();
        self.record_listener(listener, move |listener| {
            let default = listener.certificates.first().cloned();
            let mut others: Vec<String> =
                listener.certificates.iter().skip(1).chain(&added).cloned().collect();
            others.sort();
            others.dedup();
            others.retain(|arn| Some(arn) != default.as_ref());
            listener.certificates = default.into_iter().chain(others).collect();
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn remove_certificates(&self, listener: &str, arns: &[String]) -> Done {
        let request =
            self.elbv2.remove_listener_certificates().listener_arn(listener).set_certificates(wire(arns));
        self.elb("RemoveListenerCertificates", request.send()).await?;
        let removed = arns.to_vec();
        self.record_listener(listener, move |listener| {
            listener.certificates.retain(|arn| !removed.contains(arn));
        });
        Ok(Applied::Changed)
    }
}

fn wire(arns: &[String]) -> Option<Vec<Certificate>> {
    Some(arns.iter().map(|arn| Certificate::builder().certificate_arn(arn).build()).collect())
}
