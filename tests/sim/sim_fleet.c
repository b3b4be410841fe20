/* sim_fleet.c - agents of a pattern come and go: whom a release is for.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The hosts of sim_waves.c may be those agents whose names the pattern w* of the settings stands
 * for.  Here they are a row alone: what carries a run to them is sim_waves.c, as for any host.
 */
#include "lib/setting.h"
#include "tests/faults/look.h"
#include "tests/sim/sim_agent.h"
#include "types/peers.h"
#include "types/settings.h"

#define HOST_NAME 2 /* bytes, without its port */

const char *const sim_host_names[SIM_HOSTS] = { "w1:22", "w2:22", "w3:22", "w4:22", "w5:22",
	"w6:22" };

int
sim_fleet_host(const char *name, size_t size)
{
	int host = 0;

	while (host < SIM_HOSTS &&
	    (size < HOST_NAME || strncmp(sim_host_names[host], name, size) != 0))
		host++;
	assert(host < SIM_HOSTS);
	return host;
}

/* --- settings --- */

/* Of which environment, on how many hosts in which waves, and how many may fail. */
static const struct {
	const char *of, *hosts, *waves, *failures; /* a pattern is of agents */
} fleets[SIM_OF_ONE] = {
	[1] = { "STAGING", "w1,w2,w3,w4,w5", "1, 40%, 100%", "0" },
	[2] = { "PRODUCTION", "w*", "1, 50%, 100%", "1" },
	[3] = { "STAGING", "w*", "1, 100%", "1" },
	[4] = { "STAGING", "w1,w2,w3,w4,w5,w6", "1, 3, 100%", "2" },
	[5] = { "STAGING", "w*", "50%, 100%", "40%" },
	[8] = { "STAGING", "w1,w2,w3,w4", "1, 2, 3, 100%", "0" },
};

const char *
sim_fleet_of(int variant)
{
	return variant < SIM_OF_ONE ? fleets[variant].of : NULL;
}

size_t
sim_fleet_add_lines(int variant, char room[][SIM_LINE])
{
	const char *of = fleets[variant].of;

	(void)snprintf(room[0], SIM_LINE, "%s_DEPLOY_TRANSPORT=%s", of,
	    strchr(fleets[variant].hosts, '*') != NULL ? "agent" : "ssh");
	(void)snprintf(room[1], SIM_LINE, "%s_COMPOSE_DIR=/srv/app", of);
	(void)snprintf(room[2], SIM_LINE, "%s_HOST=%s", of, fleets[variant].hosts);
	(void)snprintf(room[3], SIM_LINE, "%s_WAVES=%s", of, fleets[variant].waves);
	(void)snprintf(room[4], SIM_LINE, "%s_FAILURES_MAX=%s", of, fleets[variant].failures);
	of = strcmp(of, "STAGING") == 0 ? "PRODUCTION" : "STAGING";
	(void)snprintf(room[5], SIM_LINE, "%s_DEPLOY_TRANSPORT=ssh", of);
	(void)snprintf(room[6], SIM_LINE, "%s_COMPOSE_DIR=/srv/app", of);
	(void)snprintf(room[7], SIM_LINE, "%s_HOST=h4", of);
	(void)snprintf(room[8], SIM_LINE, "REGISTRY_URL=registry.example.com");
	return 9;
}

/* --- which they are --- */

/* A bit for each host that a column of the rows names, behind so many bytes. */
static unsigned
read_hosts(struct sim *sim, struct db *db, const char *sql, struct db_value a, size_t skip)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	unsigned ret = 0;
	struct err err;

	sim_check_must(sim, db_query(&rows, db, &err, sql, a), &err);
	while (db_next(&rows))
		ret |= 1U << sim_fleet_host(db_col_text(&rows, 0) + skip, HOST_NAME);
	return ret;
}

static unsigned
enrolled(struct sim *sim, struct db *db)
{
	return read_hosts(sim, db,
	    "SELECT identity FROM peer WHERE identity LIKE '" PEER_AGENT "w%' AND revoked_at = $1",
	    DB_I64(0), sizeof(PEER_AGENT) - 1);
}

