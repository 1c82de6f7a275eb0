"""The Helm chart: rendered by Helm itself, judged by the API's schemas, by linters, and by reading what came out."""
