"""POST /rank, and the old contract at POST /file_data and /upload_file."""

from typing import Any

from assay.errors import AssayError, MalformedBody, Overtime
from assay.http import routing
from assay.http.messages import Response, choose_form, deliver, json_response
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import require_no_rejects, with_row_notices
from assay.telemetry import count_rejected, count_scored, logger, observe, phase
from rank import reply as replies
from rank.request import EXPLAINING, MOST_DESCRIBED, OPTIONS, RankRequest, read_blocks, read_request
from rank.services import services

app = routing.Router()


@app.post("/rank")
def post_rank() -> Response:
    """Rank the sequences of the body; the reply, in the form that is accepted, has ranking, counts, rejects, models.

    With `Prefer: respond-async`, and where the body takes longer than a request may wait, the reply is 202 and where
    the job can be followed that the body became.
    """
    request = routing.request(app)
    wait = not request.prefers_async
    make, filename = replies.FORMS[choose_form(request.accept if wait else "", [*replies.FORMS])]
    sent = read_request(request)
    try:
        ranked = rank_request(sent) if wait else None
    except Overtime:
        ranked = None
    if ranked is None:
        from rank.respond_async import keep_as_job  # what few requests need, no cold start waits for

        return keep_as_job(sent, request.caller, services())
    about, reply = replies.about(ranked), make(ranked)
    limit = services().settings.reply_bytes
    return deliver(reply, services().results, limit, filename=filename, about=about)


@app.post("/rank/explain")
def post_explain() -> Response:
    """Say what proteases and solvent see of each sequence, and which measured sequences are nearest to it."""
    request = routing.request(app)
    sent = read_request(request, EXPLAINING)
    pair = services().pair(sent.options)
    blocks = list(read_blocks(sent, pair.contract, MOST_DESCRIBED))
    return json_response(replies.explanation(blocks, pair))


@app.post("/file_data")
@app.post("/upload_file")
def post_file() -> Response:
    """Rank an uploaded file; the reply is the ranked sequences, a line each."""
    request = routing.request(app)
    if not request.body:
        raise MalformedBody("the POST is empty: send a form with the file input_file")
    sent = read_request(request, (*OPTIONS, *request.query))  # clients of the old contract may send what it ignored
    return replies.write_lines(rank_request(sent).partial)


@app.get("/upload_file")
def get_upload_file() -> Response:
    """Send a browser that came here by hand to the form, relative so that a stage prefix stays."""
    form = "../upload" if routing.request(app).path.endswith("/") else "upload"
    return Response(303, "", "text/plain", {"Location": form})


def rank_request(sent: RankRequest) -> replies.Ranked:
    """Rank a request's sequences. Raises InputError; StrictReject where `strict` allows no reject."""
    options, rejects = sent.options, replies.FirstRejects()
    pair = services().pair(options)
    blocks = read_blocks(sent, pair.contract)
    with phase("rank"):
        partial = rank_blocks(blocks, pair.gate, pair.score, options, deduplicate=True, on_rejects=rejects.add)
    count_scored(partial.counts.scored)
    count_rejected(rejects.reasons)
    if options.strict:
        require_no_rejects(options, partial.counts, rejected=rejects.to_dicts())
    return replies.Ranked(with_row_notices(partial), rejects, pair.models)


@observe
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return routing.answer(app, event, context)


def _warm() -> None:
    """Load the models while the environment starts; a failure is the first request's to report."""
    try:
        services().pair()
    except AssayError as error:
        logger.error("models not loaded at start", code=error.code, reason=error.message)


if services().settings.preload:
    _warm()
