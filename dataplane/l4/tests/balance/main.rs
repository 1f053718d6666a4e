//! Services on a node between a client and its endpoints, in real network namespaces. Needs root and `nft`.

#[cfg(test)]
mod balance;
#[cfg(test)]
mod world;
