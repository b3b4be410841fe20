/* decide_line.c - the five checks of an APPROVE line, and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_line.h"

#include "decide/who/decide_allowed.h"
#include "decide/approval/decide_approval.h"
#include "decide/work/decide_do.h"
#include "decide/factor/decide_factor_try.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_deployment.h"
#include "store/row_nonce.h"

#define WHAT "approve line" /* as the audit calls it */

_Static_assert(APPROVE_NONCE_SIZE == ROW_NONCE_SIZE, "a nonce of a line has room in a row");
#define COST 1 /* in tenths: of /do, whose other way in this is */
_Static_assert(LIMIT_LINE_IN > APPROVE_LINE_SIZE, "a line that is too long is seen to be");
_Static_assert(LIMIT_COPY >= APPROVE_LINE_SIZE, "a button has room for a line");

/* REASON(name, of the audit, for people) */
/* clang-format off */
#define REASONS(REASON) \
	REASON(FORM, "its form", "") \
	REASON(ACTION, "not theirs", \
	    "no such action on such a client that you may do: /do shows yours") \
	REASON(ARGUMENT, "its argument", \
	    "this action needs more words than the line has: type it with /do") \
	REASON(OLD, "ts", \
	    "its ts is more than 5 minutes ago: press New line, or /pending gives a line of now") \
	REASON(BEFORE, "ts", \
	    "it was changed and asked again since: press New line, or /pending gives one") \
	REASON(EARLY, "ts", "its ts is more than 5 minutes ahead of this server: make a new line") \
	REASON(USED, "nonce", \
	    "its nonce was used already: use the button of a request, else a new nonce") \
	REASON(OTHERS, "nonce", "its nonce is of a request for something else: copy it again") \
	REASON(OVER, "nonce", "its nonce is of a request that awaits no approval any more") \
	REASON(OTP, "otp", "")
/* clang-format on */

enum reason {
	ACCEPTED,
#define REASON(name, audit, words) REFUSED_##name,
	REASONS(REASON)
#undef REASON
};

static const struct {
	const char *audit;
	const char *words;
} reasons[] = { [ACCEPTED] = { "", "" },
#define REASON(name, audit, words) [REFUSED_##name] = { audit, words },
	REASONS(REASON)
#undef REASON
};

static size_t
size_of(const struct update *update)
{
	return update->raw_size < sizeof(update->raw) ? update->raw_size : sizeof(update->raw);
}

/* Words of ours alone: nothing of what was sent. */
static void
refuse(struct tx *tx, const struct update *update, enum reason reason, const char *words)
{
	char why[48];

	text_setf(why, "not accepted: %s", reasons[reason].audit);
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED_LINE, WHAT, "", why);
	(void)decide_sendf(tx, &update->address, "⛔ APPROVE line not accepted: %s.",
	    words[0] != '\0' ? words : reasons[reason].words);
}

/* --- the checks, in their order --- */

static bool
is_read(struct tx *tx, const struct update *update, struct approve_line *line)
{
	struct approve_fault fault;
	char why[APPROVE_WHY_SIZE];

	if (approve_line_parse(update->raw, size_of(update), line, &fault))
		return true;
	refuse(tx, update, REFUSED_FORM, approve_line_why(&fault, why));
	return false;
}

/* What a line is about, as the rows and settings have it. */
struct wanted {
	struct approve_line line;
	const struct action *action;
	struct deployment request; /* that its nonce was made for; id 0: none */
};

/* A client that is not there and one that is not theirs are alike. */
static enum reason
check_action(struct tx *tx, const struct update *update, struct wanted *w)
{
	const struct client_settings *client = settings_client(tx->settings, w->line.client);
	const struct action *action = action_find(w->line.action);

	if (action == NULL)
		return REFUSED_ACTION;
	if (!action_fits_line(action))
		return REFUSED_ARGUMENT;
	w->action = action;
	if (client == NULL || (client->actions & action_bit(action)) == 0)
		return REFUSED_ACTION;
	/* Who may approve it need not be who may do it. */
	return decide_is_allowed_do(tx, update->person, action->name, client->as.name) ||
		(w->request.id != 0 &&
		    decide_is_allowed(tx, update->person, POLICY_APPROVE, client->as.name)) ?
	    ACCEPTED :
	    REFUSED_ACTION;
}

static enum reason
check_ts(struct tx *tx, UNUSED const struct update *update, struct wanted *w)
{
	const struct approve_line *line = &w->line;
	int64_t now = tx->at / 1000;

	if (line->ts > now + DECIDE_LINE_SECONDS)
		return REFUSED_EARLY;
	/* What was purged is not known any more: its nonces may have been said. */
	return line->ts < now - DECIDE_LINE_SECONDS || line->ts <= row_nonce_purged(tx) ?
	    REFUSED_OLD :
	    ACCEPTED;
}

