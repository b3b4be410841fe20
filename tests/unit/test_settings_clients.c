/* Goal: what a client lacks for its actions is said by the setting's name, and what is whole is not.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"

#include "unit.h"

#define ROOM  24
#define ZONE  "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef"
#define TOKEN "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv"

/* Nothing is wrong with it: a case sets one of it anew, or leaves it out with "NAME=". */
static const char *const fit[] = { "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
	"ADMIN_TELEGRAM_IDS=11", "GITHUB_REPOSITORY=acme/shop", "TELEGRAM_MODE=polling",
	"TELEGRAM_WEBHOOK_URL=https://bot.example.org/telegram/webhook", "CLIENTS=acme", ZONE,
	TOKEN, "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal", "CLIENT_ACME_CLOUDFLARE_MINUTES=60",
	"CLIENT_ACME_CLOUDFLARE_DOMAIN=acme.example" };

/* What is said of a setting that begins so with the settings above and these two; NULL: nothing. */
static const struct settings_line *
find_with(const char *changed, const char *also, const char *name)
{
	static struct settings_report report;
	struct settings *s = NULL;
	char *list[ROOM] = { 0 };
	size_t n = 0;

	memset(&report, 0, sizeof(report));
	for (size_t i = 0; i < COUNT(fit); i++)
		if (strncmp(fit[i], changed, strcspn(fit[i], "=") + 1) != 0)
			list[n++] = strdup(fit[i]);
	list[n++] = strdup(changed);
	list[n++] = strdup(also);
	if (settings_load(NULL, list, &s, &report))
		settings_unref(s);
	while (n > 0)
		free(list[--n]);
	for (size_t i = 0; i < report.count; i++)
		if (strncmp(report.lines[i].text, name, strlen(name)) == 0)
			return &report.lines[i];
	return NULL;
}

static const struct settings_line *
find(const char *changed, const char *name)
{
	return find_with(changed, "LOG_LEVEL=info", name);
}

TEST(what_cloudflare_needs_is_named)
{
	static const struct {
		const char *changed;
		enum settings_severity severity;
		const char *said;
	} rows[] = {
		{ "CLIENT_ACME_CLOUDFLARE_ZONE=", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_ZONE: is not set, and cf-under-attack needs it" },
		{ "CLIENT_ACME_CLOUDFLARE_ZONE=acme.example", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_ZONE: \"acme.example\" is not the id of a zone" },
		{ "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789ABCDEF0123456789ABCDEF", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_ZONE: \"0123456789ABCDEF" },
		{ "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef0", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_ZONE: " },
		{ "CLOUDFLARE_API_TOKEN=", SETTINGS_ERROR,
		    "CLIENT_ACME_ACTIONS: cf-under-attack and cf-normal need CLOUDFLARE_API_TOKEN" },
		{ "CLIENT_ACME_CLOUDFLARE_MINUTES=4", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_MINUTES: \"4\" is not minutes, 5 to 1440" },
		{ "CLIENT_ACME_CLOUDFLARE_MINUTES=1441", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_MINUTES: \"1441\" is not minutes, 5 to 1440" },
		{ "CLIENT_ACME_CLOUDFLARE_DOMAIN=", SETTINGS_WARNING,
		    "CLIENT_ACME_CLOUDFLARE_DOMAIN: is not set" },
		{ "CLIENT_ACME_CLOUDFLARE_DOMAIN=https://acme.example", SETTINGS_ERROR,
		    "CLIENT_ACME_CLOUDFLARE_DOMAIN: \"https://acme.example\" is not a domain" },
		{ "TELEGRAM_WEBHOOK_URL=https://bot.acme.example/telegram/webhook",
		    SETTINGS_WARNING,
		    "CLIENT_ACME_CLOUDFLARE_DOMAIN: TELEGRAM_WEBHOOK_URL lies in it" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct settings_line *line = find(rows[i].changed, rows[i].said);

		if (line == NULL)
			fail_msg("%s: not said: %s", rows[i].changed, rows[i].said);
		assert_int_equal(line->severity, rows[i].severity);
	}
}

/* What root has put there is done: no setting says it. */
TEST(an_agent_needs_no_unit_in_the_settings)
{
	static const char actions[] =
	    "CLIENT_ACME_ACTIONS=restart-web,clear-cache,service-status,run-playbook";
	static const char *const by_ssh[] = { "CLIENT_ACME_WEB_UNIT", "CLIENT_ACME_CACHE_COMMAND" };

	for (size_t i = 0; i < COUNT(by_ssh); i++) {
		assert_null(find_with(actions, "CLIENT_ACME_HOST=agent:acme", by_ssh[i]));
		assert_non_null(find_with(actions, "CLIENT_ACME_HOST=acme", by_ssh[i]));
	}
	assert_null(find_with(actions, "CLIENT_ACME_HOST=agent:acme", "CLIENT_ACME_HOST: is not"));
	assert_non_null(find_with(
	    actions, "CLIENT_ACME_HOST=agent:acme_1", "CLIENT_ACME_HOST: \"agent:acme_1\""));
}

/* Also where no client may run them yet: it would be found when somebody approves one. */
TEST(playbooks_need_their_folder)
{
	static const char playbook[] = "PLAYBOOK_RESTART=site.yml tags=restart";
	static const char said[] =
	    "ANSIBLE_FOLDER: is not set, and PLAYBOOK_<NAME> names a file in it";

	assert_non_null(find_with(playbook, "ANSIBLE_FOLDER=", said));
	assert_int_equal(find_with(playbook, "ANSIBLE_FOLDER=", said)->severity, SETTINGS_ERROR);
	assert_non_null(find(playbook, said));
	assert_null(find_with(playbook, "ANSIBLE_FOLDER=/srv/ansible", "ANSIBLE_FOLDER"));
	assert_null(find("ANSIBLE_FOLDER=", "ANSIBLE_FOLDER"));
}

TEST(what_is_whole_is_not_spoken_of)
{
	static const char *const rows[] = { "CLIENT_ACME_NAME=Acme",
		"CLIENT_ACME_CLOUDFLARE_MINUTES=5", "CLIENT_ACME_CLOUDFLARE_MINUTES=1440",
		"CLIENT_ACME_CLOUDFLARE_MINUTES=", "CLIENT_ACME_ACTIONS=cf-normal" };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (find(rows[i], "CLIENT_") != NULL)
			fail_msg("%s: %s", rows[i], find(rows[i], "CLIENT_")->text);
}
