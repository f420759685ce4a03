"""POST /rank, and the old contract at POST /file_data and /upload_file."""

from typing import Any

from aws_lambda_powertools.event_handler import Response as Reply

from assay.errors import AssayError, MalformedBody, Overtime
from assay.http import routing
from assay.http.messages import Response
from assay.http.negotiation import choose_form, deliver
from assay.options import require_known
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import PartialRanking, require_no_rejects, with_simple
from assay.telemetry import count_rejected, count_scored, logger, observe, phase
from rank import reply as replies
from rank import respond_async
from rank.request import OPTIONS, Input, read_request, require_top
from rank.respond_async import prefers_async
from rank.services import service

app = routing.resolver()


@app.post("/rank")
def post_rank() -> Reply[str]:
    """Rank the sequences of the body; the reply, in the form that is accepted, has ranking, counts, rejects, models.

    With `Prefer: respond-async`, and where the body takes longer than a request may wait, the reply is 202 and where
    the job can be followed that the body became.
    """
    request = routing.request(app)
    if prefers_async(request):
        return routing.reply(respond_async.post(request, service()))
    make, filename = replies.FORMS[choose_form(request.accept, [*replies.FORMS])]
    require_known(request.query, OPTIONS)
    source = read_request(request, service().pair)
    try:
        partial, rejects = rank_request(source)
    except Overtime:
        return routing.reply(respond_async.post(request, service()))
    found = replies.Ranked(partial, rejects, source.pair.models)
    limit = service().settings.reply_bytes
    reply = deliver(make(found), service().results, limit, filename=filename, about=replies.about(found))
    return routing.reply(reply)


@app.post("/file_data")
@app.post("/upload_file")
def post_file() -> Reply[str]:
    """Rank an uploaded file; the reply is the ranked sequences, a line each."""
    request = routing.request(app)
    if not request.body:
        raise MalformedBody("the POST is empty: send a form with the file input_file")
    partial, _ = rank_request(read_request(request, service().pair))
    return routing.reply(replies.lines(partial))


@app.get("/upload_file")
def get_upload_file() -> Reply[str]:
    """Send a browser that came here by hand to the form, relative so that a stage prefix stays."""
    form = "../upload" if routing.request(app).path.endswith("/") else "upload"
    return routing.reply(Response(303, "", "text/plain", {"Location": form}))


def rank_request(source: Input) -> tuple[PartialRanking, replies.FirstRejects]:
    """Return the ranking and the first rejects. Raises InvalidOption; StrictReject where `strict` allows none."""
    require_top(source.options)
    rejects = replies.FirstRejects()
    with phase("rank"):
        partial = rank_blocks(
            source.blocks, source.pair.gate, source.pair.score, source.options, deduplicate=True, on_rejects=rejects.add
        )
    partial = with_simple(partial)
    count_scored(partial.counts.scored)
    count_rejected(rejects.reasons)
    require_no_rejects(source.options, partial.counts, rejected=rejects.listed())
    return partial, rejects


@observe
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return routing.answer(app, event, context)


def _warm() -> None:
    """Load the models while the environment starts; a failure is the first request's to report."""
    try:
        service().pair()
    except AssayError as error:
        logger.error("models not loaded at start", code=error.code, reason=error.message)


if service().settings.preload:
    _warm()
