/* event.c - allocates, frees and names events.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/event.h"

#include "lib/crypto.h"
#include "lib/mem.h"
#include "types/settings.h"

_Static_assert(sizeof(struct rejected) <= sizeof(struct delivery) &&
	sizeof(struct secret_used) <= sizeof(struct delivery),
    "what comes from outside has room");

_Static_assert(EVENT_SMALL_SIZE >= offsetof(struct event, u) + sizeof(struct vault_said),
    "a result of Vault's is small");
_Static_assert(EVENT_SMALL_SIZE >= offsetof(struct event, u) + sizeof(struct fault),
    "whatever fails becomes a fault");

struct event *
event_new(enum event_kind kind)
{
	struct event *event = mem_new(1, event_size(kind));

	event->kind = kind;
	return event;
}

static void
free_update(struct update *update)
{
	if (update != NULL)
		crypto_wipe(update->token, sizeof(update->token));
	free(update);
}

static void
free_api(struct api_request *api)
{
	if (api == NULL)
		return;
	crypto_wipe(api->from.token, sizeof(api->from.token));
	free(api->init_data);
	free(api->job);
	free(api);
}

void
event_free(struct event *event)
{
	if (event == NULL)
		return;
	free(event->raw.data);
	if (event->kind == EVENT_UPDATE)
		free_update(event->u.update);
	else if (event->kind == EVENT_API)
		free_api(event->u.api);
	else if (event->kind == EVENT_HOOK)
		free(event->u.hook);
	else if (event->kind == EVENT_ENROL)
		free(event->u.enrol);
	else if (event->kind == EVENT_SECRETS_SEEN)
		free(event->u.secrets_seen.list);
	else if (event->kind == EVENT_STARTED)
		free(event->u.started.uploads);
	else if (event->kind == EVENT_GIT_ANSWERED) {
		free(event->u.git_answered.answer);
		free(event->u.git_answered.binding);
	} else if (event->kind == EVENT_RUN_ENDED)
		free(event->u.run_ended.binding);
	else if (event->kind == EVENT_HOSTS_SAID)
		free(event->u.hosts_said.list);
	else if (event->kind == EVENT_GITHUB_RUNS_READ)
		free(event->u.github_runs_read.runs);
	else if (event->kind == EVENT_GITHUB_DELIVERIES_READ)
		free(event->u.github_deliveries_read.list);
	else if (event->kind == EVENT_DELIVERY) {
		free(event->u.delivery.run);
		free(event->u.delivery.job);
	} else if (event->kind == EVENT_PROBED) {
		free(event->u.probed.findings);
		free(event->u.probed.hosts);
	}
	settings_unref(event->context.settings);
	agents_seen_unref(event->context.seen);
	free(event);
}

void
event_set_context(struct event *event, const struct event *from)
{
	settings_unref(event->context.settings);
	agents_seen_unref(event->context.seen);
	event->context = from->context;
	event->context.seen = agents_seen_ref(event->context.seen);
	if (event->context.settings != NULL)
		event->context.settings = settings_ref(event->context.settings);
}

void
event_free_all(struct queue_list *events)
{
	struct queue_link *link;

	while ((link = queue_list_take(events)) != NULL)
		event_free(QUEUE_ITEM(link, struct event, link));
}

bool
event_is_from_outside(const struct event *event)
{
	return event_kind_is_from_outside(event->kind);
}

const char *
event_name(enum event_kind kind)
{
	static const char *const name[] = {
#define EVENT(upper, lower) #lower,
#include "types/event.def"
	};

	assert((size_t)kind < COUNT(name));
	return name[kind];
}
