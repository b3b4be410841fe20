/* limits.h - every size that outside data is cut or refused at, with its reason.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/environment_id.h"
#include "lib/host_lines.h"

/* Sizes of char arrays count the final NUL. */
#define LIMIT_BAKE_QUERIES 4 /* of an environment */
#define LIMIT_ENVIRONMENT	ENVIRONMENT_ID_MAX /* "shop/staging" */
#define LIMIT_RUNNER		64	/* "local"; "agent:" and a name of CRYPTO_CA_NAME_MAX */
#define LIMIT_INSTALLATION	33	/* 128 bits as hex digits */
#define LIMIT_MANIFEST		1600	/* of an agent: 16 times NAME=DIGEST, a blank between */
#define LIMIT_ENVIRONMENTS	16	/* in one message with all of each, above it a line each, in
					 * pages; branches of a git query, above it several */
#define LIMIT_COMMIT		65	/* 64 hex digits: a SHA-256 repository */
#define LIMIT_DIGEST		65	/* 64 hex digits: of lib/fingerprint.h */
#define LIMIT_IMAGE		72	/* "sha256:" and 64 hex digits */
#define LIMIT_BINDING		65	/* 64 hex digits: what is set for an action's target */
#define LIMIT_RESOURCE		1312	/* that work occupies: a host, its port, a folder */
#define LIMIT_HOST		HOST_TEXT	/* as it stands in a claim */
#define LIMIT_RUN_HOSTS		65536	/* the hosts of a run, as lines */
#define LIMIT_WAVE		8	/* "10/10" */
#define LIMIT_REF		256	/* git's own files are bound by NAME_MAX */
#define LIMIT_ACCESSOR		96	/* of a token of Vault's: by it the token is revoked */
#define LIMIT_LOAN_PATH		251	/* SECRET_<NAME>_PATH, and each word of it */
#define LIMIT_PERSON		72	/* a display name, cut: Telegram allows 64 + 64 of them */
#define LIMIT_SUBJECT		200	/* first line of a commit message, cut */
#define LIMIT_BARRIER		201	/* why nobody rolls back past a release */
#define LIMIT_VIOLATION		24	/* archive_traversal */
#define LIMIT_LINE		256	/* a reason, a program's last line */
#define LIMIT_COMMENT		1025	/* GitHub takes 1,024 characters of why a job may go on */
#define LIMIT_LOG_HEAD		2048	/* what stands before a log: its steps' times */
#define LIMIT_TAIL		1024	/* the last lines of one */
#define LIMIT_WARNINGS		2056	/* what a run has warned people of */
#define LIMIT_APPLICATION_LOG	2048	/* what an application logged last, of one release */
#define LIMIT_LOG_ANSWER	3400	/* the same for /logs: a message has 4,096 units */
#define LIMIT_URL		1024	/* a health URL */
#define LIMIT_URLS		8	/* health URLs of one environment */
#define LIMIT_URL_LIST		2048	/* all of them, in the row of the deployment they verify */
#define LIMIT_WITHOUT		200	/* hosts that a rollback leaves out */
#define LIMIT_DOWN_ON		80	/* which hosts fail, cut at 40 bytes, and of how many */
#define LIMIT_STEP		48	/* `==> name` */
#define LIMIT_STEPS		64	/* passed on for each run; `release` always */
#define LIMIT_PAST		8	/* barriers that a deployment rolls back past; the newest */
#define LIMIT_BLOCKED		16	/* blocked commits that git is asked about, the newest: it
					 * starts a program for each; of others a person is
					 * asked, as they may be contained */
#define LIMIT_PATHS		1536	/* patterns of paths that git is asked about; 511 of them
					 * ask for more approvals */
#define LIMIT_UNTOUCHED		512	/* of those: in which nothing differs */
#define LIMIT_COMMITS		10	/* listed in a confirmation; beyond it a count */
#define LIMIT_DRAIN_S		90000	/* a drain: DRAIN_SECONDS, at most a day, ends it before */
#define LIMIT_CURSOR		64	/* of a page of GitHub's */
#define LIMIT_DELIVERY		80	/* X-GitHub-Delivery is a GUID of 36 */
/* Bytes of a file of the audit log: it is closed then. */
#define LIMIT_AUDIT_FILE	(INT64_C(16) << 20)
#define LIMIT_AUDIT_HEAD	17	/* hex digits of the audit chain's head: 64 bits, for
					 * which nobody finds a second log by trying */
#define LIMIT_UPDATES		100	/* getUpdates gives at most that many */
#define LIMIT_BUTTONS		12	/* of one message: six rows of two on a phone */
#define LIMIT_BUTTON		64	/* a label on a phone, with an environment in it */
#define LIMIT_BUTTON_ID		33	/* 128 random bits in hex: callback_data has 64 bytes */
#define LIMIT_LINK		192	/* where a button leads */
#define LIMIT_COPY		257	/* what a button copies: Telegram takes 256 letters */
#define LIMIT_CALLBACK		64	/* callback_query.id */
#define LIMIT_TOAST		200	/* answerCallbackQuery's text, in characters */
#define LIMIT_PASSED		8192	/* what an emergency goes past: a line for each hold */
#define LIMIT_MESSAGE		12288	/* one message's text, before it is cut to 4096 units */
#define LIMIT_ANSWER_TEXT	4194304	/* over /v1: the status of 2,000 environments */
#define LIMIT_TEXT_IN		4096	/* bytes of a message from outside that we look at */
#define LIMIT_LINE_IN	256	/* of a text the first bytes as they came: twice the longest
					 * APPROVE line */
#define LIMIT_EVENTS		256	/* events from outside that wait for the store: with a
					 * batch well below LIMIT_CONNECTIONS, or nobody would see
					 * the 503 */
#define LIMIT_CONNECTIONS	384	/* of HTTP: with the probes' below 1,024 descriptors */
#define LIMIT_PARKED		128	/* requests that wait for something new: a third of those */
#define LIMIT_DESCRIPTORS	4096	/* what we allow ourselves: room for runs and files beside
					 * those; no more, for every script inherits it */
#define LIMIT_UPLOAD	(20 << 20)	/* bytes of an archive: what Telegram gives a bot */
#define LIMIT_FILE_NAME	193	/* of an archive, cut at 64 letters */
#define LIMIT_FILE_ID	161	/* Telegram's word for a file; those seen have some 80 */
#define LIMIT_BATCH		64	/* events in one transaction */
