"""Elastic Load Balancing v2: a strict model that owns its whole state, one file per kind of resource.

A handler is a function `(elb, request) -> answer`; `elb` is one account and region with what it looks at (see `state`).
It knows nothing of LocalStack; what it asks of EC2 and ACM goes through `elb.network`.
"""
