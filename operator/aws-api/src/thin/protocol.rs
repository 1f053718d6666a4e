//! One request to one service on the SDK's orchestrator: signed, timed, retried, counted.
//!
//! | limit          | seconds | when                                        |
//! |----------------|---------|---------------------------------------------|
//! | each attempt   | 20      | unless the SDK configuration sets one       |
//! | all attempts   | 60      | unless the SDK configuration sets one       |
//!
//! Shape: [`Wire`] is made once a client and holds what is shared between calls (credentials cache, retry budget,
//! connections, clock skew); a call adds only its own body and name.

use std::str::Utf8Error;
use std::time::Duration;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::service_clock_skew::{DisableClockSkewCorrection, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime::client::orchestrator::invoke;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};

use super::endpoint::{Protocol, Service, endpoint_url};
use super::error::{CallError, Refusal, SetupError};
use super::xml::{self, Malformed};
use super::{json, retry};
use crate::calls::{Call, CallCounter};

/// Longer than any answer that EC2 gives in practice, short enough that a reconcile survives one hung connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Three attempts, each at its limit.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);

/// A service that can be called.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    service: &'static Service,
    plugins: RuntimePlugins,
}

impl Wire {
    pub(crate) fn new(
        config: &SdkConfig,
        service: &'static Service,
        calls: &CallCounter,
    ) -> Result<Self, SetupError> {
        let region = match service.home {
            Some(home) => Region::from_static(home),
            None => config.region().cloned().ok_or(SetupError::NoRegion)?,
        };
        let version = config.behavior_version().unwrap_or_else(BehaviorVersion::latest);
        let defaults =
            DefaultPluginParams::new().with_retry_partition_name(service.id).with_behavior_version(version);
        let shared = StaticRuntimePlugin::new()
            .with_config(settings(config, service, &region).freeze())
            .with_runtime_components(components(config, service, &region, calls)?);
        let plugins =
            RuntimePlugins::new().with_client_plugins(default_plugins(defaults)).with_client_plugin(shared);
        Ok(Self { service, plugins })
    }

    /// Sends `body` as `operation` and gives the body of the answer.
    pub(crate) async fn send(&self, operation: &'static str, body: String) -> Result<String, CallError> {
        let mut layer = Layer::new("thin call");
        layer.store_put(Metadata::new(operation, self.service.id));
        let plugin = StaticRuntimePlugin::new().with_config(layer.freeze());
        let plugins = self.plugins.clone().with_operation_plugin(plugin);
        let input = Input::erase(Payload { operation, body });
        let output = invoke(self.service.id, operation, input, &plugins)
            .await
            .map_err(|error| call_error(self.call(operation), error))?;
        output.downcast().map_err(|_| self.unreadable(operation, "it is not a text"))
    }

    /// The token of the page after this one. A token that leads back to itself would list the same page for ever.
    pub(crate) fn next_page(
        &self,
        operation: &str,
        this: Option<String>,
        next: Option<String>,
    ) -> Result<Option<String>, CallError> {
        if next.is_some() && this == next {
            return Err(self.unreadable(operation, "its next page is the same page"));
        }
        Ok(next)
    }

    /// The error of an answer to `operation` that does not say what it should.
    pub(crate) fn unreadable(&self, operation: &str, reason: impl ToString) -> CallError {
        CallError::Unreadable { call: self.call(operation), reason: reason.to_string() }
    }

    /// The error of a request to `operation` that cannot be written.
    pub(crate) fn unsendable(&self, operation: &str, source: impl Into<BoxError>) -> CallError {
        CallError::NotSent { call: self.call(operation), source: source.into() }
    }

    fn call(&self, operation: &str) -> Call {
        Call::new(self.service.id, operation)
    }
}

/// A request on its way to the serializer.
#[derive(Debug)]
struct Payload {
    operation: &'static str,
    body: String,
}

/// Settings that all calls of a client share.
fn settings(config: &SdkConfig, service: &'static Service, region: &Region) -> Layer {
    let mut layer = Layer::new("thin client");
    layer.store_put(EndpointResolverParams::new(()));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(region.clone())),
        name: Some(SigningName::from_static(service.host)),
        ..SigV4OperationSigningConfig::default()
    });
    layer.store_put(config.retry_config().cloned().unwrap_or_else(RetryConfig::standard));
    layer.store_put(timeouts(config));
    layer.store_put(ApiMetadata::new(service.host, env!("CARGO_PKG_VERSION")));
    if let Some(app) = config.app_name() {
        layer.store_put(app.clone());
    }
    if let Some(disabled) = config.disable_clock_skew_correction() {
        layer.store_put(DisableClockSkewCorrection::from(disabled));
    }
    layer.store_put(SharedRequestSerializer::new(Write(service.protocol)));
    layer.store_put(SharedResponseDeserializer::new(Read(service.protocol)));
    layer
}

fn timeouts(config: &SdkConfig) -> TimeoutConfig {
    let ours = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    match config.timeout_config() {
        None => ours,
        Some(theirs) => {
            let mut merged = theirs.clone();
            merged.take_defaults_from(&ours);
            merged
        }
    }
}

