/* Goal: with ENVIRONMENT=production each thing that is unsafe is refused, by its name; else it is not.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_production.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "settings/sources/settings_load.h"
#include "settings/settings_table.h"
#include "unit.h"

#define LONG_ "f3a91c07d5e2b8467a0c19d2e4f5b683"

/* What is fit: a case sets one of it anew, or leaves it out with "NAME=". */
static const char *const fit[] = {
	"TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi",
	"ADMIN_TELEGRAM_IDS=11,22",
	"TELEGRAM_CHAT_ID=-100123",
	"ALLOWED_CHATS=-100123",
	"TELEGRAM_WEBHOOK_URL=https://deploy.acme.org/telegram/webhook",
	"TELEGRAM_WEBHOOK_SECRET=" LONG_,
	"GITHUB_WEBHOOK_SECRET=" LONG_,
	"GITHUB_REPOSITORY=o/r",
	"RUNNER_SOCKET=/run/deploybot-runner/runner.sock",
	"REGISTRY_URL=registry.acme.org",
	"STAGING_HEALTH_URL=https://staging.acme.org/health",
	"STAGING_HOST=staging.acme.org",
	"PRODUCTION_HOST=acme.org",
};

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

/* Whether these tests run in a container is not what they are about. */
static bool in_container;

int
__wrap_access(const char *path, int mode)
{
	if (strcmp(path, "/.dockerenv") == 0)
		return in_container ? 0 : -1;
	return strcmp(path, "/run/.containerenv") == 0 ? -1 : __real_access(path, mode);
}

static struct settings_report report;
static char folder[] = "/tmp/test_settings_production.XXXXXX";

/* The file's text; what the changes name is left out of it. */
static void
write_settings(const char *path, mode_t mode, const char *kind, const char *changes)
{
	char text[4096];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%s\n", kind, changes);

	for (size_t i = 0; i < COUNT(fit); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s=", (int)strcspn(fit[i], "="), fit[i]);
		if (strstr(changes, name) == NULL)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", fit[i]);
	}
	assert_true(file_write(path, text, n, mode, NULL));
	assert_int_equal(0, chmod(path, mode));
}

static const char *
path_of(const char *name)
{
	static char paths[4][128];
	static unsigned n;

	return n = (n + 1) % 4, (void)snprintf(paths[n], sizeof(paths[n]), "%s/%s", folder, name),
	       paths[n];
}

static struct settings *
load(const char *kind, const char *changes, mode_t mode)
{
	struct settings *s = NULL;

	write_settings(path_of("conf"), mode, kind, changes);
	if (!settings_load(path_of("conf"), NULL, &s, &report))
		assert_null(s);
	return s;
}

static bool
says(enum settings_severity severity, const char *part)
{
	for (size_t i = 0; i < report.count; i++)
		if (report.lines[i].severity == severity &&
		    strstr(report.lines[i].text, part) != NULL)
			return true;
	return false;
}

#define PRODUCTION  "ENVIRONMENT=production\n"
#define DEVELOPMENT "ENVIRONMENT=development\n"

