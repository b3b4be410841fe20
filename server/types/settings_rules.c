/* settings_rules.c - what one setting asks of another, and names that are none.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