/// The working parts that all calls of a client share.
fn components(
    config: &SdkConfig,
    service: &Service,
    region: &Region,
    calls: &CallCounter,
) -> Result<RuntimeComponentsBuilder, SetupError> {
    let credentials = config.credentials_provider().ok_or(SetupError::NoCredentials)?;
    let endpoint = StaticUriEndpointResolver::uri(endpoint_url(config, service, region.as_ref()));
    let mut components = RuntimeComponentsBuilder::new("thin client")
        .with_endpoint_resolver(Some(endpoint))
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials))
        .with_interceptor(ConnectionPoisoningInterceptor::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(calls.clone());
    // What the configuration leaves open stays with the SDK's defaults: setting `None` would remove them.
    if let Some(client) = config.http_client() {
        components.set_http_client(Some(client));
    }
    if let Some(sleep) = config.sleep_impl() {
        components.set_sleep_impl(Some(sleep));
    }
    if let Some(clock) = config.time_source() {
        components.set_time_source(Some(clock));
    }
    if let Some(cache) = config.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    Ok(retry::with_classifiers(components))
}

/// Writes requests.
#[derive(Debug)]
struct Write(Protocol);

impl SerializeRequest for Write {
    fn serialize_input(&self, input: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let payload: Payload = input.downcast().map_err(|_| "the input is not a payload")?;
        let mut request = HttpRequest::new(SdkBody::from(payload.body));
        request.set_method("POST")?;
        let headers = request.headers_mut();
        match self.0 {
            Protocol::Query { .. } => {
                headers.try_insert("content-type", "application/x-www-form-urlencoded")?;
            }
            Protocol::Json { target } => {
                headers.try_insert("content-type", "application/x-amz-json-1.1")?;
                headers.try_insert("x-amz-target", format!("{target}.{}", payload.operation))?;
            }
        }
        Ok(request)
    }
}

/// Reads answers: the text of a success, the error of anything else.
#[derive(Debug)]
struct Read(Protocol);

impl DeserializeResponse for Read {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let text = response
            .body()
            .bytes()
            .map(std::str::from_utf8)
            .transpose()
            .map_err(|error| OrchestratorError::response(error.into()))?
            .unwrap_or_default();
        if !response.status().is_success() {
            return Err(OrchestratorError::operation(Error::erase(self.refusal(response, text))));
        }
        if let Protocol::Query { .. } = self.0 {
            // Checked here, not by the caller, so that an answer which ends early is asked for again.
            xml::check_complete(text).map_err(|error| OrchestratorError::response(error.into()))?;
        }
        Ok(Output::erase(text.to_owned()))
    }
}

impl Read {
    fn refusal(&self, response: &HttpResponse, text: &str) -> Refusal {
        let headers = response.headers();
        let id = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"));
        let told = match self.0 {
            Protocol::Query { .. } => xml::read_error(text),
            Protocol::Json { .. } => json::read_error(headers.get("x-amzn-errortype"), text),
        };
        let request_id = told.request_id.or_else(|| id.map(str::to_owned));
        Refusal::new(response.status().as_u16(), told.code, told.message, request_id)
    }
}

/// What an error body tells; each part may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

fn call_error(call: Call, error: SdkError<Error, HttpResponse>) -> CallError {
    match error {
        SdkError::ServiceError(error) => match error.into_err().downcast::<Refusal>() {
            Ok(refusal) => CallError::Refused { call, refusal: Box::new(refusal) },
            Err(other) => CallError::Unreadable { call, reason: format!("unknown error {other:?}") },
        },
        SdkError::TimeoutError(_) => CallError::TimedOut { call, source: cause(error) },
        SdkError::DispatchFailure(ref failure) if failure.is_timeout() => {
            CallError::TimedOut { call, source: cause(error) }
        }
        // A connection that the server closes early is no i/o error to the transport, but marked as worth a retry.
        SdkError::DispatchFailure(ref failure) if failure.is_io() || failure.as_other().is_some() => {
            CallError::NoAnswer { call, source: cause(error) }
        }
        SdkError::ResponseError(_) => match cause(error) {
            reason if reason.is::<Malformed>() || reason.is::<Utf8Error>() => {
                CallError::Unreadable { call, reason: reason.to_string() }
            }
            source => CallError::NoAnswer { call, source },
        },
        _ => CallError::NotSent { call, source: cause(error) },
    }
}

fn cause(error: SdkError<Error, HttpResponse>) -> BoxError {
    error.into_source().unwrap_or_else(|error| Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_limited_unless_the_configuration_says_otherwise() {
        let limits = |config: SdkConfig| {
            let timeouts = timeouts(&config);
            (timeouts.operation_attempt_timeout(), timeouts.operation_timeout())
        };
        let unset = SdkConfig::builder().build();
        assert_eq!(limits(unset), (Some(ATTEMPT_TIMEOUT), Some(OPERATION_TIMEOUT)));
        let second = Duration::from_secs(1);
        let theirs = TimeoutConfig::builder().operation_attempt_timeout(second).build();
        let set = SdkConfig::builder().timeout_config(theirs).build();
        assert_eq!(limits(set), (Some(second), Some(OPERATION_TIMEOUT)));
    }
}
