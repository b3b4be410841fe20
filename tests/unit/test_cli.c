/* Goal: the command line finds its subcommand, and says what is wrong with it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/version.h"
#include "routes/route_health.h"
#include "tests/unit/cli_capture.h"
#include "unit.h"

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

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

/* Settings that nothing is wrong with, but for a name that stands in `more`. */
static void
write_env(struct world *w, const char *more)
{
	static const char *const lines[] = { "REGISTRY_URL=registry.example.org", "STAGING_HOST=a",
		"PRODUCTION_HOST=b", "LISTEN_ADDRESS=/run/x" };
	char text[1024], name[32];
	int size = snprintf(text, sizeof(text),
	    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
	    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s/state\n%s",
	    w->folder, more);

	for (size_t i = 0; i < COUNT(lines); i++) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(lines[i], "="), lines[i]);
		if (strstr(more, name) == NULL && (i < 3 || strstr(more, "_PORT") == NULL))
			size +=
			    snprintf(text + size, sizeof(text) - (size_t)size, "%s\n", lines[i]);
	}
	assert_true(file_write(w->env_file, text, (size_t)size, 0600, NULL));
}

#define RUN(w, ...) cli_capture((const char *const[]){ __VA_ARGS__, NULL }, (w)->text)

static bool
said(const struct world *w, const char *what)
{
	return strstr(w->text, what) != NULL;
}

SCENE_TEST(without_a_word_it_serves)
{
	assert_int_equal(cli_capture((const char *const[]){ NULL }, w->text), 77);
	assert_int_equal(RUN(w, "serve"), 77);
	assert_int_equal(RUN(w, "--env-file", "x", "serve"), 77);
	assert_int_equal(RUN(w, "--env-file=x"), 77);
}

SCENE_TEST(help_and_version_are_printed)
{
	static const char *const words[] = { "serve", "doctor", "check-config", "config-example",
		"healthcheck", "webhook", "audit", "backup", "version" };
	char wanted[100];

	assert_int_equal(RUN(w, "--help"), EX_OK);
	for (size_t i = 0; i < COUNT(words); i++)
		assert_true(said(w, words[i]));
	assert_true(said(w, "deploybot-setup"));
	assert_int_equal(RUN(w, "help"), EX_OK);
	assert_int_equal(RUN(w, "doctor", "--help"), EX_OK);
	assert_true(said(w, "Usage"));
	assert_int_equal(RUN(w, "version"), EX_OK);
	(void)snprintf(wanted, sizeof(wanted), "deploybot %s\n", version_text);
	assert_string_equal(w->text, wanted);
	assert_int_equal(RUN(w, "--version"), EX_OK);
	assert_int_equal(RUN(w, "-V"), EX_OK);
	assert_string_equal(w->text, wanted);
	assert_int_equal(RUN(w, "help", "check-config"), EX_OK);
	assert_true(said(w, "check-config [--json] [--production]\nCheck the settings"));
	assert_int_equal(RUN(w, "help", "deploy"), EX_OK); /* one of the chat */
	assert_true(said(w, " deploy <environment>") && said(w, "[--wait]"));
	assert_int_equal(RUN(w, "-v"), EX_OK);
	assert_string_equal(w->text, wanted);
	assert_int_equal(RUN(w, "help", "deploy", "staging"), EX_USAGE);
	assert_true(said(w, "help: staging: expected nothing behind \"deploy\"\n"));
	assert_int_equal(RUN(w, "help", "audit", "foo"), EX_USAGE);
	assert_true(said(w, "audit: there is no \"foo\"\n"));
	assert_int_equal(RUN(w, "help", "audit", "verfy"), EX_USAGE);
	assert_true(said(w, "audit: there is no \"verfy\"; did you mean \"verify\"?\n"));
	assert_int_equal(RUN(w, "help", "adit", "tail"), EX_USAGE);
	assert_true(said(w, "there is no command \"adit\"; did you mean \"audit\"?\n"));
}

