//! Tags and attributes of Elastic Load Balancing: lists there, maps here.

use aws_sdk_elasticloadbalancingv2::types::{
    ListenerAttribute, LoadBalancerAttribute, Tag, TargetGroupAttribute,
};
use fairway_aws::model::{Attributes, Tags};

/// `None` for no tags: AWS refuses an empty list.
pub(crate) fn encode(tags: &Tags) -> Option<Vec<Tag>> {
    let list = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    (!tags.is_empty()).then(|| list.collect())
}

pub(crate) fn decode(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

macro_rules! attributes {
    ($kind:ty, $encode:ident, $decode:ident) => {
        pub(crate) fn $encode(attributes: &Attributes) -> Option<Vec<$kind>> {
            let one = |(key, value): (&String, &String)| <$kind>::builder().key(key).value(value).build();
            Some(attributes.iter().map(one).collect())
        }

        pub(crate) fn $decode(attributes: &[$kind]) -> Attributes {
            let pair =
                |one: &$kind| Some((one.key()?.to_owned(), one.value().unwrap_or_default().to_owned()));
            attributes.iter().filter_map(pair).collect()
        }
    };
}

attributes!(LoadBalancerAttribute, encode_balancer, decode_balancer);
attributes!(TargetGroupAttribute, encode_group, decode_group);
attributes!(ListenerAttribute, encode_listener, decode_listener);
