/* sim_two.c - a second server: who leads, whose machine has which run, and what holds of that.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_two.h"

#include <unistd.h>

#include "lib/file.h"
#include "runner/protocol.h"
#include "store/audit_verify.h"
#include "store/leader.h"
#include "store/leader_fence.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two_inside.h"
#include "tests/unit/database_aid.h"

#define TWO_IN	     3 /* one of so many histories */
#define LEASE_MOST   60000
#define AGAIN_MS     120000 /* until a run's own server leads again, at rest */
#define OVERTAKEN_IN 6
#define TROUBLE_IN   3 /* runs */
#define TROUBLE_MOST 6000000
#define HAND_OVER_IN 4
#define ABANDONS_MS  20000
#define ABANDONS     4 /* tries */

static sim_fn own_server_is_missed, trouble_comes, trouble_comes_again, somebody_abandons;

static const char *const names[SIM_PLACES] = { "", "server-a", "server-b" };

static struct {
	bool is;
	int leads, next;
	bool is_forced;		  /* the other one is to start ... */
	bool is_over;		  /* ... and was handed over to */
	int64_t epoch, batch, at; /* of the row, as it was seen last */
	struct db *db;		  /* for the lease; NULL: there is none */
	struct leader_fence fences[SIM_PLACES];
} two;

/* --- who is who --- */

bool
sim_two_is(void)
{
	return two.is;
}

int
sim_two_leads(void)
{
	return two.leads;
}

int
sim_two_next(void)
{
	return two.next;
}

void
sim_two_force(void)
{
	two.is_forced = true;
}

int
sim_two_other(void)
{
	return two.leads == SIM_SERVER_A ? SIM_SERVER_B : SIM_SERVER_A;
}

struct db *
sim_two_db(void)
{
	return two.db;
}

uint64_t
sim_two_epoch(void)
{
	return (uint64_t)two.epoch;
}

/* What the application without a name is released by is not a machine's alone. */
const char *
sim_two_line(int whose, bool is_of_one, size_t i)
{
	static const char *const lines[SIM_PLACES] = { NULL, "SERVER_NAME=server-a",
		"SERVER_NAME=server-b" };
	static const char *const of_both[] = {
		"DATABASE_URL=postgresql://bot@db.example.com/bot?sslmode=verify-full",
		"DEPLOY_SCRIPT=/bin/true",
	};

	if (whose == SIM_ALONE || i == 0)
		return lines[whose];
	return i <= COUNT(of_both) - !is_of_one ? of_both[i - 1] : NULL;
}

const char *
sim_two_runner(void)
{
	return two.is ? names[two.leads] : "local";
}

bool
sim_two_is_others(UNUSED void *ctx, const char *runner)
{
	return two.is && strcmp(runner, names[sim_two_other()]) == 0;
}

static int64_t
open_work_of(struct sim *sim, int whose)
{
	return sim_agents_number(sim,
	    "SELECT COALESCE(MAX(deployment), 0) FROM run WHERE ended_at = $2 AND runner = $1"
	    " AND is_abandoned = 0",
	    DB_TEXT(names[whose]), DB_I64(0));
}

/* --- a take-over --- */

void
sim_two_lead(struct sim *sim, int whose)
{
	struct leader leader = { .epoch = 0 };
	struct err err;
	bool leads = false;

	if (two.db == NULL) {
		two.epoch += two.is;
		return;
	}
	(void)text_copy(leader.holder, sizeof(leader.holder), names[whose]);
	(void)text_copy(leader.folder, sizeof(leader.folder), sim_files_folder(whose));
	sim_must(db_run(two.db, &err, "UPDATE leader SET renewed = renewed - $1",
		     DB_I64(LEADER_LEASE_MS + 500)) &&
		leader_take(two.db, false, &leader, &leads, &err),
	    err.text);
	if (!leads || leader.epoch <= two.epoch)
		sim_fail(sim, "epochs_only_grow", "%" PRId64 " behind %" PRId64, leader.epoch,
		    two.epoch);
	sim_trace(sim, "%s leads, epoch %" PRId64, names[whose], leader.epoch);
	two.epoch = leader.epoch;
	leader_fence_init(&two.fences[whose], &leader);
}

