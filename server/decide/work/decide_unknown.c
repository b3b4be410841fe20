/* decide_unknown.c - what runs in an environment is not known, until somebody has looked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_unknown.h"

#include "chat/chat_hosts.h"
#include "chat/chat_status.h"
#include "decide/work/decide_deployment.h"
#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_trouble.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_button.h"
#include "store/row_host_list.h"

/* In the team's chat, or to each who could act there: who is to look reads that one. */
static void
notify(struct tx *tx, const char *name)
{
	struct environment environment;
	int64_t chats[DECIDE_WHOM_ALL];
	size_t n = decide_whom_news(tx, name, chats);

	row_environment_get(tx, name, &environment);
	for (size_t i = 0; i < n; i++) {
		struct message as = { .address.chat = chats[i], .is_alarm = true };
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_unknown_alarm(&text, &environment, tx->settings->host,
		    settings_text(settings_of(tx->settings, name), SETTING_RUNBOOK_URL), tx->at);
		decide_trouble_buttons(tx, name, chats[i], true, &as.buttons);
		(void)decide_send_as(tx, &as, &text);
	}
}

/* What they read did not say it: they ask again, and are shown it. */
static void
refuse_questions(struct tx *tx, const char *environment)
{
	struct deployment asked;

	row_deployment_chat_question(tx, environment, &asked);
	while (asked.id != 0 && !tx->failed) {
		asked.why = DEPLOY_WHY_REFUSED;
		text_set(asked.detail, "what runs there is not known any more: ask again");
		(void)decide_step(tx, &asked, DEPLOY_ON_REFUSE, NULL);
		row_deployment_chat_question(tx, environment, &asked);
	}
}

static void
audit(struct tx *tx, const char *environment, enum audit_code code, const char *user,
    const char *name, const char *why)
{
	bool is_known = code == AUDIT_CODE_STATE_KNOWN;

	decide_audit(tx, code, user, environment, is_known ? "known" : "unknown",
	    (const char *const[]){ "why", why, "host", tx->settings->host, "name", name, NULL });
}

static void
doubt(struct tx *tx, const char *environment, const char *why)
{
	row_environment_set_unknown(tx, environment, why);
	audit(tx, environment, AUDIT_CODE_STATE_UNKNOWN, "system", "", why);
	tx_log(tx, LOG_LEVEL_ERROR, "%s: what runs there is not known: %s", environment, why);
	refuse_questions(tx, environment);
}

void
decide_unknown_mixed(struct tx *tx, const char *environment, const char *why)
{
	row_button_close(tx, "looked", environment);
	doubt(tx, environment, why);
}

void
decide_unknown(struct tx *tx, const char *environment, const char *why)
{
	decide_unknown_mixed(tx, environment, why);
	if (settings_environment(tx->settings, environment) != NULL)
		notify(tx, environment); /* else nothing starts there anyway */
}

void
decide_unknown_left(struct tx *tx, const struct deployment *deployment, const char *why)
{
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	if (environment.unknown_since != 0 && environment.unknown_since >= deployment->started_at)
		doubt(tx, deployment->environment, why);
	else
		decide_unknown(tx, deployment->environment, why);
}

void
decide_unknown_again(struct tx *tx, const char *environment)
{
	const struct request looked = request_of("looked", environment);
	int64_t chats[DECIDE_WHOM_ALL];
	size_t n = decide_whom_news(tx, environment, chats);
	bool is_said = false;

	for (size_t i = 0; i < n && !is_said; i++)
		is_said = row_button_find(tx, &looked, chats[i]).id[0] != '\0';
	if (settings_environment(tx->settings, environment) != NULL &&
	    row_environment_get(tx, environment, &(struct environment){ 0 })->unknown_since != 0 &&
	    !is_said)
		notify(tx, environment);
}

void
decide_looked(struct tx *tx, const struct update *update, const char *name)
{
	struct environment environment;
	struct host_mix hosts;
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_environment_get(tx, name, &environment);
	row_environment_set_known(tx, name);
	row_button_close(tx, "looked", name);
	audit(tx, name, AUDIT_CODE_STATE_KNOWN, decide_user_here(tx, update->person), update->name,
	    environment.unknown_why);
	/* As its beginning has rung, it begins with whether that is over. */
	chat_first(&text, environment.is_down ? FIRST_LOOKED_AT_DOWN : FIRST_LOOKED_AT, name);
	chat_text_outside(&text, "queue resumed by ", update->name);
	chat_text_add(&text, ": deployments go on.");
	row_host_mix(tx, name, &hosts);
	chat_host_mix(&text, "\n⚠️ its hosts run different releases: ", &hosts);
	decide_send_team(tx, name, &text);
	decide_queue(tx, name);
}
