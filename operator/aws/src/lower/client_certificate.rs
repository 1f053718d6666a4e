//! What a member's HTTPS listeners do with client certificates.
//!
//! Errors: a trust store that is not there, by ARN or by name, holds that member alone.

use std::collections::BTreeMap;

use fairway_core::settings::{
    Sourced,
    front::{ClientCertificateMode as Mode, ClientCertificates as Asked},
};

use super::{LowerError, Lowering, Scene};
use crate::{
    facts::{Answer, Query},
    model::ClientCertificates,
};

/// By port, with trust stores resolved to ARNs.
pub(crate) fn by_port(
    scene: &Scene<'_>,
    asked: Option<Sourced<Vec<Asked>>>,
) -> Lowering<BTreeMap<u16, Sourced<ClientCertificates>>> {
    let mut all = BTreeMap::new();
    let Some(Sourced { value, from }) = asked else { return Ok(all) };
    let stores = value.iter().filter_map(|one| match &one.mode {
        Mode::Verify { trust_store, .. } => Some(Query::TrustStore(trust_store.clone())),
        Mode::Off | Mode::Passthrough => None,
    });
    scene.ask_all(stores)?;
    for one in value {
        let value = match one.mode {
            Mode::Off => ClientCertificates::Off,
            Mode::Passthrough => ClientCertificates::Passthrough,
            Mode::Verify { trust_store, ignore_expiry, advertise_authorities } => {
                let trust_store = trusted(scene, &trust_store)?;
                ClientCertificates::Verify { trust_store, ignore_expiry, advertise_authorities }
            }
        };
        all.insert(one.port.get(), Sourced { value, from: from.clone() });
    }
    Ok(all)
}

fn trusted(scene: &Scene<'_>, written: &str) -> Lowering<String> {
    match scene.ask(Query::TrustStore(written.to_owned()))? {
        Answer::TrustStore(Some(arn)) => Ok(arn.clone()),
        _ => Err(LowerError::TrustStoreNotFound(written.to_owned()).into()),
    }
}
