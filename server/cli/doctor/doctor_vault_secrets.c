/* doctor_vault_secrets.c - could what is lent read its secret at Vault?  The secret is not read.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_vault_inside.h"
#include "clients/vault.h"
#include "clients/vault_policy.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/loan.h"

#define POLICIES "sys/policies/acl/"
#define MOUNTS	 "sys/mounts/"
#define OWN	 "sys/capabilities-self"
#define PREFIX	 "deploybot-secret-" /* of each lent policy: perform_vault.c */

enum question { POLICY, ENGINE, CAPABILITY, QUESTION_COUNT };

struct doctor_vault_secrets {
	struct doctor *doctor;
	struct vault *vault;
	struct vault_call *call; /* NULL: nothing is asked */
	struct loan loan;	 /* the one that is looked at */
	char policy[VAULT_PATH]; /* its name at Vault */
	char url[VAULT_PATH];	 /* where it is read */
	size_t at;		 /* of loan_next() */
	size_t count;
	enum question question;	      /* that comes next */
	bool is_good;		      /* up to here */
	bool is_mute[QUESTION_COUNT]; /* that may not be asked, and was said */
	doctor_vault_secrets_fn *on_done;
	void *ctx;
};

/* --- what is wrong, and what to do --- */

/* KV that the server reads itself needs a lent policy for people alone. */
static enum doctor_level
level_of(const struct loan *loan)
{
	return loan->is_value && loan->at.kind != LOAN_CREDS ? DOCTOR_WARNING : DOCTOR_ERROR;
}

static void
tell_policy(struct doctor_vault_secrets *s, const char *what)
{
	s->is_good = false;
	doctor_say(s->doctor, DOCTOR_VAULT, level_of(&s->loan),
	    "Vault: secret %s: policy %s %s, so %s reads nothing: vault policy write %s - <<<'path \"%s\" { capabilities = [\"read\"] }'",
	    s->loan.id, s->policy, what,
	    level_of(&s->loan) == DOCTOR_ERROR ? "what is lent" : "what a person is lent",
	    s->policy, s->url);
}

static void
judge_policy(struct doctor_vault_secrets *s, const struct json *body)
{
	char what[VAULT_PATH + 64];

	switch (vault_policy_of(body, s->url)) {
	case VAULT_POLICY_READS:
		return;
	case VAULT_POLICY_DENIES:
		(void)snprintf(what, sizeof(what), "does not let %s be read", s->url);
		break;
	default:
		(void)snprintf(what, sizeof(what), "has no rule of %s", s->url);
		break;
	}
	tell_policy(s, what);
}

static void
judge_engine(struct doctor_vault_secrets *s, const struct json *body)
{
	static const char *const wanted[LOAN_KIND_COUNT] = {
		[LOAN_KV1] = "kv1", [LOAN_KV2] = "kv2", [LOAN_CREDS] = "creds"
	};
	const struct loan_place *at = &s->loan.at;
	char engine[VAULT_ENGINE] = "";
	bool is_kv;

	if (!vault_read_engine(body, engine))
		(void)text_copy(engine, sizeof(engine), "nothing that Vault names"); /* it fits */
	is_kv = strcmp(engine, "kv1") == 0 || strcmp(engine, "kv2") == 0;
	if (at->kind == LOAN_CREDS ? !is_kv : strcmp(engine, wanted[at->kind]) == 0)
		return;
	s->is_good = false;
	TELL(s->doctor, VAULT, ERROR,
	    "Vault: secret %s: mount %s is %s, and SECRET_<NAME>_PATH says %s%s%s%s%s%s",
	    s->loan.id, at->mount, engine, wanted[at->kind],
	    is_kv ? ": write " : ": which mount is meant?", is_kv ? engine : "", is_kv ? " " : "",
	    is_kv ? at->mount : "", is_kv ? " and the path in it" : "");
}

static void
judge_capability(struct doctor_vault_secrets *s, const struct json *body)
{
	if (vault_read_capability(body, s->url))
		return;
	s->is_good = false;
	TELL(s->doctor, VAULT, ERROR,
	    "Vault: secret %s: our own policy may not read %s, so no job is given the value: it needs: path \"%s\" { capabilities = [\"read\"] }",
	    s->loan.id, s->url, s->url);
}

