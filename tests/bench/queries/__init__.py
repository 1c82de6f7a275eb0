"""How fast questions are answered over many events, and how soon an event is seen."""
