/* handle_probed.c - health URLs were probed: for the health gate, or for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "decide/work/decide_deployment.h"
#include "decide/work/decide_waves.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_pin.h"
#include "decide/decide_reply.h"
#include "decide/view/decide_status.h"
#include "decide/tell/decide_tell.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "lib/url.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
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
	CLEANUP(message_done) struct message now = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct update asked = { .person = who_asked(tx, probe) };
	struct request request = request_of("status", probe->asked);
	const struct decide_status_health health = { probe,
		probed->n == probe->n ? probed->findings : NULL };
	struct buttons buttons = { 0 };

	row_message_get(tx, probe->message, &now);
	asked.address = now.address;
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
		text_setf(tries, " (%d %s in a row)", bad->failures,
		    bad->failures == 1 ? "try" : "tries");
	text_setf(tail, "%.*s: %.250s%s%s%.250s",
	    (int)strcspn(url, "?#") < 400 ? (int)strcspn(url, "?#") : 400, url, bad->detail, tries,
	    bad->answer[0] != '\0' ? "\nanswered: " : "", bad->answer);
	row_run_set_tail(tx, deployment->run, tail);
}

/* Which of its hosts do not answer, where others do; "": all, one, or not known of each. */
static void
name_hosts(const struct effect_probe *probe, const struct probed *probed, char out[LIMIT_DOWN_ON])
{
	char hosts[LIMIT_URLS][URL_HOST], names[64] = "";
	bool fails[LIMIT_URLS] = { false };
	size_t n = 0, n_down = 0, size = 0;

	out[0] = '\0';
	if (probed->n != probe->n || probe->n > LIMIT_URLS)
		return;
	for (size_t i = 0; i < probe->n; i++) {
		const struct probe_finding *finding = &probed->findings[i];
		size_t at = 0;

		/* Called off before it had answered. */
		if (!finding->is_healthy && finding->failures == 0 && finding->passes == 0)
			return;
		if (url_host(probe->targets[i].url, hosts[n])[0] == '\0')
			return;
		while (strcmp(hosts[at], hosts[n]) != 0)
			at++;
		n += at == n;
		fails[at] |= !finding->is_healthy && finding->failures > 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (!fails[i])
			continue;
		n_down++;
		if (size < sizeof(names))
			size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s",
			    size > 0 ? ", " : "", hosts[i]);
	}
	if (n_down > 0 && n_down < n)
		(void)snprintf(out, LIMIT_DOWN_ON, "%.*s (%zu of %zu hosts)",
		    (int)text_cut(names, strlen(names), 40), names, n_down, n);
}

/* Behind an end, or before a reminder of it.  Where something went live there since, or has begun,
 * nothing of it is kept: that may be what answered. */
static void
answer_look(struct tx *tx, struct deployment *deployment, const struct effect_probe *probe,
    const struct probed *probed)
{
	struct deployment active;
	struct environment environment;
	const struct probe_finding *bad = worst(probe, probed);
	char looked[2 * LIMIT_LINE] = "";

	row_environment_get(tx, deployment->environment, &environment);
	if (probed->n != probe->n || environment.current.at > deployment->ended_at) {
		decide_nag_looked(tx, deployment);
		return;
	}
	if (bad != NULL)
		text_setf(looked, "%s: %s",
		    bad->http_status != 0 ? "answers unhealthy" : "does not answer", bad->detail);
	looked[text_cut(looked, strlen(looked), LIMIT_LINE - 1)] = '\0';
	text_set(deployment->look.said, looked);
	deployment->look.at = tx->at;
	name_hosts(probe, probed, deployment->look.down_on);
	if (row_deployment_active(tx, deployment->environment, &active)->id == 0) {
		row_deployment_save(tx, deployment); /* what is advised depends on it */
		decide_tell(tx, deployment, NULL);
		row_deployment_save(tx, deployment);
	}
	decide_nag_looked(tx, deployment);
}

static void
answer_gate(struct tx *tx, const struct effect_probe *probe, const struct probed *probed)
{
	struct deployment deployment;
	const struct probe_finding *bad = worst(probe, probed);
	bool is_back;
	char detail[LIMIT_DOWN_ON + LIMIT_LINE + 8];

	row_deployment_get(tx, tx->effect->subject, &deployment);
	is_back = deployment.state == DEPLOY_VERIFYING_ROLLBACK;
	if (deploy_flow_class(deployment.state) == DEPLOY_CLASS_FINAL) {
		answer_look(tx, &deployment, probe, probed);
		return;
	}
	if (bad == NULL) {
		if (is_back)
			(void)decide_step(tx, &deployment, DEPLOY_ON_HEALTHY, NULL);
		else
			decide_waves_passed(tx, &deployment, DEPLOY_ON_HEALTHY);
		return;
	}
	keep_answer(tx, &deployment, probe, probed, bad);
	name_hosts(probe, probed, deployment.look.down_on);
	if (deployment.look.down_on[0] != '\0')
		text_setf(detail, "on %s: %s", deployment.look.down_on, bad->detail);
	else
		text_set(detail, bad->detail);
	detail[text_cut(detail, strlen(detail), LIMIT_LINE - 1)] = '\0';
	if (!is_back) {
		deployment.why = DEPLOY_WHY_UNHEALTHY;
		deployment.target_changed = true;
		text_set(deployment.detail, detail);
	} else {
		deployment_add_rollback_failure(&deployment, ROLLBACK_BEHIND, detail);
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
