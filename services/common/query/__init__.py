"""Questions about a campaign and the SQL that answers them: the only place where queries on events are built."""
