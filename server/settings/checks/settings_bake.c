/* settings_bake.c - <ENV>_BAKE…: what they need of each other, and of Prometheus.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/promql.h"
#include "settings/settings_inside.h"
#include "types/bake.h"

static const enum family_setting query_settings[LIMIT_BAKE_QUERIES] = {
	ENVIRONMENT_SETTING_BAKE_QUERY, ENVIRONMENT_SETTING_BAKE_QUERY_2,
	ENVIRONMENT_SETTING_BAKE_QUERY_3, ENVIRONMENT_SETTING_BAKE_QUERY_4
};

/* What stands in the place of its placeholders is known. */
static void
check_filled(struct settings_loader *l, const struct environment_settings *e,
    enum family_setting setting, const char *text)
{
	CLEANUP(buf_done) struct buf filled = buf_make(PROMQL_FILLED_MAX);
	struct promql_facts facts = bake_facts(e, BAKE_NO_RELEASE);

	promql_fill(text, &facts, &filled);
	if (buf_failed(&filled))
		settings_say_of(l, SETTINGS_ERROR, e->member, setting,
		    "is longer than %d bytes with its hosts in it: leave {hosts} out",
		    PROMQL_FILLED_MAX);
	if (strstr(text, "{hosts}") != NULL && facts.hosts[0] == '\0')
		settings_say_of(l, SETTINGS_ERROR, e->member, setting,
		    "has {hosts}, and <ENV>_HOST of %s is not set: there is no host to put in",
		    e->name);
}

/* Its answer is shown, and kept, by its name. */
static void
check_name(struct settings_loader *l, const struct environment_settings *e, size_t n,
    const struct promql *query)
{
	struct promql other;

	for (size_t i = 0; i < n; i++)
		if (e->bake_queries[i] != NULL && promql_read(e->bake_queries[i], &other, NULL) &&
		    strcmp(other.name, query->name) == 0)
			settings_say_of(l, SETTINGS_ERROR, e->member, query_settings[n],
			    "the name %s is another one's: give it its own", query->name);
}

static void
check_present(struct settings_loader *l, const struct environment_settings *e)
{
	struct err err;

	if (e->bake_present == NULL) {
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_BAKE_PRESENT,
		    "is not set, and <ENV>_BAKE_QUERY needs it: what always has a value while %s is watched, as up{job={application}} == 1",
		    e->name);
		return;
	}
	if (!promql_check(e->bake_present, &err))
		settings_say_of(
		    l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_BAKE_PRESENT, "%s", err.text);
	else
		check_filled(l, e, ENVIRONMENT_SETTING_BAKE_PRESENT, e->bake_present);
}

static void
check(struct settings_loader *l, const struct environment_settings *e)
{
	struct promql query;
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_BAKE_QUERIES; i++) {
		if (e->bake_queries[i] == NULL || !promql_read(e->bake_queries[i], &query, NULL))
			continue; /* what is wrong with it was said */
		check_name(l, e, i, &query);
		check_filled(l, e, query_settings[i], query.text);
		n++;
	}
	if (n > 0)
		check_present(l, e);
	if (n > 0 && (l->main != NULL ? l->main : l->s)->prometheus.url == NULL)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_BAKE_QUERY,
		    "is set, and PROMETHEUS_URL is not: which Prometheus is to be asked?");
	if (e->bake_ms == 0 && (n > 0 || e->bake_present != NULL))
		settings_say_of(l, SETTINGS_WARNING, e->member, ENVIRONMENT_SETTING_BAKE,
		    "is 0, so nothing is asked of Prometheus: say how long a release of %s is watched, as 15m",
		    e->name);
}

void
settings_check_bake(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++)
		if (l->s->environments[i].of == l->s)
			check(l, &l->s->environments[i]);
}
