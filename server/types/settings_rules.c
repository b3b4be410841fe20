/* settings_rules.c - what one setting asks of another, and names that are none.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

#define KNOWN_NAMES_MAX (2 * SETTING_COUNT + ENVIRONMENT_SETTING_COUNT * SETTINGS_ENVIRONMENTS_MAX)

static bool
is_given(const struct settings_loader *l, enum setting setting)
{
	return l->s->inside->values[setting].is_given;
}

static void
check_required(struct settings_loader *l)
{
	if (!is_given(l, SETTING_TELEGRAM_BOT_TOKEN))
		settings_say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_BOT_TOKEN: is not set; @BotFather gives you one");
	if (!is_given(l, SETTING_ADMIN_TELEGRAM_IDS))
		settings_say(l->report, SETTINGS_ERROR,
		    "ADMIN_TELEGRAM_IDS: is not set; put your own Telegram "
		    "id there (any id for now: /whoami then tells yours)");
}

static void
check_webhook(struct settings_loader *l)
{
	bool has_url = is_given(l, SETTING_TELEGRAM_WEBHOOK_URL);

	if (l->s->telegram_mode == TELEGRAM_POLLING) {
		if (has_url)
			settings_say(l->report, SETTINGS_WARNING,
			    "TELEGRAM_WEBHOOK_URL: is not used: TELEGRAM_MODE is polling");
		return;
	}
	if (!has_url)
		settings_say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_WEBHOOK_URL: is not set, and TELEGRAM_MODE is webhook");
	if (!is_given(l, SETTING_TELEGRAM_WEBHOOK_SECRET))
		settings_say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_WEBHOOK_SECRET: is not set, and webhook mode "
		    "needs one; make one with: openssl rand -hex 32");
}

static void
check_repository(struct settings_loader *l)
{
	bool has_key = is_given(l, SETTING_REPOSITORY_KEY_PATH);

	if (l->s->repository_url == NULL && !is_given(l, SETTING_REPOSITORY_URL) &&
	    !is_given(l, SETTING_GITHUB_REPOSITORY))
		settings_say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_URL: is not set, and neither is GITHUB_REPOSITORY");
	if (has_key && !is_given(l, SETTING_REPOSITORY_KNOWN_HOSTS))
		settings_say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_KNOWN_HOSTS: is not set, and "
		    "REPOSITORY_KEY_PATH needs it: ssh-keyscan makes one; compare it with what the "
		    "host publishes");
	if (has_key && is_given(l, SETTING_REPOSITORY_TOKEN))
		settings_say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_TOKEN: set together with REPOSITORY_KEY_PATH; keep one of them");
}

static bool
is_set_to(const struct settings_loader *l, enum setting setting, const char *value)
{
	const char *text = l->s->inside->values[setting].text;

	return text != NULL && text_same_ci(text, value);
}

static bool
is_true(const struct settings_loader *l, enum setting setting)
{
	const char *text = l->s->inside->values[setting].text;
	bool truth = false;

	return text != NULL && text_to_bool(text, &truth, NULL) && truth;
}

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
check_folders(struct settings_loader *l, const struct settings_environment_inside *one,
    const struct settings_environment_inside *other)
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
check_ports(struct settings_loader *l, const struct settings_environment_inside *one,
    const struct settings_environment_inside *other)
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
	bool ssh = is_set_to(l, SETTING_DEPLOY_TRANSPORT, "ssh");
	bool local = is_set_to(l, SETTING_DEPLOY_TRANSPORT, "local");

	for (size_t i = 0; i < in->environment_count; i++)
		for (size_t j = 0; j < i; j++) {
			if (ssh)
				check_folders(l, in->environments[j], in->environments[i]);
			if (local)
				check_ports(l, in->environments[j], in->environments[i]);
		}
}

/* A run that is ended while it waits says less than one that stopped waiting. */
static void
check_wait(struct settings_loader *l)
{
	const char *wait = l->s->inside->values[SETTING_IMAGE_WAIT_SECONDS].text;
	const char *all = l->s->inside->values[SETTING_DEPLOY_TIMEOUT_SECONDS].text;
	int64_t wait_seconds, all_seconds;

	if (!is_set_to(l, SETTING_IMAGE_SOURCE, "registry") || wait == NULL || all == NULL ||
	    !text_to_i64(wait, 0, INT32_MAX, &wait_seconds, NULL) ||
	    !text_to_i64(all, 0, INT32_MAX, &all_seconds, NULL))
		return;
	if (wait_seconds >= all_seconds)
		settings_say(l->report, SETTINGS_ERROR,
		    "IMAGE_WAIT_SECONDS: %s is not below DEPLOY_TIMEOUT_SECONDS (%s): the "
		    "deployment would be ended while it waits",
		    wait, all);
}

