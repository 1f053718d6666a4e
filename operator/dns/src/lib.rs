//! Records, zones and their ownership: what names ask for, as changes to hosted zones.
//!
//! Names come from members of stacks, targets from the addresses that their load balancers have published. Ownership
//! is kept in TXT records in the format of external-dns, so that either tool can follow the other on one zone.
//!
//! | module       | holds                                                                       |
//! |--------------|-----------------------------------------------------------------------------|
//! | [`name`]     | one spelling for every DNS name                                             |
//! | [`record`]   | record sets as a zone holds them                                            |
//! | [`zone`]     | hosted zones, filters, and which zone a name belongs to                     |
//! | [`config`]   | owner id, filters, affixes                                                  |
//! | [`txt`]      | the text of an ownership record                                             |
//! | [`affix`]    | the name of an ownership record                                             |
//! | [`registry`] | whose each record set of a zone is                                          |
//! | [`wish`]     | who asks for which name, and who gets it                                    |
//! | [`desired`]  | record sets from wishes                                                     |
//! | [`compare`]  | changes from desired and observed, name by name                             |
//! | [`change`]   | one atomic change of a zone, within the limits of the API                   |
//! | [`CODES`]    | what zones can say about a name                                             |
//! | [`board`]    | which load balancers records still point at                                 |
//! | [`provider`] | [`Zones`]: all of this as a provider of the engine                          |
//!
//! Nothing here waits, reads a clock or talks to anyone: equal input gives equal output, byte for byte.

pub mod affix;
pub mod board;
pub mod change;
mod codes;
pub mod compare;
pub mod config;
pub mod desired;
pub mod name;
pub mod provider;
pub mod record;
pub mod registry;
pub mod sources;
pub mod txt;
pub mod wish;
pub mod zone;

pub use codes::CODES;
pub use config::DnsConfig;
pub use provider::Zones;
