/* doctor_vault_secrets.c - could what is lent read its secret at Vault?  The secret is not read.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_vault_inside.h"
#include "clients/vault.h"
#include "clients/vault_right.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/loan.h"
#include "types/settings.h"

#define PREFIX "deploybot-secret-" /* of each lent policy: perform_vault.c */

/* Of the token that is made, and of what it is wrapped in: what doctor could not revoke, for it was
 * ended, Vault went away or its answer was lost, is over then. */
#define LIFE_S 60

#define BODY_SIZE (2 * VAULT_PATH + 128)

/* In the order that they are asked for each secret. */
enum question { LEND, RIGHT, REVOKE, ENGINE, QUESTION_COUNT };

struct doctor_vault_secrets {
	struct doctor *doctor;
	struct vault *vault;
	struct vault_call *call;      /* NULL: nothing is asked */
	bool lends;		      /* there is a role whose tokens can be revoked */
	struct loan loan;	      /* the one that is looked at */
	char policy[VAULT_PATH];      /* its name at Vault */
	char url[VAULT_PATH];	      /* where it is read */
	char made[LIMIT_ACCESSOR];    /* of the token to be revoked next; "": none is there */
	char wrapped[LIMIT_ACCESSOR]; /* of what it is wrapped in, which is revoked behind it */
	size_t at;		      /* of loan_next() */
	size_t count;
	enum question question;	      /* that comes next */
	char path[VAULT_PATH];	      /* of the request that was written last, behind /v1/ */
	char body[BODY_SIZE];	      /* "": it has none */
	bool is_good;		      /* up to here */
	bool is_mute[QUESTION_COUNT]; /* that could not be asked, and was said */
	doctor_vault_secrets_fn *on_done;
	void *ctx;
};

/* --- what is wrong, and what to do --- */

/* What it is filled with are words of the settings and accessors, which need no escapes. */
static void
write_request(struct doctor_vault_secrets *s)
{
	s->body[0] = '\0';
	switch (s->question) {
	case LEND: /* as perform_vault.c asks for what is lent, but for its life */
		(void)snprintf(s->path, VAULT_PATH, "auth/token/create/%s",
		    s->doctor->settings->vault.token_role);
		(void)snprintf(s->body, BODY_SIZE,
		    "{\"policies\":[\"%s\"],\"explicit_max_ttl\":\"%ds\",\"renewable\":false}",
		    s->policy, LIFE_S);
		break;
	case RIGHT:
		(void)snprintf(s->path, VAULT_PATH, "sys/capabilities-accessor");
		(void)snprintf(s->body, BODY_SIZE, "{\"accessor\":\"%s\",\"paths\":[\"%s\"]}",
		    s->made, s->url);
		break;
	case ENGINE:
		(void)snprintf(s->path, VAULT_PATH, "sys/mounts/%s", s->loan.at.mount);
		break;
	default:
		(void)snprintf(s->path, VAULT_PATH, "auth/token/revoke-accessor");
		(void)snprintf(s->body, BODY_SIZE, "{\"accessor\":\"%s\"}", s->made);
		break;
	}
}

/* Of each question once: what could not be asked is not known, and not good.  The server needs the
 * first and the third itself. */
static void
tell_unknown(
    struct doctor_vault_secrets *s, enum question question, bool is_forbidden, const char *detail)
{
	static const char *const what[QUESTION_COUNT] = {
		[LEND] = "no token is made for what is lent, so nothing is lent",
		[RIGHT] = "whether what is lent reads its secret is not known",
		[REVOKE] = "what is lent cannot be revoked, and lives until its _TTL is over",
		[ENGINE] =
		    "whether the mount of each secret is what SECRET_<NAME>_PATH says is not known",
	};
	enum doctor_level level =
	    question == LEND || question == REVOKE ? DOCTOR_ERROR : DOCTOR_NOTE;

	s->is_good = false;
	if (s->is_mute[question])
		return;
	s->is_mute[question] = true;
	if (is_forbidden)
		doctor_say(s->doctor, DOCTOR_VAULT, level,
		    "Vault: %s (%.120s); for that our own policy needs: path \"%s\" { capabilities = [\"%s\"] }",
		    what[question], detail, s->path, question == ENGINE ? "read" : "update");
	else
		doctor_say(
		    s->doctor, DOCTOR_VAULT, level, "Vault: %s (%.120s)", what[question], detail);
}

/* --- what Vault has answered --- */

/* A token of which nothing is known that we could revoke it by ends when its life does. */
static void
judge_lend(struct doctor_vault_secrets *s, const struct json *body)
{
	struct vault_wrap wrap;
	struct err err;

	if (!vault_read_wrap(body, s->path, LIFE_S, &wrap, &err))
		tell_unknown(s, LEND, false, err.text);
	(void)text_copy(s->made, sizeof(s->made), wrap.accessor);  /* it fits */
	(void)text_copy(s->wrapped, sizeof(s->wrapped), wrap.own); /* it fits */
	crypto_wipe(&wrap, sizeof(wrap));
}

/* A policy that is not there is as one that has no rule of that path. */
static void
judge_right(struct doctor_vault_secrets *s, const struct json *body)
{
	if (vault_read_capability(body, s->url))
		return;
	s->is_good = false;
	TELL(s->doctor, VAULT, ERROR,
	    "Vault: secret %s: policy %s is not there or does not let %s be read, so what is lent reads nothing: vault policy write %s - <<<'path \"%s\" { capabilities = [\"read\"] }'",
	    s->loan.id, s->policy, s->url, s->policy, s->url);
}

