/* decide_zone.c - what a zone under attack keeps out: by settings and by rows of zones.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_zone.h"

#include <stdio.h>

#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "lib/url.h"
#include "lib/when.h"
#include "store/row_cloudflare.h"
#include "store/row_question.h"

#define NAMED_MOST 2 /* environments, the others are counted */

/* The host of its first health URL that lies in the domain; false: none does. */
static bool
has_health_in(
    const struct environment_settings *environment, const char *domain, char ret[URL_HOST])
{
	for (size_t i = 0; i < environment->health_url_count; i++)
		if (url_host_is_in(url_host(environment->health_urls[i], ret), domain))
			return true;
	return false;
}

bool
decide_zone_attacks(struct tx *tx, const char *environment, char ret[LIMIT_LINE])
{
	const struct environment_settings *of = settings_environment(tx->settings, environment);
	char host[URL_HOST], date[WHEN_TEXT];

	ret[0] = '\0';
	for (size_t i = 0; of != NULL && i < tx->settings->client_count; i++) {
		const struct client_settings *client = &tx->settings->clients[i];
		struct cloudflare_row row;

		if (client->cloudflare_zone == NULL || client->cloudflare_domain == NULL ||
		    !has_health_in(of, client->cloudflare_domain, host))
			continue;
		row = row_cloudflare_get(tx, client->cloudflare_zone);
		if (row.zone[0] == '\0' || row.phase == CLOUDFLARE_IS_ASKING)
			continue;
		(void)snprintf(ret, LIMIT_LINE,
		    "%.100s is under attack at Cloudflare %s%s: its health check may fail", host,
		    row.until > tx->at ? "until " : "still",
		    row.until > tx->at ? when_text(tx->settings->zone, row.until, date) : "");
		return true;
	}
	return false;
}

/* "staging, production and 2 more": named are those that who asked may see. */
static void
add_health(struct tx *tx, int64_t person, const char *domain, char line[LIMIT_LINE])
{
	char host[URL_HOST], names[NAMED_MOST * (LIMIT_ENVIRONMENT + 2)] = "", more[48] = "";
	size_t used = strlen(line), n = 0, n_named = 0;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *of = &tx->settings->environments[i];
		size_t at = strlen(names);

		if (!has_health_in(of, domain, host))
			continue;
		n++;
		if (n_named < NAMED_MOST && decide_sees(tx, person, of->name))
			(void)snprintf(names + at, sizeof(names) - at, "%s%s",
			    n_named++ == 0 ? "" : ", ", of->name);
	}
	if (n > n_named)
		text_setf(more, "%s%zu %s%s", n_named > 0 ? " and " : "", n - n_named,
		    n_named > 0 ? "more" : "environment", n_named > 0 || n == 1 ? "" : "s");
	if (n > 0)
		(void)snprintf(line + used, LIMIT_LINE - used,
		    "%sthe health check of %s%s looks there: deployments will ask first",
		    used > 0 ? "; " : "", names, more);
}

static void
warn_of_attack(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	const struct client_settings *client = settings_client(tx->settings, work->client);
	char host[URL_HOST];

	if (client == NULL || client->cloudflare_domain == NULL)
		return;
	if (url_host_is_in(
		url_host(tx->settings->telegram_webhook_url, host), client->cloudflare_domain))
		(void)snprintf(ret, LIMIT_LINE,
		    "%.80s lies in that zone: Telegram and GitHub will not reach deploybot", host);
	add_health(tx, work->requested_by, client->cloudflare_domain, ret);
}

void
decide_zone_warn(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	ret[0] = '\0';
	if (!deployment_is_action(work))
		(void)decide_zone_attacks(tx, work->environment, ret);
	else if (action_row_of(work->action) == &action_table[ACTION_CF_UNDER_ATTACK])
		warn_of_attack(tx, work, ret);
}

bool
decide_zone_is_news(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	struct question shown;

	decide_zone_warn(tx, work, ret);
	if (ret[0] == '\0')
		return false;
	row_question_get(tx, work->id, &shown);
	if (shown.warning[0] != '\0' || deployment_is_rollback(work))
		ret[0] = '\0';
	return ret[0] != '\0';
}
