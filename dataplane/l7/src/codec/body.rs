//! Where a body ends, decided byte by byte as it arrives.

use super::Refusal;

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// The end of the connection (responses only).
    UntilClose,
}

/// What the next bytes of the input are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of framing in front, to be dropped.
    pub skip: usize,
    /// What follows them.
    pub next: Next,
}

/// What follows the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// So many bytes of the body, at least one.
    Content(usize),
    /// More input is needed.
    More,
    /// The body is complete.
    End,
}

/// Finds the content of one body in its input.
#[derive(Debug)]
pub struct Decoder(State);

#[derive(Debug)]
enum State {
    Length(u64),
    UntilClose,
    Chunk { at: Chunk, overhead: u32 },
    Done,
}

#[derive(Debug, Clone, Copy)]
enum Chunk {
    FirstDigit,
    Size(u64),
    Extension(u64),
    SizeLf(u64),
    Content(u64),
    ContentCr,
    ContentLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
}

/// Extensions and trailers of one body, together: enough for real ones, not for a flood.
const MAX_OVERHEAD: u32 = 8 * 1024;

impl Decoder {
    /// A decoder for a body that ends so.
    pub fn new(body: Body) -> Self {
        Self(match body {
            Body::None | Body::Length(0) => State::Done,
            Body::Length(length) => State::Length(length),
            Body::Chunked => State::Chunk { at: Chunk::FirstDigit, overhead: 0 },
            Body::UntilClose => State::UntilClose,
        })
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Looks at the input; content that is reported counts as taken.
    pub fn step(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let content = |length: usize| if length == 0 { Next::More } else { Next::Content(length) };
        match &mut self.0 {
            State::Done => Ok(Step { skip: 0, next: Next::End }),
            State::UntilClose => Ok(Step { skip: 0, next: content(input.len()) }),
            State::Length(left) => {
                let taken = take(left, input.len());
                if *left == 0 {
                    self.0 = State::Done;
                }
                Ok(Step { skip: 0, next: content(taken) })
            }
            State::Chunk { at, overhead } => {
                let step = chunk_step(at, overhead, input)?;
                if step.next == Next::End {
                    self.0 = State::Done;
                }
                Ok(step)
            }
        }
    }

    /// The input has ended. True if the body was complete.
    pub fn end(&mut self) -> bool {
        if matches!(self.0, State::UntilClose) {
            self.0 = State::Done;
        }
        self.is_done()
    }
}

fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= taken as u64;
    taken
}

fn chunk_step(at: &mut Chunk, overhead: &mut u32, input: &[u8]) -> Result<Step, Refusal> {
    for (skip, &byte) in input.iter().enumerate() {
        if let Chunk::Content(left) = at {
            let taken = take(left, input.len() - skip);
            if *left == 0 {
                *at = Chunk::ContentCr;
            }
            return Ok(Step { skip, next: Next::Content(taken) });
        }
        if matches!(at, Chunk::EndLf) && byte == b'\n' {
            return Ok(Step { skip: skip + 1, next: Next::End });
        }
        if matches!(at, Chunk::Extension(_) | Chunk::TrailerStart | Chunk::Trailer) {
            *overhead += 1;
        }
        *at = after(*at, byte).filter(|_| *overhead <= MAX_OVERHEAD).ok_or(Refusal::Chunk)?;
    }
    Ok(Step { skip: input.len(), next: Next::More })
}

/// The place after `byte`, or nothing if the byte may not stand there.
fn after(at: Chunk, byte: u8) -> Option<Chunk> {
    let digit = char::from(byte).to_digit(16).map(u64::from);
    let text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    match (at, byte) {
        (Chunk::FirstDigit, _) => digit.map(Chunk::Size),
        (Chunk::Size(size) | Chunk::Extension(size), b'\r') => Some(Chunk::SizeLf(size)),
        (Chunk::Size(size), b';') => Some(Chunk::Extension(size)),
        (Chunk::Size(size), _) => Some(Chunk::Size(size.checked_mul(16)?.checked_add(digit?)?)),
        (Chunk::Extension(size), _) if text => Some(Chunk::Extension(size)),
        (Chunk::SizeLf(0), b'\n') => Some(Chunk::TrailerStart),
        (Chunk::SizeLf(size), b'\n') => Some(Chunk::Content(size)),
        (Chunk::ContentCr, b'\r') => Some(Chunk::ContentLf),
        (Chunk::ContentLf, b'\n') => Some(Chunk::FirstDigit),
        (Chunk::TrailerStart, b'\r') => Some(Chunk::EndLf),
        (Chunk::Trailer, b'\r') => Some(Chunk::TrailerLf),
        (Chunk::TrailerStart, b' ' | b'\t') => None,
        (Chunk::TrailerStart | Chunk::Trailer, _) if text => Some(Chunk::Trailer),
        (Chunk::TrailerLf, b'\n') => Some(Chunk::TrailerStart),
        _ => None,
    }
}