static enum reason
check_nonce(struct tx *tx, const struct update *update, struct wanted *w)
{
	const struct deployment *request = &w->request;
	struct approval_request asked;

	if (row_nonce_is_used(tx, w->line.nonce, update->person, request->id != 0))
		return REFUSED_USED;
	if (request->id == 0)
		return ACCEPTED;
	if (strcmp(request->action, w->line.action) != 0 ||
	    strcmp(request->client, w->line.client) != 0)
		return REFUSED_OTHERS;
	if (request->state != DEPLOY_AWAITING_APPROVAL)
		return REFUSED_OVER;
	row_approval_request(tx, request->id, &asked);
	return w->line.ts < asked.asked_at / 1000 ? REFUSED_BEFORE : ACCEPTED;
}

typedef enum reason check_fn(struct tx *tx, const struct update *update, struct wanted *w);

/* Behind its form, in their order; the code is the last of all: a wrong one costs no nonce. */
static check_fn *const checks[] = { check_action, check_ts, check_nonce };

/* --- what it asks for --- */

/* Its sender's one approval of that request.  Returns its number; 0: it is none, which was said. */
static int64_t
approve(struct tx *tx, const struct update *update, struct deployment *request)
{
	if (row_approval_is_of(tx, request->id, update->person)) {
		refuse(tx, update, REFUSED_USED, "you have approved that request already");
		return 0;
	}
	decide_approve(tx, update, request, false); /* its ts says which */
	return row_approval_is_of(tx, request->id, update->person) ? request->id : 0;
}

static void
carry_out(struct tx *tx, const struct update *update, void *arg)
{
	const struct wanted *w = arg;
	CLEANUP(freep) struct deployment *request = mem_copy(&w->request, sizeof(*request));
	bool is_requests = request->id != 0;
	int64_t work;

	if (!is_requests && !decide_can_pay(tx, update, "do", COST))
		return;
	work = is_requests ? approve(tx, update, request) :
			     decide_do(tx, update, w->action, w->line.client, "", DO_IS_CONFIRMED);
	if (!is_requests && work != 0)
		decide_pay(tx, update, COST);
	if (work != 0)
		row_nonce_add(tx,
		    &(struct nonce_use){ .nonce = w->line.nonce,
			.person = update->person,
			.ts = w->line.ts,
			.work = work,
			.is_requests = is_requests });
}

/* A code that is given is taken for what is done, whether one is needed or not: it counts once. */
static void
carry_out_with(struct tx *tx, const struct update *update, struct wanted *w)
{
	char why[LIMIT_LINE], words[LIMIT_LINE + 8];

	if (decide_factor_try(tx, update, carry_out, w) != FACTOR_WANTED)
		return;
	if (decide_factor_give(tx, update, w->line.otp, why)) {
		carry_out(tx, update, w);
		return;
	}
	text_setf(words, "otp: %s", why);
	refuse(tx, update, REFUSED_OTP, words);
}

static void
decide(struct tx *tx, const struct update *update)
{
	enum reason reason = ACCEPTED;
	struct wanted w = { 0 };

	if (!is_read(tx, update, &w.line))
		return;
	row_deployment_get(tx, row_nonce_work(tx, w.line.nonce), &w.request);
	for (size_t i = 0; i < COUNT(checks) && reason == ACCEPTED; i++)
		reason = checks[i](tx, update, &w);
	if (reason != ACCEPTED)
		refuse(tx, update, reason, "");
	else if (w.line.otp[0] == '\0')
		carry_out(tx, update, &w);
	else
		carry_out_with(tx, update, &w);
	crypto_wipe(w.line.otp, sizeof(w.line.otp));
}

bool
decide_line(struct tx *tx, const struct update *update)
{
	if (!approve_line_is_meant(update->raw, size_of(update)))
		return false;
	if (decide_is_too_fast(tx, update, WHAT, false))
		return true;
	if (decide_is_stranger(tx, update->person))
		decide_audit_denied(tx, update, AUDIT_CODE_DENIED, WHAT, "", "has no role");
	else
		decide(tx, update);
	return true;
}

bool
decide_line_refused(struct tx *tx, const struct update *update)
{
	if (update->kind != UPDATE_TEXT || !approve_line_is_meant(update->raw, size_of(update)))
		return false;
	if (decide_is_too_fast(tx, update, WHAT, false))
		return true;
	decide_audit_denied(
	    tx, update, AUDIT_CODE_DENIED_LINE, WHAT, "", update_refusal_words(update->refusal));
	if ((update->refusal == UPDATE_REFUSED_FORWARDED ||
		update->refusal == UPDATE_REFUSED_EDITED ||
		update->refusal == UPDATE_REFUSED_CAPTION) &&
	    !decide_is_stranger(tx, update->person))
		(void)decide_sendf(tx, &update->address,
		    "⛔ APPROVE line not accepted: %s: send the line yourself, as a message of its own.",
		    update_refusal_words(update->refusal));
	return true;
}
