//! A certificate with its key, as a Secret of type `kubernetes.io/tls` holds them.
//!
//! | entry     | holds                                                                                          |
//! |-----------|------------------------------------------------------------------------------------------------|
//! | `tls.crt` | PEM: the certificate, then those that issued it, each issued by the next                        |
//! | `tls.key` | PEM: its key, not encrypted, as PKCS #8, PKCS #1 or SEC 1; RSA of 1024 to 4096 bits, or an elliptic curve P-256, P-384 or P-521 |
//!
//! Shape: what is found wrong is said before AWS is asked. A key that does not tell its public half is left to AWS to
//! judge. The digest is of the certificates alone, which every client gets to see: a key belongs to one certificate.
//! Sources: AWS Certificate Manager user guide, prerequisites for importing certificates; RFC 5280, 5958, 8017, 5915.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairway_core::ids::sha256_hex;
use serde::{Deserialize, Serialize};
use x509_parser::{
    asn1_rs::{Any, Class, FromDer as _, Oid, Tag},
    certificate::X509Certificate,
    pem::Pem,
    public_key::PublicKey,
};

use super::Secret;

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// Object identifiers of the curves that ACM takes.
const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];
const RSA: &str = "1.2.840.113549.1.1.1";
const ELLIPTIC: &str = "1.2.840.10045.2.1";
/// Bits of RSA keys that ACM takes.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=4096;
/// Characters of a line of PEM.
const LINE: usize = 64;

/// What ACM is told. PEM; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate alone.
    pub certificate: String,
    /// Those that issued it; empty when there are none.
    pub chain: String,
    /// The key.
    pub key: String,
    /// Seconds since the epoch.
    not_after: i64,
}

/// What may be known of a certificate everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsSeen {
    /// There is one that ACM takes.
    Known {
        /// Which content of the Secret it is.
        digest: String,
        /// Whether it has expired.
        expired: bool,
    },
    /// There is no such Secret.
    Missing,
    /// The Secret is there, and does not hold a certificate with its key, or may not be read.
    Unusable(String),
}

impl TlsSeen {
    /// What may be known of a Secret. `now` is in seconds since the epoch.
    #[must_use]
    pub fn of(secret: Option<&Secret>, now: i64) -> Self {
        let Some(secret) = secret else { return Self::Missing };
        match KeyPair::of(secret) {
            Ok(pair) => Self::Known { digest: pair.digest(), expired: pair.not_after < now },
            Err(problem) => Self::Unusable(problem),
        }
    }
}

impl KeyPair {
    /// The certificate and the key that a Secret holds.
    ///
    /// # Errors
    /// What is missing or wrong, as the end of a sentence that begins with the Secret.
    pub fn of(secret: &Secret) -> Result<Self, String> {
        let blocks = blocks(secret, CERTIFICATE)?;
        let certificates: Vec<&Pem> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
        let parsed: Vec<X509Certificate<'_>> = certificates
            .iter()
            .map(|block| X509Certificate::from_der(&block.contents).map(|(_, certificate)| certificate))
            .collect::<Result<_, _>>()
            .map_err(|_| format!("has an entry {CERTIFICATE} with a certificate that cannot be read"))?;
        let leaf =
            parsed.first().ok_or_else(|| format!("has an entry {CERTIFICATE} without a certificate"))?;
        let breaks = parsed.iter().zip(parsed.iter().skip(1)).zip(2..);
        let mut breaks = breaks.filter(|((one, next), _)| one.issuer().as_raw() != next.subject().as_raw());
        if let Some((_, number)) = breaks.next() {
            return Err(format!(
                "has an entry {CERTIFICATE} in which certificate {number} does not issue the one before it"
            ));
        }
        let keys = self::blocks(secret, KEY)?;
        let key = private_key(&keys)?;
        match (public_half(leaf)?, half_of_key(key)?) {
            (public, Some(own)) if public != own => {
                Err(format!("has an entry {KEY} that is not the key of {CERTIFICATE}"))
            }
            _ => Ok(()),
        }?;
        let (first, rest) =
            certificates.split_first().ok_or_else(|| format!("has an empty entry {CERTIFICATE}"))?;
        Ok(Self {
            certificate: pem(first),
            chain: rest.iter().map(|block| pem(block)).collect(),
            key: pem(key),
            not_after: leaf.validity().not_after.timestamp(),
        })
    }

    /// Which content of a Secret it is.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256_hex([self.certificate.as_str(), &self.chain])
    }
}

fn blocks(secret: &Secret, name: &str) -> Result<Vec<Pem>, String> {
    let bytes = secret.entries.get(name).ok_or_else(|| format!("has no entry {name}"))?;
    Pem::iter_from_buffer(bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| format!("has an entry {name} that is no PEM"))
}

