/* perform_health.c - once a minute: does each environment answer?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_health.h"

#include "effects/probe_check.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "types/probe_hosts.h"
#include "types/settings.h"
#include "types/waves.h"

#define MAGIC	   0x486c7468u
#define CROWDED_MS 100 /* until it is tried again */
#define TIMEOUT_S  30  /* at most: a round must be over before the next */

#define HOSTS_MS	5000 /* those of an environment are begun within that */
#define HOSTS_TIMEOUT_S 5    /* and so all of them are over in 10 s */

struct look {
	struct environment_look *environment;
	struct http_client_call *call;
	const char *url; /* the settings', which we hold: a look ends before they do */
};

/* Each host of an environment, at its own URL. */
struct hosts_look {
	const char *url;  /* NULL: it has none */
	const char *rest; /* the settings': of those that are not asked yet */
	int64_t until;	  /* by loop_now_ms(): who is not asked then, is not */
	size_t n, n_asked, n_bad, n_may_fail;
};

/* One environment that is being asked. */
struct environment_look {
	struct environment_look *next;
	struct perform_health *health;
	char name[LIMIT_ENVIRONMENT];
	int timeout_s;
	bool is_up;
	size_t pending;
	struct hosts_look hosts;
	size_t n_urls; /* the others are for one host after another */
	size_t n;
	struct look urls[];
};

struct perform_health {
	unsigned magic;
	struct perform_health_config is;
	struct settings *settings; /* NULL: not known yet */
	struct loop_timer timer;
	struct environment_look *looks;
	size_t n_probes;     /* in progress */
	int64_t began;	     /* the round, by loop_now_ms() */
	bool is_first_round; /* nothing is known yet: as fast as may be */
	size_t next;	     /* of the settings' environments */
	size_t n_asked;	     /* of those with URLs, in this round */
	size_t n_all;	     /* of them */
};

static void on_due(struct loop_timer *timer, void *ctx);
static void on_answer(void *ctx, const struct http_client_result *result);

struct perform_health *
perform_health_start(const struct perform_health_config *config)
{
	struct perform_health *health = mem_new(1, sizeof(*health));

	health->magic = MAGIC;
	health->is = *config;
	health->began = loop_now_ms();
	health->is_first_round = true;
	loop_timer_init(&health->timer, on_due, health);
	return health;
}

static void
free_look(struct environment_look *look)
{
	struct environment_look **back = &look->health->looks;

	while (*back != look)
		back = &(*back)->next;
	*back = look->next;
	look->health->n_probes -= look->pending;
	for (size_t i = 0; i < look->n; i++)
		http_client_cancel(look->urls[i].call);
	free(look);
}

static void
cancel_looks(struct perform_health *health)
{
	while (health->looks != NULL)
		free_look(health->looks);
}

/* Which agents a pattern stands for only the store knows. */
static bool
has_hosts(const struct environment_settings *e)
{
	return e->health_template != NULL && !e->in_waves.is_pattern && e->hosts != NULL;
}

/* How many are asked at a time. */
static size_t
weight_of(const struct environment_settings *e)
{
	size_t n = has_hosts(e) ? waves_hosts(e->hosts) : 0,
	       most = PERFORM_HEALTH_PROBES - e->health_url_count;

	return e->health_url_count + (n < most ? n : most);
}

void
perform_health_settings(struct perform_health *health, struct settings *settings)
{
	OBJ_CHECK(health, MAGIC);
	cancel_looks(health);
	(void)settings_ref(settings);
	settings_unref(health->settings);
	health->settings = settings;
	health->next = health->n_asked = health->n_all = 0;
	if (health->began > loop_now_ms())
		health->began = loop_now_ms(); /* the next round was waited for */
	for (size_t i = 0; i < settings->environment_count; i++)
		health->n_all += weight_of(&settings->environments[i]) > 0;
	loop_timer_start(health->is.loop, &health->timer, 0, 0);
}

void
perform_health_free(struct perform_health *health)
{
	if (health == NULL)
		return;
	OBJ_CHECK(health, MAGIC);
	loop_timer_stop(&health->timer);
	cancel_looks(health);
	settings_unref(health->settings);
	health->magic = 0;
	free(health);
}

/* The next of its hosts; false: none is left, or it is too late. */
static bool
ask_host(struct look *look)
{
	struct environment_look *of = look->environment;
	struct hosts_look *hosts = &of->hosts;
	char host[SETTING_PART_MAX + 1], url[LIMIT_URL + LIMIT_HOST];
	struct err err = { .code = ERR_NONE };

	while (loop_now_ms() < hosts->until && hosts->rest != NULL &&
	    setting_next(&hosts->rest, host, sizeof(host))) {
		look->call =
		    probe_check_start(of->health->is.client, probe_hosts_url(hosts->url, host, url),
			of->timeout_s < HOSTS_TIMEOUT_S ? of->timeout_s : HOSTS_TIMEOUT_S,
			on_answer, look, &err);
		hosts->n_asked += err.code != ERR_BUSY;
		if (look->call != NULL || err.code == ERR_BUSY)
			return look->call != NULL;
		hosts->n_bad++;
	}
	return false;
}

