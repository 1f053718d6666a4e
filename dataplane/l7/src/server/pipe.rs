//! One direction of an exchange: a head, then a body that is decoded, framed anew and written as it arrives.

use std::cell::Cell;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use super::buffer::{Buffer, LARGE};
use crate::codec::{Body, Decoder, Next, Refusal};

/// Why a direction ended early.
#[derive(Debug)]
pub(super) enum PipeError {
    /// The sender failed or left before the end of the body.
    Sender,
    /// The sender's body is malformed.
    Malformed(Refusal),
    /// The receiver failed.
    Receiver,
}

#[derive(Debug)]
pub(super) struct Pipe<'a> {
    head: &'a [u8],
    frame: Frame,
    content: usize,
    suffix: &'static [u8],
    input: &'a mut Buffer,
    decoder: Decoder,
    chunked: bool,
    ended: bool,
    moved: &'a Cell<u64>,
}

/// The line in front of a chunk: at most 16 digits and the line end.
#[derive(Debug, Default)]
struct Frame {
    bytes: [u8; 18],
    from: usize,
    to: usize,
}

impl Frame {
    fn of(size: usize) -> Self {
        let mut bytes = [0; 18];
        let mut room = bytes.as_mut_slice();
        let all = room.len();
        // A usize has at most 16 hexadecimal digits, so the line always fits.
        let left = write!(room, "{size:x}\r\n").map_or(all, |()| room.len());
        Self { bytes, from: 0, to: all - left }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }
}

impl<'a> Pipe<'a> {
    /// `chunked`: how the body is written. `moved` counts what got through, for stall time-outs.
    pub(super) fn new(
        head: &'a [u8],
        input: &'a mut Buffer,
        body: Body,
        chunked: bool,
        moved: &'a Cell<u64>,
    ) -> Self {
        let decoder = Decoder::new(body);
        let ended = decoder.is_done();
        let (frame, content, suffix) = (Frame::default(), 0, b"".as_slice());
        Self { head, frame, content, suffix, input, decoder, chunked, ended, moved }
    }

    /// Whether the whole head has been taken by the receiver.
    pub(super) fn head_is_sent(&self) -> bool {
        self.head.is_empty()
    }

    /// Whether everything has been taken by the receiver.
    pub(super) fn is_done(&self) -> bool {
        self.ended && self.staged() == 0
    }

    fn staged(&self) -> usize {
        self.head.len() + self.frame.rest().len() + self.content + self.suffix.len()
    }

    /// Moves what can be moved. Ready when everything is written, or one side failed.
    pub(super) fn poll<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<Result<(), PipeError>> {
        loop {
            // Content behind a head is decoded before the head goes out, so that both leave in one write.
            let known = self.content > 0 || self.ended || self.stage().map_err(PipeError::Malformed)?;
            while self.staged() > 0 {
                let count = ready!(self.poll_write(cx, to)).map_err(|_| PipeError::Receiver)?;
                self.written(count);
            }
            if self.ended {
                return Pin::new(to).poll_flush(cx).map_err(|_| PipeError::Receiver);
            }
            if known {
                continue;
            }
            ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(|_| PipeError::Receiver)?;
            match ready!(self.input.poll_fill(cx, Pin::new(&mut *from), LARGE)) {
                Ok(0) if self.decoder.end() => self.finish(),
                Ok(0) | Err(_) => return Poll::Ready(Err(PipeError::Sender)),
                Ok(_) => {}
            }
        }
    }

    /// Looks at the input; false if more of it is needed.
    fn stage(&mut self) -> Result<bool, Refusal> {
        let step = self.decoder.step(self.input.unread())?;
        self.input.consume(step.skip);
        match step.next {
            Next::More => return Ok(false),
            Next::End => self.finish(),
            Next::Content(count) => {
                self.content = count;
                if self.chunked {
                    (self.frame, self.suffix) = (Frame::of(count), b"\r\n");
                }
                // A body of known length ends with its last byte, there is no later step to tell it.
                if self.decoder.is_done() {
                    self.ended = true;
                    self.suffix = if self.chunked { b"\r\n0\r\n\r\n" } else { b"" };
                }
            }
        }
        Ok(true)
    }

    fn finish(&mut self) {
        self.ended = true;
        self.suffix = if self.chunked { b"0\r\n\r\n" } else { b"" };
    }

    fn poll_write<W: AsyncWrite + Unpin>(&self, cx: &mut Context<'_>, to: &mut W) -> Poll<io::Result<usize>> {
        let content = self.input.unread().get(..self.content).unwrap_or_default();
        let parts = [self.head, self.frame.rest(), content, self.suffix];
        let count = match parts.iter().filter(|part| !part.is_empty()).count() {
            1 => {
                let only = parts.iter().find(|part| !part.is_empty()).copied().unwrap_or_default();
                ready!(Pin::new(to).poll_write(cx, only))?
            }
            _ => ready!(Pin::new(to).poll_write_vectored(cx, &parts.map(IoSlice::new)))?,
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Poll::Ready(Ok(count))
    }

    fn written(&mut self, count: usize) {
        let in_head = count.min(self.head.len());
        self.head = self.head.get(in_head..).unwrap_or_default();
        let count = count - in_head;
        let in_frame = count.min(self.frame.rest().len());
        self.frame.from += in_frame;
        let count = count - in_frame;
        let in_content = count.min(self.content);
        self.content -= in_content;
        self.input.consume(in_content);
        self.suffix = self.suffix.get(count - in_content..).unwrap_or_default();
        self.moved.set(self.moved.get() + in_content as u64);
    }
}