SCENE_TEST(a_wrong_word_is_told_with_the_nearest_one)
{
	assert_int_equal(RUN(w, "docter"), EX_USAGE);
	assert_true(said(w, "did you mean \"doctor\"?"));
	assert_int_equal(RUN(w, "rolback"), EX_USAGE); /* of the chat */
	assert_true(said(w, "did you mean \"rollback\"?"));
	assert_int_equal(RUN(w, "setup"), EX_USAGE);
	assert_true(said(
	    w, "there is no command \"setup\"; it is a program of its own: deploybot-setup\n"));
	assert_int_equal(RUN(w, "help", "docter"), EX_USAGE);
	assert_true(said(w, "did you mean \"doctor\"?"));
	assert_int_equal(RUN(w, "doctor", "--jsn"), EX_USAGE);
	assert_true(said(w, "there is no option \"--jsn\"; did you mean \"--json\"?"));
	assert_int_equal(RUN(w, "check-config", "--json", "--json"), EX_USAGE);
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

SCENE_TEST(check_config_names_every_wrong_line_and_exits_78)
{
	write_env(w, "");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "check-config"), EX_OK);
	assert_true(said(w, "ok: the settings are valid"));
	assert_false(said(w, "AAaaBB"));
	write_env(w, "LOG_LEVLE=debug\nCOMPLETELY_DIFFERENT=1\n");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "check-config"), EX_OK);
	assert_true(said(w, "ok: the settings are valid, with 2 warnings above; the network"));
	write_env(w, "HEALTH_CHECK_RETRIES=x\nAPI_SERVER_PORT=99999\n");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "check-config"), EX_CONFIG);
	assert_true(said(w, "HEALTH_CHECK_RETRIES") && said(w, "API_SERVER_PORT"));
	assert_int_equal(RUN(w, "--env-file", "/nowhere/env", "check-config"), EX_CONFIG);
	assert_int_equal(RUN(w, "check-config"), EX_CONFIG);
	assert_true(said(w, "TELEGRAM_BOT_TOKEN") && said(w, "ADMIN_TELEGRAM_IDS"));
}

/* Each of these was "ok". */
SCENE_TEST(check_config_is_not_content_with_what_comes_to_nothing)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "#STAGING_HOST\n", "STAGING_HOST: is not set" },
		{ "#REGISTRY_URL\n", "REGISTRY_URL: is not set" },
		{ "TELEGRAM_WEBHOOK_URL=http://d.example.org/telegram/webhook\n"
		  "TELEGRAM_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n",
		    "TELEGRAM_WEBHOOK_URL: is http" },
		{ "TELEGRAM_WEBHOOK_URL=https://d.example.org\n"
		  "TELEGRAM_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n",
		    "TELEGRAM_WEBHOOK_URL: has no path" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		write_env(w, cases[i].line);
		assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_CONFIG);
		if (!said(w, cases[i].says))
			fail_msg("%s: %s", cases[i].line, w->text);
		assert_true(said(w, "The server starts with these settings"));
		assert_false(said(w, "ok: the settings"));
	}
}

/* Who wrote them sees whether they have arrived, on lines that a terminal shows. */
SCENE_TEST(check_config_says_what_protects)
{
	static const char more[] =
	    "PRODUCTION_APPROVALS=2\nPRODUCTION_ROLLBACK_APPROVALS=1\nPRODUCTION_APPROVERS=lead\n"
	    "REQUIRE_OTP=deploy:production,do:client/*\nTOTP_KEY_FILE=%s/env\n"
	    "CLIENTS=acme\nCLIENT_ACME_HOST=web@acme.example\nCLIENT_ACME_WEB_UNIT=web.service\n"
	    "CLIENT_ACME_ACTIONS=disk-free,restart-web,reload-nginx,service-status\n"
	    "CLIENT_ACME_APPROVALS=1\nROLE_LEAD_IDS=\"222,333,444 until 2020-01-31\"\n"
	    "ROLE_LEAD_MAY=approve:*,approve:client/*\nJOB_MIGRATE=bin/migrate\nJOB_SEED=bin/seed\n"
	    "STAGING_REQUIRE_CI=\"ci.yml, lint.yml\"\nGITHUB_API_TOKEN=ghp_0123456789abcdef\n"
	    "ENABLE_API_SERVER=true\nPUBLIC_URL=https://bot.example\nWORKFLOW_SHOP_MAY=\"gate:production, deploy:staging\"\n"
	    "WORKFLOW_SHOP_IS=\"github 456789 release.yml@refs/heads/main\"\n";
	char text[2048];

	write_env(w, "");
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_OK);
	assert_true(said(w,
	    "\napprove:  staging none; production none\n"
	    "codes:    nothing needs one (REQUIRE_OTP)\nroles:    admin 1\nok: "));
	(void)snprintf(text, sizeof(text), more, w->folder);
	write_env(w, text);
	(void)RUN(w, "check-config", "--env-file", w->env_file); /* the file is no key */
	assert_true(said(w,
	    "\napprove:  staging none; production 2 approvals (1 for a rollback) by lead\n"
	    "codes:    deploy:production; do:client/*\n"
	    "roles:    admin 1; lead 2\n"
	    "clients:  acme at web@acme.example, 1 approval: service-status, disk-free,\n"
	    "          reload-nginx, restart-web\n"
	    "jobs:     migrate, seed\n"
	    "pipeline: workflow:shop is github 456789 release.yml@refs/heads/main, may\n"
	    "          gate:production, deploy:staging\n"));
	assert_true(said(w, "branch develop, by itself, after CI ci.yml, lint.yml, "));
}

