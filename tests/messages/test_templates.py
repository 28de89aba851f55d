"""Templates beside the program: rendered, escaped, confined."""

import pytest

from codeai.messages.templates import TemplateFailed, Templates


@pytest.fixture
def templates(tmp_path):
    folder = tmp_path / "templates"
    (folder / "orders").mkdir(parents=True)

    def write(**files):
        for name, content in files.items():
            (folder / name.replace("__", "/").replace("_", ".")).write_text(content, encoding="utf-8")
        return Templates(tmp_path)

    return write


def test_a_template_is_the_files_there_are_of_it(templates):
    made = templates(
        shipped_subject_txt="Order {{ number }}\n is on its way", shipped_txt="Dear {{ name }}", shipped_html="<p>Dear {{ name }}</p>"
    )
    found = made.render("shipped", {"number": 7, "name": "Ann"})
    assert (found.subject, found.text, found.html) == ("Order 7 is on its way", "Dear Ann", "<p>Dear Ann</p>")


def test_one_file_is_enough_and_folders_may_be_used(templates):
    made = templates(orders__paid_txt="Paid {{ total }}")
    found = made.render("orders/paid", {"total": "7.50"})
    assert (found.subject, found.text, found.html) == ("", "Paid 7.50", "")


def test_html_is_escaped_and_text_is_not(templates):
    made = templates(a_html="<b>{{ name }}</b>", a_txt="{{ name }}", a_subject_txt="{{ name }}")
    found = made.render("a", {"name": "<script>&"})
    assert (found.html, found.text, found.subject) == ("<b>&lt;script&gt;&amp;</b>", "<script>&", "<script>&")


def test_templates_build_on_each_other(templates):
    made = templates(
        base_html="<main>{% block body %}{% endblock %}</main>", a_html="{% extends 'base.html' %}{% block body %}{{ x }}{% endblock %}"
    )
    assert made.render("a", {"x": "<"}).html == "<main>&lt;</main>"


@pytest.mark.parametrize("name", ["../secrets", "..", "/etc/passwd", "a\\b", "a/../../b", "", ".hidden", "a b", "a\x00"])
def test_a_name_leads_nowhere_else(templates, tmp_path, name):
    (tmp_path / "secrets.txt").write_text("hidden")
    made = templates(a_txt="x")
    assert not made.exists(name)
    with pytest.raises(TemplateFailed, match="no template"):
        made.render(name, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ name.missing }}", "no attribute 'missing'"),
        ("{% for %}", "line 1"),
        ("{% include 'other.txt' %}", "other.txt"),
        ("{{ 1 / 0 }}", "zero"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ name.__init__.__globals__ }}", "unsafe"),
        ("{{ 'x' * 2000000 }}", "more than"),
        ("{% for i in range(1000000) %}x{% endfor %}", "too big"),
        ("{{ '%s' | format(name.__class__) }}", "unsafe"),
    ],
)
def test_what_goes_wrong_is_said_and_stays_inside(templates, content, message):
    made = templates(a_txt=content)
    with pytest.raises(TemplateFailed, match=message):
        made.check("a")
        made.render("a", {"name": "Ann"})


def test_a_broken_template_is_found_without_rendering(templates):
    made = templates(a_txt="fine", a_html="{% if %}")
    with pytest.raises(TemplateFailed, match=r"a\.html.*line 1"):
        made.check("a")


def test_data_cannot_be_changed_by_a_template(templates):
    made = templates(a_txt="{{ items.append(1) }}")
    data = {"items": []}
    with pytest.raises(TemplateFailed):
        made.render("a", data)
    assert data == {"items": []}
