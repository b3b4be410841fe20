"""Goal: docs/openapi.json describes the routes of /v1, each and no other, and what they answer."""
# SPDX-License-Identifier: ISC
import json
import re

from stage import ROOT

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
ROUTES = re.findall(r'^API\((\w+),\s*"(\w+)",\s*"([^"]+)",\s*(\w+),\s*"([^"]+)"\)$',
                    (ROOT / "server" / "types" / "api.def").read_text(encoding="utf-8"), re.M)
BEHIND = {"NONE": ("",),
          "TARGET": ("", "/{target}"), "NUMBER": ("/{work}",), "PLACE": ("/{work}/{offset}",), "WORD": ("/{word}",)}


def test_each_route_is_described_and_nothing_else_is():
    routes = {(path + more, method.lower(), words) for _, method, path, behind, words in ROUTES
              for more in BEHIND[behind]}
    described = {(path, method, of["summary"]) for path, methods in OPENAPI["paths"].items()
                 for method, of in methods.items()}
    assert routes and described == routes


def test_each_part_of_a_path_is_a_parameter_and_each_schema_is_there():
    for path, methods in OPENAPI["paths"].items():
        for method in methods.values():
            assert re.findall(r"\{(\w+)\}", path) == [of["name"] for of in method["parameters"]], path
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(OPENAPI)):
        assert name in OPENAPI["components"]["schemas"], name
