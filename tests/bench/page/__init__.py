"""What the page weighs, how soon it shows something, how smoothly it ticks, and what an hour leaves behind."""
