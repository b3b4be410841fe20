/* run_folder.h - runs/<id>/: order, hosts, leader, log, exit record, socket.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * The folder is what is left of a run when everything else was killed.  mkdir makes an id unique;
 * the record's room on disk is allocated, and its lock taken, before anything runs; a record that
 * can be read is on disk.  What is made may be read by runs/'s group as far as the umask lets it.
 */
#pragma once

#include "runner/process.h"
#include "runner/protocol.h"

/* Of a run that has hosts: theirs, and what was said of them (host_results.h). */
#define RUN_FOLDER_HOSTS   "hosts"
#define RUN_FOLDER_RESULTS "results"

enum run_folder_record {
	RUN_FOLDER_NO_RECORD,	/* not written yet, or cut off while it was */
	RUN_FOLDER_RECORD,
	RUN_FOLDER_UNREADABLE,	/* an error of the disk: nobody knows */
	RUN_FOLDER_FOREIGN,	/* it makes no sense: of another release, or broken */
};

/* Opens STATE/runs, which is made when missing.  -1 on failure. */
int run_folder_root(const char *state, struct err *err);

/* Makes the folder and its order, whose tag is drawn here, out of the spare one where that is
 * ready.  Returns a descriptor of it or -1; then nothing is left, and err->code is ERR_BUSY when
 * there was one already. */
int run_folder_make(int root, struct protocol_message *order, bool *ret_is_spare, struct err *err);

/* Makes runs/spare/ with a record's room, flushed: the next run costs one flush instead of three.
 * For idle moments; a failure costs nothing but that. */
void run_folder_make_spare(int root);
void run_folder_drop_spare(int root);

/* -1: there is none (ERR_MISSING), or it cannot be opened. */
int run_folder_open(int root, uint64_t id, struct err *err);

/* Removes it with all that is in it: for a start that was refused. */
void run_folder_remove(int root, uint64_t id);

/* Creates or opens the exit file, allocates it on disk and locks it.  Returns its descriptor, which
 * holds the lock as long as this process has no other of the same file and lives; or -1: no room,
 * somebody holds it (ERR_BUSY), or there is a record already (ERR_DENIED). */
int run_folder_claim(int folder, struct err *err);

/* The process that holds the lock, or 0. */
pid_t run_folder_holder(int folder);

/* What the record would say by now, where a kill of the supervisor or a power cut leaves it: it is
 * there until the record is.  A draft that cannot be written takes the one before with it. */
bool run_folder_draft_write(int claimed, const struct protocol_message *exit_message,
    struct err *err) MUST_USE;
bool run_folder_draft_read(int claimed, struct protocol_message *ret);

/* Writes the record into the claimed file and flushes it. */
bool run_folder_record_write(int claimed, const struct protocol_message *exit_message,
    struct err *err) MUST_USE;
enum run_folder_record run_folder_record_read(int folder, struct protocol_message *ret);

/* Which process is the main one; written before the gate can open.  Read fails when it is not
 * there. */
bool run_folder_main_process_write(
    int folder, const struct process_main *main_process, struct err *err) MUST_USE;
bool run_folder_main_process_read(int folder, struct process_main *ret);

/* The tag of the order; empty when the order was not written. */
void run_folder_tag_read(int folder, char ret[PROCESS_TAG]);

/* A listening socket at <folder>/socket, whatever the length of its path.  -1 on failure. */
int run_folder_listen(int folder, struct err *err);

/* Flushes the names: those in the folder (not of a spare one), and its own in the root. */
bool run_folder_flush(int root, int folder, bool is_spare, struct err *err) MUST_USE;
