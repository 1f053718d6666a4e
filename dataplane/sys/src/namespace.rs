//! Network namespaces.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Moves the calling thread, and the processes it starts from now on, into a network namespace.
///
/// Sockets opened before stay in their namespace. Needs `CAP_SYS_ADMIN`.
pub fn enter_network_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: setns takes two integers and touches no memory of ours; the descriptor is open for the whole call
    // because it is borrowed. Other threads are not affected.
    #[expect(unsafe_code, reason = "the standard library has no setns")]
    let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
