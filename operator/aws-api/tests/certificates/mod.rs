//! Certificates of Secrets, in ACM.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fairway_aws::model::{Certificate, CertificateSource, ListenerProtocol, Ref, SecretRef, Tags};
use fairway_aws::observed::{CertificateKind, CertificateSeen};
use fairway_aws::ownership::Owned;
use fairway_aws::secret::Secret;
use fairway_aws::secret::tls::KeyPair;
use fairway_aws::stack::{Retag, StackOp};
use fairway_aws::tags::SECRET_DIGEST;
use fairway_aws_api::{Aws, Secrets};
use fairway_core::class::Class;
use fairway_core::ids::Key;
use fairway_engine::ports::{Applied, Refusal};

use crate::site::{Site, Stack};

/// One Secret, whatever is asked for.
#[derive(Clone, Default)]
struct One(Arc<Mutex<Secret>>);

#[async_trait]
impl Secrets for One {
    async fn read(&self, _: &Key) -> Result<Option<Secret>, Refusal> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl One {
    /// Puts a new certificate in, and says which it is.
    fn renew(&self) -> String {
        let made = rcgen::generate_simple_self_signed(vec!["shop.example.com".to_owned()]).unwrap();
        let entries = [("tls.crt", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())];
        let entries = entries.map(|(name, text)| (name.to_owned(), text.into_bytes()));
        let secret = Secret { uid: "1".to_owned(), entries: entries.into() };
        let digest = KeyPair::of(&secret).unwrap().digest();
        *self.0.lock().unwrap() = secret;
        digest
    }
}

fn spec(stack: &Stack, digest: &str) -> Certificate {
    let name = "imported/default/shop-tls".to_owned();
    let mut tags: Tags = stack.marks.clone();
    tags.insert("ingress.k8s.aws/resource".to_owned(), name.clone());
    tags.insert(SECRET_DIGEST.to_owned(), digest.to_owned());
    let secret = SecretRef { secret: Key::new("default", "shop-tls"), digest: digest.to_owned() };
    Certificate { name, source: CertificateSource::Secret(secret), tags }
}

fn import(spec: &Certificate) -> StackOp {
    StackOp::ImportCertificate(spec.clone(), spec.secret().unwrap().clone())
}

fn renew(own: &Owned<CertificateSeen>, spec: &Certificate) -> StackOp {
    StackOp::RenewCertificate(own.clone(), spec.name.clone(), spec.secret().unwrap().clone())
}

async fn seen(stack: &Stack, aws: &Aws) -> BTreeMap<String, CertificateSeen> {
    stack.observe(aws).await.certificates
}

#[tokio::test]
async fn an_imported_certificate_is_found_renewed_and_deleted() {
    let Some(site) = Site::open(29).await else { return };
    let secret = One::default();
    let aws = site.aws().with_secrets(Arc::new(secret.clone()));
    let mut stack = site.stack("imported");
    assert_eq!(seen(&stack, &aws).await, BTreeMap::new(), "it is not asked for");
    stack.certificates = Some(BTreeSet::new());
    assert_eq!(seen(&stack, &aws).await, BTreeMap::new());

    let first = spec(&stack, &secret.renew());
    stack.apply(&aws, &import(&first)).await.unwrap();
    let arn = stack.bindings[&first.reference().key()].id.clone();
    let want = |tags: &Tags| {
        let (kind, tags) = (CertificateKind::Imported, tags.clone());
        BTreeMap::from([(arn.clone(), CertificateSeen { arn: arn.clone(), kind, tags })])
    };
    for view in [&aws, &site.aws()] {
        assert_eq!(seen(&stack, view).await, want(&first.tags));
    }

    // What was decided on is sent, or nothing.
    let own = Owned::claim(want(&first.tags)[&arn].clone(), &stack.marks).unwrap();
    let second = spec(&stack, &secret.renew());
    let refused = stack.apply(&aws, &renew(&own, &first)).await.unwrap_err();
    assert_eq!((refused.failure.class, refused.failure.code.as_str()), (Class::Transient, "SecretChanged"));
    let set = Tags::from([(SECRET_DIGEST.to_owned(), second.secret().unwrap().digest.clone())]);
    let resource = second.reference().key();
    let retag = Retag { resource, id: arn.clone(), set, remove: BTreeSet::new() };
    for op in [renew(&own, &second), StackOp::SetTags(retag)] {
        assert_eq!(stack.apply(&aws, &op).await.unwrap(), Applied::Changed);
    }
    for view in [&aws, &site.aws()] {
        assert_eq!(seen(&stack, view).await, want(&second.tags));
    }

    // A listener names it before it has an ARN, and keeps it from being deleted.
    stack.listener.protocol = ListenerProtocol::Https;
    stack.listener.ssl_policy = Some("ELBSecurityPolicy-2016-08".to_owned());
    stack.listener.certificates = vec![Ref::new(&second.name)];
    stack.create_all(&aws).await;
    let listener = stack.observe(&aws).await.load_balancers["imported"].listeners[&80].clone();
    assert_eq!(listener.certificates, std::slice::from_ref(&arn));
    let delete = StackOp::DeleteCertificate(own);
    let used = stack.apply(&aws, &delete).await.unwrap_err();
    assert_eq!((used.failure.class, used.failure.code.as_str()), (Class::Pending, "NotYetFree"));
    let listener = Owned::claim(listener, &stack.marks).unwrap();
    let gone = StackOp::DeleteListener(stack.listener.reference(), listener);
    for op in [&gone, &delete, &delete] {
        assert_eq!(stack.apply(&aws, op).await.unwrap(), Applied::Removed);
    }
    for view in [&aws, &site.aws()] {
        assert_eq!(seen(&stack, view).await, BTreeMap::new());
    }
}
