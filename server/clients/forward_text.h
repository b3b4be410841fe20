/* forward_text.h - an entry of the audit as a frame of syslog, and as an entry of the journal.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * The message of both is the line as it stands in the audit log, so that its hash can be checked
 * there too; beside it stand those of its fields that people search for, cleaned and cut.
 */
#pragma once

#include "lib/base.h"

struct buf;

/* What is added to a line at most, in bytes. */
#define FORWARD_TEXT_MORE 8192

/*
 * Appends "LENGTH <PRI>1 …" (RFC 5425, octet counting; RFC 5424): facility 13 (log audit), the
 * line's own moment, its code as MSGID, and its fields as the element deploybot@32473, whose
 * number is that of documentation (RFC 5612), as deploybot has none of its own.  The JSON is
 * MSG-ANY: no byte order mark may stand before it (RFC 8259).  line: without its newline.
 */
void forward_text_syslog(struct buf *out, const char *host, const char *line, size_t size);

/* Appends a datagram of the journal's native protocol: SYSLOG_IDENTIFIER=deploybot-audit, and its
 * fields as DEPLOYBOT_<NAME>. */
void forward_text_journal(struct buf *out, const char *line, size_t size);
