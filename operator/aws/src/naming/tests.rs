use fairway_core::{
    ids::{Port, ProviderKind},
    intent::PortName,
};

use super::*;
use crate::model::{HealthCheck, TargetProtocol, TargetType};

fn ingress(name: &str) -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Ingress(Key::new("default", name)))
}

fn shop() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

fn group(port: i32, protocol: TargetProtocol, target_type: TargetType) -> TargetGroup {
    let layer7 = matches!(protocol, TargetProtocol::Http | TargetProtocol::Https);
    TargetGroup {
        name: String::new(),
        port,
        protocol,
        protocol_version: layer7.then(|| "HTTP1".to_owned()),
        target_type,
        ip_address_type: "ipv4".to_owned(),
        control_port: None,
        health_check: HealthCheck {
            protocol: if layer7 { "HTTP" } else { "TCP" }.to_owned(),
            port: "traffic-port".to_owned(),
            path: None,
            http_codes: None,
            grpc_codes: None,
            interval: 10,
            timeout: 10,
            healthy: 3,
            unhealthy: 3,
        },
        attributes: Default::default(),
        tags: Default::default(),
    }
}

#[test]
fn load_balancers_and_groups_are_named_as_the_peer_names_them() {
    let service = |name: &str| Key::new("default", name);
    let cases = [
        (alb("demo", &ingress("plain"), Scheme::InternetFacing), "k8s-default-plain-9f3d6c191c"),
        (alb("demo", &ingress("inst"), Scheme::Internal), "k8s-default-inst-bc9ce57d2f"),
        (alb("demo", &shop(), Scheme::InternetFacing), "k8s-shop-0d9157c528"),
        (alb_security_group("demo", &ingress("plain")), "k8s-default-plain-23556813c9"),
        (alb_security_group("demo", &shop()), "k8s-shop-42b54e90b8"),
        (
            nlb("demo", &service("nlb-ip"), "b8b3a164-e664-421a-8424-37b20c1a4fe4", Scheme::InternetFacing),
            "k8s-default-nlbip-568da9b30b",
        ),
        (
            nlb_security_group("demo", &service("nlb-ip"), "b8b3a164-e664-421a-8424-37b20c1a4fe4"),
            "k8s-default-nlbip-70c3367806",
        ),
        (
            nlb("demo", &service("nlb-local"), "fb69a0f1-5e55-4faa-a92a-fb12c8ea259a", Scheme::Internal),
            "k8s-default-nlblocal-f00500af28",
        ),
        (backend_security_group("demo"), "k8s-traffic-demo-2a97516c35"),
    ];
    for (name, want) in cases {
        assert_eq!(name, want);
    }
}

#[test]
fn target_groups_of_ingresses_are_named_as_the_peer_names_them() {
    let web = "c14d3b6c-1d40-4a2b-bac6-bb1fc6a884ce";
    let web2 = "dea7fa79-853e-41f5-97a0-fa413ea9412c";
    let number = PortName::Number(Port::HTTP);
    let name = PortName::Name("http".to_owned());
    let (ip, instance) = (TargetType::Ip, TargetType::Instance);
    let cases = [
        (ingress("plain"), "plain", "web", web, &name, 80, ip, "k8s-default-web-4b31e29d96"),
        (ingress("plain"), "plain", "web", web, &number, 80, ip, "k8s-default-web-f14e4b3b37"),
        (ingress("plain"), "plain", "web2", web2, &number, 80, ip, "k8s-default-web2-ae13c44e69"),
        (ingress("inst"), "inst", "web2", web2, &number, 31080, instance, "k8s-default-web2-3bf18180a3"),
        (shop(), "grp-a", "web", web, &number, 80, ip, "k8s-default-web-6d0713447d"),
        (shop(), "grp-c", "web", web, &number, 80, ip, "k8s-default-web-8fa47d4fce"),
    ];
    for (stack, ingress, service, uid, port, target_port, kind, want) in cases {
        let target = IngressTarget {
            stack: &stack,
            ingress: &Key::new("default", ingress),
            service: &Key::new("default", service),
            uid,
            port,
        };
        let got = ingress_target_group("demo", &target, &group(target_port, TargetProtocol::Http, kind));
        assert_eq!(got, want);
    }
}

