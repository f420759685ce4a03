"""What Assay is measured against, and Assay as one of the contestants."""
