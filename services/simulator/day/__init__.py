"""A festival of a day: phases, sales, incidents, and the truth about them."""