static const struct {
	const char *changes, *sentence;
} refused[] = {
	{ "TELEGRAM_WEBHOOK_SECRET=f3a91c07d5e2b8467a0c19d2e4f5b68",
	    "TELEGRAM_WEBHOOK_SECRET: a secret shorter" },
	{ "GITHUB_WEBHOOK_SECRET=f3a91c07d5e2b8467a0c19d2e4f5b68",
	    "GITHUB_WEBHOOK_SECRET: a secret shorter" },
	{ "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEee",
	    "TELEGRAM_BOT_TOKEN: a secret shorter" },
	{ "REGISTRY_USER=ci\nREGISTRY_PASSWORD=change-me", "REGISTRY_PASSWORD: a placeholder" },
	{ "TELEGRAM_BOT_TOKEN=7000000001:AAF-demo_token_of_the_stand-in_0123456789",
	    "TELEGRAM_BOT_TOKEN: the demo's" },
	{ "TELEGRAM_WEBHOOK_SECRET=telegram-webhook-secret_0123456789abcdef",
	    "TELEGRAM_WEBHOOK_SECRET: the demo's" },
	{ "GITHUB_WEBHOOK_SECRET=github-webhook-secret-0123456789abcdef",
	    "GITHUB_WEBHOOK_SECRET: the demo's" },
	{ "TELEGRAM_API_BASE=http://api.acme.org", "TELEGRAM_API_BASE: http:// goes" },
	{ "TELEGRAM_API_BASE=http://localhost.acme.org", "TELEGRAM_API_BASE: http:// goes" },
	{ "TELEGRAM_API_BASE=http://127.0.0.1.acme.org", "TELEGRAM_API_BASE: http:// goes" },
	{ "TELEGRAM_API_BASE=HTTP://[::2]/", "TELEGRAM_API_BASE: http:// goes" },
	{ "TELEGRAM_API_BASE=http://128.0.0.1", "TELEGRAM_API_BASE: http:// goes" },
	{ "REGISTRY_URL=http://registry.acme.org:5000", "REGISTRY_URL: http:// goes" },
	{ "STAGING_HEALTH_URL=https://a.acme.org/, http://b.acme.org/",
	    "STAGING_HEALTH_URL: http:// goes" },
	{ "STAGING_HEALTH_URL=http://10.0.0.1/, http://8.8.8.8/",
	    "STAGING_HEALTH_URL: http:// goes over the network" },
	{ "STAGING_HEALTH_URL=http://172.32.0.1/",
	    "STAGING_HEALTH_URL: http:// goes over the network" },
	{ "STAGING_HEALTH_URL=http://[2001:db8::1]/",
	    "STAGING_HEALTH_URL: http:// goes over the network" },
	{ "STAGING_HEALTH_URL=http://169.254.169.254/",
	    "STAGING_HEALTH_URL: http:// goes over the network" },
	{ "STAGING_HEALTH_URL=http://10.0.0.1.acme.org/",
	    "STAGING_HEALTH_URL: http:// goes over the network" },
	{ "TELEGRAM_API_BASE=http://10.0.0.1", "TELEGRAM_API_BASE: http:// goes over the network" },
	{ "LOG_LEVEL=debug", "LOG_LEVEL: is DEBUG" },
	{ "RATE_LIMIT_REQUESTS=0", "RATE_LIMIT_REQUESTS: is 0" },
	{ "ROLE_RATE_LIMIT=0", "ROLE_RATE_LIMIT: is 0" },
	{ "EMERGENCY_WITHOUT_OTP=true", "EMERGENCY_WITHOUT_OTP: is true" },
	{ "RUNS_MAX=0", "RUNS_MAX: is 0" },
	{ "RUNNER_SOCKET=", "RUNNER_SOCKET: is not set" },
	{ "ALLOWED_CHATS=", "ALLOWED_CHATS: is not set" },
	{ "TELEGRAM_CHAT_ID=", "TELEGRAM_CHAT_ID: is not set" },
};

TEST(each_is_refused_in_production_alone_and_no_other_is)
{
	settings_unref(load(PRODUCTION, "", 0600));
	assert_int_equal(0, report.errors);
	for (size_t i = 0; i < COUNT(refused); i++) {
		assert_null(load(PRODUCTION, refused[i].changes, 0600));
		if (report.errors != 1 || !says(SETTINGS_ERROR, refused[i].sentence))
			fail_msg("%s: %zu errors, the first line: %s", refused[i].changes,
			    report.errors, report.lines[0].text);
		settings_unref(load(DEVELOPMENT, refused[i].changes, 0600));
		if (report.errors > 0)
			fail_msg("%s: %s", refused[i].changes, report.lines[0].text);
	}
}

TEST(http_to_this_machine_and_what_others_made_is_fit)
{
	static const char *const well[] = { "TELEGRAM_API_BASE=http://127.9.0.1:8081",
		"TELEGRAM_API_BASE=http://localhost/bot", "TELEGRAM_API_BASE=http://[::1]:80",
		"TELEGRAM_PROXY=http://proxy.acme.org:3128",
		"TELEGRAM_API_HASH=0123456789abcdef0123456789",
		"REPOSITORY_TOKEN=glpat-f3a91c07d5e2b8467a0c",
		"REGISTRY_USER=ci\nREGISTRY_PASSWORD=hunter2hunter2" };

	for (size_t i = 0; i < COUNT(well); i++) {
		settings_unref(load(PRODUCTION, well[i], 0600));
		if (report.errors > 0)
			fail_msg("%s: %s", well[i], report.lines[0].text);
	}
}

