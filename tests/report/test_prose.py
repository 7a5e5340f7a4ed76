"""Sentences from templates: on one line, in paragraphs, and deaf to what names hold."""

import pytest
from jinja2 import UndefinedError

from gandetect.report.document import Text
from gandetect.report.prose import Prose

TEMPLATE = """
{% macro names(given) %}
Names: {% for one in given %}{{ one }}{{ "; " if not loop.last }}{% endfor %}
{{- " of" if given }} all,
{{ 0.5 | percent }}.
{% endmacro %}
{% macro two(name) %}
note: First {{ name }}.

{% if name %}Second.{% endif %}


{% if not name %}Never.{% endif %}
{% endmacro %}
"""


@pytest.fixture
def say(tmp_path) -> Prose:
    (tmp_path / "words.j2").write_text(TEMPLATE)
    return Prose(str(tmp_path / "words.py"))


def test_a_macro_is_one_line_and_keeps_the_spaces_between_words(say):
    assert say.names(["a", "b"]) == "Names: a; b of all, 50.0 %."


def test_blank_lines_part_paragraphs_which_may_name_their_style(say):
    assert say.paragraphs("two", "a") == [Text("First a.", "note"), Text("Second.")]


def test_a_name_parts_no_paragraph_and_is_no_template(say):
    (first, _) = say.paragraphs("two", "{{ 1 + 1 }}\n\nwarning: b")
    assert first == Text("First {{ 1 + 1 }} warning: b.", "note")


def test_what_is_not_given_is_an_error(say):
    with pytest.raises(UndefinedError):
        say.two()
