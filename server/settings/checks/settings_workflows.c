/* settings_workflows.c - workflows that one job could be both of, and what they all need.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_workflows.h"

#include "settings/settings_inside.h"
#include "lib/buf.h"
#include "lib/list.h"
#include "lib/text.h"
#include "lib/url.h"
#include "types/job.h"
#include "types/workflow.h"

/* What stands in an application's file keeps nobody else from starting. */
static enum settings_severity
level_of(const struct workflow *workflow)
{
	return workflow->application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING;
}

/* Whoever stands between could give keys of their own. */
static bool
is_believed(const char *url)
{
	char host[URL_HOST];

	(void)url_host(url, host);
	return text_starts(url, "https://") || text_starts(url, "http://[::1]") ||
	    strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0;
}

/* Actions of ours refuse any other, and what a token names is compared letter by letter. */
static bool
is_audience(const char *url)
{
	return is_believed(url) &&
	    strpbrk(strstr(url, "//") + 2, "/?#ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

static void
say_issuer(const struct settings_loader *l, enum settings_severity level, enum delivery_forge forge)
{
	const char *issuer = workflow_issuer(l->s, forge);
	const char *name = forge == DELIVERY_GITLAB ? "GITLAB_URL" : "GITHUB_TOKEN_ISSUER";

	if (!workflow_is_any(l->s, forge))
		return;
	if (!is_believed(issuer))
		settings_say(l->report, level,
		    "%s: tokens of jobs are proved by keys from there: https://", name);
	if (text_ends(issuer, "/"))
		settings_say(l->report, level,
		    "%s: no token names it with a / at its end: leave that away", name);
}

/* From the next start on. */
static bool
is_to_be_served(const struct settings_loader *l)
{
	return l->running != NULL && !l->running->enable_api_server &&
	    list_has(buf_text(&l->change->restart_names), "ENABLE_API_SERVER");
}

/* Whose key it is could not be said. */
static bool
share_a_key(const struct secret *a, const struct secret *b)
{
	return secret_find(a, b->values[0]) >= 0 || secret_find(a, b->values[1]) >= 0;
}

static void
say_pair(
    const struct settings_loader *l, const struct workflow *first, const struct workflow *other)
{
	struct workflow_line line, its;

	if (first->is != NULL && other->is != NULL && workflow_line_read(first->is, &line, NULL) &&
	    workflow_line_read(other->is, &its, NULL) && workflow_lines_meet(&line, &its))
		settings_say(l->report, level_of(other),
		    "workflows %s and %s: a job may be of both: put the grants into one _MAY, or let environment= say which",
		    first->id, other->id);
	if (share_a_key(&first->key, &other->key))
		settings_say(l->report, level_of(other),
		    "workflows %s and %s have one _KEY, which lets in neither: make another one",
		    first->id, other->id);
}

/* Which tokens name. */
static void
say_audience(const struct settings_loader *l, enum settings_severity level)
{
	const char *url = settings_text(l->s, SETTING_PUBLIC_URL);

	if (url == NULL)
		settings_say(l->report, level,
		    "there are workflows, and PUBLIC_URL is not set: https://HOST of this server, which their tokens name");
	else if (!is_audience(url))
		settings_say(l->report, level,
		    "PUBLIC_URL: no job can name it: https://HOST[:PORT] in small letters, with no path and no / at its end");
}

void
settings_say_workflows(struct settings_loader *l)
{
	enum settings_severity level = SETTINGS_WARNING;
	struct workflow first, other;
	bool is_any = false, is_by_token = false;

	for (size_t at = 0; workflow_next(l->s, &at, &first); is_any = true) {
		level = first.application[0] == '\0' ? SETTINGS_ERROR : level;
		is_by_token |= first.is != NULL;
		for (size_t next = at; workflow_next(l->s, &next, &other);)
			say_pair(l, &first, &other);
	}
	for (enum delivery_forge forge = 0; forge < JOB_FORGES; forge++)
		say_issuer(l, level, forge);
	if (is_any && !l->s->enable_api_server && is_to_be_served(l))
		settings_say(l->report, SETTINGS_WARNING,
		    "there are workflows, and /v1 is not served yet: ENABLE_API_SERVER=true counts when deploybot starts again");
	else if (is_any && !l->s->enable_api_server)
		settings_say(l->report, level,
		    "there are workflows, and /v1 is not served: ENABLE_API_SERVER=true does that");
	if (is_by_token)
		say_audience(l, level);
}
