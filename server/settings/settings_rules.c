/* settings_rules.c - what one setting asks of another, and names that are none.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define KNOWN_NAMES_MAX (2 * (SETTING_COUNT + FAMILY_SETTING_COUNT * SETTINGS_MEMBERS_MAX))

static bool
is_set_to(const struct settings *s, enum setting setting, const char *value)
{
	const char *text = settings_text(s, setting);

	return text != NULL && text_same_ci(text, value);
}

static bool
has(const struct settings *s, enum setting setting, const char *part)
{
	const char *text = settings_text(s, setting);

	return text != NULL && strstr(text, part) != NULL;
}

/* --- one setting beside others --- */

/* What other settings say, for rules to depend on; each may ask those before it. */
/* clang-format off */
#define WHERES(W) \
	W(EVERYWHERE, true) \
	W(IN_WEBHOOK_MODE, s->telegram_mode == TELEGRAM_WEBHOOK) \
	W(WHEN_POLLING, !is[IN_WEBHOOK_MODE]) \
	W(WITHOUT_A_REPOSITORY, \
	    s->repository_url == NULL && !settings_is_given(s, SETTING_GITHUB_REPOSITORY)) \
	W(WITH_A_KEY, settings_is_given(s, SETTING_REPOSITORY_KEY_PATH)) \
	W(WITH_AN_ACCOUNT, settings_is_given(s, SETTING_REGISTRY_USER)) \
	W(WITHOUT_AN_ACCOUNT, !is[WITH_AN_ACCOUNT]) \
	W(OUR_SCRIPTS, !settings_is_given(s, SETTING_DEPLOY_SCRIPT)) /* others have other needs */ \
	W(ON_KUBERNETES, is[OUR_SCRIPTS] && \
	    (settings_truth(settings_text(s, SETTING_USE_KUBERNETES)) || \
		is_set_to(s, SETTING_DEPLOY_TRANSPORT, "kubernetes"))) \
	W(ON_HOSTS, is[OUR_SCRIPTS] && !is[ON_KUBERNETES]) \
	W(BLUEGREEN, is[ON_HOSTS] && is_set_to(s, SETTING_DEPLOY_STRATEGY, "bluegreen")) \
	W(BLUEGREEN_OF_MANY, is[BLUEGREEN] && s->application[0] != '\0') \
	W(RECREATE, is[ON_HOSTS] && !is[BLUEGREEN]) \
	W(IN_PRODUCTION, s->is_production) \
	W(IN_PRODUCTION_WITH_DEBUG, s->is_production && s->log_level == LOG_LEVEL_DEBUG) \
	W(IN_PRODUCTION_WITHOUT_END, s->is_production && s->runs_max == 0) \
	W(IN_PRODUCTION_STRANGERS_FLOOD, s->is_production && s->rate_limit_requests == 0) \
	W(IN_PRODUCTION_ROLES_FLOOD, s->is_production && s->role_rate_limit == 0) \
	W(UNKNOWN_PORT, is[RECREATE] && has(s, SETTING_SMOKE_URL, "{port}"))
/* clang-format on */

enum where {
#define W(name, is_so) name,
	WHERES(W)
#undef W
	    WHERE_COUNT
};

static void
look_around(const struct settings *s, bool is[WHERE_COUNT])
{
#define W(name, is_so) is[name] = (is_so);
	WHERES(W)
#undef W
}

/* A setting that is given, or is not, where that makes no sense. */
static const struct rule {
	enum setting setting;
	bool is_given;
	enum where where;
	enum settings_severity severity;
	const char *sentence;
} rules[] = {
#define RULE(name, given, where, severity, sentence) \
	{ SETTING_##name, given, where, SETTINGS_##severity, sentence },
#define GIVEN	true
#define MISSING false
#include "settings/settings_rules.def"
};

static void
check_alone(struct settings_loader *l, const bool is[WHERE_COUNT], bool own)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if ((settings_table[rules[i].setting].scope == SCOPE_OWN) == own &&
		    settings_is_given(l->s, rules[i].setting) == rules[i].is_given &&
		    is[rules[i].where])
			settings_say(l->report, rules[i].severity, "%s: %s",
			    settings_table[rules[i].setting].name, rules[i].sentence);
}

/* --- several that go together --- */

