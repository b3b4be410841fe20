/* load.c - a closed loop of signed pushes over keep-alive connections; each body is its own. */
/* SPDX-License-Identifier: ISC */
/*
 *   load PORT PATH CONNECTIONS SECONDS SECRET BODY
 *
 * BODY is a file that holds forty '@' once or more: each request has a commit of its own there, and
 * its own X-GitHub-Delivery.  Prints one line of JSON; exits 2 when an answer was not 2xx.
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

#define COMMIT_SIZE	40
#define PLACES_MAX	16
#define BODY_MAX	(1 << 20)
#define HEAD_MAX	1024
#define ANSWER_MAX	4096
#define CONNECTIONS_MAX 1024
#define SAMPLES_MAX	4000000
#define PATIENCE_MS	10000 /* nothing was answered for so long: not measured */

struct client {
	int fd;
	struct timespec sent;
	char head[HEAD_MAX];
	char *body;
	struct iovec left[2]; /* what is still to be sent */
	char answer[ANSWER_MAX];
	size_t got;
};

static struct {
	int epoll;
	uint16_t port;
	const char *path;
	struct crypto_hmac_key *key;
	char *body;
	size_t size;
	size_t places[PLACES_MAX];
	size_t n_places;
	uint64_t seed; /* of this process: no two have the same commits */
	uint64_t n_sent, n_ok, n_other;
	uint32_t *microseconds;
	bool is_over;
} load;

static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static double
seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static struct timespec
now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return at;
}

static void
read_body(const char *path)
{
	static const char mark[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
	struct err err;
	const char *at;

	load.body = file_read(path, BODY_MAX, &load.size, &err);
	if (load.body == NULL)
		die(path, err.text);
	for (at = load.body; (at = strstr(at, mark)) != NULL; at += COMMIT_SIZE) {
		if (load.n_places == PLACES_MAX)
			die(path, "too many places");
		load.places[load.n_places++] = (size_t)(at - load.body);
	}
	if (load.n_places == 0)
		die(path, "there is no place for a commit");
}

/* --- a request --- */

static void
compose(struct client *c)
{
	char commit[COMMIT_SIZE + 1], hex[2 * CRYPTO_SHA256_SIZE + 1];
	uint8_t mac[CRYPTO_SHA256_SIZE];
	uint64_t n = ++load.n_sent;
	int size;

	(void)snprintf(
	    commit, sizeof(commit), "%016" PRIx64 "%016" PRIx64 "%08x", load.seed, n, (unsigned)n);
	for (size_t i = 0; i < load.n_places; i++)
		memcpy(c->body + load.places[i], commit, COMMIT_SIZE);
	if (!crypto_hmac_of(load.key, c->body, load.size, mac, NULL))
		die("signing", "no memory");
	text_hex(hex, mac, sizeof(mac));
	size = snprintf(c->head, sizeof(c->head),
	    "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/bench\r\n"
	    "Accept: */*\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
	    "X-GitHub-Delivery: %08x-%04x-%04x-0000-%012" PRIx64 "\r\n"
	    "X-Hub-Signature-256: sha256=%s\r\nContent-Length: %zu\r\n\r\n",
	    load.path, (unsigned)(load.seed >> 32), (unsigned)(load.seed >> 16) & 0xFFFF,
	    (unsigned)load.seed & 0xFFFF, n, hex, load.size);
	c->left[0] = (struct iovec){ c->head, (size_t)size };
	c->left[1] = (struct iovec){ c->body, load.size };
	c->sent = now();
	c->got = 0;
}

static void
send_more(struct client *c)
{
	struct msghdr message = { .msg_iov = c->left, .msg_iovlen = 2 };
	ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);

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
begin_request(struct client *c)
{
	compose(c);
	send_more(c);
	if (c->left[1].iov_len > 0)
		watch(c, EPOLL_CTL_MOD);
}

static void
open_client(struct client *c)
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
	if (c->body == NULL) {
		c->body = malloc(load.size);
		if (c->body == NULL)
			die("a body", "no memory");
		memcpy(c->body, load.body, load.size);
	}
	c->left[0].iov_len = c->left[1].iov_len = 0;
	watch(c, EPOLL_CTL_ADD);
}

