/* perform_vault.c - VAULT_LEND makes a token once, or reads a value by it, and VAULT_REVOKE ends one.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "clients/loan_shelf.h"
#include "clients/vault.h"
#include "effects/perform_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/loan.h"

/* Behind it VAULT_TOKEN_ROLE, which has orphan=true, no default policy, and
 * allowed_policies_glob=deploybot-secret-*. */
#define LEND_PATH   "auth/token/create/"
#define REVOKE_PATH "auth/token/revoke-accessor"
#define LOOK_PATH   "sys/wrapping/lookup"
#define POLICY	    "deploybot-secret-"
#define BODY_MAX    2048
#define AGAIN_S	    5 /* until a Vault that is sealed or away is asked once more */

/* Vault asks for no longer pause: a row that has one was written by a clock that was ahead. */
#define REVOKE_WAIT_MOST_MS INT64_C(3600000)

struct vault_job {
	struct perform_job job;
	struct vault_call *call; /* NULL: it waits for its time */
};

static void
end(struct perform_job *job)
{
	vault_cancel(((struct vault_job *)job)->call);
	perform_job_drop(job);
}

/* Of what Vault has answered: the effect is left of the job. */
static struct effect *
finish(void *ctx)
{
	struct vault_job *job = ctx;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	return perform_job_free(&job->job);
}

static const char *
lend_path(const struct effect *effect, char ret[VAULT_PATH])
{
	(void)snprintf(ret, VAULT_PATH, LEND_PATH "%s", effect->settings->vault.token_role);
	return ret;
}

/* It was not done. */
static void
refuse(struct effect *effect, const char *why)
{
	(void)text_copy(effect->result->u.vault_said.why, LIMIT_LINE, why); /* cut is fine */
	perform_report(effect);
}

static void
start(struct vault_job *job, const char *path, const struct buf *body, int wrap_ttl_s,
    vault_done_fn *on_done)
{
	struct err err;

	job->call = NULL;
	if (buf_check(body, &err))
		job->call = vault_start(job->job.perform->vault,
		    &(struct vault_request){ .path = path,
			.body = buf_text(body),
			.wrap_ttl_s = wrap_ttl_s,
			.on_done = on_done,
			.ctx = job },
		    &err);
	if (job->call == NULL) /* nothing was sent */
		refuse(perform_job_free(&job->job), err.text);
}

/* Whoever asked is denied nothing: it is a token that may not, and an admin who can help. */
static const char *
reason_of(const struct vault_answer *answer, const char *forbidden, char ret[LIMIT_LINE])
{
	(void)snprintf(ret, LIMIT_LINE, "%s%.200s",
	    answer->verdict == VAULT_FORBIDDEN ? forbidden : "", answer->detail);
	return ret;
}

/* --- a token is made --- */

/* Vault may have done it all the same: what came is no whole answer of its own. */
static bool
is_unsure(const struct vault_answer *answer)
{
	return answer->was_sent &&
	    (answer->verdict == VAULT_TORN || answer->verdict == VAULT_TOO_LARGE ||
		answer->verdict == VAULT_AWAY);
}

/* Nothing was made, and another time it may be. */
static bool
comes_back(const struct vault_answer *answer)
{
	return !is_unsure(answer) &&
	    (answer->verdict == VAULT_DOWN || answer->verdict == VAULT_STANDBY ||
		answer->verdict == VAULT_LIMITED || answer->verdict == VAULT_AWAY);
}

/* One of which nothing is known that we could revoke it by ends when its life does. */
static void
keep(struct effect *effect, const struct json *body)
{
	struct vault_said *said = &effect->result->u.vault_said;
	char path[VAULT_PATH];
	struct vault_wrap wrap;
	struct err err;

	if (!vault_read_wrap(body, lend_path(effect, path), LOAN_WRAPPED_S, &wrap, &err)) {
		said->is_wrong = true;
		said->is_unsure = wrap.accessor[0] == '\0';
		text_set(said->why, err.text); /* it fits */
	} else if (!loan_shelf_put(effect->perform->loans, effect->subject, wrap.token)) {
		text_setf(said->why, "%d loans wait to be fetched", LOAN_SHELF_PLACES);
	} else {
		said->is_done = true;
	}
	text_set(said->accessor, wrap.accessor); /* it fits */
	crypto_wipe(&wrap, sizeof(wrap));
}

