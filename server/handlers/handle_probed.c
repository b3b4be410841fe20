/* handle_probed.c - health URLs were probed: for the health gate, or for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "decide/work/decide_deployment.h"
#include "decide/work/decide_wave_plan.h"
#include "decide/work/decide_waves.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_pin.h"
#include "decide/decide_reply.h"
#include "decide/view/decide_status.h"
#include "decide/tell/decide_tell.h"
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_host.h"
#include "store/row_host_list.h"
#include "store/row_message.h"
#include "store/row_run.h"
#include "types/probe_hosts.h"

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
	CLEANUP(freep) struct probe_finding *findings = probe_hosts_collapse(probe, probed);
	const struct decide_status_health health = { probe, findings };
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

	if (probed->n != probe_hosts_findings(probe, probed->hosts) || probed->n == 0)
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

/* --- each host at its own URL --- */

struct hosts_asked {
	struct host_result *list; /* that are not healthy; of the one batch that is not said yet */
	size_t n;
	size_t n_bad, n_all;
	char names[64];
	const struct probe_finding *bad; /* the first of them */
};

static void
say_bad(struct tx *tx, const struct deployment *work, struct hosts_asked *asked)
{
	if (asked->n > 0)
		row_host_said(tx, work, work->run, asked->list, asked->n);
	asked->n = 0;
}

static void
add_host(struct tx *tx, const struct deployment *work, const struct probe_finding *finding,
    const char *name, struct hosts_asked *asked)
{
	struct host_result *one;
	size_t size = strlen(asked->names);

	asked->n_all++;
	if (finding->is_healthy)
		return;
	if (asked->n_bad++ == 0)
		asked->bad = finding;
	if (size < sizeof(asked->names) - 1)
		(void)snprintf(asked->names + size, sizeof(asked->names) - size, "%s%.*s",
		    size > 0 ? ", " : "", (int)(strlen(name) - (text_ends(name, ":22") ? 3 : 0)),
		    name);
	one = &asked->list[asked->n++];
	one->word = HOST_FAILED;
	text_set(one->host, name);
	text_setf(one->why, "unhealthy: %.200s", finding->detail);
	if (asked->n == HOSTS_SAID_MAX)
		say_bad(tx, work, asked);
}

/* Their rows say which are not healthy. */
static void
note_hosts(struct tx *tx, const struct deployment *work, const struct effect_probe *probe,
    const struct probed *probed, struct hosts_asked *asked)
{
	CLEANUP(freep) struct host_result *list = mem_new(HOSTS_SAID_MAX, sizeof(*list));
	const struct probe_finding *finding = probed->findings;
	char name[LIMIT_HOST];

	asked->list = list;
	for (size_t i = 0; i < probe->n; i++) {
		const char *at = probed->hosts;

		if (!probe_is_template(probe->targets[i].url))
			finding++;
		else
			for (; *at != '\0'; at = strchr(at, ' ') + 1) {
				text_setf(name, "%.*s", (int)strcspn(at, " "), at);
				add_host(tx, work, finding++, name, asked);
			}
	}
	say_bad(tx, work, asked);
	asked->list = NULL;
}

/* Is one that is no template's not healthy? */
static bool
is_plain_bad(const struct effect_probe *probe, const struct probed *probed)
{
	size_t n = (probed->n - probe->n) + 1; /* of the one template */

	for (size_t i = 0, at = 0; i < probe->n; i++) {
		bool is_template = probe_is_template(probe->targets[i].url);

		if (!is_template && !probed->findings[at].is_healthy)
			return true;
		at += is_template ? n : 1;
	}
	return false;
}

/* As many may fail as in its script; NULL: no more have. */
static const struct probe_finding *
judge_hosts(struct tx *tx, struct deployment *work, const struct effect_probe *probe,
    const struct probed *probed, const struct probe_finding *bad)
{
	struct hosts_asked asked = { .n = 0 };
	struct host_counts counts;

	if (probed->hosts == NULL || probed->n != probe_hosts_findings(probe, probed->hosts) ||
	    bad == NULL)
		return bad;
	note_hosts(tx, work, probe, probed, &asked);
	if (asked.n_bad > 0)
		text_setf(work->look.down_on, "%.*s (%zu of %zu hosts)",
		    (int)text_cut(asked.names, strlen(asked.names), 40), asked.names, asked.n_bad,
		    asked.n_all);
	if (asked.bad == NULL || work->waves == 0 || work->state != DEPLOY_VERIFYING ||
	    is_plain_bad(probe, probed))
		return bad;
	counts = row_host_count(tx, work);
	if (counts.failed + counts.unknown > decide_wave_failures(tx, work) ||
	    counts.current_of_wave == 0)
		return asked.bad;
	work->look.down_on[0] = '\0';
	return NULL;
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
	if (probed->n != probe_hosts_findings(probe, probed->hosts) ||
	    environment.current.at > deployment->ended_at) {
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
	deployment.look.down_on[0] = '\0';
	bad = judge_hosts(tx, &deployment, probe, probed, bad);
	if (bad == NULL) {
		if (is_back)
			(void)decide_step(tx, &deployment, DEPLOY_ON_HEALTHY, NULL);
		else
			decide_waves_passed(tx, &deployment, DEPLOY_ON_HEALTHY);
		return;
	}
	keep_answer(tx, &deployment, probe, probed, bad);
	if (probed->hosts == NULL)
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
