/* invariants.c - one function for each invariant that rows and files can show.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/faults/invariants.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/environment_id.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "tests/unit/ids_aid.h"

#define MESSAGE_DAYS 29 /* after an end; 30 by a clock that may have been set back since */

static void
tell(const struct invariants *of, const char *invariant, const char *fmt, ...) PRINTF(3, 4);

static void
tell(const struct invariants *of, const char *invariant, const char *fmt, ...)
{
	char evidence[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(evidence, sizeof(evidence), fmt, args);
	va_end(args);
	of->broken(of->ctx, invariant, evidence);
}

static void
must(const struct invariants *of, bool ok, const struct err *err)
{
	if (!ok)
		tell(of, "the_oracle_can_look", "%s", err->text);
}

int64_t
invariants_number_sql(const struct invariants *of, const struct db_sql *sql)
{
	struct err err;
	int64_t n = 0;

	must(of, db_one_i64_sql(&n, of->db, &err, sql), &err);
	return n;
}

static void
none(const struct invariants *of, const char *invariant, const char *what, int64_t id)
{
	if (id != 0)
		tell(of, invariant, "%s %" PRId64, what, id);
}

/* The statement finds the number of one that breaks it, or 0. */
#define NONE(of, what, ...) none(of, __func__, what, invariants_number(of, __VA_ARGS__))

/* --- after any commit --- */

/* I3, I5: the busy flag is the deployment. */
static void
one_deployment_is_active(const struct invariants *of)
{
	for (size_t i = 0; i < of->look->n; i++) {
		const struct look_deployment *d = &of->look->deployments[i];

		if (d->class == DEPLOY_CLASS_ACTIVE && !d->is_beside &&
		    look_active(of->look, d->environment) != d)
			tell(of, __func__, "two in %s", d->environment);
	}
}

/* Of an action at Cloudflare: a call, or the timer of its zone, or the one that begins it. */
static bool
waits_for_cloudflare(const struct invariants *of, const struct look_deployment *d)
{
	return d->is_action && d->state == DEPLOY_RUNNING &&
	    invariants_number(of,
		"SELECT COUNT(*) FROM work w JOIN work_action x ON x.work = w.id WHERE w.id = $1 AND x.executor = 'cloudflare'"
		" AND EXISTS (SELECT 1 FROM effect e WHERE e.subject = w.id OR e.id IN"
		"  (SELECT z.effect FROM cloudflare_zone z WHERE z.work = w.id UNION"
		"   SELECT z.timer FROM cloudflare_zone z WHERE z.work = w.id))",
		DB_I64(d->id)) == 1;
}

/* Of an open gate: the timer that its job's silence ends it by, or its run's that is cancelled. */
static bool
waits_for_its_job(const struct invariants *of, const struct look_deployment *d)
{
	return d->is_action && d->class == DEPLOY_CLASS_ACTIVE &&
	    invariants_number(of,
		"SELECT COUNT(*) FROM work_job j JOIN effect e ON e.id = j.timer WHERE j.work = $1",
		DB_I64(d->id)) == 1;
}

/* Of a run at a forge: one question, whose answer ends it or asks the next one. */
static bool
waits_for_its_forge(const struct invariants *of, const struct look_deployment *d)
{
	return d->is_beside && d->class == DEPLOY_CLASS_ACTIVE &&
	    invariants_number(of,
		"SELECT COUNT(*) FROM effect WHERE subject = $1"
		" AND kind IN ('forge_start', 'forge_stop', 'forge_look')",
		DB_I64(d->id)) == 1;
}

/* Of a loan: Vault makes it, or the one timer that has it asked for once more or ends it. */
static bool
waits_for_vault(const struct invariants *of, const struct look_deployment *d)
{
	return d->is_beside && d->class == DEPLOY_CLASS_ACTIVE &&
	    look_effects(of->look, EFFECT_VAULT_LEND, d->id) +
		invariants_number(of,
		    "SELECT COUNT(*) FROM loan l JOIN effect e ON e.id = l.timer WHERE l.work = $1",
		    DB_I64(d->id)) ==
	    1;
}

/* Without what goes on behind one that has ended: its drain, and a run that was abandoned. */
static int64_t
runs_of(const struct invariants *of, const struct look_deployment *d)
{
	int64_t runs = look_effects(of->look, EFFECT_RUN, d->id);

	return runs == 0 || d->class != DEPLOY_CLASS_FINAL ? runs :
							     runs -
		invariants_number(of,
		    "SELECT COUNT(*) FROM run WHERE deployment = $1"
		    " AND ((program = 'drain' AND ended_at = 0) OR is_abandoned = 1)",
		    DB_I64(d->id));
}

/* What bakes waits for the next look, or for what is said in it; what is paused for a person. */
static bool
waits_to_bake(const struct invariants *of, const struct look_deployment *d, int64_t runs)
{
	int64_t looks = look_effects(of->look, EFFECT_TIMER, d->id) +
	    look_effects(of->look, EFFECT_PROM_QUERY, d->id);

	if (d->state != DEPLOY_BAKING && d->state != DEPLOY_PAUSED)
		return false;
	if (runs != 0 || looks != (d->state == DEPLOY_BAKING))
		tell(of, __func__, "deployment %" PRId64 " is %s with %" PRId64 " looks", d->id,
		    deploy_flow_name(d->state), looks);
	return true;
}

/* Whoever is not at its end waits for something that will come. */
static void
whoever_goes_on_waits_for_something(const struct invariants *of)
{
	for (size_t i = 0; i < of->look->n; i++) {
		const struct look_deployment *d = &of->look->deployments[i];
		int64_t runs = runs_of(of, d);
		int64_t probes = look_effects(of->look, EFFECT_PROBE, d->id);
		int64_t asks = look_effects(of->look, EFFECT_GIT_QUERY, d->id) +
		    look_effects(of->look, EFFECT_FETCH_FILE, d->id);
		int64_t judges = look_effects(of->look, EFFECT_OPA, d->id);
		int64_t waits = look_effects(of->look, EFFECT_TIMER, d->id);
		bool is_verifying =
		    d->state == DEPLOY_VERIFYING || d->state == DEPLOY_VERIFYING_ROLLBACK;
		bool is_running = d->class == DEPLOY_CLASS_ACTIVE && !is_verifying;

		if (waits_to_bake(of, d, runs))
			continue;
		if (runs == 0 &&
		    (waits_for_cloudflare(of, d) || waits_for_its_job(of, d) ||
			waits_for_its_forge(of, d) || waits_for_vault(of, d)))
			continue;
		if (runs != is_running ||
		    /* behind an end one may still ask whether it answers */
		    (d->class == DEPLOY_CLASS_FINAL ? probes > 1 : probes != is_verifying) ||
		    (d->state == DEPLOY_REQUESTED && asks + judges != 1) ||
		    /* what OPA_URL left the settings under is not withdrawn */
		    (d->state == DEPLOY_QUEUED && judges > 1) ||
		    /* a deadline; confirmed, git's answer; chosen of several, both */
		    (d->state == DEPLOY_AWAITING_CONFIRMATION ?
			    waits > 1 || asks > 1 || waits + asks == 0 :
			    d->state == DEPLOY_AWAITING_APPROVAL ? waits != 1 :
								   waits != d->is_asked_anew))
			tell(of, __func__,
			    "deployment %" PRId64 " is %s with %" PRId64 " runs, %" PRId64
			    " probes, %" PRId64 " questions, %" PRId64 " deadlines, OPA %" PRId64,
			    d->id, deploy_flow_name(d->state), runs, probes, asks, waits, judges);
	}
}

/* Q1: in a free environment each place waits for an answer of somebody or of git, for a
 * resource that is held or waited for longer, for a slot that another one has, for the end of a
 * lock or freeze (that of the settings begins a moment before it is looked at), for CI that GitHub
 * is asked about, for OPA, for Prometheus, for the audit's witness, for settings that are looked at
 * again, for a remote runner that is disconnected, or (a push) for who looks at what runs there. */
static void
nothing_waits_for_a_free_environment(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(d.id), 0) FROM work d WHERE d.state = 'QUEUED'"
	    " AND NOT EXISTS (SELECT 1 FROM work a WHERE a.environment = d.environment AND a.state"
	    "  IN ('RUNNING', 'STOPPING', 'VERIFYING', 'BAKING', 'PAUSED', 'ROLLING_BACK',"
	    "  'VERIFYING_ROLLBACK')"
	    "  AND a.action NOT IN ('run-pipeline', 'lend-secret'))"
	    " AND NOT (d.is_asked_anew <> 0 AND EXISTS (SELECT 1 FROM effect WHERE subject = d.id"
	    "  AND kind = 'wait'))"
	    " AND NOT (d.waits_for = 'git' AND EXISTS (SELECT 1 FROM effect e JOIN work q"
	    "  ON q.id = e.subject WHERE e.kind = 'ask' AND q.environment = d.environment"
	    "  AND q.state = 'QUEUED'))"
	    " AND NOT (d.waits_for = 'ci' AND EXISTS (SELECT 1 FROM effect e"
	    "  WHERE e.kind = 'github_runs' AND e.subject = d.id))"
	    " AND NOT (d.waits_for = 'opa' AND EXISTS (SELECT 1 FROM effect e JOIN work q"
	    "  ON q.id = e.subject WHERE e.kind = 'opa' AND q.environment = d.environment"
	    "  AND q.state = 'QUEUED'))"
	    " AND NOT EXISTS (SELECT 1 FROM effect e JOIN work q ON q.id = e.subject"
	    "  WHERE e.kind = 'prom_query' AND q.environment = d.environment AND q.state = 'QUEUED')"
	    " AND NOT (d.waits_for = 'slot' AND EXISTS (SELECT 1 FROM work a WHERE a.program"
	    "  <> 'rollback' AND a.state IN ('RUNNING', 'STOPPING', 'VERIFYING', 'ROLLING_BACK',"
	    "  'VERIFYING_ROLLBACK')))"
	    " AND NOT (d.waits_for = 'runner' AND EXISTS (SELECT 1 FROM runner"
	    "  WHERE name <> 'local' AND name NOT LIKE 'agent:%'))"
	    " AND NOT (d.waits_for = 'hold' AND (EXISTS (SELECT 1 FROM environment e"
	    "  WHERE e.name = d.environment AND e.held <> 0)"
	    "  OR EXISTS (SELECT 1 FROM effect WHERE kind = 'wait' AND instr(body, '\"holds\"') > 0"
	    /* Queued by a clock that was set back into a window: looked at when that fires. */
	    "   AND (due <= $1 OR EXISTS (SELECT 1 FROM audit a WHERE a.at > d.queued_at AND a.seq"
	    "    < (SELECT MIN(seq) FROM audit WHERE deployment = d.id))))"
	    "  OR EXISTS (SELECT 1 FROM effect WHERE kind = 'witness' OR (kind = 'wait'"
	    "   AND body ->> 'wait' = 'witness'))))"
	    " AND NOT (d.waits_for = 'settings' AND EXISTS (SELECT 1 FROM question s WHERE s.work = d.id AND s.not_before <> 0) AND EXISTS (SELECT 1 FROM"
	    "  effect e WHERE (e.kind = 'ask' AND e.subject = d.id) OR (e.kind = 'wait'"
	    "  AND e.body ->> 'wait' = 'changed' AND e.body ->> 'name' = CAST(d.id AS TEXT))))"
	    " AND NOT (d.waits_for = 'hold' AND EXISTS (SELECT 1 FROM environment e"
	    "  WHERE e.name = d.environment AND e.held <> 0))"
	    " AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.resource = d.waits_for)"
	    " AND NOT EXISTS (SELECT 1 FROM work q WHERE q.state = 'QUEUED' AND q.waits_for <> ''"
	    "  AND q.waits_for NOT IN ('slot', 'settings', 'ci', 'opa', 'measure') AND q.waits_for = d.waits_for AND q.place < d.place)"
	    " AND NOT (d.cause IN ('push', 'poll', 'job') AND EXISTS (SELECT 1 FROM environment e"
	    "  WHERE e.name = d.environment AND e.unknown_since <> 0))",
	    DB_I64(of->now));
}

