"""Which of several instances judges and delivers: one at a time, by a lease in the store."""
