/* doctor_github.c - is GitHub's API open to the App or the token, on each repository?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_gitlab.h"
#include "clients/forge_api.h"
#include "clients/github_need.h"
#include "lib/buf.h"
#include "lib/list.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "types/pipeline_run.h"
#include "types/settings.h"

#define FILES_MAX 8192 /* bytes of the names of a repository; what is beyond is not asked for */

static const char give_it[] =
    "give it, and this repository, to the App or token at GitHub, and accept it where the App is installed";

struct asking {
	struct doctor *doctor;
	struct forge_api *api;
	size_t n, good, open;
	uint32_t lacks, unknown; /* rows of github_needs */
	/* A repository: its needs are tried one after the other. */
	struct place {
		struct asking *asking;
		struct settings *settings;
		size_t need;
		bool is_bad;
		struct buf files; /* of workflows that its settings name, a comma between */
		const char *rest; /* of them; NULL: the needs are tried first */
		char file[PIPELINE_FILE];
	} * places;
};

static void try_next(struct place *place);

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
		    a->places[at].settings->github_repository);
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
	    "GitHub: %s: %s (%s): %s", place->settings->github_repository, wrong, answer->detail,
	    what);
}

static void
on_tried(void *ctx, const struct forge_api_answer *answer, UNUSED const struct json *body)
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
	place->is_bad |= is.verdict != FORGE_API_DONE && !need->is_extra;
	/* One that does not get in is said once, and not for each use. */
	place->need = is.is_of_access || is.verdict == FORGE_API_UNAUTHORIZED ? GITHUB_NEEDS :
										place->need + 1;
	try_next(place);
	doctor_answered(doctor);
}

/* --- the files of its workflows --- */

static void
on_file(void *ctx, const struct forge_api_answer *answer, UNUSED const struct json *body)
{
	struct place *place = ctx;
	struct doctor *doctor = place->asking->doctor;

	if (answer->verdict == FORGE_API_NOT_FOUND) {
		place->is_bad = true;
		TELL(doctor, GITHUB, ERROR,
		    "GitHub: %s: it knows no workflow .github/workflows/%s (%s): correct <ENV>_REQUIRE_CI or WATCH_PIPELINES, or push that file to its default branch",
		    place->settings->github_repository, place->file, answer->detail);
	} else if (answer->verdict != FORGE_API_DONE) {
		TELL(doctor, GITHUB, WARNING,
		    "GitHub: %s: whether it knows %s is not known (%s): ask again later",
		    place->settings->github_repository, place->file, answer->detail);
	}
	try_next(place);
	doctor_answered(doctor);
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

/* --- one after the other --- */

static bool
is_wanted(const struct place *place)
{
	return github_needs[place->need].is_wanted(place->settings) &&
	    (place->need != GITHUB_NEEDS_HOOKS || has_webhook(place));
}

/* False: all has been asked. */
static bool
write_next(struct place *place, struct forge_api_request *request, char path[LIMIT_LINE])
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
		return false;
	(void)snprintf(path, LIMIT_LINE, "/actions/workflows/%s/runs?per_page=1", place->file);
	request->path = path;
	request->on_done = on_file;
	return true;
}

static void
try_next(struct place *place)
{
	struct asking *a = place->asking;
	struct forge_api_request request = { .settings = place->settings,
		.repository = place->settings->github_repository,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.ctx = place };
	char path[LIMIT_LINE];
	struct err err;

	if (write_next(place, &request, path)) {
		if (forge_api_start(a->api, &request, &err) != NULL) {
			doctor_asked(a->doctor);
			return;
		}
		TELL(a->doctor, GITHUB, ERROR, "GitHub: %s: %s", request.repository, err.text);
		place->is_bad = true;
	}
	a->good += place->is_bad ? 0 : 1;
	if (--a->open == 0)
		sum_up(a);
}

/* Applications of one repository are one place. */
static void
add(struct asking *a, struct settings *s)
{
	const char *repository = s->github_repository;

	if (repository == NULL || (s->github.app_id == NULL && s->github.token == NULL))
		return;
	for (size_t i = 0; i < a->n; i++)
		if (text_same_ci(a->places[i].settings->github_repository, repository)) {
			note_files(&a->places[i], s);
			return;
		}
	a->places[a->n] =
	    (struct place){ .asking = a, .settings = s, .files = buf_make(FILES_MAX) };
	note_files(&a->places[a->n++], s);
}

static void
end(void *ctx)
{
	struct asking *a = ctx;

	forge_api_free(a->api);
	while (a->n > 0)
		buf_done(&a->places[--a->n].files);
	free(a->places);
	free(a);
}

void
doctor_github(struct doctor *doctor)
{
	struct settings *s = doctor->settings;
	struct asking *a = mem_new(1, sizeof(*a));
	struct err err;

	a->doctor = doctor;
	a->places = mem_new(s->application_count + 1, sizeof(*a->places));
	a->api = forge_api_new(doctor->loop, &err);
	doctor_at_end(doctor, end, a);
	if (settings_own_count(s) > 0)
		add(a, s);
	for (size_t i = 0; i < s->application_count; i++)
		add(a, s->applications[i]);
	a->open = a->n;
	for (size_t i = 0; a->api != NULL && i < a->n; i++)
		try_next(&a->places[i]);
	if (a->api == NULL)
		TELL(doctor, GITHUB, ERROR, "GitHub: %s", err.text);
	else
		doctor_gitlab(doctor, a->api);
}
