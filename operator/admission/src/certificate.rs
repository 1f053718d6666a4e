//! An authority and the one certificate that it signs.
//!
//! The authority's key is forgotten once it has signed: whoever reads what is kept can pose as the webhook until the
//! certificate ends, and as nobody else. A new certificate has a new authority.

use std::{collections::BTreeSet, fmt, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{crypto::CryptoProvider, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Clocks of API servers may be behind ours by so much.
const SKEW: u64 = 3600;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error("a certificate could not be made")]
    Make(#[source] rcgen::Error),
    /// What is kept is not a certificate with its key.
    #[error("the kept certificate cannot be read: {0}")]
    Read(String),
}

/// A private key as PEM. It is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateKey(String);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

/// A certificate, its key, and the authority that signed it. Times are in seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Certificate of the authority, PEM.
    pub authority: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// Its key.
    pub key: PrivateKey,
    /// DNS names and addresses that it is for.
    pub names: BTreeSet<String>,
    /// When it was made.
    pub made: u64,
    /// When it ends.
    pub until: u64,
}

impl Pair {
    /// Makes an authority, and a certificate for names, both good from `now` (and an hour before) for `lifetime` seconds.
    ///
    /// # Errors
    /// A name that can be in no certificate.
    pub fn make(names: &BTreeSet<String>, now: u64, lifetime: u64) -> Result<Self, CertificateError> {
        let until = now + lifetime;
        let (signer, authority) = authority(now, until).map_err(CertificateError::Make)?;
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())
            .map_err(CertificateError::Make)?;
        limit(&mut params, now, until);
        params.distinguished_name.push(DnType::CommonName, "fairway webhook");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(CertificateError::Make)?;
        let certificate = params.signed_by(&key, &signer).map_err(CertificateError::Make)?;
        Ok(Self {
            authority,
            certificate: certificate.pem(),
            key: PrivateKey(key.serialize_pem()),
            names: names.clone(),
            made: now,
            until,
        })
    }

    /// As TLS serves it.
    ///
    /// # Errors
    /// Certificate or key is not what it says, or one does not belong to the other.
    pub fn certified(&self) -> Result<Arc<CertifiedKey>, CertificateError> {
        let read = |what: &str| CertificateError::Read(what.to_owned());
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|_| read("the certificate is not PEM"))?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.0.as_bytes()).map_err(|_| read("the key is not PEM"))?;
        let pair = CertifiedKey::from_der(vec![certificate], key, &provider());
        pair.map(Arc::new).map_err(|error| CertificateError::Read(error.to_string()))
    }
}

fn authority(now: u64, until: u64) -> Result<(Issuer<'static, KeyPair>, String), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    limit(&mut params, now, until);
    // Two authorities in one bundle have to be told apart by name.
    params.distinguished_name.push(DnType::CommonName, format!("fairway webhook authority {now}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((Issuer::new(params, key), certificate.pem()))
}

fn limit(params: &mut CertificateParams, now: u64, until: u64) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(SKEW));
    params.not_after = epoch + Duration::from_secs(until);
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
