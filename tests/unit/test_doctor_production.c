/* Goal: each check of `doctor --production` is seen to pass and to complain.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_production.h"

#include "cli/doctor/doctor.h"
#include "settings/sources/settings_load.h"
#include "unit.h"

#define NOW   INT64_C(1795158648)
#define DAY   INT64_C(86400)
#define LONG_ "0123456789abcdef0123456789abcdef"

/* Settings that are fit, unless a case says otherwise: the first of a name counts, and a case may
 * leave one out with "-NAME". */
static const char *const fit[] = {
	"ENVIRONMENT=production",
	"TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi",
	"ADMIN_TELEGRAM_IDS=11,22",
	"TELEGRAM_CHAT_ID=-100123",
	"ALLOWED_CHATS=-100123",
	"TELEGRAM_WEBHOOK_URL=https://deploy.example.com/telegram/webhook",
	"TELEGRAM_WEBHOOK_SECRET=" LONG_,
	"GITHUB_WEBHOOK_SECRET=" LONG_,
	"GITHUB_REPOSITORY=o/r",
	"RUNNER_SOCKET=/run/deploybot-runner/runner.sock",
	"IMAGE_SOURCE=registry",
	"REGISTRY_URL=registry.example.com",
	"STAGING_HEALTH_URL=https://staging.example.com/health",
	"PRODUCTION_HEALTH_URL=https://example.com/health",
	"STAGING_HOST=staging.example.com",
	"PRODUCTION_HOST=example.com",
	"AUDIT_S3_BUCKET=acme-audit",
	"AUDIT_S3_REGION=eu-central-1",
};

struct scene {
	struct doctor doctor;
	struct production facts;
};

/* Is this NAME=value left out by a line "-NAME"? */
static bool
is_left_out(const char *line, const char *changes)
{
	char mark[64];

	(void)snprintf(mark, sizeof(mark), "-%.*s", (int)strcspn(line, "="), line);
	return strstr(changes, mark) != NULL;
}

