/* sim_waves.c - hosts of a release in waves: what each runs, says and is said to run.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The two environments of the application without a name have hosts, which stay whatever the
 * settings name.  A run that is for some of them does what deploy/transports/ssh/waves.sh does; one
 * for all changes those that the settings name, or all where they name none.
 */
#include "lib/setting.h"
#include "tests/faults/look.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"
#include "types/settings.h"
#include "types/waves.h"

#define STATUS_FAILED	   70
#define STATUS_UNREACHABLE 69
#define RARELY		   9

static sim_fn server_is_killed, the_rest_is_wanted;

/* --- who is who --- */

/* As the server has read them; all where they name none. */
static unsigned
find_named(struct sim *sim, int environment)
{
	unsigned named =
	    sim_fleet_named(sim, sim->eyes, sim_settings_get(sim->loaded), environment);

	return named != 0 ? named : (1U << SIM_HOSTS) - 1;
}

static struct sim_process *
alive(struct sim *sim, int64_t run)
{
	for (size_t i = sim->n_processes; run != 0 && i > 0; i--)
		if (sim->processes[i - 1].run == run && sim->processes[i - 1].phase == SIM_ALIVE &&
		    !sim->processes[i - 1].is_abandoned)
			return &sim->processes[i - 1];
	return NULL;
}

/* --- an order --- */

/* group: of a rollback what it goes back to, of a deployment what runs there. */
static void
read_line(struct sim *sim, struct sim_process *process, const char *line, const char *group)
{
	struct sim_wave_host *of = &process->wave.of[process->wave.n++];
	const struct sim_host *host;

	assert(process->wave.n <= SIM_HOSTS);
	of->host = sim_fleet_host(line, strcspn(line, "\n"));
	host = &sim->hosts[process->environment][of->host];
	(void)text_copy(of->to, sizeof(of->to),
	    process->program == PROGRAM_ROLLBACK && !process->wave.is_of_person ? group :
										  process->commit);
	if (process->program != PROGRAM_DEPLOY || group[0] == '\0')
		return;
	sim_note(sim, SIM_WAVE_EXPECTED);
	if (strcmp(group, host->runs) != 0)
		sim_fail(sim, "an_order_says_what_a_host_runs",
		    "run %" PRId64 ": %.7s on %s, not %.7s", process->run, host->runs,
		    sim_host_names[of->host], group);
}

/* A run whose folder is gone may have begun with each of its hosts. */
static bool
may_be_touched(const struct sim *sim, int64_t deployment, int host)
{
	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];

		if (process->deployment != deployment || !process->is_gone)
			continue;
		for (int j = 0; j < process->wave.n; j++)
			if (process->wave.of[j].host == host)
				return true;
	}
	return false;
}

static void
check_order(struct sim *sim, const struct sim_process *process)
{
	const struct sim_wave *wave = &process->wave;
	int n_again = 0;

	for (int i = 0; i < wave->n; i++) {
		const struct sim_host *host = &sim->hosts[process->environment][wave->of[i].host];

		n_again += host->released_by == process->deployment;
		if (process->program == PROGRAM_DEPLOY || wave->is_of_person)
			continue;
		if (host->touched_by != process->deployment &&
		    may_be_touched(sim, process->deployment, wave->of[i].host))
			continue;
		if (host->touched_by != process->deployment)
			sim_fail(sim, "only_touched_hosts_are_rolled_back", "run %" PRId64 " to %s",
			    process->run, sim_host_names[wave->of[i].host]);
		if (host->is_sure && strcmp(host->before, wave->of[i].to) != 0)
			sim_fail(sim, "each_host_goes_back_to_what_it_ran",
			    "run %" PRId64 " brings %.7s to %s, which ran %.7s", process->run,
			    wave->of[i].to, sim_host_names[wave->of[i].host], host->before);
	}
	/* Its run was cut behind the last of them: what follows all of them is yet to be done. */
	if (process->program == PROGRAM_DEPLOY && n_again > 0 && n_again < wave->n)
		sim_fail(sim, "no_host_is_released_to_twice", "run %" PRId64, process->run);
}

