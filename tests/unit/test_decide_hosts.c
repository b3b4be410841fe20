/* Goal: what the hosts of a file claim are rows, and hosts that left the settings go.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "queue_aid.h"

#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_claim.h"
#include "store/row_host.h"
#include "store/row_host_list.h"
#include "store/row_resource.h"
#include "store/row_retention.h"
#include "store/store_inside.h"

#define DAY_MS INT64_C(86400000)

/* --- the file, and rows --- */

static char setting[256];

static void
write_hosts(struct world *w, const char *lines)
{
	char path[192];

	(void)snprintf(path, sizeof(path), "%s/hosts", w->aid.folder);
	assert_true(file_write(path, lines, strlen(lines), 0600, NULL));
	(void)snprintf(setting, sizeof(setting), "STAGING_HOSTS_FILE=%s", path);
	world_settings(
	    w, setting, "STAGING_WAVES=1, 2, 100%", "STAGING_COMPOSE_DIR=/srv/app", NULL);
	world_settings_read(w);
}

struct named {
	char name[LIMIT_RESOURCE];
};
TX_READER(read_named, struct named, TX_TEXT(name))

struct asked {
	const char *sql;
	char text[1024];
};

static void
ask(struct tx *tx, void *arg)
{
	struct asked *asked = arg;
	struct named *rows = mem_new(16, sizeof(*rows));
	size_t n = tx_read_sql(tx, read_named, rows, sizeof(*rows), 16,
		   &(struct db_sql){ asked->sql, NULL, 0 }),
	       used = 0;

	asked->text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(asked->text + used, sizeof(asked->text) - used, "%s%s",
		    i > 0 ? " " : "", rows[i].name);
	free(rows);
}

static void
is_said(struct world *w, const char *sql, const char *text)
{
	struct asked asked = { .sql = sql };

	world_act(w, ask, &asked);
	assert_string_equal(asked.text, text);
}

#define RESOURCES "SELECT name FROM resource WHERE environment = 'staging' ORDER BY name"
#define LEFT	  "SELECT name FROM host WHERE left_at <> 0 ORDER BY name"
#define ROWS	  "SELECT name FROM host ORDER BY name"
#define CLAIMS	  "SELECT resource FROM claim ORDER BY resource"
#define ROWS_OF_3 "host:h1:22/srv/app host:h2:22/srv/app host:h3:22/srv/app"

/* --- what hosts say --- */

static void
ends_well(struct world *w, const char *host)
{
	static const enum host_word words[] = { HOST_BEGAN, HOST_OK };
	struct event *event = event_new(EVENT_HOSTS_SAID);
	struct hosts_said *said = &event->u.hosts_said;

	said->run = world_peek(w, EFFECT_RUN)->u.run.run;
	said->list = mem_new(HOSTS_SAID_MAX, sizeof(*said->list));
	for (size_t i = 0; i < COUNT(words); i++) {
		text_set(said->list[said->n].host, host);
		said->list[said->n++].word = words[i];
	}
	(void)world_decide(w, event);
	world_run_releases(w, GOOD);
}

static void
is_for(struct world *w, const char *wave, const char *hosts)
{
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.wave, wave);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.hosts, hosts);
}

/* --- what they claim --- */

WORLD_TEST(resources_of_a_file_follow_it)
{
	is_said(w, RESOURCES, "");
	write_hosts(w, "h2\nh1\nH3:22\n");
	is_said(w, RESOURCES, ROWS_OF_3);
	write_hosts(w, "h4\nh1\n");
	is_said(w, RESOURCES, "host:h1:22/srv/app host:h4:22/srv/app");
	world_settings(w, "STAGING_HOST=h1", NULL);
	world_settings_read(w);
	is_said(w, RESOURCES, "");
}

WORLD_TEST(a_start_writes_them_too)
{
	write_hosts(w, "h1\nh2\nh3\n");
	world_rewrite(w, "DELETE FROM resource");
	world_restart(w);
	is_said(w, RESOURCES, ROWS_OF_3);
}