static void
on_lent(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct effect *effect = finish(ctx);
	struct vault_said *said = &effect->result->u.vault_said;

	if (answer->verdict == VAULT_DONE) {
		keep(effect, body);
	} else {
		said->is_unsure = is_unsure(answer);
		said->retry_after_s = answer->retry_after_s > 0 || !comes_back(answer) ?
		    answer->retry_after_s :
		    AGAIN_S;
		(void)reason_of(answer, "Vault does not let deploybot do that: ", said->why);
	}
	perform_report(effect);
}

/* --- the value itself --- */

static void
fail_value(struct effect *effect, const char *why, int64_t retry_after_s)
{
	effect->result->u.vault_said.retry_after_s = retry_after_s;
	refuse(effect, why);
}

/* Nothing of it is in what is said. */
static void
keep_value(struct effect *effect, const struct json *body)
{
	CLEANUP(buf_wipe) struct buf value = buf_make(VAULT_ANSWER_MAX);
	struct loan_place place = loan_place(effect->u.vault.value);
	struct err err;

	buf_reserve(&value); /* what grows leaves copies behind */
	if (!vault_read_value(body, place.kind == LOAN_KV2, place.field, &value, &err) ||
	    !loan_shelf_put_value(effect->perform->loans,
		&(struct loan_value){ .work = effect->subject,
		    .who = effect->u.vault.principal,
		    .text = buf_text(&value),
		    .ttl_ms = effect->u.vault.ttl_s * 1000 },
		&err)) {
		fail_value(effect, err.text, err.code == ERR_BUSY ? AGAIN_S : 0);
	} else {
		effect->result->u.vault_said.is_done = true;
		perform_report(effect);
	}
}

/* Of what can be asked for again whoever asks hears so: the child ends, and another one reads. */
static void
on_read(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct effect *effect = finish(ctx);
	char why[LIMIT_LINE];
	bool is_away = answer->verdict == VAULT_AWAY;

	if (answer->verdict == VAULT_DONE)
		keep_value(effect, body);
	else if (answer->verdict == VAULT_TORN && answer->status / 100 == 2)
		fail_value(effect,
		    "Vault's answer is no JSON that a value is taken from: it has a NUL, or bytes that are no UTF-8",
		    0);
	else
		fail_value(effect,
		    reason_of(
			answer, "Vault's policy of that secret does not let it be read: ", why),
		    answer->retry_after_s > 0	      ? answer->retry_after_s :
			is_away || comes_back(answer) ? AGAIN_S :
							0);
}

/* By the child's right alone: our own token, which is every application's, reads no secret. */
static void
read_value(struct vault_job *job, const char *child)
{
	struct loan_place place = loan_place(job->job.effect->u.vault.value);
	char path[VAULT_PATH];
	struct err err;

	loan_place_url(&place, path, sizeof(path));
	job->call = vault_start(job->job.perform->vault,
	    &(struct vault_request){ .path = path,
		.is_anonymous = true,
		.token = child,
		.on_done = on_read,
		.ctx = job },
	    &err);
	if (job->call == NULL) /* nothing was sent */
		fail_value(
		    perform_job_free(&job->job), err.text, err.code == ERR_BUSY ? AGAIN_S : 0);
}

/* A token that reads it: by its accessor it ends, and with it the credentials that it has made. */
static void
on_child(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct vault_job *job = ctx;
	struct vault_said *said;
	struct vault_wrap child;
	struct err err;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	said = &job->job.effect->result->u.vault_said;
	if (answer->verdict != VAULT_DONE) {
		on_lent(ctx, answer, body);
	} else if (vault_read_made(body, &child, &err)) {
		text_set(said->accessor, child.accessor); /* it fits */
		read_value(job, child.token);
	} else {
		text_set(said->accessor, child.accessor); /* it fits */
		said->is_wrong = true;
		said->is_unsure = child.accessor[0] == '\0';
		refuse(perform_job_free(&job->job), err.text);
	}
	crypto_wipe(&child, sizeof(child));
}

