//! What may be wrong with a member, and what its author should know.

use crate::{
    class::{Class, Classified},
    ids::Key,
    intent::PortName,
    settings::BadValue,
};

/// Why a member is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// `spec.ingressClassName` names nothing.
    #[error("IngressClass {0} does not exist")]
    NoClass(String),
    /// No class is named, and it cannot be told which default is meant.
    #[error("no class is named, and there are several default classes: {}", .0.join(", "))]
    SeveralDefaults(Vec<String>),
    /// The class' parameters are not there.
    #[error("IngressClass {class} refers to {kind} {name}, which does not exist")]
    NoParams {
        /// The class.
        class: String,
        /// Kind of its parameters.
        kind: String,
        /// Name of its parameters.
        name: String,
    },
    /// The class' parameters are of a kind that its controller does not read.
    #[error("IngressClass {class} refers to parameters of kind {kind}, which its controller does not read")]
    ForeignParams {
        /// The class.
        class: String,
        /// `group/Kind`.
        kind: String,
    },
    /// The selector of namespaces cannot be read.
    #[error("IngressClassParams {params} spec.namespaceSelector: {problem}")]
    BadSelector {
        /// The parameters.
        params: String,
        /// What is wrong.
        problem: String,
    },
    /// The class is not for this namespace.
    #[error("IngressClassParams {params} does not select namespace {namespace}")]
    NamespaceNotSelected {
        /// The parameters.
        params: String,
        /// The Ingress' namespace.
        namespace: String,
    },
    /// A value cannot be read.
    #[error("{at}: {problem} (value {value:?})")]
    Value {
        /// Where it is written.
        at: String,
        /// What is written.
        value: String,
        /// What is wrong with it.
        problem: BadValue,
    },
    /// A setting that decides who gets through, or what a route means, and that nothing honours yet.
    #[error("{at} is not supported yet, and what it is written on cannot be served as asked for without it")]
    Unfaithful {
        /// Where it is written.
        at: String,
    },
    /// The same, of a setting that another provider honours.
    #[error("{at} {why}, and what it is written on cannot be served as asked for without it")]
    Unguarded {
        /// Where it is written.
        at: String,
        /// Such as `means nothing on an in-cluster class`.
        why: String,
    },
    /// The Service is there, its port is not.
    #[error("Service {service} has no port {port}")]
    NoPort {
        /// The Service.
        service: Key,
        /// As the backend names it.
        port: PortName,
    },
    /// A backend that is no Service port.
    #[error("{at}: {problem}")]
    Backend {
        /// Where it is written.
        at: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A Service that is to get a share of the requests is not there.
    #[error("{at}: Service {service} does not exist, and the other targets cannot be given its share")]
    NoShare {
        /// The annotation.
        at: String,
        /// The Service.
        service: Key,
    },
    /// What is written of authentication cannot be carried out.
    #[error("{at}: {problem}")]
    Guard {
        /// Where it is written.
        at: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A path that cannot be matched.
    #[error("{at}: {problem}")]
    Path {
        /// Where it is written.
        at: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What nothing in the cluster serves yet.
    #[error("{at}: {what} not served in the cluster yet, and nothing broader is served in place of it")]
    NotInCluster {
        /// Where it is written.
        at: String,
        /// Such as `rewrites are`.
        what: &'static str,
    },
    /// The object is not of the shape that the API server lets through.
    #[error("{at}: {problem}")]
    Shape {
        /// Field path.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Classified for ReadError {
    fn class(&self) -> Class {
        match self {
            Self::SeveralDefaults(_)
            | Self::NoParams { .. }
            | Self::ForeignParams { .. }
            | Self::BadSelector { .. } => Class::Environment,
            Self::NoClass(_)
            | Self::NamespaceNotSelected { .. }
            | Self::Value { .. }
            | Self::Unfaithful { .. }
            | Self::Unguarded { .. }
            | Self::NoPort { .. }
            | Self::Backend { .. }
            | Self::NoShare { .. }
            | Self::Guard { .. }
            | Self::Path { .. }
            | Self::NotInCluster { .. }
            | Self::Shape { .. } => Class::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoClass(_) => "IngressClassNotFound",
            Self::SeveralDefaults(_) => "SeveralDefaultClasses",
            Self::NoParams { .. } => "ClassParamsNotFound",
            Self::ForeignParams { .. } | Self::BadSelector { .. } => "ClassParamsInvalid",
            Self::NamespaceNotSelected { .. } => "NamespaceNotSelected",
            Self::Value { .. } => "InvalidSetting",
            Self::Unfaithful { .. } | Self::Unguarded { .. } => "UnsupportedSetting",
            Self::NoPort { .. } => "ServicePortNotFound",
            Self::Backend { .. } => "UnsupportedBackend",
            Self::NoShare { .. } => "BackendNotFound",
            Self::Guard { .. } => "InvalidAuthentication",
            Self::Path { .. } => "InvalidPath",
            Self::NotInCluster { .. } => "NotServedInCluster",
            Self::Shape { .. } => "InvalidManifest",
        }
    }
}

/// What an author should know although the member is read: something that was written has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// The Service of a backend is not there.
    #[error("Service {0} does not exist: requests to it are answered with 503")]
    NoService(Key),
    /// The annotation that a backend stands for is not there.
    #[error("there is no annotation {0}: requests to it are answered with 503")]
    NoAction(String),
    /// No row knows the key.
    #[error("{at}: there is no such annotation{}", meant.as_ref().map(|key| format!("; did you mean {key}?")).unwrap_or_default())]
    Unknown {
        /// Where it is written.
        at: String,
        /// The annotation that is spelled most like it.
        meant: Option<String>,
    },
    /// Known, and honoured by nothing yet.
    #[error("{at} is not supported yet and is not applied")]
    Unsupported {
        /// Where it is written.
        at: String,
    },
    /// Known, and means nothing where it is written.
    #[error("{at} {why}")]
    WithoutEffect {
        /// Where it is written.
        at: String,
        /// Such as `means nothing on an in-cluster class`.
        why: String,
    },
}

impl Classified for Advice {
    fn class(&self) -> Class {
        Class::Invalid
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoService(_) | Self::NoAction(_) => "BackendNotFound",
            Self::Unknown { .. } => "UnknownAnnotation",
            Self::Unsupported { .. } => "UnsupportedSetting",
            Self::WithoutEffect { .. } => "SettingWithoutEffect",
        }
    }

    fn is_advice(&self) -> bool {
        // Without its Service or its action, a route answers 503: that is not all that was asked for.
        !matches!(self, Self::NoService(_) | Self::NoAction(_))
    }
}
