//! Certificates and which one a client gets.
//!
//! A client that names a host (SNI) gets the certificate of exactly that host, else of its wildcard, else the
//! default. A host whose Secret cannot be read is registered as [`Credential::Refuse`]: handshakes for it fail,
//! and no wildcard or default certificate stands in, because a client that trusts the stand-in would speak to a
//! host whose owner asked for other keys. On a connection made under another name, requests for a refused host
//! get 421. A client that names no host gets the default or nothing.
//!
//! Errors: [`CertificateError`]; key material never appears in it.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{HostPattern, Hosts};

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The chain is not PEM.
    #[error("the certificate chain is not PEM: {0}")]
    Chain(String),
    /// The chain holds no certificate.
    #[error("the certificate chain is empty")]
    Empty,
    /// The key is not PEM, or not a private key.
    #[error("the private key is not PEM: {0}")]
    Key(String),
    /// The key's kind is not supported, or it belongs to another certificate.
    #[error("the private key does not fit the certificate")]
    Mismatch(#[source] rustls::Error),
}

/// A certificate chain with its key.
#[derive(Debug, Clone)]
pub struct Certificate(Arc<CertifiedKey>);

impl Certificate {
    /// Reads a PEM chain (leaf first) and a PEM key, and checks that they belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| CertificateError::Chain(error.to_string()))?;
        if chain.is_empty() {
            return Err(CertificateError::Empty);
        }
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|error| CertificateError::Key(error.to_string()))?;
        let pair = CertifiedKey::from_der(chain, key, &provider()).map_err(CertificateError::Mismatch)?;
        Ok(Self(Arc::new(pair)))
    }
}

/// What a client gets that asks for a host.
#[derive(Debug, Clone)]
pub enum Credential {
    /// This certificate.
    Serve(Certificate),
    /// Nothing: the handshake fails.
    Refuse,
}

/// The certificates of one listener.
#[derive(Debug, Clone, Default)]
pub struct Certificates {
    hosts: Hosts<Credential>,
}

impl Certificates {
    /// Sets what a host gets; [`HostPattern::Any`] is the default. Gives back what was set before.
    pub fn set(&mut self, host: &HostPattern, credential: Credential) -> Option<Credential> {
        self.hosts.insert(host, credential)
    }

    pub(crate) fn refuses(&self, host: &str) -> bool {
        matches!(self.hosts.find(host), Some(Credential::Refuse))
    }

    /// Session tickets live in this configuration, so they end with the table that made them and a host that
    /// has become refused cannot be resumed.
    pub(crate) fn server_config(&self) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        match self.hosts.find(&host)? {
            Credential::Serve(certificate) => Some(Arc::clone(&certificate.0)),
            Credential::Refuse => None,
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
