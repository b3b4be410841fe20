/* protocol.h - what server, runner and supervisors say to each other, as one message.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A message is one packet (AF_UNIX, SOCK_SEQPACKET: boundaries are kept, nothing is framed by
 * hand) of text: the kind on the first line, then `key value` lines; an answer carries its body
 * behind an empty line.  Keys a reader does not know are skipped, so that a supervisor of
 * yesterday's version talks to today's server; what must not be misread raises PROTOCOL_VERSION.
 * Runs outlive upgrades, and a supervisor of another version is followed by its log and its record
 * alone: so the fields of a record keep their meaning whatever the version is.  Version 1 knew no
 * applications and no fingerprints, version 2 no migrations: its runner gives a script no
 * MIGRATE_COMMAND; that of version 3 would ask git for an upload, and that of version 4 would
 * release to all hosts at once.  Their supervisors say and understand what today's do.
 *
 * server ── socket ── runner: a socket pair (deploybot-runner --fd N), or RUNNER_SOCKET (--listen)
 *   →  hello   version [epoch]               first, both ways.  Another version: the runner says
 *   ←  hello   version pid [epoch]           its hello and leaves; the server says so.  With a
 *                                            socket pair both exit 78, else it is tried again.
 *                                            epoch: see "Epochs"; the runner's is the highest
 *   →  run     id program [application] environment argument deadline_s grace_s deployment
 *              previous ref [fingerprint] [client] [without] [ticket] [epoch] [installation]
 *              [wave failures_max] [hosts] see "Hosts of a run"
 *              [promoted]                  argument's image was live elsewhere, and is asked for
 *                                            by its digest
 *              [source] [tree]             of an upload: argument's commit is none of git's, and
 *                                            tree the digest of the tree that is built
 *                                            of an action: argument is its name, ref its argument,
 *                                            previous what is live; environment is the client's id
 *                                            where application is "client"; of a drain: deployment
 *                                            is what has ended, and argument what serves
 *   ←  started id                            runs/<id>/ is there, the supervisor lives, its socket
 *                                            listens: connect now (the script waits at its gate)
 *   ←  refused id why errno text             nothing runs and nothing was left.  EXISTS: there
 *                                            was a folder already: settle it.  INVALID: a field is
 *                                            wrong.  FAILED: fork, disk, … (text says what).
 *                                            CHANGED: the list is not that of the order's
 *                                            fingerprint; `settings` is ours (binding.h)
 *   →  settle  id                            after a restart, or when a supervisor's socket closed
 *                                            without `exit`
 *   ←  settled id state [record]             also sent unasked, to every server that has said
 *                                            hello, when a supervisor of this runner is gone
 *                                              NEVER  no folder: it never began, and may be ordered
 *                                              ALIVE  its supervisor lives: connect to its socket
 *                                              ENDED  it has its record (fields below)
 *                                              LOST   its supervisor was killed; nothing of it is
 *                                                     alive, and a record with lost=1 is written
 *   ←  stuck   id pid [text]                 pid (of run id, supervisor gone) cannot be ended
 *                                            yet; every 10 s until it can; then settled LOST.
 *                                            pid 0: text says what hinders: a control group in
 *                                            which something lives, a disk that takes no record
 *   →  ask     id question [application] [environment] [progress] [ref] [branch] [base] [after]
 *              [blocked] [paths] [branches]
 *   ←  progress id text                      to whom it was asked with progress=1: git fetches
 *                                            still, and how far it is
 *   ←  answer  id status timed_out text [fingerprint settings] body
 *                                            body: at most PROTOCOL_ANSWER_MAX bytes.  Where an
 *                                            environment was named: our list for it, and its
 *                                            digest; without: it cannot be read
 *   →  forget  id                            the folder of a run that has ended is of no use
 *   ←  forgotten id removal [text]           MORE   a piece is gone: say it again
 *                                            GONE   there is none (any more)
 *                                            STAY   text says why: it has no record, the disk
 *
 * supervisor ── runs/<id>/socket (connect through /proc/self/fd/<dirfd>/socket) ── server
 *   →  hello   version epoch                 of a server that says one: its first word
 *   ←  hello   version pid start boot gate released no_rollback migration image steps
 *                                            on every connect; steps: all so far.  A new
 *                                            connection replaces the old one, which is closed;
 *                                            where the old one has said an epoch, only with a
 *                                            hello of no lower one, behind which this is sent
 *   →  go      [epoch]                       opens the gate; said again it changes nothing
 *   →  end                                   TERM, then KILL after grace_s.  Before `go`: the gate
 *                                            stays shut and the record says gate=0 ended=1
 *   ←  grew                                  see "Hosts of a run"; of 0.1.0 20 a second, of its log
 *   ←  step    image (one step in steps[0])  PROTOCOL_STEPS_MAX at most; those that decide
 *                                            (step_scan.h) always, so that an image is known
 *                                            before the target changes
 *   ←  stuck   pid                           as above
 *   ←  exit    record fields, steps          the record is on disk before this is said
 *   When a connection is lost before `go`, the supervisor ends with gate=0.  A supervisor that
 *   nobody connects to gives up its gate when its runner has ended, or after PROTOCOL_GATE_WAIT_S.
 *
 * Epochs: each take-over among several servers raises it, and who leads says it in hello, run and
 * go.  The runner keeps the highest in runs/epoch, on disk before it counts: a
 * lower hello is answered with its own and closed, connections of lower ones are closed, and a
 * lower `run` is refused as INVALID.  A supervisor compares with its order's, with those of its
 * connections and with runs/epoch: what is said under a lower one is not done, and closes its
 * connection; the end of such a connection gives no gate up, for which another has
 * PROTOCOL_GATE_WAIT_S from then on.  A remote runner keeps what is signed alone, and compares
 * hello with the others' too.  0, or none: one server, or an older one: nothing is compared (but
 * what is signed).
 *
 * Hosts of a run: an order that is not for all hosts of its environment has a body, a line for each
 * of its own, HOST:PORT as server/settings spells it in a claim; of a rollback in groups, each
 * behind `= RELEASE`.  They are runs/<id>/hosts.  What the script says of one of them, `==> host
 * NAME began`, `ok` or `failed WHY`, is no step: the supervisor adds it to runs/<id>/results, the
 * first of each word, `NAME WORD WHY`, and flushes that.  Then it writes NAME to the pipe HOST_ACKS
 * for each that began.  It needs no server for that.  Who is connected is sent:
 *   ←  grew                                  results has lines more
 *
 * remote runner (deploybot-remote-runner): as above, but `run` and `go` are signed for it:
 *   ←  hello      version pid [epoch] [highest]   no run that it has a folder of is above highest
 *   →  read   id [from] [results]            a piece of its log, whether it has ended or not: from
 *                                            the byte of that number on, of which the first is 1,
 *                                            PROTOCOL_PIECE_MAX at most; else PROTOCOL_END_MAX of
 *                                            its end.  results=1: the same of that file
 *   ←  piece  id [from] size [results] body  size: of all of it now
 *   →  challenge                             before each `run` and each `go`, on its connection
 *   ←  challenge  challenge                  as an agent's; a NEVER makes those of all servers void
 *   →  run, go    with epoch challenge signature (lib/order_bytes.h), where protocol_work() is what
 *                 is signed of the work; an order that is not proven is refused as INVALID, a `go`
 *                 ends its connection.  state, forget and ask are signed so too, for no
 *                 challenge: who repeats one has it answered again
 *   →  state  number [application] environment body
 *                 what stands in the server's environments/ of one; an empty body: it is gone.
 *                 number is of the newest entry of the audit: a lower one than before is not taken
 *   →  state  number body                    behind all of them: their files' names, a line each.
 *                 Others are removed.  Until then, from each hello on, no `run` is taken and no
 *                 mirror is tidied: scripts remove what no file there names
 *   ←  state  number [text]                  it is on disk; or text says why it is not
 *
 * agent: it speaks as a runner does, and on runs/<id>/socket as a supervisor, of these kinds alone:
 *   ↔  hello      version [epoch], and of its own [clock_s], seconds since 1970 there, and
 *                 [manifest capability…]: what it may be ordered, each as `capability NAME DIGEST`,
 *                 sorted; manifest is the SHA-256 of these as one line, NAME=DIGEST with one space
 *                 between (lib/fingerprint.h)
 *   →  challenge                             before each `run` and each `go`, on its connection
 *   ←  challenge  challenge                  32 hex digits, for one order within 30 s
 *   →  run        program is action, argument the capability, fingerprint the manifest; with
 *                 epoch challenge signature (lib/order_bytes.h).  CHANGED: `settings` is its
 *                 manifest, NAME=DIGEST with one space between
 *   →  go         epoch challenge signature
 *   ←  started, refused, →  settle, end, ←  settled, step, exit
 *   →  read   id                              of a run that has ended, or goes on
 *   ←  piece  id body                         the end of its output, PROTOCOL_END_MAX bytes
 *   NEVER makes the challenge void: no order of before can follow it.  A hello of a version since
 *   PROTOCOL_AGENT_SINCE is taken on both sides.  One of a lower epoch than was signed here, or
 *   than whoever is connected has said, takes nobody's place, and its end gives no gate up.
 *
 * Record fields: gate released no_rollback migration drains undone exec_errno status signal
 *   timed_out ended lost unswept ended_at image warnings warning1 … steps.  image is what the
 *   script said last of `==> image sha256:…` before `==> release`; warnings, how many different
 *   ones (`==> warning`) it said, and warning1 and so on the first of them.
 *   (0.1.0 wrote more that nobody reads: log_size user_ms system_ms max_rss_kb.)
 *   How to read them, in this order:
 *     gate=0            the script never ran (ended=1: on request; else: the server was lost)
 *     exec_errno!=0     it could not be started: nothing ran
 *     lost=1            its supervisor was killed: gate and released say what may have happened,
 *                       and with migration=1 what has (unswept=1: what it started may be alive)
 *     else              status (signal=0) or signal of the main process; timed_out, ended say
 *                       whether the deadline or `end` asked for its end first
 *
 * runs/<id>/: order (the run message and its tag) · leader (pid, start, boot, tag, pid namespace,
 * in a control group?) · hosts and results, of a run that has hosts ·
 * log · exit (the record as an `exit` message, then NUL bytes; its first byte NUL: not yet, and
 * what follows is its draft, kept behind `==> migrate`; locked by the supervisor, POSIX record
 * lock) · socket.  The server reads log and results, and needs nothing else of it.
 *
 * Answers (plain lines; values run to the end of the line; lines that begin with "==> " are
 * progress, which puts the deadline off, and no part of the body).  status 0, question COMMITS:
 *     ref develop                     as resolved (what was asked for, or the branch)
 *     kind branch                     branch, tag or commit
 *     commit 1a2b3c4d…                40 or 64 hex digits
 *     tree 5d6e7f80…                  of its files: the same for all commits that have the same
 *     author Ann Example              of whatever length and kind; cut in bytes, as all texts
 *     at 1767225600                   committed, seconds since 1970; any date may stand there
 *     subject Make the button blue
 *     branch develop                  the environment's; missing when it has none
 *     branch_commit 1a2b3c4d…         its newest commit; missing when the branch does not exist
 *     in_branch 1                     is commit in branch?  (0 without a branch)
 *     base 9f8e7d6c…                  only when a base was asked for and is in the repository
 *     forced 0                        1: base is not an ancestor of commit (0 without base)
 *     barrier drops column price      the newest `.deploybot/no-rollback` that a commit of those
 *                                     adds or changes; missing where none does
 *     past 1a2b3c4d… drops column price   one of base that adds or changes it and is not in this
 *                                     one's history; newest first, at most 8
 *     no_history 1                    whether one does is not known: base is not in the repository,
 *                                     or has no commit in common with commit
 *     touches 1                       0: nothing differs from base in `paths`; only when asked for
 *     untouched db/migrate            nothing differs from base there: of each pattern behind a /
 *     lacks_after 0                   1: `after` is not in the repository; only when asked for
 *     count 12                        commits in commit that are not in base (0 without base)
 *     change 1a2b3c4d… Ann Example<TAB>Make the button blue      newest first, at most 10
 *     missing 2 submodules (a, b)     what a release that is built here will not have
 *     image sha256:1a2b3c4d…          that the registry has of it; or build, none, unknown; missing
 *                                     where a release needs none
 *     mirror 123456                   bytes that git takes on this disk
 *     contains 1a2b3c4d…              one line for each of `blocked` that is in commit's history
 *     end
 * status 0, question HEADS, one line for each branch of `branches` that exists:
 *     head 1a2b3c4d… develop
 *     mirror 123456
 *     end
 * status 0, question SETTINGS: `end` alone.
 * status 0, question LOGS: what the application logged last, `ref` lines of it at most, each behind
 * `|app| `.  Any other status: the last line says why there is none.
 * status 0, question UNPACK: the tree of the archive `ref` is whole in APPROVED_DIRECTORY.  Of
 * COMMITS it has commit (`ref` itself), in_branch, forced, count (0), barrier (the archive has that
 * file) and missing (pointers of git-lfs), and besides:
 *     kind upload
 *     tree 5d6e7f80…                  SHA-256 over `MODE SHA256 PATH`, a line for each file, sorted
 *                                     in bytes: `0644 3b4c… index.html`
 *     files 12                        how many
 *     bytes 34567                     of all of them
 * status 65: it is refused, and nothing of it is there; `error` names its first entry that is:
 *     violation archive_traversal     archive_type, archive_traversal, archive_bomb, archive_name,
 *                                     secret_file, archive_broken
 * status 64: the ref is odd or is no branch, tag or commit here.  At most 10 possible ones,
 * newest first:
 *     error no branch, tag or commit of the repository: devlop
 *     possible branch develop
 *     possible tag v1.2
 *     end
 * or it is ambiguous: hex digits, not all of them, of a commit and a branch or tag, or of two
 * commits.  What was meant is possible, all digits of it, and behind a TAB what is known of it:
 *     possible commit 1a2b3c4d…<TAB>branch deadbee: Make the button blue
 * status 69 (unreachable, refused), 78 (settings), any other, or timed_out:
 *     error fatal: could not read from remote repository.        git's last line
 *     advised 1                       it says what to do
 * An answer with status 0 or 64 and without `end` is broken and counts as status 69; so is one in
 * which commit, branch_commit, in_branch, base, forced or count is odd, or where one of in_branch,
 * forced and count is missing.  What decorates may be missing or odd.
 */
