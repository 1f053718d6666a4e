//! Reading the XML answers of the query protocol.
//!
//! Shape: a type that implements [`Decode`] takes the child elements it knows and drops the rest, so new fields of
//! AWS do no harm. Absent and empty elements read alike, as EC2 sends either.
//! Errors: [`Malformed`]. The decoder underneath ends quietly at a broken or missing tag, which would make a cut
//! answer a shorter list; [`check_complete`] is what forbids that, and runs on every answer.

use std::collections::BTreeMap;
use std::str::FromStr;

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::protocol::ErrorBody;

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(String);

impl Malformed {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<XmlDecodeError> for Malformed {
    fn from(error: XmlDecodeError) -> Self {
        Self(error.to_string())
    }
}

/// A type that is read from the children of one element.
pub(crate) trait Decode: Default {
    /// Takes one child, or drops it when its name means nothing here.
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed>;
}

/// One element, not yet read.
pub(crate) struct Element<'doc, 'scope>(ScopedDecoder<'doc, 'scope>);

impl Element<'_, '_> {
    /// The text of a leaf.
    pub(crate) fn text(mut self) -> Result<String, Malformed> {
        Ok(try_data(&mut self.0)?.into_owned())
    }

    /// The text of a leaf, `None` when it is empty.
    pub(crate) fn optional(self) -> Result<Option<String>, Malformed> {
        self.text().map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    /// A number or a truth value.
    pub(crate) fn parse<T: FromStr>(self) -> Result<T, Malformed> {
        let name = self.name();
        let text = self.text()?;
        text.trim().parse().map_err(|_| Malformed(format!("{name} cannot be {text:?}")))
    }

    /// A structure.
    pub(crate) fn read<T: Decode>(mut self) -> Result<T, Malformed> {
        let mut value = T::default();
        self.each(|name, child| value.field(name, child))?;
        Ok(value)
    }

    /// A list of structures, each in an `item`.
    pub(crate) fn items<T: Decode>(mut self) -> Result<Vec<T>, Malformed> {
        let mut items = Vec::new();
        self.each(|name, child| {
            if name == "item" {
                items.push(child.read()?);
            }
            Ok(())
        })?;
        Ok(items)
    }

    /// Of a list of structures, one leaf of each.
    pub(crate) fn texts(self, field: &'static str) -> Result<Vec<String>, Malformed> {
        let mut texts = Vec::new();
        let mut list = self;
        list.each(|name, mut item| {
            if name != "item" {
                return Ok(());
            }
            item.each(|name, leaf| {
                if name == field {
                    texts.push(leaf.text()?);
                }
                Ok(())
            })
        })?;
        Ok(texts)
    }

    /// A tag set.
    pub(crate) fn tags(self) -> Result<BTreeMap<String, String>, Malformed> {
        let tags: Vec<Tag> = self.items()?;
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    fn name(&self) -> String {
        self.0.start_el().local().to_owned()
    }

    fn each(
        &mut self,
        mut take: impl FnMut(&str, Element<'_, '_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        while let Some(child) = self.0.next_tag() {
            let child = Element(child);
            take(&child.name(), child)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Tag {
    key: String,
    value: String,
}

impl Decode for Tag {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "key" => self.key = child.text()?,
            "value" => self.value = child.text()?,
            _ => {}
        }
        Ok(())
    }
}

/// Reads a whole answer.
pub(crate) fn decode<T: Decode>(text: &str) -> Result<T, Malformed> {
    let mut document = Document::new(text);
    Element(document.root_element()?).read()
}

/// That `text` is one element with all its tags closed.
pub(crate) fn check_complete(text: &str) -> Result<(), Malformed> {
    Document::new(text).root_element()?;
    let mut depth = 0;
    for token in Document::new(text) {
        (_, depth) = token?;
    }
    // A root tag that is cut before its bracket leaves the depth at zero.
    if depth == 0 && text.trim_end().ends_with('>') {
        Ok(())
    } else {
        Err(Malformed::new("it ends inside an element"))
    }
}

#[derive(Default)]
struct Answer(ErrorBody);

impl Decode for Answer {
    fn field(&mut self, name: &str, mut child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "Errors" | "Error" => child.each(|name, child| self.field(name, child)),
            "Code" => child.optional().map(|code| self.0.code = code),
            "Message" => child.optional().map(|message| self.0.message = message),
            "RequestID" | "RequestId" => child.optional().map(|id| self.0.request_id = id),
            _ => Ok(()),
        }
    }
}

/// Reads an error; a body that is none, such as a proxy's page, gives nothing.
pub(crate) fn read_error(text: &str) -> ErrorBody {
    decode::<Answer>(text).map(|answer| answer.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_ends_early_is_refused() {
        let whole = "<?xml version=\"1.0\"?>\n<R><set><item>a</item><item/></set></R>\n";
        assert_eq!(check_complete(whole), Ok(()));
        let start = whole.find("<R>").unwrap();
        for cut in start + 1..whole.trim_end().len() {
            assert!(check_complete(&whole[..cut]).is_err(), "cut at {cut}: {}", &whole[..cut]);
        }
        assert!(check_complete("").is_err());
        assert!(check_complete("<R><a b=></a></R>").is_err());
    }

    #[test]
    fn an_error_is_read_from_ec2s_form() {
        let text = "<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>no &lt;sg-1&gt;</Message>\
                    </Error></Errors><RequestID>r-1</RequestID></Response>";
        let want = ErrorBody {
            code: Some("InvalidGroup.NotFound".to_owned()),
            message: Some("no <sg-1>".to_owned()),
            request_id: Some("r-1".to_owned()),
        };
        assert_eq!(read_error(text), want);
        assert_eq!(read_error("<html><body>503</body></html>"), ErrorBody::default());
        assert_eq!(read_error("upstream connect error"), ErrorBody::default());
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named() {
        #[derive(Debug, Default)]
        struct Count(u32);
        impl Decode for Count {
            fn field(&mut self, _: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
                self.0 = child.parse()?;
                Ok(())
            }
        }
        assert_eq!(decode::<Count>("<R><n> 7 </n></R>").map(|c| c.0), Ok(7));
        assert_eq!(
            decode::<Count>("<R><n>many</n></R>").map(|c| c.0),
            Err(Malformed("n cannot be \"many\"".to_owned()))
        );
    }
}
