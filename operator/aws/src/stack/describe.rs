//! How a plan reads: one line an operation, further lines for what changes.

use fairway_core::settings::front::Attachment;

use super::{StackOp, secrets};
use crate::model::{
    Action, ClientCertificates, Condition, Forward, HealthCheck, QueryPair, Redirect, Rewrite, Scheme,
    Session, Transform, WeightedTarget,
};

pub(super) fn line(op: &StackOp) -> String {
    match op {
        StackOp::CreateSecurityGroup(spec) => format!("create security group {}", spec.name),
        StackOp::AuthorizeIngress(group, permissions) => {
            format!("allow {} on security group {}", count(permissions.len(), "permission"), group.name())
        }
        StackOp::RevokeIngress(group, permissions) => {
            format!(
                "revoke {} on security group {}",
                count(permissions.len(), "permission"),
                group.get().name
            )
        }
        StackOp::DeleteSecurityGroup(group) => format!("delete security group {}", group.get().name),
        StackOp::CreateTargetGroup(spec) => format!(
            "create target group {} ({} {}, {})",
            spec.name,
            spec.protocol.as_str(),
            spec.port,
            spec.target_type.as_str()
        ),
        StackOp::ModifyHealthCheck(group, _) => {
            format!("modify health check of target group {}", group.get().name)
        }
        StackOp::ModifyTargetGroupAttributes(group, _) => {
            format!("modify attributes of target group {}", group.name())
        }
        StackOp::RegisterLoadBalancer(target) => {
            format!("register load balancer {} in {}", target.listener().name(), target.target_group.key())
        }
        StackOp::DeleteTargetGroup(group) => format!("delete target group {}", group.get().name),
        StackOp::CreateLoadBalancer(spec) => {
            format!("create {} load balancer {}", scheme(spec.scheme), spec.name)
        }
        StackOp::SetSubnets(balancer, _) => format!("set subnets of load balancer {}", balancer.get().name),
        StackOp::SetSecurityGroups(balancer, _) => {
            format!("set security groups of load balancer {}", balancer.get().name)
        }
        StackOp::SetIpAddressType(balancer, _) => {
            format!("set address type of load balancer {}", balancer.get().name)
        }
        StackOp::ModifyLoadBalancerAttributes(balancer, _) => {
            format!("modify attributes of load balancer {}", balancer.name())
        }
        StackOp::SetIpv4Pool(balancer, _) => {
            format!("set address pool of load balancer {}", balancer.get().name)
        }
        StackOp::ReserveCapacity(balancer, _) => {
            format!("reserve capacity of load balancer {}", balancer.name())
        }
        StackOp::SetWebAcl(balancer, _) => format!("set web ACL of load balancer {}", balancer.name()),
        StackOp::SetClassicAcl(balancer, _) => {
            format!("set WAF Classic web ACL of load balancer {}", balancer.name())
        }
        StackOp::Protect(balancer) => {
            format!("protect load balancer {} by Shield Advanced", balancer.name())
        }
        StackOp::Unprotect(balancer, _) => {
            format!("end Shield Advanced protection of load balancer {}", balancer.name())
        }
        StackOp::DeleteLoadBalancer(balancer) => format!("delete load balancer {}", balancer.get().name),
        StackOp::CreateListener(spec) => {
            format!("create listener {} ({})", spec.reference().name(), spec.protocol.as_str())
        }
        StackOp::ModifyListener(_, spec) => format!("modify listener {}", spec.reference().name()),
        StackOp::AddCertificates(listener, arns) => {
            format!("add {} to listener {}", count(arns.len(), "certificate"), listener.name())
        }
        StackOp::RemoveCertificates(listener, arns) => {
            format!("remove {} from listener {}", count(arns.len(), "certificate"), listener.name())
        }
        StackOp::ModifyListenerAttributes(listener, _) => {
            format!("modify attributes of listener {}", listener.name())
        }
        StackOp::DeleteListener(listener, _) => format!("delete listener {}", listener.name()),
        StackOp::CreateRule(spec) => format!("create rule {}", spec.reference().name()),
        StackOp::ModifyRule(rule, ..) => format!("modify rule {}", rule.name()),
        StackOp::SetRulePriorities(listener, moves) => {
            format!("move {} of listener {}", count(moves.len(), "rule"), listener.name())
        }
        StackOp::DeleteRule(rule, _) => format!("delete rule {}", rule.name()),
        StackOp::ImportCertificate(_, secret) => {
            format!("import the certificate of Secret {}", secret.secret)
        }
        StackOp::RenewCertificate(_, _, secret) => {
            format!("import the certificate of Secret {} anew", secret.secret)
        }
        StackOp::RequestCertificate(_, request, _) => {
            let issuer = request.authority.as_deref().unwrap_or("Amazon");
            format!("request a certificate for {} of {issuer}", request.hosts.join(", "))
        }
        StackOp::DeleteCertificate(seen) => format!("delete certificate {}", seen.get().arn),
        StackOp::SetTags(retag) => format!("change tags of {}", retag.resource),
        StackOp::PutBinding(spec) => format!("write TargetGroupBinding {}", spec.key),
        StackOp::DeleteBinding(binding) => format!("delete TargetGroupBinding {}", binding.name()),
        StackOp::RememberSecrets(digests) => {
            format!("remember which content was told of Secret {}", secrets::names(digests))
        }
    }
}

