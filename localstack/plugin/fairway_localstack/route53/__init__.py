"""Route 53 record sets: strict, atomic, fast. moto keeps the zones themselves."""