void
sim_waves_order(struct sim *sim, struct sim_process *process, const struct effect_run *order)
{
	struct sim_wave *wave = &process->wave;
	char group[LIMIT_COMMIT] = "";

	if (order->hosts == NULL || order->program == PROGRAM_DRAIN)
		return;
	sim->has_waves = wave->is_set = true;
	wave->most = order->failures_max;
	wave->is_of_person = order->program == PROGRAM_ROLLBACK && order->hosts[0] != '=';
	/* NOLINTNEXTLINE(cert-err34-c): of our own writing; of a rollback it is "" */
	(void)sscanf(order->wave, "%d/%d", &wave->number, &wave->waves);
	if (order->program == PROGRAM_DEPLOY)
		sim->waves_of[process->deployment] = wave->waves;
	for (const char *line = order->hosts, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert(end != NULL);
		if (line[0] != '=')
			read_line(sim, process, line, group);
		else if (strncmp(line, "= none", 6) == 0)
			group[0] = '\0';
		else
			(void)snprintf(
			    group, sizeof(group), "%.*s", (int)strcspn(line + 2, "@\n"), line + 2);
	}
	sim_trace(sim, "run %" PRId64 " is wave %s for %d hosts", process->run,
	    order->wave[0] != '\0' ? order->wave : "back", wave->n);
	check_order(sim, process);
	if (wave->number > 0 && sim->wave_cut[process->deployment] == wave->number)
		sim_note(sim, SIM_WAVE_RESUMED);
	if (process->program == PROGRAM_ROLLBACK && !wave->is_of_person && wave->n > 0)
		sim_note(sim, SIM_WAVE_BACK);
}

bool
sim_waves_is_last(const struct sim_process *process)
{
	return !process->wave.is_set || process->program == PROGRAM_ROLLBACK ||
	    process->wave.number == process->wave.waves;
}

/* --- its script --- */

static void
say(struct sim_process *process, int i, enum host_word word)
{
	struct sim_wave *wave = &process->wave;

	assert(wave->n_said < (int)COUNT(wave->said));
	wave->said[wave->n_said++] = (struct sim_host_said){ wave->of[i].host, word };
}

/* What its row says before that is what it went back to, if that is known. */
static bool
is_known(struct sim *sim, int environment, int host)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM host WHERE environment = $1 AND name = $2"
		" AND state IN ('current', 'failed')",
		DB_TEXT(sim_environments[environment]), DB_TEXT(sim_host_names[host])),
	    &err);
	return n > 0;
}

static void
begin(struct sim *sim, struct sim_process *process, int i)
{
	struct sim_wave_host *of = &process->wave.of[i];
	struct sim_host *host = &sim->hosts[process->environment][of->host];
	struct sim_process *other = alive(sim, host->run);

	if (other != NULL && other != process)
		sim_fail(sim, "no_host_is_touched_by_two_runs_at_once",
		    "runs %" PRId64 " and %" PRId64 " on %s", other->run, process->run,
		    sim_host_names[of->host]);
	if (process->wave.n_said == 0)
		process->wave.is_file_gone = !sim->is_resting && sim_one_in(sim, 30);
	say(process, i, HOST_BEGAN);
	of->is = SIM_HOST_BEGUN;
	host->run = process->run;
	(void)text_copy(of->had, sizeof(of->had), host->runs);
	if (host->touched_by != process->deployment) {
		host->touched_by = process->deployment;
		host->is_sure = is_known(sim, process->environment, of->host);
		(void)text_copy(host->before, sizeof(host->before), host->runs);
	}
	if (sim_one_in(sim, 2)) /* where it ends in the middle */
		(void)text_copy(host->runs, sizeof(host->runs), of->to);
}

static void
runs(struct sim_host *host, const char *commit)
{
	(void)text_copy(host->runs, sizeof(host->runs), commit);
}