/* ssh, kubernetes, systemd and local are there; the runner looks in the same folder. */
/* Another process that works on the folder, and has not that port. */
static pid_t
work_on(const char *folder, int listener)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		(void)close(listener);
		if (flock(lock, LOCK_EX) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

SCENE_TEST(a_transport_that_is_not_there_is_named)
{
	write_env(w, "DEPLOY_TRANSPORT=docker\n");
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_CONFIG);
	assert_true(said(w, "error    DEPLOY_TRANSPORT: there is no transport \"docker\""));
	write_env(w, "DEPLOY_TRANSPORT=docker\nDEPLOY_SCRIPT=/opt/own\n"); /* it may know it */
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_OK);
}

/* A socket that listens on a port of 127.0.0.1. */
static int
take_port(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

TEST_WITH(a_port_that_another_program_has_is_named, set_up, tear_down)
{
	struct world *w = *state;
	char lines[100], folder[128], wanted[60];
	uint16_t port;
	int listener = take_port(&port);
	pid_t owner;

	(void)snprintf(
	    lines, sizeof(lines), "LISTEN_ADDRESS=127.0.0.1\nAPI_SERVER_PORT=%u\n", port);
	(void)snprintf(wanted, sizeof(wanted), "API_SERVER_PORT: port %u", port);
	write_env(w, lines);
	assert_int_equal(prctl(PR_SET_NAME, "test_cli"), 0); /* valgrind has its own */
	if (access("/run/systemd/system", F_OK) != 0) {	     /* else systemd may hold it for us */
		assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_CONFIG);
		assert_true(said(w, wanted));
		assert_true(said(w, "is in use by test_cli (process "));
		assert_true(said(w, "The server does not start here now"));
	}
	/* Where a deploybot works on that folder the port may be its own: it says so itself. */
	(void)snprintf(folder, sizeof(folder), "%s/state", w->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	owner = work_on(folder, listener);
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_CONFIG);
	assert_true(said(w, "API_SERVER_PORT: deploybot runs, but port"));
	(void)kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	(void)close(listener);
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_OK);
	assert_int_equal(rmdir(folder), 0);
	write_env(w, "LISTEN_ADDRESS=192.0.2.1\n");
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_CONFIG);
	assert_true(said(w, "LISTEN_ADDRESS: 192.0.2.1 is no address of this machine"));
}

SCENE_TEST(the_settings_file_may_be_named_anywhere)
{
	char joined[120];

	write_env(w, "");
	(void)snprintf(joined, sizeof(joined), "--env-file=%s", w->env_file);
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_OK);
	assert_true(said(w, w->env_file));
	assert_int_equal(RUN(w, "check-config", joined), EX_OK);
	assert_int_equal(RUN(w, "audit", "--env-file", w->env_file, "drop"), EX_USAGE);
	assert_true(said(w, "audit verify"));
	assert_int_equal(RUN(w, "check-config", "--env-file"), EX_USAGE);
	assert_true(said(w, "--env-file needs a file"));
	assert_int_equal(RUN(w, "serve", joined), 77);
}

SCENE_TEST(each_says_whether_it_asks_the_network)
{
	write_env(w, "");
	assert_int_equal(RUN(w, "check-config", "--env-file", w->env_file), EX_OK);
	assert_true(said(w, "the network was not asked (deploybot doctor does)"));
	assert_int_equal(RUN(w, "check-config", "--help"), EX_OK);
	assert_true(said(w, "asks no network"));
	assert_int_equal(RUN(w, "doctor", "--help"), EX_OK);
	assert_true(said(w, "over the network"));
	assert_int_equal(RUN(w, "doctor", "--env-file", "/nowhere/env"), 1);
	assert_true(said(w, "; the network was not asked\n"));
}

SCENE_TEST(dot_env_is_read_when_it_is_there)
{
	write_env(w, "");
	assert_int_equal(rename(w->env_file, ".env"), 0);
	assert_int_equal(RUN(w, "check-config"), EX_OK);
}

/* `sudo -u deploybot deploybot doctor`, typed in a home of mode 0700: that the .env in it cannot be
 * looked for is no reason to ask for one. */
SCENE_TEST(a_folder_that_may_not_be_entered_is_not_asked_for_settings)
{
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

SCENE_TEST(healthcheck_is_0_while_the_server_answers_and_1_when_it_is_gone)
{
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

SCENE_TEST(audit_verify_without_a_database_says_so)
{
	write_env(w, "");
	assert_int_equal(RUN(w, "--env-file", w->env_file, "audit", "verify"), 1);
	assert_true(said(w, "there is no database"));
}
