"""The contract of the HTTP API: openapi.yaml, and what turns it into the document that is served."""
