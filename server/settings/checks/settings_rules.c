/* settings_rules.c - what one setting asks of another.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_production.h"
#include "settings/settings_inside.h"

#include <stdio.h>
#include <string.h>

#include "lib/text.h"

/* What the settings are for one environment; member NULL: for all. */
struct view {
	const struct settings *s;
	const struct settings_member *member;
};

static const char *
text_of(const struct view *v, enum setting setting)
{
	return settings_value_of(v->s, v->member, setting)->text;
}

static bool
is_given(const struct view *v, enum setting setting)
{
	return settings_value_of(v->s, v->member, setting)->is_given;
}

static bool
is_true(const struct view *v, enum setting setting)
{
	return settings_truth(text_of(v, setting));
}

static bool
is_set_to(const struct view *v, enum setting setting, const char *value)
{
	const char *text = text_of(v, setting);

	return text != NULL && text_same_ci(text, value);
}

static bool
has(const struct view *v, enum setting setting, const char *part)
{
	const char *text = text_of(v, setting);

	return text != NULL && strstr(text, part) != NULL;
}

/* Of a transport of somebody's own nobody here knows what it uses. */
static bool
is_ours(const char *transport)
{
	return strcmp(transport, "ssh") == 0 || strcmp(transport, "kubernetes") == 0 ||
	    strcmp(transport, "systemd") == 0 || strcmp(transport, "local") == 0 ||
	    strcmp(transport, "agent") == 0;
}

/* Does what is deployed run where the runner is? */
static bool
runs_here(const struct view *v)
{
	const char *transport = settings_transport(v->s, v->member);

	return strcmp(transport, "local") == 0 || strcmp(transport, "systemd") == 0;
}

/* Does a release need the commit's files where the runner is? */
static bool
lays_out(const struct view *v)
{
	return !is_given(v, SETTING_DEPLOY_SCRIPT) &&
	    (!is_set_to(v, SETTING_IMAGE_SOURCE, "registry") || runs_here(v));
}

static bool
takes_uploads(const struct view *v)
{
	const char *uploads = v->member == NULL || v->member->family != FAMILY_ENVIRONMENT ?
	    NULL :
	    settings_own(v->member, ENVIRONMENT_SETTING_UPLOADS)->text;

	return uploads != NULL && !text_same_ci(uploads, "false");
}

/* --- one setting beside others --- */

