/* Goal: doctor says what is wrong and what to do, and ends whatever the network does.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "store/store.h"
#include "tests/unit/cli_capture.h"
#include "unit.h"

TEST(addresses_that_telegram_cannot_call_are_named)
{
	static const struct {
		const char *url;
		bool is_good;
	} cases[] = {
		{ "https://deploy.example.com/telegram/webhook", true },
		{ "https://deploy.example.com:8443/x", true },
		{ "https://deploy.example.com:443", true },
		{ "https://8.8.8.8:88/x", true },
		{ "http://deploy.example.com/x", false },
		{ "https://deploy.example.com:8080/x", false },
		{ "https://deploy.example.com:4430/x", false },
		{ "https://localhost/x", false },
		{ "https://deploybot/x", false },
		{ "https://pi.local/x", false },
		{ "https://127.0.0.1/x", false },
		{ "https://10.1.2.3/x", false },
		{ "https://172.31.0.1:443/x", false },
		{ "https://172.32.0.1/x", true },
		{ "https://192.168.1.1/x", false },
		{ "https://169.254.1.1/x", false },
		{ "https://100.64.0.1/x", false },
		{ "https://[2001:db8::1]/x", false },
		{ "https://[::1]:8443/x", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if ((doctor_url_trouble(cases[i].url) == NULL) != cases[i].is_good)
			fail_msg("%s: %s", cases[i].url,
			    cases[i].is_good ? doctor_url_trouble(cases[i].url) : "not named");
}

TEST(a_certificate_that_only_a_free_port_80_renews_is_known_by_certbots_file)
{
	assert_true(doctor_renews_standalone(
	    "version = 2.1.0\n\n[renewalparams]\nauthenticator = standalone\nserver = s\n"));
	assert_true(doctor_renews_standalone("authenticator=standalone"));
	assert_false(doctor_renews_standalone("authenticator = webroot\n# was standalone\n"));
	assert_false(doctor_renews_standalone("# authenticator = standalone\n"));
	assert_false(doctor_renews_standalone("[renewalparams]\nkey_type = standalone\n"));
	assert_false(doctor_renews_standalone(""));
}

/* Regression: a certificate that is renewed, as certbot stops who has the port, was warned of. */
TEST(a_certificate_that_certbot_makes_room_for_is_renewed)
{
	assert_false(doctor_renews_standalone(
	    "[renewalparams]\npre_hook = systemctl stop nginx\nauthenticator = standalone\n"));
	assert_false(doctor_renews_standalone("authenticator = standalone\nhttp01_port = 8888\n"));
	assert_true(doctor_renews_standalone("authenticator = standalone\nhttp01_port = 80\n"));
	assert_true(doctor_renews_standalone(
	    "authenticator = standalone\n# pre_hook = x\npost_hook = systemctl start nginx\n"));
}

TEST(the_date_of_an_answer_is_read)
{
	assert_int_equal(doctor_http_date("Thu, 01 Jan 1970 00:00:10 GMT"), 10);
	assert_int_equal(doctor_http_date("Fri, 20 Nov 2026 07:10:48 GMT"), 1795158648);
	assert_int_equal(doctor_http_date("yesterday"), -1);
	assert_int_equal(doctor_http_date("Fri, 20 Nov 2026 07:10:48 GMT+1"), -1);
	assert_int_equal(doctor_http_date(""), -1);
}

