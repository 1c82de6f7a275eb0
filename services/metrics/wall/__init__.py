"""What the page asks: a lens, and the panels that are seen through it."""
