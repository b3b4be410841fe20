/* handle_probed.c - health URLs were probed: for the health gate, or for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "decide/decide_deployment.h"
#include "decide/decide_pin.h"
#include "decide/decide_reply.h"
#include "decide/decide_status.h"
#include "handlers/handlers.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_message.h"
#include "store/row_run.h"

/* Of an installation's before there were several applications: every role sees all. */
static int64_t
who_asked(const struct tx *tx, const struct effect_probe *probe)
{
	const struct settings *settings = tx->settings;

	return probe->person != 0 || settings->application_count > 0 ? probe->person :
								       settings->admins.id[0];
}

static void
answer_status(struct tx *tx, const struct effect_probe *probe, const struct probed *probed)
{
	CLEANUP(message_done) struct message now = row_message_get(tx, probe->message);
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct update asked = { .person = who_asked(tx, probe), .address = now.address };
	struct request request = request_of("status", probe->asked);
	const struct decide_status_health health = { probe,
		probed->n == probe->n ? probed->findings : NULL };
	struct buttons buttons = { 0 };

	request_add_number(&request, "page", probe->page);
	if (!decide_status(tx, &asked, &request, &health, probe->message, &buttons, &text))
		return;
	row_button_set_message(tx, &buttons, probe->message);
	decide_change(tx, probe->message, &buttons, &text);
}

/* The target that failed most often in a row: others were called off with it.  NULL: all are
 * healthy. */
static const struct probe_finding *
worst(const struct effect_probe *probe, const struct probed *probed)
{
	static const struct probe_finding nothing = { .detail = "its health could not be checked" };
	const struct probe_finding *bad = NULL;

	if (probed->n != probe->n || probed->n == 0)
		return &nothing;
	for (size_t i = 0; i < probed->n; i++)
		if (!probed->findings[i].is_healthy &&
		    (bad == NULL || probed->findings[i].failures > bad->failures))
			bad = &probed->findings[i];
	return bad;
}

/* Where it was asked, how often, and what it said.  A URL has no password, and may have a token. */
static void
keep_answer(struct tx *tx, const struct deployment *deployment, const struct effect_probe *probe,
    const struct probed *probed, const struct probe_finding *bad)
{
	char tail[LIMIT_TAIL], tries[32] = "";
	const char *url = "";

	for (size_t i = 0; i < probe->n && probed->n == probe->n; i++)
		if (&probed->findings[i] == bad)
			url = probe->targets[i].url;
	if (url[0] == '\0')
		return;
	if (bad->failures > 0)
		(void)snprintf(tries, sizeof(tries), " (%d %s in a row)", bad->failures,
		    bad->failures == 1 ? "try" : "tries");
	(void)snprintf(tail, sizeof(tail), "%.*s: %.250s%s%s%.250s",
	    (int)strcspn(url, "?#") < 400 ? (int)strcspn(url, "?#") : 400, url, bad->detail, tries,
	    bad->answer[0] != '\0' ? "\nanswered: " : "", bad->answer);
	row_run_set_tail(tx, deployment->run, tail);
}

static void
answer_gate(struct tx *tx, const struct effect_probe *probe, const struct probed *probed)
{
	struct deployment deployment = row_deployment_get(tx, tx->effect->subject);
	const struct probe_finding *bad = worst(probe, probed);
	bool is_back = deployment.state == DEPLOY_VERIFYING_ROLLBACK;

	if (bad == NULL) {
		(void)decide_step(tx, &deployment, DEPLOY_ON_HEALTHY, NULL);
		return;
	}
	keep_answer(tx, &deployment, probe, probed, bad);
	if (!is_back) {
		deployment.why = DEPLOY_WHY_UNHEALTHY;
		deployment.target_changed = true;
		(void)snprintf(deployment.detail, sizeof(deployment.detail), "%s", bad->detail);
	} else {
		deployment_add_rollback_failure(&deployment, ROLLBACK_BEHIND, bad->detail);
	}
	(void)decide_step(tx, &deployment,
	    deployment_can_roll_back(&deployment) || is_back ? DEPLOY_ON_UNHEALTHY :
							       DEPLOY_ON_UNHEALTHY_NO_ROLLBACK,
	    NULL);
}

void
handle_probed(struct tx *tx, const struct event *event)
{
	const struct effect_probe *probe = &tx->effect->u.probe;

	if (probe->pin != 0)
		decide_pin_probed(tx, probe, &event->u.probed);
	else if (probe->message != 0)
		answer_status(tx, probe, &event->u.probed);
	else
		answer_gate(tx, probe, &event->u.probed);
}
