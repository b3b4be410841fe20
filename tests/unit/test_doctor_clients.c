/* Goal: of each client doctor says whether ssh could go there, and `doctor client/ID` asks nobody.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor.h"

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/link_aid.h"
#include "unit.h"

TEST(a_host_is_known_by_its_name_and_port)
{
	static const struct {
		const char *known, *host;
		bool is_known;
	} rows[] = {
		{ "acme.example ssh-ed25519 AAAA\n", "web@acme.example", true },
		{ "acme.example ssh-ed25519 AAAA\n", "acme.example:22", true },
		{ "acme.example ssh-ed25519 AAAA\n", "acme.example:2222", false },
		{ "x,ACME.example ssh-ed25519 AAAA", "acme.example", true },
		{ "[acme.example]:2222 ssh-ed25519 AAAA\n", "web@acme.example:2222", true },
		{ "[acme.example]:2222 ssh-ed25519 AAAA\n", "acme.example", false },
		{ "# acme.example\nacme.example.org k A\n", "acme.example", false },
		{ "@cert-authority *.example k A\n", "acme.example", true },
		{ "|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA\n", "acme.example", true },
		{ "2001:db8::1 ssh-ed25519 AAAA\n", "web@[2001:db8::1]", true },
		{ "[2001:db8::1]:2222 ssh-ed25519 A\n", "[2001:db8::1]:2222", true },
		{ "other ssh-ed25519 acme.example\n", "acme.example", false },
		{ "", "acme.example", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (doctor_knows_host(rows[i].known, rows[i].host) != rows[i].is_known)
			fail_msg("%s in %s", rows[i].host, rows[i].known);
}

/* --- the command --- */

static char folder[] = "/tmp/test_doctor_clients.XXXXXX";
static char text[8192];

static const char *
path_of(const char *name)
{
	static char paths[4][96];
	static unsigned n;

	n = (n + 1) % COUNT(paths);
	(void)snprintf(paths[n], sizeof(paths[n]), "%s/%s", folder, name);
	return paths[n];
}

static void
write_file(const char *name, const char *content, mode_t mode)
{
	assert_true(file_write(path_of(name), content, strlen(content), mode, NULL));
	assert_int_equal(chmod(path_of(name), mode), 0);
}

static void
write_settings(const char *more)
{
	char settings[2048];

	(void)snprintf(settings, sizeof(settings),
	    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
	    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s\n"
	    "SSH_KEY_PATH=%s/key\nSSH_KNOWN_HOSTS=%s/known\nCLIENTS=acme,zone\n"
	    "CLIENT_ACME_HOST=web@acme.example\nCLIENT_ACME_ACTIONS=disk-free\n"
	    "CLIENT_ZONE_ACTIONS=cf-normal\nCLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijkl\n"
	    "CLIENT_ZONE_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef\n%s",
	    folder, folder, folder, more);
	write_file("env", settings, 0600);
}

static int
ask(const char *target)
{
	return cli_capture(
	    (const char *const[]){ "--env-file", path_of("env"), "doctor", target, NULL }, text);
}

static void
says(int status, const char *line)
{
	assert_int_equal(ask("client/acme"), status);
	if (strncmp(text, line, strlen(line)) != 0)
		fail_msg("%s", text);
}

TEST(what_keeps_ssh_from_a_client_is_said_with_what_to_do)
{
	char line[300];

	write_settings("");
	(void)snprintf(line, sizeof(line),
	    "error    client/acme: no key is at %s: make one with: ssh-keygen -t ed25519",
	    path_of("key"));
	says(1, line);
	write_file("key", "x", 0644);
	says(1, "error    client/acme: ");
	assert_non_null(strstr(text, "chmod 600 it\n"));
	write_file("key", "x", 0600);
	write_file("known", "other.example ssh-ed25519 AAAA\n", 0644);
	says(1, "error    client/acme: SSH_KNOWN_HOSTS: ");
	assert_non_null(strstr(text, "known has no key of web@acme.example, so ssh refuses it"));
	write_file("known", "acme.example ssh-ed25519 AAAA\n", 0644);
	says(EX_OK,
	    "ok       client/acme: web@acme.example by ssh: its key is private, the host is known; "
	    "whether it answers: /do disk-free acme\n");
	/* A key of its own, which is not there. */
	write_settings("CLIENT_ACME_SSH_KEY_PATH=/nowhere/own\n");
	says(1, "error    client/acme: no key is at /nowhere/own: ");
	/* With a runner that is a service they may be out of our sight. */
	write_settings("CLIENT_ACME_SSH_KEY_PATH=/nowhere/own\nRUNNER_SOCKET=/run/x/runner.sock\n");
	says(EX_OK,
	    "note     client/acme: web@acme.example by ssh: its key and SSH_KNOWN_HOSTS are");
}

TEST(of_an_agent_nothing_of_ssh_is_said)
{
	struct link_aid link;
	char *const lines[] = { LINK_AID_LINES(&link) };
	char name[40];

	link_aid_make(&link, clock_wall_ms());
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(putenv(lines[i]), 0);
	assert_int_equal(setenv("CLIENT_ACME_HOST", "agent:acme", 1), 0);
	write_settings("");
	says(EX_OK,
	    "note     client/acme: by the agent acme, no ssh: sudo deploybot doctor says whether it is connected\n");
	assert_null(strstr(text, "SSH_"));
	assert_int_equal(unsetenv("CLIENT_ACME_HOST"), 0);
	for (size_t i = 0; i < COUNT(lines); i++) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(lines[i], "="), lines[i]);
		assert_int_equal(unsetenv(name), 0);
	}
	link_aid_remove(&link);
}

TEST(a_client_is_found_by_either_name_and_an_unknown_one_is_named)
{
	write_settings("");
	write_file("key", "x", 0600);
	write_file("known", "acme.example ssh-ed25519 AAAA\n", 0644);
	assert_int_equal(ask("acme"), EX_OK);
	assert_non_null(strstr(text, "ok       client/acme: web@acme.example"));
	assert_null(strstr(text, "client/zone"));
	assert_int_equal(ask("client/zone"), EX_OK);
	assert_string_equal(text, "ok       client/zone: at Cloudflare alone; its token is set\n");
	assert_int_equal(ask("client/nope"), EX_USAGE);
	assert_string_equal(text, "error: there is no client nope: CLIENTS lists them\n");
	write_settings("LOG_LEVEL=LOUD\n");
	assert_int_equal(ask("client/acme"), EX_CONFIG);
	assert_non_null(strstr(text, "deploybot check-config"));
}

static int
make_folder(UNUSED void **state)
{
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(UNUSED void **state)
{
	(void)unlink(path_of("env"));
	(void)unlink(path_of("key"));
	(void)unlink(path_of("known"));
	return rmdir(folder);
}

TEST_GROUP(make_folder, remove_folder)
