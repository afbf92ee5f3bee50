// SPDX-License-Identifier: MIT
#include "daemon/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace swapmq::host {
namespace {

constexpr int waiting_connections = 16;
constexpr const char* new_name = "control.sock.new";

/// By way of the open folder: a socket's address has room for 107 bytes, a folder's path for more.
sockaddr_un address_in(const Descriptor& folder, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder.get(),
                name);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Descriptor open_folder(const std::string& folder) {
  return Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// Why it is no place for a socket that only its owner may use; empty: it is one.
std::string trouble_of(const Descriptor& folder) {
  struct stat about {};
  if (::fstat(folder.get(), &about) != 0) return std::strerror(errno);
  if (about.st_uid != ::geteuid()) {
    return "belongs to user " + std::to_string(about.st_uid) + ", and this is user " +
           std::to_string(::geteuid()) + "; a host needs a folder of its own";
  }
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "can be written to by others; chmod go-w it";
  }
  return {};
}

/// The user at the other end; none: it cannot be told.
bool user_at(int socket, uid_t& user) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  user = who.uid;
  return true;
}

Error cannot(const std::string& folder, const std::string& why) {
  return {Errc::config, "state_dir " + folder + ", control socket: " + why};
}

} // namespace

Result<ControlSocket> ControlSocket::listen(const std::string& folder) {
  Descriptor place = open_folder(folder);
  if (!place) return cannot(folder, std::strerror(errno));
  if (const std::string trouble = trouble_of(place); !trouble.empty()) {
    return cannot(folder, trouble);
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return cannot(folder, std::strerror(errno));
  // Under another name until it is ready: whoever sees it may connect.
  ::unlinkat(place.get(), new_name, 0);
  const sockaddr_un address = address_in(place, new_name);
  const bool ready = ::bind(socket.get(), generic(address), sizeof address) == 0 &&
                     ::fchmodat(place.get(), new_name, 0600, 0) == 0 &&
                     ::listen(socket.get(), waiting_connections) == 0 &&
                     ::renameat(place.get(), new_name, place.get(), control_socket_name) == 0;
  if (!ready) return cannot(folder, std::strerror(errno));
  return ControlSocket(std::move(place), std::move(socket));
}

ControlSocket::~ControlSocket() {
  if (folder_) ::unlinkat(folder_.get(), control_socket_name, 0);
}

Descriptor ControlSocket::accept() const {
  for (;;) {
    Descriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    uid_t user = 0;
    if (!peer || (user_at(peer.get(), user) && (user == ::geteuid() || user == 0))) return peer;
  }
}

Result<Descriptor> connect_to_control_socket(const std::string& folder) {
  const Descriptor place = open_folder(folder);
  const std::string where = "state_dir " + folder + ": ";
  if (!place && errno == EACCES) return Error(Errc::access_denied, where + std::strerror(errno));
  struct stat about {};
  if (!place || ::fstat(place.get(), &about) != 0) {
    return Error(Errc::not_found, where + "no host is running there (no such folder)");
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Error(Errc::resource_exhausted, where + std::strerror(errno));
  const sockaddr_un address = address_in(place, control_socket_name);
  if (::connect(socket.get(), generic(address), sizeof address) != 0) {
    switch (errno) {
      case EACCES:
        return Error(Errc::access_denied, where + "its host belongs to another user; ask as user " +
                                              std::to_string(about.st_uid));
      case EAGAIN:
        return Error(Errc::conflict, where + "its host has too many requests waiting; try again");
      default:
        return Error(Errc::not_found,
                     where +
                         "no host is running there; begin one with 'swapmq run', or give "
                         "'swapmq publish' or 'swapmq consume' --watch");
    }
  }
  uid_t user = 0;
  if (!user_at(socket.get(), user) || (user != about.st_uid && user != ::geteuid() && user != 0)) {
    return Error(Errc::access_denied, where + "the socket there belongs to another user");
  }
  return socket;
}

} // namespace swapmq::host
