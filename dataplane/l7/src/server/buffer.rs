//! A read buffer: filled at its end, consumed from its front.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// What a connection starts with: one page, most heads fit.
const SMALL: usize = 4 * 1024;
/// What a busy body grows to: large reads halve the cost of a byte.
pub(super) const LARGE: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SMALL], from: 0, to: 0 }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        }
    }

    /// Gives memory back that only a body needed.
    pub(super) fn shrink(&mut self) {
        if self.unread().is_empty() && self.bytes.len() > SMALL {
            *self = Self::new();
        }
    }

    /// Reads once, making room first; holds at most `limit` bytes. Zero is the end of the input.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        from: Pin<&mut impl AsyncRead>,
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        self.make_room(limit);
        let mut room = ReadBuf::new(self.bytes.get_mut(self.to..).unwrap_or_default());
        if room.remaining() == 0 {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        ready!(from.poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.to += count;
        Poll::Ready(Ok(count))
    }

    fn make_room(&mut self, limit: usize) {
        if self.to < self.bytes.len() {
            return;
        }
        if self.from > 0 {
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        } else if self.bytes.len() < limit {
            let size = (self.bytes.len() * 4).min(limit);
            self.bytes.resize(size, 0);
        }
    }
}
