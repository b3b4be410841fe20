/* Goal: what /v1 lists of holds, actions, news and the audit is for whom the chat says it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "do_aid.h"
#include "lib/text.h"
#include "store/row_host.h"
#include "store/store_inside.h"

#define CONTRACTOR 44
#define CLIENTS_OF(may) \
	ADA_IS, "LOCAL_GAMES_IS=44", STRANGER_IS, "CLIENTS=acme,beta", "CLIENT_ACME_HOST=h", \
	    "CLIENT_ACME_ACTIONS=restart-web,service-status", "CLIENT_ACME_WEB_UNIT=web.service", \
	    "CLIENT_BETA_HOST=b", "CLIENT_BETA_ACTIONS=disk-free", "ROLE_CONTRACTOR_IDS=44", \
	    "ROLE_CONTRACTOR_MAY=" may
#define ALL_DAYS "/v1/audit/2020-01-01/2099-12-31"

#define LACKS(w, part) \
	do { \
		if (api_aid_said(w, part)) \
			fail_msg("said: %s, in %s", part, (w)->aid.said); \
	} while (0)

/* --- actions --- */

WORLD_TEST_OF(actions_are_those_that_one_may, CLIENTS_OF("do.restart-web:client/acme"))
{
	static const char *const paths[] = { "/v1/actions", "/v1/actions/client/acme" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(api_aid_ask(w, STAGING, API_ACTIONS, paths[i], NULL), 200);
		SAID(w,
		    "\"actions\":[{\"target\":\"client/acme\",\"action\":\"restart-web\","
		    "\"takes\":null,\"is_asked_about\":true,");
		LACKS(w, "service-status");
		LACKS(w, "client/beta");
	}
	assert_int_equal(
	    api_aid_ask(w, STAGING, API_ACTIONS, "/v1/actions/client/beta", NULL), 404);
	assert_int_equal(api_aid_ask(w, ADA, API_ACTIONS, "/v1/actions", NULL), 200);
	SAID(w, "\"target\":\"client/beta\",\"action\":\"disk-free\"");
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do");
	assert_non_null(strstr(world_plain(world_last(w)), "restart-web"));
}

/* --- holds --- */

WORLD_TEST_BARE(holds_are_those_of_the_chat)
{
	api_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	assert_int_equal(api_aid_ask(w, STAGING, API_HOLDS, "/v1/holds", NULL), 200);
	SAID(w, "\"environment\":\"staging\",\"holds\":[{\"kind\":\"lock\",\"by\":\"@ada\"");
	SAID(w, "\"environment\":\"production\",\"holds\":[]");
	assert_int_equal(api_aid_ask(w, STAGING, API_HOLDS, "/v1/holds/nowhere", NULL), 404);
}

/* --- hosts --- */

#define HOSTS_MADE 205

static void
make_hosts(struct tx *tx, UNUSED void *arg)
{
	const struct deployment work = { .id = 7, .environment = "production" };
	struct release before = { 0 };
	char name[16];

	for (int i = 0; i < HOSTS_MADE; i++) {
		(void)snprintf(name, sizeof(name), "h%03d:22", i);
		text_set(before.commit, i < 2 ? COMMIT_B : COMMIT_A);
		row_host_plan(tx, &work, name, 2, &before);
	}
	(void)tx_run(tx,
	    "UPDATE host SET state = 'failed', detail = 'no space left' WHERE name = 'h204:22'");
}

