"""Input that was made to do harm, by every way that leads in."""
