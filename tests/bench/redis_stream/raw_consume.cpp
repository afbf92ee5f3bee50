// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "entry_writer.h"
#include "raw.h"
#include "wire.h"

namespace bench {
namespace {

/// The connection is made in run(), as the library makes one for a consumer.
class RawConsumer final : public Contender {
 public:
  RawConsumer(std::uint16_t port, std::size_t batch) : port_(port), batch_(batch) {}

  void prepare(const Task& task) override {
    group_ = std::string(task.queue) + "_group";
    read_ = "*9\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n";
    append_argument(read_, group_);
    append_argument(read_, "consumer");
    append_argument(read_, "COUNT");
    append_argument(read_, std::to_string(batch_));
    append_argument(read_, "STREAMS");
    append_argument(read_, task.queue);
    append_argument(read_, ">");
    receipts_.reserve(batch_ * 32);
  }

  void run(const Task& task) override {
    Connection connection(port_);
    Replies replies(connection);
    std::string request = read_;
    std::size_t settling = 0;
    for (std::size_t done = 0; done < task.ids.size() || settling > 0;) {
      connection.send(request);
      if (settling > 0) check_settled(replies, settling);
      settling = 0;
      if (done == task.ids.size()) break;
      settling = receive(replies, task, done);
      done += settling;
      request.clear();
      append_settlements(request, task.queue, settling);
      if (done < task.ids.size()) request += read_;
    }
  }

 private:
  /// The receipts of a batch become arguments of both commands as they are read.
  std::size_t receive(Replies& replies, const Task& task, std::size_t done) {
    receipts_.clear();
    if (replies.array() != 1) throw std::runtime_error("the stream is empty too soon");
    replies.array(); // key and entries
    replies.text();
    const auto count = static_cast<std::size_t>(replies.array());
    if (done + count > task.ids.size()) throw std::runtime_error("the stream has too many entries");
    for (std::size_t i = 0; i < count; ++i) {
      replies.array(); // id and fields
      append_argument(receipts_, replies.text());
      const auto fields = replies.array() / 2;
      for (std::int64_t field = 0; field < fields; ++field) {
        const std::string_view name = replies.text();
        const bool is_id = name == "message_id";
        const bool is_body = name == "data";
        const std::string_view value = replies.text();
        if (is_id) keep(task.ids[done + i], value);
        if (is_body && value.size() != task.body.size()) {
          throw std::runtime_error("a body came back with another length");
        }
      }
    }
    return count;
  }

  void append_settlements(std::string& to, std::string_view key, std::size_t count) const {
    to.append("*").append(std::to_string(count + 2)).append("\r\n$4\r\nXDEL\r\n");
    append_argument(to, key);
    to.append(receipts_);
    to.append("*").append(std::to_string(count + 3)).append("\r\n$4\r\nXACK\r\n");
    append_argument(to, key);
    append_argument(to, group_);
    to.append(receipts_);
  }

  static void check_settled(Replies& replies, std::size_t count) {
    const auto expected = static_cast<std::int64_t>(count);
    const std::int64_t deleted = replies.integer();
    const std::int64_t acked = replies.integer();
    if (deleted != expected || acked != expected) {
      throw std::runtime_error("not every entry of a batch was there to be settled");
    }
  }

  const std::uint16_t port_;
  const std::size_t batch_;
  std::string group_, read_, receipts_;
};

} // namespace

std::vector<RawVariant> raw_consuming(std::uint16_t port, std::size_t batch) {
  return {{"one write a batch", [=] { return std::make_unique<RawConsumer>(port, batch); }}};
}

} // namespace bench
