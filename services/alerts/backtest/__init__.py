"""When rules would have told of what is in the store: time runs again, and the rules see what was known then."""
