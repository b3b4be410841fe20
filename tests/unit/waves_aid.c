/* waves_aid.c - hosts of a release in waves, and what they say, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "waves_aid.h"

#include "decide_aid_inside.h"
#include "lib/mem.h"
#include "lib/text.h"

/* --- what hosts say --- */

void
waves_say_of(struct world *w, int64_t run, const char *lines)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HOSTS_SAID);
	struct hosts_said *said = &event->u.hosts_said;

	said->run = run;
	said->list = mem_new(HOSTS_SAID_MAX, sizeof(*said->list));
	while (*lines != '\0') {
		struct host_result *one = &said->list[said->n++];
		size_t name = strcspn(lines, " "), end = strcspn(lines, ",");
		const char *word = lines + name + 1, *why = strchr(word, ':');

		(void)snprintf(one->host, sizeof(one->host), "%.*s:22", (int)name, lines);
		one->word = strncmp(word, "began", 5) == 0 ? HOST_BEGAN :
		    strncmp(word, "ok", 2) == 0		   ? HOST_OK :
		    strncmp(word, "unknown", 7) == 0	   ? HOST_UNKNOWN :
							     HOST_FAILED;
		if (why != NULL && why < lines + end)
			(void)snprintf(one->why, sizeof(one->why), "%.*s",
			    (int)(lines + end - why - 2), why + 2);
		lines += end + (lines[end] == ',' ? 2 : 0);
	}
	(void)world_decide(w, event);
}

int64_t
waves_run(struct world *w)
{
	return world_peek(w, EFFECT_RUN)->u.run.run;
}

void
waves_say(struct world *w, const char *lines)
{
	waves_say_of(w, waves_run(w), lines);
}

void
waves_ordered(struct world *w, const char *wave, const char *hosts)
{
	const struct effect_run *run = &world_peek(w, EFFECT_RUN)->u.run;

	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_string_equal(run->wave, wave);
	assert_non_null(run->hosts);
	assert_string_equal(run->hosts, hosts);
}

/* --- rows --- */

static struct host hosts[8];
static size_t n_hosts;

static void
read_hosts(struct tx *tx, void *arg)
{
	(void)arg;
	n_hosts = row_host_list(
	    tx, &(struct host_filter){ "staging", false, "" }, 0, hosts, COUNT(hosts));
}

size_t
waves_count(struct world *w)
{
	world_act(w, read_hosts, NULL);
	return n_hosts;
}

const struct host *
waves_host(struct world *w, int n)
{
	char name[8];

	(void)snprintf(name, sizeof(name), "h%d:22", n);
	world_act(w, read_hosts, NULL);
	for (size_t i = 0; i < n_hosts; i++)
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	fail_msg("no row of h%d", n);
	return NULL;
}

void
waves_is(struct world *w, int n, enum host_state state, const char *release)
{
	assert_int_equal(waves_host(w, n)->state, state);
	assert_string_equal(waves_host(w, n)->release, release);
}

const char *
waves_live(struct world *w)
{
	static char commit[LIMIT_COMMIT];

	text_set(commit, world_environment(w, "staging").current.commit);
	return commit;
}

void
waves_begin(struct world *w)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "1/2", "h1:22\n");
}

void
waves_come_to_2(struct world *w)
{
	waves_begin(w);
	waves_say(w, "h1 began");
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}
