/* load.c - signed pushes, updates or reads over HTTP: as fast as they are answered, or at a rate. */
/* SPDX-License-Identifier: ISC */
/*
 *   load [-k KIND] [-c] [-r RATE] PORT PATH CONNECTIONS SECONDS SECRET [BODY]
 *
 * KIND: push; star (an event that nobody asked for, well signed); forged (a push whose signature
 * is wrong); update (Telegram's, with SECRET in its header); get (without a body).
 * BODY is a file that holds forty '@', or twelve '#', once or more: each request has a commit, or
 * a number, of its own there, and its own X-GitHub-Delivery.
 * -c: a connection for each request.  -r: an open loop: requests are due at RATE a second whatever
 * was answered, and their latency is counted from then, so that a server that stalls is charged
 * for all that should have come meanwhile.
 *
 * Prints one line of JSON; exits 2 when an answer was not what the kind expects.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "tests/unit/hmac_of.h"

#define COMMIT_SIZE	40
#define NUMBER_SIZE	12
#define PLACES_MAX	16
#define BODY_MAX	(1 << 20)
#define HEAD_MAX	1024
#define ANSWER_MAX	16384
#define CONNECTIONS_MAX 1024
#define SAMPLES_MAX	4000000
#define PATIENCE_NS	INT64_C(10000000000) /* nothing was answered for so long: not measured */
#define SECOND_NS	INT64_C(1000000000)

enum kind { PUSH, STAR, FORGED, UPDATE, GET, KIND_COUNT };

static const struct {
	const char *name;
	const char *event;  /* X-GitHub-Event */
	const char *expect; /* the answer begins so */
} kinds[KIND_COUNT] = {
	{ "push", "push", "HTTP/1.1 2" },
	{ "star", "star", "HTTP/1.1 2" },
	{ "forged", "push", "HTTP/1.1 4" },
	{ "update", NULL, "HTTP/1.1 2" },
	{ "get", NULL, "HTTP/1.1 200" },
};

struct places {
	size_t at[PLACES_MAX];
	size_t n;
};

struct client {
	struct client *next; /* of the idle ones */
	int fd;		     /* -1: not connected */
	int64_t due;	     /* when it was to be sent; ns */
	char head[HEAD_MAX];
	char *body;
	struct iovec left[2]; /* what is still to be sent */
	char answer[ANSWER_MAX];
	size_t got;
};

static struct {
	enum kind kind;
	bool closes;
	double rate; /* 0: a closed loop */
	int epoll;
	uint16_t port;
	const char *path;
	const char *secret;
	struct crypto_hmac_key *key;
	char *body;
	size_t size;
	struct places commits, numbers;
	uint64_t seed; /* of this process: no two have the same commits */
	uint64_t n_sent, n_ok, n_other;
	uint32_t *microseconds;
	struct client *idle;
	int64_t began, end;
	bool is_over;
} load;

static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static int64_t
now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * SECOND_NS + at.tv_nsec;
}

static void
find_places(const char *mark, size_t size, struct places *ret)
{
	const char *at;

	for (at = load.body; (at = strstr(at, mark)) != NULL; at += size) {
		if (ret->n == PLACES_MAX)
			die("the body", "too many places");
		ret->at[ret->n++] = (size_t)(at - load.body);
	}
}

static void
read_body(const char *path)
{
	struct err err;

	load.body = file_read(path, BODY_MAX, &load.size, &err);
	if (load.body == NULL)
		die(path, err.text);
	find_places("@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", COMMIT_SIZE, &load.commits);
	find_places("############", NUMBER_SIZE, &load.numbers);
	if (load.commits.n + load.numbers.n == 0)
		die(path, "there is no place for a commit or a number");
}

/* --- a request --- */

static void
fill_places(struct client *c, uint64_t n)
{
	char commit[COMMIT_SIZE + 1], number[24];

	(void)snprintf(
	    commit, sizeof(commit), "%016" PRIx64 "%016" PRIx64 "%08x", load.seed, n, (unsigned)n);
	for (size_t i = 0; i < load.commits.n; i++)
		memcpy(c->body + load.commits.at[i], commit, COMMIT_SIZE);
	/* A random part that no other process has, and room for ten million behind it. */
	(void)snprintf(number, sizeof(number), "%012" PRIu64,
	    (10000 + load.seed % 90000) * UINT64_C(10000000) + n % 10000000);
	for (size_t i = 0; i < load.numbers.n; i++)
		memcpy(c->body + load.numbers.at[i], number, NUMBER_SIZE);
}

static int
add_github_head(struct client *c, int size, uint64_t n)
{
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	uint8_t mac[CRYPTO_SHA256_SIZE];

	if (!hmac_of(load.key, c->body, load.size, mac, NULL))
		die("signing", "no memory");
	if (load.kind == FORGED)
		mac[0] ^= 1;
	text_hex(hex, mac, sizeof(mac));
	return size +
	    snprintf(c->head + size, sizeof(c->head) - (size_t)size,
		"X-GitHub-Event: %s\r\n"
		"X-GitHub-Delivery: %08x-%04x-%04x-0000-%012" PRIx64 "\r\n"
		"X-Hub-Signature-256: sha256=%s\r\n",
		kinds[load.kind].event, (unsigned)(load.seed >> 32),
		(unsigned)(load.seed >> 16) & 0xFFFF, (unsigned)load.seed & 0xFFFF, n, hex);
}

