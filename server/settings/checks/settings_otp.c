/* settings_otp.c - what asks for a second factor, and the key that factors are encrypted with.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/seal.h"
#include "lib/text.h"
#include "types/policy_action.h"
#include "types/roles.h"

/* Nobody needs a code to look, or to stop what goes wrong. */
#define NEVER \
	(POLICY_ACTION_BIT(POLICY_STATUS) | POLICY_ACTION_BIT(POLICY_HISTORY) | \
	    POLICY_ACTION_BIT(POLICY_LOG) | POLICY_ACTION_BIT(POLICY_AUDIT) | \
	    POLICY_ACTION_BIT(POLICY_CANCEL))

/* What * stands for: all but those and rollback, which has to be named; less than a grant's *. */
static uint32_t
set_of_star(void)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_is_grantable((enum policy_action)i))
			set |= POLICY_ACTION_BIT(i);
	return set & ~(NEVER | POLICY_ACTION_BIT(POLICY_ROLLBACK));
}

/* Without a target it is of all, and has no name; deploy:* is of each application's. */
static struct grant
read(const char *text, char action[SETTINGS_ACTION_MAX])
{
	bool has_target;
	struct grant grant = settings_read_grant("", text, action, &has_target);

	grant.actions &= strcmp(action, "*") == 0 ? set_of_star() : ~NEVER;
	if (has_target && !grant.is_client && grant.application[0] == '\0' &&
	    strcmp(grant.name, "*") == 0)
		text_set(grant.application, "*");
	return grant;
}

void
settings_fill_otp(struct settings *s)
{
	struct settings_inside *in = s->inside;
	const char *list = in->values[SETTING_REQUIRE_OTP].text;
	const char *url = in->values[SETTING_PUBLIC_URL].text;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];

	free(in->require_otp);
	in->require_otp = NULL;
	in->require_otp_count = 0;
	while (
	    list != NULL && s->application[0] == '\0' && setting_next(&list, text, sizeof(text))) {
		struct grant *added =
		    array_add(&in->require_otp, &in->require_otp_count, sizeof(*added));

		*added = read(text, action);
		text_set(added->text, text); /* fits */
	}
	s->require_otp_count = in->require_otp_count;
	s->require_otp = in->require_otp;
	s->totp_keys = in->totp_keys;
	s->enrols_by_page = s->console && text_starts(url != NULL ? url : "", "https://");
}

static void
say_no_action(const struct settings_loader *l, const char *text, const char *action)
{
	char near[SETTINGS_NEAR_MAX];

	if (policy_action_set(action) != 0)
		settings_say(l->report, SETTINGS_ERROR,
		    "REQUIRE_OTP: %s: that never needs a code: nobody is kept from looking and stopping",
		    text);
	else
		settings_say(l->report, SETTINGS_ERROR, "REQUIRE_OTP: %s: there is no action %s%s",
		    text, action, settings_near_action(text, action, near));
}

/* A * of environments is of no client, as in a role's grants: who protects all of them may have
 * forgotten these. */
static bool
forgets_clients(const struct settings *s, const struct grant *grant)
{
	const uint32_t both =
	    grant->actions & (POLICY_ACTION_BIT(POLICY_DO) | POLICY_ACTION_BIT(POLICY_APPROVE));

	if (s->client_count == 0 || grant->is_client || grant->only[0] != '\0' ||
	    strcmp(grant->application, "*") != 0 || strcmp(grant->name, "*") != 0)
		return false;
	for (size_t i = 0; i < s->require_otp_count; i++)
		if ((s->require_otp[i].is_client || s->require_otp[i].name[0] == '\0') &&
		    (s->require_otp[i].actions & both) != 0)
			return false;
	return both != 0;
}

/* Who means shop/production and writes another would never be asked for a code. */
static void
check_required(const struct settings_loader *l)
{
	const char *list = l->s->inside->values[SETTING_REQUIRE_OTP].text;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX], why[LIMIT_LINE];

	while (list != NULL && setting_next(&list, text, sizeof(text))) {
		struct grant grant = read(text, action);
		enum settings_idle idle = settings_idle_grant(l, &grant, "asks for no code", why);

		if (grant.actions == 0)
			say_no_action(l, text, action);
		else if (idle != SETTINGS_NOT_IDLE)
			settings_say(l->report,
			    idle != SETTINGS_OTHER_KIND ? SETTINGS_WARNING :
				grant.actions == POLICY_ACTION_BIT(POLICY_SECRET) ? SETTINGS_FLAW :
										    SETTINGS_ERROR,
			    "REQUIRE_OTP: %s: %s", text, why);
		else if (forgets_clients(l->s, &grant))
			settings_say(l->report, SETTINGS_WARNING,
			    "REQUIRE_OTP: %s: covers environments and no clients, as in a role's grants: add %s:client/*, or nothing done to a client needs a code",
			    text, action);
		else if (!grant.is_client && strcmp(grant.name, "*") != 0 &&
		    grant.name[0] != '\0' && !settings_has_granted(l->s, &grant, true))
			settings_say(l->report, settings_gone(l, &grant, false),
			    "REQUIRE_OTP: %s: there is no such environment: nothing there asks for a code",
			    text);
		else if (grant.is_client && strcmp(grant.name, "*") != 0 &&
		    settings_client(l->s, grant.name) == NULL)
			settings_say(l->report, SETTINGS_ERROR,
			    "REQUIRE_OTP: %s: there is no client %s: CLIENTS lists them", text,
			    grant.name);
	}
	if (l->s->inside->require_otp_count > 0 &&
	    l->s->inside->values[SETTING_TOTP_KEY_FILE].text == NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "TOTP_KEY_FILE: is not set, and REQUIRE_OTP asks for codes; make the file with: openssl rand -hex 32");
}

/* A key that was lost ends no server: nothing is opened, and doctor says so. */
void
settings_take_otp(struct settings_loader *l)
{
	const char *path = l->s->inside->values[SETTING_TOTP_KEY_FILE].text;
	CLEANUP(freep) struct seal_keys *keys = path == NULL ? NULL : mem_new(1, sizeof(*keys));
	char why[LIMIT_LINE];
	struct err err;

	check_required(l);
	if (path == NULL)
		return;
	if (seal_read(path, keys, &err)) {
		l->s->totp_keys = l->s->inside->totp_keys = TAKE(keys);
		return;
	}
	text_setf(why,
	    "%.120s; no second factor can be read: put back the file that they were made with (mode 0600, of the server's user), or a new key",
	    err.text);
	settings_warn(l, settings_say(l->report, SETTINGS_FLAW, "TOTP_KEY_FILE: %s", why),
	    "TOTP_KEY_FILE", why);
}
