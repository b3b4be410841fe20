/* audit_code.h - what the audit log records: a code, its severity, what it violates.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* S(name, word in rows and lines), the least first */
#define AUDIT_SEVERITIES(S) \
	S(INFO, "info") \
	S(LOW, "low") \
	S(MEDIUM, "medium") \
	S(HIGH, "high") \
	S(CRITICAL, "critical")

/*
 * CODE(name, code, action, severity, violation, need)
 *	code		the word in rows and lines, one for each row
 *	action		of the first version: several codes may have the same
 *	severity	at least; who calls may raise it
 *	violation	violation_type of a security event; NULL: it is none
 *	need		what of the policy is met or asked by it; NULL: nothing
 */
#define AUDIT_CODES(CODE) \
	CODE(DEPLOY_REQUESTED, "deploy_requested", "deploy_requested", INFO, NULL, NULL) \
	CODE(DEPLOY_CONFIRMED, "deploy_confirmed", "deploy_requested", INFO, NULL, "confirmation") \
	CODE(DEPLOY_STARTED, "deploy_started", "deploy_started", INFO, NULL, NULL) \
	CODE(DEPLOY_SUCCESS, "deploy_success", "deploy_success", INFO, NULL, NULL) \
	CODE(DEPLOY_FAILED, "deploy_failed", "deploy_failed", MEDIUM, NULL, NULL) \
	CODE(WAVE_STARTED, "wave_started", "wave_started", INFO, NULL, NULL) \
	CODE(DEPLOY_PAUSED, "deploy_paused", "deploy_paused", LOW, NULL, NULL) \
	CODE(DEPLOY_NOT_DONE, "deploy_not_done", "deploy_not_done", INFO, NULL, NULL) \
	CODE(DEPLOY_APPROVAL, "deploy_approval", "deploy_approval", INFO, NULL, "approval") \
	CODE(APPROVAL_VOID, "approval_void", "approval_void", LOW, NULL, "approval") \
	CODE(ROLLBACK_STARTED, "rollback_started", "rollback_started", INFO, NULL, NULL) \
	CODE(ROLLBACK_COMPLETED, "rollback_completed", "rollback_completed", INFO, NULL, NULL) \
	CODE(ROLLBACK_FAILED, "rollback_failed", "rollback_failed", MEDIUM, NULL, NULL) \
	CODE(ROLLBACK_NOT_DONE, "rollback_not_done", "rollback_not_done", INFO, NULL, NULL) \
	CODE(ROLLBACK_SEEN, "rollback_seen", "rollback_seen", INFO, NULL, NULL) \
	CODE(AUTO_ROLLBACK_STARTED, "auto_rollback_started", "rollback_started", MEDIUM, NULL, \
	    NULL) \
	CODE(AUTO_ROLLBACK_COMPLETED, "auto_rollback_completed", "auto_rollback_completed", \
	    MEDIUM, NULL, NULL) \
	CODE(AUTO_ROLLBACK_FAILED, "auto_rollback_failed", "auto_rollback_failed", CRITICAL, NULL, \
	    NULL) \
	CODE(ARCHIVE_TYPE, "archive_type", "upload_refused", MEDIUM, "archive_type", NULL) \
	CODE(ARCHIVE_TRAVERSAL, "archive_traversal", "upload_refused", HIGH, "archive_traversal", \
	    NULL) \
	CODE(ARCHIVE_BOMB, "archive_bomb", "upload_refused", HIGH, "archive_bomb", NULL) \
	CODE(ARCHIVE_NAME, "archive_name", "upload_refused", MEDIUM, "archive_name", NULL) \
	CODE(ARCHIVE_BROKEN, "archive_broken", "upload_refused", LOW, "archive_broken", NULL) \
	CODE(SECRET_FILE, "secret_file", "upload_refused", MEDIUM, "secret_file", NULL) \
	CODE(ACTION_REQUESTED, "action_requested", "action_requested", INFO, NULL, NULL) \
	CODE(ACTION_CONFIRMED, "action_confirmed", "action_requested", INFO, NULL, "confirmation") \
	CODE(ACTION_STARTED, "action_started", "action_started", INFO, NULL, NULL) \
	CODE(ACTION_COMPLETED, "action_completed", "action_completed", INFO, NULL, NULL) \
	CODE(ACTION_FAILED, "action_failed", "action_failed", MEDIUM, NULL, NULL) \
	CODE(ACTION_NOT_DONE, "action_not_done", "action_not_done", INFO, NULL, NULL) \
	CODE(CANCEL_REQUESTED, "cancel_requested", "cancel_requested", INFO, NULL, NULL) \
	CODE(BAKE_ANSWERED, "bake_answered", "bake_answered", INFO, NULL, NULL) \
	CODE(PLACE_GIVEN, "place_given", "place_given", INFO, NULL, NULL) \
	CODE(OPA_MISSING, "opa_missing", "opa_missing", HIGH, NULL, "opa_missing") \
	CODE(EMERGENCY_REVIEWED, "emergency_reviewed", "emergency_reviewed", HIGH, NULL, "review") \
	CODE(LOCK_BEGUN, "lock_begun", "lock_begun", INFO, NULL, NULL) \
	CODE(LOCK_ENDED, "lock_ended", "lock_ended", INFO, NULL, NULL) \
	CODE(FREEZE_BEGUN, "freeze_begun", "freeze_begun", INFO, NULL, NULL) \
	CODE(FREEZE_ENDED, "freeze_ended", "freeze_ended", INFO, NULL, NULL) \
	CODE(DRAIN_STARTED, "drain_started", "drain_started", INFO, NULL, NULL) \
	CODE(DRAIN_COMPLETED, "drain_completed", "drain_completed", INFO, NULL, NULL) \
	CODE(DRAIN_CUT, "drain_cut", "drain_cut", MEDIUM, NULL, NULL) \
	CODE(CLOUDFLARE_SET, "cloudflare_set", "cloudflare_set", INFO, NULL, NULL) \
	CODE(CLOUDFLARE_RESTORED, "cloudflare_restored", "cloudflare_restored", INFO, NULL, NULL) \
	CODE(CLOUDFLARE_LEFT, "cloudflare_left", "cloudflare_left", MEDIUM, NULL, NULL) \
	CODE(CLOUDFLARE_TRIED_AGAIN, "cloudflare_tried_again", "cloudflare_tried_again", INFO, \
	    NULL, NULL) \
	CODE(CLOUDFLARE_BY_HAND, "cloudflare_by_hand", "cloudflare_by_hand", INFO, NULL, NULL) \
	CODE(SECRET_REQUESTED, "secret_requested", "secret_requested", INFO, NULL, NULL) \
	CODE(SECRET_LENT, "secret_lent", "secret_lent", LOW, NULL, NULL) \
	CODE(SECRET_REVOKED, "secret_revoked", "secret_revoked", INFO, NULL, NULL) \
	CODE(SECRET_LOST, "secret_lost", "secret_lost", MEDIUM, NULL, NULL) \
	CODE(SECRET_UNWRAP_FAILED, "secret_unwrap_failed", "secret_unwrap_failed", HIGH, \
	    "secret_intercepted", NULL) \
	CODE(RUN_ABANDONED, "run_abandoned", "run_abandoned", HIGH, NULL, NULL) \
	CODE(STATE_UNKNOWN, "state_unknown", "state_unknown", HIGH, NULL, NULL) \
	CODE(STATE_KNOWN, "state_known", "state_known", INFO, NULL, NULL) \
	CODE(SERVER_STARTED, "server_started", "server_started", INFO, NULL, NULL) \
	CODE(ENTRIES_MISSING, "entries_missing", "entries_missing", CRITICAL, "audit_cut", NULL) \
	CODE(SETTINGS_CHANGED, "settings_changed", "settings_changed", INFO, NULL, NULL) \
	CODE(SETTINGS_RELOADED, "settings_reloaded", "settings_reloaded", INFO, NULL, NULL) \
	CODE(SETTINGS_REFUSED, "settings_refused", "settings_reloaded", MEDIUM, NULL, NULL) \
	CODE(ENVIRONMENT_RENAMED, "environment_renamed", "environment_renamed", INFO, NULL, NULL) \
	CODE(ENVIRONMENT_NOT_RENAMED, "environment_not_renamed", "environment_renamed", MEDIUM, \
	    NULL, NULL) \
	CODE(FACTOR_MADE, "factor_made", "factor_made", HIGH, NULL, "second_factor") \
	CODE(FACTOR_SHOWN, "factor_shown", "factor_shown", HIGH, NULL, "second_factor") \
	CODE(FACTOR_ENROLLED, "factor_enrolled", "factor_enrolled", HIGH, NULL, "second_factor") \
	CODE(FACTOR_CODES, "factor_codes", "factor_codes", HIGH, NULL, "second_factor") \
	CODE(FACTOR_RESET, "factor_reset", "factor_reset", HIGH, NULL, "second_factor") \
	CODE( \
	    FACTOR_RECOVERED, "factor_recovered", "factor_recovered", HIGH, NULL, "second_factor") \
	CODE(FACTOR_LOCKED, "factor_locked", "factor_locked", MEDIUM, "second_factor_guessed", \
	    "second_factor") \
	CODE(FACTOR_CLOSED, "factor_closed", "factor_closed", CRITICAL, "second_factor_guessed", \
	    "second_factor") \
	CODE(CODE_WRONG, "code_wrong", "denied", MEDIUM, "second_factor_wrong", "second_factor") \
	CODE(CODE_IMPOSSIBLE, "code_impossible", "denied", MEDIUM, "second_factor_missing", \
	    "second_factor") \
	CODE(FIRST_ADMIN_LINK, "first_admin_link", "first_admin_link", HIGH, NULL, NULL) \
	CODE(FIRST_ADMIN_OPENED, "first_admin_opened", "first_admin_opened", HIGH, NULL, NULL) \
	CODE(TOKEN_MADE, "token_made", "token_made", HIGH, NULL, NULL) \
	CODE(TOKEN_REVOKED, "token_revoked", "token_revoked", HIGH, NULL, NULL) \
	CODE(TOKEN_ENDED, "token_ended", "token_ended", INFO, NULL, NULL) \
	CODE(TOKEN_LEAKED, "token_leaked", "token_revoked", HIGH, "token_leaked", NULL) \
	CODE(TOKEN_BLOCKED, "token_blocked", "token_revoked", HIGH, "token_of_another", NULL) \
	CODE(TOKEN_REFUSED, "token_refused", "token_refused", MEDIUM, "token_invalid", NULL) \
	CODE(PEER_ENROLLED, "peer_enrolled", "peer_enrolled", HIGH, NULL, NULL) \
	CODE(PEER_MOVED, "peer_moved", "peer_enrolled", HIGH, NULL, NULL) \
	CODE(PEER_RENEWED, "peer_renewed", "peer_renewed", INFO, NULL, NULL) \
	CODE(PEER_REVOKED, "peer_revoked", "peer_revoked", HIGH, NULL, NULL) \
	CODE(PEER_MANIFEST, "peer_manifest", "peer_manifest", HIGH, NULL, NULL) \
	CODE(PEER_TWICE, "peer_twice", "peer_twice", HIGH, NULL, NULL) \
	CODE(PEER_CODE_MADE, "peer_code_made", "peer_code_made", HIGH, NULL, NULL) \
	CODE(PEER_CODE_REFUSED, "peer_code_refused", "denied", MEDIUM, "enrolment_refused", NULL) \
	CODE(LOGIN, "login", "login", INFO, NULL, NULL) \
	CODE(LOGIN_FAILED, "login_failed", "login_failed", MEDIUM, "token_invalid", NULL) \
	CODE(LOGIN_LOCKED, "login_locked", "login_locked", HIGH, "token_guessed", NULL) \
	CODE(LOGOUT, "logout", "logout", INFO, NULL, NULL) \
	CODE(DENIED, "denied", "denied", MEDIUM, "unauthorized", NULL) \
	CODE(DENIED_STRANGER, "denied_stranger", "denied", MEDIUM, "unknown_user", NULL) \
	CODE(DENIED_BUTTON, "denied_button", "denied", MEDIUM, "button_of_another", NULL) \
	CODE(DENIED_MESSAGE, "denied_message", "denied", MEDIUM, "sender_unproven", NULL) \
	CODE(DENIED_LINE, "denied_line", "denied", MEDIUM, "approval_line_invalid", "approval") \
	CODE(DENIED_LOCAL, "denied_local", "denied", MEDIUM, "unknown_local_user", NULL) \
	CODE(DENIED_HELD, "denied_held", "denied", LOW, NULL, NULL) \
	CODE(TOKEN_REPLAYED, "token_replayed", "denied", HIGH, "token_replayed", NULL) \
	CODE(DENIED_COST, "denied_cost", "denied", LOW, "limit_exceeded", NULL) \
	CODE(WEBHOOK_REJECTED, "webhook_rejected", "webhook_rejected", MEDIUM, \
	    "webhook_unauthenticated", NULL) \
	CODE(WITNESS_LOST, "witness_lost", "witness_lost", MEDIUM, NULL, NULL) \
	CODE(WITNESS_BACK, "witness_back", "witness_back", INFO, NULL, NULL) \
	CODE(WITNESS_TAKEN, "witness_taken", "witness_lost", HIGH, "witness_name_taken", NULL) \
	CODE(EVENT_QUARANTINED, "event_quarantined", "webhook_rejected", HIGH, \
	    "event_undecidable", NULL) \
	CODE(FILES_REMOVED, "files_removed", "files_removed", INFO, NULL, NULL)

enum audit_severity {
#define S(name, ...) AUDIT_##name,
	AUDIT_SEVERITIES(S)
#undef S
	    AUDIT_SEVERITY_COUNT
};

enum audit_code {
#define CODE(name, ...) AUDIT_CODE_##name,
	AUDIT_CODES(CODE)
#undef CODE
	    AUDIT_CODE_COUNT
};

struct audit_code_row {
	const char *code;
	const char *action;
	enum audit_severity severity;
	const char *violation;
	const char *need;
};

extern const struct audit_code_row audit_code_rows[AUDIT_CODE_COUNT];

/* The code of a word; AUDIT_CODE_COUNT: there is none. */
enum audit_code audit_code_of(const char *word);

const char *audit_severity_word(enum audit_severity severity);

/* Of a word, as it is searched: of the first version's too ("warning" is medium, "alert" high);
 * AUDIT_SEVERITY_COUNT: there is none. */
enum audit_severity audit_severity_of(const char *word);
