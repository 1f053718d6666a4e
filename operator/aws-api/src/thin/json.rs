//! AWS JSON 1.1: a JSON object each way, the operation in a header.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::CallError;
use super::protocol::{ErrorBody, Wire};

/// Calls `operation` with `input`.
pub(crate) async fn call<I: Serialize, O: DeserializeOwned>(
    wire: &Wire,
    operation: &'static str,
    input: &I,
) -> Result<O, CallError> {
    let body = serde_json::to_string(input).map_err(|error| wire.unsendable(operation, error))?;
    let answer = wire.send(operation, body).await?;
    serde_json::from_str(&answer).map_err(|error| wire.unreadable(operation, error))
}

/// An answer without content: `{}`, or nothing at all from some services.
pub(crate) async fn command<I: Serialize>(
    wire: &Wire,
    operation: &'static str,
    input: &I,
) -> Result<(), CallError> {
    let body = serde_json::to_string(input).map_err(|error| wire.unsendable(operation, error))?;
    wire.send(operation, body).await.map(drop)
}

#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// Reads an error, whose code stands in a header, in `__type` or in `code`.
pub(crate) fn read_error(header: Option<&str>, text: &str) -> ErrorBody {
    let body: Body = serde_json::from_str(text).unwrap_or_default();
    let code = header.map(str::to_owned).or(body.kind).or(body.code).map(|code| plain(&code).to_owned());
    ErrorBody { code, message: body.message, request_id: None }
}

/// Codes come as `Name`, `namespace#Name` and `Name:http://...`.
fn plain(code: &str) -> &str {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.rsplit_once('#').map_or(code, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_in_each_of_its_spellings() {
        let body = |code: &str, message: &str| ErrorBody {
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            request_id: None,
        };
        let cases = [
            (None, r#"{"__type":"com.amazonaws.shield#Nope","message":"m"}"#, body("Nope", "m")),
            (Some("Nope:http://internal/coral"), r#"{"Message":"M"}"#, body("Nope", "M")),
            (None, r#"{"code":"Nope","message":"m"}"#, body("Nope", "m")),
            (None, "<html>Bad gateway</html>", ErrorBody::default()),
        ];
        for (header, text, want) in cases {
            assert_eq!(read_error(header, text), want, "{text}");
        }
    }
}