/* What goes on with its machine goes on; nobody here follows it. */
static void
note_what_goes_on(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].phase == SIM_ALIVE && !sim->processes[i].is_remote)
			sim_note(sim,
			    sim->processes[i].server == two.leads ? SIM_OWN_LED_AGAIN :
								    SIM_RUN_OF_OTHER);
}

static void
take_over(struct sim *sim, int whose)
{
	sim_disk_heals(sim); /* the other machine's */
	two.leads = whose;
	sim_settings_play(sim);
	sim->is_runner_away = false;
	sim_note(sim, SIM_TAKEN_OVER);
	note_what_goes_on(sim);
	if (sim_one_in(sim, 3))
		sim_later(
		    sim, 0, sim_delay(sim, 1000, ABANDONS_MS), somebody_abandons, ABANDONS, 0);
}

/* Another takes over before the first one of its transactions.  False: none does. */
static bool
is_overtaken(struct sim *sim)
{
	struct queue_list outcomes = { 0 };
	struct err err = { .code = ERR_NONE };

	if (two.db == NULL || sim->is_resting || !sim_one_in(sim, OVERTAKEN_IN))
		return false;
	sim_two_lead(sim, sim_two_other());
	if (store_recover(sim->store, sim_settings_get(sim->loaded), sim->now, &outcomes, &err) ||
	    err.code != ERR_CHANGED || outcomes.length > 0)
		sim_fail(sim, "who_is_deposed_recovers_nothing", "%s", names[two.leads]);
	sim_note(sim, SIM_OVERTAKEN);
	sim_trace(sim, "-- %s is deposed before it recovers", names[two.leads]);
	store_close(TAKE(sim->store));
	return true;
}

static bool
recover(struct sim *sim, struct queue_list *ret_outcomes)
{
	struct err err = { .code = ERR_NONE };
	bool ok, is_there;

	sim_two_decides(sim, false);
	ok = store_recover(sim->store, sim_settings_get(sim->loaded), sim->now, ret_outcomes, &err);
	is_there = sim_two_is_there(sim, ok, &err);
	if (!is_there && !sim_two_has_lost())
		sim_fail(sim, "a_start_recovers", "%s", err.text);
	return is_there;
}

void
sim_two_start(
    struct sim *sim, int whose, const struct store_config *base, struct queue_list *ret_outcomes)
{
	struct store_config config = *base;
	struct err err;

	sim_two_late_lets_start(whose);
	if (whose != two.leads)
		take_over(sim, whose);
	sim_two_lead(sim, whose);
	sim_two_late_tries_early(sim);
	config.path = sim_server_path();
	config.audit_path = sim_server_audit_path();
	config.environments_path = sim_server_environments_path();
	config.poison_path = sim_server_poison_path();
	config.fence = two.db != NULL ? &two.fences[whose] : NULL;
	sim_trace(sim, "-- the server%s%s starts, with settings %d", two.is ? " " : "",
	    names[whose], sim->loaded);
	do {
		store_close(sim->store); /* it could not be recovered: another start follows */
		sim->store = store_open(&config, &err);
		if (sim->store != NULL && is_overtaken(sim)) {
			sim_two_start(sim, sim_two_other(), base, ret_outcomes);
			return;
		}
		if (sim->store == NULL)
			sim_fail(sim, "a_start_recovers", "%s", err.text);
	} while (!recover(sim, ret_outcomes));
}

/* --- who leads is cut --- */

/* Of what is in hand for a chat nobody knows whether it stands there; the rest does not. */
static void
hand_over(struct sim *sim)
{
	int64_t unanswered[SIM_OPEN];
	struct err err;
	size_t n = 0;

	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL && sim->open[i].effect->kind == EFFECT_SEND_MESSAGE)
			unanswered[n++] = sim->open[i].effect->u.send_message.message.id;
	sim_note(sim, SIM_HANDED_OVER);
	sim_trace(sim, "... by a hand-over, with %zu in hand", n);
	if (!store_end(sim->store, unanswered, n, &err) ||
	    (two.db != NULL && !leader_give_up(two.db, two.epoch, &err)))
		sim_fail(sim, "who_leads_may_end_in_order", "%s", err.text);
}

