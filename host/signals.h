// SPDX-License-Identifier: MIT
//
// Interruption. The first SIGINT, SIGTERM or SIGHUP asks the program to finish what is in flight;
// the second one ends it at once. In a host SIGHUP means something else. SIGPIPE is ignored: a
// closed pipe is an error of the write.
#pragma once

#include <poll.h>

#include <chrono>

namespace swapmq::host::signals {

/// Once, before any thread starts.
void install();

/// Whether an interruption was asked for.
bool interrupted();

/// Readable once interrupted, and from then on.
int descriptor();

/// From now on SIGHUP asks a host to read its configuration again, and interrupts nothing; also
/// where it was ignored, as nohup does.
void serve_hangups();
/// Readable after a SIGHUP, until take_hangup(). Only after serve_hangups().
int hangup_descriptor();
/// Whether one came since the last call; many of them count as one.
bool take_hangup();

enum class Woken { ready, timeout, interrupted };

/// Waits for `events` on `fd` (-1: for the time alone). An interruption wins over readiness.
Woken wait(int fd, short events, std::chrono::milliseconds timeout);
/// The same for as long as it takes.
Woken wait(int fd, short events);

} // namespace swapmq::host::signals
