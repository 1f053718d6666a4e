//! A request of the EC2 query protocol: a flat form whose keys spell out lists, `Filter.1.Value.2=...`.
//!
//! Lists count from one. Source: EC2 API reference, making requests to the EC2 API.

use std::collections::BTreeMap;

use aws_smithy_query::QueryWriter;

/// The parameters of one request, in the order they are put.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn put(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.parameters.push((key.into(), value.into()));
    }

    /// `key.1`, `key.2` and so on.
    pub(crate) fn put_list(&mut self, key: &str, values: &[String]) {
        for (at, value) in (1..).zip(values) {
            self.put(format!("{key}.{at}"), value);
        }
    }

    /// `prefix.1.Key`, `prefix.1.Value` and so on.
    pub(crate) fn put_tags(&mut self, prefix: &str, tags: &BTreeMap<String, String>) {
        for (at, (key, value)) in (1..).zip(tags) {
            self.put(format!("{prefix}.{at}.Key"), key);
            self.put(format!("{prefix}.{at}.Value"), value);
        }
    }

    /// The body of the request.
    pub(crate) fn encode(&self, action: &str, version: &str) -> String {
        let mut body = String::new();
        let mut writer = QueryWriter::new(&mut body, action, version);
        for (key, value) in &self.parameters {
            writer.prefix(key).string(value);
        }
        writer.finish();
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_count_from_one_and_values_are_escaped() {
        let mut query = Query::default();
        query.put("VpcId", "vpc-1");
        query.put_list("GroupId", &["sg-a".to_owned(), "sg-b".to_owned()]);
        query.put_tags("Tag", &BTreeMap::from([("a/b".to_owned(), "1 & 2=é".to_owned())]));
        assert_eq!(
            query.encode("Act", "2016-11-15"),
            "Action=Act&Version=2016-11-15&VpcId=vpc-1&GroupId.1=sg-a&GroupId.2=sg-b\
             &Tag.1.Key=a%2Fb&Tag.1.Value=1%20%26%202%3D%C3%A9"
        );
    }
}
