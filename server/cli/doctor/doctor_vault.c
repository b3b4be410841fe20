/* doctor_vault.c - is Vault unsealed, our own token good, and the role that lends as it should be?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_vault_inside.h"
#include "clients/vault.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"
#include "types/loan.h"
#include "types/settings.h"

#define SKEW_S 20
#define ROLE   "auth/token/roles/"
#define GLOB   "deploybot-secret-*" /* what each lent policy's name fits: perform_vault.c */

struct asking {
	struct doctor *doctor;
	struct vault *vault;
	struct vault_call *call; /* NULL: nothing is asked */
	char place[URL_PLACE];
	struct vault_health health;
	struct vault_token token;
	struct doctor_vault_secrets *secrets;
	char good[LIMIT_LINE]; /* what is said of the role, and behind it of the secrets */
};

/* --- what is wrong, and what to do --- */

static void
tell_refused(const struct asking *a, const char *detail)
{
	if (a->doctor->settings->vault.role_id != NULL)
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: VAULT_ROLE_ID with VAULT_SECRET_ID is refused (%s): put another secret id there: vault write -f auth/approle/role/NAME/secret-id",
		    detail);
	else
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: VAULT_TOKEN is refused (%s): it has ended or was revoked; put another one there, best a periodic one: vault token create -orphan -period=24h -policy=NAME",
		    detail);
}

/* Of /sys/health, too, which no policy forbids: then somebody stands before it. */
static void
tell_strange(const struct asking *a, const char *detail)
{
	TELL(a->doctor, VAULT, ERROR,
	    "Vault: %s does not answer as Vault does (%s): is it up, and is VAULT_ADDR right?",
	    a->place, detail);
}

static void
tell_failure(const struct asking *a, const struct vault_answer *answer)
{
	switch (answer->verdict) {
	case VAULT_TOKEN_REFUSED:
		tell_refused(a, answer->detail);
		break;
	case VAULT_FORBIDDEN:
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: our own policy lacks auth/token/lookup-self (%s): give it read there, as Vault's policy \"default\" does",
		    answer->detail);
		break;
	case VAULT_LIMITED:
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: a quota bounds how often it is asked (%s): again in %" PRId64
		    " s; raise it: vault list sys/quotas/rate-limit",
		    answer->detail, answer->retry_after_s);
		break;
	case VAULT_MOVED:
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s answers %s, and no token follows: set VAULT_ADDR to the address that answers itself",
		    a->place, answer->detail);
		break;
	case VAULT_AWAY:
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s does not answer (%s): is VAULT_ADDR right, may deploybot connect there, and does VAULT_CA_FILE have who signed its certificate?",
		    a->place, answer->detail);
		break;
	default:
		tell_strange(a, answer->detail);
		break;
	}
}

/* False: nobody can be asked more. */
static bool
tell_health(const struct asking *a)
{
	if (!a->health.is_initialized)
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s is not initialized: vault operator init there, or another VAULT_ADDR",
		    a->place);
	else if (a->health.is_sealed)
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s is sealed, and answers nothing: who has its keys unseals it: vault operator unseal",
		    a->place);
	else if (a->health.is_secondary)
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s is a secondary for disaster recovery, which answers nothing: set VAULT_ADDR to the primary",
		    a->place);
	else
		return true;
	return false;
}

static void
tell_clock(const struct asking *a, const struct vault_answer *answer)
{
	int64_t ahead_s = answer->ahead_s;

	if (answer->knows_clock && (ahead_s > SKEW_S || ahead_s < -SKEW_S))
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: our clock is %" PRId64
		    " s %s Vault's, and what ends is not what it seems: set up time synchronisation (chrony, systemd-timesyncd) here or there",
		    ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
}

/* role: what is said of it behind that, or "". */
static void
tell_token(const struct asking *a, const char *role)
{
	const struct settings_vault *settings = &a->doctor->settings->vault;
	const struct vault_token *token = &a->token;
	char left[TEXT_DURATION_SIZE] = "";
	bool ends = token->ttl_s > 0;

	if (ends)
		(void)text_duration(left, token->ttl_s * 1000);
	TELL(a->doctor, VAULT, OK, "Vault: %s%sunsealed%s, token %s%s%s", a->health.version,
	    a->health.version[0] != '\0' ? ", " : "",
	    a->health.is_standby ? " (a standby, which asks the active node)" : "",
	    ends ? "ends in " : "does not end", left, role);
	if (settings->role_id == NULL && ends && !token->is_renewable)
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: VAULT_TOKEN cannot be renewed and ends in %s: put a periodic one there, or a VAULT_ROLE_ID",
		    left);
	if (token->is_root)
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: VAULT_TOKEN may do everything at Vault (policy root): put one there that may do what deploybot needs");
}

/* --- the role by which secrets are lent --- */

/* The secret whose loan lives the longest; false: none is lent. */
static bool
longest_loan(const struct settings *settings, struct loan *ret)
{
	struct loan loan;
	size_t at = 0;

	ret->ttl_ms = 0;
	while (loan_next(settings, &at, &loan))
		if (loan.ttl_ms > ret->ttl_ms)
			*ret = loan;
	return ret->ttl_ms > 0;
}