/* Hosts of a private network have no certificate; nothing secret goes to a health URL. */
TEST(http_to_a_private_address_is_warned_of)
{
	static const char *const hosts[] = { "10.0.0.1", "172.31.255.1:8080", "192.168.1.2",
		"100.64.0.1" };
	char changes[160];

	for (size_t i = 0; i < COUNT(hosts); i++) {
		(void)snprintf(changes, sizeof(changes),
		    "STAGING_HEALTH_URL=http://%s/health\nREGISTRY_URL=http://%s", hosts[i],
		    hosts[i]);
		settings_unref(load(PRODUCTION, changes, 0600));
		if (report.errors > 0 ||
		    !says(SETTINGS_WARNING, "STAGING_HEALTH_URL: http:// goes over this private") ||
		    !says(SETTINGS_WARNING, "REGISTRY_URL: http:// goes over this private"))
			fail_msg(
			    "%s: %zu errors: %s", changes, report.errors, report.lines[0].text);
		settings_unref(load(DEVELOPMENT, changes, 0600));
		assert_false(
		    says(SETTINGS_WARNING, "STAGING_HEALTH_URL: http:// goes over this private"));
	}
	settings_unref(load(PRODUCTION, "STAGING_HEALTH_URL=http://[fd12::1]:8080/health", 0600));
	assert_int_equal(0, report.errors);
}

TEST(any_other_environment_asks_whether_the_list_was_meant)
{
	assert_null(load("ENVIRONMENT=staging\n", "", 0600));
	assert_true(says(SETTINGS_ERROR,
	    "\"staging\" is not production or development; did you mean ENVIRONMENTS"));
	struct settings *s = load("", "", 0600);

	assert_non_null(s);
	assert_false(s->is_production);
	settings_unref(s);
	s = load("ENVIRONMENT=Production\n", "", 0600);
	assert_true(s->is_production);
	settings_unref(s);
}

/* --- modes --- */

static void
write_secret(const char *name, mode_t mode)
{
	assert_true(file_write(path_of(name), LONG_ LONG_ "\n", sizeof(LONG_ LONG_), mode, NULL));
	assert_int_equal(0, chmod(path_of(name), mode));
}

/* One file that others may read, which this line names. */
static void
check_open(const char *line, const char *name, bool is_ssh_key)
{
	char changes[300], sentence[300];

	(void)snprintf(changes, sizeof(changes), line, path_of("secret"));
	write_secret("secret", 0640);
	settings_unref(load(PRODUCTION, changes, 0600));
	if (report.errors > 0)
		fail_msg("%s: %s", changes, report.lines[0].text);
	write_secret("secret", 0644);
	assert_null(load(PRODUCTION, changes, 0600));
	(void)snprintf(sentence, sizeof(sentence), "%s: %s may be read by others (mode 0644)", name,
	    path_of("secret"));
	if (report.errors != 1 || !says(SETTINGS_ERROR, sentence))
		fail_msg("%s: %s", sentence, report.lines[0].text);
	in_container = true;
	settings_unref(load(PRODUCTION, changes, 0600));
	in_container = false;
	assert_int_equal(is_ssh_key ? 1 : 0, report.errors);
	settings_unref(load(DEVELOPMENT, changes, 0600));
	assert_int_equal(0, report.errors);
}

TEST(a_file_of_a_secret_or_a_key_that_others_may_read_is_refused)
{
	check_open("GITHUB_WEBHOOK_SECRET=\nGITHUB_WEBHOOK_SECRET_FILE=%s", "GITHUB_WEBHOOK_SECRET",
	    false);
	check_open("REPOSITORY_TOKEN_FILE=%s", "REPOSITORY_TOKEN", false); /* the runner's alone */
	check_open("SSH_KEY_PATH=%s", "SSH_KEY_PATH", true);
	check_open(
	    "REPOSITORY_KNOWN_HOSTS=/h\nREPOSITORY_KEY_PATH=%s", "REPOSITORY_KEY_PATH", true);
	check_open("KUBECONFIG=%s", "KUBECONFIG", false);
	check_open("TOTP_KEY_FILE=%s", "TOTP_KEY_FILE", false);
	settings_unref(load(PRODUCTION, "", 0640));
	assert_int_equal(0, report.errors);
	assert_null(load(PRODUCTION, "", 0644));
	assert_true(says(SETTINGS_ERROR, "the settings file: "));
}

/* --- a reload, an application --- */