#pragma once

#include <sys/types.h>

#include "lib/commit.h"
#include "lib/err.h"

#define PROTOCOL_VERSION	5
#define PROTOCOL_SUPERVISOR_SINCE 1	/* the oldest that a server understands */
#define PROTOCOL_AGENT_SINCE	3	/* the oldest that a server and an agent understand */
#define PROTOCOL_STEPS_MAX	64		/* sent live; then only those that decide */
#define PROTOCOL_STEPS_ROOM	(PROTOCOL_STEPS_MAX + 10) /* each of those once */
#define PROTOCOL_CAPABILITIES_MAX 16	/* of an agent */
#define PROTOCOL_CAPABILITY	30	/* bytes of the name of one */
#define PROTOCOL_CHALLENGE_HEX	32	/* hex digits */
#define PROTOCOL_SIGNATURE_HEX	128	/* hex digits */
#define PROTOCOL_IMAGE		71		/* "sha256:" and 64 hex digits */
#define PROTOCOL_STEP_NAME	47		/* bytes of a step's name; longer is cut */
#define PROTOCOL_WARNING	200		/* bytes of a warning to people; longer is cut */
#define PROTOCOL_WARNINGS	8		/* kept of one run; of more their number */
#define PROTOCOL_ANSWER_MAX	65536		/* body of an answer; longer output fails the ask */
#define PROTOCOL_PIECE_MAX	65536	/* body of a piece */
#define PROTOCOL_END_MAX	16384	/* of one that is the end of a log */
#define PROTOCOL_STATE_MAX	73728	/* body of a state: a file in environments/ */
#define PROTOCOL_HOSTS_MAX	65536	/* body of a run */
#define PROTOCOL_WAVE		8
#define PROTOCOL_PACKET_MAX	(PROTOCOL_ANSWER_MAX + 16384)	/* the largest message */
#define PROTOCOL_RECORD_BYTES	16384		/* what the exit file is allocated to */
#define PROTOCOL_GATE_WAIT_S	30
#define PROTOCOL_DEADLINE_MAX_S	90000	/* a drain of a day, and what it stops then */
#define PROTOCOL_GRACE_MAX_S	600
#define PROTOCOL_RUNS_MAX	512	/* at work at once, of all environments; refused beyond */
#define PROTOCOL_LOG_LINES_MAX	100	/* of the application's, in an answer */
#define PROTOCOL_GIT_QUERIES_MAX 16	/* waiting at the runner; one more is answered 75 */

