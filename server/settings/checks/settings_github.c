/* settings_github.c - what GitHub's API is asked with: the App's key, and whose address gets what.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_rsa.h"
#include "lib/err.h"
#include "settings/settings_inside.h"

static void
check_key(struct settings_loader *l, const char *pem)
{
	CLEANUP(crypto_rsa_freep) struct crypto_rsa *key = NULL;
	struct err err;

	key = crypto_rsa_new_private(pem, strlen(pem), &err);
	if (key == NULL)
		settings_say(l->report, SETTINGS_ERROR, "GITHUB_APP_KEY: %s", err.text);
}

void
settings_check_github(struct settings_loader *l)
{
	const struct settings *s = l->s;

	if (l->main == NULL && s->github.app_key != NULL)
		check_key(l, s->github.app_key);
	if (s->github.token == NULL && settings_is_given(s, SETTING_GITHUB_API_TOKEN))
		settings_say(l->report, SETTINGS_ERROR,
		    "GITHUB_API_URL: an address of this application's own, which does not get the main file's GITHUB_API_TOKEN: set one here too");
}

/* Where nothing is known of a commit GitHub is asked. */
static void
check_ci(struct settings_loader *l, const struct environment_settings *e)
{
	const struct settings *s = l->s;
	bool has_access = s->github.app_id != NULL || s->github.token != NULL;
	char setting[SETTING_NAME_MAX];
	struct environment_id id;

	if (e->require_ci == NULL || !environment_id_parse(e->name, &id) ||
	    (has_access && s->github_repository != NULL))
		return;
	settings_say(l->report, id.application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING,
	    "%s%s%s: needs %s", id.application, id.application[0] != '\0' ? ": " : "",
	    setting_name("<ENV>_REQUIRE_CI", id.name, setting),
	    has_access ? "GITHUB_REPOSITORY, which is not set" :
			 "GITHUB_APP_ID or GITHUB_API_TOKEN, to ask GitHub how its runs stand");
}

void
settings_check_ci(struct settings_loader *l)
{
	for (size_t i = 0; i < settings_own_count(l->s); i++)
		check_ci(l, &l->s->environments[i]);
}