/* Q2: what is active holds its environment, and what is not holds nothing. */
static void
claims_are_of_active_work(const struct invariants *of)
{
	int64_t id = invariants_number(of,
	    "SELECT COALESCE(MAX(id), 0) FROM work d WHERE d.state"
	    " IN ('RUNNING', 'STOPPING', 'VERIFYING', 'BAKING', 'PAUSED', 'ROLLING_BACK',"
	    " 'VERIFYING_ROLLBACK') AND d.action <> 'lend-secret'" /* it holds nothing */
	    " AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.work = d.id"
	    "  AND c.resource = CASE WHEN d.action = 'run-pipeline'"
	    "  THEN 'pipeline:' || d.argument || ':' ELSE 'env:' END"
	    "  || d.environment)");

	if (id != 0)
		tell(of, __func__, "deployment %" PRId64 " does not hold its environment", id);
	id = invariants_number(of,
	    "SELECT COALESCE(MAX(c.work), 0) FROM claim c WHERE NOT EXISTS (SELECT 1 FROM work d"
	    " WHERE d.id = c.work AND d.action <> 'lend-secret' AND d.state IN ('RUNNING',"
	    " 'STOPPING', 'VERIFYING', 'BAKING', 'PAUSED', 'ROLLING_BACK',"
	    " 'VERIFYING_ROLLBACK'))");
	if (id != 0)
		tell(of, __func__, "%" PRId64 " is not active, or a loan, and holds something", id);
}

