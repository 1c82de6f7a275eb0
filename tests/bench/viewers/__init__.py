"""How many viewers of the live stream one core holds."""