void
sim_two_cut(struct sim *sim, bool is_host)
{
	bool is_deposed = sim_two_is_deposed();
	bool is_other =
	    is_deposed || two.is_forced || (two.is && !sim->is_resting && sim_one_in(sim, 2));

	two.next = is_other ? sim_two_other() : two.leads;
	two.is_forced = false;
	two.is_over = is_other && !is_host && !is_deposed && !sim_two_has_left() &&
	    sim_one_in(sim, HAND_OVER_IN);
	sim_two_late_begins(
	    sim, is_other && !is_host && !two.is_over && (is_deposed || sim_one_in(sim, 2)));
	if (two.is_over)
		hand_over(sim);
}

int64_t
sim_two_start_ms(struct sim *sim)
{
	int64_t ms = two.next == two.leads ? sim_delay(sim, 100, 600000) :
	    two.is_over			   ? sim_delay(sim, 1, 1000) :
					     LEADER_LEASE_MS + sim_delay(sim, 100, LEASE_MOST);

	sim_two_late_goes_on(sim, ms);
	return ms;
}

/* Whoever waits for a run of the other's: rows say that it is disconnected. */
static void
somebody_abandons(struct sim *sim, int64_t tries, UNUSED int64_t b)
{
	int64_t work = open_work_of(sim, sim_two_other());

	if (sim->is_resting || work == 0)
		return;
	sim_runner_abandon(sim, SIM_ADMIN, work);
	if (tries > 1)
		sim_later(sim, 0, sim_delay(sim, ABANDONS_MS, 3 * ABANDONS_MS), somebody_abandons,
		    tries - 1, 0);
}

static void
something_happens(struct sim *sim)
{
	if (!two.is || sim->store == NULL)
		return;
	if (sim_one_in(sim, 4)) {
		sim_note(sim, SIM_OTHER_LOST);
		sim_trace(sim, "-- %s's machine is killed", names[sim_two_other()]);
		sim_run_loses_machine(sim, sim_two_other());
	} else {
		two.is_forced = true;
		sim_server_cut(sim, sim_one_in(sim, 4));
	}
}

static void
trouble_comes(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	if (!sim->is_resting)
		something_happens(sim);
}

/* Now and then, whatever else happens. */
static void
trouble_comes_again(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	trouble_comes(sim, 0, 0);
	sim_later(sim, 0, sim_delay(sim, 60000, TROUBLE_MOST), trouble_comes_again, 0, 0);
}

void
sim_two_trouble_soon(struct sim *sim)
{
	if (two.is && !sim->is_resting && sim_one_in(sim, TROUBLE_IN))
		sim_later(sim, 0, sim_delay(sim, 1, 60000), trouble_comes, 0, 0);
}

/* Something waits for it, abandoned or not: its end is asked for. */
static bool
has_runs_of_other(const struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_RUN &&
		    sim_two_is_others(NULL, effect->u.run.runner))
			return true;
	}
	return false;
}

static void
own_server_is_missed(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	if (sim->store != NULL && has_runs_of_other(sim)) {
		two.is_forced = true;
		sim_server_cut(sim, false);
	}
	sim_later(sim, 0, AGAIN_MS, own_server_is_missed, 0, 0);
}

void
sim_two_rest(struct sim *sim)
{
	if (two.is)
		sim_later(sim, 0, AGAIN_MS, own_server_is_missed, 0, 0);
}

/* --- what holds --- */

/* A gate of a server that is dead or deposed never opens. */
bool
sim_two_counts(const struct sim_process *process)
{
	bool waits_in_vain = two.is && !process->is_remote && process->phase == SIM_AT_GATE &&
	    process->link != process->sim->life;

	return process->phase != SIM_ENDED && process->program != PROGRAM_DRAIN &&
	    !process->is_abandoned && !waits_in_vain;
}

static const struct sim_process *
process_of(const struct sim *sim, int64_t run)
{
	for (size_t i = sim->n_processes; i > 0; i--)
		if (sim->processes[i - 1].run == run && !sim->processes[i - 1].is_gone)
			return &sim->processes[i - 1];
	return NULL;
}

void
sim_two_check_gone(struct sim *sim, int64_t run)
{
	const struct sim_process *process = process_of(sim, run);

	sim_trace(sim, "run %" PRId64 " has no folder", run);
	if (two.is && process != NULL)
		sim_fail(sim, "a_run_is_with_its_own_machine", "run %" PRId64 " is %s's", run,
		    names[process->server]);
}