static const char *
role_of(const struct asking *a)
{
	return a->doctor->settings->vault.token_role;
}

/* right: what of the role to write. */
static bool
tell_differs(const struct asking *a, enum doctor_level level, const char *what, const char *right)
{
	doctor_say(a->doctor, DOCTOR_VAULT, level, "Vault: role %s: %s: vault write " ROLE "%s %s",
	    role_of(a), what, role_of(a), right);
	return false;
}

/* True: they allow what is lent, and nothing besides. */
static bool
check_policies(const struct asking *a, const struct vault_role *role)
{
	bool ok = true;

	if (!role->has_glob_alone)
		ok = tell_differs(a, DOCTOR_ERROR,
		    "allowed_policies_glob is not " GLOB
		    " alone, so that it makes tokens for more than what is lent, or none for that",
		    "allowed_policies_glob='" GLOB "'");
	if (role->has_policies)
		ok = tell_differs(a, DOCTOR_ERROR,
		    "allowed_policies allows policies besides " GLOB
		    ", so that it makes tokens for more than what is lent",
		    "allowed_policies=''");
	if (role->adds_default)
		ok = tell_differs(a, DOCTOR_WARNING,
		    "token_no_default_policy is false, so that what is lent may do what Vault's policy \"default\" says, too",
		    "token_no_default_policy=true");
	return ok;
}

/* True: what is lent lives for as long as the settings say. */
static bool
check_life(const struct asking *a, const struct vault_role *role, const struct loan *loan)
{
	char has[TEXT_DURATION_SIZE], wants[TEXT_DURATION_SIZE], what[256], right[64];
	bool ok = true;

	if (role->period_s > 0) {
		(void)snprintf(what, sizeof(what),
		    "token_period is %s, and what is lent lives no longer than that",
		    text_duration(has, role->period_s * 1000));
		ok = tell_differs(a, DOCTOR_WARNING, what, "token_period=0");
	}
	if (role->longest_s > 0 && role->longest_s < loan->ttl_ms / 1000) {
		(void)snprintf(what, sizeof(what),
		    "token_explicit_max_ttl is %s, and the loan of %s lives no longer than that instead of %s",
		    text_duration(has, role->longest_s * 1000), loan->id,
		    text_duration(wants, loan->ttl_ms));
		(void)snprintf(right, sizeof(right), "token_explicit_max_ttl=%" PRId64 "s",
		    loan->ttl_ms / 1000);
		ok = tell_differs(a, DOCTOR_WARNING, what, right);
	}
	return ok;
}

/* True: nothing of it differs from what is needed. */
static bool
check_role(const struct asking *a, const struct vault_role *role, const struct loan *loan)
{
	bool ok = true;

	if (!role->is_orphan)
		ok = tell_differs(a, DOCTOR_ERROR,
		    "orphan is false, so that what is lent ends with our own token", "orphan=true");
	if (role->is_batch)
		ok = tell_differs(a, DOCTOR_ERROR,
		    "token_type is batch, of which none can be revoked, so that none is lent",
		    "token_type=service");
	ok &= check_policies(a, role);
	return check_life(a, role, loan) && ok;
}

static void
tell_no_role(const struct asking *a, const struct loan *loan)
{
	char ttl[32];

	(void)snprintf(ttl, sizeof(ttl), "%" PRId64 "s", loan->ttl_ms / 1000);
	TELL(a->doctor, VAULT, ERROR,
	    "Vault: no role %s is there (VAULT_TOKEN_ROLE), and nothing is lent: vault write auth/token/roles/%s allowed_policies_glob='deploybot-secret-*' orphan=true renewable=false token_no_default_policy=true token_type=service token_explicit_max_ttl=%s",
	    role_of(a), role_of(a), ttl);
}

static void
tell_hidden_role(const struct asking *a)
{
	TELL(a->doctor, VAULT, NOTE,
	    "Vault: our own policy may not read role %s, which is not looked at; for that it needs: path \"auth/token/roles/%s\" { capabilities = [\"read\"] }",
	    role_of(a), role_of(a));
}

/* What the server reads it sees. */
static void
tell_values(struct doctor *doctor)
{
	struct loan loan;

	for (size_t at = 0; loan_next(doctor->settings, &at, &loan);)
		if (loan.is_value)
			TELL(doctor, VAULT, NOTE,
			    "Vault: secret %s delivers its value: the server reads it by the lent policy, and sees it; a job that reaches Vault needs SECRET_<NAME>_DELIVERS=token",
			    loan.id);
}

/* --- the questions, one behind the other --- */

static void
on_ended(void *ctx, UNUSED const struct vault_answer *answer, UNUSED const struct json *body)
{
	struct asking *a = ctx;

	a->call = NULL; /* a token that Vault would not end ends by itself */
	doctor_answered(a->doctor);
}

