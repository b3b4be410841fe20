/* agents.c - many hosts of deploybot-link in one process, each with a key of its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 *   agents CA.crt CA.key PORT N      PORT is deploybot-link's on 127.0.0.1
 *
 * Prints a line `agent/hNNNNN DIGEST` for each, then `made`.  Behind a line on stdin all connect,
 * within 30 s, and again whenever they are disconnected, as hosts do; what deploybot says
 * to each agent (hello, on channel 1) is answered with two capabilities.  Each second in which that
 * has changed a line says how many are connected and how many of them were greeted since the last
 * line on stdin.  Ends with stdin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crypto_ca.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "link/link_tls.h"

#define SPREAD_MS 30000
#define BEAT_MS	  25000
#define DAY_MS	  INT64_C(86400000)

struct host {
	struct link_tls tls; /* first */
	EVP_PKEY *key;
	X509 *certificate;
	char name[CRYPTO_CA_IDENTITY];
	int64_t due, pinged_at;
	bool is_used, is_greeted;
};

static struct {
	struct link_poll poll;
	struct link_watch stdin_watch;
	SSL_CTX *context;
	struct host *hosts;
	size_t n, said_here, said_greeted;
	struct sockaddr_in address;
	char hello[1024];
	size_t hello_size;
	bool is_begun;
} load;

static void
die(const char *what, const struct err *err)
{
	(void)fprintf(
	    stderr, "agents: %s: %s\n", what, err == NULL ? strerrordesc_np(errno) : err->text);
	exit(1);
}

static int64_t
spread(void)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		die("getrandom", NULL);
	return random % SPREAD_MS;
}

/* --- one host --- */

static void
on_open(struct link_tls *tls, UNUSED const struct link_identity *peer)
{
	struct link_word hello = { .kind = LINK_HELLO, .at = clock_wall_ms() / 1000 };

	(void)text_copy(hello.name, sizeof(hello.name), ((struct host *)tls)->name);
	(void)text_copy(hello.version, sizeof(hello.version), "0.0.0");
	link_tls_say(tls, &hello);
}

static void
on_frame(struct link_tls *tls, const struct link_frame *frame)
{
	struct host *host = (struct host *)tls;
	struct link_word word;
	struct err err;

	if (frame->channel == 1) {
		if (!text_starts(frame->packet, "hello\n"))
			return;
		link_tls_send(tls, 1, load.hello, load.hello_size);
		host->is_greeted = true;
	} else if (!link_word_read(frame->packet, frame->size, LINK_OF_SERVER, &word, &err)) {
		link_tls_end(tls, "%s", err.text);
	} else if (word.kind == LINK_HELLO) {
		link_tls_ready(tls);
		host->pinged_at = clock_monotonic_ms();
	} else if (word.kind == LINK_CLOSE && word.channel == 0) {
		link_tls_end(tls, "%s", word.text);
	} else if (word.kind == LINK_CLOSE || word.kind == LINK_PING) {
		word.kind = word.kind == LINK_PING ? LINK_PONG : LINK_CLOSE; /* both sides say it */
		link_tls_say(tls, &word);
	}
}

static void
on_end(struct link_tls *tls, UNUSED const char *why)
{
	struct host *host = (struct host *)tls;

	host->due = clock_monotonic_ms() + spread();
	host->is_greeted = false;
}

static void
on_over(struct link_watch *watch, UNUSED uint32_t events)
{
	((struct host *)watch)->is_used = false;
}

