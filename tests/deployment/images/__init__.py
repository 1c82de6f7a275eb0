"""Images and compose: every file by the tool that reads it, and the services as a container runs them."""