/* A run that is ended while it waits says less than one that stopped waiting. */
static void
check_wait(struct settings_loader *l)
{
	const char *wait = settings_text(l->s, SETTING_IMAGE_WAIT_SECONDS);
	int all = l->s->deploy_timeout_seconds; /* 0: wrong, and said so */
	int64_t seconds;

	if (all > 0 && wait != NULL && is_set_to(l->s, SETTING_IMAGE_SOURCE, "registry") &&
	    text_to_i64(wait, all, INT32_MAX, &seconds, NULL))
		settings_say(l->report, SETTINGS_ERROR,
		    "IMAGE_WAIT_SECONDS: %s is not below DEPLOY_TIMEOUT_SECONDS (%d): the deployment would be ended while it waits",
		    wait, all);
}

/* A gate that ends before anything can pass, or before so many failures as are allowed. */
static void
check_gate(struct settings_loader *l)
{
	const struct settings *s = l->s;
	int deadline = s->health_check_deadline_seconds;
	int passing = (s->health_check_successes - 1) * s->health_check_interval_seconds;
	int failing = (s->health_check_retries - 1) * s->health_check_interval_seconds;

	if (!settings_is_given(s, SETTING_HEALTH_CHECK_DEADLINE) || deadline == 0)
		return;
	if (passing >= deadline)
		settings_say(l->report, SETTINGS_ERROR,
		    "HEALTH_CHECK_DEADLINE: in %d s no release can pass: HEALTH_CHECK_SUCCESSES (%d) checks, HEALTH_CHECK_INTERVAL (%d s) apart, take %d s",
		    deadline, s->health_check_successes, s->health_check_interval_seconds, passing);
	else if (failing > deadline)
		settings_say(l->report, SETTINGS_WARNING,
		    "HEALTH_CHECK_DEADLINE: after %d s a release is unhealthy, before HEALTH_CHECK_RETRIES (%d) checks have failed (%d s): an application has that long to start",
		    deadline, s->health_check_retries, failing);
}

/* Telegram's own servers call https alone; a Bot API server of one's own whatever it reaches. */
static void
check_webhook(struct settings_loader *l)
{
	static const char path[] = "/telegram/webhook";
	const struct settings *s = l->s;
	const char *url = s->telegram_webhook_url;
	const char *at = url == NULL ? NULL : strstr(url, "://");

	if (at == NULL)
		return; /* said elsewhere */
	if (text_starts_ci(url, "http://") && s->telegram_api_base != NULL &&
	    text_starts_ci(s->telegram_api_base, "https://api.telegram.org"))
		settings_say(l->report, SETTINGS_FLAW,
		    "TELEGRAM_WEBHOOK_URL: is http, and Telegram calls https only: no update would come");
	at += 3;
	at += strcspn(at, "/?#");
	if (*at == '\0' || strcmp(at, "/") == 0)
		settings_say(l->report, SETTINGS_FLAW,
		    "TELEGRAM_WEBHOOK_URL: has no path, and deploybot answers at %s: no update would come",
		    path);
	else if (!text_ends(at, path))
		settings_say(l->report, SETTINGS_WARNING,
		    "TELEGRAM_WEBHOOK_URL: its path is %s, and deploybot answers at %s: does a proxy change it?",
		    at, path);
}

/* --- unknown names --- */

struct known_names {
	size_t count;
	const char *names[KNOWN_NAMES_MAX];
	char texts[KNOWN_NAMES_MAX][SETTING_NAME_MAX + 8];
};

static void
add_known(struct known_names *known, const char *name, const char *behind)
{
	char *text = known->texts[known->count];

	(void)snprintf(text, sizeof(known->texts[0]), "%s%s", name, behind);
	known->names[known->count++] = text;
}

static void
list_known(const struct settings_inside *in, struct known_names *known)
{
	char name[SETTING_NAME_MAX];

	known->count = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		known->names[known->count++] = settings_table[i].name;
		if (settings_table[i].is_secret)
			add_known(known, settings_table[i].name, "_FILE");
	}
	for (size_t m = 0; m < in->member_count; m++)
		for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
			const struct settings_spec *spec = &settings_table_families[i];

			if (spec->family != in->members[m]->family)
				continue;
			add_known(known, setting_name(spec->name, in->members[m]->name, name), "");
			if (spec->is_secret)
				add_known(known, name, "_FILE");
		}
}

