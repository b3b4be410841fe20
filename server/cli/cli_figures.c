/* cli_figures.c - how often, how fast and how well was deployed, as the running server counts it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_server.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/text.h"
#include "lib/zone.h"

#define DAYS_SHOWN 90 /* before the last one, where no first one is named */
#define DAY_MS	   INT64_C(86400000)

/* "nothing": there is none to take it of. */
static const char *
duration_of(const struct json *of, const char *key, char out[TEXT_DURATION_SIZE])
{
	int64_t seconds = json_get_i64_or(of, key, -1);

	if (seconds < 0)
		(void)text_copy(out, TEXT_DURATION_SIZE, "not known");
	else
		(void)text_duration(out, seconds * 1000);
	return out;
}

static void
print_figures(const char *name, const struct json *of, int64_t days)
{
	char median[TEXT_DURATION_SIZE], p90[TEXT_DURATION_SIZE], restore[TEXT_DURATION_SIZE];
	int64_t n = json_get_i64_or(of, "deployments", 0),
		failed = json_get_i64_or(of, "failures", 0);

	(void)printf("%s: %lld deployments", name, (long long)n);
	if (n == 0) {
		(void)printf("\n");
		return;
	}
	(void)printf(", %.1f a week; %lld failed (%.1f %%)\n", 7.0 * (double)n / (double)days,
	    (long long)failed, 100.0 * (double)failed / (double)n);
	(void)printf("  from commit to live: %s, nine of ten within %s\n",
	    duration_of(of, "lead_time_median_s", median), duration_of(of, "lead_time_p90_s", p90));
	if (failed > 0)
		(void)printf("  from a failure to what runs well: %s\n",
		    duration_of(of, "time_to_restore_median_s", restore));
}

static void
print_all(const struct json *answer)
{
	const struct json *each = json_get(answer, "environments");
	int64_t days = json_get_i64_or(answer, "days", 1);
	char name[64];

	(void)snprintf(
	    name, sizeof(name), "%lld days to %.10s", (long long)days, json_text(answer, "to"));
	print_figures(name, answer, days);
	for (size_t i = 0; json_count(each) > 1 && i < json_count(each); i++)
		print_figures(json_text(json_at(each, i), "environment"), json_at(each, i), days);
}

int
cli_figures(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char first[ZONE_DATE], last[ZONE_DATE], path[512];
	const char *from = local->cli->value[OPTION_FROM], *to = local->cli->value[OPTION_TO];
	struct zone_time day = { 0 };
	struct zone *utc;
	struct err err;

	if ((from != NULL && !zone_date_parse(from, &day)) ||
	    (to != NULL && !zone_date_parse(to, &day)))
		return cli_server_fail(local, EX_USAGE, "expected a day, as --from 2026-07-01");
	if (local->argc > 0 && !cli_is_path(local->argv[0]))
		return cli_server_fail(
		    local, EX_USAGE, "expected an environment or an application");
	utc = zone_new("UTC", &err);
	(void)zone_date_text(utc, clock_wall_ms(), last);
	if (to != NULL)
		day.day -= DAYS_SHOWN;
	(void)zone_date_text(utc,
	    to != NULL ? zone_moment(utc, &day) : clock_wall_ms() - DAYS_SHOWN * DAY_MS, first);
	zone_free(utc);
	(void)snprintf(path, sizeof(path), "/v1/figures/%s/%s%s%s", from != NULL ? from : first,
	    to != NULL ? to : last, local->argc > 0 ? "/" : "",
	    local->argc > 0 ? local->argv[0] : "");
	if (!cli_api_ask(&local->api, path, NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 200 || local->is_json)
		return cli_server_show_said(local, &answer);
	print_all(answer.json);
	return EX_OK;
}