/* Q3: whoever is in a queue has a place of their own in it, and is not marked any more. */
static void
whoever_is_queued_has_a_place(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(d.id), 0) FROM work d WHERE d.state = 'QUEUED' AND (d.place = 0"
	    " OR d.waits_for = 'look' OR EXISTS (SELECT 1 FROM work q WHERE q.id <> d.id"
	    "  AND q.state = 'QUEUED' AND q.place = d.place))");
}

/* I13: where what runs is not known, whatever began since was confirmed by who had been told, or a
 * person takes back what their waves had reached. */
static void
nothing_begins_where_nothing_is_known(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(d.id), 0) FROM work d JOIN environment e"
	    " ON e.name = d.environment WHERE e.unknown_since <> 0 AND d.ended_at = 0"
	    " AND d.action <> 'lend-secret'" /* it changes nothing there */
	    " AND d.state IN ('RUNNING', 'STOPPING', 'VERIFYING', 'ROLLING_BACK',"
	    " 'VERIFYING_ROLLBACK') AND ((d.cause IN ('push', 'poll', 'job') AND d.action = '')"
	    " OR NOT EXISTS (SELECT 1 FROM audit a"
	    " WHERE a.deployment = d.id AND (a.outcome = 'confirmed'"
	    " OR a.outcome = 'approved') AND a.seq >"
	    " (SELECT MAX(u.seq) FROM audit u WHERE u.action = 'state_unknown'"
	    " AND u.environment = d.environment))) AND NOT (d.waves > 0"
	    " AND d.state IN ('ROLLING_BACK', 'VERIFYING_ROLLBACK') AND EXISTS (SELECT 1"
	    " FROM audit c WHERE c.deployment = d.id AND c.action = 'cancel_requested' AND c.seq >"
	    " (SELECT MAX(u.seq) FROM audit u WHERE u.action = 'state_unknown'"
	    " AND u.environment = d.environment))) AND (SELECT MAX(b.seq) FROM audit b"
	    " WHERE b.deployment = d.id AND b.action IN ('deploy_started', 'rollback_started',"
	    "  'action_started'))"
	    " > (SELECT MAX(u.seq) FROM audit u WHERE u.action = 'state_unknown'"
	    " AND u.environment = d.environment)");
}

