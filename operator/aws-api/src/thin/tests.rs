//! The clients against a scripted server on loopback: what goes onto the wire, and what is tried again.

mod server;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use self::server::{Answer, Server};
use super::ec2::{Ec2, NewSecurityGroup, Select};
use super::{CallError, Retry, SetupError, Shield, Subscription, TagFilter, Tagging, WafV2};
use crate::calls::{Call, CallCounter};

/// A configuration whose retries wait a millisecond instead of a second.
fn config(server: &Server) -> SdkConfig {
    SdkConfig::builder()
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID", "secret", None, None, "test",
        )))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(
            TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build(),
        )
        .endpoint_url(server.url())
        .build()
}

fn no_subnets() -> Answer {
    Answer::ok("<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>")
}

fn ec2_error(status: u16, code: &str) -> Answer {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>because</Message></Error></Errors>\
         <RequestID>r-1</RequestID></Response>"
    );
    Answer::Reply { status, body }
}

fn json_error(status: u16, code: &str) -> Answer {
    Answer::Reply { status, body: format!(r#"{{"__type":"{code}","message":"because"}}"#) }
}

async fn subnets(server: &Server, calls: &CallCounter) -> Result<usize, CallError> {
    let ec2 = Ec2::new(&config(server), calls).unwrap();
    ec2.subnets(&Select::all()).await.map(|found| found.len())
}

fn count(calls: &CallCounter, service: &str, operation: &str) -> u64 {
    calls.snapshot().get(&Call::new(service, operation)).copied().unwrap_or(0)
}

#[tokio::test]
async fn a_request_is_signed_named_and_encoded() {
    let server = Server::start(vec![no_subnets()]).await;
    let ec2 = Ec2::new(&config(&server), &CallCounter::default()).unwrap();
    ec2.subnets(&Select::all().filter("vpc-id", ["vpc-1", "vpc 2"])).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.head.starts_with("POST / HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let signature = request.header("authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{signature}");
    assert!(signature.contains("/eu-west-1/ec2/aws4_request"), "{signature}");
    assert!(request.header("user-agent").unwrap().contains("aws-sdk-rust"));
    assert_eq!(
        request.body,
        "Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=vpc-id\
         &Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc%202&MaxResults=1000"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let html = Answer::Reply { status: 502, body: "<html><body>bad gateway</body></html>".to_owned() };
    let half = Answer::ok("<DescribeSubnetsResponse><subnetSet><item><subnetId>s-1</subnetId></item>");
    let cases = [
        ("EC2's throttling has status 503", ec2_error(503, "RequestLimitExceeded")),
        ("throttling with status 400", ec2_error(400, "Throttling")),
        ("a fault inside EC2", ec2_error(500, "InternalError")),
        ("unavailable with status 400", ec2_error(400, "Unavailable")),
        ("a proxy's page", html),
        ("a connection that breaks before the answer", Answer::Close),
        ("a connection that breaks within the answer", Answer::CutOff),
        ("an answer that ends within the list", half),
        ("an answer that takes too long", Answer::Hang),
    ];
    for (name, first) in cases {
        let server = Server::start(vec![first, no_subnets()]).await;
        let calls = CallCounter::default();
        let result = subnets(&server, &calls).await;
        assert!(matches!(result, Ok(0)), "{name}: {result:?}");
        assert_eq!(server.requests().len(), 2, "{name}");
        assert_eq!(count(&calls, "EC2", "DescribeSubnets"), 2, "{name}: each attempt counts");
    }
}

#[tokio::test]
async fn what_stays_wrong_is_told_at_once() {
    let server = Server::start(vec![ec2_error(400, "InvalidVpcID.NotFound")]).await;
    let calls = CallCounter::default();
    let error = subnets(&server, &calls).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidVpcID.NotFound"));
    assert_eq!(error.message(), Some("because"));
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.retry(), Retry::Never);
    assert!(!error.may_have_applied());
    assert_eq!(error.to_string(), "ec2 DescribeSubnets: InvalidVpcID.NotFound: because (request r-1)");
    assert_eq!(count(&calls, "EC2", "DescribeSubnets"), 1);
}

#[tokio::test]
async fn retries_end_and_the_error_says_whether_it_may_have_been_applied() {
    let unreadable = Answer::ok("<a>");
    let cases = [
        (
            "throttled",
            ec2_error(503, "RequestLimitExceeded"),
            Retry::Throttled,
            false,
            "RequestLimitExceeded",
        ),
        ("a server fault", ec2_error(500, "InternalError"), Retry::Transient, true, "InternalError"),
        ("a lost connection", Answer::Close, Retry::Transient, true, "no answer"),
        ("no answer in time", Answer::Hang, Retry::Transient, true, "timed out"),
        ("half an answer", unreadable, Retry::Transient, true, "it ends inside an element"),
    ];
    for (name, answer, retry, applied, text) in cases {
        let server = Server::start(vec![answer; 3]).await;
        let calls = CallCounter::default();
        let error = subnets(&server, &calls).await.unwrap_err();
        assert_eq!(error.retry(), retry, "{name}: {error:?}");
        assert_eq!(error.may_have_applied(), applied, "{name}");
        assert!(error.to_string().contains(text), "{name}: {error}");
        assert_eq!(count(&calls, "EC2", "DescribeSubnets"), 3, "{name}");
    }
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let page = |id: &str, next: &str| {
        Answer::ok(&format!(
            "<R><subnetSet><item><subnetId>{id}</subnetId></item></subnetSet><nextToken>{next}</nextToken></R>"
        ))
    };
    let server = Server::start(vec![page("s-2", "two"), page("s-1", "three"), page("s-3", "")]).await;
    let ec2 = Ec2::new(&config(&server), &CallCounter::default()).unwrap().with_page_size(5);
    let found = ec2.subnets(&Select::all()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|subnet| subnet.id.as_str()).collect();
    assert_eq!(ids, ["s-1", "s-2", "s-3"]);
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.iter().all(|body| body.contains("MaxResults=5")), "{bodies:?}");
    assert!(!bodies[0].contains("NextToken"));
    assert!(bodies[1].ends_with("NextToken=two") && bodies[2].ends_with("NextToken=three"), "{bodies:?}");

    let server = Server::start(vec![page("s-1", "same"), page("s-1", "same")]).await;
    let ec2 = Ec2::new(&config(&server), &CallCounter::default()).unwrap();
    let error = ec2.subnets(&Select::all()).await.unwrap_err();
    assert!(error.to_string().contains("the same page"), "{error}");
}

#[tokio::test]
async fn an_empty_selection_asks_nothing() {
    let server = Server::start(Vec::new()).await;
    let calls = CallCounter::default();
    let ec2 = Ec2::new(&config(&server), &calls).unwrap();
    assert_eq!(ec2.instances(&Select::ids(Vec::<String>::new())).await.unwrap(), []);
    assert_eq!(ec2.network_interfaces(&Select::all().with_groups(Vec::<String>::new())).await.unwrap(), []);
    ec2.delete_tags(&["sg-1".to_owned()], &[]).await.unwrap();
    ec2.revoke_ingress("sg-1", &[]).await.unwrap();
    assert_eq!(calls.snapshot(), BTreeMap::new());
}

#[tokio::test]
async fn a_group_is_made_with_its_tags() {
    let server = Server::start(vec![Answer::ok("<R><return>true</return><groupId>sg-9</groupId></R>")]).await;
    let ec2 = Ec2::new(&config(&server), &CallCounter::default()).unwrap();
    let group = NewSecurityGroup {
        name: "n".to_owned(),
        description: "[k8s] d".to_owned(),
        vpc_id: "vpc-1".to_owned(),
        tags: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
    };
    assert_eq!(ec2.create_security_group(&group).await.unwrap(), "sg-9");
    assert_eq!(
        server.requests()[0].body,
        "Action=CreateSecurityGroup&Version=2016-11-15&GroupName=n&GroupDescription=%5Bk8s%5D%20d&VpcId=vpc-1\
         &TagSpecification.1.ResourceType=security-group&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"
    );
}

#[tokio::test]
async fn json_services_name_their_operation_and_page() {
    let page = |arn: &str, token: &str| {
        Answer::ok(&format!(
            r#"{{"ResourceTagMappingList":[{{"ResourceARN":"{arn}","Tags":[{{"Key":"k","Value":"v"}}]}}],"PaginationToken":"{token}"}}"#
        ))
    };
    let throttled = json_error(400, "ThrottlingException");
    let server = Server::start(vec![throttled, page("a", "next"), page("b", "")]).await;
    let calls = CallCounter::default();
    let tagging = Tagging::new(&config(&server), &calls).unwrap();
    let filter = TagFilter { key: "k".to_owned(), values: vec!["v".to_owned()] };
    let found = tagging.resources(&[filter], &["ec2:security-group"]).await.unwrap();
    let arns: Vec<_> = found.iter().map(|one| one.arn.as_str()).collect();
    assert_eq!(arns, ["a", "b"]);
    assert_eq!(found[0].tags, BTreeMap::from([("k".to_owned(), "v".to_owned())]));
    let requests = server.requests();
    assert_eq!(requests[0].header("x-amz-target"), Some("ResourceGroupsTaggingAPI_20170126.GetResources"));
    assert_eq!(requests[0].header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(
        requests[2].body,
        r#"{"TagFilters":[{"Key":"k","Values":["v"]}],"ResourceTypeFilters":["ec2:security-group"],"ResourcesPerPage":100,"PaginationToken":"next"}"#
    );
    assert_eq!(count(&calls, "Resource Groups Tagging API", "GetResources"), 3);
}

#[tokio::test]
async fn waf_pages_until_nothing_comes() {
    let page = |body: &str| Answer::ok(body);
    let full = r#"{"NextMarker":"m1","WebACLs":[{"ARN":"arn:1","Name":"one","Id":"i1"}]}"#;
    let server =
        Server::start(vec![page(full), page(r#"{"NextMarker":"m1","WebACLs":[]}"#), page("{}")]).await;
    let waf = WafV2::new(&config(&server), &CallCounter::default()).unwrap();
    let acls = waf.web_acls().await.unwrap();
    assert_eq!(acls.len(), 1);
    assert_eq!(waf.web_acl_for("arn:lb").await.unwrap(), None);
    let requests = server.requests();
    assert_eq!(requests[1].body, r#"{"Scope":"REGIONAL","Limit":100,"NextMarker":"m1"}"#);
    assert_eq!(requests[2].header("x-amz-target"), Some("AWSWAF_20190729.GetWebACLForResource"));
}

#[tokio::test]
async fn shield_is_called_in_its_home_region() {
    let inactive = Answer::ok(r#"{"SubscriptionState":"INACTIVE"}"#);
    let server = Server::start(vec![inactive, json_error(400, "ResourceNotFoundException")]).await;
    let shield = Shield::new(&config(&server), &CallCounter::default()).unwrap();
    assert_eq!(shield.subscription().await.unwrap(), Subscription::Inactive);
    assert_eq!(shield.protection_of("arn:lb").await.unwrap(), None);
    let request = server.requests().remove(0);
    assert!(request.header("authorization").unwrap().contains("/us-east-1/shield/aws4_request"));
    assert_eq!(request.body, "{}");
}

#[tokio::test]
async fn nothing_is_sent_without_region_or_credentials() {
    let server = Server::start(Vec::new()).await;
    let calls = CallCounter::default();
    let mut nowhere = config(&server).to_builder();
    nowhere.set_region(None);
    assert_eq!(Ec2::new(&nowhere.build(), &calls).err(), Some(SetupError::NoRegion));
    let mut nobody = config(&server).to_builder();
    nobody.set_credentials_provider(None);
    assert_eq!(Ec2::new(&nobody.build(), &calls).err(), Some(SetupError::NoCredentials));
}

#[tokio::test]
async fn a_call_without_credentials_is_not_sent_and_not_counted() {
    let server = Server::start(Vec::new()).await;
    let none = provide_credentials_fn(async || Err(CredentialsError::not_loaded("no role")));
    let mut config = config(&server).to_builder();
    config.set_credentials_provider(Some(SharedCredentialsProvider::new(none)));
    let calls = CallCounter::default();
    let error = Ec2::new(&config.build(), &calls).unwrap().subnets(&Select::all()).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent { .. }), "{error:?}");
    assert!(!error.may_have_applied());
    assert_eq!(calls.snapshot(), BTreeMap::new());
}

#[tokio::test]
async fn a_server_that_is_not_there_gives_no_answer() {
    let server = Server::start(Vec::new()).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = config(&server).to_builder().endpoint_url(format!("http://{free}")).build();
    let error =
        Ec2::new(&config, &CallCounter::default()).unwrap().subnets(&Select::all()).await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Transient);
}
