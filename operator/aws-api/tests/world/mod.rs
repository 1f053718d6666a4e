//! The emulator as a test sees it: an account of its own, and the few calls that only tests make.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]
#![allow(dead_code, reason = "each test program uses its part of the world")]

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REGION: &str = "us-east-1";

/// One account in the emulator.
pub(crate) struct World {
    endpoint: String,
    account: String,
}

impl World {
    /// The account of test `number`; `None`, with a word to the reader, when no emulator is named.
    #[expect(clippy::disallowed_methods, reason = "a test has no command line but its environment")]
    pub(crate) fn open(number: u8) -> Option<Self> {
        match std::env::var("FAIRWAY_TEST_AWS_ENDPOINT") {
            // A 12-digit access key is the account: by process and test, so runs beside each other do not meet.
            Ok(endpoint) => {
                Some(Self { endpoint, account: format!("7{:09}{number:02}", std::process::id()) })
            }
            Err(_) => {
                assert!(std::env::var("CI").is_err(), "CI runs these tests: set FAIRWAY_TEST_AWS_ENDPOINT");
                eprintln!("skipped: FAIRWAY_TEST_AWS_ENDPOINT names no emulator");
                None
            }
        }
    }

    pub(crate) fn config(&self) -> SdkConfig {
        let credentials = Credentials::new(&self.account, "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .build()
    }

    pub(crate) async fn run_instance(&self, subnet: &str, group: &str) {
        let body = format!(
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount=1&MaxCount=1\
             &InstanceType=t3.micro&SubnetId={subnet}&SecurityGroupId.1={group}"
        );
        self.post("ec2", &["content-type: application/x-www-form-urlencoded"], &body).await;
    }

    pub(crate) async fn terminate_instance(&self, id: &str) {
        let body = format!("Action=TerminateInstances&Version=2016-11-15&InstanceId.1={id}");
        self.post("ec2", &["content-type: application/x-www-form-urlencoded"], &body).await;
    }

    pub(crate) async fn create_web_acl(&self, name: &str) {
        let body = format!(
            r#"{{"Name":"{name}","Scope":"REGIONAL","DefaultAction":{{"Allow":{{}}}},"Rules":[],"VisibilityConfig":{{"SampledRequestsEnabled":false,"CloudWatchMetricsEnabled":false,"MetricName":"m"}}}}"#
        );
        let target = "x-amz-target: AWSWAF_20190729.CreateWebACL";
        self.post("wafv2", &["content-type: application/x-amz-json-1.1", target], &body).await;
    }

    /// Loads a script of faults into the emulator, in the place of any other.
    pub(crate) async fn load_faults(&self, rules: &str) {
        let body = format!(r#"{{"seed":1,"rules":{rules}}}"#);
        self.request("PUT /_fairway/faults", &["content-type: application/json"], &body).await;
    }

    /// Changes how the emulator behaves, for all accounts.
    pub(crate) async fn set(&self, settings: &str) {
        self.request("PUT /_fairway/settings", &["content-type: application/json"], settings).await;
    }

    /// A request that the emulator takes without checking its signature.
    async fn post(&self, service: &str, headers: &[&str], body: &str) {
        let authorization = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={}/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0",
            self.account
        );
        let headers: Vec<_> = headers.iter().copied().chain([authorization.as_str()]).collect();
        self.request("POST /", &headers, body).await;
    }

    async fn request(&self, line: &str, headers: &[&str], body: &str) {
        let address = self.endpoint.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n\r\n{body}",
            body.len(),
            headers.join("\r\n"),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
