"""What each call answers, as models: what `/openapi.json` says of answers, and what the page's types are made from."""

from schemas.http.shapes.describe import described

__all__ = ["described"]
