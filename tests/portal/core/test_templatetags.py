"""What the template tags draw: words, shapes, times, figures, plans, editors."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.registry import SEVERITY, Chip
from portal.core.templatetags.figures import NOUNS, counted, file_size, money
from portal.core.templatetags.frame import PLACES
from portal.core.templatetags.plans import ACTIONS, attribute_change, line_diff, plan_counts
from portal.core.templatetags.states import CHANGE_STATUSES, STATES
from portal.core.templatetags.times import absolute, duration, relative

NOW = datetime(2026, 11, 20, 12, 14, tzinfo=UTC)


def draw(source: str, **context: Any) -> str:
    return Template("{% load gatehouse %}" + source).render(Context(context))


def text(html: str) -> str:
    """The words a reader gets, one blank between them."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- states -----------------------------------------------------------------------------------------


def test_the_vocabulary_is_the_registrys_worst_first() -> None:
    ranked = sorted(STATES, key=lambda key: STATES[key].rank)
    assert tuple(ranked[: len(SEVERITY)]) == SEVERITY


def test_every_status_of_a_change_has_a_word_and_a_state() -> None:
    assert set(CHANGE_STATUSES) == set(Status.values)
    for status, (state, word) in CHANGE_STATUSES.items():
        html = draw("{% change_chip status %}", status=status)
        assert f"state--{state}" in html
        assert text(html) == str(word)


def test_every_state_has_its_own_shape_and_hides_it_from_screen_readers() -> None:
    shapes = {state.shape for state in STATES.values()}
    assert len(shapes) == len(STATES)
    for state in STATES:
        assert 'aria-hidden="true"' in draw("{% state_chip state %}", state=state)


@time_machine.travel(NOW, tick=False)
def test_unknown_says_since_when_and_why() -> None:
    html = draw(
        '{% state_chip "unknown" since=since reason=reason %}',
        since=NOW - timedelta(hours=3),
        reason="AccessDenied: <role>",
    )
    assert text(html) == "Unknown since 3 h ago AccessDenied: &lt;role&gt;"


def test_a_waiting_change_says_for_what() -> None:
    assert text(draw('{% change_chip "awaiting_approval" "security" %}')) == "Waiting for security"
    # Where nothing is waited for, the reason of an earlier wait must not stick.
    assert text(draw('{% change_chip "succeeded" "security" %}')) == "Succeeded"


def test_a_registered_verdict_leads_where_it_says() -> None:
    verdict = Chip("attention", "2 drifted", link="/x/", at=NOW)
    with timezone.override(ZoneInfo("UTC")):
        html = draw("{% chip verdict %}", verdict=verdict)
    assert text(html) == "2 drifted"
    assert 'href="/x/"' in html
    assert 'title="Fri 20 Nov 2026, 12:14 UTC"' in html
    assert draw("{% chip verdict %}", verdict=None) == ""


def test_a_word_from_outside_is_escaped() -> None:
    assert "<b>" not in draw("{% state_chip 'failing' word %}", word="<b>")


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(("age", "stale"), [(600, False), (601, True)])
def test_the_age_needs_attention_past_twice_its_interval(age: int, stale: bool) -> None:
    html = draw("{% age at 300 %}", at=NOW - timedelta(seconds=age))
    assert ("age--stale" in html) is stale
    assert ("(stale)" in html) is stale


