/* perform_github_deliveries.c - GITHUB_DELIVERIES: a forge is asked one thing about a webhook.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "forges/forge_row.h"
#include "forges/github_delivery.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/forge.h"
#include "types/pipeline.h"
#include "types/repository.h"
#include "types/settings.h"

#define PAGE	 100
#define PAGE_LAB 10 /* GitLab shows each with its body, and 20 at most */
#define PAUSE_S	 300

static const struct settings *
settings_asking(const struct effect *effect)
{
	return settings_application(effect->settings, effect->u.github_deliveries.application);
}

/* docs.gitlab.com/user/project/integrations/webhooks, auto-disabled: for good, or until a time.
 * What it sends again it would not send then (gitlab, app/services/web_hook_service.rb). */
static int64_t
off_until(const struct json *hook)
{
	const char *alert = json_get_str(hook, "alert_status");
	int64_t until = INT64_MAX;

	if (alert == NULL || strcmp(alert, "executable") == 0)
		return 0;
	(void)forge_time_read(json_get_str(hook, "disabled_until"), &until);
	return until;
}

/* The webhook that sends to us: its number, and whether it is on. */
static void
find_hook(
    const struct effect *effect, const struct json *hooks, struct github_deliveries_read *read)
{
	bool at_gitlab = effect->u.github_deliveries.at_gitlab;
	enum delivery_forge forge = at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB;
	const char *base = settings_text(effect->settings, SETTING_PUBLIC_URL);
	const char *application = repository_hook(settings_asking(effect), forge);
	const struct forge_row *row = &forge_rows[forge];
	char url[LIMIT_URL + 64];

	text_setf(url, "%s%s%s", base != NULL ? base : "",
	    application[0] != '\0' ? row->paths : row->path, application);
	for (size_t i = 0; read->hook == 0 && i < json_count(hooks); i++) {
		const struct json *hook = json_at(hooks, i);

		if (!json_has(at_gitlab ? hook : json_get(hook, "config"), "url", url))
			continue;
		read->hook = json_get_i64_or(hook, "id", 0);
		read->off_until = off_until(hook);
	}
	if (read->hook == 0)
		text_setf(read->why, "no webhook there sends to PUBLIC_URL%s%s",
		    application[0] != '\0' ? row->paths : row->path, application);
}

/* Of each kind of event that is read here. */
static void
take_page(const struct json *page, struct github_deliveries_read *read)
{
	enum delivery_kind kind;

	read->list = mem_new(PAGE, sizeof(*read->list));
	for (size_t i = 0; i < json_count(page) && read->n < PAGE; i++) {
		const char *event = json_get_str(json_at(page, i), "event");

		if (event == NULL || !redelivery_read(json_at(page, i), &read->list[read->n]))
			continue;
		(void)github_delivery_is_asked(event, &(struct bytes){ 0 }, &kind);
		read->n += kind != DELIVERY_OTHER && kind != DELIVERY_PING;
	}
}

/* A page that is full is followed by another one. */
static void
take_page_lab(const char *cursor, const struct json *events, struct github_deliveries_read *read)
{
	int64_t page;

	read->list = mem_new(PAGE_LAB, sizeof(*read->list));
	for (size_t i = 0; i < json_count(events) && i < PAGE_LAB; i++)
		read->n += redelivery_read_gitlab(json_at(events, i), &read->list[read->n]);
	if (!text_to_i64(cursor, 2, INT32_MAX, &page, NULL))
		page = 1;
	if (json_count(events) >= PAGE_LAB)
		text_setf(read->next, "%" PRId64, page + 1);
}

static void
take(const struct effect *effect, const struct forge_api_answer *answer, const struct json *body,
    struct github_deliveries_read *read)
{
	static const char heads[] = "refs/heads/";
	const struct effect_github_deliveries *what = &effect->u.github_deliveries;
	const struct json *payload = json_get(json_get(body, "request"), "payload");
	const char *ref = json_get_str(payload, "ref"), *of = NULL;

	if (what->hook == FORGE_HOOK_OF_APP) /* it has those of many repositories */
		of = json_get_str(json_get(payload, "repository"), "full_name");