/* Kinds of messages: name, word on the wire. */
#define PROTOCOL_KINDS(K) \
	K(HELLO, "hello") K(RUN, "run") K(STARTED, "started") K(REFUSED, "refused") \
	K(RECONCILE, "settle") K(RECONCILED, "settled") K(STUCK, "stuck") K(GIT_QUERY, "ask") \
	K(ANSWER, "answer") K(GO, "go") K(END, "end") K(GREW, "grew") K(STEP, "step") \
	K(EXIT, "exit") K(PURGE, "forget") K(PURGED, "forgotten") K(PROGRESS, "progress") \
	K(CHALLENGE, "challenge") K(READ, "read") K(PIECE, "piece") K(STATE_FILE, "state")

#define PROTOCOL_PROGRAMS(P)	P(NONE, "") P(DEPLOY, "deploy") P(ROLLBACK, "rollback") \
	P(ACTION, "action") P(DRAIN, "drain")
#define PROTOCOL_GIT_QUERIES(Q) \
	Q(NONE, "") Q(COMMITS, "commits") Q(HEADS, "heads") /* the server's */ \
	Q(MAINTAIN, "maintain") \
	Q(SETTINGS, "settings") /* the server's: no git, only the list */ \
	Q(LOGS, "logs") /* the server's: no git, but a target; ref is how many lines */ \
	Q(UNPACK, "unpack") /* the server's: no git; ref is the SHA-256 of an archive */
