/* doctor_github.c - is GitHub's API open to the App or the token, on each repository?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "clients/github_api.h"
#include "clients/github_need.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/repository.h"
#include "types/settings.h"

/* Who asks: the App, or a person's token. */
enum { APP, PERSON, KINDS };

struct asking;

struct check {
	struct place *place;
	size_t need;
};

/* A repository. */
struct place {
	struct asking *asking;
	int kind;
	const struct settings *settings;
	char repository[LIMIT_REF];
	bool is_bad;
	size_t open; /* checks without an answer */
	struct check checks[GITHUB_NEEDS];
};

struct asking {
	struct doctor *doctor;
	struct github_api *api;
	size_t n, good[KINDS], all[KINDS], open[KINDS];
	uint32_t lacks[KINDS]; /* rows of github_needs */
	struct place *places;
};

/* "App 12345", "GITHUB_API_TOKEN" */
static const char *
who(const struct asking *a, int kind, char out[LIMIT_LINE])
{
	(void)snprintf(out, LIMIT_LINE, kind == APP ? "App %s" : "GITHUB_API_TOKEN",
	    a->doctor->settings->github.app_id);
	return out;
}

/* When the last one has answered. */
static void
sum_up(const struct asking *a, int kind)
{
	char name[LIMIT_LINE], lacks[LIMIT_LINE] = "";
	size_t used = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		if ((a->lacks[kind] >> i & 1) != 0 && used < sizeof(lacks))
			used += (size_t)snprintf(lacks + used, sizeof(lacks) - used,
			    "; %s lacks \"%s\"", github_needs[i].point, github_needs[i].shown);
	doctor_say(a->doctor, DOCTOR_GITHUB,
	    a->good[kind] == a->all[kind] ? DOCTOR_OK : DOCTOR_WARNING,
	    "GitHub: %s on %zu of %zu repositor%s%s", who(a, kind, name), a->good[kind],
	    a->all[kind], a->all[kind] == 1 ? "y" : "ies", lacks);
}

static void
end_check(struct place *place, bool is_good)
{
	struct asking *a = place->asking;

	place->is_bad = place->is_bad || !is_good;
	if (--place->open > 0)
		return;
	a->good[place->kind] += place->is_bad ? 0 : 1;
	if (--a->open[place->kind] == 0)
		sum_up(a, place->kind);
}

/* --- what is wrong, and what to do --- */

/* What only somebody at GitHub can change. */
static bool
is_refusal(const struct github_api_answer *answer)
{
	return answer->verdict == GITHUB_FORBIDDEN || answer->verdict == GITHUB_NOT_FOUND;
}

static void
tell_of_access(const struct place *place, const struct github_api_answer *answer)
{
	char name[LIMIT_LINE];

	(void)who(place->asking, place->kind, name);
	if (answer->verdict == GITHUB_NOT_FOUND)
		TELL(place->asking->doctor, GITHUB, ERROR,
		    "GitHub: %s: %s is not installed there: on the App's page at GitHub, Install App, and choose this repository",
		    place->repository, name);
	else
		TELL(place->asking->doctor, GITHUB, ERROR,
		    "GitHub: %s: %s gets no token there: %s: look at the installation at GitHub",
		    place->repository, name, answer->detail);
}

static void
tell(const struct check *check, const struct github_api_answer *answer)
{
	const struct place *place = check->place;
	const struct github_need *need = &github_needs[check->need];
	struct doctor *doctor = place->asking->doctor;

	if (answer->verdict == GITHUB_UNAUTHORIZED && !answer->is_of_access)
		TELL(doctor, GITHUB, ERROR,
		    "GitHub: %s: the token is refused (%s): make another one at GitHub",
		    place->repository, answer->detail);
	else if (answer->verdict == GITHUB_MOVED)
		TELL(doctor, GITHUB, ERROR,
		    "GitHub: %s: it has another name or owner now: set GITHUB_REPOSITORY or REPOSITORY_URL to that",
		    place->repository);
	else if (is_refusal(answer) && answer->is_of_access)
		tell_of_access(place, answer);
	else if (is_refusal(answer))
		TELL(doctor, GITHUB, ERROR,
		    "GitHub: %s: %s lacks \"%s\" (%s): give it, and this repository, to the %s at GitHub",
		    place->repository, need->point, need->shown, answer->detail,
		    place->kind == APP ? "App, and accept it where it is installed" : "token");
	else
		TELL(doctor, GITHUB, WARNING,
		    "GitHub: %s: whether it has \"%s\" is not known: %s: ask again later",
		    place->repository, need->shown, answer->detail);
}

