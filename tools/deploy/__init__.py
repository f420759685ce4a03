"""`make deploy` and `make undeploy`: from a clone to a live address, and back."""
