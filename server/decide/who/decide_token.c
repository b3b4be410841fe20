/* decide_token.c - tokens are made, listed and revoked, and open /v1.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_token.h"

#include <stdio.h>
#include <stdlib.h>

#include "decide/who/decide_allowed.h"
#include "decide/factor/decide_factor.h"
#include "decide/decide_limit.h"
#include "decide/factor/decide_lacks.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"
#include "decide/who/decide_principal.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_grant_use.h"
#include "store/row_rate_limit.h"
#include "store/row_stranger.h"

#define MINUTE_MS    (60 * INT64_C(1000))
#define HOUR_MS	     (60 * MINUTE_MS)
#define DAY_MS	     (24 * HOUR_MS)
#define EXPIRES_MOST (366 * DAY_MS)
#define TRIES	     5 /* that are an entry each, in an hour */

/* Of "90d", "12h", "30m" or "2027-01-31", which it is valid on; 0: of none, or of too far away. */
static int64_t
expiry_of(const struct tx *tx, const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "m", MINUTE_MS }, { "h", HOUR_MS }, { "d", DAY_MS } };
	size_t size = strspn(text, "0123456789");
	char number[8] = "";
	int64_t n, ms = 0;
	struct zone_time date;

	if (zone_date_parse(text, &date)) {
		ms = zone_date_end(tx->settings->zone, &date) - tx->at;
	} else if (size < sizeof(number)) {
		memcpy(number, text, size);
		for (size_t i = 0; i < COUNT(units); i++)
			if (strcmp(text + size, units[i].unit) == 0 &&
			    text_to_i64(number, 1, 999999, &n, NULL))
				ms = n * units[i].ms;
	}
	return ms > 0 && ms <= EXPIRES_MOST ? tx->at + ms : 0;
}

/* "shop:lead"; a bare name that only an application has is taken for its role, and said as that.
 * False: there is none, which was said. */
static bool
find_role(struct tx *tx, const char *text, struct token *token)
{
	const struct roles *roles = tx->settings->roles;
	size_t found = 0;

	if (roles_named(roles, text, &found) == ROLES_SEVERAL)
		decide_refusef(tx, 409,
		    "several applications have a role of that name: write --role APPLICATION:%.20s",
		    text);
	else if (found == 0)
		decide_refusef(tx, 409, "there is no such role: see ROLE_<NAME>_MAY");
	else
		return text_copy(token->application, sizeof(token->application),
			   roles->role[found - 1].application) &&
		    text_copy(token->role, sizeof(token->role), roles->role[found - 1].name);
	return false;
}

/* What is wrong with it was said. */
static bool
check(struct tx *tx, const struct api_request *api, struct token *token)
{
	char name[LIMIT_REF], role[LIMIT_REF], expires[LIMIT_REF];

	(void)request_get(&api->request, "name", name);
	(void)request_get(&api->request, "role", role);
	(void)request_get(&api->request, "expires", expires);
	token->expires_at = expiry_of(tx, expires);
	if (!token_is_name(name))
		decide_refusef(tx, 400,
		    "a name: letters a-z, digits and -, %d at most, a letter first",
		    TOKEN_NAME - 1);
	else if (!find_role(tx, role, token))
		return false;
	else if (token->expires_at == 0)
		decide_refusef(tx, 400,
		    "--expires: a time of at most 366 days, as 90d or 12h, or the last day, as 2027-01-31");
	else if (row_token_named(tx, name).id != 0)
		decide_refusef(
		    tx, 409, "there is a token of that name: deploybot token revoke %s", name);
	else
		return text_copy(token->name, sizeof(token->name), name);
	return false;
}

static bool
is_full(struct tx *tx)
{
	CLEANUP(freep) struct token *all = mem_new(ROW_TOKEN_LIST, sizeof(*all));

	return row_token_list(tx, all) >= ROW_TOKEN_LIST;
}

/* Nobody gives away what they have not. */
static bool
has_role(struct tx *tx, const struct api_request *api, const struct token *token)
{
	size_t role = row_token_role(tx->settings, token);

	if (role != 0 &&
	    policy_has_role(tx->settings, decide_principal(tx, api->from.person), role, tx->at))
		return true;
	decide_deny(tx, &api->from, POLICY_TOKEN, "", "token",
	    "a token has a role that you have yourself, or you are an admin");
	return false;
}

