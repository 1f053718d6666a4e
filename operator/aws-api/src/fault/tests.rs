use aws_smithy_types::body::SdkBody;

use super::*;

fn refused(code: &str, message: &str) -> Fault {
    Fault {
        call: "elbv2 Anything".to_owned(),
        code: Some(code.to_owned()),
        message: message.to_owned(),
        status: Some(400),
        effect: Effect::None,
    }
}

#[test]
fn each_refusal_says_whose_move_it_is() {
    let cases = [
        ("Throttling", Class::Transient, "Throttled"),
        ("RequestLimitExceeded", Class::Transient, "Throttled"),
        ("PriorRequestNotComplete", Class::Transient, "Throttled"),
        ("TargetGroupNotFound", Class::Transient, "ChangedMeanwhile"),
        ("DependencyViolation", Class::Pending, "NotYetFree"),
        ("ResourceInUse", Class::Pending, "NotYetFree"),
        ("ResourceInUseException", Class::Pending, "NotYetFree"),
        ("ResourceNotFoundException", Class::Transient, "ChangedMeanwhile"),
        ("AccessDenied", Class::Environment, "Forbidden"),
        ("UnauthorizedOperation", Class::Environment, "Forbidden"),
        ("TooManyRules", Class::Environment, "QuotaExceeded"),
        ("RulesPerSecurityGroupLimitExceeded", Class::Environment, "QuotaExceeded"),
        ("OperationNotPermitted", Class::Environment, "DeletionProtected"),
        ("CertificateNotFound", Class::Environment, "MissingOnAws"),
        ("InvalidConfigurationRequest", Class::Invalid, "RefusedByAws"),
        ("ValidationError", Class::Invalid, "RefusedByAws"),
        ("DuplicateListener", Class::Conflict, "NameTaken"),
        ("MissingParameter", Class::Bug, "BadRequest"),
    ];
    for (code, class, want) in cases {
        let refusal = Refusal::from(refused(code, "words"));
        assert_eq!((refusal.failure.class, refusal.failure.code.as_str()), (class, want), "{code}");
        assert!(refusal.failure.message.contains(code), "{code} is told");
    }
}

#[test]
fn too_many_certificates_are_no_throttling() {
    let of = |call: &str| {
        let fault = Fault { call: call.to_owned(), ..refused("LimitExceededException", "words") };
        let refusal = Refusal::from(fault);
        (refusal.failure.class, refusal.failure.code, refusal.retry_after.is_some())
    };
    assert_eq!(of("acm ImportCertificate"), (Class::Environment, "QuotaExceeded".to_owned(), false));
    assert_eq!(of("wafv2 ListWebACLs"), (Class::Transient, "Throttled".to_owned(), true));
}

#[test]
fn a_zone_that_changed_meanwhile_is_looked_at_again() {
    let class = |message| Refusal::from(refused("InvalidChangeBatch", message)).failure.class;
    assert_eq!(class("[Tried to create ... but it already exists]"), Class::Transient);
    assert_eq!(class("[Tried to delete ... but it was not found]"), Class::Transient);
    assert_eq!(class("[... is not permitted at apex in zone ...]"), Class::Invalid);
}

#[test]
fn an_error_of_route_53_without_the_usual_root_is_read() {
    let body = "<?xml version=\"1.0\"?><InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
                <Messages><Message>Tried &amp; failed</Message><Message>b</Message></Messages></InvalidChangeBatch>";
    let response = HttpResponse::new(400_u16.try_into().unwrap(), SdkBody::from(body));
    let (code, message) = change_batch_error(&response).unwrap();
    assert_eq!(code.as_deref(), Some("InvalidChangeBatch"));
    assert_eq!(message.as_deref(), Some("Tried & failed; b"));
}

#[test]
fn doubt_comes_from_lost_answers_and_from_what_should_not_be() {
    assert!(!refused("ValidationError", "").sows_doubt());
    assert!(!refused("Throttling", "").sows_doubt());
    assert!(!refused("CertificateNotFound", "").sows_doubt(), "certificates are not in the inventory");
    assert!(refused("InvalidGroup.NotFound", "").sows_doubt());
    assert!(refused("DuplicateListener", "").sows_doubt());
    assert!(refused("RuleNotFound", "").sows_doubt());
    assert!(Fault { effect: Effect::Doubtful, ..refused("InternalFailure", "") }.sows_doubt());
}
