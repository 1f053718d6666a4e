//! `auth-idp-cognito`, `auth-idp-oidc` and `jwt-validation`: who says who a user is.
//!
//! | part                               | unit       | range                                         |
//! |------------------------------------|------------|-----------------------------------------------|
//! | `authenticationRequestExtraParams` | parameters | 0-10                                          |
//! | `issuer`, `jwksEndpoint` of tokens | characters | 1-256, `https://`                             |
//! | `additionalClaims`                 | claims     | 0-10; 1-10 values of 1-256 characters each    |

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Object, json};
use crate::{
    intent::{Claim, IdentityProvider, TokenCheck, UserPool},
    settings::{BadValue, words::ClaimFormat},
};

/// No field of a provider is longer.
const LONGEST: usize = 2048;
/// Of a token's issuer, keys, names and values.
const LONGEST_OF_TOKEN: usize = 256;
const MOST_PARAMETERS: usize = 10;
const MOST_CLAIMS: usize = 10;
const MOST_VALUES: usize = 10;
/// Elastic Load Balancing checks these by itself, and refuses to be told to.
const ALWAYS_CHECKED: [&str; 4] = ["exp", "iss", "nbf", "iat"];

/// Reads a Cognito user pool.
///
/// # Errors
/// A part that is missing, or of another shape.
pub fn cognito(text: &str) -> Result<UserPool, BadValue> {
    let value = json(text)?;
    let root = Object::root(&value)?;
    let arn = root.needed("userPoolARN", LONGEST)?;
    if !arn.starts_with("arn:") {
        return root.refuse("userPoolARN", "is no ARN");
    }
    Ok(UserPool {
        arn,
        client: root.needed("userPoolClientID", LONGEST)?,
        domain: root.needed("userPoolDomain", LONGEST)?,
        parameters: parameters(&root)?,
    })
}

/// Reads an OpenID Connect provider.
///
/// # Errors
/// A part that is missing, or of another shape; an endpoint that is not `https://`.
pub fn oidc(text: &str) -> Result<IdentityProvider, BadValue> {
    let value = json(text)?;
    let root = Object::root(&value)?;
    Ok(IdentityProvider {
        issuer: https(&root, "issuer", LONGEST)?,
        authorization: https(&root, "authorizationEndpoint", LONGEST)?,
        token: https(&root, "tokenEndpoint", LONGEST)?,
        user_info: https(&root, "userInfoEndpoint", LONGEST)?,
        secret: root.needed("secretName", LONGEST)?,
        parameters: parameters(&root)?,
    })
}

/// Reads what tokens have to say.
///
/// # Errors
/// A part that is missing, or of another shape.
pub fn token(text: &str) -> Result<TokenCheck, BadValue> {
    let value = json(text)?;
    let root = Object::root(&value)?;
    let claims = root.objects("additionalClaims")?;
    if claims.len() > MOST_CLAIMS {
        let problem = format!("names {}, and a rule takes at most {MOST_CLAIMS}", claims.len());
        return root.refuse("additionalClaims", &problem);
    }
    Ok(TokenCheck {
        keys: https(&root, "jwksEndpoint", LONGEST_OF_TOKEN)?,
        issuer: root.needed("issuer", LONGEST_OF_TOKEN)?,
        claims: claims.iter().map(claim).collect::<Result<_, _>>()?,
    })
}

fn claim(claim: &Object<'_>) -> Result<Claim, BadValue> {
    let format = ClaimFormat::parse(&claim.needed("format", LONGEST)?);
    let format = match format {
        Ok(format) => format,
        Err(BadValue(problem)) => return claim.refuse("format", &problem),
    };
    let name = claim.needed("name", LONGEST_OF_TOKEN)?;
    if ALWAYS_CHECKED.contains(&name.as_str()) {
        return claim.refuse("name", &format!("is {name}, which is always checked and cannot be named"));
    }
    let values = claim.texts("values", LONGEST_OF_TOKEN)?;
    match values.len() {
        0 => claim.refuse("values", "names none"),
        number if number > MOST_VALUES => {
            claim.refuse("values", &format!("names {number}, and a claim takes at most {MOST_VALUES}"))
        }
        _ => Ok(Claim { format, name, values }),
    }
}

fn https(object: &Object<'_>, name: &str, most: usize) -> Result<String, BadValue> {
    let url = object.needed(name, most)?;
    if url.starts_with("https://") { Ok(url) } else { object.refuse(name, "must begin with https://") }
}

/// The names of parameters keep their case, unlike those of fields.
fn parameters(object: &Object<'_>) -> Result<BTreeMap<String, String>, BadValue> {
    const NAME: &str = "authenticationRequestExtraParams";
    let all = match object.fields.get(NAME) {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(all)) => all,
        Some(_) => return object.refuse(NAME, "must be a JSON object"),
    };
    if all.len() > MOST_PARAMETERS {
        let problem = format!("has {} parameters, and a rule takes at most {MOST_PARAMETERS}", all.len());
        return object.refuse(NAME, &problem);
    }
    let text = |(key, value): (&String, &Value)| match value {
        Value::String(text) => Ok((key.clone(), text.clone())),
        _ => object.refuse(&format!("{NAME}.{key}"), "must be text"),
    };
    all.iter().map(text).collect()
}
