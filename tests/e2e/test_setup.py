"""Goal: deploybot-setup ends in an installation to which everything is there, and until then changes nothing."""
# SPDX-License-Identifier: ISC
import pytest

from setup_aid import SetupBench
from ssh_aid import until_at_rest
from telegram_client import Telegram


@pytest.fixture(scope="module")
def chat():
    with Telegram.start("--local", "--limits", "off") as made:
        yield made


@pytest.fixture
def bench(tmp_path, tools_folder, chat):
    yield from until_at_rest(SetupBench(tmp_path, tools_folder, chat))


def test_a_file_of_answers_ends_in_a_target_where_all_is_there(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    assert "all is there" in said and "/deploy staging" in said
