use super::{
    action::{self, Destination, Document, Forward, Tuple},
    condition, guard, transform,
};
use crate::{
    ids::Port,
    intent::{
        Answer, GroupName, HeaderMatch, Match, PortName, QueryMatch, Redirect, Replacement, Rewrite, Texts,
        UserPool,
    },
};

fn service(name: &str, port: &str, weight: u16) -> Tuple {
    let port = port
        .parse()
        .map_or_else(|_| PortName::Name(port.to_owned()), |n| PortName::Number(Port::new(n).unwrap()));
    Tuple { weight, to: Destination::Service(name.to_owned(), port) }
}

fn forward(tuples: Vec<Tuple>, stickiness: Option<u32>) -> Document {
    Document::Forward(Forward { tuples, stickiness })
}

fn group(group: GroupName) -> Document {
    forward(vec![Tuple { weight: 1, to: Destination::Group(group) }], None)
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn actions_are_read_as_users_write_them() {
    let plain = Redirect { protocol: None, host: None, port: None, path: None, query: None, status: 301 };
    let cases = [
        (
            "field names in any case",
            r#"{"Type":"redirect","RedirectConfig":{"Protocol":"HTTPS","PORT":"443","StatusCode":"HTTP_301"}}"#,
            Document::Redirect(Redirect {
                protocol: Some("HTTPS".into()),
                port: Some("443".into()),
                ..plain.clone()
            }),
        ),
        (
            "absent parts stay absent",
            r#"{"type":"redirect","redirectConfig":{"statusCode":"HTTP_302","host":null}}"#,
            Document::Redirect(Redirect { status: 302, ..plain }),
        ),
        (
            "an answer",
            r##"{"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"503","messageBody":"later"}}"##,
            Document::Answer(Answer {
                status: 503,
                content_type: Some("text/plain".into()),
                body: Some("later".into()),
            }),
        ),
        (
            "an empty body is none",
            r#"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200","messageBody":"","unknown":1}}"#,
            Document::Answer(Answer { status: 200, content_type: None, body: None }),
        ),
        (
            "a group by ARN",
            r#"{"type":"forward","targetGroupARN":"arn:a"}"#,
            group(GroupName::Arn("arn:a".into())),
        ),
        (
            "a group by name, spelled as AWS does",
            r#"{"Type":"forward","TargetGroupName":"blue"}"#,
            group(GroupName::Name("blue".into())),
        ),
        (
            "one Service needs no weight",
            r#"{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"http"}]}}"#,
            forward(vec![service("a", "http", 1)], None),
        ),
        (
            "a number as text is a number, and stickiness that is off is none",
            r#"{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"80","weight":0},
                {"serviceName":"b","servicePort":81,"weight":999}],"targetGroupStickinessConfig":{"enabled":false,"durationSeconds":5}}}"#,
            forward(vec![service("a", "80", 0), service("b", "81", 999)], None),
        ),
        (
            "stickiness",
            r#"{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80}],
                "targetGroupStickinessConfig":{"enabled":true,"durationSeconds":200}}}"#,
            forward(vec![service("a", "80", 1)], Some(200)),
        ),
    ];
    for (name, text, want) in cases {
        assert_eq!(action::parse(text), Ok(want), "{name}");
    }
}

