"""Real input: The Complete Journey, a year of a US grocer's sales to 2,469 households, by 84.51° (dunnhumby)."""
