/* doctor_forges.c - are the APIs of GitHub and GitLab open to the App or token, on each repository?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "cli/doctor/doctor.h"
#include "clients/forge_api.h"
#include "clients/github_need.h"
#include "clients/jwks.h"
#include "clients/outbound_client.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/list.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/sigv4.h"
#include "lib/text.h"
#include "types/pipeline.h"
#include "types/pipeline_run.h"
#include "types/settings.h"
#include "types/workflow.h"

#define FILES_MAX	8192 /* bytes of names of a repository; what is beyond is not asked for */
#define ENVIRONMENT_MAX 70   /* bytes of the name of one; a path has room for it, encoded */

static const char give_it[] =
    "give it, and this repository, to the App or token at GitHub, and accept it where the App is installed";

struct asking {
	const struct look *look;
	struct doctor *doctor;
	struct forge_api *api;
	size_t n, good, open;
	uint32_t lacks, unknown; /* rows of github_needs */
	/* A repository: its needs are tried one after the other. */
	struct place {
		struct asking *asking;
		struct settings *settings;
		char path[LIMIT_REF];
		size_t need; /* a row of github_needs; what is asked of GitLab */
		bool is_bad;
		struct buf files; /* of workflows that its settings name, a comma between */
		const char *rest; /* of them; NULL: the needs are tried first */
		char file[PIPELINE_FILE];
		struct buf unmapped; /* its environments that are none here, a line each */
		size_t at;	     /* what is asked next of them */
		char environment[ENVIRONMENT_MAX + 1];
	} * places;
};

/* What is asked of one forge. */
struct look {
	const char *name;
	/* The repository of an application that can be asked about; false: it has none there. */
	bool (*find)(const struct settings *of, char path[LIMIT_REF]);
	/* False: all has been asked. */
	bool (*write_next)(
	    struct place *place, struct forge_api_request *request, char path[LIMIT_LINE]);
	void (*sum_up)(const struct asking *asking); /* when all have answered; NULL: nothing */
};

static void try_next(struct place *place);

/* --- GitHub --- */

static bool
find_github(const struct settings *of, char path[LIMIT_REF])
{
	return pipeline_repository(of, DELIVERY_GITHUB, path);
}

/* An application knows nothing of the main file's webhook, by which its deliveries may come. */
static bool
has_webhook(const struct place *place)
{
	return place->settings->github_webhook_secret != NULL ||
	    place->asking->doctor->settings->github_webhook_secret != NULL;
}

static bool
gets_no_events(const struct place *place)
{
	return !has_webhook(place) && place->settings->github.app_webhook_secret == NULL &&
	    strcmp(place->settings->github.watch, "none") != 0;
}

/* When the last one has answered. */
static void
sum_up(const struct asking *a)
{
	const char *id = a->doctor->settings->github.app_id;
	char lacks[LIMIT_LINE] = "";
	size_t at = 0;

	while (at < a->n && !gets_no_events(&a->places[at]))
		at++;
	if (at < a->n)
		TELL(a->doctor, GITHUB, WARNING,
		    "GitHub: no event of %s comes: set GITHUB_APP_WEBHOOK_SECRET or GITHUB_WEBHOOK_SECRET for WATCH_PIPELINES and an App's protection rule, or WATCH_PIPELINES=none",
		    a->places[at].path);
	for (size_t i = 0, used = 0; i < GITHUB_NEEDS && used < sizeof(lacks); i++)
		if (((a->lacks | a->unknown) >> i & 1) != 0)
			used += (size_t)snprintf(lacks + used, sizeof(lacks) - used,
			    (a->lacks >> i & 1) != 0 ? "; %s lacks \"%s\"" :
						       "; whether %s has \"%s\" is not known",
			    github_needs[i].point, github_needs[i].shown);
	doctor_say(a->doctor, DOCTOR_GITHUB, a->good == a->n ? DOCTOR_OK : DOCTOR_WARNING,
	    "GitHub: %s%s on %zu of %zu repositor%s%s", id != NULL ? "App " : "GITHUB_API_TOKEN",
	    id != NULL ? id : "", a->good, a->n, a->n == 1 ? "y" : "ies", lacks);
}