static void
put_token(struct json_out *json, const struct token *token)
{
	char at[TEXT_TIME_SIZE], role[ROLE_TEXT];

	json_put_str(json, "name", token->name);
	json_put_str(json, "role", row_token_role_text(token, role));
	json_put_str(json, "expires_at", text_time_ms(at, token->expires_at));
}

static void
add(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct token token = { .made_at = tx->at, .made_by = api->from.person };
	char what[TOKEN_NAME + 16], text[TOKEN_TEXT], until[ZONE_DATE], role[ROLE_TEXT];
	uint8_t bytes[TOKEN_BYTES];

	if (!check(tx, api, &token) || !has_role(tx, api, &token))
		return;
	token.expires_at =
	    row_token_end(tx->settings, &token).at; /* with its maker at the latest */
	text_setf(what, "token add %s", token.name);
	if (policy_needs_factor(tx->settings, POLICY_TOKEN, "", POLICY_ALL) &&
	    decide_lacks_factor_for(tx, &api->from, what))
		return;
	if (is_full(tx)) {
		decide_refusef(
		    tx, 409, "there are %d tokens, which is the most: revoke one", ROW_TOKEN_LIST);
		return;
	}
	text_set(token.by, api->from.name);
	tx_draw(tx, bytes, sizeof(bytes));
	token_text(bytes, text);
	token.id = row_token_add(tx, &token, text);
	json_put_str(json, "token", text);
	put_token(json, &token);
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(text, sizeof(text));
	(void)row_token_role_text(&token, role);
	decide_token_audit(tx, &api->from, AUDIT_CODE_TOKEN_MADE, &token, role);
	decide_factor_tell(tx, 0,
	    "🔐 Token made: " MARK_BOLD "%s" MARK_BOLD
	    " with the role %s, valid until %s. Was it not you? " MARK_CODE
	    "deploybot token revoke %s" MARK_CODE " on the server ends it.",
	    token.name, role, zone_date_text(tx->settings->zone, token.expires_at - 1, until),
	    token.name);
	decide_sessions_look(tx); /* from now on its end is waited for */
	decide_answer(tx, "Made. It is not shown again.");
}

void
decide_token_revoke(struct tx *tx, struct token *token, const char *why)
{
	token->revoked_at = tx->at;
	text_set(token->revoked_why, why);
	row_token_save(tx, token);
	decide_sessions_look(tx);
}

static bool
is_on(struct tx *tx)
{
	if (tx->settings->auth_token_secret != NULL)
		return true;
	decide_refusef(tx, 409, "ENABLE_TOKEN_AUTH is false: no token is valid, and none is made");
	return false;
}

/* One that they have made themselves, or that is their account's. */
static bool
is_own(const struct api_request *api, const struct token *token)
{
	int64_t person = api->from.person;

	return token->id != 0 && (token->made_by == person || token->person == person);
}

/* A token is the server's: who has that grant sees all of them, all others their own. */
static bool
may_see(struct tx *tx, const struct api_request *api, const struct token *token)
{
	bool is_allowed = decide_is_allowed(tx, api->from.person, POLICY_TOKEN, POLICY_ALL);

	if (is_allowed)
		row_grant_use_note(tx, api->from.person, policy_action_word(POLICY_TOKEN));
	return is_allowed || is_own(api, token);
}

static void
deny(struct tx *tx, const struct api_request *api)
{
	decide_deny(tx, &api->from, POLICY_TOKEN, "", "token",
	    policy_decide(tx->settings, decide_principal(tx, api->from.person), POLICY_TOKEN,
		POLICY_ALL, tx->at)
		.reason);
}

/* One's own; of others one whose role one has oneself, an admin each.  Asks for no code: with one
 * it would be too late. */
static void
revoke(struct tx *tx, const struct api_request *api)
{
	char name[LIMIT_REF];
	struct token token = row_token_named(tx, request_get(&api->request, "name", name));

	if (!may_see(tx, api, &token)) {
		deny(tx, api);
		return;
	}
	if (!is_on(tx))
		return;
	if (token.id == 0) {
		decide_refusef(tx, 404, "there is no token of that name: deploybot token list");
		return;
	}
	if (!is_own(api, &token) && !has_role(tx, api, &token))
		return;
	decide_token_audit(tx, &api->from, AUDIT_CODE_TOKEN_REVOKED, &token, "at their word");
	decide_token_revoke(tx, &token, "at their word");
	decide_answer(tx, "Revoked: it is valid no more, and logins by it have ended.");
}