static void
write_lend(const struct effect *effect, struct buf *body)
{
	const struct effect_vault *what = &effect->u.vault;
	char policy[sizeof(POLICY) + ENVIRONMENT_ID_MAX], ttl[32], work[32];
	struct json_out json = json_out_begin(body, '{');

	text_setf(policy, POLICY "%s", what->name);
	text_setf(ttl, "%" PRId64 "s", what->ttl_s);
	text_setf(work, "%" PRId64, effect->subject);
	json_put_open(&json, "policies", '[');
	json_out_str(&json, policy);
	json_out_end(&json);
	json_put_str(&json, "explicit_max_ttl", ttl);
	json_put_bool(&json, "renewable", false);
	json_put_open(&json, "meta", '{');
	json_put_str(&json, "work", work);
	json_put_str(&json, "principal", what->principal);
	json_out_end(&json);
	json_out_end(&json);
}

void
perform_vault_lend(struct perform *perform, struct effect *effect)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	struct vault_job *job = perform_job_new(sizeof(*job), perform, effect, NULL, end);
	bool is_value = effect->u.vault.value[0] != '\0';
	char path[VAULT_PATH];

	write_lend(effect, &body);
	start(job, lend_path(effect, path), &body, is_value ? 0 : LOAN_WRAPPED_S,
	    is_value ? on_child : on_lent);
}

/* OWN: it is made once.  Whether it was made is not known, and its text is gone. */
void
recover_vault_lend(UNUSED struct perform *perform, struct effect *effect)
{
	effect->result->u.vault_said.is_unsure = true;
	refuse(effect, "deploybot was restarted while Vault made it");
}

/* --- a token ends --- */

static void
on_revoked(void *ctx, const struct vault_answer *answer, UNUSED const struct json *body)
{
	struct effect *effect = finish(ctx);
	struct vault_said *said = &effect->result->u.vault_said;

	said->is_done = answer->verdict == VAULT_DONE;
	said->retry_after_s = answer->retry_after_s;
	text_set(said->why, answer->detail); /* it fits */
	perform_report(effect);
}

static void
on_due(struct perform_job *of)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	struct json_out json = json_out_begin(&body, '{');

	json_put_str(&json, "accessor", of->effect->u.vault.accessor);
	json_out_end(&json);
	start((struct vault_job *)of, REVOKE_PATH, &body, 0, on_revoked);
}

/* AGAIN: what was revoked already is revoked. */
void
perform_vault_revoke(struct perform *perform, struct effect *effect)
{
	int64_t left = effect->u.vault.not_before - clock_wall_ms();
	struct vault_job *job = perform_job_new(sizeof(*job), perform, effect, on_due, end);

	loan_shelf_drop(perform->loans, effect->subject);
	perform_job_wait(&job->job, left < REVOKE_WAIT_MOST_MS ? left : REVOKE_WAIT_MOST_MS);
}

/* --- is it there still? --- */

static void
on_looked(void *ctx, const struct vault_answer *answer, UNUSED const struct json *body)
{
	struct effect *effect = finish(ctx);
	struct vault_said *said = &effect->result->u.vault_said;

	said->is_done = answer->verdict == VAULT_DONE;
	said->is_used = answer->verdict == VAULT_INVALID;
	perform_report(effect);
}

/* Asked with the wrapping token itself; of one that the loop has no more nothing is known. */
static void
on_look_due(struct perform_job *of)
{
	CLEANUP(buf_wipe) struct buf body = buf_make(BODY_MAX);
	struct effect *effect = of->effect;
	char token[VAULT_TOKEN_MAX + 1];

	if (!loan_shelf_look(effect->perform->loans, effect->subject, token)) {
		refuse(perform_job_free(of), "nothing is kept of it");
		return;
	}
	buf_reserve(&body);
	struct json_out json = json_out_begin(&body, '{');

	json_put_str(&json, "token", token);
	json_out_end(&json);
	crypto_wipe(token, sizeof(token));
	start((struct vault_job *)of, LOOK_PATH, &body, 0, on_looked);
}

void
perform_vault_look(struct perform *perform, struct effect *effect)
{
	int64_t left = effect->u.vault.not_before - clock_wall_ms();
	struct vault_job *job = perform_job_new(sizeof(*job), perform, effect, on_look_due, end);

	perform_job_wait(&job->job, left < LOAN_SHELF_MS ? left : LOAN_SHELF_MS);
}