/* What is wrong, and what to do. */
static void
tell(struct place *place, const struct forge_api_answer *answer)
{
	const struct github_need *need = &github_needs[place->need];
	bool is_access = answer->is_of_access, is_error = is_access || !need->is_extra;
	char wrong[LIMIT_LINE] = "it has another name or owner now";
	const char *what = "set GITHUB_REPOSITORY to that";

	if (answer->verdict == FORGE_API_UNAUTHORIZED) {
		(void)snprintf(wrong, sizeof(wrong), "%s is refused",
		    is_access ? "GITHUB_APP_KEY" : "the token");
		what = is_access ?
		    "compare GITHUB_APP_ID with the App's page, make a new key there" :
		    "make another one at GitHub";
	} else if (answer->verdict == FORGE_API_FORBIDDEN ||
	    answer->verdict == FORGE_API_NOT_FOUND) {
		place->asking->lacks |= is_access ? 0 : UINT32_C(1) << place->need;
		(void)snprintf(wrong, sizeof(wrong),
		    is_access ? "the App gets no token there" : "%s lacks \"%s\"", need->point,
		    need->shown);
		what = !is_access ?
		    give_it :
		    answer->verdict == FORGE_API_FORBIDDEN ?
		    "at GitHub, Settings > Applications > Configure, Unsuspend it" :
		    answer->is_no_app ?
		    "compare GITHUB_APP_ID with the App ID on its page at GitHub" :
		    "on the App's page at GitHub, Install App, and choose this repository";
	} else if (answer->verdict != FORGE_API_MOVED) {
		(void)snprintf(
		    wrong, sizeof(wrong), "whether it has \"%s\" is not known", need->shown);
		what = "ask again later";
		is_error = false;
	}
	doctor_say(place->asking->doctor, DOCTOR_GITHUB, is_error ? DOCTOR_ERROR : DOCTOR_WARNING,
	    "GitHub: %s: %s (%s): %s", place->path, wrong, answer->detail, what);
}

/* Is it one of ours, for which the App is asked? */
static bool
is_mapped(const struct place *place, const char *name)
{
	const struct settings *s = place->asking->doctor->settings;
	char path[LIMIT_REF];

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (!e->gate_reviewer && text_same_ci(e->github_environment, name) &&
		    find_github(e->of, path) && text_same_ci(path, place->path))
			return true;
	}
	return false;
}

static void
note_environments(struct place *place, const struct json *environments)
{
	for (size_t i = 0; i < json_count(environments); i++) {
		const char *name = json_text(json_at(environments, i), "name");

		if (name[0] != '\0' && strlen(name) <= ENVIRONMENT_MAX &&
		    strchr(name, '\n') == NULL && !is_mapped(place, name))
			buf_addf(&place->unmapped, "%s\n", name);
	}
}

static void
on_tried(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct place *place = ctx;
	const struct github_need *need = &github_needs[place->need];
	struct doctor *doctor = place->asking->doctor;
	struct forge_api_answer is = *answer;

	/* Who may read has read: whether they may write too is another question. */
	if (is.verdict == FORGE_API_DONE && strcmp(need->level, "write") == 0 && is.granted == 0) {
		place->asking->unknown |= UINT32_C(1) << place->need;
	} else if (is.verdict == FORGE_API_DONE && strcmp(need->level, "write") == 0 &&
	    (is.granted >> place->need & 1) == 0) {
		is.verdict = FORGE_API_FORBIDDEN;
		(void)text_copy(is.detail, sizeof(is.detail), "its installation has less");
	}
	if (is.verdict != FORGE_API_DONE)
		tell(place, &is);
	else if (place->need == GITHUB_NEEDS_RULES)
		note_environments(place, json_get(body, "environments"));
	place->is_bad |= is.verdict != FORGE_API_DONE && !need->is_extra;
	/* One that does not get in is said once, and not for each use. */
	place->need = is.is_of_access || is.verdict == FORGE_API_UNAUTHORIZED ? GITHUB_NEEDS :
										place->need + 1;
	try_next(place);
	doctor_answered(doctor);
}

static void
on_file(void *ctx, const struct forge_api_answer *answer, UNUSED const struct json *body)
{
	struct place *place = ctx;
	struct doctor *doctor = place->asking->doctor;

	if (answer->verdict == FORGE_API_NOT_FOUND) {
		place->is_bad = true;
		TELL(doctor, GITHUB, ERROR,
		    "GitHub: %s: it knows no workflow .github/workflows/%s (%s): correct <ENV>_REQUIRE_CI or WATCH_PIPELINES, or push that file to its default branch",
		    place->path, place->file, answer->detail);
	} else if (answer->verdict != FORGE_API_DONE) {
		TELL(doctor, GITHUB, WARNING,
		    "GitHub: %s: whether it knows %s is not known (%s): ask again later",
		    place->path, place->file, answer->detail);
	}
	try_next(place);
	doctor_answered(doctor);
}

