"""Goal: docs/openapi.json describes the routes of /v1 and /hooks, each and no other, and what they answer."""
# SPDX-License-Identifier: ISC
import json
import re

from stage import ROOT

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
ROUTES = re.findall(r'^API\((\w+),\s*"(\w+)",\s*"([^"]+)",\s*(\w+),\s*\w+,\s*"([^"]+)"\)$',
                    (ROOT / "server" / "types" / "api.def").read_text(encoding="utf-8"), re.M)
BEHIND = {"NONE": ("",),
          "TARGET": ("", "/{target}"), "NUMBER": ("/{work}",), "PLACE": ("/{work}/{offset}",), "WORD": ("/{word}",),
          "NAME": ("/{name}",), "ENV": ("/{environment}",),
          "PEER": ("", "/{name}"), "SINCE": ("", "/{instance}/{number}"),
          "DAYS": ("/{from}/{to}", "/{from}/{to}/{target}"),
          "LIST": ("", "/{target}", "/{which}/{after}/{target}"),
          "SPAN": ("/{from}/{to}/{after}", "/{from}/{to}/{code}/{after}")}


HOOKS = re.search(r'#define ROUTE_HOOKS_PATH "([^"]+)"', (ROOT / "server/routes/route_hooks.h").read_text("utf-8"))[1]


def test_each_route_is_described_and_nothing_else_is():
    routes = {(path + more, method.lower(), words) for _, method, path, behind, words in ROUTES
              for more in BEHIND[behind]}
    routes |= {(HOOKS + more, "post", "start the one thing that this hook stands for")
               for more in ("{hook}", "{application}/{hook}")}
    described = {(path, method, of["summary"]) for path, methods in OPENAPI["paths"].items()
                 for method, of in methods.items()}
    assert routes and described == routes


def test_each_part_of_a_path_is_a_parameter_and_each_schema_is_there():
    for path, methods in OPENAPI["paths"].items():
        for method in methods.values():
            assert re.findall(r"\{(\w+)\}", path) == [of["name"] for of in method["parameters"]], path
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(OPENAPI)):
        assert name in OPENAPI["components"]["schemas"], name


def test_each_status_that_a_call_of_a_hook_is_answered_is_described():
    source = "".join((ROOT / name).read_text("utf-8") for name in ("server/routes/route_hooks.c",
                                                                   "server/handlers/handle_hook.c",
                                                                   "server/decide/factor/decide_factor_try.c"))
    ways = r"answer_said\(call, |status = |answer\(request, |decide_refusef\(tx, "
    given = set(re.findall(rf"(?:{ways})(?:\w+.*\? )?(\d{{3}})", source))
    given |= set(re.findall(r"http_request_answer\(request, (\d{3})", source))
    assert given >= {"401", "403", "422", "429", "503"}
    post = OPENAPI["paths"][HOOKS + "{hook}"]["post"]["responses"]
    said = set(post) | set(re.findall(r"(\d{3}):", OPENAPI["components"]["responses"]["hook_no"]["description"]))
    assert given <= said, given - said


def test_each_kind_of_hold_is_described():
    kinds = re.findall(r'^\tK\(\w+, "(\w+)"', (ROOT / "server/policy/hold.h").read_text("utf-8"), re.M)
    environment = OPENAPI["components"]["schemas"]["status"]["properties"]["environments"]["items"]
    hold = environment["properties"]["holds"]["items"]["properties"]
    assert kinds and hold["kind"]["enum"] == kinds