unsigned
sim_fleet_named(struct sim *sim, struct db *db, const struct settings *settings, int environment)
{
	const struct environment_settings *of =
	    settings_environment(settings, sim_environments[environment]);
	const char *list = of != NULL ? of->hosts : NULL;
	char part[SETTING_PART_MAX + 1];
	unsigned ret = 0;

	if (of != NULL && of->in_waves.is_pattern)
		return enrolled(sim, db);
	while (list != NULL && list[0] == sim_host_names[0][0] &&
	    setting_next(&list, part, sizeof(part)))
		ret |= 1U << sim_fleet_host(part, HOST_NAME);
	return ret;
}

static bool
is_pattern(const struct settings *settings, int environment)
{
	const struct environment_settings *of =
	    settings_environment(settings, sim_environments[environment]);

	return of != NULL && of->in_waves.is_pattern;
}

static unsigned
hosts_of_plan(const char *plan)
{
	unsigned ret = 0;

	while (*plan != '\0') {
		size_t size = strcspn(plan, " \n");

		ret |= 1U << sim_fleet_host(plan, size);
		plan += size + (plan[size] != '\0' ? 1 : 0);
	}
	return ret;
}

/* --- they come and go --- */

void
sim_fleet_enrol(void (*put)(void *ctx, const char *name, const char *key), void *ctx)
{
	char name[HOST_NAME + 1], key[LIMIT_DIGEST];

	for (int i = 0; i < SIM_HOSTS - 2; i++) { /* the others come later, or never */
		text_setf(name, "%.*s", HOST_NAME, sim_host_names[i]);
		sim_link_key(SIM_PEERS + i, 1, key);
		put(ctx, name, key);
	}
}

bool
sim_fleet_has_agents(const struct sim *sim)
{
	const struct settings *settings = sim_settings_get(sim->loaded);

	return is_pattern(settings, 0) || is_pattern(settings, 1);
}

void
sim_fleet_changes(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	int host = (int)sim_draw(sim, SIM_HOSTS);
	char name[HOST_NAME + 1], key[LIMIT_DIGEST] = "", identity[CRYPTO_CA_IDENTITY];
	bool is_there, is_known;

	if (sim->eyes == NULL || sim->is_resting)
		return;
	text_setf(name, "%.*s", HOST_NAME, sim_host_names[host]);
	is_there = (enrolled(sim, sim->eyes) >> host & 1) != 0;
	is_known = sim_agents_number(sim,
		       "SELECT COUNT(*) FROM peer WHERE identity = $1 AND made_at <> $2",
		       DB_TEXT(peer_identity(name, identity)), DB_I64(0)) > 0;
	if (!is_there)
		sim_link_key(SIM_PEERS + host, 2 + (int)sim->n_local, key);
	sim_trace(sim, "the agent %s is %s", name, is_there ? "revoked" : "enrolled");
	sim_agents_ask(sim, is_there ? "revoke" : is_known ? "move" : "enrol", name, key);
}

int
sim_fleet_lags(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT h.environment FROM host h JOIN environment e ON e.name = h.environment"
		" JOIN release r ON r.id = e.current_release WHERE h.left_at = 0"
		" AND (h.state = 'unknown' OR h.release <> r.commit_id) ORDER BY h.at DESC LIMIT 1"),
	    &err);
	return db_next(&rows) ? sim_environment(db_col_text(&rows, 0)) : SIM_FLEETS;
}

/* --- what is shown --- */

struct plan {
	int64_t work;
	int environment;
	unsigned hosts;
	bool is_asked; /* somebody is, now */
	bool is_own;   /* what is live comes to those hosts that do not run it */
};

