//! Which certificates a member's HTTPS listeners get.
//!
//! Given by ARN: each must exist and be issued. Otherwise found by host: every issued certificate one of whose names
//! equals a host, or is a wildcard of it (`*.rest`, one label). Sorted by ARN; the first is the listener's default.
//!
//! Errors: `CertificateNotFound` for an ARN or a host that nothing matches; it holds that member alone.

use std::collections::BTreeSet;

use fairway_core::intent::{HttpAsk, HttpProtocol};

use super::{LowerError, Lowering, Scene};
use crate::facts::{Answer, Certificate, Query};

/// The certificates of an Ingress, the default first; empty when nothing of it is HTTPS.
pub(crate) fn of_ingress(scene: &Scene<'_>, ask: &HttpAsk, arns: Option<&[String]>) -> Lowering<Vec<String>> {
    let https = ask.listens.iter().any(|listen| listen.protocol == HttpProtocol::Https);
    match arns.filter(|arns| !arns.is_empty()) {
        _ if !https => Ok(Vec::new()),
        Some(arns) => given(scene, arns),
        None => found(scene, ask),
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
    let rules = ask.routes.iter().filter_map(|route| route.host.as_ref());
    let hosts: BTreeSet<&String> = rules.chain(ask.tls.iter().flat_map(|tls| &tls.hosts)).collect();
    if hosts.is_empty() {
        return Err(LowerError::NoHost.into());
    }
    let Answer::Certificates(known) = scene.ask(Query::Certificates)? else {
        return Err(LowerError::NoHost.into());
    };
    let mut arns = BTreeSet::new();
    for host in hosts {
        let matching = known.iter().filter(|certificate| certificate.issued && matches(certificate, host));
        let matching: Vec<String> = matching.map(|certificate| certificate.arn.clone()).collect();
        if matching.is_empty() {
            return Err(LowerError::NoCertificate(host.clone()).into());
        }
        arns.extend(matching);
    }
    Ok(arns.into_iter().collect())
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
