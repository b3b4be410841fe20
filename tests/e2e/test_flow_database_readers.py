"""Goal: whoever only reads the database does so at a DATABASE_URL too, by a role that may not write: doctor, audit,
policy, secrets; and doctor says what is wrong with a server of PostgreSQL.  Drives the real programs beside a real
PostgreSQL."""
# SPDX-License-Identifier: ISC
import contextlib
import pathlib
import signal

import pytest

from ops_aid import bare
from postgresql_aid import PostgreSQL
from stage import free_port, wait_until

PASSWORD = "canary-of-the-database-6Xk2Vw9Rt4Zp"
SCRIPTS = {"DEPLOY_TRANSPORT": None, "STAGING_PORT": None, "PRODUCTION_PORT": None,
           "DEPLOY_SCRIPT": "/bin/true", "ROLLBACK_SCRIPT": "/bin/true"}
EXPLAIN = ("policy", "explain", "token:nobody", "status", "staging")
READERS = {("audit", "verify"): 0, ("audit", "search"): 0, ("audit", "show", "1"): 0, ("policy", "report"): 0,
           EXPLAIN: 1, ("secrets", "check"): 0}


@pytest.fixture(scope="module", name="database")
def make_database():
    made = PostgreSQL()
    # Its own commits wait for no other machine, whatever a test makes the readers see.
    made.sql("ALTER ROLE deploybot SET synchronous_commit = local; CREATE ROLE deploybot_read LOGIN")
    yield made
    made.close()


def server(database, folder, name="server-a"):
    return bare(folder, DATABASE_URL=f"{database.url}&password={PASSWORD}", SERVER_NAME=name,
                LOCAL_SOCKET=str(folder / "local.sock"), **SCRIPTS)


@pytest.fixture(scope="module", name="bot")
def make_bot(database, tmp_path_factory):
    made = server(database, tmp_path_factory.mktemp("readers"))
    said = made.run("doctor").stdout
    assert "store: the database of DATABASE_URL answers; its tables are made at the first start" in said, said
    assert "deploybot does not run" not in said
    made.start()
    wait_until(lambda: "\ndeploybot_is_leader 1\n" in made.metrics(), what="a leader")
    # As `deploybot database prepare` says it.
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO deploybot_read")
    yield made
    made.stop()


@contextlib.contextmanager
def url_of(bot, url):
    """Its subcommands ask that database."""
    own = bot.settings["DATABASE_URL"]
    bot.settings["DATABASE_URL"] = url
    try:
        yield bot
    finally:
        bot.settings["DATABASE_URL"] = own


@pytest.fixture(name="reader")
def make_reader(database, bot):
    with url_of(bot, f"{database.url.replace('user=deploybot', 'user=deploybot_read')}&password={PASSWORD}"):
        yield bot


def clean(done):
    """Shows nothing of the URL."""
    for text in (done.stdout, done.stderr):
        assert PASSWORD not in text and "postgresql://" not in text, text
    return done


def doctor(bot):
    return clean(bot.run("doctor")).stdout


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_role_that_may_only_read_is_enough(reader, words):
    done = clean(reader.run(*words))
    assert done.returncode == READERS[words] and not done.stderr, done


def test_doctor_is_enough_with_that_role_and_says_who_leads(reader):
    said = doctor(reader)
    assert "ok       store: the database of DATABASE_URL answers\n" in said
    assert "the database's, and a server whose clock" not in said
    assert "ok       servers: server-a leads since 20" in said and "; this one is server-a" in said
    assert "error    store" not in said and "deploybot.db" not in said and "superuser" not in said


def test_the_audit_is_verified_as_it_was_in_one_moment(database, reader):
    """The table that is read last says so."""
    database.sql("""CREATE SCHEMA watched; GRANT USAGE ON SCHEMA watched TO deploybot_read;
        CREATE FUNCTION watched.is_one_moment() RETURNS boolean LANGUAGE plpgsql COST 0.001 AS $$ BEGIN
        IF current_setting('transaction_isolation') <> 'repeatable read' THEN RAISE 'not of one moment'; END IF;
        RETURN current_setting('transaction_read_only') = 'on'; END $$;
        CREATE VIEW watched.leader AS SELECT * FROM public.leader WHERE watched.is_one_moment();
        GRANT SELECT ON watched.leader TO deploybot_read;
        ALTER ROLE deploybot_read SET search_path = watched, public""")
    try:
        done = clean(reader.run("audit", "verify"))
    finally:
        database.sql("ALTER ROLE deploybot_read RESET ALL; DROP SCHEMA watched CASCADE")
    assert done.returncode == 0 and done.stdout.startswith("ok: "), done


def test_a_superuser_is_named(bot):
    assert "warning  database: deploybot, the role of DATABASE_URL, is a superuser" in doctor(bot)


