/* settings_overlaps.c - environments of two applications that are one target.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * What two environments of one application share stands in settings_targets.c.  Here all resources
 * of all environments are put into order, so that two thousand of them cost no million comparisons.
 */
#include "settings/checks/settings_overlaps.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_inside.h"
#include "settings/settings_items.h"
#include "types/repository.h"

/* --- targets --- */

/* By it a migration is found again, stopped, and waited for on its host, or in its namespace. */
#define MIGRATION "migration:"

/* "host:a:22/srv/app": what people call that. */
static const char *
thing_of(const char *resource, const struct environment_settings *of)
{
	if (text_starts(resource, MIGRATION))
		return "a migration's name";
	if (text_starts(resource, "kube:"))
		return "a Deployment";
	if (text_starts(resource, "port:"))
		return "a port of this machine";
	if (strcmp(settings_transport_of(of), "systemd") == 0)
		return "a host's folder (SYSTEMD_DIR)";
	return strstr(resource, "/:") != NULL ? "a host's port" : "a host's folder or file";
}

static struct settings_overlap *
add_overlap(struct settings_inside *in, size_t first, size_t later)
{
	struct settings_overlap *added =
	    array_add(&in->overlaps, &in->overlap_count, sizeof(*added));

	added->first = first;
	added->later = later;
	return added;
}

static bool
is_known(const struct settings_inside *in, size_t later)
{
	for (size_t i = 0; i < in->overlap_count; i++)
		if (in->overlaps[i].later == later)
			return true;
	return false;
}

/* Both want it; of one application that was said. */
static void
check_pair(struct settings *s, const struct settings_item *first, const struct settings_item *later)
{
	const struct environment_settings *one = &s->environments[first->of];
	const struct environment_settings *other = &s->environments[later->of];
	const char *why = text_starts(later->text, MIGRATION) ?
	    "a migration of one would be stopped as the other's: rename one" :
	    "a release to one would replace the other's";
	struct settings_overlap *added;

	if (one->of == other->of || is_known(s->inside, later->of))
		return;
	added = add_overlap(s->inside, first->of, later->of);
	text_setf(added->text, "%s shares %s with %s (%.100s): %s", other->name,
	    thing_of(later->text, other), one->name, strchr(later->text, ':') + 1, why);
	text_setf(added->brief, "it shares %s with another environment: %s",
	    thing_of(later->text, other), why);
}

static void
on_overlap(void *s, const struct settings_item *first, const struct settings_item *later)
{
	check_pair(s, first, later);
}

/* What one environment wants. */
struct wants {
	struct settings_items *items;
	size_t environment;
	char migration[LIMIT_ENVIRONMENT]; /* by which a host or a namespace knows it; "": none */
};

/* "shop/eu-west" and "shop-eu/west" are one name there: deploybot-migrate-shop-eu-west.  Of a
 * transport or a script that gives it no name: none. */
static void
find_migration(const struct settings *s, struct wants *wants)
{
	const struct environment_settings *e = &s->environments[wants->environment];
	const char *command = settings_text_for(e, SETTING_MIGRATE_COMMAND);
	char place[SETTINGS_MIGRATION];

	if (command == NULL || command[0] == '\0' || !settings_migration_place(s, e->name, place) ||
	    strstr(place, "deploybot-migrate-") == NULL)
		return;
	text_setf(wants->migration, "%s", e->name);
	for (char *c = wants->migration; *c != '\0'; c++)
		*c = (char)(*c == '/' ? '-' : *c);
}

/* "host:a:22/srv/app", "kube:/k/ns/app" */
static void
on_resource(void *ctx, const char *resource)
{
	const struct wants *wants = ctx;
	const char *end = text_starts(resource, "host:") ? strchr(resource, '/') :
	    text_starts(resource, "kube:")		 ? strrchr(resource, '/') :
							   NULL;
	char text[sizeof(MIGRATION) + LIMIT_ENVIRONMENT + SETTINGS_CLAIM + 32];

	settings_items_add(wants->items, resource, wants->environment);
	if (end == NULL || wants->migration[0] == '\0')
		return;
	text_setf(text, MIGRATION "deploybot-migrate-%s, %.*s", wants->migration,
	    (int)(end - resource), resource);
	settings_items_add(wants->items, text, wants->environment);
}

