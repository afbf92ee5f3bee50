// SPDX-License-Identifier: MIT
#include "help_text.h"

namespace swapmq::host::help {

const char* const program = R"(swapmq: one message queue, whichever broker stands behind it.

Publishes to and consumes from queues. Which broker that means is a word in a JSON file; the
backend of that name is loaded when the program starts.)";

const char* const program_footer = R"(Configuration:
  The first of: --config FILE; the file named by SWAPMQ_CONFIG; the embedded default, which is
  sqlite in ./swapmq-data.

Environment:
  SWAPMQ_CONFIG       the configuration, where --config is not given
  SWAPMQ_SET__A__B    sets the key A.B over what the configuration says
  SWAPMQ_PLUGIN_PATH  folders to search for plugins, separated by colons
  NO_COLOR            if set and not empty: no colours, and no progress line

Queues:
  @task, @status, @heartbeat and @control stand for the queues that the configuration gives those
  roles; any other name is the queue's own.

Exit codes:
  0    done
  1    some messages failed or are in doubt, or what was asked for was refused
  2    the command line is wrong
  3    the configuration is wrong
  4    the plugin cannot be found, loaded or trusted, or breaks its contract
  5    the broker cannot be reached, does not answer in time or does not let us in
  6    the switch was not over when the timeout passed; it goes on
  130  interrupted (SIGINT, SIGTERM), after finishing what was in flight;
       a second signal ends at once

Examples:
  swapmq publish tasks --lines jobs.txt
  swapmq consume tasks --idle-exit 2s > jobs.txt
  swapmq queue stats tasks
  swapmq config check swapmq.json
  swapmq run --config swapmq.json

'swapmq COMMAND --help' tells more of each command.)";

const char* const publish = R"(Publish FILE or standard input to QUEUE.

The whole input is one message, or with --lines or --ndjson each line is one. Returns when the
backend has confirmed all of it. The queue is made if there is none. Each message ends as confirmed
(the backend has it, as durably as the configuration asks), failed (it is certainly not stored) or
in doubt (it may be stored: no answer came); the summary counts them.)";

const char* const publish_footer =
    R"(Durations are written 500ms, 2s, 1.5m, 12h or 7d; sizes 4096, 64K, 16M or 1G (powers of 1024).

With --ndjson a line is an object such as {"body": "resize", "delay": "2s"}. Its keys:
  body                      or body_base64: bytes that are not UTF-8. So for each text here
  id, ordering_key, correlation_id, reply_to, content_type
  headers                   [{"name": "a", "value": "b"}, ...], or {"a": "b", ...}
  delay, ttl                durations, or delay_ms and ttl_ms: numbers
  priority                  0 to 9
What 'swapmq consume --ndjson' writes is read as it is. Where the backend remembers ids, an id that
it has seen is stored once only: --new-ids. What a line does not say the options do; their headers
come first. A line that is wrong is told of with its number, counted as failed, and the rest goes
on; --max-size is that of a line.

An error that the next message would meet as well (broker unreachable for the whole timeout, disk
full, ...) ends publishing: the summary counts what was tried, a line says where it ended.

The summary is one line on standard error, with --json one object on standard output:
  published 120000 to tasks (sqlite) in 0.41 s: confirmed 120000 failed 0 in_doubt 0

With --watch it follows its configuration as 'swapmq run' does ('swapmq run --help' tells how), and
switches to another backend while it publishes; SIGHUP then does not interrupt it.

Exit codes: 0 all confirmed; 1 some failed or in doubt; 2 usage; 3 config; 4 plugin;
5 broker unreachable; 130 interrupted: lines that were read are published, the rest is not.

Examples:
  swapmq publish tasks --lines jobs.txt
  tail -f app.log | swapmq publish logs --lines
  swapmq publish images photo.jpg --content-type image/jpeg --header camera=left
  echo remind me | swapmq publish mail --delay 2h --ttl 1d
  seq 1000 | swapmq publish tasks --lines --rate 50
  tail -f app.log | swapmq publish logs --lines --watch --config swapmq.json
  swapmq consume tasks --ndjson --idle-exit 2s | swapmq publish copy --ndjson)";

