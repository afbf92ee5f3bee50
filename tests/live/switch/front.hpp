// SPDX-License-Identifier: MIT
//
// What a host serves to the programs that publish and consume through it, on a Unix socket. The
// first line of a connection says what it is for; ids, bodies and names have no spaces.
//   publish QUEUE    each line DELAY_MS BODY ID... is published, answered by one word for each id:
//                    ok, fail or doubt
//   window QUEUE     the same lines, with one id each; ID and the word come as each ends
//   consume QUEUE PREFETCH CONCURRENCY
//                    answered by ok, or by error and what it is. Then deliveries come as
//                    d NUMBER ID DELIVERY_COUNT MOVES BODY, and are settled by the lines ack
//                    NUMBER, take NUMBER, nack NUMBER DELAY_MS, reject NUMBER, release NUMBER. Of
//                    an ack, s NUMBER says that the broker has it. `close` ends consuming, which is
//                    answered by closed and ok or error.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "line_socket.hpp"
#include "swapmq/swapmq.hpp"

namespace switch_test {

/// Serves until its end, which ends the connections as well.
class Front {
 public:
  /// `mq` outlives it. Throws where the socket cannot be made.
  Front(swapmq::MessageQueue& mq, const std::string& path);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

 private:
  struct Connection {
    std::unique_ptr<LineSocket> socket;
    std::thread thread;
  };
  void accept_all();
  void serve(LineSocket& socket);
  void publish(LineSocket& socket, const std::string& queue);
  void publish_in_a_window(LineSocket& socket, const std::string& queue);

  swapmq::MessageQueue& mq_;
  const int listening_;
  std::vector<Connection> connections_; // the acceptor's, until it has ended
  std::thread acceptor_;
};

} // namespace switch_test
