-- store_schema.sql - all migrations at once, for a new database; test_store_schema_new writes it
-- SPDX-License-Identifier: ISC
CREATE TABLE inbox (
 seq INTEGER PRIMARY KEY,
 source TEXT NOT NULL,
 id TEXT NOT NULL,
 digest BLOB,
 at INTEGER NOT NULL,
 is_given_up INTEGER NOT NULL DEFAULT 0,
 UNIQUE (source, id)) STRICT;
CREATE UNIQUE INDEX inbox_digest ON inbox (source, digest) WHERE digest IS NOT NULL;
CREATE TABLE effect (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 kind TEXT NOT NULL,
 lane TEXT,
 subject INTEGER NOT NULL,
 body TEXT NOT NULL,
 due INTEGER NOT NULL,
 at INTEGER NOT NULL) STRICT;
CREATE INDEX effect_lane ON effect (lane, id) WHERE lane IS NOT NULL;
CREATE INDEX effect_subject ON effect (kind, subject);
CREATE TABLE environment (
 name TEXT NOT NULL PRIMARY KEY,
 current_release INTEGER NOT NULL,
 previous_release INTEGER NOT NULL,
 held_commit TEXT NOT NULL,
 seen_commit TEXT NOT NULL,
 is_down INTEGER NOT NULL CHECK (is_down IN (0, 1)),
 is_unacknowledged INTEGER NOT NULL CHECK (is_unacknowledged IN (0, 1)),
 unknown_since INTEGER NOT NULL DEFAULT 0,
 unknown_why TEXT NOT NULL DEFAULT '',
 polled_commit TEXT NOT NULL DEFAULT '',
 skipped_count INTEGER NOT NULL DEFAULT 0,
 waiting_push TEXT NOT NULL DEFAULT '',
 held INTEGER NOT NULL DEFAULT 0,
 head_branch TEXT NOT NULL DEFAULT '',
 head_commit TEXT NOT NULL DEFAULT '',
 head_base TEXT NOT NULL DEFAULT '',
 head_count INTEGER NOT NULL DEFAULT 0,
 head_at INTEGER NOT NULL DEFAULT 0,
 unseen_work INTEGER NOT NULL DEFAULT 0,
 n_nags INTEGER NOT NULL DEFAULT 0,
 poll_failing_since INTEGER NOT NULL DEFAULT 0,
 head_block INTEGER NOT NULL DEFAULT 0,
 announced_commit TEXT NOT NULL DEFAULT '',
 announced_block INTEGER NOT NULL DEFAULT 0,
 head_seen INTEGER NOT NULL DEFAULT 0,
 waiting_commit TEXT NOT NULL DEFAULT '',
 job_run INTEGER NOT NULL DEFAULT 0,
 announced_others INTEGER NOT NULL DEFAULT 0,
 notified TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE release (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 environment TEXT NOT NULL,
 commit_id TEXT NOT NULL,
 image TEXT NOT NULL,
 at INTEGER NOT NULL,
 deployment INTEGER NOT NULL,
 released_by TEXT NOT NULL,
 subject TEXT NOT NULL,
 number INTEGER NOT NULL DEFAULT 0,
 renumbered_at INTEGER NOT NULL DEFAULT 0,
 origin INTEGER NOT NULL DEFAULT 0,
 left_by INTEGER NOT NULL DEFAULT 0,
 tree TEXT NOT NULL DEFAULT '',
 removed_at INTEGER NOT NULL DEFAULT 0,
 source TEXT NOT NULL DEFAULT 'git') STRICT;
CREATE INDEX release_environment ON release (environment, id);
CREATE TABLE run_step (
 run INTEGER NOT NULL,
 n INTEGER NOT NULL,
 name TEXT NOT NULL,
 at INTEGER NOT NULL,
 PRIMARY KEY (run, n)) STRICT, WITHOUT ROWID;
CREATE TABLE message (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 chat INTEGER NOT NULL,
 thread INTEGER NOT NULL,
 remote_id INTEGER NOT NULL,
 head TEXT NOT NULL,
 foot TEXT NOT NULL,
 buttons TEXT NOT NULL,
 live_run INTEGER NOT NULL,
 live_since INTEGER NOT NULL,
 live_estimate_ms INTEGER NOT NULL,
 at INTEGER NOT NULL,
 is_silent INTEGER NOT NULL DEFAULT 0,
 is_answer INTEGER NOT NULL DEFAULT 0,
 reply_to INTEGER NOT NULL DEFAULT 0,
 reply_row INTEGER NOT NULL DEFAULT 0,
 rings_for INTEGER NOT NULL DEFAULT 0,
 audit_head TEXT NOT NULL DEFAULT '',
 is_alarm INTEGER NOT NULL DEFAULT 0,
 held_until INTEGER NOT NULL DEFAULT 0,
 was_id INTEGER NOT NULL DEFAULT 0,
 anew INTEGER NOT NULL DEFAULT 0,
 rings INTEGER NOT NULL DEFAULT 0,
 audit_seq INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX message_chat ON message (chat);
CREATE TABLE bucket (
 who TEXT NOT NULL PRIMARY KEY,
 full_at INTEGER NOT NULL) STRICT;
CREATE TABLE audit (
 seq INTEGER PRIMARY KEY,
 at INTEGER NOT NULL,
 user_id TEXT NOT NULL,
 action TEXT NOT NULL,
 environment TEXT,
 commit_id TEXT,
 outcome TEXT NOT NULL,
 severity TEXT NOT NULL,
 deployment INTEGER NOT NULL,
 meta TEXT NOT NULL,
 prev BLOB NOT NULL CHECK (length(prev) = 32),
 hash BLOB NOT NULL CHECK (length(hash) = 32),
 version INTEGER NOT NULL DEFAULT 1,
 code TEXT NOT NULL DEFAULT '',
 principal TEXT NOT NULL DEFAULT '',
 violation_type TEXT,
 application TEXT,
 need TEXT,
 factor TEXT) STRICT;
CREATE TABLE question_requester (
 deployment INTEGER NOT NULL,
 person INTEGER NOT NULL,
 message INTEGER NOT NULL,
 PRIMARY KEY (deployment, person)) STRICT, WITHOUT ROWID;
CREATE INDEX message_rings_for ON message (rings_for) WHERE rings_for <> 0;
CREATE UNIQUE INDEX release_number ON release (environment, number);
CREATE TABLE block (
 id INTEGER PRIMARY KEY,
 environment TEXT NOT NULL,
 commit_id TEXT NOT NULL,
 blocked_by TEXT NOT NULL,
 at INTEGER NOT NULL,
 why TEXT NOT NULL,
 number INTEGER NOT NULL DEFAULT 0,
 source TEXT NOT NULL DEFAULT 'git',
 UNIQUE (environment, commit_id)) STRICT;
CREATE TABLE contained (
 deployment INTEGER NOT NULL,
 commit_id TEXT NOT NULL,
 is_unsure INTEGER NOT NULL DEFAULT 0,
 PRIMARY KEY (deployment, commit_id)) STRICT, WITHOUT ROWID;
CREATE TABLE stranger (
 input TEXT NOT NULL PRIMARY KEY,
 source TEXT NOT NULL,
 action TEXT NOT NULL,
 outcome TEXT NOT NULL,
 severity TEXT NOT NULL,
 last TEXT NOT NULL,
 n INTEGER NOT NULL,
 due INTEGER NOT NULL,
 who TEXT NOT NULL DEFAULT '',
 others INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE witness (
 id INTEGER PRIMARY KEY CHECK (id = 1),
 head TEXT NOT NULL,
 seq INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE work (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 environment TEXT NOT NULL,
 application TEXT NOT NULL GENERATED ALWAYS AS (substr(environment, 1, max(instr(environment, '/') - 1, 0))) VIRTUAL,
 program TEXT NOT NULL,
 cause TEXT NOT NULL,
 state TEXT NOT NULL,
 why TEXT NOT NULL,
 commit_id TEXT NOT NULL,
 image TEXT NOT NULL,
 ref TEXT NOT NULL,
 subject TEXT NOT NULL,
 author TEXT NOT NULL,
 is_forced INTEGER NOT NULL,
 is_foreign INTEGER NOT NULL,
 is_again INTEGER NOT NULL DEFAULT 0,
 previous TEXT NOT NULL,
 previous_image TEXT NOT NULL,
 missing TEXT NOT NULL DEFAULT '',
 to_release INTEGER NOT NULL DEFAULT 0,
 is_forward INTEGER NOT NULL DEFAULT 0,
 requested_by INTEGER NOT NULL,
 requester TEXT NOT NULL,
 confirmed_by INTEGER NOT NULL DEFAULT 0,
 confirmer TEXT NOT NULL DEFAULT '',
 changed TEXT NOT NULL DEFAULT '',
 chat INTEGER NOT NULL,
 thread INTEGER NOT NULL,
 request INTEGER NOT NULL DEFAULT 0,
 message INTEGER NOT NULL,
 also_message INTEGER NOT NULL,
 place INTEGER NOT NULL DEFAULT 0,
 waits_for TEXT NOT NULL DEFAULT '',
 is_asked_anew INTEGER NOT NULL DEFAULT 0,
 queued_at INTEGER NOT NULL DEFAULT 0,
 compared_live TEXT NOT NULL DEFAULT '',
 is_behind INTEGER NOT NULL DEFAULT 0,
 is_told_next INTEGER NOT NULL DEFAULT 0,
 run INTEGER NOT NULL,
 attempts INTEGER NOT NULL,
 is_touched INTEGER NOT NULL,
 has_no_way_back INTEGER NOT NULL,
 urls TEXT NOT NULL,
 detail TEXT NOT NULL,
 note TEXT NOT NULL,
 requested_at INTEGER NOT NULL,
 answered_at INTEGER NOT NULL DEFAULT 0,
 started_at INTEGER NOT NULL,
 ended_at INTEGER NOT NULL,
 exception TEXT NOT NULL DEFAULT '',
 action TEXT NOT NULL DEFAULT '',
 argument TEXT NOT NULL DEFAULT '',
 client TEXT NOT NULL DEFAULT '',
 is_read INTEGER NOT NULL DEFAULT 0,
 approvers TEXT NOT NULL DEFAULT '',
 untouched TEXT NOT NULL DEFAULT '',
 binding TEXT NOT NULL DEFAULT '',
 binding_list TEXT NOT NULL DEFAULT '',
 is_to_be_asked INTEGER NOT NULL DEFAULT 0,
 emergency TEXT NOT NULL DEFAULT '',
 reviewer TEXT NOT NULL DEFAULT '',
 reviewed_at INTEGER NOT NULL DEFAULT 0,
 barrier TEXT NOT NULL DEFAULT '',
 is_past_barrier INTEGER NOT NULL DEFAULT 0,
 cancelled_by INTEGER NOT NULL DEFAULT 0,
 migration TEXT NOT NULL DEFAULT '',
 drains INTEGER NOT NULL DEFAULT 0,
 tree TEXT NOT NULL DEFAULT '',
 without_witness INTEGER NOT NULL DEFAULT 0,
 without TEXT NOT NULL DEFAULT '',
 down_on TEXT NOT NULL DEFAULT '',
 looked_at INTEGER NOT NULL DEFAULT 0,
 looked TEXT NOT NULL DEFAULT '',
 ci_since INTEGER NOT NULL DEFAULT 0,
 source TEXT NOT NULL DEFAULT 'git',
 previous_source TEXT NOT NULL DEFAULT 'git',
 committed_at INTEGER NOT NULL DEFAULT 0,
 wave INTEGER NOT NULL DEFAULT 0,
 waves INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE run (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 deployment INTEGER NOT NULL REFERENCES work (id),
 program TEXT NOT NULL,
 pid INTEGER NOT NULL,
 start_time INTEGER NOT NULL,
 boot TEXT NOT NULL,
 ordered_at INTEGER NOT NULL,
 started_at INTEGER NOT NULL,
 ended_at INTEGER NOT NULL,
 exit_status INTEGER NOT NULL,
 signal_number INTEGER NOT NULL,
 duration_ms INTEGER NOT NULL,
 detail TEXT NOT NULL,
 is_purged INTEGER NOT NULL,
 log_size INTEGER NOT NULL DEFAULT 0,
 tail TEXT NOT NULL DEFAULT '',
 application_log TEXT NOT NULL DEFAULT '',
 warnings TEXT NOT NULL DEFAULT '',
 n_warnings INTEGER NOT NULL DEFAULT 0,
 runner TEXT NOT NULL DEFAULT 'local',
 is_abandoned INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX run_kept ON run (id) WHERE is_purged = 0;
CREATE INDEX run_deployment ON run (deployment);
CREATE INDEX work_queued ON work (environment, place) WHERE state = 'QUEUED';
CREATE INDEX work_open ON work (requested_by) WHERE (state <> '' AND state <> 'LIVE' AND state <> 'FAILED' AND state <> 'ROLLED_BACK' AND state <> 'ROLLBACK_FAILED' AND state <> 'DONE' AND state <> 'REFUSED' AND state <> 'CANCELLED' AND state <> 'EXPIRED' AND state <> 'SUPERSEDED');
CREATE INDEX work_asking ON work (environment, id) WHERE (state = '' OR state = 'REQUESTED' OR state = 'AWAITING_CONFIRMATION' OR state = 'AWAITING_APPROVAL');
CREATE INDEX work_environment ON work (environment, id);
CREATE INDEX work_changes ON work (environment, id) WHERE (program = 'deploy' OR program = 'rollback');
CREATE INDEX work_live ON work (environment, id) WHERE state = 'LIVE' AND program = 'deploy';
CREATE INDEX work_message ON work (message);
CREATE INDEX work_also_message ON work (also_message);
CREATE INDEX work_ended ON work (environment, ended_at) WHERE (state = 'LIVE' OR state = 'FAILED' OR state = 'ROLLED_BACK' OR state = 'ROLLBACK_FAILED') AND (program = 'deploy' OR program = 'rollback');
CREATE TABLE counter (
 name TEXT NOT NULL PRIMARY KEY,
 value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE claim (
 resource TEXT NOT NULL PRIMARY KEY,
 work INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX claim_work ON claim (work);
CREATE INDEX work_waits ON work (waits_for, place) WHERE state = 'QUEUED' AND waits_for <> '';
CREATE TABLE button (
 id TEXT NOT NULL PRIMARY KEY,
 chat INTEGER NOT NULL,
 person INTEGER NOT NULL,
 action TEXT NOT NULL,
 target TEXT NOT NULL,
 arguments TEXT NOT NULL,
 is_once INTEGER NOT NULL,
 message INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 expires_at INTEGER NOT NULL,
 closed_at INTEGER NOT NULL) STRICT;
CREATE INDEX button_target ON button (target, action);
CREATE INDEX button_message ON button (message) WHERE message <> 0;
CREATE INDEX button_expires ON button (expires_at) WHERE expires_at <> 0;
CREATE INDEX environment_trouble ON environment (name) WHERE is_down <> 0 OR unknown_since <> 0;
CREATE TABLE grant_use (
 person INTEGER NOT NULL,
 action TEXT NOT NULL,
 at INTEGER NOT NULL,
 PRIMARY KEY (person, action)) STRICT, WITHOUT ROWID;
CREATE TABLE moved_chat (
 old INTEGER NOT NULL PRIMARY KEY,
 new INTEGER NOT NULL) STRICT;
CREATE INDEX moved_chat_new ON moved_chat (new);
CREATE TABLE cost (
 person INTEGER NOT NULL,
 hour INTEGER NOT NULL,
 tenths INTEGER NOT NULL,
 PRIMARY KEY (person, hour)) STRICT, WITHOUT ROWID;
CREATE TABLE hold (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 kind TEXT NOT NULL,
 target TEXT NOT NULL,
 person INTEGER NOT NULL,
 by_name TEXT NOT NULL,
 reason TEXT NOT NULL,
 at INTEGER NOT NULL,
 until_at INTEGER NOT NULL,
 chat INTEGER NOT NULL,
 thread INTEGER NOT NULL,
 request INTEGER NOT NULL,
 asked_at INTEGER NOT NULL DEFAULT 0,
 asked_chat INTEGER NOT NULL DEFAULT 0,
 asked_thread INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX hold_target ON hold (target);
CREATE INDEX environment_held ON environment (name) WHERE held <> 0 OR waiting_push <> '';
CREATE INDEX work_actions ON work (environment, id) WHERE program = 'action';
CREATE TABLE approval (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 work INTEGER NOT NULL,
 person INTEGER NOT NULL,
 name TEXT NOT NULL,
 role TEXT NOT NULL,
 factor TEXT NOT NULL DEFAULT '',
 at INTEGER NOT NULL,
 binding TEXT NOT NULL,
 voided_at INTEGER NOT NULL DEFAULT 0,
 void_why TEXT NOT NULL DEFAULT '',
 token INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX approval_person ON approval (work, person) WHERE voided_at = 0;
CREATE TABLE approval_request (
 work INTEGER PRIMARY KEY,
 asked_at INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 is_reminded INTEGER NOT NULL,
 n_changes INTEGER NOT NULL,
 changes TEXT NOT NULL,
 binding TEXT NOT NULL DEFAULT '',
 left_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE private_chat (
 person INTEGER PRIMARY KEY,
 at INTEGER NOT NULL,
 refused_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE work_shown (
 work INTEGER NOT NULL,
 message INTEGER NOT NULL,
 why TEXT NOT NULL,
 PRIMARY KEY (work, message)) STRICT, WITHOUT ROWID;
CREATE INDEX work_approval ON work (id) WHERE state = 'AWAITING_APPROVAL';
CREATE INDEX button_reply ON button (message) WHERE (action = 'override' OR action = 'reject') AND closed_at = 0;
CREATE TABLE factor (
 person INTEGER NOT NULL PRIMARY KEY,
 sealed TEXT NOT NULL,
 made_at INTEGER NOT NULL,
 made_by INTEGER NOT NULL,
 enrolled_at INTEGER NOT NULL DEFAULT 0,
 last_step INTEGER NOT NULL DEFAULT 0,
 failures INTEGER NOT NULL DEFAULT 0,
 locked_until INTEGER NOT NULL DEFAULT 0,
 picture INTEGER NOT NULL DEFAULT 0,
 proven_at INTEGER NOT NULL DEFAULT 0,
 reset_message INTEGER NOT NULL DEFAULT 0,
 reset_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE recovery (
 person INTEGER NOT NULL,
 mac TEXT NOT NULL,
 PRIMARY KEY (person, mac)) STRICT, WITHOUT ROWID;
CREATE TABLE pad (
 person INTEGER NOT NULL PRIMARY KEY,
 message INTEGER NOT NULL,
 digits TEXT NOT NULL,
 wants TEXT NOT NULL,
 expires_at INTEGER NOT NULL,
 kind INTEGER NOT NULL,
 chat INTEGER NOT NULL,
 thread INTEGER NOT NULL,
 written INTEGER NOT NULL,
 reply_to INTEGER NOT NULL,
 is_private INTEGER NOT NULL,
 name TEXT NOT NULL,
 button TEXT NOT NULL,
 text TEXT NOT NULL,
 work INTEGER NOT NULL DEFAULT 0,
 shown TEXT NOT NULL DEFAULT '',
 file TEXT NOT NULL DEFAULT '',
 file_name TEXT NOT NULL DEFAULT '',
 file_size INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE nonce (
 nonce TEXT NOT NULL,
 person INTEGER NOT NULL,
 ts INTEGER NOT NULL,
 at INTEGER NOT NULL,
 work INTEGER NOT NULL,
 is_requests INTEGER NOT NULL CHECK (is_requests IN (0, 1)),
 PRIMARY KEY (nonce, person)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX nonce_once ON nonce (nonce) WHERE is_requests = 0;
CREATE INDEX nonce_old ON nonce (MAX(at, ts * 1000), nonce, person);
CREATE TABLE request_nonce (
 nonce TEXT NOT NULL PRIMARY KEY,
 work INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
CREATE TABLE cloudflare_zone (
 zone TEXT NOT NULL PRIMARY KEY,
 target TEXT NOT NULL,
 phase TEXT NOT NULL,
 old TEXT NOT NULL,
 set_to TEXT NOT NULL,
 at INTEGER NOT NULL,
 until_at INTEGER NOT NULL,
 work INTEGER NOT NULL,
 by_name TEXT NOT NULL,
 chat INTEGER NOT NULL,
 thread INTEGER NOT NULL,
 effect INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 tries INTEGER NOT NULL,
 failed_at INTEGER NOT NULL,
 told_at INTEGER NOT NULL,
 detail TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX work_review ON work (environment, id) WHERE emergency <> '' AND reviewed_at = 0;
CREATE INDEX work_migration ON work (environment, run) WHERE migration <> '';
CREATE INDEX run_drain ON run (deployment) WHERE program = 'drain' AND ended_at = 0;
CREATE INDEX audit_deployment ON audit (deployment) WHERE deployment <> 0;
CREATE INDEX work_tree ON work (environment, tree, id) WHERE tree <> '';
CREATE INDEX work_commit ON work (environment, commit_id, id) WHERE commit_id <> '';
CREATE TABLE pin (
 chat INTEGER NOT NULL PRIMARY KEY,
 message INTEGER NOT NULL,
 pinned INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 due INTEGER NOT NULL,
 shown_at INTEGER NOT NULL,
 tried_at INTEGER NOT NULL,
 is_told INTEGER NOT NULL CHECK (is_told IN (0, 1))) STRICT;
CREATE INDEX pin_message ON pin (message);
CREATE TABLE health (
 environment TEXT NOT NULL PRIMARY KEY,
 is_healthy INTEGER NOT NULL CHECK (is_healthy IN (0, 1)),
 at INTEGER NOT NULL,
 commit_id TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE INDEX audit_environment ON audit (environment) WHERE environment IS NOT NULL;
CREATE TABLE person_name (
 who TEXT NOT NULL PRIMARY KEY,
 name TEXT NOT NULL,
 at INTEGER NOT NULL) STRICT;
CREATE TABLE hook_call (
 hook TEXT NOT NULL,
 key TEXT NOT NULL,
 digest BLOB NOT NULL,
 status INTEGER NOT NULL,
 work INTEGER NOT NULL,
 at INTEGER NOT NULL,
 said TEXT NOT NULL DEFAULT '',
 PRIMARY KEY (hook, key)) STRICT, WITHOUT ROWID;
CREATE INDEX hook_call_at ON hook_call (at);
CREATE TABLE token (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 name TEXT NOT NULL,
 mac TEXT NOT NULL UNIQUE,
 role TEXT NOT NULL,
 made_at INTEGER NOT NULL,
 made_by INTEGER NOT NULL,
 by_name TEXT NOT NULL,
 expires_at INTEGER NOT NULL,
 person INTEGER NOT NULL DEFAULT 0,
 used_at INTEGER NOT NULL DEFAULT 0,
 revoked_at INTEGER NOT NULL DEFAULT 0,
 revoked_why TEXT NOT NULL DEFAULT '',
 application TEXT NOT NULL DEFAULT '*',
 fault TEXT NOT NULL DEFAULT '',
 ended_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at = 0;
CREATE TABLE session (
 person INTEGER NOT NULL PRIMARY KEY,
 token INTEGER NOT NULL,
 name TEXT NOT NULL,
 began_at INTEGER NOT NULL,
 used_at INTEGER NOT NULL) STRICT;
CREATE TABLE login_try (
 person INTEGER NOT NULL PRIMARY KEY,
 failures INTEGER NOT NULL,
 since INTEGER NOT NULL,
 locked_until INTEGER NOT NULL) STRICT;
CREATE TABLE secret (
 application TEXT NOT NULL,
 name TEXT NOT NULL,
 mark TEXT NOT NULL,
 key TEXT NOT NULL,
 seen_at INTEGER NOT NULL,
 looked_at INTEGER NOT NULL,
 gone_at INTEGER NOT NULL DEFAULT 0,
 used_at INTEGER NOT NULL DEFAULT 0,
 uses INTEGER NOT NULL DEFAULT 0,
 said_at INTEGER NOT NULL DEFAULT 0,
 PRIMARY KEY (application, name, mark)) STRICT, WITHOUT ROWID;
CREATE TABLE audit_witness (
 place TEXT NOT NULL PRIMARY KEY,
 confirmed INTEGER NOT NULL,
 head TEXT NOT NULL,
 confirmed_at INTEGER NOT NULL,
 ordered_at INTEGER NOT NULL,
 last INTEGER NOT NULL,
 last_head TEXT NOT NULL,
 tries INTEGER NOT NULL,
 failing_since INTEGER NOT NULL,
 is_late INTEGER NOT NULL,
 detail TEXT NOT NULL,
 removed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE audit_forward (
 place TEXT NOT NULL PRIMARY KEY,
 sent INTEGER NOT NULL,
 tried_at INTEGER NOT NULL,
 is_out INTEGER NOT NULL,
 tries INTEGER NOT NULL,
 detail TEXT NOT NULL) STRICT;
CREATE TABLE first_admin (
 digest TEXT NOT NULL PRIMARY KEY,
 until INTEGER NOT NULL,
 person INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE past (
 id INTEGER PRIMARY KEY,
 deployment INTEGER NOT NULL,
 commit_id TEXT NOT NULL,
 reason TEXT NOT NULL,
 source TEXT NOT NULL DEFAULT 'git') STRICT;
CREATE INDEX past_deployment ON past (deployment);
CREATE TABLE change (
 deployment INTEGER NOT NULL,
 n INTEGER NOT NULL,
 of INTEGER NOT NULL,
 commit_id TEXT NOT NULL,
 subject TEXT NOT NULL,
 PRIMARY KEY (deployment, n)) STRICT, WITHOUT ROWID;
CREATE TABLE setting (
 application TEXT NOT NULL,
 name TEXT NOT NULL,
 mark TEXT NOT NULL,
 value TEXT NOT NULL,
 deciding INTEGER NOT NULL,
 look INTEGER NOT NULL,
 PRIMARY KEY (application, name)) STRICT, WITHOUT ROWID;
CREATE TABLE press (
 work INTEGER NOT NULL,
 act TEXT NOT NULL,
 person INTEGER NOT NULL,
 token INTEGER NOT NULL,
 PRIMARY KEY (work, act, person, token)) STRICT, WITHOUT ROWID;
CREATE TABLE principal (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 kind TEXT NOT NULL,
 application TEXT NOT NULL,
 name TEXT NOT NULL,
 UNIQUE (kind, application, name)) STRICT;
CREATE TABLE ended (
 application TEXT NOT NULL,
 role TEXT NOT NULL,
 person INTEGER NOT NULL,
 until INTEGER NOT NULL,
 PRIMARY KEY (application, role, person, until)) STRICT, WITHOUT ROWID;
CREATE INDEX work_shown_message ON work_shown (message);
CREATE INDEX block_number ON block (environment, number);
CREATE INDEX inbox_update ON inbox (at) WHERE source = 'telegram';
CREATE INDEX message_audit ON message (audit_seq) WHERE audit_seq > 0;
CREATE TABLE audit_line (
 seq INTEGER PRIMARY KEY,
 head TEXT NOT NULL,
 at INTEGER NOT NULL) STRICT;
CREATE TABLE audit_end (
 id INTEGER PRIMARY KEY CHECK (id = 1),
 seq INTEGER NOT NULL,
 head TEXT NOT NULL) STRICT;
CREATE TABLE left_host (
 environment TEXT NOT NULL,
 host TEXT NOT NULL,
 commit_id TEXT NOT NULL,
 since INTEGER NOT NULL,
 PRIMARY KEY (environment, host)) STRICT, WITHOUT ROWID;
CREATE INDEX release_commit ON release (environment, commit_id);
CREATE INDEX release_image ON release (image) WHERE image <> '';
CREATE TABLE question (
 work INTEGER PRIMARY KEY,
 shown_live TEXT NOT NULL DEFAULT '',
 shown_at INTEGER NOT NULL DEFAULT 0,
 shown_blocked INTEGER NOT NULL DEFAULT 0,
 shown_block INTEGER NOT NULL DEFAULT 0,
 compared_block INTEGER NOT NULL DEFAULT 0,
 warning TEXT NOT NULL DEFAULT '',
 shown_image TEXT NOT NULL DEFAULT '',
 differing TEXT NOT NULL DEFAULT '',
 n_changed INTEGER NOT NULL DEFAULT 0,
 not_before INTEGER NOT NULL DEFAULT 0,
 is_unconfirmed INTEGER NOT NULL DEFAULT 0,
 seen_by TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE work_action (
 work INTEGER PRIMARY KEY,
 executor TEXT NOT NULL,
 is_requested INTEGER NOT NULL,
 shown_settings TEXT NOT NULL,
 shown_touches TEXT NOT NULL) STRICT;
CREATE TABLE exempt (
 work INTEGER PRIMARY KEY,
 excepted_hold INTEGER NOT NULL DEFAULT 0,
 n_reminders INTEGER NOT NULL DEFAULT 0,
 passed TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE hold_repeat (person INTEGER NOT NULL,
 principal TEXT NOT NULL,
 chat INTEGER NOT NULL,
 action TEXT NOT NULL,
 target TEXT NOT NULL,
 by_name TEXT NOT NULL,
 until_at INTEGER NOT NULL,
 reason TEXT NOT NULL,
 n INTEGER NOT NULL,
 due INTEGER NOT NULL,
 first_at INTEGER NOT NULL DEFAULT 0,
 last_at INTEGER NOT NULL DEFAULT 0,
 PRIMARY KEY (person, principal, chat, action, target)) STRICT;
CREATE TABLE work_job (work INTEGER PRIMARY KEY,
 workflow TEXT NOT NULL,
 repository TEXT NOT NULL,
 repository_id TEXT NOT NULL,
 run TEXT NOT NULL,
 attempt INTEGER NOT NULL,
 check_run TEXT NOT NULL,
 actor TEXT NOT NULL,
 asked_at INTEGER NOT NULL,
 opened_at INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 rule TEXT NOT NULL DEFAULT '',
 deployment INTEGER NOT NULL DEFAULT 0,
 is_answered INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX work_job_run ON work_job (repository_id, run);
CREATE INDEX work_gate ON work (environment, id) WHERE action = 'open-gate' AND state IN ('DONE', 'FAILED');
CREATE INDEX work_gate_open ON work (id) WHERE action = 'open-gate' AND (state <> '' AND state <> 'LIVE' AND state <> 'FAILED' AND state <> 'ROLLED_BACK' AND state <> 'ROLLBACK_FAILED' AND state <> 'DONE' AND state <> 'REFUSED' AND state <> 'CANCELLED' AND state <> 'EXPIRED' AND state <> 'SUPERSEDED');
CREATE UNIQUE INDEX work_waiting_push ON work (environment) WHERE state = 'QUEUED' AND (cause = '' OR cause = 'push' OR cause = 'poll' OR cause = 'job');
CREATE TABLE work_actor (work INTEGER NOT NULL,
 login TEXT NOT NULL,
 PRIMARY KEY (work, login)) STRICT, WITHOUT ROWID;
CREATE TABLE pipeline_run (application TEXT NOT NULL,
 repository TEXT NOT NULL,
 repository_id TEXT NOT NULL,
 file TEXT NOT NULL,
 commit_id TEXT NOT NULL,
 branch TEXT NOT NULL,
 title TEXT NOT NULL,
 actor TEXT NOT NULL,
 run INTEGER NOT NULL,
 number INTEGER NOT NULL,
 attempt INTEGER NOT NULL,
 rank INTEGER NOT NULL,
 conclusion TEXT NOT NULL,
 counts INTEGER NOT NULL,
 at INTEGER NOT NULL,
 seen_at INTEGER NOT NULL,
 PRIMARY KEY (application, repository_id, run)) STRICT;
CREATE INDEX pipeline_run_commit ON pipeline_run (application, file, commit_id);
CREATE INDEX pipeline_run_branch ON pipeline_run (application, file, branch, number);
CREATE INDEX pipeline_run_at ON pipeline_run (application, at, run);
CREATE TABLE pipeline_red (id INTEGER PRIMARY KEY AUTOINCREMENT,
 chat INTEGER NOT NULL,
 application TEXT NOT NULL,
 repository_id TEXT NOT NULL,
 file TEXT NOT NULL,
 branch TEXT NOT NULL,
 run INTEGER NOT NULL,
 attempt INTEGER NOT NULL,
 message INTEGER NOT NULL,
 since INTEGER NOT NULL,
 failures INTEGER NOT NULL,
 details TEXT NOT NULL,
 UNIQUE (chat, repository_id, file, branch)) STRICT;
CREATE INDEX pipeline_red_message ON pipeline_red (message);
CREATE TABLE forge_hook (id INTEGER PRIMARY KEY,
 application TEXT NOT NULL,
 repository TEXT NOT NULL COLLATE NOCASE,
 number INTEGER NOT NULL,
 looked_at INTEGER NOT NULL,
 off_until INTEGER NOT NULL DEFAULT 0,
 UNIQUE (application, repository)) STRICT;
CREATE TABLE undelivered (hook INTEGER NOT NULL,
 guid TEXT NOT NULL,
 delivery INTEGER NOT NULL,
 at INTEGER NOT NULL,
 is_ok INTEGER NOT NULL,
 asks_branch INTEGER NOT NULL,
 branch TEXT NOT NULL,
 tries INTEGER NOT NULL,
 due INTEGER NOT NULL,
 PRIMARY KEY (hook, guid)) STRICT, WITHOUT ROWID;
CREATE INDEX work_job_deployment ON work_job (deployment) WHERE deployment <> 0;
CREATE TABLE forge_repository (name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
 id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE work_pipeline (work INTEGER PRIMARY KEY,
 words TEXT NOT NULL,
 again INTEGER NOT NULL,
 nonce TEXT NOT NULL,
 run INTEGER NOT NULL,
 attempt INTEGER NOT NULL,
 repository_id TEXT NOT NULL) STRICT;
CREATE INDEX work_pipeline_run ON work_pipeline (run) WHERE run <> 0;
CREATE TABLE loan (work INTEGER PRIMARY KEY,
 phase TEXT NOT NULL,
 accessor TEXT NOT NULL,
 until_at INTEGER NOT NULL,
 timer INTEGER NOT NULL,
 chat INTEGER NOT NULL DEFAULT 0,
 message INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX loan_open ON loan (phase, work) WHERE phase <> 'over';
CREATE INDEX run_open ON run (runner, id) WHERE ended_at = 0;
CREATE TABLE runner (name TEXT PRIMARY KEY,
 gone_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE peer (
 identity TEXT PRIMARY KEY,
 digest TEXT NOT NULL UNIQUE,
 made_at INTEGER NOT NULL,
 made_by INTEGER NOT NULL,
 by_name TEXT NOT NULL,
 revoked_at INTEGER NOT NULL,
 manifest TEXT NOT NULL DEFAULT '',
 manifest_digest TEXT NOT NULL DEFAULT '',
 manifest_at INTEGER NOT NULL DEFAULT 0,
 ends_at INTEGER NOT NULL DEFAULT 0,
 next_digest TEXT NOT NULL DEFAULT '',
 next_ends_at INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE peer_code (
 identity TEXT PRIMARY KEY,
 digest TEXT NOT NULL UNIQUE,
 secret TEXT NOT NULL,
 until INTEGER NOT NULL,
 made_by INTEGER NOT NULL,
 by_name TEXT NOT NULL,
 is_move INTEGER NOT NULL,
 key TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX peer_next ON peer (next_digest) WHERE next_digest <> '';
CREATE TABLE upload (digest TEXT NOT NULL PRIMARY KEY,
 file TEXT NOT NULL,
 size INTEGER NOT NULL,
 at INTEGER NOT NULL,
 unpacked INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE INDEX upload_old ON upload (at);
CREATE INDEX work_upload ON work (commit_id) WHERE source = 'upload';
CREATE INDEX release_upload ON release (commit_id) WHERE source = 'upload';
CREATE TABLE opa (
 work INTEGER PRIMARY KEY,
 at INTEGER NOT NULL,
 digest TEXT NOT NULL,
 verdict INTEGER NOT NULL,
 reason TEXT NOT NULL,
 decision TEXT NOT NULL,
 tries INTEGER NOT NULL,
 since INTEGER NOT NULL,
 is_to_ask INTEGER NOT NULL,
 is_noted INTEGER NOT NULL,
 git TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE notify (
 name TEXT NOT NULL PRIMARY KEY,
 off_since INTEGER NOT NULL,
 off_why TEXT NOT NULL,
 unsent INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE console_session (
 mac TEXT NOT NULL PRIMARY KEY,
 person INTEGER NOT NULL,
 name TEXT NOT NULL,
 bot TEXT NOT NULL,
 began_at INTEGER NOT NULL,
 used_at INTEGER NOT NULL,
 ends_at INTEGER NOT NULL,
 proof_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_person ON console_session (person, used_at);
CREATE INDEX console_session_used ON console_session (used_at);
CREATE TABLE console_code (
 person INTEGER NOT NULL PRIMARY KEY,
 mac TEXT NOT NULL UNIQUE,
 name TEXT NOT NULL,
 until INTEGER NOT NULL) STRICT;
CREATE INDEX release_deployment ON release (deployment);
CREATE UNIQUE INDEX work_active ON work (environment) WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING' OR state = 'BAKING' OR state = 'PAUSED' OR state = 'ROLLING_BACK' OR state = 'VERIFYING_ROLLBACK') AND action <> 'run-pipeline' AND action <> 'lend-secret';
CREATE INDEX work_pipelines ON work (id) WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING' OR state = 'BAKING' OR state = 'PAUSED' OR state = 'ROLLING_BACK' OR state = 'VERIFYING_ROLLBACK') AND action = 'run-pipeline';
CREATE TABLE bake (
 work INTEGER PRIMARY KEY,
 measured_at INTEGER NOT NULL,
 began_at INTEGER NOT NULL,
 length_ms INTEGER NOT NULL,
 left_ms INTEGER NOT NULL,
 counted_at INTEGER NOT NULL,
 is_prolonged INTEGER NOT NULL,
 is_to_pause INTEGER NOT NULL,
 why TEXT NOT NULL,
 is_cut INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE bake_value (
 work INTEGER NOT NULL,
 nth INTEGER NOT NULL,
 name TEXT NOT NULL,
 was TEXT NOT NULL,
 is_exempt INTEGER NOT NULL,
 value TEXT NOT NULL,
 threshold TEXT NOT NULL,
 is_firing INTEGER NOT NULL,
 PRIMARY KEY (work, nth)) STRICT, WITHOUT ROWID;
CREATE TABLE promotion (
 work INTEGER PRIMARY KEY,
 environment TEXT NOT NULL,
 is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
 from_environment TEXT NOT NULL,
 image TEXT NOT NULL,
 since INTEGER NOT NULL,
 release INTEGER NOT NULL,
 seen_release INTEGER NOT NULL) STRICT;
CREATE INDEX promotion_open ON promotion (environment, work) WHERE is_open = 1;
CREATE TABLE host (
 environment TEXT NOT NULL,
 name TEXT NOT NULL,
 plan INTEGER NOT NULL,
 wave INTEGER NOT NULL,
 run INTEGER NOT NULL,
 drain INTEGER NOT NULL,
 work INTEGER NOT NULL,
 state TEXT NOT NULL,
 release TEXT NOT NULL,
 image TEXT NOT NULL,
 previous TEXT NOT NULL,
 previous_image TEXT NOT NULL,
 detail TEXT NOT NULL,
 failed_at INTEGER NOT NULL,
 at INTEGER NOT NULL,
 left_at INTEGER NOT NULL DEFAULT 0,
 expected TEXT NOT NULL DEFAULT '',
 PRIMARY KEY (environment, name)) STRICT, WITHOUT ROWID;
CREATE INDEX host_left ON host (left_at) WHERE left_at <> 0;
CREATE TABLE resource (
 environment TEXT NOT NULL,
 name TEXT NOT NULL,
 PRIMARY KEY (environment, name)) STRICT, WITHOUT ROWID;
CREATE TABLE wave_plan (
 work INTEGER PRIMARY KEY,
 hosts TEXT NOT NULL) STRICT;
INSERT INTO counter (name, value) VALUES ('block', 0);
INSERT INTO counter (name, value) VALUES ('effect', 0);
INSERT INTO counter (name, value) VALUES ('forge_hook', 0);
INSERT INTO counter (name, value) VALUES ('inbox', 0);
INSERT INTO counter (name, value) VALUES ('logs', 0);
INSERT INTO counter (name, value) VALUES ('nonce', 0);
INSERT INTO counter (name, value) VALUES ('past', 0);
INSERT INTO counter (name, value) VALUES ('place', 0);
