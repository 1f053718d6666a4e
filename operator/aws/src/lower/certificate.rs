//! Which certificates a member's HTTPS listeners get.
//!
//! Given by ARN: each must exist and be issued. Imported, where the Ingress says so: one certificate for each Secret of
//! `spec.tls`, behind those that are given. Otherwise found by host: every issued certificate one of whose names equals a
//! host, or is a wildcard of it (`*.rest`, one label), and that no stack made for itself. Sorted by ARN. The first is the
//! listener's default. A member without a host finds none: its listeners have what the others of its group bring.
//! Requested, where the Ingress says so and gives none: one certificate for all its hosts, which listeners get once it is
//! issued.
//!
//! Errors: `CertificateNotFound` for an ARN or a host that nothing matches; `SecretNotFound` and `SecretUnusable` for a
//! Secret; `CertificateExpired`, which holds what has not been imported yet, as ACM takes it no more, and is said of the
//! rest. They hold that member alone.

mod error;

use std::collections::BTreeSet;

use fairway_core::{
    ids::{Key, ObjectRef},
    intent::{HttpAsk, HttpProtocol},
    note::Note,
};

use super::{
    LowerError, Lowering, Scene,
    ask::{FrontAsk, plain},
};
use crate::{
    facts::{Answer, Certificate, Query},
    model::{self, CertificateRequest, CertificateSource, Ref, SecretRef},
    secret::tls::TlsSeen,
    tags,
};

pub(crate) use error::RequestError;

/// Where Secrets are named.
const AT: &str = "spec.tls";

/// The certificates of an Ingress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// The default first.
    pub(crate) all: Vec<Ref<model::Certificate>>,
    /// Those that the stack makes.
    pub(crate) own: Vec<model::Certificate>,
    /// What its author should know.
    pub(crate) notes: Vec<Note>,
}

/// The certificates of an Ingress; none when nothing of it is HTTPS.
pub(crate) fn of_ingress(
    scene: &Scene<'_>,
    object: &ObjectRef,
    ask: &HttpAsk,
    front: &FrontAsk,
) -> Lowering<Certificates> {
    let https = ask.listens.iter().any(|listen| listen.protocol == HttpProtocol::Https);
    if !https {
        return Ok(Certificates::default());
    }
    let arns = front.certificates.as_ref().map_or(&[][..], |asked| asked.value.as_slice());
    let mut certificates = Certificates::default();
    if arns.is_empty() && front.request_certificate {
        certificates.request(scene, object, ask, front)?;
        return Ok(certificates);
    }
    if arns.is_empty() && !front.import_certificates {
        certificates.all = found(scene, ask)?.iter().map(Ref::new).collect();
        return Ok(certificates);
    }
    let given = given(scene, arns);
    if front.import_certificates {
        certificates.import(scene, object, ask, front)?;
    }
    let given = given?.into_iter().map(Ref::new);
    certificates.all = given.chain(certificates.own.iter().map(|own| Ref::new(&own.name))).collect();
    Ok(certificates)
}

impl Certificates {
    fn request(
        &mut self,
        scene: &Scene<'_>,
        object: &ObjectRef,
        ask: &HttpAsk,
        front: &FrontAsk,
    ) -> Lowering<()> {
        if front.import_certificates {
            return Err(LowerError::from(RequestError::TwoSources).into());
        }
        if !scene.config.request_certificates {
            return Err(LowerError::from(RequestError::Off).into());
        }
        let hosts: Vec<String> = hosts(ask).into_iter().collect();
        if hosts.is_empty() {
            return Err(LowerError::from(RequestError::NoHost).into());
        }
        let authority = front.authority.clone().or_else(|| scene.config.default_authority.clone());
        let authority = authority.filter(|authority| !authority.is_empty());
        let request = CertificateRequest { hosts, authority };
        let resource = tags::requested(&object.key, &request);
        let tags = tags::of(scene.config, scene.stack, &resource, &plain(&front.tags));
        let name = format!("{resource}/{}", request.digest());
        let own = model::Certificate { name, source: CertificateSource::Request(request), tags };
        self.all.push(own.reference());
        self.own.push(own);
        Ok(())
    }