/* A promotion of it is another question than the commit alone, as is one to hosts that lag. */
static void
no_two_questions_are_open_about_one_commit(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(id), 0) FROM (SELECT MAX(w.id) AS id, COUNT(*) AS n FROM work w"
	    " LEFT JOIN promotion p ON p.work = w.id"
	    " WHERE w.state = 'AWAITING_CONFIRMATION' AND w.program = 'deploy'"
	    " AND w.emergency = '' GROUP BY w.environment, w.commit_id,"
	    " COALESCE(p.from_environment, ''), COALESCE(p.image, '')) AS asked WHERE n > 1");
}

/* Its question, its failure, its end. */
static void
a_deployment_makes_three_sounds_at_most_in_a_chat(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(rings_for), 0) FROM (SELECT rings_for, SUM(rings) AS n FROM message"
	    " WHERE rings_for <> 0 GROUP BY rings_for, chat)"
	    " AS rung WHERE n > 3");
}

/* I2 */
static void
an_end_has_its_time(const struct invariants *of)
{
	for (size_t i = 0; i < of->look->n; i++) {
		const struct look_deployment *d = &of->look->deployments[i];

		if ((d->class == DEPLOY_CLASS_FINAL) != (d->ended_at != 0))
			tell(of, __func__, "deployment %" PRId64 " is %s and ended at %" PRId64,
			    d->id, deploy_flow_name(d->state), d->ended_at);
	}
}

