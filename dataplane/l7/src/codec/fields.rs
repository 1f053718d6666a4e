//! Header fields that mean something to a proxy.

use httparse::Header;

use super::Refusal;

/// What the length headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    Nothing,
    Length(u64),
    Chunked,
}

/// What one pass over the headers finds.
pub(super) struct Facts<'h> {
    pub(super) announced: Announced,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade_named: bool,
    /// Headers that `Connection` names besides the usual ones.
    pub(super) named: Vec<&'h [u8]>,
}

impl<'h> Facts<'h> {
    pub(super) fn read(headers: &[Header<'h>]) -> Result<Self, Refusal> {
        let mut facts = Self {
            announced: Announced::Nothing,
            close: false,
            keep_alive: false,
            upgrade_named: false,
            named: Vec::new(),
        };
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                facts.announce(Announced::Length(number(header.value)?))?;
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::Length);
                }
                facts.announce(Announced::Chunked)?;
            } else if header.name.eq_ignore_ascii_case("connection") {
                tokens(header.value).for_each(|token| facts.connection(token));
            }
        }
        Ok(facts)
    }

    fn announce(&mut self, announced: Announced) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.announced, announced) {
            Announced::Nothing => Ok(()),
            Announced::Length(_) | Announced::Chunked => Err(Refusal::Length),
        }
    }

    fn connection(&mut self, token: &'h [u8]) {
        if token.eq_ignore_ascii_case(b"close") {
            self.close = true;
        } else if token.eq_ignore_ascii_case(b"keep-alive") {
            self.keep_alive = true;
        } else if token.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade_named = true;
        } else {
            self.named.push(token);
        }
    }

    /// Whether the header belongs to this connection alone. Length headers do too: they are written anew.
    pub(super) fn ends_here(&self, name: &str) -> bool {
        let usual = match name.len() {
            2 => name.eq_ignore_ascii_case("te"),
            7 => name.eq_ignore_ascii_case("upgrade") || name.eq_ignore_ascii_case("trailer"),
            10 => name.eq_ignore_ascii_case("connection") || name.eq_ignore_ascii_case("keep-alive"),
            14 => name.eq_ignore_ascii_case("content-length"),
            16 => name.eq_ignore_ascii_case("proxy-connection"),
            17 => name.eq_ignore_ascii_case("transfer-encoding"),
            _ => false,
        };
        usual || self.named.iter().any(|token| token.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// The elements of a comma list.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

fn number(value: &[u8]) -> Result<u64, Refusal> {
    let value = value.trim_ascii();
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Length);
    }
    Ok(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Writes one header.
pub(super) fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The parser takes a bare line feed for a line end; here it is refused.
pub(super) fn lines_end_properly(head: &[u8]) -> bool {
    let mut before = 0;
    head.iter().all(|&byte| {
        let proper = byte != b'\n' || before == b'\r';
        before = byte;
        proper
    })
}

/// Whether a head that is not complete yet is already wrong, so that nobody waits for its end.
pub(super) fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::TooManyHeaders,
        _ => Refusal::Malformed,
    }
}

#[inline]
pub(super) fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(20 - used));
}
