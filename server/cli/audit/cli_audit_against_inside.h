/* cli_audit_against_inside.h - cli_audit_verify.c cli_audit_chat.c cli_audit_s3.c cli_audit_stamps.c.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "store/audit_compare.h"

#define PRINTED_MAX 200

/* Heads, in the order in which they were given. */
struct audit_heads {
	struct audit_head *at;
	size_t n, room;
};

void cli_audit_heads_add(struct audit_heads *heads, const struct audit_head *head);

/*
 * Telegram's "export chat history" as JSON, of one chat or of an account.  Heads of messages that
 * one sender wrote, not forwarded, with the time of the message or of its last edit.  bot: the
 * sender's id ("user123" or "123"); NULL: the only one who has heads.  Prints whose they are.
 */
bool cli_audit_telegram(const char *text, size_t size, const char *bot, struct audit_heads *ret,
    struct err *err) MUST_USE;

struct audit_against {
	struct audit_copy *copy; /* NULL: nothing but heads */
	struct audit_heads heads;
	bool has_chat; /* a chat's export was read */
	size_t faults_of_log, missing_heads, faults_of_witness, printed;
};

struct audit_against_arguments {
	const char *const *against;
	size_t n;
	const char *bot;    /* --bot */
	const char *tsa_ca; /* --tsa-ca; NULL: the system's authorities */
	const struct settings *settings; /* NULL: a log alone is looked at */
};

/* Gathers from all of them.  What is found with the witness is printed. */
bool cli_audit_against_gather(const struct audit_against_arguments *arguments,
    struct audit_against *ret, struct err *err) MUST_USE;
void cli_audit_against_done(struct audit_against *against);

/* An audit_found_fn: prints it.  ctx: the struct audit_against. */
void cli_audit_against_print(void *ctx, const struct audit_finding *finding);

/* Every version of every object there.  place: "s3", "s3://BUCKET" or "s3://BUCKET/PREFIX".
 * settings NULL: a log alone is looked at. */
bool cli_audit_s3(const char *place, const struct settings *settings,
    struct audit_against *against, struct err *err) MUST_USE;

/* Which entry somebody's digits are.  False: they are too few to show it. */
bool cli_audit_print_digits(const char *digits, int64_t seq);

/* Compares, prints, returns the exit status. */
int cli_audit_against_compare(struct audit_against *against, const char *log);
