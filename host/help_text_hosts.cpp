// SPDX-License-Identifier: MIT
//
// Of what concerns hosts.
#include "help_text.h"

namespace swapmq::host::help {

const char* const run = R"(Be a host: follow the configuration, and answer to the commands below.

Runs until SIGTERM or SIGINT, then drains and exits with 0; a second signal ends it at once. The
configuration is read again when its file changes (written in place, renamed over, a symbolic link
on its path pointed elsewhere), on SIGHUP, and on 'swapmq reload'. What changed and can be in force
at once is; another backend, or other options of it, begin a switch: traffic goes on meanwhile,
and no confirmed message is lost. A configuration that cannot be used changes nothing: the error is
said, and 'swapmq status' keeps showing it.)";

const char* const run_footer = R"(With a state_dir in its configuration a host
  - remembers which backends are owed messages: after a crash it goes on where it was;
  - answers at the socket control.sock in that folder, to its own user and root alone.
Each host needs a state_dir of its own; a second one on the same folder is refused.

With --json standard output gets an object when it runs, and one when it has ended.

What the host does it says in a line on standard error; the library logs where the configuration
says ("log"), --log-level overrides the level, also for every configuration that is read later.

A service manager is told by sd_notify(3): READY=1, RELOADING=1, STOPPING=1, STATUS=, and
WATCHDOG=1 where it watches. In a unit: Type=notify-reload, WatchdogSec=30.

Exit codes: 0 ended by SIGTERM or SIGINT and drained; 1 another host uses the state_dir; 2 usage;
3 config; 4 plugin; 5 not all was drained within the timeout; 130 ended by a second signal.

Examples:
  swapmq run --config /etc/swapmq/swapmq.json
  sed -i 's/"type": "sqlite"/"type": "redis_stream"/' /etc/swapmq/swapmq.json   # switches
  kill -HUP $(pidof swapmq)                                                     # reads it again)";

const char* const status =
    R"(Tell how a host is doing: its configuration, its switch, its backends.)";

const char* const status_footer =
    R"(Which host: the one whose state_dir the configuration names, also if that is broken now and the
host does not follow it.

  host     swapmq run, process 4711, for 3 h 12 m
  config   swapmq.json, read again 2026-01-31T12:00:00Z (SIGHUP): switch 1
  switch   switch 1 from sqlite to redis_stream: drain, after 2.31 s
  BACKEND                    STATE   READY  UNACKED  DELAYED  IN FLIGHT  MOVED
  redis_stream-0c4f33d1a2b9  active  -      -        -        12         0
  sqlite-6b1d2f0a9c3e        owed    4100   256      3        0          0

STATE      active: publishes go there; owed: it was left, and is not known to be empty yet;
           watched: it is empty, and consumed from all the same; left: nothing is consumed there;
           missing: it may be owed messages, but cannot be opened, which is tried again and again
READY, UNACKED, DELAYED  messages there, counted while it is owed
IN FLIGHT  publishes under way
MOVED      messages moved from there

Exit codes: 0 it answered, with --wait: and its last switch ended well; 1 no host runs there, or
the switch was refused; 3 config; 4 plugin, 5 broker: of a switch that failed; 6 still under way
when the timeout passed.

Examples:
  swapmq status --config swapmq.json
  swapmq status --state-dir /var/lib/swapmq --json
  swapmq status --wait --timeout 10m        # until the switch has ended)";

const char* const change = R"(Have a host switch to another backend.

TYPE has a section in the host's configuration, which itself stays as it is: when it is read again,
the host follows its "type". The new backend is opened and compared first; if that fails, all is as
it was. Then publishes go there, and the old one is drained, until nothing is owed there.)";

const char* const change_footer =
    R"(Without --policy, --order and --allow-capability-loss the "switch" section of the configuration
decides.

  drain     the messages that lie on the old backend are consumed there
  transfer  they are moved to the new one; not with --order strict
  leave     they stay there, and nothing more is consumed from there

Returns once the host has begun, with --wait when it is over. On a terminal a line shows how far it
is: the phase, the messages left, those moved, the time, the last error. An interruption or a
timeout ends the waiting, not the switch: 'swapmq switch --cancel' does that.

Exit codes: 0 begun, with --wait: done; with --dry-run: it would be done; 1 refused (it can do
less, another switch is on its way, ...), cancelled, or no host; 2 usage, it is the active one, or
transfer with strict order; 3 config; 4 plugin; 5 the broker cannot be reached or does not let us in; 6 not
over when the timeout passed.

Examples:
  swapmq switch redis_stream --dry-run
  swapmq switch redis_stream --wait --timeout 10m
  swapmq switch rabbitmq --policy transfer --wait
  swapmq switch --cancel)";

const char* const reload = R"(Have a host read its configuration again.

It does so by itself when the file changes; this tells what came of it.)";

const char* const reload_footer =
    R"(Says what is in force at once, what only after a restart, and the number of the switch that began,
if one was needed; with --wait it waits for the end of that.

Exit codes: 0 followed, with --wait: and the switch is done; 1 refused, or no host; 3 the
configuration is wrong; 4 plugin; 5 broker; 6 not over when the timeout passed. In each case but 0
and 6 the backend goes on as it was.

Examples:
  swapmq reload --config swapmq.json
  swapmq reload --wait --json)";

const char* const rollback = R"(Have a host switch back to the backend that was active before.

Also while a switch drains, long after it, and after a restart. What the one that is left has
confirmed is consumed from there, even if it is down now and returns later.)";

const char* const rollback_footer =
    R"(The configuration stays as it is. While it names the backend that was rolled back from it is not
followed, after a restart neither, until it names another one or 'swapmq switch' asks for that.

Exit codes: 0 begun, with --wait: done; 1 no backend was active before, or no host; 5 broker; 6 not
over when the timeout passed.

Examples:
  swapmq rollback --wait)";

const char* const forget = R"(Have a host stop watching a backend that was left.

Every backend that was ever used is consumed from, since other hosts may publish there late. Once
all hosts have left it, this ends the watching; then it may be turned off.)";

const char* const forget_footer =
    R"(One that is owed messages is not forgotten, unless --give-up: then what lies there stays there, and
the log lists that by queue, as 'swapmq status' does before.

Exit codes: 0 done; 1 it is owed messages, no backend of that name is watched, or no host; 2 usage,
it is the active one, or two have that name.

Examples:
  swapmq forget sqlite
  swapmq forget redis_stream-0c4f33d1a2b9 --give-up)";

} // namespace swapmq::host::help