/* Behind the token what it was wrapped in is revoked by the same question. */
static void
judge_revoke(struct doctor_vault_secrets *s, UNUSED const struct json *body)
{
	(void)text_copy(s->made, sizeof(s->made), s->wrapped); /* it fits */
	s->wrapped[0] = '\0';
	s->question = s->made[0] != '\0' ? REVOKE : s->question;
}

static void
judge_engine(struct doctor_vault_secrets *s, const struct json *body)
{
	const struct loan_place *at = &s->loan.at;
	const char *wanted = loan_kind_word(at->kind);
	char engine[VAULT_ENGINE] = "";
	bool is_kv;

	if (!vault_read_engine(body, engine))
		(void)text_copy(engine, sizeof(engine), "nothing that Vault names"); /* it fits */
	is_kv = strcmp(engine, "kv1") == 0 || strcmp(engine, "kv2") == 0;
	if (at->kind == LOAN_CREDS ? !is_kv : strcmp(engine, wanted) == 0)
		return;
	s->is_good = false;
	TELL(s->doctor, VAULT, ERROR,
	    "Vault: secret %s: mount %s is %s, and SECRET_<NAME>_PATH says %s%s%s%s%s%s",
	    s->loan.id, at->mount, engine, wanted, is_kv ? ": write " : ": which mount is meant?",
	    is_kv ? engine : "", is_kv ? " " : "", is_kv ? at->mount : "",
	    is_kv ? " and the path in it" : "");
}

/* --- the questions, one behind the other --- */

static void on_answer(void *ctx, const struct vault_answer *answer, const struct json *body);

static void
end(struct doctor_vault_secrets *s)
{
	char good[DOCTOR_VAULT_GOOD] = "";

	if (s->is_good && s->count > 0)
		(void)snprintf(good, sizeof(good), "; %zu secret%s: policies and mounts are right",
		    s->count, s->count == 1 ? "" : "s");
	s->on_done(s->ctx, good);
}

/* Was that mount looked at for another secret of its kind? */
static bool
was_asked(const struct doctor_vault_secrets *s)
{
	struct loan other;

	for (size_t at = 0; loan_next(s->doctor->settings, &at, &other) && at < s->at;)
		if (other.at.kind == s->loan.at.kind &&
		    strcmp(other.at.mount, s->loan.at.mount) == 0)
			return true;
	return false;
}

/* Is it a question of this secret?  What was made is revoked, also where one about it failed. */
static bool
is_due(const struct doctor_vault_secrets *s)
{
	const bool is[QUESTION_COUNT] = { [LEND] = s->lends,
		[RIGHT] = s->made[0] != '\0',
		[REVOKE] = s->made[0] != '\0',
		[ENGINE] = !was_asked(s) };

	return is[s->question];
}

static bool
take_next(struct doctor_vault_secrets *s)
{
	char *slash;

	if (!loan_next(s->doctor->settings, &s->at, &s->loan))
		return false;
	(void)snprintf(s->policy, sizeof(s->policy), PREFIX "%s", s->loan.id);
	slash = strchr(s->policy, '/');
	if (slash != NULL)
		*slash = '.'; /* as decide_loan_order.c */
	loan_place_url(&s->loan.at, s->url, sizeof(s->url));
	s->made[0] = '\0';
	s->question = LEND;
	s->count++;
	return true;
}

static void
go_on(struct doctor_vault_secrets *s)
{
	struct err err;

	for (; s->call == NULL; s->question++) {
		if (s->question == QUESTION_COUNT && !take_next(s)) {
			end(s);
			return;
		}
		if (!is_due(s))
			continue;
		write_request(s);
		s->call = vault_start(s->vault,
		    &(struct vault_request){ .path = s->path,
			.body = s->body[0] != '\0' ? s->body : NULL,
			.wrap_ttl_s = s->question == LEND ? LIFE_S : 0,
			.on_done = on_answer,
			.ctx = s },
		    &err);
		if (s->call == NULL) {
			tell_unknown(s, s->question, false, err.text);
			end(s);
			return;
		}
		doctor_asked(s->doctor);
	}
}

static void
on_answer(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	static void (*const judge[QUESTION_COUNT])(
	    struct doctor_vault_secrets *, const struct json *) = { [LEND] = judge_lend,
		[RIGHT] = judge_right,
		[REVOKE] = judge_revoke,
		[ENGINE] = judge_engine };
	struct doctor_vault_secrets *s = ctx;
	enum question question = s->question - 1;

	s->call = NULL;
	if (answer->verdict == VAULT_DONE)
		judge[question](s, body);
	else if (question == ENGINE && answer->verdict == VAULT_INVALID)
		TELL(s->doctor, VAULT, ERROR,
		    "Vault: secret %s: there is no mount %s, which SECRET_<NAME>_PATH names: vault secrets list shows which there are",
		    s->loan.id, s->loan.at.mount);
	else
		tell_unknown(s, question, answer->verdict == VAULT_FORBIDDEN, answer->detail);
	s->is_good &= answer->verdict == VAULT_DONE;
	go_on(s);
	doctor_answered(s->doctor);
}

struct doctor_vault_secrets *
doctor_vault_secrets_start(struct doctor *doctor, struct vault *vault, bool lends,
    doctor_vault_secrets_fn *on_done, void *ctx)
{
	struct doctor_vault_secrets *s = mem_new(1, sizeof(*s));

	*s = (struct doctor_vault_secrets){ .doctor = doctor,
		.vault = vault,
		.lends = lends,
		.question = QUESTION_COUNT,
		.is_good = lends,
		.on_done = on_done,
		.ctx = ctx };
	go_on(s);
	return s;
}

void
doctor_vault_secrets_free(struct doctor_vault_secrets *s)
{
	if (s != NULL)
		vault_cancel(s->call);
	free(s);
}