static void
list_targets(const struct settings *s, struct settings_items *items)
{
	for (size_t i = 0; i < s->environment_count; i++) {
		struct wants wants = { .items = items, .environment = i };

		find_migration(s, &wants);
		settings_claims_each(s, s->environments[i].name, on_resource, &wants);
	}
	settings_items_sort(items);
}

void
settings_find_overlaps(struct settings *s)
{
	struct settings_inside *in = s->inside;
	struct settings_items items = { 0 };
	size_t first = 0;

	free(in->overlaps);
	in->overlaps = NULL;
	in->overlap_count = 0;
	if (s->application_count == 0)
		return;
	list_targets(s, &items);
	for (size_t i = 1; i < items.count; i++) {
		if (strcmp(items.at[i].text, items.at[first].text) != 0)
			first = i;
		else
			check_pair(s, &items.at[first], &items.at[i]);
	}
	settings_items_overlaps(&items, on_overlap, s);
	settings_items_done(&items);
	for (size_t i = 0; i < in->overlap_count; i++) {
		struct environment_settings *later = &in->environments[in->overlaps[i].later];

		if (later->refusal[0] == '\0')
			later->refusal = in->overlaps[i].text;
	}
}

const char *
settings_refusal_brief(const struct settings *s, const char *refusal, const char *pair[2])
{
	for (size_t i = 0; i < s->inside->overlap_count; i++) {
		const struct settings_overlap *overlap = &s->inside->overlaps[i];

		pair[0] = s->environments[overlap->first].name;
		pair[1] = s->environments[overlap->later].name;
		if (refusal == overlap->text)
			return overlap->brief;
	}
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct settings_member *member = s->environments[i].member;

		if (refusal != member->refusal || member->shared == NULL)
			continue;
		pair[0] = member->id;
		pair[1] = member->shared->with;
		return member->shared->brief;
	}
	return NULL;
}

static bool
is_asked(const struct settings_loader *l, size_t environment)
{
	return l->asked == NULL ||
	    environment_id_is_of(l->s->environments[environment].name, l->asked);
}

/* --- branches --- */

static void
list_branches(const struct settings *s, struct settings_items *items)
{
	CLEANUP(buf_done) struct buf text = buf_make(4096); /* both are shorter */

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *environment = &s->environments[i];

		if (environment->branch == NULL || environment->of->repository_url == NULL)
			continue;
		buf_clear(&text);
		buf_addf(&text, "%s %s", environment->branch, environment->of->repository_url);
		settings_items_add(items, buf_text(&text), i);
	}
	settings_items_sort(items);
}

static void
say_branches(struct settings_loader *l)
{
	const struct settings *s = l->s;
	struct settings_items items = { 0 };
	size_t first = 0;

	if (s->application_count > 0)
		list_branches(s, &items);
	for (size_t i = 1; i < items.count; i++) {
		const struct environment_settings *one = &s->environments[items.at[first].of];
		const struct environment_settings *other = &s->environments[items.at[i].of];

		if (strcmp(items.at[i].text, items.at[first].text) != 0)
			first = i;
		else if (one->of != other->of && is_asked(l, items.at[i].of) &&
		    !(settings_is_given(one->of, SETTING_PATHS) &&
			settings_is_given(other->of, SETTING_PATHS)))
			settings_say(l->report, SETTINGS_NOTE,
			    "%s: a push to its branch %s is one to %s too: they have one repository",
			    other->name, other->branch, one->name);
	}
	settings_items_done(&items);
}

/* --- health --- */

