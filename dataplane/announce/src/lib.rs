//! Answers and announces addresses: ARP and NDP.