/* A run waits there for 30 days: the App is asked, and that environment is none of the settings. */
static void
on_rules(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct place *place = ctx;
	const struct json *rules = json_get(body, "custom_deployment_protection_rules");
	char app[24], name[ENVIRONMENT_MAX + 1];
	bool is_asked = false;

	(void)clean_line(name, sizeof(name), place->environment, strlen(place->environment));
	for (size_t i = 0; i < json_count(rules); i++) {
		(void)snprintf(app, sizeof(app), "%" PRId64,
		    json_get_i64_or(json_get(json_at(rules, i), "app"), "id", 0));
		is_asked |= strcmp(app, place->settings->github.app_id) == 0;
	}
	if (is_asked)
		TELL(place->asking->doctor, GITHUB, WARNING,
		    "GitHub: %s: the rule of its environment %s asks the App, and nobody answers: set <ENV>_GITHUB_ENVIRONMENT to it, or take the rule away there",
		    place->path, name);
	else if (answer->verdict != FORGE_API_DONE && answer->verdict != FORGE_API_NOT_FOUND)
		TELL(place->asking->doctor, GITHUB, WARNING,
		    "GitHub: %s: whether the rule of its environment %s asks the App is not known (%s): ask again later",
		    place->path, name, answer->detail);
	try_next(place);
	doctor_answered(place->asking->doctor);
}

/* Each once; "*" and "none" are none, nor is GitLab's. */
static void
add_files(struct place *place, const char *list)
{
	char file[SETTING_PART_MAX + 2];

	while (list != NULL && setting_next(&list, file, sizeof(file))) {
		if (strchr(file, '.') == NULL || file[0] == '.' ||
		    list_has(buf_text(&place->files), file))
			continue;
		buf_adds(&place->files, place->files.size > 0 ? "," : "");
		buf_adds(&place->files, file);
	}
}

static void
note_files(struct place *place, const struct settings *s)
{
	for (size_t i = 0; i < settings_own_count(s); i++)
		add_files(place, s->environments[i].require_ci);
	add_files(place, s->github.watch);
}

static bool
is_wanted(const struct place *place)
{
	return github_needs[place->need].is_wanted(place->settings) &&
	    (place->need != GITHUB_NEEDS_HOOKS || has_webhook(place));
}

/* False: there is none, or no App that one could ask. */
static bool
write_rules(struct place *place, struct forge_api_request *request, char path[LIMIT_LINE])
{
	const char *next = buf_text(&place->unmapped) + place->at;
	size_t size = strcspn(next, "\n");
	CLEANUP(buf_done) struct buf encoded = buf_make(LIMIT_LINE);

	if (size == 0 || place->settings->github.app_id == NULL)
		return false;
	place->at += size + 1;
	(void)snprintf(place->environment, sizeof(place->environment), "%.*s", (int)size, next);
	sigv4_encode(&encoded, place->environment, false);
	(void)snprintf(
	    path, LIMIT_LINE, "/environments/%s/deployment_protection_rules", buf_text(&encoded));
	request->path = path;
	request->on_done = on_rules;
	return true;
}

static bool
write_github(struct place *place, struct forge_api_request *request, char path[LIMIT_LINE])
{
	while (place->need < GITHUB_NEEDS && !is_wanted(place))
		place->need++;
	if (place->need < GITHUB_NEEDS) {
		request->path = github_needs[place->need].tried;
		request->as = github_needs[place->need].is_persons ? FORGE_AS_PERSON : FORGE_AS_ITS;
		request->on_done = on_tried;
		return true;
	}
	if (place->rest == NULL) /* where its runs cannot be read, nothing is known of them */
		place->rest = place->is_bad ? "" : buf_text(&place->files);
	if (!setting_next(&place->rest, place->file, sizeof(place->file)))
		return write_rules(place, request, path);
	(void)snprintf(path, LIMIT_LINE, "/actions/workflows/%s/runs?per_page=1", place->file);
	request->path = path;
	request->on_done = on_file;
	return true;
}

/* --- GitLab --- */

enum { OF_ITSELF, OF_PIPELINES, OF_HOOKS, OF_ALL };

/* docs.gitlab.com/user/project/integrations/webhooks, auto-disabled: four failures in a row switch
 * it off for a while, forty for good (gitlab!166329).  Which are ours its address says. */