/* Only to speak of it: a load balancer's page may be meant, and then nobody looks at either. */
static void
say_shared_health(struct settings_loader *l)
{
	const struct settings *s = l->s;
	struct settings_items items = { 0 };
	char place[URL_PLACE];
	size_t first = 0;

	for (size_t i = 0; i < s->environment_count; i++)
		for (size_t n = 0; n < s->environments[i].health_url_count; n++)
			settings_items_add(&items, s->environments[i].health_urls[n], i);
	settings_items_sort(&items);
	for (size_t i = 1; i < items.count; i++) {
		size_t one = items.at[first].of, other = items.at[i].of;

		if (strcmp(items.at[i].text, items.at[first].text) != 0)
			first = i;
		else if (one != other && other != items.at[i - 1].of &&
		    (is_asked(l, one) || is_asked(l, other)))
			settings_say(l->report, SETTINGS_WARNING,
			    "%s: its health URL at %s is that of %s too, and what runs there answers for it: give each an address that reaches it alone",
			    s->environments[other].name, url_place(items.at[i].text, place),
			    s->environments[one].name);
	}
	settings_items_done(&items);
}

/* What was renamed, and is there under its old name too. */
static void
say_renamed(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->application_count; i++) {
		const struct settings *s = in->applications[i];
		const char *former = settings_text(s, SETTING_RENAMED_FROM);
		struct settings_line *line;

		if (former == NULL || former[0] == '.' ||
		    settings_application(l->s, former) == NULL ||
		    (l->asked != NULL && strcmp(l->asked, s->application) != 0))
			continue;
		line = settings_say(l->report, SETTINGS_FLAW,
		    "%s: RENAMED_FROM: %s.env is there still: remove it, and its history goes on as %s",
		    s->application, former, s->application);
		if (line != NULL)
			text_set(line->application, s->application);
	}
}

static bool
is_one_at_github(const struct settings *a, const struct settings *b)
{
	return b->github_repository != NULL &&
	    repository_is_called(a, DELIVERY_GITHUB, b->github_repository);
}

/* GitHub's gate there would be left alone, and its job would wait until GitHub ends it. */
static void
say_at_github(struct settings_loader *l)
{
	const struct environment_settings *all = l->s->environments, *a, *b;

	for (size_t i = 0; i < l->s->environment_count; i++)
		for (size_t j = i + 1; j < l->s->environment_count; j++) {
			a = &all[i];
			b = &all[j];
			if (a->of != b->of && l->s->github.app_webhook_secret == NULL &&
			    !a->gate_reviewer && !b->gate_reviewer)
				continue; /* nobody asks for either */
			if (is_one_at_github(a->of, b->of) &&
			    text_same_ci(a->github_environment, b->github_environment))
				settings_say(l->report, SETTINGS_WARNING,
				    "%s and %s: both are %s at GitHub, so its gate there is answered by neither: change <ENV>_GITHUB_ENVIRONMENT",
				    a->name, b->name, a->github_environment);
		}
}

/* Its jobs would wait there for thirty days. */
static void
say_unanswered(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++) {
		const struct environment_settings *e = &l->s->environments[i];

		if (settings_own(e->member, ENVIRONMENT_SETTING_GITHUB_ENVIRONMENT)->text != NULL &&
		    !e->gate_reviewer && e->of->github.app_id != NULL &&
		    e->of->github.app_webhook_secret == NULL)
			settings_say(l->report, SETTINGS_WARNING,
			    "%s is %s at GitHub, and no App's gate there is answered: GITHUB_APP_WEBHOOK_SECRET is not set, so /github/app is off",
			    e->name, e->github_environment);
	}
}

void
settings_say_overlaps(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->overlap_count; i++) {
		const struct settings_overlap *overlap = &in->overlaps[i];

		if (is_asked(l, overlap->first) || is_asked(l, overlap->later))
			settings_say(l->report, SETTINGS_FLAW,
			    "%s; %s is not deployed until it has its own (or, where it alone is live, the other)",
			    overlap->text, in->environments[overlap->later].name);
	}
	say_branches(l);
	say_shared_health(l);
	say_unanswered(l);
	say_at_github(l);
	say_renamed(l);
}
