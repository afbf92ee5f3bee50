// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "c_api/handles.h"

namespace {

using namespace swapmq;
using namespace swapmq::c_api;

std::int32_t hand_over(Result<MessageQueue> opened, swapmq_mq** out, const Text& text) {
  if (!opened) return leave(opened.error(), text);
  *out = new swapmq_mq{std::move(*opened)};
  return leave({}, text);
}

} // namespace

const char* swapmq_mq_version(void) {
  static const std::string text(swapmq::version());
  return text.c_str();
}

const char* swapmq_mq_status_name(std::int32_t status) {
  if (status < SWAPMQ_MQ_OK || status > SWAPMQ_MQ_CLOSED) return "unknown";
  return swapmq::to_string(static_cast<swapmq::Errc>(status)).data(); // a literal
}

std::int32_t swapmq_mq_open(const char* config_path, swapmq_mq** out, char* error,
                            std::size_t error_size) {
  const Text text{error, error_size};
  if (out == nullptr) return refuse("open: out is NULL", text);
  return guarded(text, [&] {
    return hand_over(MessageQueue::try_open(std::string(view(config_path))), out, text);
  });
}

std::int32_t swapmq_mq_open_text(const char* json, std::size_t json_size, const char* name,
                                 swapmq_mq** out, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (out == nullptr) return refuse("open_text: out is NULL", text);
  return guarded(text, [&] {
    const std::string shown(name != nullptr ? name : "<text>");
    return hand_over(MessageQueue::try_open_text(view(json, json_size), shown), out, text);
  });
}

std::int32_t swapmq_mq_close(swapmq_mq* mq, std::int64_t timeout_ms, char* error,
                             std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("close: mq is NULL", text);
  return guarded(text, [&] { return leave(mq->queue.close(wait_of(timeout_ms)), text); });
}

void swapmq_mq_free(swapmq_mq* mq) { delete mq; }

std::int32_t swapmq_mq_ping(swapmq_mq* mq, std::int64_t timeout_ms, char* error,
                            std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("ping: mq is NULL", text);
  return guarded(text, [&] { return leave(mq->queue.ping(wait_of(timeout_ms)), text); });
}

std::size_t swapmq_mq_backend_name(swapmq_mq* mq, char* name, std::size_t name_size) {
  const Text text{name, name_size};
  std::size_t size = 0;
  if (mq == nullptr) {
    text.set("");
    return 0;
  }
  guarded(text, [&] {
    const std::string backend = mq->queue.backend_name();
    size = backend.size();
    text.set(backend);
    return SWAPMQ_MQ_OK;
  });
  return size;
}

// ---- switching ----------------------------------------------------------------------------------

std::int32_t swapmq_mq_reload(swapmq_mq* mq, const char* config_path, char* error,
                              std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("reload: mq is NULL", text);
  return guarded(
      text, [&] { return leave(mq->queue.reload(std::string(view(config_path))).error(), text); });
}

std::int32_t swapmq_mq_switch_to(swapmq_mq* mq, const char* type, char* error,
                                 std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("switch_to: mq is NULL", text);
  return guarded(text, [&] {
    return leave(mq->queue.switch_to(view(type), mq->queue.switch_options()).error(), text);
  });
}

std::int32_t swapmq_mq_roll_back(swapmq_mq* mq, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("roll_back: mq is NULL", text);
  return guarded(text, [&] { return leave(mq->queue.roll_back().error(), text); });
}

std::int32_t swapmq_mq_wait_for_switch(swapmq_mq* mq, std::int64_t timeout_ms, std::int32_t* phase,
                                       char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || phase == nullptr) {
    return refuse("wait_for_switch: mq or phase is NULL", text);
  }
  return guarded(text, [&] {
    const SwitchStatus status = mq->queue.wait_for_switch(wait_of(timeout_ms));
    *phase = static_cast<std::int32_t>(status.phase);
    return leave(status.error, text);
  });
}
