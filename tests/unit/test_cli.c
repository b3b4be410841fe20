/* Goal: the command line finds its subcommand, and says what is wrong with it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/version.h"
#include "routes/route_health.h"
#include "tests/unit/cli_capture.h"

#define NOBODY 65534

struct world {
	char folder[64];
	char env_file[96];
	char text[8192];
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_cli.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->env_file, sizeof(w->env_file), "%s/env", w->folder);
	*state = w;
	return clearenv() | chdir(w->folder); /* nothing of ours, and no .env */
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	(void)unlink(w->env_file);
	(void)unlink(".env");
	assert_int_equal(chdir("/"), 0);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

static void
write_env(struct world *w, const char *more)
{
	char text[1024];
	int size = snprintf(text, sizeof(text),
	    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
	    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s/state\n%s",
	    w->folder, more);

	assert_true(file_write(w->env_file, text, (size_t)size, 0600, NULL));
}

#define RUN(w, ...) cli_capture((const char *const[]){ __VA_ARGS__, NULL }, (w)->text)

static bool
said(const struct world *w, const char *what)
{
	return strstr(w->text, what) != NULL;
}

static void
without_a_word_it_serves(void **state)
{
	struct world *w = *state;

	assert_int_equal(cli_capture((const char *const[]){ NULL }, w->text), 77);
	assert_int_equal(RUN(w, "serve"), 77);
	assert_int_equal(RUN(w, "--env-file", "x", "serve"), 77);
	assert_int_equal(RUN(w, "--env-file=x"), 77);
}

static void
help_and_version_are_printed(void **state)
{
	static const char *const words[] = { "serve", "doctor", "check-config", "config-example",
		"healthcheck", "webhook", "audit", "backup", "version" };
	struct world *w = *state;
	char wanted[100];

	assert_int_equal(RUN(w, "--help"), EX_OK);
	for (size_t i = 0; i < COUNT(words); i++)
		assert_true(said(w, words[i]));
	assert_int_equal(RUN(w, "help"), EX_OK);
	assert_int_equal(RUN(w, "doctor", "--help"), EX_OK);
	assert_true(said(w, "Usage"));
	assert_int_equal(RUN(w, "version"), EX_OK);
	(void)snprintf(wanted, sizeof(wanted), "deploybot %s\n", version_text);
	assert_string_equal(w->text, wanted);
	assert_int_equal(RUN(w, "--version"), EX_OK);
}

static void
a_wrong_word_is_told_with_the_nearest_one(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN(w, "docter"), EX_USAGE);
	assert_true(said(w, "did you mean \"doctor\"?"));
	assert_int_equal(RUN(w, "frobnicate"), EX_USAGE);
	assert_false(said(w, "did you mean"));
	assert_int_equal(RUN(w, "--frobnicate"), EX_USAGE);
	assert_int_equal(RUN(w, "--env-file"), EX_USAGE);
	assert_int_equal(RUN(w, "version", "x"), EX_USAGE);
	assert_int_equal(RUN(w, "webhook"), EX_USAGE);
	assert_int_equal(RUN(w, "webhook", "drop"), EX_USAGE);
	assert_int_equal(RUN(w, "audit"), EX_USAGE);
	assert_int_equal(RUN(w, "audit", "verify", "x"), EX_USAGE);
}

static void
check_config_names_every_wrong_line_and_exits_78(void **state)
{
	struct world *w = *state;

	write_env(w, "");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "check-config"), EX_OK);
	assert_true(said(w, "ok: the settings are valid"));
	assert_false(said(w, "AAaaBB"));
	write_env(w, "HEALTH_CHECK_RETRIES=x\nAPI_SERVER_PORT=99999\n");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "check-config"), EX_CONFIG);
	assert_true(said(w, "HEALTH_CHECK_RETRIES") && said(w, "API_SERVER_PORT"));
	assert_int_equal(RUN(w, "--env-file", "/nowhere/env", "check-config"), EX_CONFIG);
	assert_int_equal(RUN(w, "check-config"), EX_CONFIG);
	assert_true(said(w, "TELEGRAM_BOT_TOKEN") && said(w, "ADMIN_TELEGRAM_IDS"));
}

