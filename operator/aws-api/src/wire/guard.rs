//! Actions that decide who gets through.
//!
//! A client's secret is written and never read: AWS does not give it back. What is absent from an answer is as AWS
//! documents it.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    AuthenticateCognitoActionConditionalBehaviorEnum as CognitoBehavior, AuthenticateCognitoActionConfig,
    AuthenticateOidcActionConditionalBehaviorEnum as OidcBehavior, AuthenticateOidcActionConfig,
    JwtValidationActionAdditionalClaim, JwtValidationActionAdditionalClaimFormatEnum as ClaimFormat,
    JwtValidationActionConfig,
};
use fairway_aws::model::{Claim, Cognito, Jwt, Oidc, Session};
use fairway_aws::secret::{Client, client_digest};

const COOKIE: &str = "AWSELBAuthSessionCookie";
const SCOPE: &str = "openid";
const TIMEOUT: i64 = 604_800;
const BEHAVIOUR: &str = "authenticate";

pub(crate) fn encode_cognito(asked: &Cognito) -> AuthenticateCognitoActionConfig {
    let session = &asked.session;
    let wire = AuthenticateCognitoActionConfig::builder()
        .user_pool_arn(&asked.user_pool)
        .user_pool_client_id(&asked.client)
        .user_pool_domain(&asked.domain)
        .session_cookie_name(&session.cookie)
        .scope(&session.scope)
        .session_timeout(session.timeout)
        .on_unauthenticated_request(CognitoBehavior::from(session.unauthenticated.as_str()));
    let parameters = session.parameters.iter();
    parameters.fold(wire, |wire, (key, value)| wire.authentication_request_extra_params(key, value)).build()
}

pub(crate) fn encode_oidc(asked: &Oidc, client: &Client) -> AuthenticateOidcActionConfig {
    let session = &asked.session;
    let wire = AuthenticateOidcActionConfig::builder()
        .issuer(&asked.issuer)
        .authorization_endpoint(&asked.authorization)
        .token_endpoint(&asked.token)
        .user_info_endpoint(&asked.user_info)
        .client_id(&client.id)
        .client_secret(&client.secret)
        .session_cookie_name(&session.cookie)
        .scope(&session.scope)
        .session_timeout(session.timeout)
        .on_unauthenticated_request(OidcBehavior::from(session.unauthenticated.as_str()));
    let parameters = session.parameters.iter();
    parameters.fold(wire, |wire, (key, value)| wire.authentication_request_extra_params(key, value)).build()
}

pub(crate) fn encode_jwt(asked: &Jwt) -> JwtValidationActionConfig {
    let claim = |claim: &Claim| {
        JwtValidationActionAdditionalClaim::builder()
            .format(ClaimFormat::from(claim.format.as_str()))
            .name(&claim.name)
            .set_values(Some(claim.values.clone()))
            .build()
    };
    let claims: Vec<_> = asked.claims.iter().map(claim).collect();
    JwtValidationActionConfig::builder()
        .jwks_endpoint(&asked.keys)
        .issuer(&asked.issuer)
        .set_additional_claims(Some(claims).filter(|claims| !claims.is_empty()))
        .build()
}

pub(crate) fn decode_cognito(seen: &AuthenticateCognitoActionConfig) -> Cognito {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Cognito {
        user_pool: text(seen.user_pool_arn()),
        client: text(seen.user_pool_client_id()),
        domain: text(seen.user_pool_domain()),
        session: Session {
            unauthenticated: seen
                .on_unauthenticated_request()
                .map_or(BEHAVIOUR, CognitoBehavior::as_str)
                .to_owned(),
            scope: seen.scope().unwrap_or(SCOPE).to_owned(),
            cookie: seen.session_cookie_name().unwrap_or(COOKIE).to_owned(),
            timeout: seen.session_timeout().unwrap_or(TIMEOUT),
            parameters: sorted(seen.authentication_request_extra_params().into_iter().flatten()),
        },
    }
}

pub(crate) fn decode_oidc(seen: &AuthenticateOidcActionConfig) -> Oidc {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Oidc {
        issuer: text(seen.issuer()),
        authorization: text(seen.authorization_endpoint()),
        token: text(seen.token_endpoint()),
        user_info: text(seen.user_info_endpoint()),
        client: client_digest(seen.client_id().unwrap_or_default()),
        secret: None,
        session: Session {
            unauthenticated: seen
                .on_unauthenticated_request()
                .map_or(BEHAVIOUR, OidcBehavior::as_str)
                .to_owned(),
            scope: seen.scope().unwrap_or(SCOPE).to_owned(),
            cookie: seen.session_cookie_name().unwrap_or(COOKIE).to_owned(),
            timeout: seen.session_timeout().unwrap_or(TIMEOUT),
            parameters: sorted(seen.authentication_request_extra_params().into_iter().flatten()),
        },
    }
}

pub(crate) fn decode_jwt(seen: &JwtValidationActionConfig) -> Jwt {
    let claim = |claim: &JwtValidationActionAdditionalClaim| Claim {
        format: claim.format().map(ClaimFormat::as_str).unwrap_or_default().to_owned(),
        name: claim.name().unwrap_or_default().to_owned(),
        values: claim.values().to_vec(),
    };
    Jwt {
        keys: seen.jwks_endpoint().unwrap_or_default().to_owned(),
        issuer: seen.issuer().unwrap_or_default().to_owned(),
        claims: seen.additional_claims().iter().map(claim).collect(),
    }
}

fn sorted<'a>(all: impl IntoIterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    all.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            unauthenticated: "deny".to_owned(),
            scope: "openid email".to_owned(),
            cookie: "shop".to_owned(),
            timeout: 60,
            parameters: [("display".to_owned(), "page".to_owned())].into(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_but_for_the_secret() {
        let cognito = Cognito {
            user_pool: "arn:aws:p".to_owned(),
            client: "c".to_owned(),
            domain: "d".to_owned(),
            session: session(),
        };
        assert_eq!(decode_cognito(&encode_cognito(&cognito)), cognito);

        let client = Client { id: "c".to_owned(), secret: "opensesame".to_owned() };
        let oidc = Oidc {
            issuer: "https://i".to_owned(),
            authorization: "https://i/a".to_owned(),
            token: "https://i/t".to_owned(),
            user_info: "https://i/u".to_owned(),
            client: client_digest("c"),
            secret: None,
            session: session(),
        };
        let wire = encode_oidc(&oidc, &client);
        assert_eq!((wire.client_id(), wire.client_secret()), (Some("c"), Some("opensesame")));
        assert_eq!(decode_oidc(&wire), oidc);

        let claim = Claim {
            format: "string-array".to_owned(),
            name: "roles".to_owned(),
            values: vec!["a".to_owned()],
        };
        let jwt = Jwt { keys: "https://i/k".to_owned(), issuer: "https://i".to_owned(), claims: vec![claim] };
        assert_eq!(decode_jwt(&encode_jwt(&jwt)), jwt);
    }

    #[test]
    fn what_aws_leaves_out_is_as_it_documents() {
        let seen = decode_cognito(&AuthenticateCognitoActionConfig::builder().build()).session;
        let want = Session {
            unauthenticated: BEHAVIOUR.to_owned(),
            scope: SCOPE.to_owned(),
            cookie: COOKIE.to_owned(),
            timeout: TIMEOUT,
            parameters: BTreeMap::new(),
        };
        assert_eq!(seen, want);
    }
}