static void
finish(struct sim *sim, struct sim_process *process, int i)
{
	struct sim_wave_host *of = &process->wave.of[i];
	struct sim_host *host = &sim->hosts[process->environment][of->host];
	bool is_rollback = process->program == PROGRAM_ROLLBACK;
	bool is_back = is_rollback && !process->wave.is_of_person;
	bool may_fail = process->wave.failed < process->wave.most;
	bool is_failed = sim_one_in(sim, may_fail ? 4 : RARELY);
	enum host_word word = !is_failed ? HOST_OK :
	    sim_one_in(sim, 3)		 ? HOST_UNKNOWN :
					   HOST_FAILED;

	of->is = SIM_HOST_DONE;
	host->run = 0;
	if (process->has_supervisor)
		say(process, i, word);
	process->wave.failed += word != HOST_OK;
	process->wave.is_refused |= is_rollback && word == HOST_FAILED && of->to[0] != '\0';
	if (word == HOST_OK)
		runs(host, of->to);
	else if (word == HOST_FAILED && !is_back)
		runs(host, of->had); /* it has put itself back */
	if (word == HOST_OK && !is_back && process->has_supervisor && !process->wave.is_file_gone) {
		host->released_by = process->deployment;
		sim_note(sim, SIM_WAVE_HOST);
	}
	if (word == HOST_UNKNOWN)
		sim_note(sim, SIM_WAVE_HOST_UNKNOWN);
}

/* In the preflight, or the pull: nothing of it has changed.  Nor does that change which is to be
 * ended as nothing ran there before, where something has. */
static bool
fails_before(struct sim *sim, struct sim_process *process, int i)
{
	struct sim_wave_host *of = &process->wave.of[i];
	struct sim_host *host = &sim->hosts[process->environment][of->host];
	bool stays =
	    process->program == PROGRAM_ROLLBACK && of->to[0] == '\0' && host->before[0] != '\0';

	if (!stays && (sim->is_resting || !sim_one_in(sim, 2 * RARELY)))
		return false;
	host->is_sure = is_known(sim, process->environment, of->host);
	say(process, i, HOST_FAILED);
	of->is = SIM_HOST_DONE;
	process->wave.failed++;
	return true;
}

/* In the middle of a wave, or behind it. */
static void
something_happens(struct sim *sim)
{
	if (sim->is_resting || !sim_one_in(sim, 12))
		return;
	if (!sim_one_in(sim, 3)) {
		sim_waves_somebody_turns(sim);
	} else if (sim->store != NULL && sim_one_in(sim, 2)) {
		sim_note(sim, SIM_WAVE_CUT_INSIDE);
		sim_server_cut(sim, false);
	} else {
		sim_run_supervisor_is_killed(sim);
	}
}

static int
status_of(struct sim *sim, struct sim_process *process)
{
	const struct sim_wave *wave = &process->wave;
	bool is_back = process->program == PROGRAM_ROLLBACK;

	if (is_back && wave->failed == wave->n)
		return STATUS_UNREACHABLE;
	if (is_back ? wave->is_refused : wave->failed > wave->most) {
		if (!is_back)
			sim_note(sim, SIM_WAVE_TOO_MANY);
		return STATUS_FAILED;
	}
	if (!sim->is_resting && sim_one_in(sim, 8)) /* about when the next one begins */
		sim_later(sim, sim->life, sim_delay(sim, 1, 4000), server_is_killed, 0, 0);
	if (sim_waves_is_last(process) && wave->failed < wave->n) /* a host of it has it */
		(void)text_copy(
		    sim->targets[process->environment].runs, LIMIT_COMMIT, process->commit);
	return 0;
}

/* Begins one or ends one; a status, or -1: it goes on. */
int
sim_waves_advance(struct sim *sim, struct sim_process *process)
{
	struct sim_wave *wave = &process->wave;
	bool may_begin = process->has_supervisor &&
	    (process->program == PROGRAM_ROLLBACK || wave->failed <= wave->most);
	int at = 0, open = -1;

	for (int i = wave->n; i-- > 0;)
		if (wave->of[i].is == SIM_HOST_BEGUN && (open < 0 || sim_one_in(sim, 2)))
			open = i;
	while (at < wave->n && wave->of[at].is != SIM_HOST_WAITS)
		at++;
	if (at < wave->n && may_begin && (open < 0 || sim_one_in(sim, 2))) {
		if (!fails_before(sim, process, at))
			begin(sim, process, at);
	} else if (open >= 0) {
		finish(sim, process, open);
	} else {
		return status_of(sim, process);
	}
	something_happens(sim);
	return -1;
}