	if (what->hook == 0)
		find_hook(effect, body, read);
	else if (what->at_gitlab && what->delivery == 0)
		take_page_lab(what->cursor, body, read);
	else if (what->delivery == 0) {
		take_page(body, read);
		text_set(read->next, answer->next);
	} else if (ref != NULL && text_is_plain(ref)) {
		ref += text_starts(ref, heads) ? strlen(heads) : 0;
		redelivery_ref(of, ref, read->branch);
	}
}

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct effect *effect = perform_job_free(ctx);
	struct github_deliveries_read *read = &effect->result->u.github_deliveries_read;
	bool is_of_one = effect->u.github_deliveries.delivery != 0;

	read->pause_s = github_job_pause_s(answer, PAUSE_S);
	read->is_tried = effect->u.github_deliveries.is_again && answer->was_sent &&
	    (answer->verdict == FORGE_API_AWAY || answer->verdict == FORGE_API_FAILED);
	if (is_of_one || answer->verdict != FORGE_API_NOT_FOUND)
		read->hook = effect->u.github_deliveries.hook; /* else there may be another one */
	if (answer->verdict == FORGE_API_DONE)
		take(effect, answer, body, read);
	else if (!is_of_one || /* which it has no more, does not take, or says too much of */
	    (answer->verdict != FORGE_API_NOT_FOUND && answer->verdict != FORGE_API_UNFIT &&
		answer->verdict != FORGE_API_REFUSED && answer->verdict != FORGE_API_CONFLICT &&
		answer->verdict != FORGE_API_TOO_LARGE && answer->verdict != FORGE_API_TORN))
		text_set(read->why, answer->detail);
	perform_report(effect);
}

/* docs.gitlab.com/api/project_webhooks */
static void
write_path(const struct effect_github_deliveries *what, char *path, size_t size)
{
	const char *page = what->cursor;
	char hook[48] = "/app/hook";

	if (what->hook != FORGE_HOOK_OF_APP)
		text_setf(hook, "/hooks/%" PRId64, what->hook);
	if (what->hook == 0)
		(void)snprintf(path, size, "/hooks?per_page=%d", PAGE);
	else if (what->delivery != 0)
		(void)snprintf(path, size, "%s/%s/%" PRId64 "%s", hook,
		    what->at_gitlab ? "events" : "deliveries", what->delivery,
		    !what->is_again	? "" :
			what->at_gitlab ? "/resend" :
					  "/attempts");
	else if (what->at_gitlab)
		(void)snprintf(path, size,
		    "%s/events?status=client_failure,server_failure&per_page=%d&page=%s", hook,
		    PAGE_LAB, page[0] != '\0' ? page : "1");
	else
		(void)snprintf(path, size, "%s/deliveries?status=failure&per_page=%d%s%s", hook,
		    PAGE, page[0] != '\0' ? "&cursor=" : "", page);
}

static void
ask(struct perform_job *base)
{
	const struct effect_github_deliveries *what = &base->effect->u.github_deliveries;
	const struct settings *of = settings_asking(base->effect);
	bool is_apps = what->hook == FORGE_HOOK_OF_APP;
	char path[128 + LIMIT_CURSOR], project[LIMIT_REF];
	struct forge_api_request request = { .settings = (struct settings *)of,
		.as = is_apps	    ? FORGE_AS_APP :
		    what->at_gitlab ? FORGE_AS_GITLAB :
				      FORGE_AS_ITS,
		.repository = is_apps || of == NULL ? NULL : of->github_repository,
		.path = path,
		.method = what->is_again ? "POST" : NULL,
		.on_done = on_answer };
	struct err err = { .code = ERR_NONE };

	if (what->at_gitlab)
		request.repository = project;
	if (what->at_gitlab && (of == NULL || !pipeline_project(of, project)))
		(void)err_set(&err, ERR_CONFIG, "its project is elsewhere now");
	write_path(what, path, sizeof(path));
	github_job_ask((struct github_job *)base, &request, &err);
}

void
perform_github_deliveries(struct perform *perform, struct effect *effect)
{
	ask(perform_job_new(sizeof(struct github_job), perform, effect, NULL, github_job_end));
}