#define PROTOCOL_STATES(S) \
	S(NONE, "") S(NEVER, "never") S(ALIVE, "alive") S(ENDED, "ended") S(LOST, "lost")
#define PROTOCOL_WHYS(W) \
	W(NONE, "") W(EXISTS, "exists") W(INVALID, "invalid") W(FAILED, "failed") \
	W(CHANGED, "changed")
#define PROTOCOL_REMOVALS(R)	R(NONE, "") R(MORE, "more") R(GONE, "gone") R(STAY, "stay")

enum protocol_kind {
#define K(name, word) PROTOCOL_##name,
	PROTOCOL_KINDS(K)
#undef K
	PROTOCOL_KIND_COUNT
};
enum protocol_program {
#define P(name, word) PROTOCOL_PROGRAM_##name,
	PROTOCOL_PROGRAMS(P)
#undef P
	PROTOCOL_PROGRAM_COUNT
};
enum protocol_git_query {
#define Q(name, word) PROTOCOL_GIT_QUERY_##name,
	PROTOCOL_GIT_QUERIES(Q)
#undef Q
	PROTOCOL_GIT_QUERY_COUNT
};
enum protocol_state {
#define S(name, word) PROTOCOL_STATE_##name,
	PROTOCOL_STATES(S)
#undef S
	PROTOCOL_STATE_COUNT
};
enum protocol_why {
#define W(name, word) PROTOCOL_WHY_##name,
	PROTOCOL_WHYS(W)
#undef W
	PROTOCOL_WHY_COUNT
};
enum protocol_removal {
#define R(name, word) PROTOCOL_REMOVAL_##name,
	PROTOCOL_REMOVALS(R)
#undef R
	PROTOCOL_REMOVAL_COUNT
};

