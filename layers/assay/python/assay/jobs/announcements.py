"""A mail when a job has ended, by an SNS topic, where the deployment has one."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from assay.aws.clients import client
from assay.jobs.job_records import Job, Jobs
from assay.settings import Settings
from assay.telemetry import logger, measure

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def announce_jobs(settings: Settings) -> Jobs:
    """Return the job records of an environment, whose ends are told where it has a topic for them."""
    topic = settings.job_topic
    ended = Notices(client("sns"), topic, settings.page_url).announce if topic else None
    return Jobs(client("dynamodb"), settings.state_table, ended=ended)


class Notices:
    """Tells a topic's subscribers of jobs; without a topic it tells nobody. `page` is the address of the page."""

    def __init__(self, client: "SNSClient", topic: str, page: str = "") -> None:
        self._client = client
        self._topic = topic
        self._page = page.rstrip("/")

    def announce(self, job: Job) -> None:
        """Say that a job has ended, and how. A notice that can't be sent is logged and no failure of the job."""
        if not self._topic:
            return
        try:
            self._client.publish(TopicArn=self._topic, Subject=_subject(job), Message=mail_text(job, self._page))
        except (BotoCoreError, ClientError) as error:
            logger.warning("notice not sent", job_id=job.id, kind=type(error).__name__)
            measure("NoticesLost", 1)


def mail_text(job: Job, page: str = "") -> str:
    """Return the mail: what became of the job, its counts, and where to look."""
    counts = ", ".join(f"{name} {count:,}" for name, count in job.counts.items())
    lines = [
        f"The job {job.id} ({job.kind}) has {'succeeded' if job.state == 'SUCCEEDED' else 'failed'}.",
        f"File: {_line(job.upload)}",
        *([f"Counts: {counts}"] if counts else []),
        *([f"Reason: {_line(job.reason)}"] if job.reason else []),
        f"Results: {page}/?job={job.id}" if page else f"Results: GET /jobs/{job.id}",
    ]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return what others wrote as one line, which cannot pass for lines of ours."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _subject(job: Job) -> str:
    return f"Assay: a {job.kind} job has {'succeeded' if job.state == 'SUCCEEDED' else 'failed'}"[:99]