/* A socket that takes connections and never says a word. */
static int
listen_silently(uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void
write_settings(const char *path, const char *folder, uint16_t port)
{
	char text[1024];
	int size = snprintf(text, sizeof(text),
	    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
	    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s/state\n"
	    "AUDIT_LOG_PATH=%s/audit.log\nTELEGRAM_API_BASE=http://127.0.0.1:%u\n"
	    "STAGING_HEALTH_URL=http://127.0.0.1:%u/a,http://127.0.0.1:%u/b\n"
	    "DEPLOY_SCRIPT=%s/deploy.sh\nREPOSITORY_KEY_PATH=%s/key\n"
	    "REPOSITORY_KNOWN_HOSTS=%s/known\n",
	    folder, folder, port, port, port, folder, folder, folder);

	assert_true(file_write(path, text, (size_t)size, 0600, NULL));
}

/* With the key of a workflow in a file that others may read. */
static void
add_workflow(const char *path, const char *key)
{
	static const char whsec[] = "whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n";
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	assert_true(fprintf(file,
			"ENABLE_API_SERVER=true\nPUBLIC_URL=https://bot.example.org\n"
			"WORKFLOW_NIGHTLY_KEY_FILE=%s\nWORKFLOW_NIGHTLY_MAY=secret.db:staging\n",
			key) > 0);
	assert_int_equal(fclose(file), 0);
	assert_true(file_write(key, whsec, strlen(whsec), 0644, NULL));
	assert_int_equal(chmod(key, 0644), 0);
}

TEST(a_network_that_is_silent_and_files_that_are_open_are_told_in_time)
{
	char folder[] = "/tmp/test_cli_doctor.XXXXXX";
	char env[96], script[96], key[96], nightly[96], text[8192];
	int64_t started = loop_now_ms();
	uint16_t port;
	int fd = listen_silently(&port);

	assert_non_null(mkdtemp(folder));
	(void)snprintf(env, sizeof(env), "%s/env", folder);
	(void)snprintf(script, sizeof(script), "%s/deploy.sh", folder);
	(void)snprintf(key, sizeof(key), "%s/key", folder);
	(void)snprintf(nightly, sizeof(nightly), "%s/nightly", folder);
	assert_true(file_write(script, "#!/bin/sh\n", 10, 0755, NULL));
	assert_true(file_write(key, "x", 1, 0644, NULL));
	assert_int_equal(chmod(script, 0777), 0);
	assert_int_equal(chmod(key, 0644), 0);
	write_settings(env, folder, port);
	add_workflow(env, nightly);

	assert_int_equal(
	    cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text), 1);
	assert_true(loop_now_ms() - started < 9000);
	assert_non_null(strstr(text, "error    Telegram: "));
	assert_non_null(strstr(text, "warning  staging: "));
	assert_non_null(strstr(text, "error    DEPLOY_SCRIPT: "));
	assert_non_null(strstr(text, "error    REPOSITORY_KEY_PATH: "));
	assert_non_null(strstr(text, "chmod 600 it"));
	assert_non_null(strstr(text, "warning  WORKFLOW_NIGHTLY_KEY_FILE: "));
	assert_null(strstr(text, "AAaaBB"));

	/* A key that is not there is not chmod'ed. */
	(void)unlink(key);
	assert_int_equal(chmod(nightly, 0600), 0);
	(void)cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text);
	assert_non_null(strstr(text, "error    REPOSITORY_KEY_PATH: no key is at "));
	assert_non_null(strstr(text, ": make one with: ssh-keygen -t ed25519"));
	assert_null(strstr(text, "chmod 600 it"));
	assert_null(strstr(text, "warning  WORKFLOW_NIGHTLY_KEY_FILE"));

	(void)close(fd);
	(void)unlink(nightly);
	(void)unlink(env);
	(void)unlink(script);
	(void)unlink(key);
	assert_int_equal(rmdir(folder), 0); /* doctor makes nothing */
}

/* How many entries a folder has. */
static size_t
count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

TEST(nothing_is_made_in_the_folder_of_another_user)
{
	/* Goal: what root left there, the service could not use. */
	char folder[] = "/tmp/test_cli_doctor.XXXXXX";
	char env[96], state_folder[96], text[8192];
	uint16_t port;
	int fd = listen_silently(&port);

	if (geteuid() != 0)
		skip(); /* only root can give a folder away */
	assert_non_null(mkdtemp(folder));
	(void)snprintf(env, sizeof(env), "%s/env", folder);
	(void)snprintf(state_folder, sizeof(state_folder), "%s/state", folder);
	assert_int_equal(mkdir(state_folder, 0700), 0);
	assert_int_equal(chown(state_folder, 4321, 4321), 0);
	write_settings(env, folder, port);
	(void)cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text);
	assert_non_null(strstr(text, "warning  runner: STATE_DIRECTORY belongs to another user"));
	assert_non_null(strstr(text, "sudo -u #4321"));
	assert_int_equal(count_entries(state_folder), 0);
	(void)close(fd);
	(void)unlink(env);
	assert_int_equal(rmdir(state_folder), 0);
	assert_int_equal(rmdir(folder), 0);
}

