/* probes.c - a thousand health URLs probed at once, by the real performer, of a peer that takes its time. */
/* SPDX-License-Identifier: ISC */
/*
 *   probes COUNT DELAY_MS PEER_CORE OWN_CORE
 *
 * The peer is a process of its own, and answers each request DELAY_MS after it has come.  Eight
 * URLs make a probe, as in an environment with the most of them.  Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "effects/perform_inside.h"
#include "lib/http_client.h"
#include "lib/loop.h"

#define COUNT_MAX 4096
#define FD_MAX	  8192
#define URLS	  LIMIT_URLS

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t
clock_us(clockid_t clock)
{
	struct timespec at;

	(void)clock_gettime(clock, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static int64_t
now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

static void
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("pinning");
}

static int
listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, COUNT_MAX) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		die("listening");
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* --- the peer: all wait equally long, so those who wait are a queue --- */

static struct {
	int fd;
	int64_t due;
} waiting[FD_MAX * 4];

static void
answer(int fd)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";

	if (send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) < 0)
		(void)close(fd); /* it did not wait */
}

static void
take_event(int epoll, int listener, int fd, int64_t delay_us, size_t *last)
{
	char request[4096];
	struct epoll_event event = { .events = EPOLLIN };

	if (fd == listener) {
		while ((event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
				die("epoll");
		return;
	}
	if (recv(fd, request, sizeof(request), 0) <= 0) {
		(void)close(fd);
		return;
	}
	waiting[*last % COUNT(waiting)].fd = fd;
	waiting[(*last)++ % COUNT(waiting)].due = now_us() + delay_us;
}

static _Noreturn void
be_peer(int listener, int64_t delay_us)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
	struct epoll_event events[64];
	size_t first = 0, last = 0;
	int epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
		die("epoll");
	for (;;) {
		int n = epoll_wait(epoll, events, 64, first == last ? -1 : 1);

		for (int i = 0; i < n; i++)
			take_event(epoll, listener, events[i].data.fd, delay_us, &last);
		for (; first < last && waiting[first % COUNT(waiting)].due <= now_us(); first++)
			answer(waiting[first % COUNT(waiting)].fd);
	}
}

/* --- ours --- */

static struct {
	size_t well, done;
	size_t descriptors;
	int64_t worst_turn_us;
	int64_t worst_processor_us; /* of a turn: what others on the machine do not add to */
} told;

static void
on_result(UNUSED void *ctx, struct event *event)
{
	for (size_t i = 0; i < event->u.probed.n; i++)
		told.well += event->u.probed.findings[i].is_healthy;
	told.done += event->u.probed.n;
	event_free(event);
}

static struct effect *
new_probe(int64_t id, size_t n, uint16_t port)
{
	struct effect *effect = effect_new(EFFECT_PROBE);

	if (effect == NULL)
		die("memory");
	effect->id = effect->subject = id; /* of a gate */
	effect->u.probe.message = 1;	   /* as /status: each URL is looked at to its end */
	effect->u.probe.plan =
	    (struct probe_plan){ .successes = 1, .failures = 1, .interval_s = 1, .timeout_s = 10 };
	effect->u.probe.targets = calloc(n, sizeof(struct probe_target));
	if (effect->u.probe.targets == NULL)
		die("memory");
	effect->u.probe.n = n;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(effect->u.probe.targets[i].url,
		    sizeof(effect->u.probe.targets[i].url), "http://127.0.0.1:%u/health/%zu",
		    (unsigned)port, i);
	return effect;
}

static size_t
count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t n = 0;

	if (folder == NULL)
		die("/proc/self/fd");
	while (readdir(folder) != NULL)
		n++;
	(void)closedir(folder);
	return n - 3; /* itself, and . and .. */
}

static double
dirty_mb(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kb = 0;

	if (file == NULL)
		die("smaps_rollup");
	while (fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "Private_Dirty: %ld", &kb);
	(void)fclose(file);
	return (double)kb / 1024;
}

int
main(int argc, char **argv)
{
	struct perform perform = { .submit = on_result };
	size_t count, started = 0;
	double dirty, dirty_before;
	int64_t began, took;
	uint16_t port;
	int listener;
	pid_t peer;

	if (argc != 5)
		return 2;
	count = strtoul(argv[1], NULL, 10);
	listener = listen_anywhere(&port);
	peer = fork();
	if (peer < 0)
		die("fork");
	if (peer == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin((int)strtol(argv[3], NULL, 10));
		be_peer(listener, strtol(argv[2], NULL, 10) * 1000);
	}
	(void)close(listener);
	pin((int)strtol(argv[4], NULL, 10));
	perform.loop = loop_new(NULL);
	if (perform.loop == NULL || !perform_probe_clients(&perform.probes, perform.loop, NULL))
		die("memory");
	dirty_before = dirty = dirty_mb();
	(void)loop_lag_worst_us(perform.loop);
	began = now_us();
	for (; started < count; started += URLS)
		perform_effect(&perform,
		    new_probe((int64_t)started + 1, count - started < URLS ? count - started : URLS,
			port));
	took = now_us() - began;
	while (told.done < count) {
		int64_t turn, processor = clock_us(CLOCK_PROCESS_CPUTIME_ID);

		loop_run_once(perform.loop);
		turn = loop_lag_worst_us(perform.loop);
		if (turn > told.worst_turn_us)
			told.worst_turn_us = turn;
		processor = clock_us(CLOCK_PROCESS_CPUTIME_ID) - processor;
		if (processor > told.worst_processor_us)
			told.worst_processor_us = processor;
		/* Looked at once, when most are under way: looking takes time itself. */
		if (told.descriptors == 0 && told.done > 0) {
			told.descriptors = count_descriptors();
			dirty = dirty_mb();
		}
	}
	(void)printf("{\"ms\": %.1f, \"well\": %zu, \"ordered_ms\": %.1f, \"worst_turn_ms\": %.1f, "
		     "\"worst_processor_ms\": %.1f, \"processor_ms\": %.1f, \"descriptors\": %zu, "
		     "\"grown_mb\": %.1f}\n",
	    (double)(now_us() - began) / 1000, told.well, (double)took / 1000,
	    (double)told.worst_turn_us / 1000, (double)told.worst_processor_us / 1000,
	    (double)clock_us(CLOCK_PROCESS_CPUTIME_ID) / 1000, told.descriptors,
	    dirty - dirty_before);
	perform_done(&perform);
	http_client_free(perform.probes.gates);
	http_client_free(perform.probes.looks);
	loop_free(perform.loop);
	(void)kill(peer, SIGKILL);
	(void)waitpid(peer, NULL, 0);
	return told.well == count ? 0 : 3;
}