WORLD_TEST_OF(hosts_are_listed_in_pages, ADA_IS)
{
	world_released(w, "production");
	world_act(w, make_hosts, NULL);
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/production", NULL), 200);
	SAID(w,
	    "\"environment\":\"production\",\"all\":205,\"hosts\":[{\"name\":\"h000:22\",\"state\":"
	    "\"current\",\"release\":\"" COMMIT_B "\",\"detail\":\"\",\"wave\":2,\"wave_of\":7,");
	assert_non_null(strstr(w->aid.said_last, "],\"next\":200"));
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/all/200/production", NULL), 200);
	SAID(w, "\"hosts\":[{\"name\":\"h200:22\"");
	SAID(w, "],\"next\":null");
	assert_int_equal(
	    api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/failed/0/production", NULL), 200);
	SAID(w, "\"all\":1,\"hosts\":[{\"name\":\"h204:22\",\"state\":\"failed\"");
	SAID(w, "\"detail\":\"no space left\"");
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/old/0/production", NULL), 200);
	SAID(w, "\"all\":2,\"hosts\":[{\"name\":\"h000:22\"");
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/all/205/production", NULL), 200);
	SAID(w, "\"all\":205,\"hosts\":[],\"next\":null");
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts/nothing", NULL), 404);
}

static void
make_one_more(struct tx *tx, UNUSED void *arg)
{
	row_host_plan(tx, &(struct deployment){ .id = 8, .environment = "staging" }, "s1:22", 1,
	    &(struct release){ 0 });
}

/* Whoever names no environment means the one that has hosts, or reads which there are. */
WORLD_TEST_OF(the_one_environment_with_hosts_need_not_be_named, ADA_IS)
{
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts", NULL), 400);
	SAID(w, "No environment has hosts");
	world_act(w, make_hosts, NULL);
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts", NULL), 200);
	SAID(w, "\"environment\":\"production\",\"all\":205");
	world_act(w, make_one_more, NULL);
	assert_int_equal(api_aid_ask(w, ADA, API_HOSTS, "/v1/hosts", NULL), 400);
	SAID(w, "Several environments have hosts, name one: staging, production.");
}

WORLD_TEST_OF(hosts_are_shown_to_who_may_see_the_status_there, CLIENTS_OF("log:staging"))
{
	world_released(w, "staging");
	world_act(w, make_hosts, NULL);
	assert_int_equal(api_aid_ask(w, STAGING, API_HOSTS, "/v1/hosts/production", NULL), 404);
	LACKS(w, "h000");
	assert_int_equal(api_aid_ask(w, STAGING, API_HOSTS, "/v1/hosts/staging", NULL), 403);
	LACKS(w, "hosts\":");
}

/* --- news --- */

WORLD_TEST_BARE(news_name_who_looks_and_are_for_who_is_known)
{
	struct answer answer;

	api_aid_open(w);
	answer = api_aid_answer(w, api_aid_peer(STAGING, NULL), API_NEWS, "/v1/news", NULL);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.as.kind, PRINCIPAL_USER); /* by which the loop decides */
	assert_int_equal(api_aid_ask(w, STRANGER, API_NEWS, "/v1/news", NULL), 403);
}

/* --- the audit --- */

WORLD_TEST_OF(the_audit_is_shown_to_whom_it_is_granted, ADA_IS, "LOCAL_GAMES_IS=44", STRANGER_IS,
    "ROLE_READER_IDS=44", "ROLE_READER_MAY=audit:staging")
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	(void)world_text(w, WORLD_ADMIN, "/lock production");
	assert_int_equal(api_aid_ask(w, STAGING, API_AUDIT, ALL_DAYS "/0", NULL), 200);
	SAID(w, "\"environment\":\"staging\"");
	SAID(w, "\"next\":null");
	LACKS(w, "production");
	LACKS(w, "\"environment\":null");
	assert_int_equal(api_aid_ask(w, ADA, API_AUDIT, ALL_DAYS "/0", NULL), 200);
	SAID(w, "\"environment\":\"production\"");
	assert_int_equal(api_aid_ask(w, ADA, API_AUDIT, ALL_DAYS "/no_such_code/0", NULL), 200);
	SAID(w, "\"entries\":[]");
	/* The world's days are of 2026. */
	assert_int_equal(
	    api_aid_ask(w, ADA, API_AUDIT, "/v1/audit/2020-01-01/2025-12-31/0", NULL), 200);
	SAID(w, "\"entries\":[]");
	assert_int_equal(
	    api_aid_ask(w, ADA, API_AUDIT, "/v1/audit/2027-01-01/2027-12-31/0", NULL), 200);
	SAID(w, "\"entries\":[]");
	assert_int_equal(api_aid_ask(w, STRANGER, API_AUDIT, ALL_DAYS "/0", NULL), 403);
}

static void
add_entries(struct tx *tx, void *arg)
{
	(void)arg;
	(void)tx_run(tx,
	    "INSERT INTO audit (seq, at, user_id, action, environment, outcome, severity,"
	    " deployment, meta, prev, hash) WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 22000) SELECT n.i, $1, 'system', 'x', 'production',"
	    " 'ok', 'low', 0, '', a.prev, a.hash FROM n, (SELECT prev, hash FROM audit ORDER BY seq"
	    " LIMIT 1) a",
	    DB_I64(tx->at));
	store_aid_count_rows_of(tx);
}

WORLD_TEST_OF(the_audit_looks_at_so_many_entries, ADA_IS, "LOCAL_GAMES_IS=44", "ROLE_READER_IDS=44",
    "ROLE_READER_MAY=audit:staging")
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	world_act(w, add_entries, NULL);
	assert_int_equal(api_aid_ask(w, STAGING, API_AUDIT, ALL_DAYS "/999", NULL), 200);
	SAID(w, "\"entries\":[],\"next\":20999"); /* 20,000 that are not theirs */
	assert_int_equal(api_aid_ask(w, STAGING, API_AUDIT, ALL_DAYS "/20999", NULL), 200);
	SAID(w, "\"entries\":[],\"next\":null");
	assert_int_equal(api_aid_ask(w, ADA, API_AUDIT, ALL_DAYS "/999", NULL), 200);
	assert_non_null(strstr(w->aid.said_last, "],\"next\":1199}"));
}
