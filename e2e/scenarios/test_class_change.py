"""One Ingress moves from the nodes to AWS and back: its name leads to something that lives at every moment."""