WORLD_TEST(work_holds_all_of_them_from_its_start_to_its_end)
{
	write_hosts(w, "h1\nh2\nh3\n");
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	is_said(w, CLAIMS, "env:staging " ROWS_OF_3);
	write_hosts(w, "h1\nh4\n"); /* it holds what it began with */
	is_said(w, CLAIMS, "env:staging " ROWS_OF_3);
}

struct held {
	const char *resource;
	int64_t work;
};

static void
hold(struct tx *tx, void *arg)
{
	const struct held *held = arg;

	assert_true(row_claim_take_one(tx, held->work, held->resource));
}

static void
give_back(struct tx *tx, void *arg)
{
	row_claim_give_back(tx, ((const struct held *)arg)->work);
}

WORLD_TEST(one_host_that_is_held_keeps_all_of_it_waiting)
{
	struct held held = { "host:h2:22/srv/app", 99 };

	write_hosts(w, "h1\nh2\nh3\n");
	world_act(w, hold, &held);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	assert_int_equal(queue_aid_state(w, 1), DEPLOY_QUEUED);
	assert_string_equal(world_deployment(w, 1).waits_for, held.resource);
	is_said(w, CLAIMS, held.resource);
	world_act(w, give_back, &held);
	world_settings_read(w); /* its queue is looked at */
	assert_int_equal(queue_aid_state(w, 1), DEPLOY_RUNNING);
	is_said(w, CLAIMS, "env:staging " ROWS_OF_3);
}

struct longer {
	bool is_held;
	char resource[LIMIT_RESOURCE];
	int64_t place;
};

static void
look(struct tx *tx, void *arg)
{
	struct longer *longer = arg;

	longer->is_held = row_resource_is_held(tx, "staging", longer->place, longer->resource);
}

WORLD_TEST(who_waits_longer_for_one_of_them_goes_first)
{
	struct held held = { "host:h2:22/srv/app", 99 };
	struct longer longer = { .place = INT64_MAX };

	write_hosts(w, "h1\nh2\nh3\n");
	world_act(w, look, &longer);
	assert_false(longer.is_held);
	world_act(w, hold, &held);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	world_rewrite(w, "DELETE FROM claim");
	world_act(w, look, &longer);
	assert_true(longer.is_held);
	assert_string_equal(longer.resource, held.resource);
	longer.place = 0; /* nobody stands before the first */
	world_act(w, look, &longer);
	assert_false(longer.is_held);
}

/* --- who has left --- */

/* A over three waves: h1, h2, then h3 and h4. */
static void
begins(struct world *w)
{
	write_hosts(w, "h1\nh2\nh3\nh4\n");
	world_deploy_starts(w, COMMIT_A);
	is_for(w, "1/3", "h1:22\n");
}

WORLD_TEST(a_wave_without_hosts_is_passed_over_and_who_left_is_named)
{
	begins(w);
	write_hosts(w, "h1\nh3\nh5\n");
	is_said(w, LEFT, "h2:22 h4:22");
	ends_well(w, "h1:22");
	is_for(w, "3/3", "h3:22\n");
	ends_well(w, "h3:22");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 4 hosts"));
	assert_non_null(world_says(w, "it left the settings before its wave"));
	assert_null(world_says(w, "failed"));
}

WORLD_TEST(it_is_live_where_nobody_is_left_behind_it)
{
	begins(w);
	write_hosts(w, "h1\nh5\n");
	ends_well(w, "h1:22");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 1 of 4 hosts"));
}

static void
retain(struct tx *tx, UNUSED void *arg)
{
	(void)row_retention_clear(tx);
}

WORLD_TEST(a_host_that_left_goes_90_days_later_and_one_that_is_back_stays)
{
	begins(w);
	write_hosts(w, "h1\nh5\n");
	ends_well(w, "h1:22");
	w->aid.at += 50 * DAY_MS;
	write_hosts(w, "h1\nh3\n");
	is_said(w, LEFT, "h2:22 h4:22");
	w->aid.at += 39 * DAY_MS;
	world_act(w, retain, NULL);
	is_said(w, ROWS, "h1:22 h2:22 h3:22 h4:22");
	w->aid.at += 2 * DAY_MS;
	world_act(w, retain, NULL);
	is_said(w, ROWS, "h1:22 h3:22");
}
