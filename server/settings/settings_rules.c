/* settings_rules.c - what one setting asks of another, and names that are none.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

#define KNOWN_NAMES_MAX (2 * (SETTING_COUNT + FAMILY_SETTING_COUNT * SETTINGS_MEMBERS_MAX))

static bool
is_given(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].is_given;
}

static bool
is_set_to(const struct settings *s, enum setting setting, const char *value)
{
	const char *text = s->inside->values[setting].text;

	return text != NULL && text_same_ci(text, value);
}

/* --- one setting beside others --- */

static bool
is_any(const struct settings *s)
{
	(void)s;
	return true;
}

static bool
is_webhook(const struct settings *s)
{
	return s->telegram_mode == TELEGRAM_WEBHOOK;
}

static bool
is_polling(const struct settings *s)
{
	return !is_webhook(s);
}

static bool
has_no_repository(const struct settings *s)
{
	return s->repository_url == NULL && !is_given(s, SETTING_GITHUB_REPOSITORY);
}

static bool
has_key(const struct settings *s)
{
	return is_given(s, SETTING_REPOSITORY_KEY_PATH);
}

static bool
has_account(const struct settings *s)
{
	return is_given(s, SETTING_REGISTRY_USER);
}

static bool
has_no_account(const struct settings *s)
{
	return !has_account(s);
}

/* What our own scripts would only say when somebody deploys; his own have needs of their own. */
static bool
is_kubernetes(const struct settings *s)
{
	return !is_given(s, SETTING_DEPLOY_SCRIPT) &&
	    (settings_truth(s->inside->values[SETTING_USE_KUBERNETES].text) ||
		is_set_to(s, SETTING_DEPLOY_TRANSPORT, "kubernetes"));
}

static bool
is_host(const struct settings *s)
{
	return !is_given(s, SETTING_DEPLOY_SCRIPT) && !is_kubernetes(s);
}

static bool
is_bluegreen(const struct settings *s)
{
	return is_host(s) && is_set_to(s, SETTING_DEPLOY_STRATEGY, "bluegreen");
}

static bool
has_a_port_that_nobody_knows(const struct settings *s)
{
	const char *smoke = s->inside->values[SETTING_SMOKE_URL].text;

	return is_host(s) && !is_bluegreen(s) && smoke != NULL && strstr(smoke, "{port}") != NULL;
}

/* A setting that is given, or is not, where that makes no sense. */
static const struct rule {
	enum setting setting;
	bool is_given;
	bool (*where)(const struct settings *s);
	enum settings_severity severity;
	const char *sentence;
} rules[] = {
#define GIVEN	true
#define MISSING false
	{ SETTING_TELEGRAM_BOT_TOKEN, MISSING, is_any, SETTINGS_ERROR,
	    "is not set; @BotFather gives you one" },
	{ SETTING_ADMIN_TELEGRAM_IDS, MISSING, is_any, SETTINGS_ERROR,
	    "is not set; put your own Telegram id there (any id for now: /whoami then tells "
	    "yours)" },
	{ SETTING_TELEGRAM_WEBHOOK_URL, GIVEN, is_polling, SETTINGS_WARNING,
	    "is not used: TELEGRAM_MODE is polling" },
	{ SETTING_TELEGRAM_WEBHOOK_URL, MISSING, is_webhook, SETTINGS_ERROR,
	    "is not set, and TELEGRAM_MODE is webhook" },
	{ SETTING_TELEGRAM_WEBHOOK_SECRET, MISSING, is_webhook, SETTINGS_ERROR,
	    "is not set, and webhook mode needs one; make one with: openssl rand -hex 32" },
	{ SETTING_REPOSITORY_URL, MISSING, has_no_repository, SETTINGS_ERROR,
	    "is not set, and neither is GITHUB_REPOSITORY" },
	{ SETTING_REPOSITORY_KNOWN_HOSTS, MISSING, has_key, SETTINGS_ERROR,
	    "is not set, and REPOSITORY_KEY_PATH needs it: ssh-keyscan makes one; compare it with "
	    "what the host publishes" },
	{ SETTING_REPOSITORY_TOKEN, GIVEN, has_key, SETTINGS_ERROR,
	    "set together with REPOSITORY_KEY_PATH; keep one of them" },
	{ SETTING_REGISTRY_PASSWORD, MISSING, has_account, SETTINGS_ERROR,
	    "is not set, and REGISTRY_USER needs it" },
	{ SETTING_REGISTRY_PASSWORD, GIVEN, has_no_account, SETTINGS_WARNING,
	    "is not used: REGISTRY_USER is not set" },
	{ SETTING_KUBE_DEPLOYMENT, MISSING, is_kubernetes, SETTINGS_ERROR,
	    "is not set, and Kubernetes is released to" },
	{ SETTING_SMOKE_URL, GIVEN, has_a_port_that_nobody_knows, SETTINGS_ERROR,
	    "has {port}, which only DEPLOY_STRATEGY=bluegreen knows" },
	{ SETTING_NGINX_UPSTREAM_FILE, MISSING, is_bluegreen, SETTINGS_ERROR,
	    "is not set, and DEPLOY_STRATEGY is bluegreen" },
	{ SETTING_TELEGRAM_API_ID, GIVEN, is_any, SETTINGS_NOTE,
	    "is not needed: the Bot API asks for none" },
	{ SETTING_TELEGRAM_API_HASH, GIVEN, is_any, SETTINGS_NOTE,
	    "is not needed: the Bot API asks for none" },
};