/* Of those that the rows know: which do not run what is live. */
static unsigned
lagging(struct sim *sim, struct tx *tx, int environment)
{
	struct db_value name = DB_TEXT(sim_environments[environment]);

	return read_hosts(sim, tx->db, "SELECT name FROM host WHERE environment = $1", name, 0) &
	    ~read_hosts(sim, tx->db,
		"SELECT h.name FROM host h JOIN environment e ON e.name = h.environment"
		" JOIN release r ON r.id = e.current_release"
		" WHERE h.environment = $1 AND h.state <> 'unknown' AND h.release = r.commit_id",
		name, 0);
}

static void
look_at_shown(struct sim *sim, const struct plan *plan, unsigned now, unsigned behind)
{
	struct sim_work *work = &sim->works[plan->work];
	bool is_shown =
	    !work->has_plan || plan->hosts != work->shown || (plan->is_asked && !work->was_asked);
	unsigned all = now;

	now &= plan->is_own ? behind : now;
	if (is_shown && plan->hosts != now)
		sim_fail(sim, "it_is_shown_for_whom_it_is",
		    "deployment %" PRId64 " is for %x, and its hosts are %x%s", plan->work,
		    plan->hosts, now, plan->is_own ? ", as far as they lag" : "");
	if (is_shown) {
		work->has_plan = true;
		work->shown = plan->hosts;
		work->gone = work->revoked = 0;
	}
	work->was_asked = plan->is_asked;
	work->is_own = plan->is_own;
	work->gone |= work->shown & ~work->ordered & ~now;
	work->revoked |= work->shown & ~work->ordered & ~all;
}

/* What it waits for decides what is noted of those that are revoked meanwhile. */
static void
look_at_plans(struct sim *sim, struct tx *tx, const unsigned now[SIM_FLEETS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT p.work, w.environment, p.hosts, CASE WHEN w.state = 'AWAITING_CONFIRMATION'"
		" THEN 1 ELSE 0 END, CASE WHEN m.from_environment = w.environment THEN 1 ELSE 0 END"
		" FROM wave_plan p JOIN work w ON w.id = p.work"
		" LEFT JOIN promotion m ON m.work = w.id ORDER BY p.work"),
	    &err);
	while (db_next(&rows)) {
		const struct plan plan = { db_col_i64(&rows, 0),
			sim_environment(db_col_text(&rows, 1)),
			hosts_of_plan(db_col_text(&rows, 2)), db_col_i64(&rows, 3) != 0,
			db_col_i64(&rows, 4) != 0 };

		look_at_shown(sim, &plan, now[plan.environment],
		    plan.is_own ? lagging(sim, tx, plan.environment) : 0);
	}
}

/* --- whom it is released to --- */

static void
check_ordered(struct sim *sim, const struct db_rows *row, bool is_of_pattern, unsigned now)
{
	int64_t id = db_col_i64(row, 0);
	struct sim_work *work = &sim->works[id];
	unsigned bit = 1U << sim_fleet_host(db_col_text(row, 2), HOST_NAME);

	if ((now & bit) == 0)
		sim_fail(sim, "who_is_revoked_is_released_to_no_more",
		    "deployment %" PRId64 " to %s", id, db_col_text(row, 2));
	if (strcmp(db_col_text(row, 3), "deploy") != 0)
		return;
	if ((is_of_pattern || work->is_own) && (work->shown & bit) == 0)
		sim_fail(sim, "who_joins_waits_for_the_next_deployment",
		    "deployment %" PRId64 " to %s", id, db_col_text(row, 2));
	if (work->is_own && db_col_i64(row, 4) == 0)
		sim_fail(sim, "hosts_that_lag_get_what_is_live", "deployment %" PRId64, id);
	work->ordered |= bit;
	work->gone &= ~bit;
}

void
sim_fleet_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct settings *settings = tx->event->context.settings;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	unsigned now[SIM_FLEETS];
	struct err err;

	if (sim->is_many)
		return;
	for (int e = 0; e < SIM_FLEETS; e++)
		now[e] = sim_fleet_named(sim, tx->db, settings, e);
	look_at_plans(sim, tx, now);
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT r.deployment, h.environment, h.name, r.program, (SELECT COUNT(*)"
		" FROM promotion m JOIN environment e ON e.name = m.environment"
		" AND e.current_release = m.release WHERE m.work = r.deployment)"
		" FROM run r JOIN host h ON h.run = r.id WHERE r.id > $1",
		DB_I64(before->last_run)),
	    &err);
	while (db_next(&rows)) {
		int e = sim_environment(db_col_text(&rows, 1));

		check_ordered(sim, &rows, is_pattern(settings, e), now[e]);
	}
}

