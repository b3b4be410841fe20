/* sim_cloudflare.c - zones at Cloudflare, people who change them, and answers that come late or not.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What a zone's level was before we set it is known here from what was set, not from the rows.  A
 * call that ended without an answer may still take effect, within the time that one may take.
 */
#include "tests/sim/sim_inside.h"

#include "types/cloudflare_level.h"

#define LATE_MOST_MS 15000
#define HOUR_MS	     INT64_C(3600000)

static sim_fn call_ends, it_takes_effect, token_is_revoked;

static const char *const levels[] = { "low", "medium", "high", "essentially_off",
	CLOUDFLARE_ATTACK };
enum { LOW, MEDIUM, ATTACK = 4 };

static int
index_of(const char *level)
{
	for (int i = 0; i < (int)COUNT(levels); i++)
		if (strcmp(levels[i], level) == 0)
			return i;
	return -1;
}

static bool
is_in_progress(const struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL &&
		    (sim->open[i].effect->kind == EFFECT_CLOUDFLARE_GET ||
			sim->open[i].effect->kind == EFFECT_CLOUDFLARE_SET))
			return true;
	return false;
}

static int64_t
rows_with(struct sim *sim, const char *phase)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM cloudflare_zone WHERE $1 = '' OR phase = $1", DB_TEXT(phase)),
	    &err);
	return n;
}

/* --- what is set --- */

static void
set_level(struct sim *sim, int level)
{
	struct sim_zone *zone = &sim->zone;

	sim_trace(sim, "the zone is set to %s", levels[level]);
	if (level == ATTACK && zone->level != ATTACK) {
		zone->base = zone->level;
		zone->is_ours = true;
	} else if (level != ATTACK) {
		zone->is_ours = false;
	}
	zone->level = level;
}

static void
it_takes_effect(struct sim *sim, int64_t level, UNUSED int64_t b)
{
	set_level(sim, (int)level);
}

/* By hand, in Cloudflare's own pages: while nothing of ours is on its way. */
void
sim_cloudflare_somebody_sets(struct sim *sim)
{
	if (is_in_progress(sim) || sim->events.length > 0 ||
	    rows_with(sim, "") != rows_with(sim, "set"))
		return;
	set_level(sim, sim_one_in(sim, 2) ? LOW : MEDIUM);
}

/* Who presses that has done it. */
void
sim_cloudflare_pressed(struct sim *sim, const char *label)
{
	if (strstr(label, "Done by hand") != NULL && sim->zone.level == ATTACK)
		set_level(sim, sim->zone.base);
}

static void
token_is_revoked(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	/* Or until somebody sets another one. */
	sim->zone.refused_until =
	    sim_one_in(sim, 3) ? INT64_MAX : sim->now + (int64_t)sim_draw(sim, 48) * HOUR_MS;
}

void
sim_cloudflare_somebody_asks(struct sim *sim)
{
	static const char *const typed[] = { "/do cf-under-attack solo",
		"/do cf-under-attack solo 5", "/do cf-under-attack solo 30",
		"/do cf-under-attack solo 5", "/do cf-normal solo", "/do cf-normal solo high" };
	const char *text = typed[sim_draw(sim, COUNT(typed))];
	int64_t person = sim_one_in(sim, 3) ? SIM_OTHER : SIM_ADMIN;

	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 15000, sim_chat_question_is_answered, person, 0);
	if (sim_one_in(sim, 3))
		sim_later(sim, 0, 60000 + sim_draw(sim, 240000), token_is_revoked, 0, 0);
}

/* --- calls --- */

/* Typed, or by a button that offers it. */
static bool
is_named(struct sim *sim, const char *level)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM work WHERE action = 'cf-normal' AND argument = $1",
		DB_TEXT(level)),
	    &err);
	return n > 0;
}

/* What it was is in the row before another level is ordered; that comes back, or what somebody
 * named. */
static void
check_set(struct sim *sim, const char *level)
{
	const struct sim_zone *zone = &sim->zone;
	int to = index_of(level);

	if (to == ATTACK && rows_with(sim, "setting") == 0)
		sim_fail(sim, "what_was_is_known_before_it_is_set", "no row says so");
	/* Somebody may have set another one in the moment behind that answer. */
	if (to != ATTACK && to != zone->base && to != zone->read && !is_named(sim, level))
		sim_fail(sim, "a_zones_old_value_comes_back", "\"%s\", and it was %s", level,
		    levels[zone->base]);
}

