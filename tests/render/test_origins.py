"""A plan with a base: whose change it is stands above each, and the last line says what the edit does."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.plan.plan import Plan
from reconciler.render import markdown, text

Golden = Callable[[str, str], None]


def test_a_plan_with_a_base(based: Plan, golden: Golden) -> None:
    golden("plan-base.txt", text.render_plan(based))
    golden("plan-base.md", markdown.render_plan(based))
