/* settings_hooks.c - says which repositories need more than one webhook.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"
#include "types/repository.h"

static const char *
name_of(const struct settings *application)
{
	return application->application[0] != '\0' ? application->application : "the main file";
}

static bool
is_asked(const struct settings_loader *l, const struct settings *application)
{
	return l->asked == NULL || strcmp(l->asked, application->application) == 0;
}

/* Once for each two that do not share one. */
void
settings_say_hooks(struct settings_loader *l)
{
	const struct settings *s = l->s;

	for (size_t i = 0; i < s->application_count; i++) {
		const struct settings *application = s->applications[i];
		const struct settings *other = repository_other_hook(s, application);

		if (repository_is_unreached(s, application) && is_asked(l, application))
			settings_say(l->report, SETTINGS_NOTE,
			    "%s: no push can reach it: set GITHUB_REPOSITORY or REPOSITORY_PATH",
			    application->application);
		if (application->github_webhook_secret == NULL || other == NULL ||
		    !is_asked(l, application))
			continue;
		settings_say(l->report, SETTINGS_NOTE,
		    "%s: its repository is also one of %s, and it has a GITHUB_WEBHOOK_SECRET of its own: the repository needs two webhooks, /github/webhook/%s and /github/webhook%s%s",
		    name_of(application), name_of(other), application->application,
		    other->github_webhook_secret != NULL && other != s ? "/" : "",
		    other->github_webhook_secret != NULL ? other->application : "");
	}
}
