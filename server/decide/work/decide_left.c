/* decide_left.c - hosts that a rollback leaves out, and what stands of them afterwards.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_left.h"

#include <stdio.h>

#include "lib/host_lines.h"
#include "lib/list.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "lib/url.h"
#include "settings/checks/settings_claims.h"
#include "store/row_host.h"
#include "store/row_left_host.h"
#include "store/row_run.h"
#include "types/settings.h"
#include "types/waves.h"

#define CUT_AT \
	(LIMIT_STEP - 1 - strlen("unreachable ")) /* bytes of a host that a step's name holds */

/* The host of HOST, HOST:PORT or [HOST]:PORT. */
static const char *
host_of(const char *part, char ret[SETTING_PART_MAX + 1])
{
	bool is_bracketed = part[0] == '[';

	(void)text_copy(ret, SETTING_PART_MAX + 1, part + (is_bracketed ? 1 : 0));
	ret[strcspn(ret, is_bracketed ? "]" : ":")] = '\0';
	return ret;
}

/* Whole again, where the name of a step was cut and one host of the settings alone begins so. */
static void
complete(const char *list, char host[LIMIT_WITHOUT])
{
	char part[SETTING_PART_MAX + 1], set[SETTING_PART_MAX + 1], found[LIMIT_WITHOUT] = "";
	size_t n = 0;

	if (strlen(host) != CUT_AT)
		return;
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		if (text_starts(host_of(part, set), host)) {
			n++;
			text_set(found, set);
		}
	if (n == 1)
		(void)text_copy(host, LIMIT_WITHOUT, found);
}

/* As its newest run says. */
static const char *
unreachables(struct tx *tx, const struct deployment *deployment, char ret[LIMIT_WITHOUT])
{
	struct step steps[LIMIT_STEPS];
	size_t used = 0,
	       n = deployment->run == 0 ? 0 :
					  row_step_list(tx, deployment->run, steps, LIMIT_STEPS);
	char said[LIMIT_WITHOUT], host[LIMIT_WITHOUT];
	const char *list = deployment_unreachables(steps, n, said);

	ret[0] = '\0';
	while (setting_next(&list, host, sizeof(host))) {
		complete(settings_host_list(tx->settings, deployment->environment), host);
		if (used + strlen(host) + 2 <= LIMIT_WITHOUT)
			used += (size_t)snprintf(
			    ret + used, LIMIT_WITHOUT - used, "%s%s", used > 0 ? "," : "", host);
	}
	return ret;
}

/* Whom a person has agreed to leave out, and the script did.  A script's word alone takes no host
 * out of the health gate. */
static const char *
left_out(struct tx *tx, const struct deployment *deployment, char ret[LIMIT_WITHOUT])
{
	char silent[LIMIT_WITHOUT], host[LIMIT_WITHOUT];
	const char *list = "";
	size_t used = 0;

	if (deployment_is_rollback(deployment) && deployment->without[0] != '\0')
		list = unreachables(tx, deployment, silent);
	ret[0] = '\0';
	while (setting_next(&list, host, sizeof(host)))
		if (list_has(deployment->without, host))
			used += (size_t)snprintf(ret + used, LIMIT_WITHOUT - used, "%s%s",
			    used > 0 ? "," : "", host); /* no longer than silent */
	return ret;
}

/* A rollback by hand, or deploybot's own of a release, that changed nothing. */
static bool
is_untried(struct tx *tx, const struct deployment *deployment)
{
	if (!deployment_is_rollback(deployment))
		return deployment->state == DEPLOY_ROLLBACK_FAILED &&
		    row_run_changed_nothing(tx, deployment->run);
	return deployment->state == DEPLOY_FAILED && !deployment->target_changed &&
	    deployment->why != DEPLOY_WHY_CANCELLED;
}

const char *
decide_left_silent(struct tx *tx, const struct deployment *deployment, char ret[LIMIT_WITHOUT])
{
	ret[0] = '\0';
	return is_untried(tx, deployment) ? unreachables(tx, deployment, ret) : ret;
}

void
decide_left_urls(struct tx *tx, struct deployment *deployment)
{
	char hosts[LIMIT_WITHOUT], url[LIMIT_URL], host[URL_HOST], kept[LIMIT_URL_LIST] = "";
	const char *list = deployment->urls;
	size_t used = 0;

	if (left_out(tx, deployment, hosts)[0] == '\0')
		return;
	while (setting_next(&list, url, sizeof(url)))
		if (!list_has(hosts, url_host(url, host)))
			used += (size_t)snprintf(kept + used, sizeof(kept) - used, "%s%s",
			    used > 0 ? "," : "", url); /* no longer than it was */
	text_set(deployment->urls, kept);
}

void
decide_left_hosts(struct tx *tx, const struct deployment *deployment, const char *before)
{
	char hosts[LIMIT_WITHOUT];

	row_left_host_set(tx, deployment->environment, left_out(tx, deployment, hosts), before);
}

static bool
is_set(const char *list, const char *host)
{
	char part[SETTING_PART_MAX + 1], set[SETTING_PART_MAX + 1];

	while (list != NULL && setting_next(&list, part, sizeof(part)))
		if (host_matches(host_of(part, set), host))
			return true;
	return false;
}

void
decide_left_look(struct tx *tx, const char *environment)
{
	const char *list = settings_host_list(tx->settings, environment);
	struct left_host left[LEFT_HOSTS_SHOWN];
	size_t n = row_left_host_list(tx, environment, left);
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	/* Nobody says any more what each of them runs. */
	if (settings != NULL && !settings->in_waves.is_set)
		row_host_forget(tx, environment);
	for (size_t i = 0; i < n; i++)
		if (!is_set(list, left[i].host))
			row_left_host_remove(tx, environment, left[i].host);
}