def test_one_machine_is_a_warning_until_commits_wait_for_another(database, reader):
    """No machine b is there: whose commits wait for it waits for ever, but the server's do not (make_database)."""
    def reload(setting):
        database.sql(f"ALTER SYSTEM {setting}")
        database.sql("SELECT pg_reload_conf()")

    assert "warning  database: one machine" in doctor(reader)
    reload("SET synchronous_standby_names = 'b'")
    try:
        wait_until(lambda: "one machine" not in doctor(reader), what="the setting")
        database.sql("ALTER ROLE deploybot_read SET synchronous_commit = 'local'")
        assert "warning  database: one machine" in doctor(reader)
    finally:
        reload("RESET synchronous_standby_names")
        database.sql("ALTER ROLE deploybot_read RESET ALL")


def test_a_clock_that_differs_from_the_database_s_is_an_error(database, reader):
    """The database's is an hour ahead, to that role."""
    database.sql("CREATE SCHEMA wrong; GRANT USAGE ON SCHEMA wrong TO deploybot_read;"
                 " CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
                 " AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$;"
                 " ALTER ROLE deploybot_read SET search_path = wrong, pg_catalog, public")
    try:
        said = doctor(reader)
    finally:
        database.sql("ALTER ROLE deploybot_read RESET ALL; DROP SCHEMA wrong CASCADE")
    assert "error    clock: it is 3599 s behind the database's" in said \
        or "error    clock: it is 3600 s behind the database's" in said, said


def test_without_rights_doctor_says_so_and_names_no_backup(database, bot):
    database.sql("CREATE ROLE nobody_here LOGIN")
    with url_of(bot, database.url.replace("user=deploybot", "user=nobody_here")):
        said = doctor(bot)
        assert "error    store: database: 42501 permission denied for table schema_version" in said, said
        assert "backup" not in said.split("error    store", 1)[1].split("\n")[0]
        done = clean(bot.run("audit", "verify"))
        assert done.returncode == 78 and done.stderr.count("\n") == 1, done


def test_another_encoding_is_refused_by_name(database, bot):
    database.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with url_of(bot, database.url.replace("/postgres?", "/latin?")):
        assert "error    store: the database latin is encoded in LATIN1: make one with ENCODING 'UTF8'" in doctor(bot)


def test_another_application_s_database_is_refused_by_name_and_an_empty_one_is_said(database, bot):
    database.sql("CREATE DATABASE shop2")
    shop = database.url.replace("/postgres?", "/shop2?")
    with url_of(bot, shop):
        assert "schema:   0: it is empty" in bot.run("database", "status").stdout
        for words in (("hand-over",), ("audit", "verify")):
            said = bot.run(*words).stderr
            assert "the database is empty: is DATABASE_URL right?" in said and "42P01" not in said, said
        database.sql("CREATE TABLE orders (id int); CREATE TABLE leader (who int)", shop)
        words = "the database shop2 has tables that are not deploybot's (leader, orders): is DATABASE_URL right?"
        assert f"serve:    refused: {words}" in bot.run("database", "status").stdout
        assert f"error    store: {words}" in doctor(bot)
        assert words in bot.run("hand-over").stderr
    assert "deploybot" not in database.sql("SELECT count(*) FROM pg_class WHERE relname = 'server'", shop)


def test_a_database_that_does_not_answer_is_said_once(bot):
    with url_of(bot, f"postgres://deploybot:{PASSWORD}@127.0.0.1:{free_port()}/deploybot"):
        said = doctor(bot)
        assert said.count("connecting to the database: ") == 1
        assert "Connection refused: is the name right, does it run, and let this machine in?" in said
        for words, status in ((("audit", "verify"), 74), (("audit", "search"), 74), (("policy", "report"), 0),
                              (EXPLAIN, 74), (("secrets", "check"), 0)):
            done = clean(bot.run(*words))
            assert done.returncode == status, done
            assert done.stderr.count("connecting to the database: ") == 1, done.stderr


def test_a_standby_s_own_log_is_behind_and_that_is_no_error(database, bot, tmp_path):
    other = server(database, tmp_path, "server-b")
    other.start(wait=False)
    try:
        wait_until(lambda: "standby of server-a, which leads since" in other.log(), what="a standby")
        done = clean(other.run("audit", "verify"))
        assert done.returncode == 0 and done.stdout.startswith("note: the newest "), done
        assert "another server leads, and has them in its own" in done.stdout
        assert "; this one is server-b" in doctor(other)
        assert " entries of the database are not in " not in clean(other.run("doctor", "--production")).stdout
    finally:
        other.stop()
    (pathlib.Path(bot.settings["AUDIT_LOG_PATH"])).rename(tmp_path / "moved")
    try:
        assert bot.run("audit", "verify").returncode == 1    # whoever leads has no such reason
    finally:
        (tmp_path / "moved").rename(bot.settings["AUDIT_LOG_PATH"])


