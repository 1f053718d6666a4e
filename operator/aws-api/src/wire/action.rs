//! Actions of listeners and rules.
//!
//! Shape: AWS orders actions by a number, we by their place. A forward to one group comes in two spellings; both are
//! read, the longer is written. In answers target groups are named by ARN, as AWS does; `observe` gives those of the
//! stack their names. An action that the model has no word for becomes a fixed answer with its AWS name for a status:
//! it equals nothing that is ever wanted.

use aws_sdk_elasticloadbalancingv2::types::{
    Action as Wire, ActionTypeEnum, FixedResponseActionConfig, ForwardActionConfig, RedirectActionConfig,
    RedirectActionStatusCodeEnum, TargetGroupStickinessConfig, TargetGroupTuple,
};
use fairway_aws::model::{Action, FixedResponse, Forward, Oidc, Redirect, Ref, TargetGroup, WeightedTarget};
use fairway_aws::secret::Client;
use fairway_engine::ports::Refusal;

use super::guard;
use crate::secrets::Clients;

/// What stands before the AWS name of an action that the model has no word for.
const UNKNOWN: &str = "unknown:";

/// What actions name and AWS has to be told.
pub(crate) struct Known<'a> {
    /// Finds target groups.
    pub(crate) arn_of: &'a dyn Fn(&Ref<TargetGroup>) -> Result<String, Refusal>,
    /// Clients of providers.
    pub(crate) clients: &'a Clients,
}

/// Writes actions.
pub(crate) fn encode(actions: &[Action], known: &Known<'_>) -> Result<Vec<Wire>, Refusal> {
    let numbered = (1..).zip(actions);
    numbered.map(|(order, action)| encode_one(order, action, known)).collect()
}

fn encode_one(order: i32, action: &Action, known: &Known<'_>) -> Result<Wire, Refusal> {
    let wire = Wire::builder().order(order);
    let wire = match action {
        Action::Forward(forward) => {
            wire.r#type(ActionTypeEnum::Forward).forward_config(encode_forward(forward, known.arn_of)?)
        }
        Action::Redirect(redirect) => wire.r#type(ActionTypeEnum::Redirect).redirect_config(
            RedirectActionConfig::builder()
                .host(&redirect.host)
                .path(&redirect.path)
                .port(&redirect.port)
                .protocol(&redirect.protocol)
                .query(&redirect.query)
                .status_code(RedirectActionStatusCodeEnum::from(redirect.status_code.as_str()))
                .build(),
        ),
        Action::FixedResponse(fixed) => wire.r#type(ActionTypeEnum::FixedResponse).fixed_response_config(
            FixedResponseActionConfig::builder()
                .set_content_type(fixed.content_type.clone())
                .set_message_body(fixed.body.clone())
                .status_code(&fixed.status_code)
                .build(),
        ),
        Action::Cognito(asked) => wire
            .r#type(ActionTypeEnum::AuthenticateCognito)
            .authenticate_cognito_config(guard::encode_cognito(asked)),
        Action::Oidc(asked) => wire
            .r#type(ActionTypeEnum::AuthenticateOidc)
            .authenticate_oidc_config(guard::encode_oidc(asked, client(asked, known.clients)?)),
        Action::Jwt(asked) => {
            wire.r#type(ActionTypeEnum::JwtValidation).jwt_validation_config(guard::encode_jwt(asked))
        }
    };
    Ok(wire.build())
}

fn client<'a>(asked: &Oidc, clients: &'a Clients) -> Result<&'a Client, Refusal> {
    let client = asked.secret.as_ref().and_then(|wanted| clients.get(&wanted.secret));
    client.ok_or_else(|| Refusal::bug("NoClient", format!("no client of {} was read", asked.issuer)))
}

fn encode_forward(
    forward: &Forward,
    arn_of: &dyn Fn(&Ref<TargetGroup>) -> Result<String, Refusal>,
) -> Result<ForwardActionConfig, Refusal> {
    let mut wire = ForwardActionConfig::builder();
    for target in &forward.targets {
        let mut tuple = TargetGroupTuple::builder().target_group_arn(arn_of(&target.target_group)?);
        // A lone target has a weight of 1 where none is said.
        if forward.targets.len() > 1 || target.weight != 1 {
            tuple = tuple.weight(target.weight);
        }
        wire = wire.target_groups(tuple.build());
    }
    if let Some(seconds) = forward.stickiness {
        let stickiness = TargetGroupStickinessConfig::builder().enabled(true).duration_seconds(seconds);
        wire = wire.target_group_stickiness_config(stickiness.build());
    }
    Ok(wire.build())
}