struct protocol_step {
	char name[PROTOCOL_STEP_NAME + 1];	/* printable; never empty */
	int64_t at;				/* milliseconds since 1970 */
};

/* Whose an order is, and what proves it to an agent or a remote runner: lib/order_bytes.h. */
struct protocol_proof {
	char installation[PROTOCOL_CHALLENGE_HEX + 1]; /* INSTALLATION_ID; empty: not said */
	char challenge[PROTOCOL_CHALLENGE_HEX + 1];
	char signature[PROTOCOL_SIGNATURE_HEX + 1];
	uint64_t epoch;
	int64_t clock_s;			/* of who says hello, since 1970; 0: not said */
};

/* What an agent may be ordered to do: actions' names, and the digests of their units. */
struct protocol_capability {
	char name[PROTOCOL_CAPABILITY + 1];
	char digest[65];
};
struct protocol_manifest {
	char digest[65];	/* of the list; empty: this is no agent */
	size_t count;
	struct protocol_capability all[PROTOCOL_CAPABILITIES_MAX];
};

/* How a run ended.  See "Record fields" above. */
struct protocol_record {
	bool gate;
	bool released;		/* `==> release` was printed */
	bool no_rollback;	/* `==> no-rollback` was printed */
	bool migration;		/* `==> migrate` was printed, before `==> release` */
	bool drains;		/* `==> drain-later` was printed behind `==> release` */
	bool undone;		/* `==> nothing-runs` was, behind it too */
	bool timed_out;
	bool ended;
	bool lost;
	bool unswept;
	int exec_errno;
	int status;
	int signal;
	int64_t ended_at;	/* milliseconds since 1970 */
	char image[PROTOCOL_IMAGE + 1];	/* also step; "": none was said */
	unsigned int warning_count;	/* that were said, also those that are not here */
	char warnings[PROTOCOL_WARNINGS][PROTOCOL_WARNING + 1]; /* printable; "": no more */
};

