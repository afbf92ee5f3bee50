// SPDX-License-Identifier: MIT
#include "daemon/control_client.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "daemon/control_socket.h"
#include "signals.h"

namespace swapmq::host {
namespace {

using Clock = std::chrono::steady_clock;
using rapidjson::Value;

constexpr milliseconds grace{10'000}; // for a host that has much to do
constexpr std::size_t most_line_bytes = std::size_t{16} << 20;

const Value* member(const Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

bool flag(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr && value->IsBool() && value->GetBool();
}

std::string text(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr && value->IsString() ? value->GetString() : std::string();
}

std::string json_of(const Value* value) {
  if (value == nullptr) return {};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value->Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

/// The library's word for it; internal: another version's.
Errc code_of(const std::string& word) {
  for (int i = 0; i <= static_cast<int>(Errc::closed); ++i) {
    if (to_string(static_cast<Errc>(i)) == word) return static_cast<Errc>(i);
  }
  return Errc::internal;
}

/// None: it is not the last line.
std::optional<ControlAnswer> last_answer(const Value& line) {
  if (text(line, "event") != "end") return std::nullopt;
  ControlAnswer answer;
  answer.ok = flag(line, "ok");
  answer.under_way = flag(line, "under_way");
  if (const Value* number = member(line, "number"); number != nullptr && number->IsUint64()) {
    answer.number = number->GetUint64();
  }
  if (const Value* error = member(line, "error")) {
    answer.error = Error(code_of(text(*error, "code")), text(*error, "message"));
  }
  answer.status = json_of(member(line, "status"));
  answer.reload = json_of(member(line, "reload"));
  return answer;
}

class Conversation {
 public:
  Conversation(Descriptor socket, Clock::time_point until)
      : socket_(std::move(socket)), until_(until) {}

  Error send(std::string_view line);
  /// Without its newline.
  Result<std::string> receive();

 private:
  Error wait_for(short events);

  const Descriptor socket_;
  const Clock::time_point until_;
  std::string came_;
};

Error gone() { return {Errc::unavailable, "the host ended before it had answered"}; }

Error Conversation::wait_for(short events) {
  const auto left = std::chrono::ceil<milliseconds>(until_ - Clock::now());
  switch (signals::wait(socket_.get(), events, std::max(left, milliseconds(0)))) {
    case signals::Woken::ready:
      break;
    case signals::Woken::timeout:
      return {Errc::timeout, "the host does not answer"};
    case signals::Woken::interrupted:
      return {Errc::interrupted, "interrupted; what was asked for goes on"};
  }
  return {};
}

Error Conversation::send(std::string_view line) {
  while (!line.empty()) {
    if (Error error = wait_for(POLLOUT)) return error;
    const ssize_t sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return {}; // it may have said why, before it closed
    line.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> Conversation::receive() {
  for (;;) {
    if (const std::size_t end = came_.find('\n'); end != std::string::npos) {
      std::string line = came_.substr(0, end);
      came_.erase(0, end + 1);
      return line;
    }
    if (came_.size() > most_line_bytes)
      return Error(Errc::too_large, "the host's answer is too long");
    if (Error error = wait_for(POLLIN)) return error;
    std::array<char, 16384> piece{};
    const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return gone();
    came_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

} // namespace

Result<ControlAnswer> ask_host(const std::string& state_dir, const ControlRequest& request,
                               const std::function<void(const std::string&)>& on_progress) {
  Result<Descriptor> socket = connect_to_control_socket(state_dir);
  if (!socket) return socket.error();
  Conversation conversation(std::move(*socket), Clock::now() + request.timeout + grace);
  if (Error error = conversation.send(to_line(request))) return error;
  for (;;) {
    Result<std::string> line = conversation.receive();
    if (!line) return line.error();
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(line->data(), line->size());
    if (document.HasParseError()) return Error(Errc::corrupt, "the host's answer is no JSON");
    if (auto answer = last_answer(document)) {
      answer->line = std::move(*line);
      return std::move(*answer);
    }
    if (on_progress) on_progress(json_of(member(document, "status")));
  }
}

Result<ControlAnswer> ask_status(const std::string& state_dir, std::chrono::milliseconds patience) {
  ControlRequest request;
  request.what = ControlRequest::Do::status;
  request.timeout = patience;
  return ask_host(state_dir, request, [](const std::string&) {});
}

} // namespace swapmq::host