/* I12: a question is open as long as it can be answered. */
static void
a_question_ends_with_what_it_asks(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(d.id), 0) FROM button q JOIN work d"
	    " ON q.target = 'work/' || d.id WHERE q.closed_at = 0 AND"
	    " ((q.action = 'confirm' AND d.state <> 'AWAITING_CONFIRMATION'"
	    "  AND NOT (d.state = 'QUEUED' AND d.is_asked_anew <> 0))"
	    " OR (q.action = 'cancel' AND d.ended_at <> 0))");
}

/* I14: what is live is never blocked; no push brings up what is, unless its question said so. */
static void
a_block_holds(const struct invariants *of)
{
	int64_t live = invariants_number(of,
	    "SELECT COUNT(*) FROM block b JOIN environment e ON e.name = b.environment"
	    " JOIN release r ON r.id = e.current_release WHERE r.commit_id = b.commit_id");
	int64_t id = 0;

	if (live != 0)
		tell(of, "what_is_live_is_not_blocked", "%" PRId64 " are", live);
	for (size_t i = 0; i < of->look->n; i++) {
		const struct look_deployment *d = &of->look->deployments[i];

		if (d->class == DEPLOY_CLASS_ACTIVE && d->is_push)
			/* Whoever confirmed it below "it was rolled back" has deployed it. */
			id = invariants_number(of,
			    "SELECT COUNT(*) FROM block WHERE environment = $1 AND commit_id = $2"
			    " AND NOT EXISTS (SELECT 1 FROM work JOIN question q ON q.work = work.id WHERE id = $3"
			    " AND confirmed_by <> 0 AND shown_blocked <> 0)",
			    DB_TEXT(d->environment), DB_TEXT(d->commit), DB_I64(d->id));
		if (id != 0)
			tell(of, __func__, "deployment %" PRId64, d->id);
	}
}

/* A gate that GitHub has asked for, and that is open or has ended: until GitHub knows that. */
static void
what_github_waits_for_is_on_its_way(const struct invariants *of)
{
	NONE(of, "gate",
	    "SELECT COALESCE(MAX(w.id), 0) FROM work_job j JOIN work w ON w.id = j.work"
	    " WHERE j.rule <> '' AND j.is_answered = 0 AND (w.ended_at <> 0 OR w.state = 'RUNNING')"
	    " AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.subject = w.id"
	    "  AND e.kind = 'forge_answer')");
}

/* Or it would be given once more. */
static void
each_number_was_given(const struct invariants *of)
{
	NONE(of, "number", IDS_AID_BEYOND);
}

void
invariants_of_commit(const struct invariants *of)
{
	each_number_was_given(of);
	one_deployment_is_active(of);
	whoever_goes_on_waits_for_something(of);
	nothing_waits_for_a_free_environment(of);
	claims_are_of_active_work(of);
	whoever_is_queued_has_a_place(of);
	nothing_begins_where_nothing_is_known(of);
	no_two_questions_are_open_about_one_commit(of);
	a_deployment_makes_three_sounds_at_most_in_a_chat(of);
	an_end_has_its_time(of);
	a_question_ends_with_what_it_asks(of);
	a_block_holds(of);
	what_github_waits_for_is_on_its_way(of);
}