#[test]
fn what_is_no_action_is_refused_and_named() {
    let tuple = |tuple: &str| format!(r#"{{"type":"forward","forwardConfig":{{"targetGroups":[{tuple}]}}}}"#);
    let redirect =
        |rest: &str| format!(r#"{{"type":"redirect","redirectConfig":{{"statusCode":"HTTP_301",{rest}}}}}"#);
    let cases = [
        ("{".to_owned(), "is not JSON"),
        ("[]".to_owned(), "must be a JSON object"),
        ("{}".to_owned(), "type is missing"),
        (r#"{"type":"drop"}"#.to_owned(), "type \"drop\" is none of forward, redirect, fixed-response"),
        (r#"{"type":1}"#.to_owned(), "type must be text"),
        (r#"{"type":"redirect"}"#.to_owned(), "redirectConfig is missing"),
        (r#"{"type":"redirect","redirectConfig":{}}"#.to_owned(), "redirectConfig.statusCode is missing"),
        (redirect(r#""statusCode":"HTTP_307""#), "redirectConfig.statusCode must be HTTP_301 or HTTP_302"),
        (redirect(r#""protocol":"https""#), "redirectConfig.protocol must be one of HTTP, HTTPS"),
        (redirect(r#""port":443"#), "redirectConfig.port must be text"),
        (redirect(r#""port":"0""#), "redirectConfig.port must be #{port} or a port"),
        (redirect(r#""path":"a""#), "redirectConfig.path must begin with /"),
        (redirect(r#""host":"""#), "redirectConfig.host must not be empty"),
        (redirect(&format!(r#""query":"{}""#, "q".repeat(129))), "redirectConfig.query must have at most 128"),
        (r#"{"type":"fixed-response"}"#.to_owned(), "fixedResponseConfig is missing"),
        (
            r#"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"301"}}"#.to_owned(),
            "fixedResponseConfig.statusCode must be one of 2XX, 4XX, 5XX",
        ),
        (
            r#"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200","contentType":"image/png"}}"#
                .to_owned(),
            "fixedResponseConfig.contentType must be one of text/plain",
        ),
        (r#"{"type":"forward"}"#.to_owned(), "needs a target group or forwardConfig"),
        (
            r#"{"type":"forward","targetGroupName":"a","forwardConfig":{"targetGroups":[]}}"#.to_owned(),
            "not both",
        ),
        (r#"{"type":"forward","targetGroupARN":"blue"}"#.to_owned(), "targetGroupARN is no ARN"),
        (r#"{"type":"forward","targetGroupARN":"arn:a","targetGroupName":"a"}"#.to_owned(), "targetGroupARN"),
        (tuple(""), "forwardConfig.targetGroups names none"),
        (tuple("1"), "forwardConfig.targetGroups[0] must be a JSON object"),
        (tuple("{}"), "forwardConfig.targetGroups[0].serviceName is missing"),
        (tuple(r#"{"serviceName":"a"}"#), "forwardConfig.targetGroups[0].servicePort is missing"),
        (tuple(r#"{"serviceName":"a","servicePort":70000}"#), "servicePort must be a name or a port"),
        (
            tuple(r#"{"serviceName":"a","servicePort":80,"targetGroupName":"b"}"#),
            "serviceName cannot stand beside",
        ),
        (
            tuple(r#"{"targetGroupName":"a","weight":1},{"targetGroupName":"b"}"#),
            "forwardConfig.targetGroups[1].weight is missing",
        ),
        (tuple(r#"{"targetGroupName":"a","weight":1000}"#), "weight must be from 0 to 999"),
        (tuple(r#"{"targetGroupName":"a","weight":1.5}"#), "weight must be a whole number"),
        (tuple(&[r#"{"targetGroupName":"a","weight":1}"#; 6].join(",")), "names 6, and a rule takes at most 5"),
        (
            r#"{"type":"forward","forwardConfig":{"targetGroups":[{"targetGroupName":"a"}],
                "targetGroupStickinessConfig":{"enabled":true}}}"#
                .to_owned(),
            "targetGroupStickinessConfig.durationSeconds must be from 1 to 604800",
        ),
    ];
    for (text, want) in cases {
        let error = action::parse(&text).unwrap_err().0;
        assert!(error.contains(want), "{text}: {error}");
    }
}

#[test]
fn conditions_are_read_as_users_write_them() {
    let patterns = |values: &[&str]| Texts::Patterns(texts(values));
    let regexes = |values: &[&str]| Texts::Regexes(texts(values));
    let header = |values| Match::Header(HeaderMatch { name: "X-A".into(), values });
    let pair = |key: Option<&str>| QueryMatch { key: key.map(str::to_owned), value: "1".into() };
    let cases = [
        ("no list", "null", vec![]),
        ("nothing", " [] ", vec![]),
        (
            "hosts",
            r#"[{"field":"host-header","hostHeaderConfig":{"values":["*.a.b"]}}]"#,
            vec![Match::Host(patterns(&["*.a.b"]))],
        ),
        (
            "hosts as regular expressions, in any case",
            r#"[{"Field":"host-header","HostHeaderConfig":{"RegexValues":["^a"]}}]"#,
            vec![Match::Host(regexes(&["^a"]))],
        ),
        (
            "several conditions keep their order",
            r#"[{"field":"path-pattern","pathPatternConfig":{"regexValues":["/a"]}},
                {"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-A","values":["1","2"]}},
                {"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-A","regexValues":["^1$"],"values":[]}},
                {"field":"http-request-method","httpRequestMethodConfig":{"values":["GET","M-SEARCH"]}},
                {"field":"query-string","queryStringConfig":{"values":[{"key":"v","value":"1"},{"value":"1"}]}},
                {"field":"source-ip","sourceIpConfig":{"values":["10.1.2.3/16","fd00::/8"]}}]"#,
            vec![
                Match::Path(regexes(&["/a"])),
                header(patterns(&["1", "2"])),
                header(regexes(&["^1$"])),
                Match::Method(texts(&["GET", "M-SEARCH"])),
                Match::Query(vec![pair(Some("v")), pair(None)]),
                Match::Source(texts(&["10.1.2.3/16", "fd00::/8"])),
            ],
        ),
    ];
    for (name, text, want) in cases {
        assert_eq!(condition::parse(text), Ok(want), "{name}");
    }
}

#[test]
fn defect_03_an_unknown_condition_is_refused_and_never_dropped() {
    let one = |field: &str, config: &str| format!(r#"[{{"field":"{field}",{config}}}]"#);
    let cases = [
        (one("http-heder", r#""httpHeaderConfig":{}"#), "[0].field \"http-heder\" is none of host-header"),
        ("{}".to_owned(), "must be a JSON list"),
        ("[1]".to_owned(), "[0] must be a JSON object"),
        ("[{}]".to_owned(), "[0].field is missing"),
        (one("host-header", r#""pathPatternConfig":{"values":["/"]}"#), "[0].hostHeaderConfig is missing"),
        (one("host-header", r#""hostHeaderConfig":{}"#), "[0].hostHeaderConfig.values names none"),
        (
            one("path-pattern", r#""pathPatternConfig":{"values":["/"],"regexValues":["/"]}"#),
            "cannot stand beside regexValues",
        ),
        (one("path-pattern", r#""pathPatternConfig":{"values":"/"}"#), "values must be a list"),
        (one("path-pattern", r#""pathPatternConfig":{"values":[""]}"#), "values must not have empty items"),
        (
            one("path-pattern", &format!(r#""pathPatternConfig":{{"values":["{}"]}}"#, "/".repeat(129))),
            "must have at most 128 characters, and has 129",
        ),
        (one("http-header", r#""httpHeaderConfig":{"values":["1"]}"#), "httpHeaderName is missing"),
        (one("http-request-method", r#""httpRequestMethodConfig":{"values":["get"]}"#), "has \"get\""),
        (
            one("query-string", r#""queryStringConfig":{"values":[{"key":"v"}]}"#),
            "values[0].value is missing",
        ),
        (one("query-string", r#""queryStringConfig":{"values":[]}"#), "values names none"),
        (one("source-ip", r#""sourceIPConfig":{"values":["10.0.0.1"]}"#), "which is not an address range"),
    ];
    for (text, want) in cases {
        let error = condition::parse(&text).unwrap_err().0;
        assert!(error.contains(want), "{text}: {error}");
    }
}

#[test]
fn transforms_are_read_one_of_each_type() {
    let text = r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a/(.*)$","replace":"/$1"}]}},
        {"Type":"host-header-rewrite","HostHeaderRewriteConfig":{"Rewrites":[{"Regex":"^a","Replace":""}]}}]"#;
    let replacement =
        |regex: &str, replace: &str| vec![Replacement { regex: regex.into(), replace: replace.into() }];
    let want = vec![Rewrite::Url(replacement("^/a/(.*)$", "/$1")), Rewrite::Host(replacement("^a", ""))];
    assert_eq!(transform::parse(text), Ok(want));
    let url = r#"{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a","replace":"b"}]}}"#;
    let cases = [
        (r#"[{"type":"body-rewrite"}]"#.to_owned(), "[0].type \"body-rewrite\" is none of"),
        (r#"[{"type":"url-rewrite"}]"#.to_owned(), "[0].urlRewriteConfig is missing"),
        (r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[]}}]"#.to_owned(), "rewrites names none"),
        (
            r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a"}]}}]"#.to_owned(),
            "replace is missing",
        ),
        (
            r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"replace":"a"}]}}]"#.to_owned(),
            "regex is missing",
        ),
        (format!("[{url},{url}]"), "[1].type is there twice"),
        ("1".to_owned(), "must be a JSON list"),
    ];
    for (text, want) in cases {
        let error = transform::parse(&text).unwrap_err().0;
        assert!(error.contains(want), "{text}: {error}");
    }
}

#[test]
fn providers_of_identities_are_read_whole_or_not_at_all() {
    let pool = r#"{"USERPOOLARN":"arn:aws:x","userPoolClientId":"c","userPoolDomain":"d","authenticationRequestExtraParams":{"Display":"page"}}"#;
    let want = UserPool {
        arn: "arn:aws:x".into(),
        client: "c".into(),
        domain: "d".into(),
        parameters: [("Display".to_owned(), "page".to_owned())].into(),
    };
    assert_eq!(guard::cognito(pool), Ok(want));
    let parameters: Vec<String> = (0..11).map(|n| format!(r#""p{n}":"""#)).collect();
    let many = format!(
        r#"{{"userPoolARN":"arn:x","userPoolClientID":"c","userPoolDomain":"d","authenticationRequestExtraParams":{{{}}}}}"#,
        parameters.join(",")
    );
    let oidc = |issuer: &str, secret: &str| {
        format!(
            r#"{{"issuer":"{issuer}","authorizationEndpoint":"https://i/a","tokenEndpoint":"https://i/t","userInfoEndpoint":"https://i/u"{secret}}}"#
        )
    };
    let claim = |claim: &str| {
        format!(r#"{{"jwksEndpoint":"https://i/k","issuer":"i","additionalClaims":[{claim}]}}"#)
    };
    assert!(guard::oidc(&oidc("https://i", r#","secretName":"s""#)).is_ok());
    assert!(guard::token(&claim(r#"{"format":"single-string","name":"a","values":["b"]}"#)).is_ok());
    let refused = [
        (
            guard::cognito(r#"{"userPoolARN":"arn:x","userPoolClientID":"c"}"#).err(),
            "userPoolDomain is missing",
        ),
        (
            guard::cognito(&many).err(),
            "authenticationRequestExtraParams has 11 parameters, and a rule takes at most 10",
        ),
        (guard::oidc(&oidc("https://i", "")).err(), "secretName is missing"),
        (guard::oidc(&oidc("http://i", r#","secretName":"s""#)).err(), "issuer must begin with https://"),
        (
            guard::token(&claim(r#"{"format":"number","name":"a","values":["b"]}"#)).err(),
            "additionalClaims[0].format must be one of single-string, string-array, space-separated-values",
        ),
        (
            guard::token(&claim(r#"{"format":"single-string","name":"iss","values":["b"]}"#)).err(),
            "additionalClaims[0].name is iss, which is always checked and cannot be named",
        ),
        (
            guard::token(&claim(r#"{"format":"single-string","name":"a","values":[]}"#)).err(),
            "additionalClaims[0].values names none",
        ),
    ];
    for (problem, want) in refused {
        assert_eq!(problem.map(|problem| problem.0).as_deref(), Some(want));
    }
}
