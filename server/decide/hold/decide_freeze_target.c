/* decide_freeze_target.c - what a freeze is of: an environment, an application, or all.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_freeze_target.h"

#include <stdio.h>

#include "decide/who/decide_allowed.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_lacks.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_principal.h"
#include "lib/text.h"
#include "policy/hold.h"

/* In each of these environments, of one application or (NULL) of all?  The denial names what was
 * typed, and none of them: there may be some that they do not see. */
static bool
may_all(struct tx *tx, const struct update *update, const struct request *request,
    const struct settings *application)
{
	bool lacks = false;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *environment = &tx->settings->environments[i];

		if (application != NULL && environment->of != application)
			continue;
		if (decide_is_allowed(tx, update->person, POLICY_FREEZE, environment->name)) {
			lacks |= decide_lacks_factor(tx, update, POLICY_FREEZE, environment->name);
			continue;
		}
		decide_factor_drop(tx); /* a no comes first */
		decide_deny(tx, update, POLICY_FREEZE, request->target, request->action,
		    "only who may freeze each environment of it may");
		return false;
	}
	return !lacks;
}

/* An application none of whose environments they see is not there. */
static const struct settings *
application_of(struct tx *tx, const struct update *update, const char *name)
{
	const struct settings *application = settings_application(tx->settings, name);
	const struct principal who = decide_principal(tx, update->person);

	if (name[0] == '\0' || application == NULL || application->application[0] == '\0' ||
	    settings_environment(tx->settings, name) != NULL)
		return NULL;
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *environment = &tx->settings->environments[i];

		if (environment->of == application &&
		    policy_sees(tx->settings, who, environment->name, tx->at))
			return application;
	}
	return NULL;
}

bool
decide_freeze_target(struct tx *tx, const struct update *update, const struct request *request,
    char ret[LIMIT_ENVIRONMENT])
{
	const struct settings *application = application_of(tx, update, request->target);
	const struct environment_settings *settings;

	if (strcmp(request->target, "all") == 0) {
		(void)text_copy(ret, LIMIT_ENVIRONMENT, HOLD_ALL);
		return !decide_is_stranger(tx, update->person) ?
		    may_all(tx, update, request, NULL) :
		    decide_may_begin(tx, update, POLICY_FREEZE, "");
	}
	if (application != NULL && request_text(request, REQUEST_TYPED)[0] == '\0' &&
	    decide_is_allowed_somewhere(tx, update->person, POLICY_FREEZE)) {
		(void)snprintf(ret, LIMIT_ENVIRONMENT, "%s/*", application->application);
		return may_all(tx, update, request, application);
	}
	settings = decide_where(tx, update, POLICY_FREEZE, request);
	if (settings != NULL)
		(void)text_copy(ret, LIMIT_ENVIRONMENT, settings->name);
	return settings != NULL;
}

const char *
decide_freeze_word(const char *target, char out[LIMIT_ENVIRONMENT])
{
	(void)text_copy(out, LIMIT_ENVIRONMENT, target);
	if (strcmp(target, HOLD_ALL) == 0)
		(void)text_copy(out, LIMIT_ENVIRONMENT, "all");
	else if (strchr(target, '*') != NULL)
		out[strcspn(out, "/")] = '\0';
	return out;
}
