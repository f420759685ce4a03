"""Files as jobs, whatever their kind: what a plan pins, where a job's working objects lie, and how a job ends.

    manifest   what `plan` pins and every shard, retry and redrive reads
    layout     the keys of working objects and results
    working    reads and writes of a job's working objects: manifest, partials, rejects, failures
    partial    what a shard leaves behind
    accounting what the bytes and records of all shards must add up to
    cells      ids and carried cells too large for a shard's result
    planning   from an uploaded object to a manifest, for any kind
    ending     the summary that is written last, and the pointer from an upload to its job

A kind (`rank`, `classify`) brings a `planning.Kind`, a function that turns a shard into a `ShardResult`, and one that
joins them. Nothing here imports NumPy, so that the portal can count the shards that are done.
"""
