/* doctor_forward.c - asks the audit's collectors: is a syslog server who it says, is a journal there?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "cli/doctor.h"
#include "clients/journal.h"
#include "clients/syslog.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "types/settings.h"

/* Nothing is sent to either. */
struct doctor_forward {
	struct doctor *doctor;
	struct http_client *client;
	struct syslog_call *syslog;
	struct journal_call *journal;
};

static void
say_syslog(struct doctor *doctor, const struct err *why)
{
	if (why == NULL)
		TELL(doctor, OUTBOUND, OK, "audit log: the syslog server %s has proven its name",
		    doctor->settings->audit_syslog_server);
	else
		TELL(doctor, OUTBOUND, WARNING,
		    "audit log: AUDIT_SYSLOG_SERVER=%s: %s; entries wait until it is there (docs/audit.md#collectors)",
		    doctor->settings->audit_syslog_server, why->text);
}

static void
on_syslog(void *ctx, const struct err *why)
{
	struct doctor_forward *asked = ctx;

	asked->syslog = NULL;
	say_syslog(asked->doctor, why);
	doctor_answered(asked->doctor);
}

static void
say_journal(struct doctor *doctor, const struct err *why)
{
	if (why == NULL)
		TELL(doctor, OUTBOUND, OK, "audit log: the journal is there");
	else
		TELL(doctor, OUTBOUND, WARNING,
		    "audit log: AUDIT_JOURNAL is true: %s; entries wait until it is there: in a container mount its folder",
		    why->text);
}

static void
on_journal(void *ctx, UNUSED size_t n, const struct err *why)
{
	struct doctor_forward *asked = ctx;

	asked->journal = NULL;
	say_journal(asked->doctor, why);
	doctor_answered(asked->doctor);
}

static void
ask_syslog(struct doctor_forward *asked)
{
	const struct settings *s = asked->doctor->settings;
	struct err err = { 0 };

	asked->client = syslog_client(asked->doctor->loop, &err);
	if (asked->client != NULL)
		asked->syslog = syslog_start(asked->doctor->loop, asked->client,
		    &(struct syslog_send){
			.server = s->audit_syslog_server,
			.ca_file = s->audit_syslog_ca,
			.certificate_file = s->audit_syslog_certificate,
			.key_file = s->audit_syslog_key,
			.text = "",
			.timeout_ms = DOCTOR_PATIENCE_MS,
			.on_done = on_syslog,
			.ctx = asked,
		    },
		    &err);
	if (asked->syslog != NULL)
		doctor_asked(asked->doctor);
	else
		say_syslog(asked->doctor, &err);
}

static void
ask_journal(struct doctor_forward *asked)
{
	struct err err = { 0 };

	asked->journal = journal_start(asked->doctor->loop,
	    &(struct journal_send){ .socket = JOURNAL_SOCKET, .on_done = on_journal, .ctx = asked },
	    &err);
	if (asked->journal != NULL)
		doctor_asked(asked->doctor);
	else
		say_journal(asked->doctor, &err);
}

/* Typed by root it may be read by more than by the server: then its owner is who judges. */
static void
look_at_key(struct doctor *doctor, const char *path)
{
	struct err err;

	if (path != NULL && !doctor_is_in_order(path, true, &err))
		TELL(doctor, OUTBOUND, WARNING, "AUDIT_SYSLOG_KEY: %s", err.text);
}

struct doctor_forward *
doctor_forward_start(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	struct doctor_forward *asked = mem_new(1, sizeof(*asked));

	asked->doctor = doctor;
	look_at_key(doctor, s->audit_syslog_key);
	if (s->audit_syslog_server != NULL)
		ask_syslog(asked);
	if (s->audit_journal)
		ask_journal(asked);
	return asked;
}

void
doctor_forward_free(struct doctor_forward *asked)
{
	if (asked == NULL)
		return;
	syslog_cancel(asked->syslog);
	journal_cancel(asked->journal);
	http_client_free(asked->client);
	free(asked);
}
