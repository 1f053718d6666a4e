//! The API server's questions and answers: `AdmissionReview`, `admission.k8s.io/v1`.
//!
//! Source: Kubernetes, Dynamic Admission Control.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairway_core::admission::{Answer, Edit, Verdict};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const VERSION: &str = "admission.k8s.io/v1";

/// Why a question is not understood.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// It is no review of the version that is served.
    #[error("this is no AdmissionReview of {VERSION}")]
    NotAReview,
    /// The object is not of the kind that the path stands for.
    #[error("the object cannot be read")]
    Object(#[source] serde_json::Error),
}

/// What is about to happen to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Names the question in its answer.
    pub uid: String,
    /// The object's namespace: of a new object it may be named here only. Empty when it has none.
    pub namespace: String,
    object: Value,
    old: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    uid: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
}

impl Review {
    /// Reads a question.
    ///
    /// # Errors
    /// [`ReviewError::NotAReview`].
    pub fn read(body: &[u8]) -> Result<Self, ReviewError> {
        let read = serde_json::from_slice::<Envelope>(body).ok();
        let envelope =
            read.filter(|envelope| envelope.api_version == VERSION).ok_or(ReviewError::NotAReview)?;
        let Request { uid, namespace, object, old_object } = envelope.request;
        Ok(Self { uid, namespace, object, old: old_object })
    }

    /// The object as it would be.
    ///
    /// # Errors
    /// [`ReviewError::Object`].
    pub fn object<K: DeserializeOwned>(&self) -> Result<K, ReviewError> {
        K::deserialize(&self.object).map_err(ReviewError::Object)
    }

    /// The object as it is; `None` when it is created.
    ///
    /// # Errors
    /// [`ReviewError::Object`].
    pub fn old<K: DeserializeOwned>(&self) -> Result<Option<K>, ReviewError> {
        Option::<K>::deserialize(&self.old).map_err(ReviewError::Object)
    }

    /// The review that carries an answer.
    #[must_use]
    pub fn answer(&self, answer: &Answer) -> Value {
        let mut response =
            Response { uid: &self.uid, allowed: true, warnings: &answer.warnings, ..Response::default() };
        match &answer.verdict {
            Verdict::Allow => {}
            Verdict::Edit(edits) => {
                let patch = Value::Array(edits.iter().map(operation).collect()).to_string();
                response.patch = Some(STANDARD.encode(patch));
                response.patch_type = Some("JSONPatch");
            }
            Verdict::Refuse(why) => {
                response.allowed = false;
                response.status = Some(json!({"code": 422, "reason": "Invalid", "message": why}));
            }
        }
        json!({"apiVersion": VERSION, "kind": "AdmissionReview", "response": response})
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// `add` sets a field whether it is there or not.
fn operation(edit: &Edit) -> Value {
    json!({"op": "add", "path": edit.path, "value": edit.value})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(request: &Value) -> Review {
        let body = json!({"apiVersion": VERSION, "kind": "AdmissionReview", "request": request}).to_string();
        Review::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_question_says_what_is_and_what_would_be() {
        let created =
            review(&json!({"uid": "1", "namespace": "shop", "object": {"a": 1}, "oldObject": null}));
        assert_eq!((created.uid.as_str(), created.namespace.as_str()), ("1", "shop"));
        assert_eq!(created.object::<Value>().unwrap(), json!({"a": 1}));
        assert_eq!(created.old::<Value>().unwrap(), None);
        let updated = review(&json!({"uid": "2", "object": {"a": 1}, "oldObject": {"a": 0}}));
        assert_eq!(updated.old::<Value>().unwrap(), Some(json!({"a": 0})));
        assert!(updated.object::<Vec<u8>>().is_err());
    }

    #[test]
    fn other_bodies_are_no_questions() {
        for body in ["", "{}", r#"{"apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"1"}}"#] {
            assert!(matches!(Review::read(body.as_bytes()), Err(ReviewError::NotAReview)), "{body}");
        }
    }

    #[test]
    fn answers_carry_patch_reason_and_warnings() {
        let asked = review(&json!({"uid": "1"}));
        let response = |answer: &Answer| asked.answer(answer)["response"].clone();
        assert_eq!(response(&Answer::allow()), json!({"uid": "1", "allowed": true}));
        let refused = response(&Answer::refuse("no").warn(["mind the gap"]));
        assert_eq!(refused["allowed"], json!(false));
        assert_eq!(
            (&refused["status"]["message"], &refused["warnings"]),
            (&json!("no"), &json!(["mind the gap"]))
        );
        let edited = response(&Answer::edit(vec![Edit::set("/spec/a", 1)]));
        assert_eq!((&edited["allowed"], &edited["patchType"]), (&json!(true), &json!("JSONPatch")));
        let patch = STANDARD.decode(edited["patch"].as_str().unwrap()).unwrap();
        let patch: Value = serde_json::from_slice(&patch).unwrap();
        assert_eq!(patch, json!([{"op": "add", "path": "/spec/a", "value": 1}]));
    }
}