TEST(a_store_is_only_called_broken_when_it_is)
{
	/* Goal: nobody throws a database away that could not be opened; secrets' files count. */
	char folder[] = "/tmp/test_cli_doctor.XXXXXX";
	static const char totp[] =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	char env[96], state_folder[96], store[128], secret[96], key[96], text[8192];
	uint16_t port;
	int fd = listen_silently(&port);

	assert_non_null(mkdtemp(folder));
	(void)snprintf(env, sizeof(env), "%s/env", folder);
	(void)snprintf(state_folder, sizeof(state_folder), "%s/state", folder);
	(void)snprintf(store, sizeof(store), "%s/%s", state_folder, STORE_FILE);
	(void)snprintf(secret, sizeof(secret), "%s/secret", folder);
	(void)snprintf(key, sizeof(key), "%s/totp_key", folder);
	assert_int_equal(mkdir(state_folder, 0700), 0);
	assert_int_equal(mkdir(store, 0700), 0); /* opens for nobody */
	assert_true(file_write(secret, "0123456789abcdef0123456789abcdef", 32, 0644, NULL));
	assert_int_equal(setenv("GITHUB_WEBHOOK_SECRET_FILE", secret, 1), 0);
	assert_true(file_write(key, totp, sizeof(totp) - 1, 0644, NULL));
	assert_int_equal(setenv("TOTP_KEY_FILE", key, 1), 0);
	write_settings(env, folder, port);
	(void)cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text);
	assert_non_null(strstr(text, "error    store: "));
	assert_non_null(strstr(text, "it could not be read"));
	assert_null(strstr(text, "restore it from a backup"));
	assert_non_null(strstr(text, "warning  GITHUB_WEBHOOK_SECRET_FILE: "));
	assert_non_null(strstr(text, "warning  TOTP_KEY_FILE: "));

	assert_int_equal(rmdir(store), 0);
	memset(text, 'x', 8192);
	assert_true(file_write(store, text, sizeof(text), 0600, NULL));
	assert_int_equal(chmod(secret, 0600), 0);
	assert_int_equal(chmod(key, 0600), 0);
	(void)cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text);
	assert_non_null(strstr(text, "restore it from a backup"));
	assert_non_null(strstr(text, "ok       GITHUB_WEBHOOK_SECRET_FILE: "));
	assert_non_null(strstr(text, "ok       TOTP_KEY_FILE: "));

	assert_int_equal(unsetenv("GITHUB_WEBHOOK_SECRET_FILE"), 0);
	assert_int_equal(unsetenv("TOTP_KEY_FILE"), 0);
	(void)unlink(key);
	(void)close(fd);
	(void)unlink(env);
	(void)unlink(secret);
	(void)unlink(store);
	(void)snprintf(store, sizeof(store), "%s/runs", state_folder);
	(void)rmdir(store); /* the runner that was tried made it */
	assert_int_equal(rmdir(state_folder), 0);
	assert_int_equal(rmdir(folder), 0);
}

TEST(settings_that_are_wrong_are_all_it_says)
{
	char text[8192];

	assert_int_equal(clearenv(), 0);
	assert_int_equal(
	    cli_capture(
		(const char *const[]){ "--env-file", "/nowhere/env", "doctor", NULL }, text),
	    1);
	assert_non_null(strstr(text, "error"));
	assert_null(strstr(text, "ok      "));
}

/* What it has started ends with the machine, and nobody starts it again: systemd does. */
TEST(it_says_that_nothing_restarts_what_local_has_started)
{
	static const char *const transports[] = { "local", "systemd" };
	char folder[] = "/tmp/test_cli_doctor.XXXXXX";
	char env[96], text[8192];
	uint16_t port;
	int fd = listen_silently(&port);

	assert_non_null(mkdtemp(folder));
	(void)snprintf(env, sizeof(env), "%s/env", folder);
	for (size_t i = 0; i < 2; i++) {
		int size = snprintf(text, sizeof(text),
		    "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi\n"
		    "ADMIN_TELEGRAM_IDS=111\nGITHUB_REPOSITORY=o/r\nSTATE_DIRECTORY=%s/state\n"
		    "AUDIT_LOG_PATH=%s/audit.log\nTELEGRAM_API_BASE=http://127.0.0.1:%u\n"
		    "DEPLOY_TRANSPORT=%s\nSTAGING_PORT=8080\nPRODUCTION_PORT=8081\n"
		    "STAGING_HOST=a\nPRODUCTION_HOST=b\nSYSTEMD_UNITS=shop.service\n",
		    folder, folder, port, transports[i]);

		assert_true(file_write(env, text, (size_t)size, 0600, NULL));
		(void)cli_capture((const char *const[]){ "--env-file", env, "doctor", NULL }, text);
		assert_int_equal(strstr(text, "nothing restarts what local has started") != NULL &&
			strstr(text, "systemd does (docs/deploy-scripts.md)") != NULL,
		    i == 0);
	}
	(void)close(fd);
	(void)unlink(env);
	assert_int_equal(rmdir(folder), 0);
}