/* With what the server would refuse; that is only told by those who are no production yet. */
static void
load_both(struct production *facts, char *list[])
{
	static struct settings_report report;
	struct settings *settings = NULL, *unused = NULL;
	char *last = list[0];

	list[0] = "ENVIRONMENT=production";
	settings_unref(settings_load(NULL, list, &unused, &facts->refused) ? unused : NULL);
	list[0] = last;
	if (settings_load(NULL, list, &settings, &report))
		facts->settings = settings;
	list[0] = "ENVIRONMENT=development";
	if (settings == NULL && !settings_load(NULL, list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	list[0] = last;
	facts->settings = settings;
}

static void
settings_with(struct production *facts, const char *changes)
{
	char *list[64] = { 0 }, *copy = strdup(changes), *rest = copy, *line;
	size_t n = 0;

	list[n++] = strdup("UNUSED=");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0' && line[0] != '-')
			list[n++] = strdup(line);
	for (size_t i = 0; i < COUNT(fit); i++)
		if (!is_left_out(fit[i], changes))
			list[n++] = strdup(fit[i]);
	load_both(facts, list);
	while (n > 0)
		free(list[--n]);
	free(copy);
}

static struct production
fit_facts(void)
{
	const struct production_file good = {
		.is_seen = true, .changed_s = NOW - 9 * DAY, .size = 9
	};

	return (struct production){
		.env_file = "/etc/deploybot/deploybot.conf",
		.now_s = NOW,
		.server_user = 990,
		.runner_user = 991,
		.is_runner_seen = true,
		.is_clock_set = true,
		.descriptors = 524288,
		.key = good,
		.hosts = good,
		.repository_key = good,
		.chain = PRODUCTION_CHAIN_WHOLE,
		.chain_text = "3 entries",
		.certificate_expires_s = NOW + 60 * DAY,
		.is_certificate_trusted = true,
	};
}

/* What one thing that is not as it should be leads to. */
struct flaw {
	const char *settings;
	void (*change)(struct production *facts);
	enum doctor_level level;
	const char *words; /* of the finding */
	const char *well;  /* of the finding where nothing is wrong; NULL: then there is none */
};

static void
expired(struct production *f)
{
	f->certificate_expires_s = NOW - 1;
}
static void
ends_soon(struct production *f)
{
	f->certificate_expires_s = NOW + 21 * DAY - 1;
}
static void
untrusted(struct production *f)
{
	f->is_certificate_trusted = false;
}
static void
unreadable(struct production *f)
{
	f->certificate_expires_s = 0;
	(void)snprintf(f->certificate_text, sizeof(f->certificate_text), "certificate: no answer");
}
static void
token_in_file(struct production *f)
{
	f->open[SETTING_TELEGRAM_BOT_TOKEN] = PRODUCTION_IN_FILE;
}
static void
token_in_environment(struct production *f)
{
	f->open[SETTING_TELEGRAM_BOT_TOKEN] = PRODUCTION_IN_ENVIRONMENT;
}
static void
old_key(struct production *f)
{
	f->key.changed_s = NOW - 91 * DAY;
}
static void
no_key(struct production *f)
{
	f->key.is_seen = false;
}
static void
hidden_key(struct production *f)
{
	f->key.is_hidden = true;
}
static void
old_git_key(struct production *f)
{
	f->repository_key.changed_s = NOW - 91 * DAY;
}
static void
no_hosts(struct production *f)
{
	f->hosts.is_seen = false;
}
static void
empty_hosts(struct production *f)
{
	f->hosts.size = 0;
}
static void
hidden_hosts(struct production *f)
{
	f->hosts.is_hidden = true;
}
static void
is_root(struct production *f)
{
	f->server_user = 0;
}
static void
has_one_user(struct production *f)
{
	f->runner_user = f->server_user;
}
static void
has_root_runner(struct production *f)
{
	f->runner_user = 0;
}
static void
has_no_runner(struct production *f)
{
	f->is_runner_seen = false;
}
static void
is_inside(struct production *f)
{
	f->is_container = true;
}
static void
fleeting(struct production *f)
{
	f->volatile_folder = "tmpfs";
}
static void
wild_clock(struct production *f)
{
	f->is_clock_set = false;
}
static void
few_descriptors(struct production *f)
{
	f->descriptors = 1024;
}
static void
no_chain(struct production *f)
{
	f->chain = PRODUCTION_CHAIN_NONE;
}
static void
bad_chain(struct production *f)
{
	f->chain = PRODUCTION_CHAIN_BAD;
	(void)snprintf(f->chain_text, sizeof(f->chain_text), "line 3: it is not entry 3");
}

static const struct flaw flaws[] = {
	{ "TELEGRAM_MODE=polling", NULL, DOCTOR_WARNING, "Telegram is polled",
	    "calls a webhook over https" },
	{ "TELEGRAM_WEBHOOK_URL=http://x.example.com/w", NULL, DOCTOR_ERROR,
	    "TELEGRAM_WEBHOOK_URL: http:// goes", "calls a webhook over https" },
	{ "", unreadable, DOCTOR_ERROR, "none could be read: certificate: no answer",
	    "it is trusted, and good for 60 days" },
	{ "", expired, DOCTOR_ERROR, "it has expired", "it is trusted" },
	{ "", ends_soon, DOCTOR_ERROR, "it ends in 20 days", "it is trusted" },
	{ "", untrusted, DOCTOR_ERROR, "it is not trusted", "it is trusted" },
	{ "-GITHUB_WEBHOOK_SECRET\nPOLL_REPOSITORY_SECONDS=0", NULL, DOCTOR_ERROR,
	    "no push is received", "SECRET is set" },
	{ "POLL_REPOSITORY_SECONDS=0", NULL, DOCTOR_WARNING,
	    "a push that GitHub cannot deliver is not found", "git is polled too, every 300 s" },
	{ "-GITHUB_WEBHOOK_SECRET\nPOLL_REPOSITORY_SECONDS=60", NULL, DOCTOR_WARNING,
	    "found by asking git every 60 s", "SECRET is set" },
	{ "-GITHUB_WEBHOOK_SECRET\nFORGE_WEBHOOK_SECRET=" LONG_ "\nPOLL_REPOSITORY_SECONDS=60",
	    NULL, DOCTOR_OK, "every 60 s, for a push that the forge cannot deliver: GitLab",
	    "GITHUB_WEBHOOK_SECRET is set" },
	{ "-GITHUB_WEBHOOK_SECRET\nFORGE_WEBHOOK_SECRET=" LONG_ "\nPOLL_REPOSITORY_SECONDS=0", NULL,
	    DOCTOR_WARNING, "and GitLab switches a webhook off that failed four times",
	    "GITHUB_WEBHOOK_SECRET is set" },
	{ "LISTEN_ADDRESS=0.0.0.0", NULL, DOCTOR_WARNING, "TRUSTED_PROXY is not set",
	    "only this machine" },
	{ "LISTEN_ADDRESS=0.0.0.0\nTRUSTED_PROXY=10.0.0.7", NULL, DOCTOR_WARNING,
	    "others may reach HTTP without TLS", "only this machine" },
	{ "LISTEN_ADDRESS=0.0.0.0", NULL, DOCTOR_WARNING, "others may reach HTTP without TLS",
	    "only this machine" },
	{ "LISTEN_ADDRESS=0.0.0.0", is_inside, DOCTOR_WARNING, "publish no port of this container",
	    "only this machine" },
	{ "LISTEN_ADDRESS=/run/x.sock", NULL, DOCTOR_OK, "only this machine", "only this machine" },
	{ "LISTEN_ADDRESS=::1", NULL, DOCTOR_OK, "only this machine", "only this machine" },
	{ "ENVIRONMENT=development", NULL, DOCTOR_WARNING, "ENVIRONMENT is not production",
	    "the server refuses what is unsafe" },
	{ "TELEGRAM_API_BASE=http://api.example.com", NULL, DOCTOR_ERROR,
	    "TELEGRAM_API_BASE: http:// goes over the network in the clear",
	    "the server refuses what is unsafe" },
	{ "", token_in_file, DOCTOR_ERROR,
	    "TELEGRAM_BOT_TOKEN stands in /etc/deploybot/deploybot.conf",
	    "secrets stand in files of their own" },
	{ "", token_in_environment, DOCTOR_ERROR, "TELEGRAM_BOT_TOKEN stands in the environment",
	    "secrets stand in files of their own" },
	{ "GITHUB_WEBHOOK_SECRET=0123456789abcdef", NULL, DOCTOR_ERROR,
	    "GITHUB_WEBHOOK_SECRET: a secret shorter than 32", "the server refuses" },
	{ "TELEGRAM_WEBHOOK_SECRET=0123456789abcdef", NULL, DOCTOR_ERROR,
	    "TELEGRAM_WEBHOOK_SECRET: a secret shorter than 32", "the server refuses" },
	{ "", old_key, DOCTOR_WARNING, "SSH_KEY_PATH: the key is 91 days old",
	    "SSH_KEY_PATH: the key is 9 days old" },
	{ "", no_key, DOCTOR_ERROR, "SSH_KEY_PATH: there is no", "SSH_KEY_PATH: the key is" },
	{ "", hidden_key, DOCTOR_NOTE,
	    "SSH_KEY_PATH: /app/secrets/deploy_key is not readable by this user",
	    "SSH_KEY_PATH: the key is" },
	{ "REPOSITORY_KEY_PATH=/k\nREPOSITORY_KNOWN_HOSTS=/h", old_git_key, DOCTOR_WARNING,
	    "REPOSITORY_KEY_PATH: the key is 91 days old", NULL },
	{ "", no_hosts, DOCTOR_ERROR, "known_hosts is not there", "hosts are known by their keys" },
	{ "", empty_hosts, DOCTOR_ERROR, "known_hosts is empty", "hosts are known by their keys" },
	{ "", hidden_hosts, DOCTOR_NOTE,
	    "SSH_KNOWN_HOSTS: /app/secrets/known_hosts is not readable by",
	    "hosts are known by their keys" },
	{ "DEPLOY_TRANSPORT=kubernetes\nKUBE_DEPLOYMENT=a\nKUBE_CONTAINER=a\nKUBECONFIG=/k\n"
	  "STAGING_KUBE_NAMESPACE=s\nREGISTRY_IMAGE=a",
	    no_key, DOCTOR_OK, NULL, NULL },
	{ "ADMIN_TELEGRAM_IDS=11", NULL, DOCTOR_WARNING, "one admin", "2 admins" },
	{ "ENABLE_TELEMETRY=false", NULL, DOCTOR_WARNING, "no alert can ever fire",
	    "ENABLE_TELEMETRY is on" },
	{ "-TELEGRAM_CHAT_ID", NULL, DOCTOR_ERROR, "TELEGRAM_CHAT_ID: is not set",
	    "the server refuses" },
	{ "-STAGING_HEALTH_URL", NULL, DOCTOR_ERROR, "live; set STAGING_HEALTH_URL",
	    "staging has a health URL" },
	{ "-PRODUCTION_HEALTH_URL", NULL, DOCTOR_ERROR, "live; set PRODUCTION_HEALTH_URL",
	    "production has a health URL" },
	{ "PRODUCTION_CONFIRM=false", NULL, DOCTOR_ERROR, "leave out PRODUCTION_CONFIRM=false",
	    "production asks before it deploys" },
	{ "", is_root, DOCTOR_ERROR, "the server runs as root", "does not run as root" },
	{ "-RUNNER_SOCKET", has_no_runner, DOCTOR_ERROR, "RUNNER_SOCKET: is not set",
	    "the runner is a service" },
	{ "", has_one_user, DOCTOR_WARNING, "service of the server's own user",
	    "service of another user" },
	{ "", has_root_runner, DOCTOR_ERROR, "the runner runs as root", "service of another user" },
	{ "", has_no_runner, DOCTOR_NOTE, NULL, "service of another user" },
	{ "DEPLOY_TRANSPORT=systemd\nSYSTEMD_UNITS=a.service", NULL, DOCTOR_WARNING,
	    "staging: DEPLOY_TRANSPORT=systemd: .deploybot/build of each commit runs as", NULL },
	{ "PRODUCTION_DEPLOY_TRANSPORT=local\nPRODUCTION_PORT=9000", NULL, DOCTOR_WARNING,
	    "production: DEPLOY_TRANSPORT=local: .deploybot/build of each commit runs as", NULL },
	{ "REGISTRY_URL=http://registry.example.com:5000", NULL, DOCTOR_ERROR,
	    "REGISTRY_URL: http:// goes", "the server refuses" },
	{ "-REGISTRY_URL", NULL, DOCTOR_ERROR, "REGISTRY_URL is not set", "REGISTRY_URL is set" },
	{ "IMAGE_SOURCE=build", NULL, DOCTOR_NOTE, "IMAGE_SOURCE=registry is recommended",
	    "built by CI" },
	{ "KEEP_RELEASES=1", NULL, DOCTOR_WARNING, "KEEP_RELEASES=1: keep 2 or more",
	    "KEEP_RELEASES leaves releases" },
	{ "", fleeting, DOCTOR_ERROR, "STATE_DIRECTORY is on tmpfs", "on a disk that stays" },
	{ "", wild_clock, DOCTOR_WARNING, "the clock is not synchronised",
	    "the clock is synchronised" },
	{ "", few_descriptors, DOCTOR_WARNING, "at most 1024 descriptors", "descriptors: 524288" },
	{ "", bad_chain, DOCTOR_ERROR, "audit log: line 3: it is not entry 3",
	    "audit log: 3 entries" },
	{ "", no_chain, DOCTOR_NOTE, "audit log: nothing is recorded yet", "audit log: 3 entries" },
};

static const struct doctor_finding *
find(const struct doctor *doctor, const char *words)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (strstr(doctor->findings[i].text, words) != NULL)
			return &doctor->findings[i];
	return NULL;
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct scene));
	return *state == NULL;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

