"""Cleaning by its rules: what belongs to a URL, what splits no word, what entities stand for, and how long it takes."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from time import thread_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.abstracts import cleaning as preparing
from assay.abstracts.cleaning import LONGEST, MOST_MARKS, SECONDS, SHORTEST, clean, prepare
from assay.errors import InvalidAbstract

TAG_NAMES = (
    "abstract|article|blockquote|body|br|caption|center|code|div|em|figure|font|footer|h[1-6]|head|header|hr|html|"
    "img|italic|jats:[a-z-]+|li|link|meta|mml:[a-z]+|ol|pre|script|sec|section|small|span|strong|style|sub|sup|table|"
    "tbody|td|th|thead|title|tr|tt|ul"
)


def as_trained(text: str) -> str:
    """Clean as the training of the classifier that is shipped did."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]", " ", text)
    text = re.sub(r"(?:https?://|ftp://|www\.)[^\s<>\"]+", " ", text, flags=re.IGNORECASE)
    text = re.sub(rf"</?(?:{TAG_NAMES})(?:\s[^<>]{{0,500}})?/?>", " ", text, flags=re.IGNORECASE)
    closed = {match.lower() for match in re.findall(r"</([abipqsu])>", text, re.IGNORECASE)}
    letters = re.compile(r"</?([abipqsu])(?:\s+[a-z-]+=[^<>]{0,500})?/?>", re.IGNORECASE)
    text = letters.sub(lambda tag: " " if tag[1].lower() in closed else tag[0], text)
    return re.sub(r"\s+", " ", text).strip()


UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff"
LETTERS = st.characters(exclude_characters=UNSEEN, exclude_categories=["Cs"])
URL = st.from_regex(r"\A(?:https?://|ftp://|www\.)[A-Za-z0-9][A-Za-z0-9._~/?=&%+#-]{0,20}[A-Za-z0-9/]\Z")
MARKUP = ["<b>", "</b>", "<sub>", "</sub>", "<jats:p>", "$a<b>c$", "\\alpha_{1}", "&", "a; b"]
PIECES = st.lists(st.text(LETTERS, max_size=12) | URL.map(" {} ".format) | st.sampled_from(MARKUP), max_size=20)
WORD = st.text("abc\u0645\u06cc\u0915", min_size=1)
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


def has_what_changed(text: str) -> bool:
    """Say whether a text has what is cleaned otherwise than in training: entities, long runs of marks, glued URLs."""
    normal = unicodedata.normalize("NFKC", text)
    urls = re.findall(r"(?:https?://|ftp://|www\.)[^\s<>\"]+", normal, re.IGNORECASE)
    return bool(
        re.search(r"&#?\w+;", text)
        or any(not re.fullmatch(r"[A-Za-z0-9._~/?=&%+#:-]*[A-Za-z0-9/]", url) for url in urls)
        or re.search(r"(?:https?://|ftp://|www\.)(?:$|[\s<>\"])", normal, re.IGNORECASE)
    )


@given(PIECES)
@example(["www.a.b/e\u0301"])  # a link taken out before the accent joins its letter would leave the accent
def test_an_abstract_is_cleaned_once(pieces: list[str]) -> None:
    text = "".join(pieces) + " a b" * SHORTEST
    assert prepare(text) == clean(text)


@given(PIECES)
def test_text_without_what_changed_is_cleaned_as_in_training(pieces: list[str]) -> None:
    text = "".join(pieces)
    if not has_what_changed(text):
        assert clean(text) == as_trained(text)