const char* const consume = R"(Write the messages of QUEUE to standard output.

A message is acked only after it was written; what cannot be written (a full disk, a closed pipe)
is released: it is delivered again, to whoever comes next, and not counted as a delivery.
Runs until interrupted, unless --max or --idle-exit ends it earlier.)";

const char* const consume_footer =
    R"(Each message is followed by a newline, which is not part of it; for messages that hold newlines
take --null, --ndjson or, for one, --raw.

With --group it shares the messages with the other consumers of that group; each group of a queue
gets every message ('swapmq config explain queues.NAME.groups'). Its queue is named QUEUE@GROUP.

With --ndjson each line is an object: id, queue, body (or body_base64, if it is not UTF-8), headers,
timestamp_ms, delivery_count, and what else the message carries; 'swapmq publish --ndjson' reads it.
With --json the summary is an object, too.

If the reader of the output leaves (as head does), what it was not given is released and the exit
code is 0.

The summary is one line on standard error:
  consumed 120000 from tasks (sqlite) in 0.38 s: acked 120000 released 0 lost 0
lost: written, but the ack came too late or got no answer; others may get those messages again.

With --watch it follows its configuration as 'swapmq run' does ('swapmq run --help' tells how), and
switches to another backend while it consumes; SIGHUP then does not interrupt it.

Exit codes: 0 done; 1 output failed or some were lost; 2 usage; 3 config; 4 plugin;
5 broker unreachable, or messages are ready and it delivers none; 130 interrupted.

Examples:
  swapmq consume tasks --idle-exit 2s > jobs.txt
  swapmq consume tasks --max 1 --raw > photo.jpg
  swapmq consume tasks --null | xargs -0 -n1 process
  swapmq consume orders --group billing --ndjson
  swapmq consume tasks.dead --release --ndjson   # look at them, leave them there)";

const char* const queue =
    R"(Create, delete, purge, list queues; look into them; bring dead letters back.)";

const char* const queue_create = R"(Create queues.

One that exists already is left as it is. Publishing and consuming create queues by themselves.
Of a queue with groups: the queues of its groups.)";

const char* const queue_delete = R"(Delete queues with all that they hold.

Of a queue with groups: also those of its groups. Deleting what does not exist is not an error. On a terminal it asks first, unless --yes.)";

const char* const queue_stats = R"(Show how many messages are ready, unacked and delayed.

Of a queue with groups: of the queue of each. Without QUEUE: of all queues, where the backend can
list them.)";

const char* const queue_stats_footer = R"(READY    could be delivered now
UNACKED  delivered and not settled yet
DELAYED  waiting for their time
~N is approximate, ? is unknown to this backend.

Exit codes: 0 done; 1 a queue does not exist, or the backend cannot list; others as 'swapmq --help'.)";

const char* const queue_purge = R"(Remove the ready and delayed messages of queues.

Of a queue with groups: also of those of its groups. What is unacked stays with its consumers. On a terminal it asks first, unless --yes.)";

const char* const queue_list = R"(List the queues, one name a line.)";

const char* const queue_peek = R"(Show messages that are ready, and leave them where they are.

In the order in which they would be consumed. Nothing is counted, and consumers get them as if nobody
had looked.)";

const char* const queue_peek_footer =
    R"(Each message is followed by a newline. With --ndjson, or --json, each line is an object, as of
'swapmq consume --ndjson': with its headers and its delivery_count.

A backend that cannot show messages without taking them has them taken and given back, and a note
says so: their next delivery is flagged as a repeated one.

Exit codes: 0 done, also if none is ready; 1 there is no such queue; others as 'swapmq --help'.

Examples:
  swapmq queue peek tasks
  swapmq queue peek tasks.dead --max 100 --ndjson | jq .headers)";

const char* const queue_redrive = R"(Put dead letters back to where they came from.

Each is published to the queue that it failed in, as it was but with its deliveries counted anew,
and leaves DEAD when that is confirmed. What is dead-lettered meanwhile stays.)";

