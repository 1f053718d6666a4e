//! HTTP and TLS proxy over one immutable route table.
