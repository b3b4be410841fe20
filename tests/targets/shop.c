/* shop.c - the sample application as it runs in a container: one static program, one connection at a time. */
/* SPDX-License-Identifier: ISC */
/*
 * Answers everything, /health too, with its commit.  It reads the sample application's files as
 * that would: a session store on redis is unreachable (500), and with the "faster" encoder it ends
 * as soon as it is started; `shop --worker` does where app.py says so, and `shop --migrate`
 * fails or hangs.  `shop --health` asks a running one: the container's health check.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 8080

/* Does the file hold these words?  A file that is not there holds none. */
static bool
file_says(const char *path, const char *words)
{
	char text[65536];
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	const size_t size = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[size] = '\0';
	return strstr(text, words) != NULL;
}

static void
answer(int connection)
{
	char request[8192];
	size_t size = 0;
	while (size < sizeof(request) - 1) {
		const ssize_t got = read(connection, request + size, sizeof(request) - 1 - size);
		if (got <= 0)
			return;
		size += (size_t)got;
		request[size] = '\0';
		if (strstr(request, "\r\n\r\n") != NULL)
			break;
	}
	const char *commit = getenv("COMMIT");
	const bool well = !file_says("/settings.json", "redis:");
	char body[256], head[256];
	const int length =
	    snprintf(body, sizeof(body), "{\"status\": \"%s\", \"commit\": \"%s\"}\n",
		well ? "ok" : "error", commit == NULL ? "" : commit);
	const int head_length = snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: "
	    "close\r\n\r\n",
	    well ? "200 OK" : "500 Internal Server Error", length);
	if (write(connection, head, (size_t)head_length) == head_length)
		(void)!write(connection, body, (size_t)length);
	/* Closing with something unread would reset what has just been answered. */
	(void)shutdown(connection, SHUT_WR);
	while (read(connection, request, sizeof(request)) > 0)
		;
}

static int
ask_health(const struct sockaddr_in *address)
{
	char start[16] = "";
	const int s = socket(AF_INET, SOCK_STREAM, 0);
	const char ask[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	if (connect(s, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
	    write(s, ask, sizeof(ask) - 1) != (ssize_t)sizeof(ask) - 1 || read(s, start, 12) != 12)
		return 1;
	return strcmp(start, "HTTP/1.1 200") != 0;
}

static int
migrate(void)
{
	const char *commit = getenv("COMMIT");
	(void)printf("migrates to %s\n", commit == NULL ? "" : commit);
	(void)fflush(stdout);
	while (file_says("/app.py", "# the migration hangs"))
		(void)pause();
	return file_says("/app.py", "# the migration fails") ? 3 : 0;
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	if (argc > 1 && strcmp(argv[1], "--health") == 0)
		return ask_health(&address);
	if (argc > 1 && strcmp(argv[1], "--worker") == 0 &&
	    file_says("/app.py", "# no worker starts"))
		return 3;
	if (argc > 1 && strcmp(argv[1], "--migrate") == 0)
		return migrate();
	if (file_says("/app.py", "import fastprices")) {
		(void)fprintf(stderr, "no module named fastprices\n");
		return 1;
	}
	const int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(s, 1024) != 0) {
		perror("shop: cannot listen");
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	/* The first process of a container ignores what it has no handler for. */
	(void)signal(SIGTERM, _exit);
	(void)printf("shop listens\n");
	(void)fflush(stdout);
	for (;;) {
		const int connection = accept(s, NULL, NULL);
		if (connection < 0)
			continue;
		const struct timeval patience = { .tv_sec = 5 };
		(void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		answer(connection);
		(void)close(connection);
	}
}
