"""What happened in a campaign, held in memory, and the scene of any moment of it: hours pass in a moment."""
