//! The Kubernetes side: reflectors, snapshots, status, events, finalizers, lease.