void
decide_token(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	const char *word = api->request.action;

	if (decide_is_too_fast(tx, &api->from, "token", false))
		return;
	if (strcmp(word, "revoke") == 0) {
		revoke(tx, api);
	} else if (decide_may(tx, &api->from, POLICY_TOKEN, POLICY_ALL) && is_on(tx)) {
		if (strcmp(word, "add") == 0)
			add(tx, api, json);
		else
			decide_refusef(tx, 400, "expected add or revoke");
	}
}

static void
put_listed(struct tx *tx, const struct token *token, struct json_out *json)
{
	char at[TEXT_TIME_SIZE], user[PRINCIPAL_TEXT];
	enum token_fault fault = row_token_fault(tx->settings, token, tx->at);

	json_out_object(json);
	put_token(json, token);
	json_put_str(json, "made_at", text_time_ms(at, token->made_at));
	json_put_str(json, "made_by", decide_user(tx, token->made_by, user));
	json_put_time(json, "used_at", token->used_at);
	json_put_str(
	    json, "account", token->person == 0 ? NULL : decide_user(tx, token->person, user));
	json_put_bool(json, "is_valid", fault == TOKEN_GOOD);
	json_put_str(json, "why", fault == TOKEN_GOOD ? NULL : token_fault_rows[fault].login);
	json_out_end(json);
}

void
decide_token_list(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	CLEANUP(freep) struct token *all = NULL;
	size_t n, n_seen = 0;

	if (decide_is_too_fast(tx, &api->from, "token", false))
		return;
	all = mem_new(ROW_TOKEN_LIST, sizeof(*all));
	n = row_token_list(tx, all);
	for (size_t i = 0; i < n; i++)
		if (may_see(tx, api, &all[i]))
			all[n_seen++] = all[i];
	if (n_seen == 0 && !may_see(tx, api, &(struct token){ .id = 0 })) {
		deny(tx, api);
	} else if (is_on(tx)) {
		json_put_open(json, "tokens", '[');
		for (size_t i = 0; i < n_seen; i++)
			put_listed(tx, &all[i], json);
		json_out_end(json);
	}
}

/* --- what a token opens --- */

const char *
decide_token_fault(const struct tx *tx, const struct token *token)
{
	enum token_fault fault = row_token_fault(tx->settings, token, tx->at);

	return fault == TOKEN_GOOD ? NULL : token_fault_rows[fault].what;
}

/* Anybody can try, as often as the network lets them. */
static void
note_failed(
    struct tx *tx, const struct api_request *api, const struct token *token, const char *why)
{
	char user[PRINCIPAL_TEXT] = "api", input[ROW_STRANGER_INPUT];
	const struct audit_entry entry = {
		.code = AUDIT_CODE_TOKEN_REFUSED,
		.user = user,
		.outcome = "denied",
	};
	const char *const meta[] = { "reason", why, "client", api->client, NULL };

	if (token->id != 0)
		(void)decide_user(tx, principal_of_token(token->id), user);
	text_setf(input, "%s: %s", user, why);
	if (row_rate_limit_take(tx, TRIES, HOUR_MS / TRIES, "%s", input))
		row_audit_add(tx, &entry, meta);
	else
		row_stranger_audit(tx, input, 1, api->client, &entry, meta);
}

bool
decide_token_enter(struct tx *tx, struct api_request *api)
{
	struct token token = row_token_find(tx, api->from.token);
	const char *why = decide_token_fault(tx, &token);

	if (why != NULL) {
		note_failed(tx, api, &token, why);
		decide_refusef(tx, 401,
		    "%s: make one with deploybot token add, and send it as Authorization: Bearer",
		    why);
		return false;
	}
	api->from.person = principal_of_token(token.id);
	text_setf(api->from.name, "token:%s", token.name);
	if (tx->at - token.used_at >= MINUTE_MS)
		row_token_use(tx, &token);
	return true;
}

bool
decide_token_leaked(struct tx *tx, const struct update *update, struct token *ret)
{
	*ret = (struct token){ 0 };
	if (update->token[0] == '\0' || update->is_private) /* to another bot too */
		return false;
	*ret = row_token_find(tx, update->token);
	if (ret->id == 0 || ret->revoked_at != 0)
		return false;
	decide_token_audit(tx, update, AUDIT_CODE_TOKEN_LEAKED, ret, "typed in a group");
	decide_token_revoke(tx, ret, "typed in a group");
	decide_factor_tell(tx, 0,
	    "🔐 Token revoked: " MARK_BOLD "%s" MARK_BOLD
	    " was typed in a group, where others have seen it. deploybot token add makes another.",
	    ret->name);
	return true;
}
