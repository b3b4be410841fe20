/* Goal: what is said of hosts is reported whole, in order, and where it is gone, that.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_hosts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agents_world.h"
#include "runs/run_translate.h"

#define HEAD "hosts\n"

struct heard {
	char text[16384];
	int events, gone, lasts;
};

static void
on_hosts(void *ctx, const struct hosts_said *said)
{
	struct heard *heard = ctx;
	size_t used = strlen(heard->text);

	assert_int_equal(said->run, 12);
	assert_true(said->n <= HOSTS_SAID_MAX);
	heard->events++;
	heard->gone += said->is_gone;
	for (size_t i = 0; i < said->n; i++)
		used += (size_t)snprintf(heard->text + used, sizeof(heard->text) - used,
		    "%s %d %s\n", said->list[i].host, (int)said->list[i].word, said->list[i].why);
}

static void
on_last(void *ctx, UNUSED const struct run_tail_bytes *bytes)
{
	((struct heard *)ctx)->lasts++;
}

static struct run_report
report_to(struct heard *heard)
{
	return (struct run_report){ .run = 12, .watch = { .on_hosts = on_hosts, .ctx = heard } };
}

static void
write_results(const struct world *w, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/runs", w->folder);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/runs/12", w->folder);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/runs/12/results", w->folder);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

TEST(a_line_says_what_became_of_a_host_and_any_other_nothing)
{
	static const char *const bad[] = { "hosts", "web1:22", "web1:22 Began", "web1 began",
		" began", "Web1:22 ok", "web1:22  ok", "a b c" };
	static const char failed[] = "[::1]:22 failed no \001 room";
	static const char unknown[] = "web1:22 failed unknown: the connection broke";
	struct host_result got;

	assert_true(run_translate_host("web1:22 began", 13, NULL, &got));
	assert_int_equal(got.word, HOST_BEGAN);
	assert_string_equal(got.host, "web1:22");
	assert_true(run_translate_host(failed, strlen(failed), NULL, &got));
	assert_int_equal(got.word, HOST_FAILED);
	assert_string_equal(got.why, "no room");
	assert_true(run_translate_host(unknown, strlen(unknown), NULL, &got));
	assert_int_equal(got.word, HOST_UNKNOWN);
	assert_string_equal(got.why, "the connection broke");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(run_translate_host(bad[i], strlen(bad[i]), NULL, &got));
}

AGENTS_TEST(of_a_run_of_here_what_has_come_is_read_once_and_the_rest_before_its_end)
{
	struct heard heard = { .text = "" };
	struct run_report report = report_to(&heard);
	struct run_hosts hosts = { 0 };

	write_results(w, HEAD "web1:22 began\nweb1:22 o");
	run_hosts_begin(&hosts, &report, w->loop, w->folder, NULL);
	run_hosts_grew(&hosts);
	run_hosts_grew(&hosts);
	WAIT_FOR(w, heard.events > 0);
	assert_string_equal(heard.text, "web1:22 0 \n");
	write_results(w, "k\nweb2:22 failed unreachable: no route\n");
	run_hosts_end(&hosts);
	assert_string_equal(
	    heard.text, "web1:22 0 \nweb1:22 1 \nweb2:22 2 unreachable: no route\n");
	assert_int_equal(heard.gone, 0);
	run_hosts_done(&hosts);
}

AGENTS_TEST(a_thousand_hosts_come_in_batches)
{
	static struct heard heard;
	struct run_report report;
	struct run_hosts hosts = { 0 };

	heard = (struct heard){ .text = "" };
	report = report_to(&heard);
	write_results(w, HEAD);
	for (int i = 0; i < 1000; i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "h%d:22 ok\n", i);
		write_results(w, line);
	}
	run_hosts_begin(&hosts, &report, w->loop, w->folder, NULL);
	run_hosts_end(&hosts);
	assert_int_equal(heard.events, (1000 + HOSTS_SAID_MAX - 1) / HOSTS_SAID_MAX);
	assert_non_null(strstr(heard.text, "h999:22 1 \n"));
	run_hosts_done(&hosts);
}

AGENTS_TEST(where_the_file_or_its_folder_is_gone_that_is_said)
{
	struct heard heard = { .text = "" };
	struct run_report report = report_to(&heard);
	struct run_hosts hosts = { 0 };

	run_hosts_begin(&hosts, &report, w->loop, w->folder, NULL);
	run_hosts_end(&hosts);
	assert_int_equal(heard.gone, 1);
	write_results(w, ""); /* a power cut took its first line */
	run_hosts_end(&hosts);
	assert_int_equal(heard.gone, 2);
	write_results(w, HEAD);
	run_hosts_end(&hosts);
	assert_int_equal(heard.gone, 2);
	run_hosts_done(&hosts);
}