/* What our own scripts would only say when somebody deploys. */
static void
check_target(struct settings_loader *l)
{
	bool kubernetes = is_true(l, SETTING_USE_KUBERNETES) ||
	    is_set_to(l, SETTING_DEPLOY_TRANSPORT, "kubernetes");
	bool bluegreen = is_set_to(l, SETTING_DEPLOY_STRATEGY, "bluegreen");
	const char *smoke = l->s->inside->values[SETTING_SMOKE_URL].text;

	if (is_given(l, SETTING_REGISTRY_USER) && !is_given(l, SETTING_REGISTRY_PASSWORD))
		settings_say(l->report, SETTINGS_ERROR,
		    "REGISTRY_PASSWORD: is not set, and REGISTRY_USER needs it");
	if (is_given(l, SETTING_REGISTRY_PASSWORD) && !is_given(l, SETTING_REGISTRY_USER))
		settings_say(l->report, SETTINGS_WARNING,
		    "REGISTRY_PASSWORD: is not used: REGISTRY_USER is not set");
	if (is_given(l, SETTING_DEPLOY_SCRIPT)) /* which has its own needs */
		return;
	check_wait(l);
	if (!kubernetes)
		check_neighbours(l);
	if (kubernetes && !is_given(l, SETTING_KUBE_DEPLOYMENT))
		settings_say(l->report, SETTINGS_ERROR,
		    "KUBE_DEPLOYMENT: is not set, and Kubernetes is released to");
	if (!kubernetes && !bluegreen && smoke != NULL && strstr(smoke, "{port}") != NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "SMOKE_URL: has {port}, which only DEPLOY_STRATEGY=bluegreen knows");
	if (!kubernetes && bluegreen && !is_given(l, SETTING_NGINX_UPSTREAM_FILE))
		settings_say(l->report, SETTINGS_ERROR,
		    "NGINX_UPSTREAM_FILE: is not set, and DEPLOY_STRATEGY is bluegreen");
}

static void
note_needless(struct settings_loader *l)
{
	if (is_given(l, SETTING_TELEGRAM_API_ID) || is_given(l, SETTING_TELEGRAM_API_HASH))
		settings_say(l->report, SETTINGS_NOTE,
		    "TELEGRAM_API_ID, TELEGRAM_API_HASH: not needed, the Bot "
		    "API asks for neither");
}

/* --- unknown names --- */

struct known_names {
	size_t count;
	const char *names[KNOWN_NAMES_MAX];
	char texts[KNOWN_NAMES_MAX][SETTINGS_TABLE_NAME + 8];
};

static void
list_known(const struct settings *s, struct known_names *known)
{
	known->count = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		known->names[known->count++] = settings_table[i].name;
		if (!settings_table[i].is_secret)
			continue;
		(void)snprintf(known->texts[known->count], sizeof(known->texts[0]), "%s_FILE",
		    settings_table[i].name);
		known->names[known->count] = known->texts[known->count];
		known->count++;
	}
	for (size_t e = 0; e < s->environment_count; e++)
		for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++) {
			known->names[known->count] =
			    settings_table_name(&settings_table_environment[i],
				s->environments[e].name, known->texts[known->count]);
			known->count++;
		}
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
warn_unknown(struct settings_loader *l)
{
	struct known_names *known = malloc(sizeof(*known));
	const char *nearest;

	if (known == NULL)
		return; /* only a warning is lost */
	list_known(l->s, known);
	for (size_t i = 0; i < l->file.count; i++) {
		const struct env_entry *entry = &l->file.entries[i];

		if (is_known(known, entry->name))
			continue;
		nearest = text_nearest(entry->name, known->names, known->count);
		settings_say(l->report, SETTINGS_WARNING,
		    "%.60s: is no setting%s%s%s (%.60s line %u)", entry->name,
		    nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
		    nearest == NULL ? "" : "?", l->file_name, entry->line);
	}
	free(known);
}

void
settings_check_rules(struct settings_loader *l)
{
	check_required(l);
	check_webhook(l);
	check_repository(l);
	check_target(l);
	note_needless(l);
	warn_unknown(l);
}
