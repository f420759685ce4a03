"""Show the main job on real input: rank sequences over HTTP and by an S3 drop, classify abstracts."""
