"""The whole service on one machine: moto's S3, DynamoDB, SQS and Step Functions, and the real handlers behind HTTP."""