/* Of each question once: what may not be asked is not known, and not good. */
static void
tell_unknown(struct doctor_vault_secrets *s, enum question question, const char *detail)
{
	s->is_good = false;
	if (s->is_mute[question])
		return;
	s->is_mute[question] = true;
	if (question == POLICY)
		TELL(s->doctor, VAULT, NOTE,
		    "Vault: whether the policies of what is lent are right is not known (%.120s); to ask, our own policy needs: path \"%s*\" { capabilities = [\"read\"] }",
		    detail, POLICIES PREFIX);
	else if (question == ENGINE)
		TELL(s->doctor, VAULT, NOTE,
		    "Vault: whether %s is the mount that SECRET_<NAME>_PATH says is not known (%.120s); to ask, our own policy needs: path \"%s%s\" { capabilities = [\"read\"] }, and so for each mount",
		    s->loan.at.mount, detail, MOUNTS, s->loan.at.mount);
	else
		TELL(s->doctor, VAULT, NOTE,
		    "Vault: whether our own policy may read %s is not known (%.120s); to ask, it needs: path \"%s\" { capabilities = [\"update\"] }",
		    s->url, detail, OWN);
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

/* Asks it, where it is one of this secret: s->call is NULL otherwise, or *err says why not. */
static bool
ask(struct doctor_vault_secrets *s, enum question question, struct err *err)
{
	CLEANUP(buf_done) struct buf body = buf_make(2048);
	char path[VAULT_PATH + 32] = OWN;

	if (question == ENGINE ?
		was_asked(s) :
		question == CAPABILITY && (!s->loan.is_value || s->loan.at.kind == LOAN_CREDS))
		return true;
	if (question == POLICY)
		(void)snprintf(path, sizeof(path), POLICIES "%s", s->policy);
	else if (question == ENGINE)
		(void)snprintf(path, sizeof(path), MOUNTS "%s", s->loan.at.mount);
	else /* the path is words of the settings, which need no escapes */
		buf_addf(&body, "{\"paths\":[\"%s\"]}", s->url);
	s->call = vault_start(s->vault,
	    &(struct vault_request){ .path = path,
		.body = question == CAPABILITY ? buf_text(&body) : NULL,
		.on_done = on_answer,
		.ctx = s },
	    err);
	if (s->call != NULL)
		doctor_asked(s->doctor);
	return s->call != NULL;
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
	s->question = POLICY;
	s->count++;
	return true;
}

static void
go_on(struct doctor_vault_secrets *s)
{
	struct err err;

	while (s->call == NULL) {
		if (s->question == QUESTION_COUNT && !take_next(s)) {
			end(s);
			return;
		}
		if (!ask(s, s->question++, &err)) {
			tell_unknown(s, s->question - 1, err.text);
			end(s);
			return;
		}
	}
}

static void
on_answer(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	static void (*const judge[QUESTION_COUNT])(struct doctor_vault_secrets *,
	    const struct json *) = { judge_policy, judge_engine, judge_capability };
	struct doctor_vault_secrets *s = ctx;
	enum question question = s->question - 1;

	s->call = NULL;
	if (answer->verdict == VAULT_DONE)
		judge[question](s, body);
	else if (question == POLICY && answer->verdict == VAULT_NOT_FOUND)
		tell_policy(s, "is not there");
	else if (question == ENGINE && answer->verdict == VAULT_INVALID)
		TELL(s->doctor, VAULT, ERROR,
		    "Vault: secret %s: there is no mount %s, which SECRET_<NAME>_PATH names: vault secrets list shows which there are",
		    s->loan.id, s->loan.at.mount);
	else
		tell_unknown(s, question, answer->detail);
	s->is_good &= answer->verdict == VAULT_DONE;
	go_on(s);
	doctor_answered(s->doctor);
}

struct doctor_vault_secrets *
doctor_vault_secrets_start(
    struct doctor *doctor, struct vault *vault, doctor_vault_secrets_fn *on_done, void *ctx)
{
	struct doctor_vault_secrets *s = mem_new(1, sizeof(*s));

	*s = (struct doctor_vault_secrets){ .doctor = doctor,
		.vault = vault,
		.question = QUESTION_COUNT,
		.is_good = true,
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
