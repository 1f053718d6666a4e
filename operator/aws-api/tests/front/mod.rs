//! What is asked of a load balancer's front, through the emulator: set, known, read back by another process, taken away.

use std::collections::BTreeMap;

use fairway_aws::facts::{Answer, Query};
use fairway_aws::model::{Addons, ClientCertificates, ListenerProtocol, Ref};
use fairway_aws::observed::{AddonsSeen, Shielding, StackObserved};
use fairway_aws::ownership::Owned;
use fairway_aws::stack::StackOp;
use fairway_aws_api::Aws;
use fairway_core::class::Class;
use fairway_core::settings::front::Attachment;
use fairway_engine::ports::Applied;

use crate::site::{Site, Stack, attributes};

fn this(text: &str) -> Attachment {
    Attachment::This(text.to_owned())
}

async fn answer(aws: &Aws, stack: &Stack, query: Query) -> Answer {
    let facts = fairway_engine::ports::Answer::<fairway_aws::stack::Stacks>::answer(
        aws,
        &stack.id,
        std::slice::from_ref(&query),
    );
    facts.await.unwrap().get(&query).unwrap().clone()
}

/// Applies twice, since an answer can get lost; what is known then is what another process reads.
async fn apply(site: &Site, aws: &Aws, stack: &mut Stack, op: StackOp) -> StackObserved {
    for time in ["once", "again"] {
        let applied = stack.apply(aws, &op).await;
        assert_eq!(applied.as_ref().ok(), Some(&Applied::Changed), "{time}: {op:?}: {applied:?}");
    }
    let (known, read) = (stack.observe(aws).await, stack.observe(&site.aws()).await);
    let front = |seen: &StackObserved| {
        let balancer = &seen.load_balancers[&stack.name];
        let listeners: Vec<_> =
            balancer.listeners.values().map(|listener| listener.client_certificates.clone()).collect();
        (balancer.ipv4_pool.clone(), balancer.addons.clone(), listeners)
    };
    assert_eq!(front(&known), front(&read), "after {op:?}");
    known
}

#[tokio::test]
async fn add_ons_are_put_on_and_taken_away_and_cost_nothing_unasked() {
    let Some(site) = Site::open(29).await else { return };
    site.world.create_web_acl("guard").await;
    let aws = site.aws();
    let mut stack = site.stack("addons");
    stack.balancer.ipv4_pool = Some("ipam-pool-1".to_owned());
    stack.observe(&aws).await;
    stack.create_all(&aws).await;
    let seen = stack.observe(&site.aws()).await;
    assert!(seen.load_balancers["addons"].addons.is_empty());
    assert_eq!(seen.load_balancers["addons"].ipv4_pool.as_deref(), Some("ipam-pool-1"));
    let unasked = |call: &fairway_aws_api::calls::Call| {
        !matches!(call.service.as_str(), "ec2" | "elbv2") || call.operation == "DescribeCapacityReservation"
    };
    assert!(!site.calls().keys().any(unasked), "{:?}", site.calls());

    let acl = match answer(&aws, &stack, Query::WebAcl("guard".to_owned())).await {
        Answer::WebAcl(Some(arn)) => arn,
        other => panic!("{other:?}"),
    };
    assert_eq!(answer(&aws, &stack, Query::WebAcl("nobodys".to_owned())).await, Answer::WebAcl(None));
    assert_eq!(answer(&aws, &stack, Query::ShieldAdvanced).await, Answer::ShieldAdvanced(true));

    stack.balancer.addons = Addons {
        capacity: Some(100),
        web_acl: Some(this(&acl)),
        classic_acl: Some(this("classic")),
        shield: Some(true),
    };
    let nothing = AddonsSeen {
        capacity: Some(0),
        web_acl: Some(Attachment::Nothing),
        classic_acl: Some(Attachment::Nothing),
        shield: Some(Shielding::Nobody),
    };
    assert_eq!(stack.observe(&aws).await.load_balancers["addons"].addons, nothing);
    let balancer = || Ref::new("addons");
    apply(&site, &aws, &mut stack, StackOp::ReserveCapacity(balancer(), 100)).await;
    apply(&site, &aws, &mut stack, StackOp::SetWebAcl(balancer(), this(&acl))).await;
    apply(&site, &aws, &mut stack, StackOp::SetClassicAcl(balancer(), this("classic"))).await;
    let seen = apply(&site, &aws, &mut stack, StackOp::Protect(balancer())).await;
    let AddonsSeen { capacity, web_acl, classic_acl, shield } = seen.load_balancers["addons"].addons.clone();
    assert_eq!((capacity, web_acl, classic_acl), (Some(100), Some(this(&acl)), Some(this("classic"))));
    let Some(Shielding::Ours(id)) = shield else { panic!("{shield:?}") };
    // Known for a while: looking again asks nobody.
    let before = site.calls();
    stack.observe(&aws).await;
    assert_eq!(site.calls_since(&before), BTreeMap::new());

    apply(&site, &aws, &mut stack, StackOp::ReserveCapacity(balancer(), 0)).await;
    apply(&site, &aws, &mut stack, StackOp::SetWebAcl(balancer(), Attachment::Nothing)).await;
    apply(&site, &aws, &mut stack, StackOp::SetClassicAcl(balancer(), Attachment::Nothing)).await;
    let seen = apply(&site, &aws, &mut stack, StackOp::Unprotect(balancer(), id)).await;
    assert_eq!(seen.load_balancers["addons"].addons, nothing);
    let owned = |seen: &StackObserved| {
        Owned::claim(seen.load_balancers["addons"].clone(), &stack.marks.clone()).unwrap()
    };
    let (one, other) = (owned(&seen), owned(&seen));
    let seen =
        apply(&site, &aws, &mut stack, StackOp::SetIpv4Pool(one, Some("ipam-pool-2".to_owned()))).await;
    assert_eq!(seen.load_balancers["addons"].ipv4_pool.as_deref(), Some("ipam-pool-2"));
    let seen = apply(&site, &aws, &mut stack, StackOp::SetIpv4Pool(other, None)).await;
    assert_eq!(seen.load_balancers["addons"].ipv4_pool, None);

    let wrong = StackOp::SetWebAcl(balancer(), this(&format!("{acl}x")));
    let refusal = stack.apply(&aws, &wrong).await.unwrap_err();
    assert_eq!((refusal.failure.class, refusal.failure.code.as_str()), (Class::Environment, "MissingOnAws"));
}

