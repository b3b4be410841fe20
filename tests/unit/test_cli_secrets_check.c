/* Goal: `secrets check` says what is wrong with a secret, and what is not known of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base.h"

#include "unit.h"
#include "lib/file.h"
#include "tests/unit/cli_capture.h"

#define NOBODY 65534
#define DAY    (24 * 3600)

struct world {
	char folder[64];
	char env_file[96], secret[96], vault[96], key[112];
	char text[8192];
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_secrets.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->env_file, sizeof(w->env_file), "%s/env", w->folder);
	(void)snprintf(w->secret, sizeof(w->secret), "%s/previous", w->folder);
	(void)snprintf(w->vault, sizeof(w->vault), "%s/vault", w->folder);
	(void)snprintf(w->key, sizeof(w->key), "%s/key", w->vault);
	assert_int_equal(mkdir(w->vault, 0700), 0);
	*state = w;
	return clearenv() | chdir(w->folder);
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	(void)unlink(w->env_file);
	(void)unlink(w->secret);
	(void)unlink(w->key);
	(void)rmdir(w->vault);
	assert_int_equal(chdir("/") | rmdir(w->folder), 0);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

/* With the key in the vault, there or not, and these lines; the exit status. */
static int
check(struct world *w, const char *flag, const char *more)
{
	char text[1024];
	int size = snprintf(text, sizeof(text),
	    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
	    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s/state\n"
	    "REGISTRY_URL=registry.example.org\nSTAGING_HOST=a\nPRODUCTION_HOST=b\n"
	    "LISTEN_ADDRESS=/run/x\nSSH_KEY_PATH=%s\n%s",
	    w->folder, w->key, more);

	assert_true(file_write(w->env_file, text, (size_t)size, 0600, NULL));
	return cli_capture(
	    (const char *const[]){ "--env-file", w->env_file, "secrets", "check", flag, NULL },
	    w->text);
}

static bool
said(const struct world *w, const char *what)
{
	return strstr(w->text, what) != NULL;
}

/* Of that age, and of a mode. */
static void
write_file(const char *path, const char *text, int days, mode_t mode)
{
	struct timespec now, then[2];

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	then[0] = then[1] = (struct timespec){ .tv_sec = now.tv_sec - days * DAY };
	assert_true(file_write(path, text, strlen(text), mode, NULL));
	assert_int_equal(utimensat(-1, path, then, 0), 0);
}

SCENE_TEST(a_missing_key_is_a_problem_that_says_whose_file_it_is_to_be)
{
	assert_int_equal(check(w, NULL, "RUNNER_SOCKET=/run/runner.sock\n"), 1);
	assert_true(said(w,
	    "vault/key (missing), age not known\n"
	    "    warning: SSH_KEY_PATH: the file is missing: put it there, owner "
	    "deploybot-runner, mode 0600\n"));
	assert_int_equal(check(w, NULL, ""), 1);
	assert_true(said(w, "put it there, owner deploybot, mode 0600\n"));
	assert_int_equal(check(w, "--json", ""), 1);
	assert_true(said(w, "\"problem\":\"the file is missing"));
}

SCENE_TEST(a_fetched_key_that_is_missing_is_made_by_fetch)
{
	(void)snprintf(w->key, sizeof(w->key), "/run/deploybot/secrets/runner/NO_SUCH");
	assert_int_equal(check(w, NULL, ""), 1);
	assert_true(said(w, "the file is missing: deploybot secrets fetch makes it\n"));
}

/* Of credentials nothing is said: they are there while their service runs. */
SCENE_TEST(a_credential_of_a_service_that_does_not_run_is_no_problem)
{
	(void)snprintf(w->key, sizeof(w->key), "/run/credentials/no.service/key");
	assert_int_equal(check(w, NULL, ""), EX_OK);
	assert_true(said(w, "no.service/key (missing)"));
}

SCENE_TEST(what_the_runners_container_has_under_our_path_is_not_missing)
{
	/* Regression: each of the runner's keys was to be put into the server's folder. */

	(void)snprintf(w->key, sizeof(w->key), "/run/secrets/no_such_key");
	assert_int_equal(check(w, NULL, "RUNNER_SOCKET=/run/runner.sock\n"), EX_OK);
	assert_true(said(w, "/run/secrets/no_such_key (not visible to this user)"));
	assert_int_equal(check(w, NULL, ""), 1);
	assert_true(said(w, "the file is missing"));
}

SCENE_TEST(a_key_that_this_user_may_not_see_is_not_missing)
{
	int status;
	pid_t pid;

	write_file(w->key, "k", 0, 0600);
	(void)check(w, NULL, "");
	assert_true(said(w, "(0600, read by "));
	assert_int_equal(chmod(w->vault, 0) | chmod(w->folder, 0711), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (chown(w->folder, NOBODY, NOBODY) != 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) != 0))
			_exit(2);
		(void)unlink(w->env_file);
		_exit(
		    check(w, NULL, "") == EX_OK && said(w, "vault/key (not visible to this user)") ?
			0 :
			1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(w->vault, 0700), 0);
	assert_int_equal(status, 0);
}

SCENE_TEST(a_key_that_others_may_read_says_whose_it_is_to_be)
{
	write_file(w->key, "k", 0, 0640);
	assert_int_equal(check(w, NULL, "RUNNER_SOCKET=/run/runner.sock\n"), 1);
	assert_true(said(w,
	    "    warning: SSH_KEY_PATH: its group may read or change the file: "
	    "chmod 600 it, owner deploybot-runner\n"));
}

SCENE_TEST(without_the_servers_rows_nothing_is_said_of_who_uses_a_previous_value)
{
	char line[200];

	write_file(w->key, "k", 0, 0600);
	write_file(w->secret, "0123456789abcdef0123456789abcdef\n", 30, 0600);
	(void)snprintf(line, sizeof(line),
	    "GITHUB_WEBHOOK_SECRET=fedcba9876543210fedcba9876543210\n"
	    "GITHUB_WEBHOOK_SECRET_PREVIOUS_FILE=%s\n",
	    w->secret);
	assert_int_equal(check(w, NULL, line), EX_OK);
	assert_true(said(w, "ages are not known") && said(w, "30 days old by the file's date"));
	assert_true(said(w,
	    "    GITHUB_WEBHOOK_SECRET_PREVIOUS is accepted too; when it was used "
	    "last is not known\n"));
	assert_false(said(w, "never used") || said(w, "warning: GITHUB"));
	assert_int_equal(check(w, "--json", line), EX_OK);
	assert_true(
	    said(w, "\"is_previous\":true,\"used_at\":null,\"uses\":null,\"problem\":null"));
}