def test_a_figure_never_refreshed_says_so() -> None:
    assert text(draw("{% age at 300 %}", at=None)) == "never refreshed"


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "just now"),
        (-3, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (61 * 86400, "2 months ago"),
        (800 * 86400, "2 years ago"),
        (-95 * 60, "in 1 h"),
        (-3 * 86400, "in 3 days"),
    ],
)
def test_relative_times(seconds: int, words: str) -> None:
    assert relative(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Seoul", "Fri 20 Nov 2026, 21:14 KST (12:14 UTC)"),
        ("UTC", "Fri 20 Nov 2026, 12:14 UTC"),
        ("Asia/Kathmandu", "Fri 20 Nov 2026, 17:59 UTC+5:45 (12:14 UTC)"),
        # Another day there: the UTC part names its own.
        ("Pacific/Auckland", "Sat 21 Nov 2026, 01:14 NZDT (Fri 20 Nov, 12:14 UTC)"),
        ("America/Sao_Paulo", "Fri 20 Nov 2026, 09:14 UTC-3 (12:14 UTC)"),
    ],
)
def test_absolute_times_stand_in_the_readers_zone_and_utc(zone: str, words: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        assert absolute(NOW) == words


@time_machine.travel(NOW, tick=False)
def test_when_carries_the_machine_time_and_the_absolute_one() -> None:
    with timezone.override(ZoneInfo("Asia/Seoul")):
        html = draw("{% when at %}", at=NOW - timedelta(minutes=12))
    assert 'datetime="2026-11-20T12:02:00+00:00"' in html
    assert 'title="Fri 20 Nov 2026, 21:02 KST (12:02 UTC)"' in html
    assert text(html) == "12 min ago"


def test_when_without_a_moment_is_never() -> None:
    assert text(draw("{% when at %}", at=None)) == "never"
    assert text(draw("{% when nothing_of_that_name %}")) == "never"


def test_when_refuses_a_form_it_does_not_know() -> None:
    with pytest.raises(TemplateSyntaxError, match="unknown form 'sideways'"):
        draw('{% when at "sideways" %}', at=NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3661, "1 h 1 min"),
        (93600, "1 days 2 h"),
        (-5, "-5 s"),
        (None, ""),
        (timedelta(seconds=100), "1 min 40 s"),
    ],
)
def test_durations(seconds: Any, words: str) -> None:
    assert duration(seconds) == words


@time_machine.travel(NOW, tick=False)
def test_elapsed_counts_on_only_while_it_runs() -> None:
    start = NOW - timedelta(seconds=75)
    running = draw("{% elapsed start %}", start=start)
    over = draw("{% elapsed start end %}", start=start, end=NOW - timedelta(seconds=5))
    assert "data-elapsed" in running
    assert text(running) == "1 min 15 s"
    assert "data-elapsed" not in over
    assert text(over) == "1 min 10 s"


def test_the_browser_gets_the_same_steps_as_words() -> None:
    html = draw('<body data-words="{% browser_words %}">')
    raw = html.split('"', 2)[1].replace("&quot;", '"').replace("&#x27;", "'")
    words = json.loads(raw)
    assert [60, 1, "%(n)s s ago", "in %(n)s s"] in words["steps"]
    assert words["steps"][-1][0] == 0


# --- figures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (Decimal("1234.5"), "USD", "USD\xa01,234.50"),
        (Decimal("1234567.5"), "KRW", "KRW\xa01,234,568"),
        (Decimal("-0.005"), "USD", "\N{MINUS SIGN}USD\xa00.01"),
        (0, "USD", "USD\xa00.00"),
        (None, "USD", "–"),
    ],
)
def test_money_has_its_currency_and_won_no_decimals(amount: Any, currency: str, words: str) -> None:
    assert money(amount, currency) == words


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, "resource", "0 resources"), (1, "person", "1 person"), (2000, "resource", "2,000 resources")],
)
def test_counted_nouns(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words


def test_every_noun_counts_one_and_many() -> None:
    for noun in NOUNS:
        assert counted(1, noun).startswith("1 ")
        assert counted(1, noun) != counted(2, noun).replace("2", "1")


@pytest.mark.parametrize(
    ("size", "words"), [(999, "999 B"), (1400, "1.4 kB"), (256_000_000, "256.0 MB"), (None, "")]
)
def test_sizes(size: int | None, words: str) -> None:
    assert file_size(size) == words


# --- plans ------------------------------------------------------------------------------------------


def test_counts_put_destruction_first_and_understand_terraforms_words() -> None:
    html = plan_counts({"create": 3, "no-op": 40, "delete": 2, "update": 0, "replace": 1})
    assert text(html) == "- 2 destroy -/+ 1 replace + 3 create"


def test_counts_of_an_empty_plan() -> None:
    assert text(plan_counts({"no-op": 40})) == "nothing to change"


def test_each_action_has_a_sign_and_a_word_of_its_own() -> None:
    assert len({sign for sign, _ in ACTIONS.values()}) == len(ACTIONS)
    assert ACTIONS["replace"][0] == "-/+"


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ({"before": 1, "after": 2}, "1 → 2"),
        ({"before": None, "after": "x"}, '"x"'),
        ({"before": "x", "after": None}, '"x" → null'),
        ({"before": None, "unknown": True}, "known after apply"),
        ({"before": "x", "unknown": True}, '"x" → known after apply'),
        ({"before": "s1", "after": "s2", "sensitive": True, "changed": True}, "sensitive value, changed"),
        ({"before": "s1", "after": "s1", "sensitive": True, "changed": False}, "sensitive value, unchanged"),
        ({"before": "s1", "sensitive": True, "unknown": True}, "sensitive value, changed"),
    ],
)
def test_before_and_after(attribute: dict[str, Any], words: str) -> None:
    html = attribute_change(attribute).replace("&rarr;", "→").replace("&quot;", '"')
    assert text(html) == words