/* What other settings say, for rules to depend on; each may ask those before it. */
/* clang-format off */
#define WHERES(W) \
	W(EVERYWHERE, true) \
	W(IN_WEBHOOK_MODE, v->s->telegram_mode == TELEGRAM_WEBHOOK) \
	W(WHEN_POLLING, !is[IN_WEBHOOK_MODE]) \
	W(WITH_TOKENS, is_true(v, SETTING_ENABLE_TOKEN_AUTH)) \
	W(WITH_CONSOLE, is_true(v, SETTING_CONSOLE)) \
	W(CONSOLE_UNSERVED, is[WITH_CONSOLE] && !is_true(v, SETTING_ENABLE_API_SERVER)) \
	W(CONSOLE_IN_CLEAR, is[WITH_CONSOLE] && is_given(v, SETTING_PUBLIC_URL) && \
	    settings_leaves_machine(settings_text(v->s, SETTING_PUBLIC_URL))) \
	W(WITH_AN_APP, is_given(v, SETTING_GITHUB_APP_ID)) \
	W(WITH_AN_APPS_HOOK, is_given(v, SETTING_GITHUB_APP_WEBHOOK_SECRET)) \
	W(WITH_AN_APPS_KEY, is_given(v, SETTING_GITHUB_APP_KEY)) \
	W(WITHOUT_VAULT, !is_given(v, SETTING_VAULT_ADDR)) \
	W(VAULT_WITH_ROLE, is_given(v, SETTING_VAULT_ROLE_ID)) \
	W(VAULT_WITH_SECRET, is_given(v, SETTING_VAULT_SECRET_ID)) \
	W(VAULT_BY_ROLE, is[VAULT_WITH_ROLE] || is[VAULT_WITH_SECRET]) \
	W(VAULT_WITHOUT_LOGIN, !is[WITHOUT_VAULT] && !is[VAULT_BY_ROLE]) \
	W(WITHOUT_OPA, !is_given(v, SETTING_OPA_URL)) \
	W(WITHOUT_PROMETHEUS, !is_given(v, SETTING_PROMETHEUS_URL)) \
	W(PROMETHEUS_USER_ALONE, is_given(v, SETTING_PROMETHEUS_USER)) \
	W(WITH_A_LINK, is_given(v, SETTING_LINK_ADDRESS)) \
	W(WITHOUT_A_LINK, !is[WITH_A_LINK]) \
	W(WITH_A_CA_KEY, is_given(v, SETTING_LINK_CA_KEY)) \
	W(WITH_A_DATABASE, is_given(v, SETTING_DATABASE_URL)) \
	W(WITHOUT_A_DATABASE, !is[WITH_A_DATABASE]) \
	W(WITH_PLAYBOOKS, settings_names(v->s, "", FAMILY_PLAYBOOK, (char[LIMIT_LINE]){ "" }) > 0) \
	W(WITH_A_BUCKET, v->s->audit_s3_bucket != NULL) \
	W(WITH_A_WITNESS_KEY, v->s->audit_s3_access_key_id != NULL) \
	W(WITHOUT_A_WITNESS_KEY, !is[WITH_A_WITNESS_KEY]) \
	W(KEPT_WITHOUT_A_WITNESS, v->s->audit_keep_days != 0 && !is[WITH_A_BUCKET]) \
	W(LATE_WITHOUT_A_WITNESS, v->s->audit_witness_max_ms != 0 && !is[WITH_A_BUCKET]) \
	W(WITHOUT_A_REPOSITORY, \
	    v->s->repository_url == NULL && !is_given(v, SETTING_GITHUB_REPOSITORY)) \
	W(WITH_A_KEY, is_given(v, SETTING_REPOSITORY_KEY_PATH)) \
	W(WITH_AN_ACCOUNT, is_given(v, SETTING_REGISTRY_USER)) \
	W(WITHOUT_AN_ACCOUNT, !is[WITH_AN_ACCOUNT]) \
	W(WITH_A_PULLING_ACCOUNT, is_given(v, SETTING_REGISTRY_PULL_USER)) \
	W(WITHOUT_A_PULLING_ACCOUNT, !is[WITH_A_PULLING_ACCOUNT]) \
	W(WITH_A_PASSWORD, is[WITH_AN_ACCOUNT] && !is_set_to(v, SETTING_REGISTRY_USER, "AWS")) \
	W(OUR_SCRIPTS, !is_given(v, SETTING_DEPLOY_SCRIPT)) /* others have other needs */ \
	W(WITH_CIS_IMAGE, is[OUR_SCRIPTS] && is_set_to(v, SETTING_IMAGE_SOURCE, "registry")) \
	W(ON_KUBERNETES, is[OUR_SCRIPTS] && \
	    strcmp(settings_transport(v->s, v->member), "kubernetes") == 0) \
	W(BY_SSH, is[OUR_SCRIPTS] && strcmp(settings_transport(v->s, v->member), "ssh") == 0) \
	W(BY_AGENT, is[OUR_SCRIPTS] && strcmp(settings_transport(v->s, v->member), "agent") == 0) \
	W(FILE_BY_AGENT, is[BY_AGENT] && is_set_to(v, SETTING_COMPOSE_SOURCE, "repo")) \
	W(WITH_COMPOSE, is[BY_SSH] || is[BY_AGENT]) \
	W(HOSTS_CAN_PUSH, is[BY_SSH] && is[WITH_AN_ACCOUNT] && !is[WITH_A_PULLING_ACCOUNT] && \
	    !is_set_to(v, SETTING_IMAGE_SOURCE, "registry") && \
	    !is_set_to(v, SETTING_REMOTE_LOGIN, "false")) \
	W(NOTHING_SIGNED, !is[OUR_SCRIPTS] || lays_out(v)) \
	W(ON_ONE_DEPLOYMENT, is[ON_KUBERNETES] && !is_given(v, SETTING_KUBE_WORKLOADS)) \
	W(ON_HOSTS, is[OUR_SCRIPTS] && !is[ON_KUBERNETES]) \
	W(ON_UNITS, is[ON_HOSTS] && strcmp(settings_transport(v->s, v->member), "systemd") == 0) \
	W(BLUEGREEN, is[ON_HOSTS] && !is[ON_UNITS] && settings_is_bluegreen(v->s, v->member)) \
	W(BLUEGREEN_OF_MANY, is[BLUEGREEN] && v->s->application[0] != '\0') \
	W(COMPOSE_UNTRUSTED, is[BY_SSH] && is_set_to(v, SETTING_COMPOSE_SOURCE, "repo") && \
	    !is_true(v, SETTING_COMPOSE_REPO_TRUSTED)) \
	W(UPLOADS, takes_uploads(v)) \
	W(UPLOADS_BY_THEIRS, is[UPLOADS] && !is[OUR_SCRIPTS]) \
	W(UPLOADS_NOT_BUILT, is[UPLOADS] && is[OUR_SCRIPTS] && !lays_out(v)) \
	W(UPLOADS_RUN_HERE, is[UPLOADS] && is[OUR_SCRIPTS] && runs_here(v)) \
	W(UPLOADS_WITHOUT_FILE, is[UPLOADS] && is[BY_SSH] && \
	    is_set_to(v, SETTING_COMPOSE_SOURCE, "repo")) \
	W(RECREATE, is[ON_HOSTS] && !is[BLUEGREEN]) \
	W(BY_OURS, is[OUR_SCRIPTS] && is_ours(settings_transport(v->s, v->member))) \
	W(NEVER_BLUEGREEN, \
	    is[BY_OURS] && !is[WITH_COMPOSE] && settings_is_bluegreen(v->s, v->member)) \
	W(NOTHING_SWITCHED, is[BY_OURS] && !(is[WITH_COMPOSE] && is[BLUEGREEN])) \
	W(NO_COMPOSE, is[BY_OURS] && !is[WITH_COMPOSE]) \
	W(NO_UNITS, is[BY_OURS] && !is[ON_UNITS]) \
	W(NO_CLUSTER, is[BY_OURS] && !is[ON_KUBERNETES]) \
	W(NOT_ASKED_ON_HOSTS, is[NO_COMPOSE] && is[NO_UNITS]) \
	W(NOTHING_MIGRATED, is[WITH_COMPOSE] && !is_given(v, SETTING_MIGRATE_COMMAND)) \
	W(IN_PRODUCTION, v->s->is_production) \
	W(IN_PRODUCTION_WITHOUT_OTP, v->s->is_production && \
	    is_true(v, SETTING_EMERGENCY_WITHOUT_OTP)) \
	W(IN_PRODUCTION_WITH_DEBUG, v->s->is_production && v->s->log_level == LOG_LEVEL_DEBUG) \
	W(IN_PRODUCTION_WITHOUT_END, v->s->is_production && v->s->runs_max == 0) \
	W(IN_PRODUCTION_STRANGERS_FLOOD, v->s->is_production && v->s->rate_limit_requests == 0) \
	W(IN_PRODUCTION_ROLES_FLOOD, v->s->is_production && v->s->role_rate_limit == 0) \
	W(UNKNOWN_PORT, is[RECREATE] && has(v, SETTING_SMOKE_URL, "{port}")) \
	W(PORT_UNSAID, is[BLUEGREEN] && text_of(v, SETTING_SMOKE_URL) != NULL && \
	    !has(v, SETTING_SMOKE_URL, "{port}"))