def test_what_differs_between_the_servers_is_named_and_shown_nowhere(database, bot, tmp_path):
    same = "auth-token-secret-of-both-4kQ8Zt2LmX7vW9pB"
    other = server(database, tmp_path, "server-b")
    other.settings.update(DEPLOY_TIMEOUT_SECONDS="77", AUTH_TOKEN_SECRET=same, ENABLE_TOKEN_AUTH="true",
                          TELEGRAM_WEBHOOK_URL=bot.settings["TELEGRAM_WEBHOOK_URL"])
    key = tmp_path / "state/secret-marks.key"

    def row(column):
        return database.sql(f"SELECT {column} FROM server WHERE name = 'server-b'")

    def differing():
        said = [line for line in doctor(bot).split("\n") if "servers: server-b goes by other values" in line]
        return said[0].partition(" stand here of ")[2].partition(":")[0] if said else ""
    database.sql("DELETE FROM server WHERE name = 'server-b'")     # of a test before
    other.start(wait=False)
    try:
        wait_until(lambda: row("name"), what="its row")
        assert set(differing().split(", ")) == {"DEPLOY_TIMEOUT_SECONDS", "ENABLE_TOKEN_AUTH", "secret-marks.key"}
        assert "server-b is not connected" not in doctor(bot) and "server-b is of version" not in doctor(bot)
        assert same not in row("marks") and "77" not in row("marks").split("DEPLOY_TIMEOUT_SECONDS=")[1][:2]
        other.stop()
        for name in ("DEPLOY_TIMEOUT_SECONDS", "AUTH_TOKEN_SECRET", "ENABLE_TOKEN_AUTH"):
            del other.settings[name]
        key.write_bytes((bot.folder / "state/secret-marks.key").read_bytes())
        other.start(wait=False)
        wait_until(lambda: differing() == "", what="its new row")
        other.stop()
        other.settings["GITHUB_WEBHOOK_SECRET"] = same
        other.start(wait=False)
        wait_until(lambda: differing() == "GITHUB_WEBHOOK_SECRET", what="its new row")
        assert same not in row("marks")
    finally:
        other.stop()
    database.sql("UPDATE server SET marks = marks || ' LOCAL_ADA_IS/uid=00000000' WHERE name = 'server-b'")
    assert differing() == "GITHUB_WEBHOOK_SECRET, LOCAL_ADA_IS/uid"
    database.sql("UPDATE server SET seen = seen - 90000, version = '0.0.9' WHERE name = 'server-b'")
    assert differing() == ""    # a version that knows users by no number
    database.sql("UPDATE server SET marks = 'A_B=00000000 ' || marks WHERE name = 'server-b'")
    assert differing() == "A_B"
    said = doctor(bot)
    assert "warning  servers: server-b is not connected to the database: it was last seen 1 min ago" in said
    assert "warning  servers: server-b is of version 0.0.9, and this one of " in said
    database.sql("DELETE FROM server WHERE name = 'server-b'")


def test_settings_that_are_read_anew_are_in_its_row(database, tmp_path):
    database.sql("CREATE DATABASE anew")
    bot = server(database, tmp_path).use_file()
    env = tmp_path / ".env"
    env.write_text(env.read_text("utf-8").replace("/postgres?", "/anew?"), "utf-8")
    bot.start()
    try:
        wait_until(lambda: "\ndeploybot_is_leader 1\n" in bot.metrics(), what="a leader")
        env.write_text(env.read_text("utf-8") + "DEPLOY_TIMEOUT_SECONDS=77\n", "utf-8")
        bot.process.send_signal(signal.SIGHUP)
        anew = database.url.replace("/postgres?", "/anew?")
        wait_until(lambda: "DEPLOY_TIMEOUT_SECONDS=" in database.sql("SELECT marks FROM server", anew), what="its row")
    finally:
        bot.stop()


def test_a_file_that_was_left_beside_it_is_said_until_it_is_moved(database, tmp_path):
    database.sql("CREATE DATABASE beside")
    bot = bare(tmp_path, LOCAL_SOCKET=str(tmp_path / "local.sock"), **SCRIPTS)
    bot.start()
    wait_until(lambda: bot.audit(action="server_started"), what="its start")
    bot.stop()
    (tmp_path / "audit.log").unlink()
    bot.settings.update(DATABASE_URL=database.url.replace("/postgres?", "/beside?"), SERVER_NAME="server-a")
    words = f"{tmp_path}/state/deploybot.db has entries of the audit that the database of DATABASE_URL has not"
    assert f"warning  store: {words}" in doctor(bot)
    before = len(bot.log())     # nothing is begun anew beside what is only to be taken along
    bot.start(wait=False)
    assert bot.process.wait(30) == 78 and words in bot.log()[before:]
    for is_there in (False, True):
        file, away = tmp_path / "state/deploybot.db", tmp_path / "away.db"
        (away if is_there else file).rename(file if is_there else away)
        before = len(bot.log())
        bot.start()
        wait_until(lambda: "\ndeploybot_is_leader 1\n" in bot.metrics(), what="a leader")
        assert (words in bot.log()[before:]) == is_there
        assert (words in doctor(bot)) == is_there
        bot.stop()
