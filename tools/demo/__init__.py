"""The main job shown on real input: sequences ranked over HTTP and by an S3 drop, abstracts classified."""