static void
dial(struct host *host)
{
	static const struct link_tls_events events = { on_open, on_frame, on_end, NULL };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		die("socket", NULL);
	if (connect(fd, (struct sockaddr *)&load.address, sizeof(load.address)) == -1 &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		host->due = clock_monotonic_ms() + spread();
		return;
	}
	/* SSL_new(3) copies what the context has then. */
	if (SSL_CTX_use_certificate(load.context, host->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(load.context, host->key) != 1)
		die("SSL_CTX_use_certificate", NULL);
	host->is_used = true;
	host->tls = (struct link_tls){ .on = &events, .watch.on_over = on_over };
	link_tls_start(&host->tls, &load.poll, fd, load.context, "127.0.0.1");
}

/* --- all of them --- */

static void
on_second(UNUSED void *ctx)
{
	int64_t now = clock_monotonic_ms();
	size_t here = 0, greeted = 0;

	for (size_t i = 0; load.is_begun && i < load.n; i++) {
		struct host *host = &load.hosts[i];

		if (!host->is_used && now >= host->due) {
			dial(host);
		} else if (host->is_used) {
			if (host->tls.is_ready && now - host->pinged_at >= BEAT_MS) {
				host->pinged_at = now;
				link_tls_say(&host->tls, &(struct link_word){ .kind = LINK_PING });
			}
			link_tls_second(&host->tls, now, BEAT_MS * 8 / 5);
		}
		here += host->is_used && host->tls.is_ready;
		greeted += host->is_greeted;
	}
	if (here != load.said_here || greeted != load.said_greeted)
		(void)printf("%zu %zu\n", here, greeted);
	load.said_here = here;
	load.said_greeted = greeted;
}

static void
on_line(struct link_watch *watch, UNUSED uint32_t events)
{
	char line[64];
	ssize_t size = read(watch->fd, line, sizeof(line));
	int64_t now = clock_monotonic_ms();

	if (size <= 0)
		exit(0);
	for (size_t i = 0; i < load.n; i++) {
		load.hosts[i].is_greeted = false;
		if (!load.is_begun)
			load.hosts[i].due = now + spread();
	}
	load.is_begun = true;
	load.said_greeted = SIZE_MAX;
}

static void
make(struct host *host, size_t number, const struct crypto_ca_order *authority)
{
	struct crypto_ca_order order = *authority;
	char certificate[CRYPTO_CA_PEM], digest[CRYPTO_SHA256_HEX];
	struct crypto_ca_pair pair;
	struct err err = { 0 };
	BIO *key, *text;

	(void)snprintf(host->name, sizeof(host->name), "agent/h%05zu", number);
	order.identity = host->name;
	if (!crypto_ca_make_request(&pair, &err) ||
	    !crypto_ca_sign(&order, pair.text, certificate, &err) ||
	    !crypto_ca_key_digest(certificate, digest, &err))
		die(host->name, &err);
	key = BIO_new_mem_buf(pair.key, -1);
	text = BIO_new_mem_buf(certificate, -1);
	host->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
	host->certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
	if (host->key == NULL || host->certificate == NULL)
		die(host->name, NULL);
	(void)BIO_free(key);
	(void)BIO_free(text);
	(void)printf("%s %s\n", host->name, digest);
}

/* What each agent says: two capabilities of action.def. */
static void
write_hello(void)
{
	char list[256], digest[FINGERPRINT_DIGEST], of[2][CRYPTO_SHA256_HEX];

	memset(of, 'a', sizeof(of));
	of[0][CRYPTO_SHA256_HEX - 1] = of[1][CRYPTO_SHA256_HEX - 1] = '\0';
	(void)snprintf(list, sizeof(list), "disk-free=%s restart-web=%s", of[0], of[1]);
	load.hello_size = (size_t)snprintf(load.hello, sizeof(load.hello),
	    "hello\nversion 3\nmanifest %s\ncapability disk-free %s\ncapability restart-web %s\n",
	    fingerprint_digest(list, digest), of[0], of[1]);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	struct crypto_ca_order authority = { 0 };
	struct err err = { .text = "PORT is deploybot-link's" };

	if (argc == 5) {
		authority.certificate = file_read(argv[1], CRYPTO_CA_PEM, NULL, &err);
		authority.key = file_read(argv[2], CRYPTO_CA_PEM, NULL, &err);
	}
	if (authority.certificate == NULL || authority.key == NULL)
		die("CA.crt CA.key PORT N", &err);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	load.address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	load.n = strtoul(argv[4], NULL, 10);
	load.hosts = calloc(load.n, sizeof(*load.hosts));
	load.context = SSL_CTX_new(TLS_client_method());
	if (load.hosts == NULL || load.context == NULL ||
	    SSL_CTX_load_verify_file(load.context, argv[1]) != 1 ||
	    SSL_CTX_set_mode(load.context,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) == 0)
		die("no memory, or no authority", NULL);
	SSL_CTX_set_verify(load.context, SSL_VERIFY_PEER, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur < load.n + 64)
		die("too few descriptors (ulimit -Hn)", NULL);
	write_hello();
	authority.from = clock_wall_ms() - DAY_MS;
	authority.until = clock_wall_ms() + DAY_MS;
	for (size_t i = 0; i < load.n; i++)
		make(&load.hosts[i], i, &authority);
	(void)printf("made\n");
	if (!link_poll_init(&load.poll, &err))
		die("epoll", &err);
	load.stdin_watch = (struct link_watch){ .on_ready = on_line };
	link_watch_start(&load.poll, &load.stdin_watch, STDIN_FILENO, EPOLLIN);
	for (;;)
		link_poll_turn(&load.poll, on_second, NULL);
}