TEST(what_would_be_refused_at_start_is_refused_at_a_reload)
{
	struct settings *running = load(PRODUCTION, "", 0600), *fresh = NULL;
	struct settings_change change;

	for (size_t i = 0; i < COUNT(refused); i++) {
		write_settings(path_of("conf"), 0600, PRODUCTION, refused[i].changes);
		settings_change_init(&change);
		assert_false(settings_reload(
		    running, path_of("conf"), NULL, NULL, &fresh, &report, &change));
		assert_null(fresh);
		assert_true(says(SETTINGS_ERROR, refused[i].sentence));
		settings_change_done(&change);
	}
	settings_unref(running);
}

TEST(an_applications_file_is_refused_alone)
{
	static const char text[] = "GITHUB_REPOSITORY=o/web\nSTAGING_HOST=a.acme.org\n"
				   "STAGING_HEALTH_URL=http://a.acme.org/\nENVIRONMENTS=staging\n";
	struct settings *s;

	assert_true(file_mkdirs(path_of("apps"), 0700, NULL));
	assert_true(file_write(path_of("apps/web.env"), text, sizeof(text) - 1, 0600, NULL));
	s = load(PRODUCTION,
	    "GITHUB_REPOSITORY=\nSTAGING_HEALTH_URL=\nSTAGING_HOST=\nPRODUCTION_HOST=", 0600);
	assert_non_null(s);
	assert_true(says(SETTINGS_FLAW, "web: STAGING_HEALTH_URL: http:// goes"));
	assert_non_null(strstr(settings_refusal(s, "web/staging"), "web.env has a mistake"));
	settings_unref(s);
	assert_int_equal(0, unlink(path_of("apps/web.env")));
	assert_int_equal(0, rmdir(path_of("apps")));
}

static int
make_folder(UNUSED void **state)
{
	(void)unsetenv("container");
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(UNUSED void **state)
{
	(void)unlink(path_of("conf"));
	(void)unlink(path_of("secret"));
	return rmdir(folder);
}

/* A secret goes over TLS alone. */
TEST(second_factors_are_begun_in_the_chat_where_a_page_over_https_shows_them)
{
#define SERVED \
	"ENABLE_API_SERVER=true\nAUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef01234567\n"
	static const struct {
		const char *kind, *changes;
		bool is_shown;
	} rows[] = {
		{ PRODUCTION, "", false },
		{ PRODUCTION, SERVED "PUBLIC_URL=https://bot.example", false },
		{ PRODUCTION, SERVED "PUBLIC_URL=https://bot.example\nCONSOLE=true", true },
		{ DEVELOPMENT, SERVED "PUBLIC_URL=https://bot.example\nCONSOLE=true", true },
		{ DEVELOPMENT, SERVED "PUBLIC_URL=http://127.0.0.1:8080\nCONSOLE=true", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = load(rows[i].kind, rows[i].changes, 0600);

		assert_non_null(s);
		if (s->enrols_by_page != rows[i].is_shown)
			fail_msg("%s%s", rows[i].kind, rows[i].changes);
		settings_unref(s);
	}
}

/* Each of them may be one of those who approve, and no row says who. */
TEST(who_asks_unknown_and_may_approve_is_warned_of)
{
	static const struct {
		const char *kind, *changes;
		bool is_warned;
	} rows[] = {
		{ PRODUCTION, "", false },
		{ PRODUCTION, "PRODUCTION_APPROVALS=1", true },
		{ PRODUCTION, "STAGING_ROLLBACK_APPROVALS=1", true },
		{ PRODUCTION, "PRODUCTION_APPROVALS_IF=forced=1", true },
		{ PRODUCTION, "PRODUCTION_APPROVALS=1\nAPPROVE_UNKNOWN_PUSHER=true", true },
		{ PRODUCTION, "PRODUCTION_APPROVALS=1\nAPPROVE_UNKNOWN_PUSHER=false", false },
		{ DEVELOPMENT, "PRODUCTION_APPROVALS=1", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = load(rows[i].kind, rows[i].changes, 0600);

		if (s == NULL)
			fail_msg("%s: %s", rows[i].changes, report.lines[0].text);
		if (says(SETTINGS_WARNING, "APPROVE_UNKNOWN_PUSHER: is true, and ") !=
		    rows[i].is_warned)
			fail_msg("%s%s", rows[i].kind, rows[i].changes);
		settings_unref(s);
	}
}

TEST_GROUP(make_folder, remove_folder)