/* Its runner was not asked: it was never let go, and will not be. */
void
sim_two_check_end(struct sim *sim, int64_t run, const struct run_ended *ended)
{
	const struct sim_process *process = process_of(sim, run);

	if (ended->folder_gone || ended->gate_opened || (process != NULL && process->was_opened) ||
	    sim_agents_number(sim, "SELECT COUNT(*) FROM run WHERE id = $1 AND started_at <> $2",
		DB_I64(run), DB_I64(0)) != 0)
		sim_fail(sim, "what_was_let_go_is_its_own_runner_s", "run %" PRId64, run);
	sim_note(sim, SIM_RUN_LEFT);
}

void
sim_two_check_epoch(struct sim *sim, const struct protocol_message *order)
{
	if (order->proof.epoch != (uint64_t)two.epoch)
		sim_fail(sim, "an_order_says_who_leads", "%s of %" PRIu64 " of epoch %" PRIu64,
		    protocol_kind_name(order->kind), order->id, order->proof.epoch);
}

static void
one_gate_is_open(struct sim *sim)
{
	int64_t open[SIM_ENVIRONMENTS] = { 0 };

	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];

		if (process->phase != SIM_ALIVE || !sim_two_counts(process))
			continue;
		if (open[process->environment] != 0)
			sim_fail(sim, __func__, "runs %" PRId64 " and %" PRId64 " in %s",
			    open[process->environment], process->run,
			    sim_environments[process->environment]);
		open[process->environment] = process->run;
	}
}

static void
its_epoch_s_batches_count_on(struct sim *sim)
{
	struct leader leader;
	struct err err;

	sim_check_must(sim, leader_read(two.db, &leader, &err), &err);
	if (leader.epoch != two.epoch || leader.batch < two.batch || leader.at < two.at ||
	    strcmp(leader.holder, names[sim_two_is_deposed() ? sim_two_other() : two.leads]) != 0)
		sim_fail(sim, __func__,
		    "epoch %" PRId64 " of %s, batch %" PRId64 " behind %" PRId64, leader.epoch,
		    leader.holder, leader.batch, two.batch);
	two.batch = leader.batch;
	two.at = leader.at;
}

void
sim_two_check(struct sim *sim)
{
	if (!two.is)
		return;
	one_gate_is_open(sim);
	if (two.db != NULL)
		its_epoch_s_batches_count_on(sim);
}

/* Its server was killed while it wrote, and ends the line when it leads again. */
static void
leave_whole_lines(const char *audit)
{
	size_t size = 0;
	char *text = file_read(audit, 1 << 26, &size, NULL);

	sim_must(text != NULL, audit);
	while (size > 0 && text[size - 1] != '\n')
		size--;
	free(text);
	sim_must(truncate(audit, (off_t)size) == 0, audit);
}

/* Each file agrees with the rows, as far as it goes. */
void
sim_two_check_rest(struct sim *sim)
{
	const char *audit = sim_files_audit_of(sim_two_other());
	struct audit_verified verified;
	struct err err;

	if (!two.is || access(audit, F_OK) != 0)
		return;
	leave_whole_lines(audit);
	if (!audit_verify(sim_server_path(), audit, &verified, &err))
		sim_fail(sim, "the_other_server_s_audit_verifies", "%s", err.text);
}

/* --- beginning and end --- */

void
sim_two_new(struct sim *sim)
{
	memset(&two, 0, sizeof(two));
	two.is = (sim->seed * UINT64_C(0x9e3779b97f4a7c15) >> 40) % TWO_IN == 0 ||
	    getenv("TWO") != NULL; /* the others are drawn as ever */
	two.leads = two.next = two.is ? SIM_SERVER_A : SIM_ALONE;
	if (two.is)
		sim_note(sim, SIM_TWO_SERVERS);
}

void
sim_two_begin(struct sim *sim)
{
	struct err err;

	if (two.is)
		trouble_comes_again(sim, 0, 0);
	if (!two.is || !database_aid_is_server())
		return;
	two.db = db_open(sim_server_path(), 0, &err);
	sim_must(two.db != NULL && leader_make(two.db, &err), err.text);
}

void
sim_two_free(void)
{
	struct err err;

	sim_two_late_lets_start(SIM_ALONE);
	if (two.db == NULL)
		return;
	sim_must(db_script(two.db, "DROP TABLE leader; DROP TABLE server;", &err), err.text);
	db_close(TAKE(two.db));
}