fn private_key(blocks: &[Pem]) -> Result<&Pem, String> {
    // A file of an elliptic curve may begin with the curve.
    let key = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY"));
    let key = key.ok_or_else(|| format!("has an entry {KEY} without a private key"))?;
    let encrypted = key.label.starts_with("ENCRYPTED") || !key_headers(key).is_empty();
    if encrypted { Err(format!("has an entry {KEY} that is encrypted")) } else { Ok(key) }
}

/// Lines such as `DEK-Info`, which the contents of an encrypted PKCS #1 key begin with.
fn key_headers(key: &Pem) -> &[u8] {
    if key.contents.first() == Some(&0x30) { &[] } else { &key.contents }
}

fn pem(block: &Pem) -> String {
    let text = STANDARD.encode(&block.contents);
    let mut pem = format!("-----BEGIN {}-----\n", block.label);
    for (number, letter) in text.chars().enumerate() {
        if number > 0 && number % LINE == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    let _ = write!(pem, "\n-----END {}-----\n", block.label);
    pem
}

/// What certificate and key have in common.
#[derive(PartialEq, Eq)]
enum Half {
    /// Modulus.
    Rsa(Vec<u8>),
    /// Point.
    Elliptic(Vec<u8>),
}

fn public_half(certificate: &X509Certificate<'_>) -> Result<Half, String> {
    let unfit = |what: &str| Err(format!("has a certificate with {what}, which ACM does not take"));
    let public = certificate.public_key();
    match public.parsed() {
        Ok(PublicKey::RSA(key)) if RSA_BITS.contains(&key.key_size()) => Ok(Half::Rsa(trimmed(key.modulus))),
        Ok(PublicKey::RSA(key)) => unfit(&format!("an RSA key of {} bits", key.key_size())),
        Ok(PublicKey::EC(point)) => {
            let curve =
                public.algorithm.parameters.as_ref().and_then(|curve| Oid::try_from(curve.clone()).ok());
            match curve.map(|curve| curve.to_id_string()) {
                Some(curve) if CURVES.contains(&curve.as_str()) => Ok(Half::Elliptic(point.data().to_vec())),
                _ => unfit("a key of another curve than P-256, P-384 and P-521"),
            }
        }
        _ => unfit("a key that is neither RSA nor of an elliptic curve"),
    }
}

/// `None`: the key does not tell.
fn half_of_key(key: &Pem) -> Result<Option<Half>, String> {
    let half = match key.label.as_str() {
        "RSA PRIVATE KEY" => of_pkcs1(&key.contents).map(Some),
        "EC PRIVATE KEY" => of_sec1(&key.contents),
        _ => of_pkcs8(&key.contents),
    };
    half.ok_or_else(|| format!("has an entry {KEY} that cannot be read"))
}

fn of_pkcs8(der: &[u8]) -> Option<Option<Half>> {
    let parts = sequence(der)?;
    let algorithm = elements(parts.get(1)?.data)?;
    let algorithm = Oid::try_from(algorithm.first()?.clone()).ok()?.to_id_string();
    let key = parts.get(2)?.data;
    match algorithm.as_str() {
        RSA => of_pkcs1(key).map(Some),
        ELLIPTIC => of_sec1(key),
        _ => Some(None),
    }
}

fn of_pkcs1(der: &[u8]) -> Option<Half> {
    Some(Half::Rsa(trimmed(sequence(der)?.get(1)?.data)))
}

fn of_sec1(der: &[u8]) -> Option<Option<Half>> {
    let parts = sequence(der)?;
    let public = parts.iter().find(|part| part.class() == Class::ContextSpecific && part.tag() == Tag(1));
    let Some(public) = public else { return Some(None) };
    let bits = elements(public.data)?;
    // The first octet counts the bits that are not used.
    let (_, point) = bits.first()?.data.split_first()?;
    Some(Some(Half::Elliptic(point.to_vec())))
}

/// The elements of one sequence.
fn sequence(der: &[u8]) -> Option<Vec<Any<'_>>> {
    let (_, outer) = Any::from_der(der).ok()?;
    (outer.tag() == Tag::Sequence).then(|| elements(outer.data)).flatten()
}

fn elements(mut der: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut all = Vec::new();
    while !der.is_empty() {
        let (rest, one) = Any::from_der(der).ok()?;
        all.push(one);
        der = rest;
    }
    Some(all)
}

/// An unsigned number without the zeros that it may begin with.
fn trimmed(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|octet| *octet == 0).collect()
}

#[cfg(test)]
mod tests;