static void
tell_hooks(const struct place *place, const struct json *hooks)
{
	const char *base = settings_text(place->settings, SETTING_PUBLIC_URL);
	size_t n = 0, on = 0;

	for (size_t i = 0; i < json_count(hooks); i++) {
		const struct json *hook = json_at(hooks, i);
		const char *url = json_text(hook, "url");
		const char *is = json_get_str(hook, "alert_status");
		const char *until = json_text(hook, "disabled_until");

		if ((base != NULL && !text_starts(url, base)) ||
		    strstr(url, "/forge/webhook/gitlab") == NULL)
			continue;
		n++;
		if (is == NULL || strcmp(is, "executable") == 0)
			on++;
		else
			TELL(place->asking->doctor, GITHUB, ERROR,
			    "GitLab: %s: its webhook is %.40s%s%.40s: see its Recent events for what was answered, then Test it there, which switches it on",
			    place->path, is, until[0] != '\0' ? " until " : "", until);
	}
	if (n == 0)
		TELL(place->asking->doctor, GITHUB, WARNING,
		    "GitLab: %s: no webhook there sends to /forge/webhook/gitlab: no red pipeline is reported, and pushes are found by polling alone",
		    place->path);
	else if (on == n)
		TELL(place->asking->doctor, GITHUB, OK,
		    "GitLab: %s: its pipelines can be read, and its webhook is on", place->path);
}

/* docs.gitlab.com/api/personal_access_tokens: a project's and a group's say that too. */
static void
tell_scopes(const struct place *place, const struct json *token)
{
	const struct settings *s = place->settings;
	const struct json *scopes = json_get(token, "scopes");
	bool runs = pipeline_begins(s, DELIVERY_GITLAB);
	bool reports = s->github.reports && s->github_repository == NULL;
	const char *scope;

	for (size_t i = 0; i < json_count(scopes); i++)
		if ((scope = json_str(json_at(scopes, i))) != NULL && strcmp(scope, "api") == 0)
			return;
	if (runs || reports)
		doctor_say(place->asking->doctor, DOCTOR_GITHUB,
		    runs ? DOCTOR_ERROR : DOCTOR_WARNING,
		    "GitLab: %s: GITLAB_API_TOKEN lacks the scope \"api\", for %s: make one with it there%s",
		    place->path, runs ? "PIPELINE_<NAME>" : "REPORT_DEPLOYMENTS",
		    runs ? "" : ", or set that to false");
}

static void
tell_trouble(const struct place *place, const struct forge_api_answer *answer)
{
	const char *what = "ask again later";
	enum doctor_level level = DOCTOR_ERROR;

	if (answer->verdict == FORGE_API_UNAUTHORIZED)
		what = "make another GITLAB_API_TOKEN there, with read_api";
	else if (answer->verdict == FORGE_API_FORBIDDEN || answer->verdict == FORGE_API_NOT_FOUND)
		what =
		    "compare GITLAB_URL and REPOSITORY_PATH with its page, and make the token there, with read_api";
	else
		level = DOCTOR_WARNING;
	doctor_say(place->asking->doctor, DOCTOR_GITHUB, level,
	    "GitLab: %s: its pipelines cannot be read (%s): %s", place->path, answer->detail, what);
}

static void
on_gitlab(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct place *place = ctx;
	struct doctor *doctor = place->asking->doctor;
	bool is_done = answer->verdict == FORGE_API_DONE;

	if (place->need == OF_ITSELF && is_done)
		tell_scopes(place, body);
	else if (place->need == OF_PIPELINES && !is_done)
		tell_trouble(place, answer);
	else if (place->need == OF_HOOKS && is_done)
		tell_hooks(place, body);
	else if (place->need == OF_HOOKS)
		TELL(doctor, GITHUB, OK,
		    "GitLab: %s: its pipelines can be read; whether its webhook is on is not known (%s): only a token of the role Maintainer may ask",
		    place->path, answer->detail);
	/* An older GitLab says nothing of tokens; what cannot be read has no webhook to look at. */
	place->need = place->need == OF_PIPELINES && !is_done ? OF_ALL : place->need + 1;
	try_next(place);
	doctor_answered(doctor);
}

static bool
write_gitlab(struct place *place, struct forge_api_request *request, UNUSED char path[LIMIT_LINE])
{
	static const char *const paths[] = { "/personal_access_tokens/self",
		"/pipelines?per_page=1", "/hooks?per_page=100" };

	if (place->need == OF_ALL)
		return false;
	if (place->need == OF_ITSELF)
		request->repository = NULL;
	request->as = FORGE_AS_GITLAB;
	request->path = paths[place->need];
	request->on_done = on_gitlab;
	return true;
}

/* --- each forge, one thing after the other --- */

static void
try_next(struct place *place)
{
	struct asking *a = place->asking;
	struct forge_api_request request = { .settings = place->settings,
		.repository = place->path,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.ctx = place };
	char path[LIMIT_LINE];
	struct err err;

	if (a->look->write_next(place, &request, path)) {
		if (forge_api_start(a->api, &request, &err) != NULL) {
			doctor_asked(a->doctor);
			return;
		}
		TELL(a->doctor, GITHUB, ERROR, "%s: %s: %s", a->look->name, place->path, err.text);
		place->is_bad = true;
	}
	a->good += place->is_bad ? 0 : 1;
	if (--a->open == 0 && a->look->sum_up != NULL)
		a->look->sum_up(a);
}