#[test]
fn a_control_port_is_part_of_the_name() {
    let target = IngressTarget {
        stack: &ingress("plain"),
        ingress: &Key::new("default", "plain"),
        service: &Key::new("default", "web"),
        uid: "c14d3b6c-1d40-4a2b-bac6-bb1fc6a884ce",
        port: &PortName::Name("http".to_owned()),
    };
    let mut group = group(80, TargetProtocol::Http, TargetType::Ip);
    group.control_port = Some(3000);
    assert_eq!(ingress_target_group("demo", &target, &group), "k8s-default-web-23e0a9ca8d");
}

#[test]
fn target_groups_of_services_are_named_as_the_peer_names_them() {
    let service = |name: &str| Key::new("default", name);
    let nlb_ip = "b8b3a164-e664-421a-8424-37b20c1a4fe4";
    let tcp = group(80, TargetProtocol::Tcp, TargetType::Ip);
    let udp = group(53, TargetProtocol::Udp, TargetType::Ip);
    let mut local = group(32276, TargetProtocol::Tcp, TargetType::Instance);
    local.health_check.protocol = "HTTP".to_owned();
    let mut tls = tcp.clone();
    tls.health_check.protocol = "HTTP".to_owned();
    let nlb_local = "fb69a0f1-5e55-4faa-a92a-fb12c8ea259a";
    let nlb_tls = "1558a0e8-b653-4ab9-87b1-d298fbbbc935";
    let cases = [
        ("nlb-ip", nlb_ip, 80, &tcp, "k8s-default-nlbip-3c98842141"),
        ("nlb-ip", nlb_ip, 53, &udp, "k8s-default-nlbip-4f7bca0214"),
        ("nlb-local", nlb_local, 80, &local, "k8s-default-nlblocal-365e07d46f"),
        ("nlb-tls", nlb_tls, 80, &tls, "k8s-default-nlbtls-a55045e571"),
        ("nlb-tls", nlb_tls, 443, &tls, "k8s-default-nlbtls-c39c483129"),
    ];
    for (name, uid, port, group, want) in cases {
        assert_eq!(service_target_group("demo", &service(name), uid, port, group), want);
    }
}

#[test]
fn a_successor_has_another_name_of_the_same_shape_and_length() {
    let name = "k8s-default-web-4b31e29d96";
    let next = successor_target_group(name, "k8s-default-plain-9f3d6c191c");
    assert_ne!(next, name);
    assert_eq!(next.len(), name.len());
    assert!(next.starts_with("k8s-default-web-"));
}

#[test]
fn what_stands_in_front_is_named_after_what_is_behind_it() {
    let mut group = group(80, TargetProtocol::Tcp, TargetType::Alb);
    group.health_check.protocol = "HTTP".to_owned();
    // The port behind is not in the name.
    group.port = 8080;
    assert_eq!(frontend_target_group("demo", &ingress("shop"), 80, &group), "k8s-default-shop-c7e7e6f482");
    assert_eq!(frontend_target_group("demo", &shop(), 80, &group), "k8s-shop-684c0b24ef");
    assert_eq!(frontend_nlb("k8s-shop-fd003764d8"), "k8s-shop-fd003764d8-nlb");
    let long = frontend_nlb("k8s-kubesyst-frontend-0123456789");
    assert_eq!((long.as_str(), long.len()), ("k8s-kubesyst-frontend-012345-nlb", 32));
    let next = successor_frontend_nlb(&long, Scheme::Internal);
    assert!(next.len() <= 32 && next != long, "{next}");
    assert_ne!(next, successor_frontend_nlb(&long, Scheme::InternetFacing));
}
