#!/usr/bin/python3
"""half_wired.py FOLDER JOBS [WORD...] - adds one of each kind of thing, then leaves out one piece at a time.
half_wired.py --applies - only whether each piece finds its place in the tree as it stands.

What "Where a new thing goes" in docs/ARCHITECTURE.md promises: whoever forgets a piece hears of it from compiler,
linker or a named test. In a copy of the tree under FOLDER a command, a request of /v1, an event, an effect, a setting,
a metric, an action of /do, a condition for approvals and a state of a deployment are added, complete: that builds, with
the flags of a release and -Werror, and the named tests pass. Then each piece is left out, alone, and what refuses must
be what is written beside it here.
WORDs choose pieces by their names: only their things are added, and what they need is built.  Exit status 1 when a
piece was not missed, or something else refused."""
# SPDX-License-Identifier: ISC
import dataclasses
import os
import pathlib
import re
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "planted"))
from planted import FAILURE, ROOT, Tree  # noqa: E402  pylint: disable=wrong-import-position

BUILD_TIMEOUT_S = 900
TEST_TIMEOUT_S = 240
COMPILER = re.compile(r"^\S+:\d+:\d+: (?:fatal )?error: (.+)$", re.M)
LINKER = re.compile(r"undefined (?:reference to|symbol:?) [`']?(\w+)")
HEAD = "/* {} - of half_wired.py, which takes it away again.  Side: {}. */\n/* SPDX-License-Identifier: ISC */\n"


@dataclasses.dataclass
class Edit:
    """Text that is put before the first `before` of a file; "": at its end."""
    path: str
    before: str
    text: str


@dataclasses.dataclass
class Swap:
    """Nothing that is added: without the piece, `old` of the complete file is `new`."""
    path: str
    old: str
    new: str


@dataclasses.dataclass
class Made:
    """A file that a program makes anew of the rest."""
    path: str
    command: str


@dataclasses.dataclass
class Piece:
    """`by`: "compiler", "linker", or "<test program> <test>"; the first two while making `target`."""
    thing: str
    what: str
    by: str
    edits: list
    target: str = "build/deploybot"

    def name(self):
        return f"{self.thing}: {self.what}"

    def test(self):
        return None if self.by in ("compiler", "linker") else tuple(self.by.split(" "))


ECHO_ASKS = "\t(void)decide_may(tx, update, POLICY_GREET, \"\");\n"


def function(name, parameters, body=""):
    return f"\nvoid\n{name}({parameters})\n{{\n{body}}}\n"


def handler(event):
    path = f"server/handlers/handle_{event}.c"
    return Edit(path, "", HEAD.format(f"handle_{event}.c", "store") + '#include "handlers/handlers.h"\n' +
                function(f"handle_{event}", "UNUSED struct tx *tx, UNUSED const struct event *event"))


def reader(name, side, include, parameter, value):
    return HEAD.format(f"{name}.c", side) + f'#include "{include}"\n\nint {name}({parameter});\n\n' \
        f"int\n{name}({parameter})\n{{\n\treturn {value};\n}}\n"


WORDS = "tests/fixtures/words-on-disk.txt"
WORDS_TEST = "test_words_on_disk every_word_that_is_written_is_in_the_list"
EFFECT_ROW = 'EFFECT(POKE, poke, "poke", POKED,\n    NONE, false, true, NO, 0, OWN)\n'
PERFORM = "server/effects/perform_poke.c"
PERFORMS = "UNUSED struct perform *perform, struct effect *effect"
FLOW = "server/deployment/deploy_flow"
SCHEMA = "server/store/store_schema.c"
MIGRATION = """static const char *const migration_parked[] = {
	"DROP INDEX work_asking;"
	"CREATE INDEX work_asking ON work (environment, id)"
	" WHERE (state = '' OR state = 'REQUESTED' OR state = 'AWAITING_CONFIRMATION'"
	" OR state = 'AWAITING_APPROVAL' OR state = 'PARKED');",
	NULL,
};

"""
SNAPSHOT_TEST = "test_settings_table.py test_every_setting_is_read_by_somebody"
OWN_VALUE_TEST = "test_settings_table.py test_what_one_environment_may_have_for_itself_is_read_so"


