/* agent_systemd_aid.h - a host whose systemd is played, by --wrap, for tests of an agent.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/journal.h"
#include "agent/systemd.h"
#include "agent/unit_digest.h"
#include "lib/err.h"
#include "lib/text.h"
#include "runner/protocol.h"
#include "unit.h"

#define SET(to, text) (void)text_copy(to, sizeof(to), text)

/* The host, which both threads see: they take turns by what they say to each other. */
static struct {
	struct systemd_unit restart_web; /* there is no other */
	char content[64];
	struct systemd_end end;
	int events;
	int looks, starts, stops;
	int stops_refused; /* that many of those that come */
	int start_errno;
	bool has_new_folder; /* of drop-ins; known when it reads a unit that is not loaded */
	bool ends_at_once;
	bool is_reloaded, is_reloaded_late; /* now; when the last unit of a manifest is looked at */
	char before_start[512]; /* the record's slot when systemd is asked */
} host;

static char folder[64]; /* the agent's state */

struct systemd *__wrap_systemd_open(struct err *err);
void __wrap_systemd_free(struct systemd *systemd);
bool __wrap_systemd_look(
    struct systemd *systemd, const char *name, struct systemd_unit *ret, struct err *err);
int __wrap_systemd_start(
    struct systemd *systemd, const char *name, const struct systemd_unit *before, struct err *err);
bool __wrap_systemd_stop(struct systemd *systemd, const char *name, struct err *err);
const struct systemd_end *__wrap_systemd_end(const struct systemd *systemd);
int __wrap_systemd_fd(const struct systemd *systemd, int *wait_ms);
bool __wrap_systemd_process(struct systemd *systemd, bool *reloaded, struct err *err);
bool __wrap_unit_digest_add(struct crypto_sha256 *hash, const char *path, struct err *err);
bool __wrap_journal_copy(
    const char *unit, const char *invocation, int64_t since_ms, int fd, struct err *err);

struct systemd *
__wrap_systemd_open(UNUSED struct err *err)
{
	return (struct systemd *)&host;
}

void
__wrap_systemd_free(UNUSED struct systemd *systemd)
{
}

bool
__wrap_systemd_look(UNUSED struct systemd *systemd, const char *name, struct systemd_unit *ret,
    UNUSED struct err *err)
{
	host.looks++;
	*ret = (struct systemd_unit){ .load_state = "not-found" };
	if (host.is_reloaded_late && strcmp(name, "deploybot-do-service-status.service") == 0) {
		host.is_reloaded_late = false;
		host.is_reloaded = true;
		SET(host.content, "changed");
	}
	if (strcmp(name, "deploybot-do-nothing.service") == 0)
		host.restart_web.need_daemon_reload |= host.has_new_folder;
	if (strcmp(name, "deploybot-do-restart-web.service") == 0)
		*ret = host.restart_web;
	return true;
}

int
__wrap_systemd_start(UNUSED struct systemd *systemd, const char *name,
    const struct systemd_unit *before, struct err *err)
{
	char path[96];
	int fd;

	assert_string_equal(name, "deploybot-do-restart-web.service");
	assert_string_equal(before->invocation, "before");
	(void)snprintf(path, sizeof(path), "%s/records", folder);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, host.before_start, sizeof(host.before_start)), 512);
	(void)close(fd);
	host.starts++;
	(void)err_set(err, ERR_IO, "said by systemd");
	(void)eventfd_write(host.events, host.ends_at_once);
	return host.start_errno;
}

bool
__wrap_systemd_stop(UNUSED struct systemd *systemd, UNUSED const char *name, struct err *err)
{
	host.stops++;
	if (host.stops_refused > 0) {
		host.stops_refused--;
		return err_set(err, ERR_IO, "said by systemd");
	}
	SET(host.end.job, "canceled");
	host.end.unit.exec_main_code = CLD_KILLED;
	host.end.unit.exec_main_status = SIGTERM;
	(void)eventfd_write(host.events, 1);
	return true;
}

const struct systemd_end *
__wrap_systemd_end(UNUSED const struct systemd *systemd)
{
	return &host.end;
}

int
__wrap_systemd_fd(UNUSED const struct systemd *systemd, int *wait_ms)
{
	if (host.is_reloaded)
		*wait_ms = 0;
	return host.events;
}

bool
__wrap_systemd_process(
    UNUSED struct systemd *systemd, bool *reloaded, UNUSED struct err *err)
{
	eventfd_t n = 0;

	if (eventfd_read(host.events, &n) == 0 && n > 0)
		host.end.is_over = true;
	*reloaded |= host.is_reloaded;
	host.is_reloaded = false;
	return true;
}

bool
__wrap_unit_digest_add(struct crypto_sha256 *hash, const char *path, struct err *err)
{
	return crypto_sha256_add(hash, path, strlen(path), err) &&
	    crypto_sha256_add(hash, host.content, strlen(host.content), err);
}

bool
__wrap_journal_copy(UNUSED const char *unit, const char *invocation, UNUSED int64_t since_ms,
    int fd, UNUSED struct err *err)
{
	return dprintf(fd, "output of %s\n", invocation) > 0;
}

/* Of a server. */
static void
say(int fd, const struct protocol_message *message)
{
	static char packet[PROTOCOL_PACKET_MAX];
	size_t size;

	assert_true(protocol_encode(message, packet, sizeof(packet), &size, NULL));
	assert_int_equal(send(fd, packet, size, MSG_NOSIGNAL), size);
}
