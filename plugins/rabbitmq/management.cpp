// SPDX-License-Identifier: MIT
#include "management.hpp"

#include <openssl/evp.h>
#include <rapidjson/document.h>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

#include "broker_error.hpp"
#include "network/deadlines.hpp"
#include "network/transport.hpp"
#include "url.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;
using backend::Failure;
namespace http = boost::beast::http;

using Response = http::response_parser<http::string_body>;

constexpr std::size_t kMostBody = std::size_t{256} << 20; // of a list of very many queues

/// RFC 3986, 2.1.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

void send_all(network::Transport& transport, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const std::size_t sent = transport.send(bytes.data(), bytes.size());
    bytes.remove_prefix(sent);
    if (sent == 0 && !transport.wait(true, deadline, nullptr)) return; // receiving says so
  }
}

/// The whole answer. Throws ConnectionLost, Failure(TIMEOUT).
void receive_all(network::Transport& transport, Response& response, const std::string& title,
                 Deadline deadline) {
  std::string buffer;
  std::string piece(64 * 1024, '\0');
  while (!response.is_done()) {
    const std::size_t got = transport.receive(piece.data(), piece.size());
    if (got == 0) {
      if (transport.wait(false, deadline, nullptr)) continue;
      throw Failure(SWAPMQ_TIMEOUT, title + " did not answer in time", SWAPMQ_ERROR_RETRYABLE);
    }
    buffer.append(piece, 0, got);
    boost::system::error_code error;
    const std::size_t used = response.put(boost::asio::buffer(buffer), error);
    buffer.erase(0, used);
    if (error && error != http::error::need_more) {
      throw Failure(SWAPMQ_UNAVAILABLE, title + " does not speak HTTP: look at \"management\"");
    }
  }
}

uint64_t number_in(const rapidjson::Value& object, const char* key) {
  const auto at = object.FindMember(key);
  return at != object.MemberEnd() && at->value.IsUint64() ? at->value.GetUint64() : 0;
}

} // namespace

ManagementClient::ManagementClient(const Options& options)
    : options_(options), endpoint_(management_endpoint(options.management.url)) {
  if (endpoint_.tls) tls_.emplace(options.tls, endpoint_.plugin);
  const std::string vhost = percent_encoded(options.brokers.front().virtual_host);
  queues_ = "/api/queues/" + vhost;
}

/// The body; empty: 404.
std::string ManagementClient::get(const std::string& target, Deadline deadline) const {
  const Deadline until = network::at_most(deadline, options_.connection_timeout);
  const std::string title = endpoint_.title();
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, endpoint_.host + ":" + std::to_string(endpoint_.port));
  request.set(http::field::connection, "close");
  request.set(http::field::authorization,
              "Basic " + base64(options_.management.username + ":" + options_.management.password));
  std::ostringstream text;
  text << request;
  const auto transport =
      network::Transport::connect(endpoint_, resolver_, tls_ ? &*tls_ : nullptr, until, nullptr);
  send_all(*transport, text.str(), until);
  Response response;
  response.body_limit(kMostBody);
  response.eager(true); // the body with the header
  receive_all(*transport, response, title, until);
  const unsigned status = response.get().result_int();
  if (status == 200) return std::move(response.get().body());
  if (status == 404) return {};
  if (status == 401 || status == 403) {
    throw Failure(SWAPMQ_ACCESS_DENIED,
                  title + " refuses the user \"" + one_line(options_.management.username) +
                      "\": it needs the tag \"management\" or \"monitoring\" (rabbitmqctl "
                      "set_user_tags), and access to the virtual host");
  }
  throw Failure(SWAPMQ_UNAVAILABLE, title + " answered with the status " + std::to_string(status),
                SWAPMQ_ERROR_RETRYABLE);
}

std::optional<uint64_t> ManagementClient::unacked(const std::string& queue,
                                                  Deadline deadline) const {
  const std::string body = get(queues_ + "/" + percent_encoded(queue), deadline);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject()) return std::nullopt;
  if (!document.HasMember("messages_unacknowledged")) return std::nullopt;
  return number_in(document, "messages_unacknowledged");
}

std::vector<ManagementClient::Listed> ManagementClient::list(Deadline deadline) const {
  const std::string body = get(queues_ + "?columns=name,messages_ready", deadline);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  std::vector<Listed> all;
  if (document.HasParseError() || !document.IsArray()) {
    throw Failure(SWAPMQ_UNAVAILABLE,
                  endpoint_.title() + " listed no queues: look at \"management\"");
  }
  for (rapidjson::SizeType i = 0; i < document.Size(); ++i) {
    const auto& queue = document[i];
    if (!queue.IsObject() || !queue.HasMember("name") || !queue["name"].IsString()) continue;
    all.push_back({{queue["name"].GetString(), queue["name"].GetStringLength()},
                   number_in(queue, "messages_ready")});
  }
  return all;
}

} // namespace swapmq::rabbitmq