static struct agent_channels *
build(struct world *w)
{
	struct known_peers *known = known_peers_new(1);

	known_peers_add(known, &(struct peer){ .identity = BUILD, .digest = MANIFEST });
	agents_take_peers(w->agents, known);
	send_packet(w, "link 0", "here " BUILD " " MANIFEST " 1767225600 0.2.0 192.0.2.1:1\n");
	while (w->packet[0] != 'r')
		WAIT_FOR(w, came(w));
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	WAIT_FOR(w, w->ready > 0);
	return agent_link_channels(agents_find(w->agents, "build-1"));
}

AGENTS_TEST(of_a_run_elsewhere_all_is_asked_for_before_the_end_of_its_output)
{
	struct agent_channels *channels = build(w);
	struct heard heard = { .text = "" };
	struct run_report report = report_to(&heard);
	struct run_output output = { 0 };
	struct run_hosts hosts = { 0 };

	run_output_begin(&output, channels, 12, on_last, &heard);
	run_hosts_begin(&hosts, &report, w->loop, w->folder, channels);
	run_hosts_grew(&hosts);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\nresults 1\n");
	send_packet(
	    w, BUILD " 1", "piece\nid 12\nfrom 1\nsize 20\nresults 1\n\n" HEAD "web1:22 began\n");
	expect(w, BUILD " 1\nread\nid 12\nfrom 21\nresults 1\n");
	assert_string_equal(heard.text, "web1:22 0 \n");
	run_hosts_last(
	    &hosts, &output); /* what was asked before it ended does not count as the end */
	send_packet(w, BUILD " 1", "piece\nid 12\nfrom 21\nsize 20\nresults 1\n\n");
	expect(w, BUILD " 1\nread\nid 12\nfrom 21\nresults 1\n");
	send_packet(w, BUILD " 1", "piece\nid 12\nfrom 21\nsize 31\nresults 1\n\nweb1:22 ok\n");
	expect(w, BUILD " 1\nread\nid 12\nfrom 32\nresults 1\n");
	send_packet(w, BUILD " 1", "piece\nid 12\nfrom 32\nsize 31\nresults 1\n\n");
	expect(w, BUILD " 1\nread\nid 12\n");
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 5\n\ndone\n");
	WAIT_FOR(w, heard.lasts == 1);
	run_hosts_end(&hosts);
	assert_string_equal(heard.text, "web1:22 0 \nweb1:22 1 \n");
	assert_int_equal(heard.gone, 0);
	run_hosts_done(&hosts);
	run_output_done(&output);
}

/* It says nothing of them, or too late. */
AGENTS_TEST(of_a_run_elsewhere_what_was_not_answered_is_gone)
{
	struct agent_channels *channels = build(w);
	struct heard heard = { .text = "" };
	struct run_report report = report_to(&heard);
	struct run_output output = { 0 };
	struct run_hosts hosts = { 0 };

	run_output_begin(&output, channels, 12, on_last, &heard);
	run_hosts_begin(&hosts, &report, w->loop, w->folder, channels);
	run_hosts_last(&hosts, &output);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\nresults 1\n");
	run_hosts_end(&hosts);
	assert_int_equal(heard.gone, 1);
	run_hosts_done(&hosts);
	run_output_done(&output);
}