static void
ask_hosts(struct environment_look *look, const struct environment_settings *e)
{
	look->hosts = (struct hosts_look){ .url = e->health_template,
		.rest = e->hosts,
		.until = loop_now_ms() + HOSTS_MS,
		.n = waves_hosts(e->hosts) };
	look->hosts.n_may_fail = waves_failures(e->in_waves.failures_max, look->hosts.n);
	for (size_t i = look->n_urls; i < look->n; i++) {
		look->urls[i].environment = look;
		look->pending += ask_host(&look->urls[i]);
	}
}

static void
end_look(struct environment_look *look)
{
	struct perform_health *health = look->health;
	const struct hosts_look *hosts = &look->hosts;
	/* Where there was no time to ask all, by the share of those that were. */
	bool are_up = hosts->n_bad * hosts->n <= hosts->n_may_fail * hosts->n_asked;

	if (look->hosts.url != NULL)
		health->is.on_health(
		    health->is.ctx, look->name, look->n_urls, look->hosts.url, are_up);
	health->is.on_health(health->is.ctx, look->name, 0, NULL, look->is_up && are_up);
	free_look(look);
}

/* False, nothing is told: the client is crowded, which says nothing of whom it keeps us from
 * asking. */
static bool
look_at(struct perform_health *health, const struct environment_settings *e)
{
	struct environment_look *look =
	    mem_new(1, sizeof(*look) + weight_of(e) * sizeof(look->urls[0]));
	int timeout_s = e->times->health_check_timeout_seconds;
	struct err err = { .code = ERR_NONE };

	look->health = health;
	look->is_up = true;
	look->n_urls = e->health_url_count;
	look->n = weight_of(e);
	look->timeout_s = timeout_s < TIMEOUT_S ? timeout_s : TIMEOUT_S;
	text_set(look->name, e->name);
	look->next = health->looks;
	health->looks = look;
	for (size_t i = 0; i < look->n_urls && err.code != ERR_BUSY; i++) {
		look->urls[i].environment = look;
		look->urls[i].url = e->health_urls[i];
		look->urls[i].call = probe_check_start(health->is.client, e->health_urls[i],
		    look->timeout_s, on_answer, &look->urls[i], &err);
		if (look->urls[i].call != NULL)
			look->pending++;
		else
			look->is_up = false; /* it could not be asked: nobody knows that it is up */
	}
	if (err.code != ERR_BUSY && has_hosts(e))
		ask_hosts(look, e);
	health->n_probes += look->pending;
	if (err.code == ERR_BUSY ||
	    (has_hosts(e) && look->pending == 0 && look->hosts.n_bad == 0)) {
		free_look(look);
		return false;
	}
	if (look->pending == 0)
		end_look(look);
	return true;
}

/* The next one with URLs; NULL: all were asked. */
static const struct environment_settings *
next_environment(struct perform_health *health)
{
	const struct settings *settings = health->settings;

	while (health->next < settings->environment_count &&
	    weight_of(&settings->environments[health->next]) == 0)
		health->next++;
	return health->next < settings->environment_count ? &settings->environments[health->next] :
							    NULL;
}

/* ms until the next one's turn. */
static int64_t
wait_ms(const struct perform_health *health)
{
	int64_t at = health->is_first_round ?
	    0 :
	    health->is.period_ms * (int64_t)health->n_asked / (int64_t)health->n_all;

	return health->began + at - loop_now_ms();
}

static void
end_round(struct perform_health *health)
{
	int64_t took_ms = loop_now_ms() - health->began;

	if (took_ms < health->is.period_ms)
		took_ms = health->is.period_ms;
	health->began += took_ms;
	health->next = health->n_asked = 0;
	health->is_first_round = false;
	health->is.on_round(health->is.ctx, (double)took_ms / 1000);
	loop_timer_start(health->is.loop, &health->timer, health->began - loop_now_ms(), 0);
}

static void
on_due(UNUSED struct loop_timer *timer, void *ctx)
{
	struct perform_health *health = OBJ_OF(struct perform_health, ctx, MAGIC);
	const struct environment_settings *e;

	while ((e = next_environment(health)) != NULL) {
		if (health->n_probes > 0 && health->n_probes + weight_of(e) > PERFORM_HEALTH_PROBES)
			return; /* goes on with the next answer */
		if (wait_ms(health) > 0) {
			loop_timer_start(health->is.loop, &health->timer, wait_ms(health), 0);
			return;
		}
		if (!look_at(health, e)) {
			loop_timer_start(health->is.loop, &health->timer, CROWDED_MS, 0);
			return;
		}
		health->next++;
		health->n_asked++;
	}
	end_round(health);
}

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct look *url = ctx;
	struct environment_look *look = url->environment;
	struct perform_health *health = look->health;
	struct probe_finding finding;
	bool is_up;

	OBJ_CHECK(health, MAGIC);
	url->call = NULL;
	is_up = probe_check_judge(result, "", look->timeout_s, &finding);
	if (url->url == NULL) {
		look->hosts.n_bad += !is_up;
		if (ask_host(url))
			return;
	} else {
		look->is_up = look->is_up && is_up;
		health->is.on_health(
		    health->is.ctx, look->name, (size_t)(url - look->urls), url->url, is_up);
	}
	look->pending--;
	health->n_probes--;
	if (look->pending == 0)
		end_look(look);
	if (!loop_timer_is_started(&health->timer))
		loop_timer_start(health->is.loop, &health->timer, 0, 0);
}
