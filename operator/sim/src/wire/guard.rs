//! Actions that decide who gets through.

use std::collections::BTreeMap;

use fairway_aws::{
    model::{Action, Claim, Cognito, Jwt, Oidc, Session},
    secret::client_digest,
};
use serde_json::{Value, json};

use super::{list, maybe, text, texts};

pub(super) fn read(action: &Value) -> Action {
    let config = |key: &str| action.get(key).cloned().unwrap_or_default();
    match text(action, "Type").as_str() {
        "authenticate-cognito" => {
            let config = config("AuthenticateCognitoConfig");
            Action::Cognito(Cognito {
                user_pool: text(&config, "UserPoolArn"),
                client: text(&config, "UserPoolClientId"),
                domain: text(&config, "UserPoolDomain"),
                session: session(&config),
            })
        }
        "authenticate-oidc" => {
            let config = config("AuthenticateOidcConfig");
            Action::Oidc(Oidc {
                issuer: text(&config, "Issuer"),
                authorization: text(&config, "AuthorizationEndpoint"),
                token: text(&config, "TokenEndpoint"),
                user_info: text(&config, "UserInfoEndpoint"),
                client: client_digest(&text(&config, "ClientId")),
                secret: None,
                session: session(&config),
            })
        }
        _ => {
            let config = config("JwtValidationConfig");
            let claim = |one: &Value| Claim {
                format: text(one, "Format"),
                name: text(one, "Name"),
                values: texts(one, "Values"),
            };
            Action::Jwt(Jwt {
                keys: text(&config, "JwksEndpoint"),
                issuer: text(&config, "Issuer"),
                claims: list(&config, "AdditionalClaims").map(claim).collect(),
            })
        }
    }
}

/// What is absent is as AWS documents it.
fn session(config: &Value) -> Session {
    let or = |key: &str, default: &str| maybe(config, key).unwrap_or_else(|| default.to_owned());
    let parameters = config.get("AuthenticationRequestExtraParams").and_then(Value::as_object);
    let parameters: BTreeMap<String, String> = parameters
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    Session {
        unauthenticated: or("OnUnauthenticatedRequest", "authenticate"),
        scope: or("Scope", "openid"),
        cookie: or("SessionCookieName", "AWSELBAuthSessionCookie"),
        timeout: config.get("SessionTimeout").and_then(Value::as_i64).unwrap_or(604_800),
        parameters,
    }
}

/// As AWS answers: without a client's secret.
pub(super) fn shown(action: &Action) -> Value {
    match action {
        Action::Cognito(seen) => {
            let own = json!({"UserPoolArn": seen.user_pool, "UserPoolClientId": seen.client,
                "UserPoolDomain": seen.domain});
            json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig": with(own, &seen.session)})
        }
        Action::Oidc(seen) => {
            let own = json!({"Issuer": seen.issuer, "AuthorizationEndpoint": seen.authorization,
                "TokenEndpoint": seen.token, "UserInfoEndpoint": seen.user_info});
            json!({"Type": "authenticate-oidc", "AuthenticateOidcConfig": with(own, &seen.session)})
        }
        Action::Jwt(seen) => json!({"Type": "jwt-validation", "JwtValidationConfig": {
            "JwksEndpoint": seen.keys, "Issuer": seen.issuer,
        }}),
        other => json!({ "Type": format!("{other:?}") }),
    }
}

fn with(mut own: Value, session: &Session) -> Value {
    let shown = json!({
        "OnUnauthenticatedRequest": session.unauthenticated,
        "Scope": session.scope,
        "SessionCookieName": session.cookie,
        "SessionTimeout": session.timeout,
        "AuthenticationRequestExtraParams": session.parameters,
    });
    if let (Some(own), Value::Object(shown)) = (own.as_object_mut(), shown) {
        own.extend(shown);
    }
    own
}