/* --- of one that has ended --- */

static const char *
sign_of(enum deploy_state state)
{
	static const char *const signs[DEPLOY_STATE_COUNT] = {
		[DEPLOY_LIVE] = "✅",
		[DEPLOY_FAILED] = "❌",
		[DEPLOY_ROLLED_BACK] = "❌ Rolled back",
		[DEPLOY_ROLLBACK_FAILED] = "🔥",
		[DEPLOY_DONE] = "✅",
		[DEPLOY_REFUSED] = "⛔",
		[DEPLOY_CANCELLED] = "⛔",
		[DEPLOY_EXPIRED] = "⛔",
		[DEPLOY_SUPERSEDED] = "⛔",
	};

	return signs[state];
}

/* I7: who wrote the end wrote its entry. */
static void
an_end_is_audited(const struct invariants *of, const struct look_deployment *d)
{
	int64_t n = invariants_number(of,
	    "SELECT COUNT(*) FROM audit WHERE deployment = $1 AND outcome = $2"
	    /* What is wrong with an archive, and who said that it is live, is said beside it. */
	    " AND action NOT IN ('upload_refused', 'bake_answered')",
	    DB_I64(d->id), DB_TEXT(deploy_flow_word(d->state)));

	if (n != 1)
		tell(of, __func__, "deployment %" PRId64 " is %s, %" PRId64 " entries say so",
		    d->id, deploy_flow_name(d->state), n);
}

static void
words_of(const struct look_deployment *d, char *out, size_t room)
{
	*out = '\0';
	if (d->state == DEPLOY_LIVE)
		(void)snprintf(out, room, "%.7s", d->commit);
	else if (d->state == DEPLOY_ROLLED_BACK && strcmp(d->commit, d->previous) != 0)
		(void)snprintf(out, room, "it runs %s again",
		    commit_name_here(d->previous_source, d->previous));
	else if (d->state == DEPLOY_FAILED && !d->is_action)
		(void)snprintf(out, room, "%s",
		    d->target_changed	? "DOWN" :
			d->has_migrated ? ": the migration " :
					  "nothing was changed");
	else if (d->state == DEPLOY_ROLLBACK_FAILED)
		(void)snprintf(out, room, "DOWN");
}

/* Its message is kept no longer. */
static bool
is_long_past(const struct invariants *of, const struct look_deployment *d)
{
	return of->now - d->ended_at > MESSAGE_DAYS * INT64_C(86400000);
}

/* Of hosts it says which run what. */
static bool
says_what_runs(const char *head, const struct look_deployment *d)
{
	char words[96];

	words_of(d, words, sizeof(words));
	if (strstr(head, words) != NULL)
		return true;
	if (d->state == DEPLOY_FAILED)
		return strstr(head, "left as it is by ") != NULL;
	(void)snprintf(words, sizeof(words), "%s runs again on ",
	    commit_name_here(d->previous_source, d->previous));
	return d->state == DEPLOY_ROLLED_BACK &&
	    (strstr(head, words) != NULL || strstr(head, ": no other host was touched") != NULL);
}

/* What somebody ended is no failure; and back is where a rollback by hand was to go. */
static bool
starts_as(const char *head, const struct look_deployment *d)
{
	return text_starts(head, sign_of(d->state)) ||
	    (d->target_changed && d->state == DEPLOY_FAILED && text_starts(head, "🔥")) ||
	    (d->state == DEPLOY_FAILED && /* down as before */
		(text_starts(head, "🔥 Failed: ") || text_starts(head, "🔥 Rollback failed: "))) ||
	    ((d->state == DEPLOY_FAILED || d->state == DEPLOY_ROLLBACK_FAILED) &&
		text_starts(head, "✅ Over: ")) ||
	    (d->state == DEPLOY_FAILED && text_starts(head, "🟡 Left as it is: ")) ||
	    (d->state == DEPLOY_ROLLED_BACK &&
		(text_starts(head, "⛔ Rolled back") || text_starts(head, "⛔ Hosts stopped") ||
		    text_starts(head, "❌ Hosts failed"))) ||
	    (d->state == DEPLOY_FAILED &&
		(text_starts(head, "⛔ Stopped") || text_starts(head, "⛔ Gate closed") ||
		    text_starts(head, "⛔ Not lent") || text_starts(head, "⛔ Run may go on"))) ||
	    (d->state == DEPLOY_CANCELLED && text_starts(head, "❌ Gate bypassed")) ||
	    (d->state == DEPLOY_DONE && /* what was lent goes on */
		(text_starts(head, "⏳ Revoking: ") || text_starts(head, "↩️ Revoked: ") ||
		    text_starts(head, "❌ Was lent: "))) ||
	    (d->state == DEPLOY_LIVE &&
		(text_starts(head, "↩️ Rolled back") || text_starts(head, "Live: ") ||
		    text_starts(head, "🟡 Live: "))); /* on some of its hosts */
}