/* What is brought to hosts that lag is what is live, and is not built. */
void
sim_fleet_check_order(struct sim *sim, const struct effect_run *order)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	if (order->program != PROGRAM_DEPLOY || !sim->works[order->deployment].is_own)
		return;
	sim_note(sim, SIM_LAGGING_ORDERED);
	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT r.commit_id, r.image FROM environment e JOIN release r"
		" ON r.id = e.current_release WHERE e.name = $1",
		DB_TEXT(order->environment)),
	    &err);
	if (!db_next(&rows) || strcmp(order->commit, db_col_text(&rows, 0)) != 0 ||
	    strcmp(order->image, db_col_text(&rows, 1)) != 0 ||
	    order->is_promoted != (order->image[0] != '\0'))
		sim_fail(sim, "hosts_that_lag_get_what_is_live_unbuilt",
		    "run %" PRId64 " of %.7s%s", order->run, order->commit,
		    order->is_promoted ? "" : ", built");
}

/* --- at its end --- */

/* Who was skipped is named in its message. */
static void
check_named(struct sim *sim, const struct look_deployment *d, int host)
{
	char line[HOST_NAME + 16];
	int64_t n = 0;
	struct err err;

	text_setf(line, "\n%.*s: unknown", HOST_NAME, sim_host_names[host]);
	if (d->message == 0)
		return;
	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM message WHERE id = $1 AND instr(head || foot, $2) > 0",
		DB_I64(d->message), DB_TEXT(line)),
	    &err);
	if (n == 0)
		sim_fail(sim, "who_was_skipped_is_named", "deployment %" PRId64 ": %s", d->id,
		    sim_host_names[host]);
}

/* Whatever became of it, what is live there is what was. */
static void
check_live(struct sim *sim, const struct look_deployment *d)
{
	if (d->state >= DEPLOY_LIVE && d->started_at != 0 &&
	    sim_check_number(sim, sim->eyes,
		"SELECT COUNT(*) FROM promotion m JOIN release was ON was.id = m.release"
		" JOIN environment e ON e.name = m.environment"
		" JOIN release r ON r.id = e.current_release WHERE m.work = $1"
		" AND r.commit_id = was.commit_id AND r.image = was.image",
		d->id) == 0)
		sim_fail(sim, "hosts_that_lag_change_nothing_of_what_is_live",
		    "deployment %" PRId64, d->id);
}

bool
sim_fleet_rest_has_left(const struct sim *sim, int64_t deployment)
{
	const struct sim_work *work = &sim->works[deployment];

	return work->has_plan && (work->shown & ~work->ordered & ~work->gone) == 0;
}

void
sim_fleet_check_end(struct sim *sim, const struct look_deployment *d)
{
	const struct sim_work *work = &sim->works[d->id];
	unsigned left = work->shown & ~work->ordered;
	int environment = sim_environment(d->environment);

	if (work->is_own)
		check_live(sim, d);
	if (d->state != DEPLOY_LIVE || !work->has_plan)
		return;
	if ((left & ~work->gone) != 0)
		sim_fail(sim, "waves_are_for_all_who_were_shown",
		    "deployment %" PRId64 " not for %x", d->id, left & ~work->gone);
	if (!is_pattern(sim_settings_get(sim->loaded), environment))
		return;
	for (int i = 0; i < SIM_HOSTS; i++)
		if ((left & work->revoked) >> i & 1) {
			check_named(sim, d, i);
			sim_note(sim, SIM_AGENT_SKIPPED);
		}
	if ((enrolled(sim, sim->eyes) & ~work->shown) != 0 && !work->is_own)
		sim_note(sim, SIM_AGENT_JOINED);
}
