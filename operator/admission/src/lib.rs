//! Answers the API server about objects before they are stored, over TLS.
//!
//! | module          | holds                                                                              |
//! |-----------------|------------------------------------------------------------------------------------|
//! | [`certificate`] | making an authority and a certificate that it signs                                |
//! | [`keyring`]     | which certificate is served, which is next, and when to change                     |
//! | [`keep`]        | the loop that keeps what all replicas share, and what the API server trusts, current |
//! | [`review`]      | the API server's questions and answers as JSON                                     |
//! | [`server`]      | the listening socket                                                               |
//!
//! What is answered is decided elsewhere, see [`server::Judge`]. Where keys are kept, and who is told whom to trust, is
//! behind [`keep::Cabinet`]: nothing here knows a cluster.

pub mod certificate;
pub mod keep;
pub mod keyring;
pub mod review;
pub mod server;
