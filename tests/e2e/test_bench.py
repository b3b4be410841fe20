"""Goal: what `make bench` stands on fits today's tables and questions: it is measured seldom, and breaks unseen."""
# SPDX-License-Identifier: ISC
import contextlib
import pathlib
import sys
import types

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"

DEPLOYMENTS = 30
CONFIRMS = 2    # the second asks whether what is live is deployed again


@pytest.fixture(name="bench")
def fixture_bench(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    script = tmp_path / "lines"
    script.write_text("#!/bin/sh\necho began 1\n", encoding="ascii")
    script.chmod(0o755)

    def new_folder(name):
        folder = tmp_path / name
        folder.mkdir()
        return folder
    return types.SimpleNamespace(new_folder=new_folder, lines=script)


@pytest.mark.long
def test_a_server_starts_on_the_history_that_is_measured(bench):
    from bench_history import fill
    from bench_push import count_rows
    from bench_start import Starter
    import kit
    with kit.Stage(bench.new_folder("start"), deliver=True) as stage, contextlib.closing(Starter(stage)) as starter:
        starter.stop()
        fill(stage, 2 * DEPLOYMENTS, DEPLOYMENTS)
        starter.start_ms()
        assert count_rows(stage, "release WHERE number > 1") == DEPLOYMENTS - 2


@pytest.mark.long
def test_the_questions_that_are_confirmed_start_their_runs(bench):
    from bench_start import Presser, begin_run, stage_with_script, wait_for_end
    with stage_with_script(bench, "confirm", bench.lines) as stage, contextlib.closing(Presser(stage)) as presser:
        logs = []
        for _ in range(CONFIRMS):
            logs.append(begin_run(stage, presser)[1])
            wait_for_end(stage)
        assert len(set(logs)) == CONFIRMS
