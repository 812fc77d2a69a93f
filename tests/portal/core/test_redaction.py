"""No spelling of a secret survives, whatever surrounds it and however the text is cut."""

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.core.redaction import MASK, LogFilter, Redactor, mask_mapping, mask_patterns

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=8, max_size=60).filter(
    lambda text: len(text.strip()) >= 8 and not set(text) <= set(MASK)
)
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def core_of(encoded: str, before: bytes, secret: bytes) -> str:
    """The characters of a base64 text that hold only bits of the secret."""
    return encoded[-(-len(before) * 8 // 6) : (len(before) + len(secret)) * 8 // 6]


@given(SECRETS, AROUND, AROUND)
def test_plain_text(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret]).redact(before + secret + after)


@given(SECRETS, AROUND, AROUND, st.booleans())
def test_inside_json_and_json_inside_json(secret: str, before: str, after: str, ascii_only: bool) -> None:
    document = json.dumps({"value": before + secret + after}, ensure_ascii=ascii_only)
    nested = json.dumps({"message": document}, ensure_ascii=ascii_only)
    escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    redactor = Redactor([secret])
    assert MASK in redactor.redact(document)
    assert escaped not in redactor.redact(document)
    assert MASK in redactor.redact(nested)
    assert json.dumps(escaped, ensure_ascii=ascii_only)[1:-1] not in redactor.redact(nested)


@given(SECRETS, st.sampled_from([quote, quote_plus, lambda text: quote(text, safe="")]))
def test_inside_an_address(secret: str, encode) -> None:
    redacted = Redactor([secret]).redact(f"https://host/?q={encode(secret)}&x=1")
    assert redacted == f"https://host/?q={MASK}&x=1"


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), st.booleans())
def test_inside_base64_at_every_alignment(secret: str, before: bytes, after: bytes, urlsafe: bool) -> None:
    data = secret.encode()
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(before + data + after).decode()
    redacted = Redactor([secret]).redact(f"Authorization: Basic {text}\n")
    assert core_of(text, before, data) not in redacted
    assert MASK in redacted


def test_exactly_the_secret_in_base64_leaves_no_bits() -> None:
    for length in (8, 9, 10):
        secret = "s3cr3tpassword"[:length]
        encoded = base64.b64encode(secret.encode()).decode()
        assert Redactor([secret]).redact(f"<{encoded}>") == f"<{MASK}>"


def test_each_line_of_a_key_is_masked_even_when_indented() -> None:
    key = "-----BEGIN KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF\n-----END KEY-----\n"
    shown = "\n".join("    | " + line for line in key.splitlines())
    redacted = Redactor([key]).redact(shown)
    assert not any(line in redacted for line in key.splitlines())


def test_a_value_printed_without_its_last_newline_is_found() -> None:
    assert Redactor(["pin42\n"]).redact("value pin42 end") == f"value {MASK} end"


def test_short_values_are_left_alone() -> None:
    assert Redactor(["abc", ""]).redact("abc is fine") == "abc is fine"


def test_overlapping_secrets_are_masked_as_one() -> None:
    assert Redactor(["abcdef", "defghi"]).redact("<abcdefghi>") == f"<{MASK}>"


@given(st.lists(SECRETS, min_size=1, max_size=3), st.data())
def test_a_stream_cut_anywhere_gives_what_the_whole_gives(secrets: list[str], data: st.DataObject) -> None:
    fillers = st.text("ab \n", max_size=15)
    pieces = [data.draw(fillers)]
    for secret in secrets:
        pieces += [secret, data.draw(fillers)]
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = Redactor(secrets)
    parts = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    out = "".join(stream.feed(part) for part in parts) + stream.flush()
    assert out == Redactor(secrets).redact(text)
    assert not any(secret in out for secret in secrets)


def test_lines_go_out_as_soon_as_they_are_whole() -> None:
    stream = Redactor(["x" * 3000, "first\nsecond line"])
    assert stream.feed("one\ntwo\nthr") == "one\ntwo\n"
    assert stream.feed("ee\n") == "three\n"
    # This may be the beginning of the secret with two lines...
    assert stream.feed("the first\n") == ""
    # ...and now it is known not to be.
    assert stream.feed("third\n") == "the first\nthird\n"
    assert stream.feed("the first\nsec") == ""
    assert stream.feed("ond line\n") == f"the {MASK}\n"


def test_an_endless_line_does_not_fill_memory_and_hides_nothing() -> None:
    stream, secret = Redactor(["topsecret-value"]), "topsecret-value"
    whole = ("yy" + secret) * 50_000
    out, most = "", 0
    for start in range(0, len(whole), 7001):
        out += stream.feed(whole[start : start + 7001])
        most = max(most, len(stream._buffer))
    out += stream.flush()
    assert out == ("yy" + MASK) * 50_000
    assert most < 300_000


def test_secrets_learnt_on_the_way_apply_to_what_is_held_back() -> None:
    stream = Redactor(["other"])
    assert stream.feed("password is hunter22") == ""
    stream.add(["hunter22"])
    assert stream.feed("\n") == f"password is {MASK}\n"


@given(st.text(), SECRETS)
def test_text_without_the_secret_is_untouched(text: str, secret: str) -> None:
    assume(not any(part in text for part in secret.split()))
    assume(len(secret.split()) == 1 and len(text) < len(secret))
    assert Redactor([secret]).redact(text) == text


def test_audit_values_are_masked_by_name() -> None:
    before = {
        "name": "db",
        "db_password": "hunter2",
        "nested": [{"apiToken": "t", "secret_arn": "arn:aws:x", "token_name": "ci"}],
        "must_change_password": True,
        "token": None,
        "size": 3,
    }
    assert mask_mapping(before, ["Size"]) == {
        "name": "db",
        "db_password": MASK,
        "nested": [{"apiToken": MASK, "secret_arn": "arn:aws:x", "token_name": "ci"}],
        "must_change_password": True,
        "token": None,
        "size": MASK,
    }
    assert before["db_password"] == "hunter2"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Token ghs_ab12_Zm9vYmFy", "Zm9vYmFy"),
        ("{'Authorization': 'Bearer abc.def'}", "abc.def"),
        ("token ghs_ab12_Zm9vYmFy was used", "Zm9vYmFy"),
        ("PASSWORD=hunter2 next", "hunter2"),
        ('{"db_password": "hunter 2"}', "hunter 2"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7", "wJalrXUtnFEMI/K7"),
        ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("postgres://gatehouse:hunter2@db/x", "hunter2"),
        ("POST https://hooks.slack.com/services/T0/B0/xyz", "T0/B0/xyz"),
        ('https://hooks.slack.com:443 "POST /services/T0AB/B0CD/xyzXYZ HTTP/1.1" 200', "xyzXYZ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_credentials_never_stand_in_our_log(text: str, hidden: str) -> None:
    assert hidden not in mask_patterns(text)
    assert MASK in mask_patterns(text)


def test_a_wrong_log_call_is_still_written() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%d of %d", ("password=hunter2",), None)
    assert LogFilter().filter(record)
    assert record.getMessage() == f"%d of %d ('password={MASK}',)"


def test_the_log_filter_covers_arguments_and_tracebacks() -> None:
    try:
        raise ValueError("password=hunter2")
    except ValueError as error:
        record = logging.LogRecord(
            "x",
            logging.ERROR,
            "f",
            1,
            "login %s",
            ("token=abcd1234",),
            (type(error), error, error.__traceback__),
        )
    assert LogFilter().filter(record)
    text = logging.Formatter().format(record)
    assert "abcd1234" not in text
    assert "hunter2" not in text
    assert "ValueError" in text