def test_long_text_is_a_line_diff_of_what_differs() -> None:
    before = "\n".join(f"line {n}" for n in range(40))
    html = attribute_change({"before": before, "after": before.replace("line 20", "line <20>")})
    assert 'diff__line--del"><span class="diff__sign">-</span>line 20' in html
    assert 'diff__line--add"><span class="diff__sign">+</span>line &lt;20&gt;' in html
    assert "line 18" in html
    assert "line 5" not in html


def test_json_in_a_string_is_compared_by_its_parts() -> None:
    before = json.dumps({"Statement": [{"Action": ["s3:*"], "Effect": "Allow", "Resource": "x" * 60}]})
    html = line_diff(before, before.replace("s3:*", "s3:GetObject"))
    assert html.count("diff__line--del") == 1
    assert html.count("diff__line--add") == 1


def test_a_text_too_long_to_compare_does_not_hold_up_the_page() -> None:
    html = line_diff("a\n" * 3000, "b\n" * 3000)
    assert "3,000 lines before" in html
    assert "diff__line" not in html


def test_plan_rows_name_the_attribute_that_forces_replacement() -> None:
    row = {
        "action": "replace",
        "address": "aws_db_instance.main",
        "consequences": ["2 tasks restart."],
        "attributes": [{"path": "engine", "before": "a", "after": "b", "forces_replacement": True}],
    }
    words = text(draw('{% include "components/resource_change.html" %}', row=row))
    assert words.startswith("-/+ replace aws_db_instance.main 2 tasks restart. engine forces replacement")


# --- the frame --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", "overview"),
        ("/inbox/", "inbox"),
        ("/tenants/onno/", "tenants"),
        ("/accounts/x/", "settings"),
        ("/changes/x/", ""),
    ],
)
def test_the_path_decides_the_place(path: str, current: str) -> None:
    request = RequestFactory().get(path)
    html = draw(
        "{% navigation as n %}{% for i in n %}{% if i.current %}{{ i.place.key }}{% endif %}{% endfor %}",
        request=request,
    )
    assert html == current


def test_the_inbox_is_counted_once_and_only_when_drawn() -> None:
    asked = []

    def nav_counts() -> dict[str, int]:
        asked.append(1)
        return {"inbox": 3}

    Template("nothing").render(Context({"nav_counts": nav_counts}))
    assert not asked
    html = draw(
        "{% navigation as n %}{% for i in n %}{{ i.count|default:'-' }}{% endfor %}", nav_counts=nav_counts
    )
    assert html == "-3----"
    assert len(asked) == 1


def test_four_places_fit_the_phone() -> None:
    assert sum(place.on_phone for place in PLACES) == 3  # and "More"


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', ""), ("", "")]
)
def test_the_theme_of_the_cookie(cookie: str, theme: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES["gatehouse_theme"] = cookie
    assert draw("{% theme as t %}{{ t }}", request=request) == theme


def test_enter_finds_no_submit_button_in_a_confirmation() -> None:
    html = draw('{% confirm "c" title="Sure?" action="/x/" label="Do it" typed="prod" %}{% endconfirm %}')
    first = re.search(r"<button[^>]*type=\"submit\"[^>]*>", html)
    assert first is not None
    assert "disabled" in first.group()
    assert html.index(first.group()) < html.index("confirm_name")