static void
check_alone(struct settings_loader *l)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (is_given(l->s, rules[i].setting) == rules[i].is_given && rules[i].where(l->s))
			settings_say(l->report, rules[i].severity, "%s: %s",
			    settings_table[rules[i].setting].name, rules[i].sentence);
}

/* --- two environments --- */

/* Of HOST[:PORT]: port 22 is what ssh takes where none is named. */
static size_t
without_port_22(const char *host, size_t len)
{
	return len > 3 && memcmp(host + len - 3, ":22", 3) == 0 ? len - 3 : len;
}

/* Do two lists of HOST[:PORT],… have one in common? */
static bool
share_a_host(const char *one, const char *other)
{
	for (const char *host = one; *host != '\0';) {
		size_t len = strcspn(host, ","), plain = without_port_22(host, len);

		for (const char *at = other; *at != '\0';) {
			size_t n = strcspn(at, ",");

			if (without_port_22(at, n) == plain && strncasecmp(host, at, plain) == 0)
				return true;
			at += n + (at[n] == ',');
		}
		host += len + (host[len] == ',');
	}
	return false;
}

static bool
are_one_folder(const char *one, const char *other)
{
	size_t n = strlen(one), m = strlen(other);

	n -= n > 1 && one[n - 1] == '/';
	m -= m > 1 && other[m - 1] == '/';
	return n == m && memcmp(one, other, n) == 0;
}

/* Two environments in one folder of one host would replace each other. */
static void
check_folders(struct settings_loader *l, const struct settings_member *one,
    const struct settings_member *other)
{
	const char *hosts = one->values[ENVIRONMENT_SETTING_HOST].text;
	const char *others = other->values[ENVIRONMENT_SETTING_HOST].text;
	const char *folder = one->values[ENVIRONMENT_SETTING_COMPOSE_DIR].text;
	const char *its = other->values[ENVIRONMENT_SETTING_COMPOSE_DIR].text;

	if (hosts != NULL && others != NULL && folder != NULL && its != NULL &&
	    share_a_host(hosts, others) && are_one_folder(folder, its))
		settings_say(l->report, SETTINGS_ERROR,
		    "<ENV>_COMPOSE_DIR: %s and %s have a host in common, and there "
		    "%s both: a release to one would replace the other",
		    one->name, other->name, folder);
}

/* On this machine only one application can listen there. */
static void
check_ports(struct settings_loader *l, const struct settings_member *one,
    const struct settings_member *other)
{
	const char *port = one->values[ENVIRONMENT_SETTING_PORT].text;
	const char *its = other->values[ENVIRONMENT_SETTING_PORT].text;

	if (port != NULL && its != NULL && strcmp(port, its) == 0)
		settings_say(l->report, SETTINGS_ERROR,
		    "<ENV>_PORT: %s and %s have %s both, and DEPLOY_TRANSPORT is local: only "
		    "one of them could start",
		    one->name, other->name, port);
}

