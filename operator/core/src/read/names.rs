//! DNS names that a member asks for.

use crate::{
    intent::DnsName,
    settings::{
        Settings,
        dns::{self, HostnameSource},
    },
};

/// Value of the controller annotation that does not opt out.
const CONTROLLER: &str = "dns-controller";

/// Names of the object's spec, then those of the annotation; of equal ones the first. `settings` are readable.
pub(super) fn wanted(settings: &Settings, defined: impl IntoIterator<Item = DnsName>) -> Vec<DnsName> {
    // Values that cannot be read have held the member before this.
    let controller = settings.get(&dns::CONTROLLER).ok().flatten();
    if controller.is_some_and(|controller| controller.value != CONTROLLER) {
        return Vec::new();
    }
    let source = settings.get(&dns::INGRESS_HOSTNAME_SOURCE).ok().flatten().map(|source| source.value);
    let annotated = settings.get(&dns::HOSTNAME).ok().flatten().into_iter().flat_map(|names| {
        let from = names.from.key;
        names.value.into_iter().map(move |name| DnsName { name, from: from.clone() })
    });
    let defined = defined.into_iter().filter(|_| source != Some(HostnameSource::AnnotationOnly));
    let annotated = annotated.filter(|_| source != Some(HostnameSource::DefinedHostsOnly));
    let mut all: Vec<DnsName> = Vec::new();
    for wanted in defined.chain(annotated) {
        if !all.iter().any(|known| known.name == wanted.name) {
            all.push(wanted);
        }
    }
    all
}