    fn import(
        &mut self,
        scene: &Scene<'_>,
        object: &ObjectRef,
        ask: &HttpAsk,
        front: &FrontAsk,
    ) -> Lowering<()> {
        let namespace = &object.key.namespace;
        let names: BTreeSet<&String> = ask.tls.iter().filter_map(|tls| tls.secret.as_ref()).collect();
        scene.ask_all(names.iter().map(|name| Query::TlsSecret(Key::new(namespace, name))))?;
        // In the order of the spec: the first is the listener's default.
        for name in ask.tls.iter().filter_map(|tls| tls.secret.as_ref()) {
            let secret = Key::new(namespace, name);
            if self.own.iter().filter_map(model::Certificate::secret).all(|own| own.secret != secret) {
                self.add(scene, object, secret, front)?;
            }
        }
        if self.own.is_empty() { Err(LowerError::from(RequestError::NoTlsSecret).into()) } else { Ok(()) }
    }

    fn add(&mut self, scene: &Scene<'_>, object: &ObjectRef, secret: Key, front: &FrontAsk) -> Lowering<()> {
        let name = tags::imported(&secret);
        let digest = match scene.ask(Query::TlsSecret(secret.clone()))? {
            Answer::TlsSecret(TlsSeen::Known { expired: true, .. }) if !scene.has_made(&name) => {
                return Err(LowerError::CertificateExpired(secret).into());
            }
            Answer::TlsSecret(TlsSeen::Known { digest, expired }) => {
                let expired = expired.then(|| LowerError::CertificateExpired(secret.clone()));
                self.notes.extend(expired.map(|expired| Note::warn(object, &expired)));
                digest.clone()
            }
            Answer::TlsSecret(TlsSeen::Unusable(problem)) => {
                let problem = problem.clone();
                return Err(LowerError::SecretUnusable { at: AT, secret, problem }.into());
            }
            _ => return Err(LowerError::SecretNotFound { at: AT, secret }.into()),
        };
        let mut tags = tags::of(scene.config, scene.stack, &name, &plain(&front.tags));
        tags.insert(tags::SECRET_DIGEST.to_owned(), digest.clone());
        let source = CertificateSource::Secret(SecretRef { secret, digest });
        self.own.push(model::Certificate { name, source, tags });
        Ok(())
    }
}

/// The certificates that were asked for by ARN, in order, each once.
pub(crate) fn given(scene: &Scene<'_>, arns: &[String]) -> Lowering<Vec<String>> {
    // Certificates of IAM are not in ACM: there is nobody to ask.
    let in_acm = |arn: &&String| arn.contains(":acm:");
    scene.ask_all(arns.iter().filter(in_acm).cloned().map(Query::Certificate))?;
    let mut checked: Vec<String> = Vec::new();
    for arn in arns {
        if in_acm(&arn) {
            match scene.ask(Query::Certificate(arn.clone()))? {
                Answer::Certificate(Some(certificate)) if certificate.issued => {}
                Answer::Certificate(Some(_)) => {
                    return Err(LowerError::CertificatePending(arn.clone()).into());
                }
                _ => return Err(LowerError::CertificateNotFound(arn.clone()).into()),
            }
        }
        if !checked.contains(arn) {
            checked.push(arn.clone());
        }
    }
    Ok(checked)
}

fn found(scene: &Scene<'_>, ask: &HttpAsk) -> Lowering<Vec<String>> {
    let hosts = hosts(ask);
    // Then the group's others have to bring some.
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let Answer::Certificates(known) = scene.ask(Query::Certificates)? else {
        return Ok(Vec::new());
    };
    let mut arns = BTreeSet::new();
    for host in hosts {
        let usable = known.iter().filter(|known| known.issued && !scene.is_owned(&known.arn));
        let matching = usable.filter(|certificate| matches(certificate, &host));
        let matching: Vec<String> = matching.map(|certificate| certificate.arn.clone()).collect();
        if matching.is_empty() {
            return Err(LowerError::NoCertificate(host).into());
        }
        arns.extend(matching);
    }
    Ok(arns.into_iter().collect())
}

/// Hosts of rules and of `spec.tls`, lower-case.
fn hosts(ask: &HttpAsk) -> BTreeSet<String> {
    let routed = ask.routes.iter().filter_map(|route| route.host.as_ref());
    let rules = routed.chain(&ask.hosts_without_routes);
    rules.chain(ask.tls.iter().flat_map(|tls| &tls.hosts)).map(|host| host.to_lowercase()).collect()
}

fn matches(certificate: &Certificate, host: &str) -> bool {
    let host = host.to_lowercase();
    certificate.names.iter().any(|name| {
        let wildcard = name.strip_prefix("*.").zip(host.split_once('.'));
        *name == host || wildcard.is_some_and(|(rest, (_, parent))| rest == parent)
    })
}

#[cfg(test)]
mod tests;