/* I8: known words in the row of its message: what a person will read. */
static void
a_message_says_the_end(const struct invariants *of, const struct look_deployment *d, int64_t row)
{
	struct db_rows rows = { 0 };
	struct err err;
	bool ok;

	if (row == 0)
		return;
	if (!db_query(&rows, of->db, &err, "SELECT head FROM message WHERE id = $1", DB_I64(row))) {
		must(of, false, &err);
		return;
	}
	ok = db_next(&rows) ?
	    starts_as(db_col_text(&rows, 0), d) && says_what_runs(db_col_text(&rows, 0), d) :
	    is_long_past(of, d);
	must(of, db_rows_end(&rows, &err), &err);
	if (!ok)
		tell(of, __func__, "message %" PRId64 " of deployment %" PRId64 ", which is %s",
		    row, d->id, deploy_flow_name(d->state));
}

void
invariants_of_end(const struct invariants *of, const struct look_deployment *deployment)
{
	an_end_is_audited(of, deployment);
	a_message_says_the_end(of, deployment, deployment->message);
	a_message_says_the_end(of, deployment, deployment->also_message);
}

/* --- at rest --- */

static void
every_deployment_has_ended(const struct invariants *of)
{
	for (size_t i = 0; i < of->look->n; i++) {
		const struct look_deployment *d = &of->look->deployments[i];

		if (d->class != DEPLOY_CLASS_FINAL)
			tell(of, __func__, "deployment %" PRId64 " is %s", d->id,
			    deploy_flow_name(d->state));
	}
}

static void
every_run_has_ended(const struct invariants *of)
{
	NONE(of, "run", "SELECT COALESCE(MAX(id), 0) FROM run WHERE ended_at = 0");
}

static void
only_standing_waits_are_open(const struct invariants *of)
{
	for (size_t i = 0; i < of->look->n_effects; i++) {
		const struct look_effect *effect = &of->look->effects[i];

		if (effect->kind != EFFECT_TIMER || effect->subject != 0)
			tell(of, __func__, "%s %" PRId64, effect_name(effect->kind), effect->id);
	}
	/* TIMER_POLL, _DAILY, _STRANGERS, _ACCESS, _HOLDS, _AUDIT_LINE, _REDELIVERY, _MANIFESTS; a
	 * look at each pinned status; a reminder of each emergency, of each end that was bad. */
	if (of->look->n_effects > 8 +
		(size_t)invariants_number(of,
		    "SELECT COUNT(DISTINCT body ->> 'name') FROM effect WHERE kind = 'wait'"
		    " AND body ->> 'wait' = 'pin' AND EXISTS (SELECT 1 FROM pin"
		    " WHERE chat = CAST(body ->> 'name' AS BIGINT)"
		    " OR EXISTS (SELECT 1 FROM moved_chat))") +
		(size_t)invariants_number(of,
		    "SELECT COUNT(DISTINCT body ->> 'name') FROM effect WHERE kind = 'wait'"
		    " AND body ->> 'wait' = 'review' AND EXISTS (SELECT 1 FROM work"
		    " WHERE id = CAST(body ->> 'name' AS BIGINT) AND emergency <> ''"
		    " AND NOT EXISTS (SELECT 1 FROM exempt x WHERE x.work = id"
		    "  AND x.n_reminders >= 14))") +
		(size_t)invariants_number(of,
		    "SELECT COUNT(DISTINCT body ->> 'name') FROM effect WHERE kind = 'wait'"
		    " AND body ->> 'wait' = 'nag' AND EXISTS (SELECT 1 FROM work"
		    " WHERE id = CAST(body ->> 'name' AS BIGINT)"
		    " AND state IN ('ROLLED_BACK', 'ROLLBACK_FAILED', 'FAILED'))"))
		tell(of, __func__, "%zu waits", of->look->n_effects);
}

