/* perform_github_deliveries.c - GITHUB_DELIVERIES: GitHub is asked one thing about a webhook.  Side: loop. */
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
#include "types/repository.h"
#include "types/settings.h"

#define PAGE	100
#define PAUSE_S 300

static const struct settings *
settings_asking(const struct effect *effect)
{
	return settings_application(effect->settings, effect->u.github_deliveries.application);
}

/* The number of the webhook that sends to us. */
static int64_t
find_hook(const struct effect *effect, const struct json *hooks)
{
	const char *base = settings_text(effect->settings, SETTING_PUBLIC_URL);
	const char *application = repository_hook(settings_asking(effect), DELIVERY_GITHUB);
	const struct forge_row *row = &forge_rows[DELIVERY_GITHUB];
	char url[LIMIT_URL + 64];

	(void)snprintf(url, sizeof(url), "%s%s%s", base != NULL ? base : "",
	    application[0] != '\0' ? row->paths : row->path, application);
	for (size_t i = 0; i < json_count(hooks); i++) {
		const struct json *hook = json_at(hooks, i);

		if (json_has(json_get(hook, "config"), "url", url))
			return json_get_i64_or(hook, "id", 0);
	}
	return 0;
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

	if (what->hook == 0) {
		read->hook = find_hook(effect, body);
		if (read->hook == 0)
			(void)text_copy(read->why, sizeof(read->why),
			    "no webhook there sends to PUBLIC_URL/github/webhook");
	} else if (what->delivery == 0) {
		take_page(body, read);
		(void)text_copy(read->next, sizeof(read->next), answer->next);
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
	if (is_of_one || answer->verdict != FORGE_API_NOT_FOUND)
		read->hook = effect->u.github_deliveries.hook; /* else there may be another one */
	if (answer->verdict == FORGE_API_DONE)
		take(effect, answer, body, read);
	else if (!is_of_one || /* which it has no more, does not take, or says too much of */
	    (answer->verdict != FORGE_API_NOT_FOUND && answer->verdict != FORGE_API_UNFIT &&
		answer->verdict != FORGE_API_TOO_LARGE && answer->verdict != FORGE_API_TORN))
		(void)text_copy(read->why, sizeof(read->why), answer->detail);
	perform_report(effect);
}

static void
ask(struct perform_job *base)
{
	const struct effect_github_deliveries *what = &base->effect->u.github_deliveries;
	const struct settings *of = settings_asking(base->effect);
	bool is_apps = what->hook == FORGE_HOOK_OF_APP;
	char hook[48] = "/app/hook", path[128 + LIMIT_CURSOR];
	struct forge_api_request request = { .settings = (struct settings *)of,
		.as = is_apps ? FORGE_AS_APP : FORGE_AS_ITS,
		.repository = is_apps || of == NULL ? NULL : of->github_repository,
		.path = path,
		.method = what->is_again ? "POST" : NULL,
		.on_done = on_answer };
	struct err err = { .code = ERR_NONE };

	if (!is_apps)
		(void)snprintf(hook, sizeof(hook), "/hooks/%" PRId64, what->hook);
	if (what->hook == 0)
		(void)snprintf(path, sizeof(path), "/hooks?per_page=%d", PAGE);
	else if (what->delivery == 0)
		(void)snprintf(path, sizeof(path), "%s/deliveries?status=failure&per_page=%d%s%s",
		    hook, PAGE, what->cursor[0] != '\0' ? "&cursor=" : "", what->cursor);
	else
		(void)snprintf(path, sizeof(path), "%s/deliveries/%" PRId64 "%s", hook,
		    what->delivery, what->is_again ? "/attempts" : "");
	github_job_ask((struct github_job *)base, &request, &err);
}

void
perform_github_deliveries(struct perform *perform, struct effect *effect)
{
	ask(perform_job_new(sizeof(struct github_job), perform, effect, NULL, github_job_end));
}
