//! Answers and announces addresses: ARP and NDP.
//!
//! An address is announced *unbound*: it is on no interface, this crate answers for it, and a packet filter or a
//! listening socket that may bind foreign addresses takes its packets. After a crash nothing answers any more,
//! so two nodes never answer for one address because of a leftover.
//!
//! | event                       | what is sent                                                                 |
//! |-----------------------------|------------------------------------------------------------------------------|
//! | address newly owned         | gratuitous ARP request and reply, at once and 4 times 1.1 s apart; unsolicited NA, at once and twice |
//! | address still owned         | the same once a minute, so that switches and routers do not forget it        |
//! | interface back, or new MAC  | as if newly owned                                                            |
//! | ARP request, solicitation   | an answer, if the address is owned on that interface at that moment          |
//! | somebody else answers for it| counted as conflict, logged, announced again at most every 10 s              |
//! | address no longer owned     | nothing; the new owner announces itself                                      |
//!
//! Source: RFC 826, RFC 5227, RFC 4861 (7.2.4 to 7.2.8), RFC 2464.

mod announcer;
pub mod arp;
mod ethernet;
pub mod ndp;
mod place;
mod station;

pub use announcer::{AnnounceError, Announcement, Announcer, Counters};
pub use ethernet::Header;
pub use place::interfaces_for;