#[tokio::test]
async fn listeners_ask_for_client_certificates_and_have_attributes() {
    let Some(site) = Site::open(30).await else { return };
    let aws = site.aws();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&site.world.config());
    let made = elb.create_trust_store().name("staff").ca_certificates_bundle_s3_bucket("b");
    let made = made.ca_certificates_bundle_s3_key("k").send().await.unwrap();
    let store = made.trust_stores()[0].trust_store_arn().unwrap().to_owned();
    let mut stack = site.stack("mutual");
    for text in ["staff", &store] {
        let found = answer(&aws, &stack, Query::TrustStore(text.to_owned())).await;
        assert_eq!(found, Answer::TrustStore(Some(store.clone())), "{text}");
    }
    let found = answer(&aws, &stack, Query::TrustStore("nobodys".to_owned())).await;
    assert_eq!(found, Answer::TrustStore(None));

    stack.listener.protocol = ListenerProtocol::Https;
    stack.listener.ssl_policy = Some("ELBSecurityPolicy-2016-08".to_owned());
    stack.listener.certificates = vec![Ref::new(site.certificate("mutual.example.com").await)];
    let verify = |advertise_authorities| ClientCertificates::Verify {
        trust_store: store.clone(),
        ignore_expiry: true,
        advertise_authorities,
    };
    stack.listener.client_certificates = Some(verify(None));
    stack.observe(&aws).await;
    stack.create_all(&aws).await;
    let asked =
        |seen: &StackObserved| seen.load_balancers["mutual"].listeners[&80].client_certificates.clone();
    assert!(matches!(
        asked(&stack.observe(&site.aws()).await),
        Some(ClientCertificates::Verify { trust_store, ignore_expiry: true, .. }) if trust_store == store
    ));
    for want in [verify(Some(true)), ClientCertificates::Passthrough, ClientCertificates::Off] {
        stack.listener.client_certificates = Some(want.clone());
        let seen = stack.observe(&aws).await.load_balancers["mutual"].listeners[&80].clone();
        let owned = Owned::claim(seen, &stack.marks).unwrap();
        let op = StackOp::ModifyListener(owned, stack.listener.clone());
        assert_eq!(asked(&apply(&site, &aws, &mut stack, op).await), Some(want));
    }
    const SERVER: &str = "routing.http.response.server.enabled";
    for value in ["false", "true"] {
        let op =
            StackOp::ModifyListenerAttributes(stack.listener.reference(), attributes(&[(SERVER, value)]));
        apply(&site, &aws, &mut stack, op).await;
        let seen = stack.observe(&site.aws()).await;
        assert_eq!(seen.load_balancers["mutual"].listeners[&80].attributes[SERVER], value);
    }
}
