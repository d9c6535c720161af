"""Templates and paths: casing, slashes, parameters, precedence."""

from __future__ import annotations

import pytest

from reconciler.emulator.router import ArmError, Response, Route, Router

ROUTER = Router(
    [
        Route(method, template, lambda world, request: Response())
        for method, template in [
            ("GET", "/subscriptions/{subscription}/resourceGroups/{group}"),
            ("PUT", "/subscriptions/{subscription}/resourceGroups/{group}"),
            ("GET", "/subscriptions/{subscription}/providers/{namespace}"),
            ("GET", "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"),
            ("GET", "/metadata/endpoints"),
            ("GET", "/{tenant}/discovery/keys"),
            ("PATCH", "/{*scope}/providers/Microsoft.Resources/tags/default"),
        ]
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", "/subscriptions/s/resourceGroups/g", "{group}", {"subscription": "s", "group": "g"}),
        ("PUT", "/Subscriptions/S/RESOURCEGROUPS/G/", "{group}", {"subscription": "S", "group": "G"}),
        ("GET", "//subscriptions//s/resourcegroups/g%20%C3%BC", "{group}", {"subscription": "s", "group": "g ü"}),
        ("GET", "/subscriptions/s/providers/Microsoft.Web", "{namespace}", {"namespace": "Microsoft.Web"}),
        ("GET", "/subscriptions/s/providers/microsoft.compute", "{namespace}", {"namespace": "microsoft.compute"}),
        ("GET", "/subscriptions/s/providers/microsoft.compute/virtualmachines", "virtualMachines", {}),
        ("GET", "//metadata/endpoints", "/metadata/endpoints", {}),
        ("GET", "/metadata/discovery/keys", "discovery/keys", {"tenant": "metadata"}),
        (
            "PATCH",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/Tags/default",
            "tags/default",
            {"scope": "/subscriptions/s/resourceGroups/g"},
        ),
    ],
)
def test_match(method, path, template, params):
    match = ROUTER.match(method, path)
    assert match is not None
    assert match.route.template.endswith(template)
    assert params.items() <= match.params.items()


@pytest.mark.parametrize("path", ["/", "/nothing", "/subscriptions/s/resourceGroups/g/more", "/providers/x"])
def test_no_match(path):
    assert ROUTER.match("GET", path) is None


def test_wrong_method_is_405():
    with pytest.raises(ArmError) as caught:
        ROUTER.match("DELETE", "/subscriptions/s/resourceGroups/g")
    assert caught.value.status == 405


def test_two_handlers_for_one_path_are_refused():
    route = Route("GET", "/a/{b}", lambda world, request: Response())
    with pytest.raises(ValueError, match="two handlers"):
        Router([route, Route("GET", "/A/{other}", route.handler)])
