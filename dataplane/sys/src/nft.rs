//! Commands to the packet filter, in the language of nft(8), through libnftables.
//!
//! The library is named by its soname, so that building needs no headers. It prints nothing here: what it has to say is
//! kept in buffers of the context. Source: libnftables(3).

use std::ffi::{CStr, CString, NulError, c_char, c_int, c_void};
use std::io;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

/// Why commands were not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// The library cannot be used.
    #[error("libnftables cannot be used")]
    Unusable(#[source] io::Error),
    /// A NUL is in the text.
    #[error("commands for nftables cannot contain a NUL")]
    Nul(#[from] NulError),
    /// The library or the kernel did not accept the commands, in its own words. Nothing has changed.
    #[error("{0}")]
    Refused(String),
}

/// Carries out commands as one transaction: either all of them are in force afterwards or nothing has changed. Blocks.
/// Needs `CAP_NET_ADMIN`.
pub fn run_nft(commands: &str) -> Result<(), NftError> {
    let commands = CString::new(commands)?;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    probe().and_then(|()| Context::new()).map_err(NftError::Unusable)?.run(&commands)
}

/// The library fills tables of its own when the first context is made, without a lock.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where the kernel gives no netlink socket, the library ends the whole process: it is asked for one first.
fn probe() -> io::Result<()> {
    const NETLINK_NETFILTER: c_int = 12;
    Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(Protocol::from(NETLINK_NETFILTER))).map(drop)
}

/// A context of the library: one run, then it is freed.
struct Context(NonNull<c_void>);

impl Context {
    /// A context that keeps its output.
    fn new() -> io::Result<Self> {
        const DEFAULT: u32 = 0;
        // SAFETY: the flag is one of the library's; no other thread is in the library (`ONE_AT_A_TIME`).
        #[expect(unsafe_code, reason = "a C library")]
        let raw = unsafe { nft_ctx_new(DEFAULT) };
        let context = Self(NonNull::new(raw).ok_or(io::ErrorKind::OutOfMemory)?);
        // SAFETY: the context is live and used by this thread alone.
        #[expect(unsafe_code, reason = "a C library")]
        let unbuffered = unsafe {
            nft_ctx_buffer_error(context.0.as_ptr()) != 0 || nft_ctx_buffer_output(context.0.as_ptr()) != 0
        };
        if unbuffered { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(context) }
    }

    fn run(&mut self, commands: &CStr) -> Result<(), NftError> {
        let context = self.0.as_ptr();
        // SAFETY: the context is live and used by this thread alone; the text ends with a NUL and is only read.
        #[expect(unsafe_code, reason = "a C library")]
        let status = unsafe { nft_run_cmd_from_buffer(context, commands.as_ptr()) };
        if status == 0 {
            return Ok(());
        }
        // SAFETY: as above; errors are buffered, so the text is the context's own until the next call on it.
        #[expect(unsafe_code, reason = "a C library")]
        let said = unsafe { nft_ctx_get_error_buffer(context) };
        if said.is_null() {
            return Err(NftError::Refused("no reason was given".to_owned()));
        }
        // SAFETY: not null, ends with a NUL, and nothing is called on the context before it has been copied.
        #[expect(unsafe_code, reason = "a C library")]
        let said = unsafe { CStr::from_ptr(said) };
        Err(NftError::Refused(said.to_string_lossy().trim().to_owned()))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once, and not used afterwards.
        #[expect(unsafe_code, reason = "a C library")]
        unsafe {
            nft_ctx_free(self.0.as_ptr());
        }
    }
}

#[expect(unsafe_code, reason = "a C library")]
#[link(name = "libnftables.so.1", kind = "dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn nft_ctx_new(flags: u32) -> *mut c_void;
    fn nft_ctx_buffer_error(context: *mut c_void) -> c_int;
    fn nft_ctx_buffer_output(context: *mut c_void) -> c_int;
    fn nft_run_cmd_from_buffer(context: *mut c_void, commands: *const c_char) -> c_int;
    fn nft_ctx_get_error_buffer(context: *mut c_void) -> *const c_char;
    fn nft_ctx_free(context: *mut c_void);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_refused_in_the_words_of_the_library() {
        for _ in 0..2 {
            let refused = run_nft("add table inet fairway\nnonsense\n").unwrap_err().to_string();
            assert!(refused.starts_with("Error: syntax error"), "{refused}");
        }
        assert!(matches!(run_nft("list tables\0"), Err(NftError::Nul(_))));
    }

    #[test]
    fn the_library_may_be_called_by_many_threads() {
        std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..8).map(|number| scope.spawn(move || run_nft(&format!("nonsense{number}")))).collect();
            for (number, run) in runs.into_iter().enumerate() {
                let refused = run.join().unwrap().unwrap_err().to_string();
                assert!(refused.contains(&format!("nonsense{number}")), "{refused}");
            }
        });
    }
}
