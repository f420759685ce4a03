"""List prices of AWS in us-east-1, in dollars, without the free tier: the one table that every estimate reads."""

from typing import Final

LAMBDA_CALL: Final = 0.20e-6
LAMBDA_GB_SECOND: Final = 0.0000166667
"""x86."""
TRANSITION: Final = 0.025e-3
"""Of a state of a Standard workflow of Step Functions."""
GATEWAY_CALL: Final = 3.50e-6
"""Of a REST API."""
S3_GET: Final = 0.0004e-3
S3_PUT: Final = 0.005e-3
"""PUT, COPY, POST and LIST."""
S3_GB_MONTH: Final = 0.023
DYNAMODB_WRITE: Final = 0.625e-6
"""On demand, up to 1 KB of an item."""
DYNAMODB_READ: Final = 0.125e-6
"""On demand, consistent, up to 4 KB of an item."""
LOG_GB: Final = 0.50
METRIC_MONTH: Final = 0.30
"""Of a custom metric, by the hours in which it has values."""
ALARM_MONTH: Final = 0.10
DASHBOARD_MONTH: Final = 3.00
FIREWALL_MONTH: Final = 5.00 + 1.00
"""A web ACL with one rule."""
REGISTRY_GB_MONTH: Final = 0.10
HOURS_MONTH: Final = 730
