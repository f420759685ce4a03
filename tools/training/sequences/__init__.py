"""Training of the default rank models, `stability-chymotrypsin` (gate) and `stability-trypsin` (score)."""
