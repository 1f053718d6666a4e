"""Small services that a load balancer controller touches and moto lacks."""
