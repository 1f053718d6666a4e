//! Why an Ingress has no certificate of its own: imported, or requested from ACM.

use fairway_core::class::{Class, Classified};

/// Why an Ingress has no certificate of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// There is no Secret to import from.
    #[error("import-certificates: spec.tls names no Secret")]
    NoTlsSecret,
    /// Two ways to come by a certificate.
    #[error("import-certificates and create-acm-cert exclude each other")]
    TwoSources,
    /// The installation requests no certificates.
    #[error(
        "create-acm-cert: no certificate is requested without --feature-gates=EnableCertificateManagement=true"
    )]
    Off,
    /// There is nothing that a certificate could be for.
    #[error("create-acm-cert: the Ingress has no host")]
    NoHost,
    /// ACM has not issued it yet.
    #[error("the certificate for {hosts} is awaited: {state}")]
    Awaited {
        /// Its names.
        hosts: String,
        /// What ACM waits for.
        state: String,
        /// Whether it is awaited for longer than time alone explains.
        late: bool,
    },
    /// Somebody has to show that the domains are his.
    #[error(
        "the certificate for {hosts} is awaited: ACM looks for records that have to be made by hand: {records}"
    )]
    ByHand {
        /// Its names.
        hosts: String,
        /// As they have to be made.
        records: String,
    },
    /// ACM will not issue it.
    #[error(
        "ACM has not issued the certificate for {hosts}: {reason}; another is requested a day after this one was"
    )]
    Failed {
        /// Its names.
        hosts: String,
        /// In ACM's word.
        reason: String,
    },
}

impl Classified for RequestError {
    fn class(&self) -> Class {
        match self {
            Self::NoTlsSecret | Self::TwoSources | Self::NoHost => Class::Invalid,
            Self::Off | Self::ByHand { .. } | Self::Failed { .. } | Self::Awaited { late: true, .. } => {
                Class::Environment
            }
            Self::Awaited { late: false, .. } => Class::Pending,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoTlsSecret => "NoTlsSecret",
            Self::TwoSources => "TwoCertificateSources",
            Self::Off => "CertificateManagementOff",
            Self::NoHost => "NoCertificateHost",
            Self::Awaited { .. } => "CertificatePending",
            Self::ByHand { .. } => "ValidationRecordsMissing",
            Self::Failed { .. } => "CertificateFailed",
        }
    }
}
