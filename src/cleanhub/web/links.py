"""Links between pages, made in one place so that no page points nowhere."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from cleanhub.web.view import PlanView


def project_link(view: PlanView, project: Any) -> Markup:
    """A link to a project's page by its name; plain text for an id that the plan does not hold."""
    name = view.project_names.get(str(project))
    if name is None:
        return escape(str(project))
    return Markup('<a href="/projects/{}">{}</a>').format(project, name)


def project_links(view: PlanView, listed: Any, most: int = 4) -> Markup:
    """Links for a ``;``-separated list of projects: the first ``most``, and how many more."""
    found = [one.strip() for one in str(listed or "").split(";") if one.strip()]
    shown = Markup("; ").join(project_link(view, one) for one in found[:most])
    left = len(found) - most
    return Markup("{} and {} more").format(shown, left) if left > 0 else shown


def table_link(name: str, words: str = "") -> Markup:
    """A link to a table of the data pages."""
    return Markup('<a href="/data/{}">{}</a>').format(name, words or f"table {name}")