pub(super) fn details(op: &StackOp) -> Vec<String> {
    match op {
        StackOp::AuthorizeIngress(_, permissions) | StackOp::RevokeIngress(_, permissions) => {
            permissions.iter().map(ToString::to_string).collect()
        }
        StackOp::ModifyTargetGroupAttributes(_, attributes)
        | StackOp::ModifyLoadBalancerAttributes(_, attributes)
        | StackOp::ModifyListenerAttributes(_, attributes) => {
            attributes.iter().map(|(key, value)| format!("{key} = {value}")).collect()
        }
        StackOp::SetSubnets(balancer, subnets) => {
            vec![format!("{} -> {}", balancer.get().subnets.join(", "), subnets.ids.join(", "))]
        }
        StackOp::SetIpv4Pool(balancer, pool) => {
            let spelled = |pool: Option<&String>| pool.cloned().unwrap_or_else(|| "none".to_owned());
            vec![format!("{} -> {}", spelled(balancer.get().ipv4_pool.as_ref()), spelled(pool.as_ref()))]
        }
        StackOp::ReserveCapacity(_, units) => vec![format!("{units} units")],
        StackOp::SetWebAcl(_, acl) | StackOp::SetClassicAcl(_, acl) => vec![match acl {
            Attachment::Nothing => "none".to_owned(),
            Attachment::This(acl) => acl.clone(),
        }],
        StackOp::ModifyHealthCheck(group, want) => health_check(&group.get().health_check, want),
        StackOp::CreateRule(rule) | StackOp::ModifyRule(_, _, rule) => {
            let matches = rule.conditions.iter().map(condition);
            matches
                .chain(rule.transforms.iter().map(transform))
                .chain(rule.actions.iter().map(action))
                .collect()
        }
        StackOp::CreateListener(listener) | StackOp::ModifyListener(_, listener) => {
            let certificates =
                listener.certificates.first().map(|first| format!("certificate {}", first.name()));
            let clients = listener.client_certificates.as_ref().map(client_certificates);
            listener.default_actions.iter().map(action).chain(certificates).chain(clients).collect()
        }
        StackOp::AddCertificates(_, added) => added.iter().map(|one| one.name().to_owned()).collect(),
        StackOp::RemoveCertificates(_, arns) => arns.clone(),
        StackOp::RenewCertificate(seen, ..) => vec![seen.get().arn.clone()],
        StackOp::SetRulePriorities(_, moves) => moves
            .iter()
            .map(|step| {
                let seen = step.rule.get();
                let matches: Vec<String> = seen.conditions.iter().map(condition).collect();
                format!("{} -> {}: {}", seen.priority, step.priority, matches.join(", "))
            })
            .collect(),
        StackOp::SetTags(retag) => {
            let set = retag.set.iter().map(|(key, value)| format!("{key} = {value}"));
            set.chain(retag.remove.iter().map(|key| format!("{key} removed"))).collect()
        }
        _ => Vec::new(),
    }
}

fn client_certificates(asked: &ClientCertificates) -> String {
    match asked {
        ClientCertificates::Off => "client certificates off".to_owned(),
        ClientCertificates::Passthrough => "client certificates passed on".to_owned(),
        ClientCertificates::Verify { trust_store, .. } => {
            format!("client certificates verified by {trust_store}")
        }
    }
}