/* clang-format on */

enum where {
#define W(name, is_so) name,
	WHERES(W)
#undef W
	    WHERE_COUNT
};

static void
look_around(const struct view *v, bool is[WHERE_COUNT])
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
#define IDLE(...) /* below */
#define GIVEN	  true
#define MISSING	  false
#include "settings/checks/settings_rules.def"
};

/* A setting that does nothing where it was said for that very environment, or for all. */
static const struct rule idle[] = {
#define RULE(...)
#define SWITCHES \
	"is used by DEPLOY_STRATEGY=bluegreen of the transport ssh alone, and does nothing here"
#define IDLE(name, where, sentence) { SETTING_##name, true, where, SETTINGS_WARNING, sentence },
#include "settings/checks/settings_rules.def"
};

static bool
is_broken(const struct view *v, const struct rule *rule, const bool is[WHERE_COUNT])
{
	return is[rule->where] && is_given(v, rule->setting) == rule->is_given;
}

/* What is of no environment, or of all of them at once. */
static void
check_alone(struct settings_loader *l, const bool is[WHERE_COUNT], bool own)
{
	const struct view all = { l->s, NULL };

	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct settings_spec *spec = &settings_table[rules[i].setting];

		if (!spec->is_shipping && (spec->scope == SCOPE_OWN) == own &&
		    is_broken(&all, &rules[i], is))
			settings_say(
			    l->report, rules[i].severity, "%s: %s", spec->name, rules[i].sentence);
	}
}