/// Reads actions, in their order. The second part names those that the model has no word for.
pub(crate) fn decode(actions: &[Wire]) -> (Vec<Action>, Vec<String>) {
    let mut sorted: Vec<&Wire> = actions.iter().collect();
    sorted.sort_by_key(|action| action.order().unwrap_or_default());
    let decoded: Vec<Action> = sorted.into_iter().map(decode_one).collect();
    let unknown = decoded.iter().filter_map(|action| match action {
        Action::FixedResponse(fixed) => fixed.status_code.strip_prefix(UNKNOWN).map(str::to_owned),
        _ => None,
    });
    let unknown = unknown.collect();
    (decoded, unknown)
}

fn decode_one(action: &Wire) -> Action {
    match action.r#type() {
        Some(ActionTypeEnum::Forward) => Action::Forward(decode_forward(action)),
        Some(ActionTypeEnum::Redirect) => Action::Redirect(decode_redirect(action.redirect_config())),
        Some(ActionTypeEnum::FixedResponse) => {
            Action::FixedResponse(decode_fixed(action.fixed_response_config()))
        }
        Some(ActionTypeEnum::AuthenticateCognito) => action
            .authenticate_cognito_config()
            .map_or_else(|| unknown(action), |seen| Action::Cognito(guard::decode_cognito(seen))),
        Some(ActionTypeEnum::AuthenticateOidc) => action
            .authenticate_oidc_config()
            .map_or_else(|| unknown(action), |seen| Action::Oidc(guard::decode_oidc(seen))),
        Some(ActionTypeEnum::JwtValidation) => action
            .jwt_validation_config()
            .map_or_else(|| unknown(action), |seen| Action::Jwt(guard::decode_jwt(seen))),
        _ => unknown(action),
    }
}

fn unknown(action: &Wire) -> Action {
    let kind = action.r#type().map(ActionTypeEnum::as_str).unwrap_or_default();
    Action::FixedResponse(FixedResponse {
        content_type: None,
        body: None,
        status_code: format!("{UNKNOWN}{kind}"),
    })
}

fn decode_forward(action: &Wire) -> Forward {
    let config = action.forward_config();
    let tuples = config.map(ForwardActionConfig::target_groups).unwrap_or_default();
    let mut targets: Vec<WeightedTarget> = tuples
        .iter()
        .filter_map(|tuple| Some(target(tuple.target_group_arn()?, tuple.weight().unwrap_or(1))))
        .collect();
    if targets.is_empty() {
        targets.extend(action.target_group_arn().map(|arn| target(arn, 1)));
    }
    let stickiness = config
        .and_then(ForwardActionConfig::target_group_stickiness_config)
        .filter(|stickiness| stickiness.enabled() == Some(true))
        .and_then(TargetGroupStickinessConfig::duration_seconds);
    Forward { targets, stickiness }
}

fn target(arn: &str, weight: i32) -> WeightedTarget {
    WeightedTarget { target_group: Ref::new(arn), weight }
}

fn decode_redirect(config: Option<&RedirectActionConfig>) -> Redirect {
    let field = |read: fn(&RedirectActionConfig) -> Option<&str>, default: &str| {
        config.and_then(read).unwrap_or(default).to_owned()
    };
    let status = config.and_then(RedirectActionConfig::status_code);
    Redirect {
        host: field(RedirectActionConfig::host, "#{host}"),
        path: field(RedirectActionConfig::path, "/#{path}"),
        port: field(RedirectActionConfig::port, "#{port}"),
        protocol: field(RedirectActionConfig::protocol, "#{protocol}"),
        query: field(RedirectActionConfig::query, "#{query}"),
        status_code: status.map(RedirectActionStatusCodeEnum::as_str).unwrap_or_default().to_owned(),
    }
}

fn decode_fixed(config: Option<&FixedResponseActionConfig>) -> FixedResponse {
    let field =
        |read: fn(&FixedResponseActionConfig) -> Option<&str>| config.and_then(read).map(str::to_owned);
    FixedResponse {
        content_type: field(FixedResponseActionConfig::content_type),
        body: field(FixedResponseActionConfig::message_body).filter(|body| !body.is_empty()),
        status_code: field(FixedResponseActionConfig::status_code).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_of_a_lone_target_is_sent_when_it_is_not_the_usual_one() {
        let arn_of = |group: &Ref<TargetGroup>| Ok(group.name().to_owned());
        let weights = |weights: &[i32]| -> Vec<Option<i32>> {
            let named = weights.iter().enumerate();
            let targets = named.map(|(place, weight)| target(&place.to_string(), *weight)).collect();
            let wire = encode_forward(&Forward { targets, stickiness: None }, &arn_of).unwrap();
            wire.target_groups().iter().map(TargetGroupTuple::weight).collect()
        };
        assert_eq!(weights(&[100]), [Some(100)]);
        assert_eq!(weights(&[0]), [Some(0)]);
        assert_eq!(weights(&[1]), [None]);
        assert_eq!(weights(&[1, 3]), [Some(1), Some(3)]);
    }
}