static void
compose(struct client *c)
{
	uint64_t n = ++load.n_sent;
	int size;

	size = snprintf(c->head, sizeof(c->head),
	    "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/bench\r\n"
	    "Accept: */*\r\n%s",
	    load.kind == GET ? "GET" : "POST", load.path,
	    load.closes ? "Connection: close\r\n" : "");
	if (load.kind != GET) {
		fill_places(c, n);
		if (load.kind == UPDATE)
			size += snprintf(c->head + size, sizeof(c->head) - (size_t)size,
			    "X-Telegram-Bot-Api-Secret-Token: %s\r\n", load.secret);
		else
			size = add_github_head(c, size, n);
		size += snprintf(c->head + size, sizeof(c->head) - (size_t)size,
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n", load.size);
	}
	size += snprintf(c->head + size, sizeof(c->head) - (size_t)size, "\r\n");
	c->left[0] = (struct iovec){ c->head, (size_t)size };
	c->left[1] = (struct iovec){ c->body, load.size };
	c->got = 0;
}

static void
send_more(struct client *c)
{
	struct msghdr message = { .msg_iov = c->left, .msg_iovlen = 2 };
	ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);

	/* Whoever refuses a forged one early need not read it to its end. */
	if (n < 0 && load.kind == FORGED && (errno == EPIPE || errno == ECONNRESET)) {
		c->left[0].iov_len = c->left[1].iov_len = 0;
		return;
	}
	if (n < 0 && errno != EAGAIN)
		die("sending", strerrordesc_np(errno));
	for (int i = 0; n > 0 && i < 2; i++) {
		size_t part = (size_t)n < c->left[i].iov_len ? (size_t)n : c->left[i].iov_len;

		c->left[i].iov_base = (char *)c->left[i].iov_base + part;
		c->left[i].iov_len -= part;
		n -= (ssize_t)part;
	}
}

static void
watch(struct client *c, int operation)
{
	uint32_t out = c->left[0].iov_len + c->left[1].iov_len > 0 ? EPOLLOUT : 0;
	struct epoll_event event = { .events = EPOLLIN | out, .data.ptr = c };

	if (epoll_ctl(load.epoll, operation, c->fd, &event) != 0)
		die("epoll", strerrordesc_np(errno));
}

static void
connect_client(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(load.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connecting", strerrordesc_np(errno));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->left[0].iov_len = c->left[1].iov_len = 0;
	watch(c, EPOLL_CTL_ADD);
}

/* Without a TIME_WAIT of ours: thousands of them a second would use up the ports. */
static void
disconnect(struct client *c)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(c->fd);
	c->fd = -1;
}

static void
begin_request(struct client *c, int64_t due)
{
	c->due = due;
	if (c->fd < 0)
		connect_client(c);
	compose(c);
	send_more(c);
	if (c->left[1].iov_len > 0)
		watch(c, EPOLL_CTL_MOD);
}

static void
rest(struct client *c)
{
	c->next = load.idle;
	load.idle = c;
}

static void
open_client(struct client *c)
{
	c->fd = -1;
	c->body = malloc(load.size + 1);
	if (c->body == NULL)
		die("a body", "no memory");
	if (load.size > 0)
		memcpy(c->body, load.body, load.size);
	if (!load.closes)
		connect_client(c);
	rest(c);
}

/* Those that are due and have a connection: in the closed loop all that are idle. */
static void
begin_due(void)
{
	while (load.idle != NULL && !load.is_over) {
		struct client *c = load.idle;
		int64_t due = now();

		if (load.rate > 0) {
			int64_t at = load.began + (int64_t)((double)load.n_sent / load.rate * 1e9);

			if (at > due || at >= load.end)
				return;
			due = at;
		}
		load.idle = c->next;
		begin_request(c, due);
	}
}

/* --- its answer --- */

