"""Who may reach what: keys, tokens and sessions, the roles behind them, and the log of what they did."""