/* --- what may be another thing for each environment --- */

/* Is it wrong there?  stem: what stands before its name in what is said of that, "STAGING_" or "";
 * NULL: nothing is said. */
typedef bool complain(
    struct settings_loader *l, const struct view *v, const char *stem, const struct rule *rule);

static bool
check_rule(
    struct settings_loader *l, const struct view *v, const char *stem, const struct rule *rule)
{
	bool is[WHERE_COUNT];

	look_around(v, is);
	if (!is_broken(v, rule, is))
		return false;
	if (stem != NULL)
		settings_say(l->report, rule->severity, "%s%s: %s", stem,
		    settings_table[rule->setting].name, rule->sentence);
	return true;
}

/* What an application has from the main file is said for others too, as is what is said for all
 * environments where one of them uses it. */
static bool
check_idle(
    struct settings_loader *l, const struct view *v, const char *stem, const struct rule *rule)
{
	const struct settings_spec *spec = &settings_table[rule->setting];
	char name[SETTING_NAME_MAX];
	bool is[WHERE_COUNT];

	if (!is_given(v, rule->setting))
		return false; /* most are not */
	(void)settings_name_of(v->member, rule->setting, name);
	look_around(v, is);
	if (!is[rule->where] || !settings_is_in(l, spec, name, l->own))
		return false;
	if (stem != NULL && (stem[0] == '\0' || strcmp(name, spec->name) != 0))
		settings_say(
		    l->report, rule->severity, "%s%s: %s", stem, spec->name, rule->sentence);
	return true;
}

/* Times that end before the deployment does.  A run that is ended while it waits says less than one
 * that stopped waiting; what starts slowly is ended, not waited for. */
static const struct rule below_timeout[] = {
	{ SETTING_IMAGE_WAIT_SECONDS, true, WITH_CIS_IMAGE, SETTINGS_ERROR,
	    "the deployment would be ended while it waits" },
	{ SETTING_START_SECONDS, true, BY_SSH, SETTINGS_WARNING,
	    "the deployment would be ended while a service still starts" },
};

static bool
check_below_timeout(
    struct settings_loader *l, const struct view *v, const char *stem, const struct rule *rule)
{
	const char *text = text_of(v, rule->setting);	   /* it may have it by default */
	int all = v->member->times.deploy_timeout_seconds; /* 0: wrong, and said so */
	bool is[WHERE_COUNT];
	int64_t seconds;

	look_around(v, is);
	if (!is[rule->where] || all <= 0 || text == NULL ||
	    !text_to_i64(text, all, INT32_MAX, &seconds, NULL))
		return false;
	if (stem != NULL)
		settings_say(l->report, rule->severity,
		    "%s%s: %s is not below DEPLOY_TIMEOUT_SECONDS (%d): %s", stem,
		    settings_table[rule->setting].name, text, all, rule->sentence);
	return true;
}

#define WORKLOAD_MAX 300 /* a kind and a name in Kubernetes */
#define WRONG_MAX    400

/* Fills wrong with what kubernetes/workloads.sh would say in a deployment; false: nothing. */
static bool
judge_workloads(const char *list, const char *deployment, char wrong[WRONG_MAX])
{
	char first[WORKLOAD_MAX], one[WORKLOAD_MAX], other[WORKLOAD_MAX];
	const char *rest = list;

	if (!setting_next(&rest, first, sizeof(first)))
		return false;
	if (text_starts(first, "cronjob/")) {
		(void)snprintf(wrong, WRONG_MAX,
		    "the first one is the main one, which always runs, and %.80s does not: write a deployment/, statefulset/ or daemonset/ before it",
		    first);
		return true;
	}
	if (deployment != NULL &&
	    (!text_starts(first, "deployment/") ||
		strcmp(strchr(first, '/') + 1, deployment) != 0)) {
		(void)snprintf(wrong, WRONG_MAX,
		    "the first one is the main one, %.60s, and KUBE_DEPLOYMENT is %.60s: take KUBE_DEPLOYMENT out, or write deployment/%.60s first",
		    first, deployment, deployment);
		return true;
	}
	for (const char *from = list; setting_next(&from, one, sizeof(one));)
		for (const char *next = from; setting_next(&next, other, sizeof(other));)
			if (strcmp(one, other) == 0) {
				(void)snprintf(wrong, WRONG_MAX, "names %.80s twice", one);
				return true;
			}
	return false;
}

