"""Who may do what over HTTP, and what is written down of it."""