fn health_check(have: &HealthCheck, want: &HealthCheck) -> Vec<String> {
    let text = |name: &str, have: Option<&String>, want: Option<&String>| {
        let spelled = |text: Option<&String>| text.cloned().unwrap_or_else(|| "none".to_owned());
        (want.is_some() && have != want).then(|| format!("{name}: {} -> {}", spelled(have), spelled(want)))
    };
    let number =
        |name: &str, have: i32, want: i32| (have != want).then(|| format!("{name}: {have} -> {want}"));
    let changes = [
        text("protocol", Some(&have.protocol), Some(&want.protocol)),
        text("port", Some(&have.port), Some(&want.port)),
        text("path", have.path.as_ref(), want.path.as_ref()),
        text("success codes", have.http_codes.as_ref(), want.http_codes.as_ref()),
        text("gRPC codes", have.grpc_codes.as_ref(), want.grpc_codes.as_ref()),
        number("interval", have.interval, want.interval),
        number("timeout", have.timeout, want.timeout),
        number("healthy threshold", have.healthy, want.healthy),
        number("unhealthy threshold", have.unhealthy, want.unhealthy),
    ];
    changes.into_iter().flatten().collect()
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::HostHeader(values) => format!("host {}", values.join(" or ")),
        Condition::PathPattern(values) => format!("path {}", values.join(" or ")),
        Condition::HostRegex(values) => format!("host like {}", values.join(" or ")),
        Condition::PathRegex(values) => format!("path like {}", values.join(" or ")),
        Condition::HttpHeader { name, values } => format!("header {name} {}", values.join(" or ")),
        Condition::HttpHeaderRegex { name, values } => format!("header {name} like {}", values.join(" or ")),
        Condition::HttpRequestMethod(values) => format!("method {}", values.join(" or ")),
        Condition::SourceIp(values) => format!("source {}", values.join(" or ")),
        Condition::QueryString(pairs) => {
            let pair = |pair: &QueryPair| match &pair.key {
                Some(key) => format!("{key}={}", pair.value),
                None => pair.value.clone(),
            };
            format!("query {}", pairs.iter().map(pair).collect::<Vec<_>>().join(" or "))
        }
    }
}

fn transform(transform: &Transform) -> String {
    let (what, rewrites) = match transform {
        Transform::HostHeaderRewrite(rewrites) => ("host", rewrites),
        Transform::UrlRewrite(rewrites) => ("URL", rewrites),
    };
    let one = |rewrite: &Rewrite| format!("{} to {}", rewrite.regex, rewrite.replace);
    format!("rewrite {what} {}", rewrites.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn forward(forward: &Forward) -> String {
    let targets = match forward.targets.as_slice() {
        [only] => only.target_group.name().to_owned(),
        several => {
            let share =
                |target: &WeightedTarget| format!("{} ({})", target.target_group.name(), target.weight);
            several.iter().map(share).collect::<Vec<_>>().join(", ")
        }
    };
    let sticky = forward.stickiness.map(|seconds| format!(", sticky for {seconds} s")).unwrap_or_default();
    format!("forward to {targets}{sticky}")
}

fn action(action: &Action) -> String {
    match action {
        Action::Forward(to) => forward(to),
        Action::Redirect(redirect) => {
            let Redirect { protocol, host, port, path, query, status_code } = redirect;
            format!("redirect to {protocol}://{host}:{port}{path}?{query} ({status_code})")
        }
        Action::FixedResponse(fixed) => {
            let body = fixed.body.as_ref().map(|body| format!(": {body}")).unwrap_or_default();
            format!("answer {}{body}", fixed.status_code)
        }
        Action::Cognito(asked) => {
            format!("sign in to user pool {} ({})", asked.user_pool, session(&asked.session))
        }
        Action::Oidc(asked) => {
            let secret = asked.secret.as_ref().map(|secret| format!(", Secret {}", secret.secret));
            let secret = secret.unwrap_or_default();
            format!("sign in to {} ({}{secret})", asked.issuer, session(&asked.session))
        }
        Action::Jwt(asked) => {
            let claims: Vec<String> = asked
                .claims
                .iter()
                .map(|claim| format!(", {} {}", claim.name, claim.values.join(" or ")))
                .collect();
            format!("check the token of {}{}", asked.issuer, claims.concat())
        }
    }
}

fn session(asked: &Session) -> String {
    let Session { unauthenticated, scope, cookie, timeout, .. } = asked;
    format!("who is not signed in: {unauthenticated}; scope {scope}; cookie {cookie} for {timeout} s")
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

const fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Internal => "internal",
        Scheme::InternetFacing => "internet-facing",
    }
}