AFTER_URL = [
    ("https://a.b/c\u3002\u6211\u4eec", "\u3002\u6211\u4eec"),
    ("https://a.b/c\uff0cGitHub \u4e0a", ",GitHub \u4e0a"),
    ("\uff08https://a.b/c\uff09\u6211\u4eec", "( )\u6211\u4eec"),
    ("\u5728https://a.b/c\u4e2d", "\u5728 \u4e2d"),
    ("\u0441 http://a.b/c\u0438 \u0434\u0430", "\u0441 \u0438 \u0434\u0430"),
    ("(http://a.b/c).Next sentence", "( ).Next sentence"),
    ("[tool](https://e.org/t),which is", "[tool]( ),which is"),
    ("\\href{https://e.org/c}{the docs}that", "\\href{ }{the docs}that"),
    ("see https://a.b/c.", "see ."),
    ("see https://a.b/c?!, then", "see ?!, then"),
    ("https://a.b/c_(d) stays", "stays"),
    ("https://a.b/c_(d)) goes", ") goes"),
    ("https://a.b/c(see below", "(see below"),
    ("http://[::1]/x] y", "] y"),
    ("https://a.b/c(d]e more", "(d]e more"),
    ("http://a.b/\\~me/x\\_y z", "z"),
    ("'www.a.b' x", "' ' x"),
    ("https://a.b/c\u2014which", "\u2014which"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cleaned"), AFTER_URL)
def test_what_is_glued_to_a_url_stays(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(URL, st.text(st.characters(min_codepoint=0x3041, max_codepoint=0xD7A3, categories=["Lo"]), min_size=1))
def test_no_letter_beyond_ascii_goes_with_a_url(url: str, behind: str) -> None:
    assert clean(f"{url}{behind}") == clean(behind)


@given(WORD, st.sampled_from(UNSEEN), WORD)
def test_what_has_no_width_splits_no_word(before: str, mark: str, behind: str) -> None:
    joined = clean(before + mark + behind)
    assert " " not in joined
    assert joined.translate(dict.fromkeys(map(ord, UNSEEN))) == clean(before + behind)


def test_joiners_stay_between_letters_and_go_elsewhere() -> None:
    assert clean(PERSIAN) == PERSIAN
    assert clean("\u200c a \u200d\u200cb\u200c") == "a b"


ENTITIES = [
    ("a &lt; b &amp; c", "a < b & c"),
    ("H&lt;sub&gt;2&lt;/sub&gt;O", "H 2 O"),
    ("H&amp;lt;sub&amp;gt;2&amp;lt;/sub&amp;gt;O", "H 2 O"),
    ("H&#60;sub&#x3E;2&#x3c;/sub&#62;O", "H 2 O"),
    ("&amp;#38;amp;lt;i&amp;gt;x&lt;/i&gt;", "x"),
    ("5&nbsp;&mu;m &plusmn; 1", "5 \u03bcm \u00b1 1"),
    ("&alpha;&zwnj;&notanentity; &copy", "\u03b1\u200c&notanentity; &copy"),
    ("A &amp;&amp; B &amp;", "A && B &"),
    ("a \\\\ b & c; d", "a \\\\ b & c; d"),
    ("http://a.b/?x=1&amp;y=2 c", "c"),
    ("AT&T; &#99999999; &#0;", "AT&T; \ufffd \ufffd"),
]


@pytest.mark.parametrize(("text", "cleaned"), ENTITIES)
def test_entities_are_the_characters_that_they_stand_for(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.integers(0, 40))
def test_however_often_an_entity_was_encoded(times: int) -> None:
    assert clean("x &" + "amp;" * times + "lt;sub&gt; y") == "x y"


@given(st.text(st.sampled_from("a\u0301\u0316\u0344\u0327\u4e00"), max_size=200))
def test_no_more_marks_in_a_row_than_stream_safe_text_has(text: str) -> None:
    run = longest = 0
    for letter in unicodedata.normalize("NFD", clean(text)):
        run = run + 1 if unicodedata.combining(letter) else 0
        longest = max(longest, run)
    assert longest <= 2 * MOST_MARKS + 3  # U+0344 is two marks, and a letter may bring its own


def test_marks_that_letters_have_are_kept() -> None:
    text = "x" + "\u0301\u0316" * (MOST_MARKS // 2)
    assert clean(text) == as_trained(text)
    assert clean(text + "\u0301") == clean(text)


def test_a_long_text_is_stripped_of_markup_before_it_is_judged() -> None:
    assert prepare("<div>\n  " * 10_000 + "&#37327;" * LONGEST) == "\u91cf" * LONGEST
    with pytest.raises(InvalidAbstract, match="more than 5,000 characters after cleaning"):
        prepare("\ufdfa" * 200_000)


def test_a_text_that_takes_too_long_to_clean_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((0.0, 0.1, 2.1))
    monkeypatch.setattr(preparing, "thread_time", lambda: next(ticks))
    with pytest.raises(InvalidAbstract, match="more than 2 s to clean") as caught:
        prepare("z" * 60)
    assert caught.value.details["reason"] == preparing.SLOW


HARD: dict[str, Callable[[int], str]] = {
    "alternating marks": lambda size: "a" + "\u0301\u0316" * (size // 2),
    "as many marks as are read": lambda size: ("a" + "\u0316\u0301" * 15) * (size // 31),
    "marks behind every letter": lambda size: "a\u0316\u0301" * (size // 3),
    "letters that are many": lambda size: "\ufdfa" * size,
    "ampersands": lambda size: "&" + "amp;" * (size // 4),
    "half entities": lambda size: "&#x" * (size // 3),
    "hosts in a row": lambda size: "www.x" * (size // 5) + "\uff0c",
    "brackets": lambda size: "http://x" + "()" * (size // 4) + "(" * (size // 2),
    "joiners": lambda size: "\u200c" * size,
    "half tags": lambda size: "</a>" + "<a b" * (size // 4),
}


@pytest.mark.parametrize("name", HARD)
def test_the_time_of_a_hostile_text_is_half_its_budget_at_most(name: str) -> None:
    text = HARD[name](200_000)
    started = thread_time()
    with suppress(InvalidAbstract):
        prepare(text)
    assert thread_time() - started < preparing.SECONDS / 2


def test_four_characters_that_normalising_joins_count_as_one() -> None:
    four = "\u03b1\u0313\u0300\u0345"  # alpha with a breathing, an accent and an iota below
    assert prepare(four * LONGEST) == "\u1f82" * LONGEST


def test_the_budget_is_of_the_time_since_cleaning_began(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter((1000.0, 1000.0 + SECONDS, 1000.0 + SECONDS))
    monkeypatch.setattr(preparing, "thread_time", lambda: next(now))
    assert prepare("a" * SHORTEST) == "a" * SHORTEST


def test_marks_are_counted_anew_behind_each_letter() -> None:
    text = ("x" + "\u0301" * MOST_MARKS) * 3
    assert clean(text + "\u0301") == clean(text)
    assert sum(1 for letter in unicodedata.normalize("NFD", clean(text)) if letter == "\u0301") == 3 * MOST_MARKS


@pytest.mark.parametrize(
    ("run", "left"),
    [
        ("http://x/a(b", "(b"),
        ("http://x/a(b[c", "(b[c"),
        ("http://x/a(b[c)", "(b[c)"),
        ("http://x/a)b(c", ")b(c"),
        ("http://x/(a)[b]", ""),
        ("http://x/(a)(b", "(b"),
    ],
)
def test_a_url_ends_at_its_first_bracket_without_a_partner(run: str, left: str) -> None:
    assert preparing.drop_links(run) == f" {left}"
