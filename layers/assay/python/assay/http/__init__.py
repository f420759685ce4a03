"""HTTP as a REST API's events have it: requests, replies, routes, protocols."""