static bool
is_known(const struct known_names *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->names[i], name) == 0)
			return true;
	return false;
}

/* Is it one that this member takes from the main file where its own has none? */
static bool
is_shared_of(const struct settings_member *member, const char *name)
{
	char its[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == member->family && spec->scope == SCOPE_SHARED &&
		    strcmp(setting_name(spec->name, member->name, its), name) == 0)
			return true;
	}
	return false;
}

/* PRODUCTION_CONFIRM of the main file, where an application has a production. */
static bool
is_of_applications(const struct settings_inside *in, const char *name)
{
	for (size_t i = 0; i < in->application_count; i++)
		for (size_t m = 0; m < in->applications[i]->inside->member_count; m++)
			if (is_shared_of(in->applications[i]->inside->members[m], name))
				return true;
	return false;
}

/* Of the environment whose name it begins with; NULL: of none. */
static const struct settings_member *
environment_of(const struct settings_inside *in, const char *name)
{
	char stem[SETTING_NAME_MAX];

	for (size_t m = 0; m < in->member_count; m++)
		if (in->members[m]->family == FAMILY_ENVIRONMENT &&
		    text_starts(name, setting_name("<ENV>_", in->members[m]->name, stem)))
			return in->members[m];
	return NULL;
}

/* ROLE_…: what is none of such a family's is a mistake, never a role of nobody. */
static bool
begins_as_a_family(const char *name)
{
	for (enum family i = 0; i < FAMILY_COUNT; i++)
		if (settings_families[i].members == SETTING_COUNT &&
		    strncmp(name, settings_families[i].stem,
			strcspn(settings_families[i].stem, "<")) == 0)
			return true;
	return false;
}

/* member: of which environment it looks; NULL: of none.  The main file may be one that other
 * programs read too; an application's is ours alone. */
static void
say_unknown(struct settings_loader *l, const struct known_names *known, size_t source,
    const struct env_entry *entry, const struct settings_member *member)
{
	const char *nearest = text_nearest(entry->name, known->names, known->count);
	bool is_error = begins_as_a_family(entry->name);
	char what[LIMIT_LINE];

	(void)snprintf(what, sizeof(what), "%.60s: is no setting%s%s%s", entry->name,
	    nearest != NULL    ? "; did you mean " :
		member != NULL ? ", and no script gets it (a transport's own: <ENV>_TRANSPORT_…)" :
				 "",
	    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
	settings_say(l->report, is_error ? SETTINGS_ERROR : SETTINGS_WARNING, "%s (%.60s line %u)",
	    what, l->sources[source].file, entry->line);
	if (l->main != NULL && !is_error)
		settings_warn(l, l->s->application, what);
}

static void
warn_unknown_in(struct settings_loader *l, const struct known_names *known, size_t source)
{
	const struct settings_member *member;

	for (size_t i = 0; i < l->files[source].count; i++) {
		const struct env_entry *entry = &l->files[source].entries[i];

		member = environment_of(l->s->inside, entry->name);
		if (is_known(known, entry->name) || is_of_applications(l->s->inside, entry->name) ||
		    (entry->value[0] == '\0' && settings_is_named(entry->name)) ||
		    setting_is_transports(entry->name, member == NULL ? "" : member->name))
			continue;
		say_unknown(l, known, source, entry, member);
	}
}

void
settings_check_unknown(struct settings_loader *l)
{
	struct known_names *known = malloc(sizeof(*known));

	if (known == NULL)
		return; /* only a warning is lost */
	list_known(l->s->inside, known);
	for (size_t i = 0; i < l->own; i++)
		warn_unknown_in(l, known, i);
	free(known);
}

void
settings_check_rules(struct settings_loader *l, bool own)
{
	bool is[WHERE_COUNT];

	look_around(l->s, is);
	check_alone(l, is, own);
	settings_check_placeholders(l, own);
	if (own && is[OUR_SCRIPTS])
		settings_check_targets(l);
	if (own)
		settings_check_unknown(l);
	if (own)
		return;
	check_gate(l);
	if (is[IN_WEBHOOK_MODE])
		check_webhook(l);
	if (is[OUR_SCRIPTS])
		check_wait(l);
}