const char* const queue_redrive_footer =
    R"(A letter that does not say where it came from, or would come back to DEAD, stays there, and is
counted as failed; --to names a queue for it. Where the backend remembers ids, letters get new ones.

The summary is one line on standard error, with --json one object on standard output:
  redriven 12 from tasks.dead to tasks in 0.02 s: confirmed 12 failed 0 in_doubt 0

Exit codes: 0 all are back; 1 some are not; 2 usage; 3 config; 4 plugin; 5 broker unreachable;
130 interrupted: what is in flight is finished, the rest stays.

Examples:
  swapmq queue redrive tasks.dead
  swapmq queue redrive tasks.dead --max 10
  swapmq queue redrive tasks.dead --to tasks.retry)";

const char* const plugin = R"(List, describe, check and begin plugins.)";

const char* const plugin_new = R"(Write a folder that a backend of one's own begins from.

As it is it builds with one command and keeps the whole contract: queues in the memory of the process,
to be replaced by a broker. With CMake, the schema of its options, an example configuration, and a
workflow that checks it at every push.)";

const char* const plugin_new_footer =
    R"(Exit codes: 0 done; 1 the folder exists, or cannot be written; 2 usage.

Examples:
  swapmq plugin new file_queue
  swapmq plugin new file_queue ../backends/file --language c
  cd file_queue && cmake --workflow --preset check)";

const char* const plugin_list = R"(List the plugins that can be found, and what cannot be loaded.)";

const char* const plugin_show = R"(Describe a plugin: what it can do, its limits, its options.

PLUGIN is searched for; with a slash it is a path.)";

const char* const plugin_check = R"(Check that a plugin keeps the contract of a backend.

Runs the contract kit on it, in a process of its own, so that a crash or a hang is a finding.
PLUGIN is searched for; with a slash it is a path.)";

const char* const plugin_check_footer =
    R"(The queues that the kit makes and deletes have names of their own, but do not point it at a broker
that others depend on. {dir} in the options stands for a folder that lives as long as the check.

--broker-control lets it break the broker behind the plugin: CMD is a command of the shell, to which
one word is added. start returns when the broker takes connections, stop when it has ended in order,
kill when it was killed (SIGKILL); pause and resume are SIGSTOP and SIGCONT. Each may be told twice;
CMD exits with 0 if it is so. The broker is to run when the check begins, and runs when it ends.

A failure says which rule is broken and where <swapmq/backend.h> has it, the calls that led to it
(">" marks the one that it came from, or that did not return), what was expected and what it got.
--json and --junit have the same. --list names all rules.

Exit codes: 0 the plugin keeps the contract; 3 --options are not as its schema has them; 4 it breaks
the contract, or cannot be loaded.

Examples:
  swapmq plugin check memory
  swapmq plugin check sqlite --options '{"path": "{dir}/queues.db"}'
  swapmq plugin check ./mine.so --options '{"url": "mine://127.0.0.1"}'
  swapmq plugin check --list --only 'Settle.*'
  swapmq plugin check ./mine.so --only 'Settle.*:Order.*'
  swapmq plugin check ./mine.so --junit result.xml
  swapmq plugin check ./mine.so --only 'Broker.*' --broker-control './broker.sh')";

const char* const completion = R"(Print the completion script of a shell.

It completes commands, options, files, and the names of queues, backends, plugins and keys as the
configuration on the command line, or SWAPMQ_CONFIG, has them.)";

const char* const completion_footer =
    R"(An installed package has put the scripts where the shells find them. By hand:
  bash   swapmq completion bash > ~/.local/share/bash-completion/completions/swapmq
         or, for one shell: source <(swapmq completion bash)
  zsh    swapmq completion zsh > "${fpath[1]}/_swapmq"     # a folder of fpath, before compinit
  fish   swapmq completion fish > ~/.config/fish/completions/swapmq.fish)";

const char* const version = R"(Show the versions of program, library and ABI.)";

const char* const ping = R"(Make a round trip to the broker and say how long it took.)";

} // namespace swapmq::host::help
