/* doctor_vault.c - is Vault unsealed, and is our own token good?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "clients/vault.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"
#include "types/settings.h"

#define SKEW_S 20

struct asking {
	struct doctor *doctor;
	struct vault *vault;
	struct vault_call *call; /* NULL: nothing is asked */
	char place[URL_PLACE];
	struct vault_health health;
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

static void
tell_token(const struct asking *a, const struct vault_token *token)
{
	const struct settings_vault *settings = &a->doctor->settings->vault;
	char left[TEXT_DURATION_SIZE] = "";
	bool ends = token->ttl_s > 0;

	if (ends)
		(void)text_duration(left, token->ttl_s * 1000);
	TELL(a->doctor, VAULT, OK, "Vault: %s%sunsealed%s, token %s%s", a->health.version,
	    a->health.version[0] != '\0' ? ", " : "",
	    a->health.is_standby ? " (a standby, which asks the active node)" : "",
	    ends ? "ends in " : "does not end", left);
	if (settings->role_id == NULL && ends && !token->is_renewable)
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: VAULT_TOKEN cannot be renewed and ends in %s: put a periodic one there, or a VAULT_ROLE_ID",
		    left);
	if (token->is_root)
		TELL(a->doctor, VAULT, WARNING,
		    "Vault: VAULT_TOKEN may do everything at Vault (policy root): put one there that may do what deploybot needs");
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

static void
on_looked(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct asking *a = ctx;
	struct vault_token token;
	struct err err;

	a->call = NULL;
	if (answer->verdict != VAULT_DONE)
		tell_failure(a, answer);
	else if (vault_read_lookup(body, &token, &err))
		tell_token(a, &token);
	else
		TELL(
		    a->doctor, VAULT, ERROR, "Vault: %s: %s: is that a Vault?", a->place, err.text);
	if (answer->verdict == VAULT_DONE || answer->verdict == VAULT_FORBIDDEN)
		end_login(a);
	doctor_answered(a->doctor);
}

static void
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
		ask(a, "auth/token/lookup-self", false, on_looked);
	doctor_answered(a->doctor);
}

static void
end(void *ctx)
{
	struct asking *a = ctx;

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
	a = mem_new(1, sizeof(*a));
	a->doctor = doctor;
	(void)url_place(doctor->settings->vault.address, a->place);
	a->vault = vault_new(doctor->loop, doctor->settings);
	doctor_at_end(doctor, end, a);
	ask(a, VAULT_HEALTH, true, on_health);
}