/* One for all of them. */
void
sim_waves_all_run(struct sim *sim, const struct sim_process *process, const char *commit)
{
	unsigned named;

	if (process->environment >= SIM_FLEETS || commit[0] == '\0')
		return;
	named = find_named(sim, process->environment);
	for (int i = 0; i < SIM_HOSTS; i++)
		if ((named >> i & 1) != 0)
			runs(&sim->hosts[process->environment][i], commit);
}

/* --- what is told of it --- */

void
sim_waves_tell(struct sim *sim, struct sim_process *process)
{
	struct sim_wave *wave = &process->wave;
	struct event *event;
	struct hosts_said *said;
	bool is_gone = wave->is_file_gone && process->phase == SIM_ENDED;

	if (!wave->is_set || (wave->is_file_gone && !is_gone) ||
	    (wave->n_told == wave->n_said && !is_gone))
		return;
	event = sim_server_event(sim, EVENT_HOSTS_SAID);
	said = &event->u.hosts_said;
	*said = (struct hosts_said){ .run = process->run, .is_gone = is_gone };
	said->list = calloc(HOSTS_SAID_MAX, sizeof(*said->list));
	assert(said->list != NULL);
	for (; !is_gone && wave->n_told < wave->n_said; wave->n_told++) {
		struct host_result *one = &said->list[said->n++];

		(void)text_copy(
		    one->host, sizeof(one->host), sim_host_names[wave->said[wave->n_told].host]);
		one->word = wave->said[wave->n_told].word;
	}
	sim_server_submit(sim, event);
}

static const char *const words_of[] = { [HOST_BEGAN] = "began",
	[HOST_OK] = "ok",
	[HOST_FAILED] = "failed",
	[HOST_UNKNOWN] = "failed unknown: it is silent" };

size_t
sim_waves_results(const struct sim_process *process, char ret[SIM_RESULTS])
{
	const struct sim_wave *wave = &process->wave;
	int n = 0;

	if (!wave->is_set || wave->is_file_gone)
		return 0;
	n += snprintf(ret, SIM_RESULTS, "hosts\n");
	for (int i = 0; i < wave->n_said; i++)
		n += snprintf(ret + n, SIM_RESULTS - (size_t)n, "%s %s\n",
		    sim_host_names[wave->said[i].host], words_of[wave->said[i].word]);
	assert(n < SIM_RESULTS);
	return (size_t)n;
}

/* --- it is cut --- */

void
sim_waves_ended(struct sim *sim, const struct sim_process *process)
{
	const struct run_ended *record = &process->record;

	if (!process->wave.is_set || process->program != PROGRAM_DEPLOY)
		return;
	sim->has_passed[process->deployment] = false;
	sim->has_word_of_wave[process->deployment] =
	    record->gate_opened && !record->lost && record->exit_status == 0;
	if (record->lost)
		sim_note(sim, SIM_WAVE_LOST);
	else if (record->ended_on_request)
		sim_note(sim, SIM_WAVE_STOPPED);
	if (record->lost || record->ended_on_request)
		sim->wave_cut[process->deployment] = process->wave.number;
}

void
sim_waves_cut(struct sim *sim)
{
	if (sim->has_waves &&
	    sim_check_number(sim, sim->eyes,
		"SELECT COUNT(*) FROM work w JOIN run r ON r.id = w.run"
		" WHERE w.waves > $1 AND w.ended_at = 0 AND w.state IN ('BAKING', 'PAUSED',"
		" 'RUNNING') AND (r.ended_at <> 0 OR (r.pid = 0 AND w.wave > 1))",
		0) > 0)
		sim_note(sim, SIM_WAVE_CUT_BETWEEN);
}

static void
server_is_killed(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	sim_server_cut(sim, false);
}

/* --- people, while there are waves --- */

static void
type_deploy(struct sim *sim, int environment, const char *which)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/deploy %.40s%s", sim_environments[environment], which);
	sim_chat_type(sim, SIM_ADMIN, text);
	sim_later(sim, 0, 15000, sim_chat_question_is_answered, SIM_ADMIN, 0);
	sim_later(sim, 0, 45000, sim_chat_question_is_answered, SIM_ADMIN, 0);
	if (sim_fleet_has_agents(sim))
		sim_later(sim, 0, sim_draw(sim, 15000), sim_fleet_changes, 0, 0);
}

