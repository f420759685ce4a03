"""The buckets and job records of a function; what only jobs need is imported when the first of them is asked for."""

from functools import cached_property
from typing import TYPE_CHECKING

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.jobs.environment import JobEnvironment
    from assay.jobs.job_records import Jobs
    from assay.jobs.progress import ShardNotes


class Stores:
    """The buckets and job records of an environment, opened when they are first asked for: a base of `services`."""

    settings: Settings

    @cached_property
    def uploads(self) -> Bucket:
        """Return the bucket that files are dropped in."""
        return Bucket(client("s3"), self.settings.uploads_bucket)

    @cached_property
    def results(self) -> Bucket:
        """Return the bucket that results are written to."""
        return Bucket(client("s3"), self.settings.results_bucket)

    @cached_property
    def jobs(self) -> "Jobs":
        """Return the job records."""
        from assay.jobs.announcements import announce_jobs  # a request that keeps no job does without

        return announce_jobs(self.settings)

    @cached_property
    def notes(self) -> "ShardNotes":
        """Return what shards at work say of themselves."""
        from assay.jobs.progress import ShardNotes  # as above

        return ShardNotes(lambda: client("dynamodb"), self.settings.state_table)

    @cached_property
    def desk(self) -> "JobEnvironment":
        """Return what the steps of a file job stand on."""
        from assay.jobs.environment import JobEnvironment  # a request that keeps no job does without

        return JobEnvironment.of(self.settings)
