//! Certificates of ACM that are a stack's.

use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{Tag, ValidationMethod};
use fairway_aws::model::{Certificate, CertificateRequest, SecretRef, Tags};
use fairway_aws::secret::tls::KeyPair;
use fairway_aws::stack::Retag;
use fairway_core::plan::Handle;
use fairway_engine::ports::Applied;

use super::{Done, Failed};
use crate::Aws;
use crate::wire;

impl Aws {
    pub(super) async fn import_certificate(&self, spec: &Certificate, secret: &SecretRef) -> Done {
        let pair = self.key_pair(secret).await?;
        let arn = self.send_certificate(&pair, None, &spec.tags).await?;
        Ok(self.made_certificate(spec, arn))
    }

    /// The answer comes at once, and the certificate when it will: ACM knows by the token a request that it has had.
    pub(super) async fn request_certificate(
        &self,
        spec: &Certificate,
        asked: &CertificateRequest,
        token: &str,
    ) -> Done {
        let domain = asked.hosts.first().map(String::as_str).unwrap_or_default();
        let validation = asked.authority.is_none().then_some(ValidationMethod::Dns);
        let request = self
            .acm
            .request_certificate()
            .domain_name(domain)
            .set_subject_alternative_names(Some(asked.hosts.clone()))
            .set_validation_method(validation)
            .set_certificate_authority_arn(asked.authority.clone())
            .idempotency_token(token)
            .set_tags(encode(&spec.tags)?);
        let answer = self.call("acm", "RequestCertificate", request.send()).await?;
        let arn = wire::required("CertificateArn", answer.certificate_arn())?.to_owned();
        Ok(self.made_certificate(spec, arn))
    }

    fn made_certificate(&self, spec: &Certificate, arn: String) -> Applied {
        let (listed, tags) = (arn.clone(), spec.tags.clone());
        self.inventory.certificates.listed.record(move |all| {
            all.entry(listed.clone()).or_insert_with(|| tags.clone());
        });
        let handle = Handle { id: arn, ready: true, ..Handle::default() };
        Applied::Produced { key: spec.reference().key(), handle }
    }

    pub(super) async fn renew_certificate(&self, arn: &str, secret: &SecretRef) -> Done {
        let pair = self.key_pair(secret).await?;
        // Tags cannot be given with an import under an ARN.
        let sent = self.send_certificate(&pair, Some(arn), &Tags::new()).await;
        self.inventory.certificates.single.drop(&arn.to_owned());
        sent?;
        Ok(Applied::Changed)
    }

    async fn send_certificate(
        &self,
        pair: &KeyPair,
        arn: Option<&str>,
        tags: &Tags,
    ) -> Result<String, Failed> {
        let blob = |text: &str| Blob::new(text.as_bytes());
        let chain = (!pair.chain.is_empty()).then(|| blob(&pair.chain));
        let request = self
            .acm
            .import_certificate()
            .set_certificate_arn(arn.map(str::to_owned))
            .certificate(blob(&pair.certificate))
            .set_certificate_chain(chain)
            .private_key(blob(&pair.key))
            .set_tags(encode(tags)?);
        let answer = self.call("acm", "ImportCertificate", request.send()).await?;
        Ok(wire::required("CertificateArn", answer.certificate_arn())?.to_owned())
    }

    pub(super) async fn delete_certificate(&self, arn: &str) -> Done {
        let request = self.acm.delete_certificate().certificate_arn(arn);
        match self.call("acm", "DeleteCertificate", request.send()).await {
            Err(fault) if !fault.is(&["ResourceNotFoundException"]) => return Err(fault.into()),
            Ok(_) | Err(_) => {}
        }
        let arn = arn.to_owned();
        self.inventory.certificates.single.drop(&arn);
        self.inventory.certificates.listed.record(move |all| drop(all.remove(&arn)));
        Ok(Applied::Removed)
    }

    pub(super) async fn set_certificate_tags(&self, retag: &Retag) -> Done {
        self.inventory.certificates.single.drop(&retag.id);
        if let Some(tags) = encode(&retag.set)? {
            let request = self.acm.add_tags_to_certificate().certificate_arn(&retag.id).set_tags(Some(tags));
            self.call("acm", "AddTagsToCertificate", request.send()).await?;
        }
        if !retag.remove.is_empty() {
            let keys = retag.remove.iter().map(|key| Tag::builder().key(key).build().map_err(unwritable));
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            let request =
                self.acm.remove_tags_from_certificate().certificate_arn(&retag.id).set_tags(Some(keys));
            self.call("acm", "RemoveTagsFromCertificate", request.send()).await?;
        }
        let retag = retag.clone();
        self.inventory.certificates.listed.record(move |all| {
            if let Some(tags) = all.get_mut(&retag.id) {
                tags.extend(retag.set.clone());
                tags.retain(|key, _| !retag.remove.contains(key));
            }
        });
        Ok(Applied::Changed)
    }
}

fn encode(tags: &Tags) -> Result<Option<Vec<Tag>>, Failed> {
    let tags =
        tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(unwritable));
    let tags = tags.collect::<Result<Vec<_>, _>>()?;
    Ok((!tags.is_empty()).then_some(tags))
}

fn unwritable(error: aws_smithy_types::error::operation::BuildError) -> Failed {
    fairway_engine::ports::Refusal::bug("BadRequest", format!("a tag cannot be written: {error}")).into()
}
