//! Services: as members, and as what backends name.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort as WrittenPort},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    Candidate, MemberReading,
    error::ReadError,
    finalizer, key, names,
    written::{self, Named, Sorter, Written},
};
use crate::{
    ids::{Port, StackId},
    intent::{
        Ask, Backend, FoundService, IpFamily, L4Ask, Member, PortName, ServicePort, ServiceType, Transport,
    },
    settings::{Origin, registry::Dialect},
};

/// Reads a Service that is a member itself.
pub(super) fn read(stack: &StackId, service: &Service) -> MemberReading {
    let object = Candidate::Service(service).object();
    let named = Named::default();
    let sorter =
        |dialect| Sorter { provider: stack.provider, dialect, origin: Origin::Service, named: &named };
    let mut written = Written::default();
    for dialect in [Dialect::Nlb, Dialect::Dns] {
        written.extend(sorter(dialect).annotations(&object, &service.metadata));
    }
    let Written { entries, advice, mut errors } = written;
    errors.extend(written::unreadable(&object, &entries));
    let settings = written::settings(&entries);
    let advice = advice.into_iter().map(|advice| (object.clone(), advice)).collect();
    let backends = backends(service, &settings).map_err(|error| errors.push(error)).unwrap_or_default();
    if !errors.is_empty() {
        return MemberReading { member: Err(errors), advice };
    }
    let spec = service.spec.clone().unwrap_or_default();
    let member = Member {
        uid: service.metadata.uid.clone().unwrap_or_default(),
        finalizer: finalizer(stack),
        order: 0,
        held: false,
        ask: Ask::L4(L4Ask {
            ports: backends,
            source_ranges: spec.load_balancer_source_ranges.unwrap_or_default(),
            health_check_node_port: spec.health_check_node_port.and_then(|port| Port::new(port.into())),
            client_ip_affinity: spec.session_affinity.as_deref() == Some("ClientIP"),
        }),
        hostnames: names::wanted(&settings, []),
        settings,
        object,
    };
    MemberReading { member: Ok(member), advice }
}

fn backends(service: &Service, settings: &crate::settings::Settings) -> Result<Vec<Backend>, ReadError> {
    let found = |port: &ServicePort| PortName::Number(port.number);
    let ports = ports(service)?;
    if ports.is_empty() {
        return Err(ReadError::Shape { at: "spec.ports".into(), problem: "names no port".into() });
    }
    let backend = |(place, port): (usize, &ServicePort)| {
        Ok(Backend {
            service: key(&service.metadata),
            port: found(port),
            found: Some(describe(service, &ports, place)?),
            settings: settings.clone(),
        })
    };
    ports.iter().enumerate().map(backend).collect()
}

/// The Service that a backend names, and its port.
pub(super) fn find(service: &Service, port: &PortName) -> Result<FoundService, ReadError> {
    let ports = ports(service)?;
    let is_meant = |candidate: &ServicePort| match port {
        PortName::Number(number) => candidate.number == *number,
        PortName::Name(name) => candidate.name == *name,
    };
    let place = ports.iter().position(is_meant);
    let missing = || ReadError::NoPort { service: key(&service.metadata), port: port.clone() };
    describe(service, &ports, place.ok_or_else(missing)?)
}

fn describe(service: &Service, ports: &[ServicePort], place: usize) -> Result<FoundService, ReadError> {
    let spec = service.spec.clone().unwrap_or_default();
    let port = ports.get(place).cloned().ok_or_else(|| shape(service, "spec.ports", "names no port"))?;
    let kind = match spec.type_.as_deref() {
        None | Some("ClusterIP") => ServiceType::ClusterIP,
        Some("NodePort") => ServiceType::NodePort,
        Some("LoadBalancer") => ServiceType::LoadBalancer,
        Some("ExternalName") => ServiceType::ExternalName,
        Some(_) => return Err(shape(service, "spec.type", "is no type of Service")),
    };
    let ipv6 = spec.ip_families.as_ref().and_then(|families| families.first()).is_some_and(|f| f == "IPv6");
    Ok(FoundService {
        uid: service.metadata.uid.clone().unwrap_or_default(),
        kind,
        local_only: spec.external_traffic_policy.as_deref() == Some("Local"),
        port,
        ports: ports.to_vec(),
        ip_family: if ipv6 { IpFamily::Ipv6 } else { IpFamily::Ipv4 },
    })
}

fn ports(service: &Service) -> Result<Vec<ServicePort>, ReadError> {
    let written = service.spec.as_ref().and_then(|spec| spec.ports.as_ref()).into_iter().flatten();
    written.map(|port| read_port(service, port)).collect()
}

fn read_port(service: &Service, port: &WrittenPort) -> Result<ServicePort, ReadError> {
    let number = |number: i32| {
        Port::new(number.into())
            .ok_or_else(|| shape(service, "spec.ports", &format!("{number} is not a port")))
    };
    let transport = match port.protocol.as_deref() {
        None | Some("TCP") => Transport::Tcp,
        Some("UDP") => Transport::Udp,
        Some("SCTP") => Transport::Sctp,
        Some(other) => return Err(shape(service, "spec.ports", &format!("{other} is not a protocol"))),
    };
    let target = match &port.target_port {
        // 0 is what the API server makes of an absent number in old objects.
        None | Some(IntOrString::Int(0)) => PortName::Number(number(port.port)?),
        Some(IntOrString::Int(target)) => PortName::Number(number(*target)?),
        Some(IntOrString::String(name)) => name
            .parse()
            .ok()
            .and_then(Port::new)
            .map_or_else(|| PortName::Name(name.clone()), PortName::Number),
    };
    Ok(ServicePort {
        name: port.name.clone().unwrap_or_default(),
        number: number(port.port)?,
        target,
        node: port.node_port.and_then(|node| Port::new(node.into())),
        transport,
    })
}

fn shape(service: &Service, at: &str, problem: &str) -> ReadError {
    ReadError::Shape { at: format!("Service {} {at}", key(&service.metadata)), problem: problem.to_owned() }
}
