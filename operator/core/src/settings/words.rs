//! The closed sets of words that annotations take, each read once into a type that cannot be wrong.

use serde::{Deserialize, Serialize};

use super::BadValue;
use crate::ids::Port;

/// An enum whose values are read from and shown as fixed words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $( $(#[$doc])* #[serde(rename = $word)] $variant, )*
        }

        impl $name {
            /// The word as manifests spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }

            /// Reads the exact word.
            ///
            /// # Errors
            /// The words that would have been understood.
            pub fn parse(text: &str) -> Result<Self, BadValue> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    _ => Err(one_of(&[$($word),*])),
                }
            }
        }
    };
}

fn one_of(words: &[&str]) -> BadValue {
    BadValue(format!("must be one of {}", words.join(", ")))
}

words! {
    /// Who can reach a load balancer.
    Scheme {
        /// Clients within the network only.
        Internal = "internal",
        /// Everybody.
        InternetFacing = "internet-facing",
    }
}

words! {
    /// Address families of a load balancer.
    IpAddressType {
        /// IPv4 only.
        Ipv4 = "ipv4",
        /// Both.
        Dualstack = "dualstack",
        /// Both, IPv4 without public addresses. Application load balancers only.
        DualstackWithoutPublicIpv4 = "dualstack-without-public-ipv4",
    }
}

impl IpAddressType {
    /// Reads the words that a network load balancer takes.
    ///
    /// # Errors
    /// The words that would have been understood.
    pub fn parse_network(text: &str) -> Result<Self, BadValue> {
        match Self::parse(text) {
            Ok(kind @ (Self::Ipv4 | Self::Dualstack)) => Ok(kind),
            _ => Err(one_of(&["ipv4", "dualstack"])),
        }
    }
}

words! {
    /// What is registered behind a load balancer.
    TargetType {
        /// Nodes, reached at a node port.
        Instance = "instance",
        /// Pod addresses.
        Ip = "ip",
    }
}

impl TargetType {
    /// What a Service says: `ip`, and `instance` for everything else, as the peer reads it.
    ///
    /// # Errors
    /// None: the signature is that of a row's parser.
    pub fn parse_network(text: &str) -> Result<Self, BadValue> {
        Ok(if text == Self::Ip.as_str() { Self::Ip } else { Self::Instance })
    }
}

words! {
    /// Version of HTTP that is spoken to targets.
    ProtocolVersion {
        /// HTTP/1.1.
        Http1 = "HTTP1",
        /// HTTP/2.
        Http2 = "HTTP2",
        /// gRPC.
        Grpc = "GRPC",
    }
}

words! {
    /// Protocol of a health check.
    CheckProtocol {
        /// A connection is enough.
        Tcp = "TCP",
        /// Plain HTTP.
        Http = "HTTP",
        /// HTTP over TLS.
        Https = "HTTPS",
    }
}

impl CheckProtocol {
    /// Reads what a Service says, in any case.
    ///
    /// # Errors
    /// The words that would have been understood.
    pub fn parse_any_case(text: &str) -> Result<Self, BadValue> {
        Self::parse(&text.to_ascii_uppercase())
    }

    /// Reads what an Ingress says: upper case, and never TCP.
    ///
    /// # Errors
    /// The words that would have been understood.
    pub fn parse_http(text: &str) -> Result<Self, BadValue> {
        match Self::parse(text) {
            Ok(protocol @ (Self::Http | Self::Https)) => Ok(protocol),
            _ => Err(one_of(&["HTTP", "HTTPS"])),
        }
    }
}

words! {
    /// Application protocols that a TLS listener offers.
    AlpnPolicy {
        /// None.
        None = "None",
        /// HTTP/1 only.
        Http1Only = "HTTP1Only",
        /// HTTP/2 only.
        Http2Only = "HTTP2Only",
        /// HTTP/1 preferred.
        Http2Optional = "HTTP2Optional",
        /// HTTP/2 preferred.
        Http2Preferred = "HTTP2Preferred",
    }
}

words! {
    /// How users are authenticated.
    AuthenticationType {
        /// They are not.
        None = "none",
        /// By a Cognito user pool.
        Cognito = "cognito",
        /// By an OpenID Connect provider.
        Oidc = "oidc",
    }
}

words! {
    /// What becomes of requests of users who are not signed in.
    Unauthenticated {
        /// They are sent to sign in.
        Authenticate = "authenticate",
        /// They are let through.
        Allow = "allow",
        /// They are refused.
        Deny = "deny",
    }
}

words! {
    /// How a claim of a token is written.
    ClaimFormat {
        /// One text.
        SingleString = "single-string",
        /// A list of texts.
        StringArray = "string-array",
        /// Texts between spaces.
        SpaceSeparatedValues = "space-separated-values",
    }
}

/// Port that a health check goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CheckPort {
    /// The port that traffic goes to.
    Traffic,
    /// A number.
    Number(Port),
    /// A port of the Service, by name.
    Name(String),
}

impl CheckPort {
    /// Reads `traffic-port`, a number, or a name.
    ///
    /// # Errors
    /// A number that is no port, or nothing at all.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        match text.parse::<i64>() {
            _ if text == "traffic-port" => Ok(Self::Traffic),
            Ok(number) => Port::new(number)
                .map(Self::Number)
                .ok_or_else(|| BadValue(format!("{number} is not a port: 1 to 65535"))),
            Err(_) if text.is_empty() => {
                Err(BadValue("must be a port, a port's name, or traffic-port".into()))
            }
            Err(_) => Ok(Self::Name(text.to_owned())),
        }
    }

    /// Reads `traffic-port` or a number.
    ///
    /// # Errors
    /// Everything else: a load balancer's ports have no names.
    pub fn parse_number(text: &str) -> Result<Self, BadValue> {
        match Self::parse(text) {
            Ok(Self::Name(_)) | Err(_) => Err(BadValue("must be a port or traffic-port".into())),
            port => port,
        }
    }
}