/* Without an answer: it has taken effect, will within seconds, or never does. */
static void
end_unknown(struct sim *sim, struct cloudflare_answer *answer, int to)
{
	uint32_t how = sim_draw(sim, 3);

	answer->verdict = CLOUDFLARE_UNKNOWN;
	(void)text_copy(answer->detail, sizeof(answer->detail), "timed out");
	if (to < 0)
		return;
	if (how == 0)
		set_level(sim, to);
	else if (how == 1)
		sim_later(sim, 0, sim_draw(sim, LATE_MOST_MS), it_takes_effect, to, 0);
}

static void
end_well(struct sim *sim, struct cloudflare_answer *answer, int to)
{
	if (to >= 0)
		set_level(sim, to);
	else if (!sim->zone.is_ours)
		sim->zone.read = sim->zone.level;
	answer->verdict = CLOUDFLARE_DONE;
	(void)text_copy(answer->value, sizeof(answer->value), levels[sim->zone.level]);
}

static void
call_ends(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	uint32_t how = sim->is_resting ? 9 : sim_draw(sim, 10);
	struct cloudflare_answer *answer;
	int to;

	(void)b;
	if (open == NULL)
		return;
	answer = &open->effect->result->u.cloudflare;
	to = open->effect->kind == EFFECT_CLOUDFLARE_SET ?
	    index_of(open->effect->u.cloudflare.level) :
	    -1;
	if (how == 0 || sim->now < sim->zone.refused_until) {
		sim_note(sim, SIM_CLOUDFLARE_REFUSED);
		answer->verdict = CLOUDFLARE_REFUSED;
		(void)text_copy(answer->detail, sizeof(answer->detail), "HTTP 403");
	} else if (how == 1) {
		answer->verdict = CLOUDFLARE_BUSY;
		answer->retry_after_s = 1 + sim_draw(sim, 600);
	} else if (how <= 3) {
		sim_note(sim, SIM_CLOUDFLARE_UNKNOWN);
		end_unknown(sim, answer, to);
	} else {
		end_well(sim, answer, to);
	}
	if (to >= 0 && open->effect->is_recovered)
		cloudflare_answer_repeated(answer); /* as perform_cloudflare.c has it */
	sim_trace(sim, "Cloudflare answers %" PRId64 ": %d %s", effect, (int)answer->verdict,
	    answer->value);
	sim_server_report(sim, open);
}

void
sim_cloudflare_call(struct sim *sim, struct sim_open *open)
{
	if (open->effect->kind == EFFECT_CLOUDFLARE_SET)
		check_set(sim, open->effect->u.cloudflare.level);
	sim_later(sim, sim->life, sim_delay(sim, 50, 20000), call_ends, open->effect->id, 0);
}

/* What was on its way takes effect, or does not; nobody hears which. */
void
sim_cloudflare_cut(struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_CLOUDFLARE_SET && sim_one_in(sim, 2))
			set_level(sim, index_of(effect->u.cloudflare.level));
	}
}

/* --- at rest --- */

bool
sim_cloudflare_is_stuck(struct sim *sim)
{
	return rows_with(sim, "stuck") > 0;
}

bool
sim_cloudflare_is_over(struct sim *sim)
{
	if (!sim_cloudflare_is_stuck(sim))
		return true;
	sim_note(sim, SIM_ZONE_STUCK);
	sim->zone.refused_until = 0; /* there is another token */
	(void)sim_chat_press_anywhere(sim, SIM_ADMIN, "Restore again");
	return false;
}

void
sim_cloudflare_check_rest(struct sim *sim)
{
	if (rows_with(sim, "") > 0)
		sim_fail(sim, "what_was_set_is_restored", "a row is left");
	if (sim->zone.level == ATTACK && sim->zone.is_ours)
		sim_fail(sim, "no_zone_stays_under_attack", "it was %s", levels[sim->zone.base]);
}
