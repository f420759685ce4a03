"""What `make audit` runs: the template against checkov, the code against bandit, the locks against advisories."""