/* Applications of one repository are one place. */
static void
add(struct asking *a, struct settings *s)
{
	struct place *place = a->places, *behind = &a->places[a->n];
	char path[LIMIT_REF];

	if (settings_own_count(s) == 0 || !a->look->find(s, path))
		return;
	while (place < behind && !text_same_ci(place->path, path))
		place++;
	if (place == behind) {
		*place = (struct place){ .asking = a,
			.settings = s,
			.files = buf_make(FILES_MAX),
			.unmapped = buf_make(FILES_MAX) };
		(void)text_copy(place->path, sizeof(place->path), path);
		a->n++;
	}
	note_files(place, s);
}

static void
ask_all(struct asking *a)
{
	struct settings *s = a->doctor->settings;

	a->places = mem_new(s->application_count + 1, sizeof(*a->places));
	for (size_t i = 0; i <= s->application_count; i++)
		add(a, i == 0 ? s : s->applications[i - 1]);
	a->open = a->n;
	for (size_t i = 0; i < a->n; i++)
		try_next(&a->places[i]);
}

static const struct look looks[] = { { "GitHub", find_github, write_github, sum_up },
	{ "GitLab", pipeline_project, write_gitlab, NULL } };

static void
end(void *ctx)
{
	struct asking *all = ctx;

	forge_api_free(all->api);
	for (struct asking *a = all; a < all + COUNT(looks); a++) {
		while (a->n > 0) {
			buf_done(&a->places[--a->n].files);
			buf_done(&a->places[a->n].unmapped);
		}
		free(a->places);
	}
	free(all);
}

/* --- tokens of jobs: where can the keys be fetched that they are checked by? --- */

struct issuer {
	struct doctor *doctor;
	const char *url;
	struct http_client *client;
	struct jwks *keys;
};

static void
on_key(void *ctx, enum jwks_found found, UNUSED const struct crypto_rsa *key)
{
	struct issuer *issuer = ctx;

	if (found == JWKS_UNREACHABLE)
		TELL(issuer->doctor, GITHUB, ERROR,
		    "jobs: the keys of %s cannot be fetched (%s), and no token of a job is let in without them: is the address right, and may deploybot connect there?",
		    issuer->url, jwks_failure(issuer->keys));
	else
		TELL(
		    issuer->doctor, GITHUB, OK, "jobs: the keys of %s can be fetched", issuer->url);
	doctor_answered(issuer->doctor);
}

static void
end_issuer(void *ctx)
{
	struct issuer *issuer = ctx;

	jwks_free(issuer->keys);
	http_client_free(issuer->client);
	free(issuer);
}

/* No key has that id: whether it has one is all that is asked. */
static void
ask_issuer(struct doctor *doctor, enum delivery_forge forge, enum outbound_place place)
{
	struct issuer *issuer;
	struct err err;

	if (!workflow_is_any(doctor->settings, forge))
		return;
	issuer = mem_new(1, sizeof(*issuer));
	issuer->doctor = doctor;
	issuer->url = workflow_issuer(doctor->settings, forge);
	issuer->client = outbound_client(doctor->loop, outbound_of(place, issuer->url), 1, 0, &err);
	doctor_at_end(doctor, end_issuer, issuer);
	if (issuer->client == NULL) {
		TELL(doctor, GITHUB, ERROR, "jobs: %s", err.text);
		return;
	}
	issuer->keys = jwks_new(issuer->client, issuer->url);
	doctor_asked(doctor);
	jwks_get(issuer->keys, "none", on_key, issuer);
}

void
doctor_forges(struct doctor *doctor)
{
	struct asking *all = mem_new(COUNT(looks), sizeof(*all));
	struct err err;
	struct forge_api *api = forge_api_new(doctor->loop, &err);

	doctor_at_end(doctor, end, all);
	if (api == NULL)
		TELL(doctor, GITHUB, ERROR, "GitHub: %s", err.text);
	for (size_t i = 0; api != NULL && i < COUNT(looks); i++) {
		all[i] = (struct asking){ .look = &looks[i], .doctor = doctor, .api = api };
		ask_all(&all[i]);
	}
	ask_issuer(doctor, DELIVERY_GITHUB, OUTBOUND_ISSUER);
	ask_issuer(doctor, DELIVERY_GITLAB, OUTBOUND_GITLAB);
}