/* The size of the whole answer once all of it is there, else 0. */
static size_t
answer_size(const struct client *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *length, *chunked;
	size_t size;

	if (end == NULL)
		return 0;
	length = strcasestr(c->answer, "\r\nContent-Length:");
	chunked = strcasestr(c->answer, "\r\nTransfer-Encoding: chunked");
	if (chunked != NULL && chunked < end) {
		end = strstr(end + 2, "\r\n0\r\n\r\n");
		return end == NULL ? 0 : (size_t)(end + 7 - c->answer);
	}
	if (length == NULL || length > end)
		die("an answer", "its size is not told");
	size = (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
	return c->got >= size ? size : 0;
}

static void
note_answer(const struct client *c)
{
	uint64_t n = load.n_ok + load.n_other;

	if (n < SAMPLES_MAX)
		load.microseconds[n] = (uint32_t)((now() - c->due) / 1000);
	if (strncmp(c->answer, kinds[load.kind].expect, strlen(kinds[load.kind].expect)) == 0)
		load.n_ok++;
	else if (load.n_other++ == 0)
		(void)fprintf(stderr, "load: answered %.40s\n", c->answer);
}

static void
on_readable(struct client *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("reading an answer",
		    n == 0 ? "the connection was closed" : strerrordesc_np(errno));
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	if (answer_size(c) == 0)
		return;
	note_answer(c);
	if (load.closes || strcasestr(c->answer, "\r\nConnection: close") != NULL)
		disconnect(c);
	rest(c);
}

static void
on_event(const struct epoll_event *event)
{
	struct client *c = event->data.ptr;

	if (c->fd >= 0 && (event->events & EPOLLOUT) != 0) {
		send_more(c);
		watch(c, EPOLL_CTL_MOD);
	}
	if (c->fd >= 0 && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		on_readable(c);
}

/* Until the next one is due, or the end. */
static int64_t
patience(void)
{
	int64_t at = now(), until = load.end;

	if (load.is_over)
		return PATIENCE_NS;
	if (load.rate > 0 && load.idle != NULL)
		until = load.began + (int64_t)((double)load.n_sent / load.rate * 1e9);
	if (until > load.end)
		until = load.end;
	return until > at ? until - at : 0;
}

static void
turn(void)
{
	struct epoll_event events[64];
	int64_t ns = patience();
	const struct timespec wait = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
	int n = epoll_pwait2(load.epoll, events, 64, &wait, NULL);

	if (n == 0 && load.is_over)
		die("waiting", "no answer for 10 s");
	for (int i = 0; i < n; i++)
		on_event(&events[i]);
	begin_due();
}

/* --- the whole --- */

static int
by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned
share(uint64_t n, double of)
{
	uint64_t i = (uint64_t)((double)n * of);

	return n == 0 ? 0 : load.microseconds[i < n ? i : n - 1];
}

static void
report(uint64_t in_time)
{
	const double seconds = (double)(load.end - load.began) / 1e9;
	uint64_t n = load.n_ok + load.n_other;
	uint64_t due = load.rate > 0 ? (uint64_t)(load.rate * seconds) : load.n_sent;

	n = n < SAMPLES_MAX ? n : SAMPLES_MAX;
	qsort(load.microseconds, n, sizeof(*load.microseconds), by_size);
	(void)printf("{\"seconds\": %.3f, \"rate\": %.1f, \"sent\": %" PRIu64 ", \"ok\": %" PRIu64
		     ", \"other\": %" PRIu64 ", \"unsent\": %" PRIu64
		     ", \"median_us\": %u, \"p99_us\": %u, \"p999_us\": %u, \"max_us\": %u}\n",
	    seconds, (double)in_time / seconds, load.n_sent, load.n_ok, load.n_other,
	    due > load.n_sent ? due - load.n_sent : 0, share(n, .5), share(n, .99), share(n, .999),
	    share(n, 1));
}

static enum kind
kind_of(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return (enum kind)i;
	die(name, "no such kind");
	return PUSH;
}

static char **
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "k:cr:")) != -1) {
		if (option == 'k')
			load.kind = kind_of(optarg);
		else if (option == 'c')
			load.closes = true;
		else if (option == 'r')
			load.rate = strtod(optarg, NULL);
		else
			die("usage", "see the top of load.c");
	}
	if (argc - optind != (load.kind == GET ? 5 : 6))
		die("usage", "see the top of load.c");
	return argv + optind;
}

int
main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MAX];
	char **given = read_options(argc, argv);
	size_t n = strtoul(given[2], NULL, 10);
	uint64_t in_time;
	struct err err;

	load.port = (uint16_t)strtoul(given[0], NULL, 10);
	load.path = given[1];
	load.secret = given[4];
	load.key = crypto_hmac_key_new(load.secret, strlen(load.secret), &err);
	if (load.key == NULL)
		die("the secret", err.text);
	if (load.kind != GET)
		read_body(given[5]);
	load.microseconds = calloc(SAMPLES_MAX, sizeof(*load.microseconds));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n == 0 || n > CONNECTIONS_MAX || load.microseconds == NULL || load.epoll < 0 ||
	    getrandom(&load.seed, sizeof(load.seed), 0) != sizeof(load.seed))
		die("starting", "too many connections, or no memory");
	for (size_t i = 0; i < n; i++)
		open_client(&clients[i]);
	load.began = now();
	load.end = load.began + (int64_t)(strtod(given[3], NULL) * 1e9);
	begin_due();
	while (now() < load.end)
		turn();
	in_time = load.n_ok;
	load.is_over = true;
	while (load.n_ok + load.n_other < load.n_sent)
		turn();
	report(in_time);
	return load.n_other == 0 ? 0 : 2;
}
