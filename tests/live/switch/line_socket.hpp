// SPDX-License-Identifier: MIT
//
// A stream socket on which lines go both ways.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace switch_test {

/// Read by one thread, written by any.
class LineSocket {
 public:
  explicit LineSocket(int socket) : socket_(socket) {}
  ~LineSocket() { ::close(socket_); }
  LineSocket(const LineSocket&) = delete;
  LineSocket& operator=(const LineSocket&) = delete;

  /// Of a socket's name in the file system.
  static sockaddr_un address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  /// -1: nobody listens there.
  static int connect(const std::string& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un to = address(path);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return socket;
    ::close(socket);
    return -1;
  }

  /// Without its end; nothing once the other side has gone.
  std::optional<std::string> read_line() {
    for (;;) {
      const std::size_t end = received_.find('\n', begin_);
      if (end != std::string::npos) {
        std::string line = received_.substr(begin_, end - begin_);
        begin_ = end + 1;
        return line;
      }
      received_.erase(0, std::exchange(begin_, 0));
      char bytes[16384];
      const ssize_t length = ::recv(socket_, bytes, sizeof bytes, 0);
      if (length <= 0) return std::nullopt;
      received_.append(bytes, static_cast<std::size_t>(length));
    }
  }
  /// False once the other side has gone.
  bool write_line(const std::string& text) {
    const std::string line = text + "\n";
    const std::lock_guard lock(writing_);
    for (std::size_t done = 0; done < line.size();) {
      const ssize_t sent = ::send(socket_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
      if (sent < 0) return false;
      done += static_cast<std::size_t>(sent);
    }
    return true;
  }
  /// Whoever reads or writes comes back. Any thread.
  void shut() const { ::shutdown(socket_, SHUT_RDWR); }

 private:
  const int socket_;
  std::mutex writing_;
  std::string received_;
  std::size_t begin_ = 0; // of what was not read yet
};

} // namespace switch_test
