"""What the report says, in English and Chinese side by side."""
