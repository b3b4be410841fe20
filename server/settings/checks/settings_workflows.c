/* settings_workflows.c - workflows that one job could be both of, and what they all need.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_workflows.h"

#include "settings/settings_inside.h"
#include "lib/text.h"
#include "types/workflow.h"

/* What stands in an application's file keeps nobody else from starting. */
static enum settings_severity
level_of(const struct workflow *workflow)
{
	return workflow->application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING;
}

/* Actions of ours refuse any other, and what a token names is compared letter by letter. */
static bool
is_audience(const char *url)
{
	return (text_starts(url, "https://") || text_starts(url, "http://127.") ||
		   text_starts(url, "http://localhost") || text_starts(url, "http://[::1]")) &&
	    strpbrk(strstr(url, "//") + 2, "/?#ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

void
settings_say_workflows(struct settings_loader *l)
{
	enum settings_severity level = SETTINGS_WARNING;
	struct workflow first, other;
	struct workflow_line line, its;
	bool is_any = false;
	size_t at = 0;

	for (size_t i = 0; workflow_next(l->s, &i, &first); is_any = true)
		level = first.application[0] == '\0' ? SETTINGS_ERROR : level;

	while (workflow_next(l->s, &at, &first))
		for (size_t next = at; workflow_line_read(first.is, &line, NULL) &&
		     workflow_next(l->s, &next, &other);)
			if (workflow_line_read(other.is, &its, NULL) &&
			    workflow_lines_meet(&line, &its))
				settings_say(l->report, level_of(&other),
				    "workflows %s and %s: a job may be of both: put the grants into one _MAY, or let environment= say which",
				    first.id, other.id);
	if (is_any && !l->s->enable_api_server)
		settings_say(l->report, level,
		    "there are workflows, and /v1 is not served: ENABLE_API_SERVER=true does that");
	if (is_any && settings_text(l->s, SETTING_PUBLIC_URL) == NULL)
		settings_say(l->report, level,
		    "there are workflows, and PUBLIC_URL is not set: https://HOST of this server, which their tokens name");
	else if (is_any && !is_audience(settings_text(l->s, SETTING_PUBLIC_URL)))
		settings_say(l->report, level,
		    "PUBLIC_URL: no job can name it: https://HOST[:PORT] in small letters, with no path and no / at its end");
}
