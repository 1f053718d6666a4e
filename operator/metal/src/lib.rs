//! Addresses, their allocation and election, and the program of a node.
