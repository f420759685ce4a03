"""AWS as Assay uses it: S3, DynamoDB, Step Functions. Each adapter takes its client."""