def obj(path):
    return f"build/obj/{path}.o"


# Not a piece: what a new file begins with.
ALWAYS = [Edit(PERFORM, "", HEAD.format("perform_poke.c", "loop") + '#include "effects/perform_inside.h"\n')]

PIECES = [
    # --- a chat command ---
    Piece("command", "its row in commands.def", "compiler", [
        Edit("server/commands/commands.def", "COMMAND(whoami,",
             'COMMAND(echo, GREET, NONE, "", LIMITED, 0, OWN, "/echo", "says it again")\n')],
        obj("server/commands/command_echo")),
    Piece("command", "its file", "linker", [
        Edit("server/commands/command_echo.c", "", HEAD.format("command_echo.c", "store") +
             '#include "commands/commands.h"\n#include "decide/decide_reply.h"\n' + function(
                 "command_echo", "UNUSED struct tx *tx, UNUSED const struct update *update,\n"
                 "    UNUSED const struct request *request", ECHO_ASKS))]),
    Piece("command", "whether its sender may", "test_handle_update_limits "
          "each_command_of_a_stranger_in_a_group_is_a_denial", [
              Swap("server/commands/command_echo.c", ECHO_ASKS, "")]),
    Piece("command", "its row in the reference", "test_docs.py test_the_reference_has_each_command_as_it_is_typed", [
        Edit("docs/REFERENCE.md", "| `/whoami` |", "| `/echo` | says it again | everybody |\n")]),
    Piece("command", "its word on disk, for buttons that stand for it", WORDS_TEST, [
        Edit(WORDS, "button.action give", "button.action echo\n")]),

    # --- a request of /v1 ---
    Piece("request", "its row in api.def", "compiler", [
        Edit("server/types/api.def", "API(WORK,",
             'API(PING, "GET", "/v1/ping", NUMBER, NO_BODY, "whether it is there")\n')],
        obj("server/handlers/handle_api")),
    Piece("request", "what decides on it", "compiler", [
        Edit("server/handlers/handle_api.c", "\tcase API_WORK:", "\tcase API_PING:\n"),
        Edit("server/handlers/handle_api_look.c", "API_WORK)", "API_PING || api->operation == ")],
        obj("server/handlers/handle_api")),
    Piece("request", "who may, of those that a stranger may not",
          "test_handle_api each_request_of_a_stranger_is_denied_or_finds_nothing", [
              Swap("server/handlers/handle_api_look.c", "API_PING || api->operation == ", "")]),
    Piece("request", "its description", "test_api_file.py test_each_route_is_described_and_nothing_else_is", [
        Edit("docs/openapi.json", '  "/v1/status": {', '  "/v1/ping/{work}": {"get": {"summary": "whether it is '
             'there",\n   "parameters": [{"name": "work"}]}},\n')]),

    # --- an event ---
    Piece("event", "its row in event.def", "compiler", [
        Edit("server/types/event.def", "EVENT(RUN_ENDED,", "EVENT(PRODDED, prodded)\n")],
        obj("server/handlers/handle_prodded")),
    Piece("event", "its handler", "linker", [handler("prodded")]),

    # --- a kind of effect ---
    Piece("effect", "its row in effect.def", "compiler", [
        Edit("server/types/effect.def", "/* a deadline */", EFFECT_ROW)], obj("server/types/effect_codec")),
    Piece("effect", "a column of its row", "compiler", [
        Swap("server/types/effect.def", EFFECT_ROW, EFFECT_ROW.replace(", 0, OWN)", ", OWN)"))],
        obj("server/types/effect")),
    Piece("effect", "its struct", "compiler", [
        Edit("server/types/effect.h", "\nstruct effect {",
             "\nstruct effect_poke {\n\tint64_t run;\n\tint tries;\n};\n")],
        obj("server/types/effect")),
    Piece("effect", "its member of the union", "compiler", [
        Edit("server/types/effect.h", "\t\tstruct effect_timer timer;", "\t\tstruct effect_poke poke;\n")],
        obj("server/types/effect_codec")),
    Piece("effect", "its fields", "compiler", [
        Edit("server/types/effect_codec.c", "/* clang-format on */",
             'static const struct field fields_poke[] =\n'
             '\t{ FIELD("run", poke.run), FIELD("tries", poke.tries), END };\n')],
        obj("server/types/effect_codec")),
    Piece("effect", "one of its fields", "test_effect_codec no_member_of_a_kind_is_lost_in_its_row", [
        Swap("server/types/effect_codec.c", 'FIELD("tries", poke.tries), ', "")]),
    Piece("effect", "perform_<name>()", "linker", [
        Edit(PERFORM, "", function("perform_poke", PERFORMS, "\tperform_report(effect);\n"))]),
    Piece("effect", "recover_<name>()", "linker", [
        Edit(PERFORM, "", function("recover_poke", PERFORMS, "\tperform_report(effect);\n"))]),
    Piece("effect", "fault_<name>()", "compiler", [
        Edit("server/handlers/handle_fault.c", "static void (*const faults[])", "static void\nfault_poke(UNUSED struct "
             "tx *tx, UNUSED const struct fault *fault)\n{\n}\n\n")], obj("server/handlers/handle_fault")),
    Piece("effect", "the event of its result", "compiler", [
        Edit("server/types/event.def", "EVENT(RUN_ENDED,", "EVENT(POKED, poked)\n")], obj("server/types/effect")),
    Piece("effect", "the handler of its result", "linker", [handler("poked")]),
    Piece("effect", "its words on disk", WORDS_TEST, [
        Edit(WORDS, "effect.kind probe", "effect.kind poke\neffect.poke run\neffect.poke tries\n")]),
    Piece("effect", "its lane, count and withdrawal in the test of them",
          "test_row_effect each_kind_has_the_lane_the_count_and_the_withdrawal_of_its_row", [
              Edit("tests/unit/test_row_effect.c", "\t[EFFECT_TIMER] =", '\t[EFFECT_POKE] = { "", false, true },\n')]),
    Piece("effect", "its answer in the simulation", "compiler", [
        Edit("tests/sim/sim_server.c", "\tcase EFFECT_TIMER:",
             "\tcase EFFECT_POKE:\n\t\tsim_server_report_soon(sim, effect);\n\t\tbreak;\n")],
        obj("tests/sim/sim_server")),

    # --- a setting ---
    Piece("setting", "its row in settings.def", "compiler", [
        Edit("server/types/settings.def", "SETTING(RUN_LOGS_KEEP,",
             'SETTING(POKE_TRIES, COUNT, "3", OPEN, SERVER, SERVER,\n    "How often something is poked.")\n')],
        obj("server/settings/settings_fields")),
    Piece("setting", "its field", "compiler", [
        Edit("server/types/settings.h", "\tint run_logs_keep;", "\tint poke_tries;\n")],
        obj("server/settings/settings_fields")),
    Piece("setting", "what fills its field", SNAPSHOT_TEST, [
        Edit("server/settings/settings_fields.c", "\ts->run_logs_keep =",
             "\ts->poke_tries = number_of(s, SETTING_POKE_TRIES);\n")]),
    Piece("setting", "who reads its field", SNAPSHOT_TEST, [
        Edit("server/decide/decide_poke.c", "", reader("decide_poke", "store", "store/tx.h", "const struct tx *tx",
             "tx->settings->poke_tries + tx->settings->times.poke_seconds"))]),
    # One that an environment may have for itself, and one that only environments have, of both programs.
    Piece("setting", "its row, of one that an environment may have for itself", "compiler", [
        Edit("server/types/settings.def", "SHIPPING(FAILURE_LOG_IN_CHAT,",
             'SHIPPING(POKE_SECONDS, SECONDS, "5", OPEN, SERVER, SHARED, "How long it is poked.")\n')],
        obj("server/settings/settings_fields")),
    Piece("setting", "its field, of each environment", "compiler", [
        Edit("server/types/settings.h", "\tint health_check_timeout_seconds;", "\tint poke_seconds;\n")],
        obj("server/settings/settings_fields")),
    Piece("setting", "what fills that field", SNAPSHOT_TEST, [
        Edit("server/settings/settings_fields.c", "\tt->health_check_timeout_seconds =",
             "\tt->poke_seconds = number_for(s, member, SETTING_POKE_SECONDS);\n")]),
    Piece("setting", "that it is filled with what the environment has for itself", OWN_VALUE_TEST, [
        Swap("server/settings/settings_fields.c", "number_for(s, member, SETTING_POKE_SECONDS)",
             "number_of(s, SETTING_POKE_SECONDS)")]),
    Piece("setting", "its row, of both programs and each environment", "compiler", [
        Edit("runner/settings.def", "FAMILY_SETTING(ENVIRONMENT, HOST,",
             'FAMILY_SETTING(ENVIRONMENT, POKE_DOOR, "<ENV>_POKE_DOOR", PORT, NULL, OPEN, BOTH, OWN,\n'
             '    "Where it is poked.")\n')], obj("server/settings/settings_poke")),
    Piece("setting", "who reads it in the server", SNAPSHOT_TEST, [
        Edit("server/settings/settings_poke.c", "", reader(
            "settings_poke", "pure", "settings/settings_inside.h", "const struct settings_member *member",
            "member->values[ENVIRONMENT_SETTING_POKE_DOOR].is_given"))]),
    Piece("setting", "its name, without the environment's, for scripts", SNAPSHOT_TEST, [
        Edit("runner/program_settings.c", '"COMPOSE_DIR", "PORT", NULL };', '"POKE_DOOR", ')]),
    Piece("setting", "the script that reads it", SNAPSHOT_TEST, [
        Edit("deploy/transports/local.sh", "", "\nfind_door() { # ENV\n\tfind_setting door \"$1\" POKE_DOOR\n}\n")]),

    Piece("setting", ".env.example", "test_settings_table.py test_config_example_is_the_committed_file", [
        Made(".env.example", "build/deploybot config-example >.env.example")]),

    # --- a metric ---
    Piece("metric", "its row in metric_set.def", "compiler", [
        Edit("server/routes/metric_set.def", 'METRIC("deploybot_poll_failing_since_timestamp_seconds"',
             'METRIC("deploybot_pokes_total", COUNTER, POKES, 0, "", "What was poked.")\n')],
        obj("server/routes/metric_set")),
    Piece("metric", "what feeds it", "test_metric_set every_row_of_the_table_is_fed_by_something", [
        Edit("server/routes/metric_set.c", "\tmetric_set_value(set, METRIC_SECRET_ROTATE,",
             "\tmetric_add(&set->m[METRIC_POKES], 1, METRIC_BARE);\n")]),
    Piece("metric", "that it is at zero before it counts", "test_metric_set no_counter_comes_from_nowhere", [
        Swap("server/routes/metric_set.c", "\t\t\tmetric_expect(&set->m[i], METRIC_BARE);\n", "\t\t\t(void)set;\n")]),
    Piece("metric", "its word on the wire", WORDS_TEST, [
        Edit(WORDS, "metric deploybot_release_info", "metric deploybot_pokes_total counter\n")]),
    Piece("metric", "who looks at it",
          "test_monitoring_files.py test_what_is_made_for_alerts_and_dashboards_is_used_by_them", [
              Edit("deploy/monitoring/alerts.yml", "      - alert: DeploybotAuditExportFailing",
                   "      - alert: DeploybotPoked\n        expr: deploybot_pokes_total > 0\n        for: 1m\n")]),

    # --- an action of /do ---
    Piece("action", "its row in action.def", "compiler", [
        Edit("server/types/action.def", 'ACTION("run-job"',
             'ACTION("poke-web", POKE_WEB, DO, HOST, CLIENT, NONE, LOW, BUSY, 0, 60, ENDS, "poke it")\n')],
        obj("server/settings/checks/settings_clients")),
    Piece("action", "the setting that says what it touches", "compiler", [
        Edit("runner/settings.def", "FAMILY(JOB, ",
             'FAMILY_SETTING(CLIENT, POKE_UNIT, "CLIENT_<ID>_POKE_UNIT", UNIT, NULL, OPEN, RUNNER, SERVER,\n'
             '    "What poke-web is about.")\n\n')],
        obj("server/settings/checks/settings_clients")),
    Piece("action", "that it cannot do without that setting",
          "test_act_on.py test_what_an_action_cannot_do_without_is_said_before", [
              Edit("server/settings/checks/settings_clients.c", "\t{ ACTION_CLEAR_CACHE,",
                   "\t{ ACTION_POKE_WEB, CLIENT_SETTING_POKE_UNIT },\n")]),
    Piece("action", "that setting for the script", SNAPSHOT_TEST, [
        Edit("runner/program_settings.c", '\t"CACHE_COMMAND", "LIMIT", NULL };', '\t"POKE_UNIT",\n')]),
    Piece("action", "its words for the host", "test_act_on.py test_what_an_action_cannot_do_without_is_said_before", [
        Edit("deploy/act-on.sh", "\treload-nginx) read",
             '\tpoke-web)\n\t\t[[ -n ${CLIENT_POKE_UNIT:-} ]] || fail "$EXIT_CONFIG" '
             '"CLIENT_<ID>_POKE_UNIT is not set, and $1 needs it"\n'
             '\t\twords+=("unit=$CLIENT_POKE_UNIT")\n\t\t;;\n')]),
    Piece("action", "what the host does", "test_act_on.py test_the_host_knows_each_action_of_the_table", [
        Edit("deploy/act-on-host.sh", "\tdisk-free) disk_free ;;", "\tpoke-web) need unit && service_status ;;\n")]),
    Piece("action", "its row in docs/actions.md",
          "test_docs.py test_the_table_of_actions_has_each_with_what_it_needs", [
              Edit("docs/actions.md", "| `restart-web` | restarts",
                   "| `poke-web` | pokes it | `CLIENT_<ID>_POKE_UNIT` | no | yes |\n")]),
    Piece("action", "its name, for rows and grants", WORDS_TEST, [
        Edit(WORDS, "action reload-nginx", "action poke-web\n")]),

    # --- an executor of actions, and a kind of argument ---
    Piece("executor", "its name", "compiler", [
        Edit("server/types/action.h", "\tACTION_BY_PIPELINE,", "\tACTION_BY_POKING,\n")],
        obj("server/decide/work/decide_do")),
    Piece("executor", "its word in rows", "compiler", [
        Edit("server/decide/work/decide_do.c", "\tcase ACTION_BY_CLOUDFLARE:",
             '\tcase ACTION_BY_POKING:\n\t\treturn "poking";\n')],
        obj("server/decide/work/decide_do")),
    Piece("argument", "its name", "compiler", [
        Edit("server/types/action.h", "\tACTION_TAKES_NONE,", "\tACTION_TAKES_POKE,\n")],
        obj("server/decide/work/decide_do")),
    Piece("argument", "what it may be", "compiler", [
        Edit("server/decide/work/decide_do.c", "\tcase ACTION_TAKES_NONE:",
             "\tcase ACTION_TAKES_POKE:\n\t\treturn NULL;\n")],
        obj("server/decide/work/decide_do")),

    # --- a condition for more approvals ---
    Piece("condition", "its row in condition.h", "compiler", [
        Edit("lib/condition.h", '\tC(OUTSIDE, "outside",', '\tC(POKED, "poked", "") \\\n')],
        obj("server/policy/needs")),
    Piece("condition", "what may follow it", "compiler", [
        Edit("lib/condition.c", "\tcase CONDITION_KINDS:", "\tcase CONDITION_POKED:\n\t\treturn true;\n")],
        obj("lib/condition")),
    Piece("condition", "when it applies", "compiler", [
        Edit("server/policy/needs.c", "\tcase CONDITION_KINDS:", "\tcase CONDITION_POKED:\n\t\treturn false;\n")],
        obj("server/policy/needs")),
    Piece("condition", "its word, for whoever writes another",
          "test_condition each_kind_is_named_to_whoever_writes_another", [
              Edit("lib/condition.c", "outside Mon-Fri 09:00-17:00\"\n", "poked, ")]),
    Piece("condition", "its word in people's settings", WORDS_TEST, [
        Edit(WORDS, "condition path", "condition poked\n")]),

    # --- a state of a deployment ---
    Piece("state", "its row in deploy_flow.h", "compiler", [
        Edit(FLOW + ".h", '\tS(QUEUED, ', '\tS(PARKED, "PARKED", "parked", OPEN) \\\n')], obj(FLOW)),
    Piece("state", "its class", "compiler", [
        Swap(FLOW + ".h", '"parked", OPEN)', '"parked")')], obj(FLOW)),
    Piece("state", "how it is reached", "test_deploy_flow every_state_is_reached_and_can_end", [
        Edit(FLOW + ".c", "\tRULE(DRA, AWAITING_CONFIRMATION, ASK,", "\tRULE(DRA, QUEUED, CLEAR, PARKED, TELL),\n")]),
    Piece("state", "how it is cancelled", "test_deploy_flow whoever_cancels_is_always_answered", [
        Edit(FLOW + ".c", "\tRULE(DRA, AWAITING_CONFIRMATION, ASK,",
             "".join(f"\tRULE({programs}, PARKED, {on}, CANCELLED, TELL, NEXT),\n"
                     for programs, on in (("D_A", "CANCEL"), ("D", "CANCEL_NO_ROLLBACK"), ("R", "CANCEL_ROLLBACK"))))]),
    Piece("state", "its words in the chat", "compiler", [
        Edit("server/chat/chat_deployment.c", "\tW(QUEUED,",
             "\tW(PARKED, chat_deployment_end_superseded, SILENT) \\\n")],
        obj("server/chat/chat_deployment")),
    Piece("state", "how its message begins", "compiler", [
        Edit("server/chat/first.def", "FIRST(IS_NEXT,", 'FIRST(PARKED, PARKED, DRA, "⏳ Parked: ", " ")\n')],
        obj("server/chat/chat_first")),
    Piece("state", "which of its beginnings it is", "compiler", [
        Edit("server/chat/chat_deployment_first.c", "\tcase DEPLOY_REQUESTED:",
             "\tcase DEPLOY_PARKED:\n\t\treturn FIRST_PARKED;\n")],
        obj("server/chat/chat_deployment_first")),
    Piece("state", "what the chat promises of it",
          "test_chat_deployment each_state_says_what_is_promised", [
              Edit("tests/unit/test_chat_deployment.c", "\t\t{ DEPLOY_QUEUED,", '\t\t{ DEPLOY_PARKED, "" },\n')]),
    Piece("state", "the outcome that the chat begins with",
          "test_chat_deployment_first the_first_forty_characters_tell_outcome_and_environment", [
              Edit("tests/unit/test_chat_deployment_first.c", "\t\t[DEPLOY_QUEUED] =",
                   '\t\t[DEPLOY_PARKED] = "Parked",\n')]),
    Piece("state", "its word on disk", WORDS_TEST, [
        Edit(WORDS, "deployment.state QUEUED", "deployment.state PARKED\n")]),
    Piece("state", "its picture",
          "test_flow_drawing the_pictures_in_docs_are_the_tables", [
              Made("docs/deployment-states.md",
                   "build/tests/test_flow_drawing >/dev/null 2>&1; cp build/deployment-states.md docs/")]),
    Piece("state", "a migration of the indexes that name states",
          "test_store_schema partial_indexes_are_those_of_todays_states", [
              Edit(SCHEMA, "static const char *const *const migrations[]", MIGRATION),
              Edit(SCHEMA, " };\n\nconst char *const *\nstore_schema_sql", ", migration_parked"),
              Edit("server/store/store_schema.sql", ");\nCREATE INDEX work_environment", " OR state = 'PARKED'")]),
]


