//! Transforms of rules.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderRewriteConfig, RewriteConfig, RuleTransform, TransformTypeEnum, UrlRewriteConfig,
};
use fairway_aws::model::{Rewrite, Transform};

pub(crate) fn encode(transforms: &[Transform]) -> Vec<RuleTransform> {
    transforms.iter().map(encode_one).collect()
}

fn encode_one(transform: &Transform) -> RuleTransform {
    let rewrites = |all: &[Rewrite]| {
        let one = |one: &Rewrite| RewriteConfig::builder().regex(&one.regex).replace(&one.replace).build();
        Some(all.iter().map(one).collect())
    };
    let wire = RuleTransform::builder();
    match transform {
        Transform::HostHeaderRewrite(all) => {
            let config = HostHeaderRewriteConfig::builder().set_rewrites(rewrites(all)).build();
            wire.r#type(TransformTypeEnum::HostHeaderRewrite).host_header_rewrite_config(config).build()
        }
        Transform::UrlRewrite(all) => {
            let config = UrlRewriteConfig::builder().set_rewrites(rewrites(all)).build();
            wire.r#type(TransformTypeEnum::UrlRewrite).url_rewrite_config(config).build()
        }
    }
}

/// # Errors
/// The type in AWS's words, when the model has none for it.
pub(crate) fn decode(transform: &RuleTransform) -> Result<Transform, String> {
    let rewrites = |all: &[RewriteConfig]| {
        let one = |one: &RewriteConfig| Rewrite {
            regex: one.regex().unwrap_or_default().to_owned(),
            replace: one.replace().unwrap_or_default().to_owned(),
        };
        all.iter().map(one).collect()
    };
    match transform.r#type() {
        Some(TransformTypeEnum::HostHeaderRewrite) => {
            let config = transform.host_header_rewrite_config();
            let all = config.map(HostHeaderRewriteConfig::rewrites).unwrap_or_default();
            Ok(Transform::HostHeaderRewrite(rewrites(all)))
        }
        Some(TransformTypeEnum::UrlRewrite) => {
            let config = transform.url_rewrite_config();
            let all = config.map(UrlRewriteConfig::rewrites).unwrap_or_default();
            Ok(Transform::UrlRewrite(rewrites(all)))
        }
        other => Err(other.map(TransformTypeEnum::as_str).unwrap_or_default().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transform_comes_back_as_it_was_written() {
        let rewrites = || vec![Rewrite { regex: "^/a/(.*)$".to_owned(), replace: "/$1".to_owned() }];
        let all = vec![Transform::UrlRewrite(rewrites()), Transform::HostHeaderRewrite(rewrites())];
        let back: Vec<_> = encode(&all).iter().map(decode).collect();
        assert_eq!(back.into_iter().collect::<Result<Vec<_>, _>>(), Ok(all));
        let other = RuleTransform::builder().r#type(TransformTypeEnum::from("body")).build();
        assert_eq!(decode(&other), Err("body".to_owned()));
    }
}