static void
dot_env_is_read_when_it_is_there(void **state)
{
	struct world *w = *state;

	write_env(w, "");
	assert_int_equal(rename(w->env_file, ".env"), 0);
	assert_int_equal(RUN(w, "check-config"), EX_OK);
}

/* `sudo -u deploybot deploybot doctor`, typed in a home of mode 0700: that the .env in it cannot be
 * looked for is no reason to ask for one. */
static void
a_folder_that_may_not_be_entered_is_not_asked_for_settings(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	assert_int_equal(chmod(w->folder, 0), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
			_exit(2);
		(void)RUN(w, "check-config");
		_exit(said(w, ".env:") || said(w, "file: .env") ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(w->folder, 0700), 0);
	assert_int_equal(status, 0);
}

/* A child that serves /healthz on that address until it is killed. */
static pid_t
serve_health(const char *listen, uint16_t *ret_port)
{
	struct http_route route = route_health_live();
	const struct http_server_config config = { .routes = &route, .route_count = 1 };
	struct loop *loop = loop_new(NULL);
	struct err err;
	struct http_server *server = http_server_new(loop, &config, listen, &err);
	pid_t pid;

	if (server == NULL)
		fail_msg("%s", err.text);
	*ret_port = http_server_port(server);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		loop_run(loop);
		_exit(0);
	}
	return pid;
}

static void
healthcheck_is_0_while_the_server_answers_and_1_when_it_is_gone(void **state)
{
	struct world *w = *state;
	char more[96];
	uint16_t port;
	int pipe_fds[2];
	pid_t pid, holder;

	/* The server is made in a process of its own: its socket must close with it. */
	assert_int_equal(pipe(pipe_fds), 0);
	holder = fork();
	if (holder == 0) {
		pid = serve_health("127.0.0.1:0", &port);
		assert_int_equal(write(pipe_fds[1], &port, sizeof(port)), sizeof(port));
		assert_int_equal(write(pipe_fds[1], &pid, sizeof(pid)), sizeof(pid));
		_exit(0);
	}
	assert_int_equal(read(pipe_fds[0], &port, sizeof(port)), sizeof(port));
	assert_int_equal(read(pipe_fds[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	(void)snprintf(more, sizeof(more), "API_SERVER_PORT=%u\n", port);
	write_env(w, more);
	assert_int_equal(RUN(w, "--env-file", w->env_file, "healthcheck"), EX_OK);
	(void)snprintf(more, sizeof(more), "LISTEN_ADDRESS=0.0.0.0\nAPI_SERVER_PORT=%u\n", port);
	write_env(w, more);
	assert_int_equal(RUN(w, "--env-file", w->env_file, "healthcheck"), EX_OK);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	while (kill(pid, 0) == 0 && RUN(w, "--env-file", w->env_file, "healthcheck") == EX_OK)
		;
	assert_int_equal(RUN(w, "--env-file", w->env_file, "healthcheck"), 1);
	assert_true(said(w, "no process listens"));
}

static void
audit_verify_without_a_database_says_so(void **state)
{
	struct world *w = *state;

	write_env(w, "");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "audit", "verify"), 1);
	assert_true(said(w, "there is no database"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_word_it_serves),
		TEST(help_and_version_are_printed),
		TEST(a_wrong_word_is_told_with_the_nearest_one),
		TEST(check_config_names_every_wrong_line_and_exits_78),
		TEST(dot_env_is_read_when_it_is_there),
		TEST(a_folder_that_may_not_be_entered_is_not_asked_for_settings),
		TEST(healthcheck_is_0_while_the_server_answers_and_1_when_it_is_gone),
		TEST(audit_verify_without_a_database_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