class Refused(Exception):
    """By whom, with what words."""

    def __init__(self, whom, words):
        super().__init__(whom)
        self.whom = whom
        self.words = words


class Copy(Tree):
    """The tree with all pieces of the chosen ones' things, from which one is left out at a time."""

    def __init__(self, folder, jobs, words=()):
        super().__init__(folder, jobs)
        self.environment["DEPLOYBOT_BUILD"] = "build"
        self.chosen = [piece for piece in PIECES if not words or any(word in piece.name() for word in words)]
        things = {piece.thing for piece in self.chosen}
        self.pieces = [piece for piece in PIECES if piece.thing in things]
        self.original, self.made = {}, {}

    def text_of(self, path, without=None):
        """A file as it is with all pieces but one; None: it is not there."""
        if path not in self.original:
            self.original[path] = (self.path / path).read_text("utf-8") if (self.path / path).exists() else None
        text = self.original[path]
        edits = ALWAYS + [edit for piece in self.pieces if piece is not without for edit in piece.edits]
        for edit in edits:
            if isinstance(edit, Edit) and edit.path == path:
                at = (text or "").find(edit.before) if edit.before else len(text or "")
                if at < 0:
                    sys.exit(f"half_wired.py: {path} has no {edit.before!r}")
                text = (text or "")[:at] + edit.text + (text or "")[at:]
        for edit in without.edits if without else []:
            if isinstance(edit, Swap) and edit.path == path:
                if edit.old not in text:
                    sys.exit(f"half_wired.py: {path} has no {edit.old!r}")
                text = text.replace(edit.old, edit.new, 1)
            elif isinstance(edit, Made) and edit.path == path:
                return text
        return self.made.get(path, text)

    def write(self, path, text):
        if text is None:
            (self.path / path).unlink(missing_ok=True)
        else:
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.path / path).write_text(text, "utf-8")

    def make(self, targets):
        """What is linked is linked again: an archive would keep the object of a source that is gone."""
        for old in (*(self.path / "build").glob("*.a"), *(self.path / "build").glob("deploybot*"),
                    *(self.path / "build" / "tests").glob("test_*")):
            old.unlink()
        status, output = self.run(["make", "--no-print-directory", f"-j{self.jobs}", "BUILD=build", "WERROR=-Werror",
                                   *targets], BUILD_TIMEOUT_S)
        if status == 0:
            return
        found = COMPILER.search(output)
        if found:
            raise Refused("compiler", found[1])
        found = LINKER.search(output)
        raise Refused("linker", f"undefined: {found[1]}") if found else Refused("make", output[-2000:])

    def play(self, test):
        program, name = test
        command = [f"build/tests/{program}"] if not program.endswith(".py") else \
            ["/usr/bin/python3", "-m", "pytest", "-q", "--tb=line", "-rf", "-p", "no:cacheprovider",
             "-o", "empty_parameter_set_mark=skip", f"tests/e2e/{program}", "-k", name]
        status, output = self.run(command, TEST_TIMEOUT_S)
        failed = {found for names in FAILURE.findall(output) for found in names if found}
        if status != 0 and f"[       OK ] {name}\n" not in output:     # others of it may miss something, too
            raise Refused(f"{program} {name}" if name in failed else f"{program} {' '.join(sorted(failed))}",
                          output[-2000:])

    def complete(self):
        for path in sorted({edit.path for edit in ALWAYS} | {e.path for piece in self.pieces for e in piece.edits}):
            self.write(path, self.text_of(path))
        tests = sorted({piece.test() for piece in self.chosen if piece.test()})
        programs = {"all" if program.endswith(".py") else f"build/tests/{program}" for program, _ in tests}
        self.make(sorted(programs | {piece.target for piece in self.chosen}))
        for edit in (edit for piece in self.chosen for edit in piece.edits if isinstance(edit, Made)):
            self.text_of(edit.path)
            self.run(["bash", "-c", edit.command], TEST_TIMEOUT_S)
            self.made[edit.path] = (self.path / edit.path).read_text("utf-8")
        for test in tests:
            self.play(test)

    def forget_what_was_made(self, begin):
        """Also the object whose compilation failed: it is of before, but what it depends on is no longer known."""
        for made in list((self.path / "build").rglob("*")):
            if made.is_file() and made.stat().st_mtime >= begin - 0.01:
                made.unlink()
        for made in (self.path / "build" / "obj").rglob("*.o"):
            if not made.with_suffix(".d").exists():
                made.unlink()

    def refusal_of(self, piece):
        """Who refuses the tree without it; afterwards all is as it was before, and built of that."""
        begin = time.time()
        times = {path: (self.path / path).stat() for path in {edit.path for edit in piece.edits}}
        try:
            for path in times:
                self.write(path, self.text_of(path, piece))
            if piece.test() is None:
                self.make([piece.target])
            else:
                program = piece.test()[0]
                self.make(["all" if program.endswith(".py") else f"build/tests/{program}"])
                self.play(piece.test())
        except Refused as refused:
            return refused
        finally:
            for path, stat in times.items():
                self.write(path, self.text_of(path))
                os.utime(self.path / path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            self.forget_what_was_made(begin)
        return Refused("nobody", "")


def applies():
    tree = Copy(ROOT, 1)
    tree.path = ROOT
    for piece in [None, *PIECES]:
        for edit in piece.edits if piece else ALWAYS:
            tree.text_of(edit.path, piece)
    # What is made is there, or a piece adds it.
    added = {edit.path for piece in PIECES for edit in piece.edits}
    for piece in PIECES:
        source = piece.target.removeprefix("build/obj/").removesuffix(".o") + ".c"
        if piece.target.endswith(".o") and source not in added and not (ROOT / source).exists():
            sys.exit(f"{piece.name()}: there is no {source}")


def main():
    if sys.argv[1:] == ["--applies"]:
        applies()
        return
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, jobs, words = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, Tree.end_all)
    tree, begin, wrong = Copy(folder, jobs, words), time.monotonic(), 0
    tree.copy()
    try:
        tree.complete()
    except Refused as refused:
        sys.exit(f"complete, it is refused all the same by {refused.whom}: {refused.words}")
    print(f"complete: built and tested in {time.monotonic() - begin:.0f} s", flush=True)
    for piece in tree.chosen:
        refused = tree.refusal_of(piece)
        is_right = refused.whom == piece.by
        wrong += not is_right
        said = refused.words if refused.whom in ("compiler", "linker") else ""
        print(f"{'ok   ' if is_right else 'WRONG'} {piece.name()}: refused by {refused.whom}"
              f"{': ' if said else ''}{said}", flush=True)
        if not is_right:
            print(f"      and not by {piece.by}\n{refused.words}", flush=True)
    print(f"half-wired: {len(tree.chosen)} pieces, {wrong} wrong, {time.monotonic() - begin:.0f} s")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