static void
somebody_deploys(struct sim *sim)
{
	const char *of = sim_fleet_of(sim->loaded);
	bool is_other = of != NULL && strcmp(of, "PRODUCTION") == 0;
	int environment = sim_one_in(sim, 4) != is_other;

	type_deploy(sim, environment, "");
}

/* What is live comes to the hosts that do not run it. */
static void
the_rest_is_wanted(struct sim *sim, int64_t environment, UNUSED int64_t b)
{
	if (sim->store == NULL || sim->is_resting)
		return;
	type_deploy(sim, (int)environment, " failed");
}

/* Nothing is in hand in waves. */
static void
somebody_begins(struct sim *sim)
{
	int lag = sim_fleet_lags(sim);

	if (lag < SIM_FLEETS && !sim_one_in(sim, 3))
		the_rest_is_wanted(sim, lag, 0);
	else
		somebody_deploys(sim);
}

void
sim_waves_somebody_turns(struct sim *sim)
{
	static const char *const words[] = { "pause", "pause", "resume", "resume", "cancel",
		"rollback", "hosts" };
	static const char *const labels[] = { "▶️ Go on", "🖐 Leave it", "⏸ Pause" };
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;
	char text[64];

	if (sim->eyes == NULL)
		return;
	if (sim_fleet_has_agents(sim) && sim_one_in(sim, 5)) {
		sim_fleet_changes(sim, 0, 0);
		return;
	}
	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT environment FROM work WHERE waves > 0 AND ended_at = 0"
		" ORDER BY id DESC LIMIT 1"),
	    &err);
	if (!db_next(&rows)) {
		somebody_begins(sim);
		return;
	}
	if (sim_one_in(sim, 3)) {
		(void)sim_chat_press(sim, SIM_ADMIN, labels[sim_draw(sim, COUNT(labels))]);
		return;
	}
	(void)snprintf(text, sizeof(text), "/%s %.40s", words[sim_draw(sim, COUNT(words))],
	    db_col_text(&rows, 0));
	sim_chat_type(sim, sim_one_in(sim, 8) ? SIM_STAGING : SIM_ADMIN, text);
}

/* --- who asks a host --- */

/* Somebody's request comes to any that runs something; NULL: all of them are one. */
const char *
sim_waves_answer(struct sim *sim, int environment)
{
	const struct environment_settings *of =
	    settings_environment(sim_settings_get(sim->loaded), sim_environments[environment]);
	const char *answer = NULL;
	unsigned named;

	if (environment >= SIM_FLEETS || of == NULL || !of->in_waves.is_set)
		return NULL;
	named = find_named(sim, environment);
	for (int i = 0, n = 0; i < SIM_HOSTS; i++)
		if ((named >> i & 1) != 0 && sim->hosts[environment][i].runs[0] != '\0' &&
		    sim_draw(sim, (uint32_t)++n) == 0)
			answer = sim->hosts[environment][i].runs;
	return answer;
}

/* --- what holds --- */

struct row {
	int host;
	char state[16], release[LIMIT_COMMIT];
};

static size_t
read_rows(struct sim *sim, int environment, struct row ret[SIM_HOSTS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT name, state, release FROM host WHERE environment = $1",
		DB_TEXT(sim_environments[environment])),
	    &err);
	while (db_next(&rows)) {
		struct row *row = &ret[n++];
		const char *name = db_col_text(&rows, 0);

		row->host = sim_fleet_host(name, strlen(name));
		(void)text_copy(row->state, sizeof(row->state), db_col_text(&rows, 1));
		(void)text_copy(row->release, sizeof(row->release), db_col_text(&rows, 2));
	}
	return n;
}

/* A row of what nobody is at work on says what its host runs, or that it is not known. */
static void
check_row(struct sim *sim, int environment, const struct row *row, bool is_paused)
{
	const struct sim_host *host = &sim->hosts[environment][row->host];

	/* Where a first release had failed nobody knows what runs: such a row says nothing yet. */
	/* Nor does one that was not known before it failed. */
	if (strcmp(row->state, "unknown") == 0 || row->release[0] == '\0' ||
	    (strcmp(row->state, "failed") == 0 && !host->is_sure))
		return;
	if (strcmp(row->state, "touched") == 0) {
		if (!is_paused)
			sim_fail(sim, "what_is_touched_is_waited_for", "%s of %s",
			    sim_host_names[row->host], sim_environments[environment]);
		return;
	}
	if (strcmp(row->release, host->runs) != 0)
		sim_fail(sim, "a_host_s_row_says_what_it_runs",
		    "%s of %s is %s with %.7s, and runs %.7s", sim_host_names[row->host],
		    sim_environments[environment], row->state, row->release, host->runs);
	sim_note(sim, SIM_WAVE_ROW_HELD);
}