/* --- its answer --- */

/* The size of the whole answer once its head is there, else 0. */
static size_t
answer_size(const struct client *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *length;

	if (end == NULL)
		return 0;
	length = strcasestr(c->answer, "\r\nContent-Length:");
	if (length == NULL || length > end)
		die("an answer", "it has no Content-Length");
	return (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static void
note_answer(struct client *c)
{
	struct timespec at = now();
	uint64_t n = load.n_ok + load.n_other;

	if (load.microseconds != NULL && n < SAMPLES_MAX)
		load.microseconds[n] = (uint32_t)(seconds_between(&c->sent, &at) * 1e6);
	if (strncmp(c->answer, "HTTP/1.1 2", 10) == 0)
		load.n_ok++;
	else if (load.n_other++ == 0)
		(void)fprintf(stderr, "load: answered %.40s\n", c->answer);
}

static void
on_readable(struct client *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got, 0);
	size_t size;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("reading an answer",
		    n == 0 ? "the connection was closed" : strerrordesc_np(errno));
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	size = answer_size(c);
	if (size == 0 || c->got < size)
		return;
	note_answer(c);
	c->sent.tv_sec = 0;
	if (!load.is_over)
		begin_request(c);
}

static void
on_event(const struct epoll_event *event)
{
	struct client *c = event->data.ptr;

	if ((event->events & EPOLLOUT) != 0) {
		send_more(c);
		watch(c, EPOLL_CTL_MOD);
	}
	if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		on_readable(c);
}

static void
turn(void)
{
	struct epoll_event events[64];
	int n = epoll_wait(load.epoll, events, 64, PATIENCE_MS);

	if (n == 0)
		die("waiting", "no answer for 10 s");
	for (int i = 0; i < n; i++)
		on_event(&events[i]);
}

/* --- the whole --- */

static int
by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
report(double seconds, uint64_t in_time)
{
	uint64_t n = load.n_ok + load.n_other;

	n = n < SAMPLES_MAX ? n : SAMPLES_MAX;
	qsort(load.microseconds, n, sizeof(*load.microseconds), by_size);
	(void)printf("{\"seconds\": %.3f, \"rate\": %.1f, \"sent\": %" PRIu64 ", \"ok\": %" PRIu64
		     ", \"other\": %" PRIu64
		     ", \"median_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
	    seconds, (double)in_time / seconds, load.n_sent, load.n_ok, load.n_other,
	    load.microseconds[n / 2], load.microseconds[n * 99 / 100], load.microseconds[n - 1]);
}

int
main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MAX];
	struct timespec began, at;
	double seconds, limit;
	uint64_t in_time;
	struct err err;
	size_t n;

	if (argc != 7)
		die("usage", "load PORT PATH CONNECTIONS SECONDS SECRET BODY");
	load.port = (uint16_t)strtoul(argv[1], NULL, 10);
	load.path = argv[2];
	n = strtoul(argv[3], NULL, 10);
	limit = strtod(argv[4], NULL);
	load.key = crypto_hmac_key_new(argv[5], strlen(argv[5]), &err);
	if (load.key == NULL)
		die("the secret", err.text);
	read_body(argv[6]);
	load.microseconds = calloc(SAMPLES_MAX, sizeof(*load.microseconds));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n == 0 || n > CONNECTIONS_MAX || load.microseconds == NULL || load.epoll < 0 ||
	    getrandom(&load.seed, sizeof(load.seed), 0) != sizeof(load.seed))
		die("starting", "too many connections, or no memory");
	for (size_t i = 0; i < n; i++)
		open_client(&clients[i]);
	began = now();
	for (size_t i = 0; i < n; i++)
		begin_request(&clients[i]);
	do {
		turn();
		at = now();
		seconds = seconds_between(&began, &at);
	} while (seconds < limit);
	in_time = load.n_ok;
	load.is_over = true;
	while (load.n_ok + load.n_other < load.n_sent)
		turn();
	report(seconds, in_time);
	return load.n_other == 0 ? 0 : 2;
}
