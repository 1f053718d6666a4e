//! Where a service is reached.
//!
//! Order: an endpoint set in code, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL` (each also from the profile), then
//! AWS' own host name for the region, with the FIPS and dual-stack choices of the configuration.
//! Source: AWS SDKs and Tools reference guide, service-specific endpoints; AWS General Reference, service endpoints.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// One service as its wire protocol needs it.
#[derive(Debug)]
pub(crate) struct Service {
    /// The SDK's service id: names the endpoint variable and the metrics label.
    pub(crate) id: &'static str,
    /// First label of its host name, which for these services is also the name in signatures.
    pub(crate) host: &'static str,
    /// The one region that serves all others, for a global service.
    pub(crate) home: Option<&'static str>,
    /// How requests and answers are written.
    pub(crate) protocol: Protocol,
}

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A form in the request, XML in the answer.
    Query {
        /// Version of the API, which is a date.
        version: &'static str,
    },
    /// JSON both ways, AWS JSON 1.1.
    Json {
        /// What stands before the operation in `x-amz-target`.
        target: &'static str,
    },
}

/// The URL that requests to `service` from `region` go to.
pub(crate) fn endpoint_url(config: &SdkConfig, service: &Service, region: &str) -> String {
    overridden(config, service).unwrap_or_else(|| {
        let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
        let suffix = suffix(region, config.use_dual_stack() == Some(true));
        format!("https://{}{fips}.{region}.{suffix}", service.host)
    })
}

fn overridden(config: &SdkConfig, service: &Service) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    own_endpoint(config, service).or_else(general)
}

fn own_endpoint(config: &SdkConfig, service: &Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// The domain of the partition that `region` belongs to.
fn suffix(region: &str, dual_stack: bool) -> &'static str {
    match (region.starts_with("cn-"), dual_stack) {
        (true, false) => "amazonaws.com.cn",
        (true, true) => "api.amazonwebservices.com.cn",
        (false, false) => "amazonaws.com",
        (false, true) => "api.aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
    use aws_types::sdk_config::Builder;

    const TAGGING: Service = Service {
        id: "Resource Groups Tagging API",
        host: "tagging",
        home: None,
        protocol: Protocol::Json { target: "T" },
    };

    /// Stands for the environment: answers for one service only.
    #[derive(Debug)]
    struct Variables;
    impl aws_types::service_config::LoadServiceConfig for Variables {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            (key.service_id() == TAGGING.id && key.env() == "AWS_ENDPOINT_URL")
                .then(|| "http://own".to_owned())
        }
    }

    #[test]
    fn the_nearest_setting_wins() {
        let set = |f: fn(Builder) -> Builder| f(SdkConfig::builder()).build();
        let from_environment = |mut b: Builder| {
            b.insert_origin("endpoint_url", aws_types::origin::Origin::shared_environment_variable());
            b.endpoint_url("http://all")
        };
        let in_code = |mut b: Builder| {
            b.insert_origin("endpoint_url", aws_types::origin::Origin::shared_config());
            b.endpoint_url("http://code").service_config(Variables)
        };
        let cases = [
            ("nothing set", set(|b| b), "eu-west-1", "https://tagging.eu-west-1.amazonaws.com"),
            ("China", set(|b| b), "cn-north-1", "https://tagging.cn-north-1.amazonaws.com.cn"),
            ("FIPS", set(|b| b.use_fips(true)), "us-east-1", "https://tagging-fips.us-east-1.amazonaws.com"),
            ("dual stack", set(|b| b.use_dual_stack(true)), "us-east-1", "https://tagging.us-east-1.api.aws"),
            ("for all services", set(from_environment), "us-east-1", "http://all"),
            (
                "for this service, beside one for all",
                from_environment(SdkConfig::builder()).service_config(Variables).build(),
                "us-east-1",
                "http://own",
            ),
            ("in code, beside the environment", set(in_code), "us-east-1", "http://code"),
        ];
        for (name, config, region, want) in cases {
            assert_eq!(endpoint_url(&config, &TAGGING, region), want, "{name}");
        }
    }

    /// Through the SDK's own loader, which also reads the environment.
    #[tokio::test]
    async fn a_profile_can_name_an_endpoint_for_one_service() {
        let profile = "[default]\nservices = local\nendpoint_url = http://all\n\
                       [services local]\nec2 =\n  endpoint_url = http://own\n";
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, profile).build();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .profile_files(files)
            .profile_name("default")
            .region("eu-west-1")
            .no_credentials()
            .load()
            .await;
        let ec2 = Service { id: "EC2", ..TAGGING };
        assert_eq!(endpoint_url(&config, &ec2, "eu-west-1"), "http://own");
        assert_eq!(endpoint_url(&config, &TAGGING, "eu-west-1"), "http://all");
    }
}
