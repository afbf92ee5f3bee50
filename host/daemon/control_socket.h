// SPDX-License-Identifier: MIT
//
// The Unix socket of a host, control.sock in its state_dir. It is its owner's alone: the folder,
// the socket's mode and the user at the other end are all looked at.
#pragma once

#include <string>

#include "daemon/descriptor.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

inline constexpr const char* control_socket_name = "control.sock";

/// A listening socket, removed by the destructor. The path may be longer than a socket's address.
class ControlSocket {
 public:
  /// The caller is the only host on that folder (the message queue holds its lock), so that a
  /// socket that is there was left by a process that died. Errors: config, the folder may not be
  /// used for it, and what to do.
  static Result<ControlSocket> listen(const std::string& folder);
  ControlSocket(ControlSocket&&) = default;
  ControlSocket& operator=(ControlSocket&&) = delete;
  ~ControlSocket();

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// The next one who connected, or none. Who is another user is turned away.
  [[nodiscard]] Descriptor accept() const;

 private:
  ControlSocket(Descriptor folder, Descriptor socket)
      : folder_(std::move(folder)), socket_(std::move(socket)) {}

  Descriptor folder_, socket_;
};

/// Connects to the host on that folder. Errors: not_found, none is running; access_denied;
/// conflict, it has too much to do; each says what to do.
Result<Descriptor> connect_to_control_socket(const std::string& folder);

} // namespace swapmq::host