static bool
check_workloads(struct settings_loader *l, const struct view *v, const char *stem,
    UNUSED const struct rule *rule)
{
	const char *list = text_of(v, SETTING_KUBE_WORKLOADS);
	char wrong[WRONG_MAX];

	if (is_given(v, SETTING_DEPLOY_SCRIPT) || list == NULL ||
	    strcmp(settings_transport(v->s, v->member), "kubernetes") != 0 ||
	    !judge_workloads(list, text_of(v, SETTING_KUBE_DEPLOYMENT), wrong))
		return false;
	if (stem != NULL)
		settings_say(l->report, SETTINGS_FLAW, "%sKUBE_WORKLOADS: %s", stem, wrong);
	return true;
}

/* There the owner is a part of each image's name, and ghcr.io/web is nobody's. */
static bool
check_owner(struct settings_loader *l, const struct view *v, const char *stem,
    UNUSED const struct rule *rule)
{
	const char *transport = settings_transport(l->s, v->member);
	const char *image = text_of(v, SETTING_REGISTRY_IMAGE);

	if (is_given(v, SETTING_DEPLOY_SCRIPT) || !is_set_to(v, SETTING_REGISTRY_URL, "ghcr.io") ||
	    image == NULL || strchr(image, '/') != NULL ||
	    (strcmp(transport, "ssh") != 0 && strcmp(transport, "kubernetes") != 0))
		return false;
	if (stem != NULL)
		settings_say(l->report, SETTINGS_WARNING,
		    "%sREGISTRY_IMAGE: is %s, and an image at ghcr.io has its owner in its name: write OWNER/NAME, in small letters",
		    stem, image);
	return true;
}

/* What is said of one environment, by the transport that uses it. */
static void
check_idle_families(struct settings_loader *l)
{
	static const struct {
		enum family_setting setting;
		const char *transport;
	} families[] = {
		{ ENVIRONMENT_SETTING_COMPOSE_DIR, "ssh" },
		{ ENVIRONMENT_SETTING_PORT, "local" },
	};
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count * COUNT(families); i++) {
		const struct settings_member *member = in->members[i / COUNT(families)];
		size_t n = i % COUNT(families);
		const char *transport = settings_transport(l->s, member);
		const struct view v = { l->s, member };
		const char *usual = settings_table_families[families[n].setting].fallback;

		if (member->family != FAMILY_ENVIRONMENT || is_given(&v, SETTING_DEPLOY_SCRIPT) ||
		    !is_ours(transport) || strcmp(transport, families[n].transport) == 0 ||
		    (strcmp(transport, "agent") == 0 &&
			families[n].setting == ENVIRONMENT_SETTING_COMPOSE_DIR) ||
		    !settings_own(member, families[n].setting)->is_given ||
		    (usual != NULL &&
			strcmp(settings_own(member, families[n].setting)->text, usual) == 0))
			continue; /* the usual one is what `application adopt` writes down */
		settings_say_of(l, SETTINGS_WARNING, member, families[n].setting,
		    "is used by the transport %s alone, and does nothing here",
		    families[n].transport);
	}
}

