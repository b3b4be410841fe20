/* Goal: what is said of a host is on disk before it is acknowledged, once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/host_results.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"
#include "unit.h"

struct world {
	char path[64];
	int folder, script;
	struct host_results results;
};

static struct protocol_message
order_of(const char *hosts)
{
	return (struct protocol_message){
		.kind = PROTOCOL_RUN, .body = hosts, .body_len = strlen(hosts)
	};
}

static void
begin(struct world *w, const char *hosts)
{
	const struct protocol_message order = order_of(hosts);
	struct err err;

	(void)snprintf(w->path, sizeof(w->path), "/tmp/host_results.XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->folder = open(w->path, O_RDONLY | O_DIRECTORY);
	assert_true(host_results_open(&w->results, w->folder, &order, &w->script, &err));
	assert_int_equal(fcntl(w->script, F_SETFL, O_NONBLOCK), 0);
}

static const char *
kept(const struct world *w)
{
	static char text[8192];

	assert_true(file_read_small(w->folder, "results", text, sizeof(text)) >= 0);
	return text;
}

static const char *
acknowledged(const struct world *w)
{
	static char text[8192];
	ssize_t n = read(w->script, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
end(struct world *w)
{
	(void)unlinkat(w->folder, "results", 0);
	(void)rmdir(w->path);
	(void)close(w->folder);
	(void)close(w->script);
	host_results_done(&w->results);
}

TEST(a_host_that_began_is_acknowledged_behind_the_flush_and_once)
{
	struct world w;

	begin(&w, "web1:22\nweb2:22\n");
	host_results_take(&w.results, "web2:22 began");
	host_results_take(&w.results, "web1:22 began");
	assert_string_equal(kept(&w), HOST_RESULTS_HEAD);
	assert_string_equal(acknowledged(&w), "");
	assert_true(host_results_flush(&w.results)); /* both at once */
	assert_string_equal(kept(&w), HOST_RESULTS_HEAD "web2:22 began\nweb1:22 began\n");
	assert_string_equal(acknowledged(&w), "web2:22\nweb1:22\n");
	host_results_take(&w.results, "web1:22 began");
	assert_false(host_results_flush(&w.results));
	assert_string_equal(acknowledged(&w), "");
	host_results_take(&w.results, "web1:22 ok");
	host_results_take(&w.results, "web2:22 failed it does not start");
	host_results_take(&w.results, "web2:22 failed for another reason");
	assert_true(host_results_flush(&w.results));
	assert_string_equal(kept(&w),
	    HOST_RESULTS_HEAD "web2:22 began\nweb1:22 began\nweb1:22 ok\n"
			      "web2:22 failed it does not start\n");
	assert_string_equal(acknowledged(&w), "");
	end(&w);
}

TEST(of_a_host_of_another_run_nothing_is_kept)
{
	struct world w;

	begin(&w, "= 1a2b3c4d\nweb1:22\n= none\n[::1]:22\n");
	host_results_take(&w.results, "web2:22 began");
	host_results_take(&w.results, "web1 began");
	host_results_take(&w.results, "= began");
	assert_false(host_results_flush(&w.results));
	host_results_take(&w.results, "[::1]:22 began");
	assert_true(host_results_flush(&w.results));
	assert_string_equal(acknowledged(&w), "[::1]:22\n");
	end(&w);
}

TEST(what_the_disk_refuses_is_not_acknowledged_and_tried_again)
{
	struct world w;
	int file, full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	begin(&w, "web1:22\n");
	file = w.results.file;
	w.results.file = full;
	host_results_take(&w.results, "web1:22 began");
	assert_false(host_results_flush(&w.results));
	assert_true(host_results_is_due(&w.results));
	assert_string_equal(acknowledged(&w), "");
	w.results.file = file;
	assert_true(host_results_flush(&w.results));
	assert_false(host_results_is_due(&w.results));
	assert_string_equal(acknowledged(&w), "web1:22\n");
	(void)close(full);
	end(&w);
}

/* As a script that reads none of it: nothing waits, and nothing is lost. */
TEST(what_the_pipe_has_no_room_for_comes_when_there_is)
{
	static char hosts[PROTOCOL_HOSTS_MAX], line[300];
	size_t used = 0, got = 0;
	struct world w;

	for (int i = 0; i < 255; i++)
		used += (size_t)snprintf(hosts + used, sizeof(hosts) - used, "%0250d:22\n", i + 1);
	begin(&w, hosts);
	assert_true(fcntl(w.script, F_SETPIPE_SZ, 4096) >= 0);
	for (int i = 0; i < 255; i++) {
		(void)snprintf(line, sizeof(line), "%0250d:22 began", i + 1);
		host_results_take(&w.results, line);
	}
	assert_true(host_results_flush(&w.results));
	for (size_t n = 1; n > 0; got += n) {
		n = strlen(acknowledged(&w));
		(void)host_results_flush(&w.results);
	}
	assert_int_equal(got, used);
	end(&w);
}

TEST(a_host_that_stands_there_twice_is_refused)
{
	const struct protocol_message order = order_of("web1:22\nweb2:22\nweb1:22\n");
	struct host_results results;
	struct err err;
	int script;

	assert_false(host_results_open(&results, AT_FDCWD, &order, &script, &err));
	assert_string_equal(err.text, "the order has the host web1:22 twice");
	host_results_done(&results);
}

TEST(an_order_without_hosts_makes_nothing)
{
	const struct protocol_message order = { .kind = PROTOCOL_RUN };
	struct host_results results;
	int script;

	assert_true(host_results_open(&results, -1, &order, &script, NULL));
	assert_int_equal(script, 0);
	assert_int_equal(results.file, -1);
	assert_false(host_results_flush(&results));
	assert_false(host_results_is_due(&results));
	host_results_done(&results);
}