/* --- questions --- */

static void
on_tried(void *ctx, const struct github_api_answer *answer, UNUSED const struct json *body)
{
	const struct check *check = ctx;
	struct asking *a = check->place->asking;

	if (answer->verdict != GITHUB_DONE)
		tell(check, answer);
	if (is_refusal(answer) && !answer->is_of_access)
		a->lacks[check->place->kind] |= UINT32_C(1) << check->need;
	end_check(check->place, answer->verdict == GITHUB_DONE);
	doctor_answered(a->doctor);
}

static bool
start(struct asking *a, struct github_api_request request)
{
	struct err err;

	request.timeout_ms = DOCTOR_PATIENCE_MS;
	if (github_api_start(a->api, &request, &err) == NULL) {
		TELL(a->doctor, GITHUB, ERROR, "GitHub: %s%s%s",
		    request.repository == NULL ? "" : request.repository,
		    request.repository == NULL ? "" : ": ", err.text);
		return false;
	}
	doctor_asked(a->doctor);
	return true;
}

static void
try_each(struct asking *a, int kind)
{
	for (size_t i = 0; i < a->n * GITHUB_NEEDS; i++) {
		struct place *place = &a->places[i / GITHUB_NEEDS];
		struct check *check = &place->checks[i % GITHUB_NEEDS];

		*check = (struct check){ place, i % GITHUB_NEEDS };
		if (place->kind == kind && github_needs[check->need].is_wanted(place->settings) &&
		    !start(a,
			(struct github_api_request){ .settings = place->settings,
			    .as = kind == APP ? GITHUB_AS_ITS : GITHUB_AS_PERSON,
			    .repository = place->repository,
			    .path = github_needs[check->need].tried,
			    .on_done = on_tried,
			    .ctx = check }))
			end_check(place, false);
	}
}

/* The key, before each repository says the same of it. */
static void
on_app(void *ctx, const struct github_api_answer *answer, UNUSED const struct json *body)
{
	struct asking *a = ctx;
	char name[LIMIT_LINE];

	if (answer->verdict == GITHUB_DONE)
		try_each(a, APP);
	else if (answer->verdict == GITHUB_UNAUTHORIZED || answer->verdict == GITHUB_NOT_FOUND)
		TELL(a->doctor, GITHUB, ERROR,
		    "GitHub: GITHUB_APP_KEY is not taken as a key of %s (%s): compare GITHUB_APP_ID with the App's page, make a new key there, look at the clock",
		    who(a, APP, name), answer->detail);
	else
		TELL(a->doctor, GITHUB, WARNING,
		    "GitHub: whether %s may be used is not known: %s: ask again later",
		    who(a, APP, name), answer->detail);
	doctor_answered(a->doctor);
}

/* --- which repositories --- */

/* Two applications of one repository ask alike, unless each has a token of its own. */
static bool
is_there(const struct asking *a, int kind, const struct settings *s, const char *repository)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->places[i].kind == kind &&
		    text_same_ci(a->places[i].repository, repository) &&
		    (kind == APP ||
			crypto_same_text(a->places[i].settings->github.token, s->github.token)))
			return true;
	return false;
}

static void
add_place(struct asking *a, const struct settings *s, int kind)
{
	struct place *place = &a->places[a->n];

	if ((kind == APP ? s->github.app_id : s->github.token) == NULL ||
	    !repository_at_github(s, place->repository) || is_there(a, kind, s, place->repository))
		return;
	place->asking = a;
	place->kind = kind;
	place->settings = s;
	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		place->open += github_needs[i].is_wanted(s) ? 1 : 0;
	a->all[kind]++;
	a->open[kind]++;
	a->n++;
}

static void
end(void *ctx)
{
	struct asking *a = ctx;

	github_api_free(a->api);
	free(a->places);
	free(a);
}

void
doctor_github(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	struct asking *a = mem_new(1, sizeof(*a));

	a->doctor = doctor;
	a->api = github_api_new(doctor->loop);
	a->places = mem_new(KINDS * (s->application_count + 1), sizeof(*a->places));
	doctor_at_end(doctor, end, a);
	for (int kind = 0; kind < KINDS; kind++) {
		if (settings_own_count(s) > 0)
			add_place(a, s, kind);
		for (size_t i = 0; i < s->application_count; i++)
			add_place(a, s->applications[i], kind);
	}
	if (s->github.app_id != NULL)
		(void)start(a,
		    (struct github_api_request){ .settings = s,
			.as = GITHUB_AS_APP,
			.path = "/app",
			.on_done = on_app,
			.ctx = a });
	try_each(a, PERSON);
}