/* I12 */
static void
a_confirmation_counts_once(const struct invariants *of)
{
	NONE(of, "deployment",
	    "SELECT COALESCE(MAX(deployment), 0) FROM (SELECT deployment,"
	    " SUM(CASE outcome WHEN 'confirmed' THEN 1 WHEN 'asked anew' THEN -1 ELSE 0 END) AS n"
	    " FROM audit GROUP BY deployment) AS counted WHERE n > 1");
}

/* I11: a release became live, or came back (when its own commit was deployed once more). */
static void
a_release_was_live(const struct invariants *of)
{
	NONE(of, "release",
	    "SELECT COALESCE(MAX(r.id), 0) FROM release r"
	    " LEFT JOIN work d ON d.id = r.deployment"
	    " WHERE d.id IS NULL OR r.commit_id <> CASE d.state WHEN 'LIVE' THEN d.commit_id"
	    " WHEN 'ROLLED_BACK' THEN d.previous ELSE '' END");
}

/* I11: what a rollback will bring back is what its deployment shipped, or was taken back to. */
static void
a_release_names_its_image(const struct invariants *of)
{
	NONE(of, "release",
	    "SELECT COALESCE(MAX(r.id), 0) FROM release r"
	    " JOIN work d ON d.id = r.deployment"
	    " WHERE r.image <> CASE d.state WHEN 'LIVE' THEN d.image ELSE d.previous_image END");
}

void
invariants_of_rest(const struct invariants *of)
{
	every_deployment_has_ended(of);
	every_run_has_ended(of);
	only_standing_waits_are_open(of);
	a_confirmation_counts_once(of);
	a_release_was_live(of);
	a_release_names_its_image(of);
	for (size_t i = 0; i < of->look->n; i++)
		if (of->look->deployments[i].class == DEPLOY_CLASS_FINAL)
			invariants_of_end(of, &of->look->deployments[i]);
}

/* --- files --- */

/* I6 */
static void
the_audit_verifies(const struct invariants *of, const struct invariants_files *files)
{
	struct audit_verified verified;
	struct err err = { 0 };

	if (!audit_verify(files->database, files->audit, &verified, &err))
		tell(of, __func__, "%s", err.text);
	else if (verified.behind != 0)
		tell(of, __func__, "%" PRId64 " entries are not in the file", verified.behind);
	else if (verified.heads.missing != 0)
		tell(of, __func__, "%" PRId64 " heads that rows name are no entry's",
		    verified.heads.missing);
}

/* I11 */
static void
the_state_file_names_the_release(
    const struct invariants *of, const struct look_environment *now, const char *folder)
{
	char path[4096], wanted[96], name[ENVIRONMENT_ID_MAX];
	char *text;

	(void)snprintf(
	    path, sizeof(path), "%s/%s.json", folder, environment_id_file(now->name, name));
	(void)snprintf(wanted, sizeof(wanted), "\"release\":%" PRId64 ",\"commit\":\"%s\"",
	    now->number, now->commit);
	text = file_read(path, 4096, NULL, NULL);
	if (now->release == 0 ? text != NULL : text == NULL || strstr(text, wanted) == NULL)
		tell(of, __func__, "%s: %s", now->name, text == NULL ? "no file" : text);
	free(text);
}

void
invariants_of_files(const struct invariants *of, const struct invariants_files *files)
{
	the_audit_verifies(of, files);
	for (size_t i = 0; i < of->look->n_environments; i++)
		the_state_file_names_the_release(
		    of, &of->look->environments[i], files->environments);
}
