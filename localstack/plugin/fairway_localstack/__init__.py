"""Fairway's plugin for LocalStack's community core: what a load balancer controller needs of AWS, strictly.

Models (`elbv2`, `route53`, `faults`) know nothing of LocalStack or moto. `providers` and `startup` plug them in, and
`moto_bridge` is the one module that touches moto's internals.
"""
