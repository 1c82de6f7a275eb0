"""Charts as SVG: they follow the page's colours by class, say what they show, and need no colour to be read."""