/* A gate that ends before anything can pass, or before so many failures as are allowed. */
static bool
check_gate(struct settings_loader *l, const struct view *v, const char *stem,
    UNUSED const struct rule *rule)
{
	const struct settings_times *t = &v->member->times;
	int deadline = t->health_check_deadline_seconds;
	int passing = (t->health_check_successes - 1) * t->health_check_interval_seconds;
	int failing = (t->health_check_retries - 1) * t->health_check_interval_seconds;

	if (!is_given(v, SETTING_HEALTH_CHECK_DEADLINE) || deadline == 0 ||
	    (passing < deadline && failing <= deadline))
		return false;
	if (stem != NULL && passing >= deadline)
		settings_say(l->report, SETTINGS_ERROR,
		    "%sHEALTH_CHECK_DEADLINE: in %d s no release can pass: HEALTH_CHECK_SUCCESSES (%d) checks, HEALTH_CHECK_INTERVAL (%d s) apart, take %d s",
		    stem, deadline, t->health_check_successes, t->health_check_interval_seconds,
		    passing);
	else if (stem != NULL)
		settings_say(l->report, SETTINGS_WARNING,
		    "%sHEALTH_CHECK_DEADLINE: after %d s a release is unhealthy, before HEALTH_CHECK_RETRIES (%d) checks have failed (%d s): an application has that long to start",
		    stem, deadline, t->health_check_retries, failing);
	return true;
}

/* Once where all environments have it, else of each that has. */
static void
check_each(struct settings_loader *l, complain *check, const struct rule *rule)
{
	struct view v = { .s = l->s };
	size_t all = 0, wrong = 0, at = 0;
	char stem[SETTING_NAME_MAX];

	for (; (v.member = settings_next_member(l->s, FAMILY_ENVIRONMENT, &at)) != NULL; all++)
		wrong += check(l, &v, NULL, rule) ? 1 : 0;
	at = 0;
	while (
	    wrong > 0 && (v.member = settings_next_member(l->s, FAMILY_ENVIRONMENT, &at)) != NULL)
		if (check(l, &v, wrong == all ? "" : setting_name("<ENV>_", v.member->name, stem),
			rule) &&
		    wrong == all)
			return;
}

static void
check_shipping(struct settings_loader *l)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (settings_table[rules[i].setting].is_shipping)
			check_each(l, check_rule, &rules[i]);
	for (size_t i = 0; i < COUNT(below_timeout); i++)
		check_each(l, check_below_timeout, &below_timeout[i]);
	check_each(l, check_gate, NULL);
	check_each(l, check_workloads, NULL);
	check_each(l, check_owner, NULL);
	for (size_t i = 0; i < COUNT(idle); i++)
		check_each(l, check_idle, &idle[i]);
	check_idle_families(l);
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

/* Has git a login that no other application's is?  Of two files with one token only the runner
 * knows, which refuses that too. */
static bool
has_own_login(struct settings_loader *l, const struct settings_spec *login)
{
	const char *url = l->s->repository_url;

	return (url == NULL || url[0] != '/') && settings_is_in(l, login, login->name, l->own);
}

/* Who may push chooses which repositories are submodules. */
static void
check_submodules(struct settings_loader *l)
{
	const char *url = l->s->repository_url;
	const struct settings_spec *login =
	    &settings_table[url == NULL || text_starts(url, "https://") ?
		    SETTING_REPOSITORY_TOKEN :
		    SETTING_REPOSITORY_KEY_PATH];
	struct view v = { .s = l->s };

	for (size_t at = 0;
	     (v.member = settings_next_member(l->s, FAMILY_ENVIRONMENT, &at)) != NULL;) {
		if (!lays_out(&v) || !is_set_to(&v, SETTING_REPOSITORY_SUBMODULES, "fetch") ||
		    is_given(&v, SETTING_REPOSITORY_SUBMODULES_FROM) || has_own_login(l, login))
			continue;
		settings_say(l->report, SETTINGS_WARNING,
		    "REPOSITORY_SUBMODULES_FROM: is not set, REPOSITORY_SUBMODULES is fetch, and git has no %s of this application alone: a commit with submodules is not built; write what they may come from, as /team/library",
		    url != NULL && url[0] == '/' ? "login" : login->name);
		return;
	}
}

void
settings_check_rules(struct settings_loader *l, bool own)
{
	const struct view all = { l->s, NULL };
	bool is[WHERE_COUNT];

	look_around(&all, is);
	check_alone(l, is, own);
	settings_check_placeholders(l, own);
	if (!own) {
		settings_check_previous(l);
		settings_check_github(l);
		settings_check_vault(l);
		settings_check_opa(l);
		settings_check_prometheus(l);
		if (is[IN_WEBHOOK_MODE])
			check_webhook(l);
		return;
	}
	check_submodules(l);
	check_shipping(l);
	settings_check_targets(l);
	settings_check_bake(l);
	settings_check_hosts(l);
	settings_check_waves(l);
	settings_check_unknown(l);
}