TEST_WITH(an_installation_that_is_fit_is_told_so_in_every_point, set_up, tear_down)
{
	struct scene *scene = *state;

	scene->facts = fit_facts();
	settings_with(&scene->facts, "");
	doctor_production_judge(&scene->doctor, &scene->facts);
	for (size_t i = 0; i < scene->doctor.count; i++)
		if (scene->doctor.findings[i].level != DOCTOR_OK)
			fail_msg("%s", scene->doctor.findings[i].text);
	for (size_t i = 0; i < COUNT(flaws); i++)
		if (flaws[i].well != NULL && find(&scene->doctor, flaws[i].well) == NULL)
			fail_msg("not told: %s", flaws[i].well);
	settings_unref((struct settings *)(uintptr_t)scene->facts.settings);
}

static void
check(struct scene *scene, enum doctor_level level, const char *words, const char *well)
{
	const struct doctor_finding *found;

	memset(&scene->doctor, 0, sizeof(scene->doctor));
	doctor_production_judge(&scene->doctor, &scene->facts);
	found = words == NULL ? NULL : find(&scene->doctor, words);
	if (words != NULL && found == NULL)
		fail_msg("not told: %s", words);
	if (found != NULL && found->level != level)
		fail_msg("another level: %s", found->text);
	if (level != DOCTOR_OK && well != NULL && find(&scene->doctor, well) != NULL)
		fail_msg("told as well: %s", well);
	settings_unref((struct settings *)(uintptr_t)scene->facts.settings);
}

TEST_WITH(each_flaw_is_told_in_its_own_words_and_its_praise_is_not, set_up, tear_down)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(flaws); i++) {
		scene->facts = fit_facts();
		settings_with(&scene->facts, flaws[i].settings);
		if (flaws[i].change != NULL)
			flaws[i].change(&scene->facts);
		check(scene, flaws[i].level, flaws[i].words, flaws[i].well);
	}
}
