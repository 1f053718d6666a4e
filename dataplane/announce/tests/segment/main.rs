//! Announcing on a segment of real network namespaces. Needs root.

#[cfg(test)]
mod failover;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod world;
