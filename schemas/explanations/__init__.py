"""What every number means to a person in marketing, in English and Chinese; docs/metrics.md is written from it."""