/* Which of all that have had the pid of a hello. */
struct protocol_process {
	uint64_t start; /* /proc/<pid>/stat field 22 */
	char boot[37];	/* /proc/sys/kernel/random/boot_id */
};

/* Of a log. */
struct protocol_place {
	uint64_t from; /* 1 …; 0: the end */
	uint64_t size; /* of a piece's log, as it is now */
	bool is_results; /* of runs/<id>/results instead */
};

/* One message.  Fields that its kind does not name are zero or empty and are not sent. */
struct protocol_message {
	enum protocol_kind kind;
	uint64_t id;				/* of a run or question (1…); hello: highest;
						 * state: number */
	struct protocol_place place;		/* read, piece */
	/* hello */
	unsigned int version;
	pid_t pid;				/* also stuck; hello: the main process */
	struct protocol_process process;
	/* run */
	enum protocol_program program;
	char application[21];			/* also ask, state; empty: the one without a name */
	char environment[32];			/* without it; a client's id; also ask, state */
	char argument[137];			/* COMMIT[@sha256:…], target:WORD, an action */
	char client[32];			/* of an action; empty: the environment */
	unsigned int deadline_s;		/* 1 … PROTOCOL_DEADLINE_MAX_S */
	unsigned int grace_s;			/* TERM to KILL, 0 … PROTOCOL_GRACE_MAX_S */
	uint64_t deployment;			/* DEPLOYMENT_ID, RELEASE */
	char previous[137];			/* PREVIOUS_RELEASE, as argument; empty: none */
	char ref[256];				/* REF; ask: what to resolve, empty: the branch */
	char without[200];			/* of a rollback: hosts, a comma between */
	char wave[PROTOCOL_WAVE];		/* WAVE, "2/3"; empty: it is not in waves */
	unsigned int failures_max;		/* WAVE_FAILURES_MAX */
	enum commit_source source;			/* of argument's commit: SOURCE */
	char tree[65];				/* TREE; empty: nothing of an upload is built */
	bool is_promoted;			/* PROMOTED: argument's image was live elsewhere */
	char tag[54];				/* order file only: RUN_ID, `<id>-<32 hex>` */
	char fingerprint[65];			/* of its list (binding.h); empty: any; answer */
	/* challenge, run and go of an agent or a remote runner; hello's epoch and clock */
	struct protocol_proof proof;
	/* hello of an agent */
	struct protocol_manifest manifest;
	/* refused */
	enum protocol_why why;
	int error;				/* errno, 0 when there is none */
	char text[256];				/* a sentence; stuck, forgotten, answer, progress */
	char settings[8448];			/* CHANGED, answer: the runner's list; run:
						 * lib/release_ticket.h, empty: no agent
						 * releases it */
	/* settled */
	enum protocol_state state;
	/* forgotten */
	enum protocol_removal removal;
	/* ask */
	enum protocol_git_query query;
	bool wants_progress;
	char branch[256];			/* the environment's; empty: it has none */
	char base[65];				/* hex commit; empty: none */
	char blocked[1040];			/* hex commits, one space between; empty: none */
	char after[65];				/* hex commit that a push announced; empty: none */
	char paths[1536];			/* patterns, a comma between; empty: all;
						 * behind a / each for itself */
	char branches[4096];			/* HEADS: names, one space between */
	/* answer: status and timed_out are the record's.  body, also of a piece, a state and a run
	 * that has hosts, borrows from the packet. */
	const char *body;
	size_t body_len;
	/* hello, exit, settled */
	struct protocol_record record;
	size_t step_count;
	struct protocol_step steps[PROTOCOL_STEPS_ROOM];
};