/* A login of doctor's own: nobody else has its token.  VAULT_TOKEN is that of the server. */
static void
end_login(struct asking *a)
{
	struct err err;

	if (a->doctor->settings->vault.role_id == NULL)
		return;
	a->call = vault_start(a->vault,
	    &(struct vault_request){
		.path = "auth/token/revoke-self", .method = "POST", .on_done = on_ended, .ctx = a },
	    &err);
	if (a->call != NULL)
		doctor_asked(a->doctor);
}

/* Our token is good. */
static void
finish(struct asking *a, const char *role)
{
	tell_token(a, role);
	end_login(a);
}

static void
on_secrets(void *ctx, const char good[DOCTOR_VAULT_GOOD])
{
	struct asking *a = ctx;
	char whole[LIMIT_LINE + DOCTOR_VAULT_GOOD];

	(void)snprintf(whole, sizeof(whole), "%s%s", a->good, good);
	finish(a, whole);
}

static void
on_role(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct asking *a = ctx;
	struct vault_role role;
	struct loan loan;
	struct err err;
	bool lends = answer->verdict == VAULT_FORBIDDEN || answer->verdict == VAULT_DONE;

	a->call = NULL;
	(void)longest_loan(a->doctor->settings, &loan); /* there is one */
	if (answer->verdict == VAULT_NOT_FOUND)
		tell_no_role(a, &loan);
	else if (answer->verdict == VAULT_FORBIDDEN)
		tell_hidden_role(a);
	else if (answer->verdict != VAULT_DONE)
		tell_failure(a, answer);
	else if (!vault_read_role(body, GLOB, &role, &err))
		tell_strange(a, err.text);
	else if (check_role(a, &role, &loan))
		(void)snprintf(
		    a->good, sizeof(a->good), "; role %s: orphan, " GLOB " alone", role_of(a));
	if (lends || answer->verdict == VAULT_NOT_FOUND)
		a->secrets = doctor_vault_secrets_start(a->doctor, a->vault,
		    lends && !(answer->verdict == VAULT_DONE && role.is_batch), on_secrets, a);
	else
		finish(a, a->good);
	doctor_answered(a->doctor);
}

static bool
ask(struct asking *a, const char *path, bool is_anonymous, vault_done_fn *on_done)
{
	struct err err;

	a->call = vault_start(a->vault,
	    &(struct vault_request){
		.path = path, .is_anonymous = is_anonymous, .on_done = on_done, .ctx = a },
	    &err);
	if (a->call != NULL)
		doctor_asked(a->doctor);
	else if (err.code == ERR_DENIED) /* our login was refused meanwhile */
		tell_refused(a, err.text);
	else
		TELL(a->doctor, VAULT, ERROR,
		    "Vault: %s cannot be asked: %s: look at VAULT_CA_FILE", a->place, err.text);
	return a->call != NULL;
}

/* False: secrets are not lent, or their role cannot be asked for. */
static bool
ask_role(struct asking *a)
{
	char path[VAULT_PATH];
	struct loan loan;

	(void)snprintf(path, sizeof(path), ROLE "%s", role_of(a));
	return longest_loan(a->doctor->settings, &loan) && ask(a, path, false, on_role);
}

static void
on_looked(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct asking *a = ctx;
	struct err err;

	a->call = NULL;
	if (answer->verdict != VAULT_DONE) {
		tell_failure(a, answer);
		if (answer->verdict == VAULT_FORBIDDEN)
			end_login(a);
	} else if (!vault_read_lookup(body, &a->token, &err)) {
		TELL(
		    a->doctor, VAULT, ERROR, "Vault: %s: %s: is that a Vault?", a->place, err.text);
		end_login(a);
	} else if (!ask_role(a)) {
		finish(a, "");
	}
	doctor_answered(a->doctor);
}

static void
on_health(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct asking *a = ctx;
	struct err err;
	bool goes_on = answer->verdict == VAULT_STANDBY;

	a->call = NULL;
	if (answer->verdict == VAULT_DONE)
		goes_on = vault_read_health(body, &a->health, &err) && tell_health(a);
	else if (answer->verdict == VAULT_STANDBY)
		a->health.is_standby = true;
	else if (answer->verdict == VAULT_FORBIDDEN)
		tell_strange(a, answer->detail);
	else
		tell_failure(a, answer);
	tell_clock(a, answer);
	if (goes_on)
		(void)ask(a, "auth/token/lookup-self", false, on_looked); /* it has said why not */
	doctor_answered(a->doctor);
}

static void
end(void *ctx)
{
	struct asking *a = ctx;

	doctor_vault_secrets_free(a->secrets);
	vault_cancel(a->call);
	vault_free(a->vault);
	free(a);
}

void
doctor_vault(struct doctor *doctor)
{
	struct asking *a;

	if (doctor->settings->vault.address == NULL)
		return;
	log_set_level(LOG_LEVEL_ERROR); /* what the client would log of it is a finding here */
	tell_values(doctor);
	a = mem_new(1, sizeof(*a));
	a->doctor = doctor;
	(void)url_place(doctor->settings->vault.address, a->place);
	a->vault = vault_new(doctor->loop, doctor->settings);
	doctor_at_end(doctor, end, a);
	(void)ask(a, VAULT_HEALTH, true, on_health); /* it has said why not */
}