static void
check_neighbours(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;
	bool ssh = is_set_to(l->s, SETTING_DEPLOY_TRANSPORT, "ssh");
	bool local = is_set_to(l->s, SETTING_DEPLOY_TRANSPORT, "local");

	if (!is_host(l->s))
		return;
	for (size_t i = 0; i < in->member_count; i++)
		for (size_t j = 0; j < i; j++) {
			if (in->members[i]->family != FAMILY_ENVIRONMENT ||
			    in->members[j]->family != FAMILY_ENVIRONMENT)
				continue;
			if (ssh)
				check_folders(l, in->members[j], in->members[i]);
			if (local)
				check_ports(l, in->members[j], in->members[i]);
		}
}

/* A run that is ended while it waits says less than one that stopped waiting. */
static void
check_wait(struct settings_loader *l)
{
	const char *wait = l->s->inside->values[SETTING_IMAGE_WAIT_SECONDS].text;
	const char *all = l->s->inside->values[SETTING_DEPLOY_TIMEOUT_SECONDS].text;
	int64_t wait_seconds, all_seconds;

	if (is_given(l->s, SETTING_DEPLOY_SCRIPT) ||
	    !is_set_to(l->s, SETTING_IMAGE_SOURCE, "registry") || wait == NULL || all == NULL ||
	    !text_to_i64(wait, 0, INT32_MAX, &wait_seconds, NULL) ||
	    !text_to_i64(all, 0, INT32_MAX, &all_seconds, NULL))
		return;
	if (wait_seconds >= all_seconds)
		settings_say(l->report, SETTINGS_ERROR,
		    "IMAGE_WAIT_SECONDS: %s is not below DEPLOY_TIMEOUT_SECONDS (%s): the "
		    "deployment would be ended while it waits",
		    wait, all);
}

/* --- unknown names --- */

struct known_names {
	size_t count;
	const char *names[KNOWN_NAMES_MAX];
	char texts[KNOWN_NAMES_MAX][SETTING_NAME_MAX + 8];
};

static void
add_known(struct known_names *known, const struct settings_spec *spec, const char *member)
{
	char name[SETTING_NAME_MAX];

	(void)setting_name(spec->name, member, name);
	for (int i = 0; i <= spec->is_secret; i++) {
		(void)snprintf(known->texts[known->count], sizeof(known->texts[0]), "%s%s", name,
		    i == 0 ? "" : "_FILE");
		known->names[known->count] = known->texts[known->count];
		known->count++;
	}
}

static void
list_known(const struct settings_inside *in, struct known_names *known)
{
	known->count = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		add_known(known, &settings_table[i], "");
	for (size_t m = 0; m < in->member_count; m++)
		for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
			if (settings_table_families[i].family == in->members[m]->family)
				add_known(known, &settings_table_families[i], in->members[m]->name);
}

static bool
is_known(const struct known_names *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->names[i], name) == 0)
			return true;
	return false;
}

static void
warn_unknown_in(struct settings_loader *l, const struct known_names *known, size_t source)
{
	const char *nearest;

	for (size_t i = 0; i < l->files[source].count; i++) {
		const struct env_entry *entry = &l->files[source].entries[i];

		if (is_known(known, entry->name))
			continue;
		nearest = text_nearest(entry->name, known->names, known->count);
		settings_say(l->report, SETTINGS_WARNING,
		    "%.60s: is no setting%s%s%s (%.60s line %u)", entry->name,
		    nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
		    nearest == NULL ? "" : "?", l->sources[source].file, entry->line);
	}
}

static void
warn_unknown(struct settings_loader *l)
{
	struct known_names *known = malloc(sizeof(*known));

	if (known == NULL)
		return; /* only a warning is lost */
	list_known(l->s->inside, known);
	for (size_t i = 0; i < l->count; i++)
		warn_unknown_in(l, known, i);
	free(known);
}

void
settings_check_rules(struct settings_loader *l)
{
	check_alone(l);
	check_wait(l);
	check_neighbours(l);
	warn_unknown(l);
}