/* Writes the packet to buf, at most cap bytes (PROTOCOL_PACKET_MAX always suffices), and its
 * length to *ret_len.  Fails, with nothing in *ret_len, when a field is invalid for its kind. */
bool protocol_encode(const struct protocol_message *message, char *buf, size_t cap,
    size_t *ret_len, struct err *err) MUST_USE;

/* Reads one packet.  Every field is checked; on failure *ret is unspecified and err says which
 * field.  ret->body points into data. */
bool protocol_decode(const char *data, size_t len, struct protocol_message *ret, struct err *err)
    MUST_USE;

/* The allow-lists.  A ref may be any text without control characters that fits: it is only ever
 * one argument or one variable, and commits.sh refuses what is odd with a list of what is not. */
bool protocol_is_commit(const char *text);	/* 7 to 64 lower case hex digits */
bool protocol_is_image(const char *text);	/* sha256:<64 hex> */
bool protocol_is_release(const char *text);	/* commit, commit@image or target:word */
#define PROTOCOL_TARGET_WORD 30
bool protocol_is_ref(const char *text);		/* 1 to 255 bytes, none of them a control */

/* The hosts of a run: at least one, HOST_LINES_MAX at most, each as host_plain() has it.  Behind
 * a line `= RELEASE` stand those of a rollback that go back to it (`= none`: that ran nothing), and
 * those of a deployment that should run it now: a release is for none that runs another. */
#define PROTOCOL_GROUP	    "= "
#define PROTOCOL_GROUP_NONE "none"
bool protocol_are_hosts(const char *body, size_t len);

/* SHA-256 of what a run, state or forget says, in hex: all of it but its id, a run's limits and
 * list, and its proof: a runner of before skips whose an order is.  "": it cannot be said.  Returns
 * ret. */
#define PROTOCOL_WORK 65
const char *protocol_work(const struct protocol_message *message, char ret[PROTOCOL_WORK]);

/* Their words on the wire, static. */
const char *protocol_kind_name(enum protocol_kind kind);
const char *protocol_program_name(enum protocol_program program);