bool
sim_waves_has_rows(struct sim *sim, int environment)
{
	return environment < SIM_FLEETS &&
	    sim_check_number(sim, sim->eyes,
		environment == 0 ?
		    "SELECT COUNT(*) FROM host WHERE environment = 'staging' AND $1 = 0" :
		    "SELECT COUNT(*) FROM host WHERE environment = 'production' AND $1 = 0",
		0) > 0;
}

/* It says that it waits for a person. */
static void
check_paused(struct sim *sim, const struct look_deployment *d)
{
	sim_note(sim, SIM_WAVE_PAUSED);
	if (d->message != 0 &&
	    sim_check_number(sim, sim->eyes,
		"SELECT COUNT(*) FROM work w JOIN message m ON m.id = w.message"
		" WHERE w.id = $1 AND m.head LIKE '%Paused: %'",
		d->id) == 0)
		sim_fail(sim, "what_is_paused_says_so", "deployment %" PRId64, d->id);
}

void
sim_waves_check(struct sim *sim, int environment, const struct look_deployment *active)
{
	struct row rows[SIM_HOSTS];
	bool is_paused =
	    active != NULL && (active->state == DEPLOY_PAUSED || active->state == DEPLOY_BAKING);
	size_t n;

	if (environment >= SIM_FLEETS || (active != NULL && !is_paused) ||
	    (active != NULL && sim->waves_of[active->id] == 0)) /* one for all says so at its end */
		return;
	n = read_rows(sim, environment, rows);
	for (size_t i = 0; i < n; i++)
		check_row(sim, environment, &rows[i], is_paused);
	if (active != NULL && active->state == DEPLOY_PAUSED)
		check_paused(sim, active);
}

/* It is rolled back: whatever it has touched runs what it ran, or is not known. */
void
sim_waves_check_end(struct sim *sim, const struct look_deployment *d)
{
	int environment = sim_environment(d->environment);
	struct row rows[SIM_HOSTS];
	size_t n, n_bad = 0;

	if (sim->waves_of[d->id] == 0)
		return;
	n = read_rows(sim, environment, rows);
	for (size_t i = 0; i < n; i++) {
		const struct sim_host *host = &sim->hosts[environment][rows[i].host];
		bool is_known = strcmp(rows[i].state, "unknown") != 0;

		n_bad += strcmp(rows[i].state, "current") != 0;
		if (d->state == DEPLOY_ROLLED_BACK && is_known && host->is_sure &&
		    host->touched_by == d->id && strcmp(host->before, host->runs) != 0)
			sim_fail(sim, "what_was_touched_went_back", "%s of %s",
			    sim_host_names[rows[i].host], d->environment);
	}
	if (d->state == DEPLOY_LIVE && n_bad > 0) {
		sim_note(sim, SIM_WAVE_LIVE_WITHOUT);
		sim_later(sim, 0, 20000 + sim_draw(sim, 40000), the_rest_is_wanted, environment, 0);
	}
	if (d->state == DEPLOY_FAILED && n > 0)
		sim_note(sim, SIM_WAVE_LEFT);
}

/* Whoever looked has put right what was not known. */
void
sim_waves_looked(struct sim *sim, int environment, const char *commit)
{
	struct row rows[SIM_HOSTS];
	bool is_known[SIM_HOSTS] = { false };
	size_t n;

	if (environment >= SIM_FLEETS)
		return;
	n = read_rows(sim, environment, rows);
	for (size_t i = 0; i < n; i++)
		is_known[rows[i].host] = strcmp(rows[i].state, "unknown") != 0;
	for (int i = 0; i < SIM_HOSTS; i++)
		if (!is_known[i])
			runs(&sim->hosts[environment][i], commit);
}
